"""What dev.py decides before it starts anything: missing libraries, displays, fingerprints, the closing summary."""

from __future__ import annotations

import ast
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dev

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout with a ready environment that dev.py takes for its own."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("a==1\n")
    for name, value in {"ROOT": ".", "VENV": ".venv", "STAMP": ".venv/stamp", "UNFINISHED": ".venv/unfinished"}.items():
        monkeypatch.setattr(dev, name, tmp_path / value)
    python = dev.environment_program("python")
    python.parent.mkdir(parents=True)
    python.touch()
    return tmp_path


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """A socket at which something listens."""
    path = tmp_path / "wayland-0"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()
        yield path


def stamp_as_done(extras: list[str]) -> None:
    dev.STAMP.write_text(json.dumps({",".join(extras): dev.fingerprint(extras)}))


def test_only_missing_libraries_are_asked_for() -> None:
    libraries = {"libA.so.1": "liba1", "libB.so.2": "libb2", "libC.so.3": "libc3"}
    assert dev.missing_packages(libraries, lambda library: library != "libB.so.2") == ["libb2"]


def test_a_library_that_is_not_there_does_not_load() -> None:
    assert not dev.loads("libvecnet-nowhere.so.0")


def test_without_apt_the_user_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.shutil, "which", lambda _name: None)
    with pytest.raises(dev.SetUpError, match="libegl1"):
        dev.install_system_packages(["libegl1"], "the window", lambda: False)


def test_where_apt_may_not_be_used_the_line_to_type_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.shutil, "which", lambda _name: "/usr/bin/apt-get")
    monkeypatch.setattr(dev, "apt_prefix", lambda: None)
    with pytest.raises(dev.SetUpError, match=r"sudo apt-get install -y python3\.11-venv"):
        dev.install_system_packages(["python3.11-venv"], "the environment", lambda: False)


def test_a_second_start_finds_everything_done(checkout: Path) -> None:
    stamp_as_done([])
    assert dev.is_set_up([])
    assert not dev.is_set_up(["dev"])


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_pin_is_set_up_anew(checkout: Path, changed: str) -> None:
    stamp_as_done([])
    (checkout / changed).write_text("b==2\n")
    assert not dev.is_set_up([])


def test_an_interrupted_set_up_is_redone(checkout: Path) -> None:
    stamp_as_done([])
    dev.UNFINISHED.touch()
    assert not dev.is_set_up([])


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_damaged_stamp_counts_as_none(checkout: Path, content: str) -> None:
    dev.STAMP.write_text(content)
    assert not dev.is_set_up([])


def test_an_interpreter_that_does_not_run_has_no_version(checkout: Path) -> None:
    assert dev.environment_version(dev.environment_program("python")) == []
    assert dev.environment_version(Path(sys.executable)) == list(sys.version_info[:2])


@pytest.mark.parametrize(
    ("display", "address"),
    [
        (":0", ("", 0)),
        (":12.1", ("", 12)),
        ("localhost:10.0", ("localhost", 10)),
        ("unix:3", ("", 3)),
        ("", None),
        ("screen", None),
        (":x", None),
    ],
)
def test_a_display_name_is_taken_apart(display: str, address: tuple[str, int] | None) -> None:
    assert dev.x11_address(display) == address


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
class TestDisplay:
    def test_no_variable_means_no_display(self) -> None:
        assert "neither DISPLAY nor WAYLAND_DISPLAY" in dev.why_no_display({})

    def test_a_display_that_nobody_serves_is_none(self) -> None:
        assert "nothing answers" in dev.why_no_display({"DISPLAY": ":4711"})

    def test_a_wayland_socket_is_a_display(self, listening: Path) -> None:
        assert not dev.why_no_display({"WAYLAND_DISPLAY": listening.name, "XDG_RUNTIME_DIR": str(listening.parent)})

    def test_a_dead_wayland_socket_is_none(self, tmp_path: Path) -> None:
        assert dev.why_no_display({"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": str(tmp_path)})


def test_the_summary_names_what_failed_last() -> None:
    outcomes = [dev.Outcome("ruff", 0, 1.0), dev.Outcome("pytest", 1, 90.0)]
    lines = dev.summary(outcomes).splitlines()
    assert lines[-1] == "Failed: pytest."
    assert dev.summary(outcomes[:1]).endswith("All passed.")


def test_the_tests_come_last_and_check_takes_the_slow_ones_along() -> None:
    assert dev.planned_steps(slow=False)[-1].name == "pytest"
    assert "slow or not slow" in dev.planned_steps(slow=True)[-1].command
    assert "slow or not slow" not in dev.planned_steps(slow=False)[-1].command


def test_an_old_python_can_read_it_far_enough_to_say_that_it_is_too_old() -> None:
    ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_an_unknown_command_ends_in_one_line_of_help() -> None:
    done = subprocess.run([sys.executable, "dev.py", "dance"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "dance" in done.stderr
    assert "Traceback" not in done.stderr
