"""The house stands as drawn: who may import whom, and what stays unloaded until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "vecnet_core"
HEAVY = ("torch", "av", "PySide6", "matplotlib")
LIGHT_MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for pattern in (
        "__init__.py",
        "errors.py",
        "frame.py",
        "settings.py",
        "command.py",
        "resources.py",
        "cuts.py",
        "metrics/*.py",
    )
    for path in CORE.glob(pattern)
)
SOURCES = sorted(path for package in ("app", "vecnet_core") for path in (ROOT / package).rglob("*.py"))


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def loaded_after(statement: str) -> set[str]:
    ask = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_core_loads_nothing_heavy_until_it_is_asked() -> None:
    """`import vecnet_core` and everything at or below the floor of the metrics is NumPy (and numba) only."""
    loaded = loaded_after(f"import {', '.join(LIGHT_MODULES)}")
    assert not loaded.intersection(HEAVY)


def test_the_public_names_are_handed_on_lazily() -> None:
    loaded = loaded_after("import vecnet_core; names = vecnet_core.__all__; assert 'load_corrector' in names")
    assert not loaded.intersection({*HEAVY, "numba", "numpy"})


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE)))
def test_inner_modules_never_import_the_root(path: Path) -> None:
    """The root hands names of the inner modules on; an import back would be a circle."""
    assert "vecnet_core" not in imported_modules(path)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_a_room_one_can_read(path: Path) -> None:
    """Every module says in its first line what is inside, and none grows beyond 600 lines."""
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "the first line says what is inside"
    assert text.count("\n") <= 600, "split it by noun"


def test_every_module_has_a_floor() -> None:
    """import-linter checks the floors in `dev.py test`; this keeps the drawing from naming rooms that are gone."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    for contract in contracts:
        if contract["type"] != "layers":
            continue
        package = ROOT / contract["containers"][0]
        named = {room.strip(" ()") for layer in contract["layers"] for room in layer.split("|")}
        there = {path.stem for path in package.glob("*.py") if path.stem != "__init__"}
        there |= {path.parent.name for path in package.glob("*/__init__.py")}
        assert named == there


def test_what_is_installed_is_pinned() -> None:
    """Everything pyproject.toml asks for has an exact version in constraints.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    pinned = {canonical(name) for name in pins}
    assert {canonical(requirement_name(requirement)) for requirement in asked} <= pinned
    assert pins["torch"] == "2.13.0"
    assert tuple(map(int, pins["PySide6_Essentials"].split(".")[:2])) < (6, 12)


def requirement_name(requirement: str) -> str:
    for mark in "[<>=":
        requirement = requirement.partition(mark)[0]
    return requirement


def canonical(name: str) -> str:
    return name.strip().lower().replace("_", "-")
