"""What each part of the method earns: the same short training without it, scored beside the whole."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from vecnet_core.errors import DataError
from vecnet_core.evaluation.protocol import OURS, corrector_method, evaluate, load_ours
from vecnet_core.training import TrainingConfig, train

if TYPE_CHECKING:
    from collections.abc import Iterator

WHOLE = "everything"
"""Name of the row with every part."""

SCORES_NAME = "scores.json"
FRAMES_PER_CLIP = 6

T = TypeVar("T")


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        name: What is left out, in words.
        changes: Settings that differ from the base, by their dotted names: ``{"network.use_curve": False}``.
    """

    name: str
    changes: dict[str, Any]


@dataclass(frozen=True)
class AblationConfig:
    """A whole study; a TOML file fills it.

    Attributes:
        base: Training config of the whole method, with the study's ``common`` settings and its length.
        variants: What is changed, in the order of the table.
        out: Folder; each run has one of its own there.
        seeds: Of the runs of the whole method, whose spread says what a difference is worth; variants take the first.
    """

    base: TrainingConfig
    variants: tuple[Variant, ...]
    out: Path
    seeds: tuple[int, ...]

    @classmethod
    def load(cls, path: Path) -> AblationConfig:
        """Read a TOML file; ``base`` names a training config beside it, ``common`` what differs from it in all runs.

        Raises:
            DataError: It is missing, no TOML, or names a setting that does not exist.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError("this study cannot be read", path=path) from error
        except tomllib.TOMLDecodeError as error:
            raise DataError(f"this is not valid TOML ({error})", path=path) from error
        unknown = set(values) - {"base", "common", "out", "seeds", "variants"}
        if unknown or not {"base", "out", "variants"} <= set(values):
            wrong = f"unknown: {', '.join(sorted(unknown))}" if unknown else "base, out and variants are needed"
            raise DataError(f"the study does not fit ({wrong})", path=path)
        base = TrainingConfig.load(path.parent / values["base"])
        variants = tuple(Variant(name, _flat(changes)) for name, changes in values["variants"].items())
        for variant in (Variant("common", _flat(values.get("common", {}))), *variants):
            try:
                changed = _changed(base, variant.changes)
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{variant.name!r} does not fit ({error})", path=path) from error
            base = changed if variant.name == "common" else base
        seeds = tuple(int(seed) for seed in values.get("seeds", (0,)))
        # A leg that ends early would be scored half trained.
        return cls(replace(base, leg_minutes=0.0), variants, Path(values["out"]), seeds)

    def runs(self) -> list[Run]:
        """Every training of the study."""
        runs = [
            Run(WHOLE, {"seed": seed}, replace(self.base, seed=seed, out=str(self.out / f"{_slug(WHOLE)}_{seed}")))
            for seed in self.seeds
        ]
        for variant in self.variants:
            changed = replace(_changed(self.base, variant.changes), seed=self.seeds[0])
            runs.append(Run(variant.name, variant.changes, replace(changed, out=str(self.out / _slug(variant.name)))))
        return runs


@dataclass(frozen=True)
class Run:
    """One training of a study."""

    name: str
    changes: dict[str, Any]
    config: TrainingConfig


@dataclass(frozen=True)
class AblationStep:
    """Where a study stands.

    Attributes:
        run: Number of the run, from 0.
        runs: Their number.
        name: What the run leaves out.
        step: Training steps of the run that are done.
        steps: Their number.
    """

    run: int
    runs: int
    name: str
    step: int
    steps: int


def ablate(config: AblationConfig, data: list[Path] | None = None) -> Iterator[AblationStep]:
    """Train and score all runs; what an earlier call finished is kept, an unfinished training goes on.

    Args:
        config: The study.
        data: Folders of test clips; by default those of `evaluation.evaluate`.

    Yields:
        Every training step. Each run's folder gets `SCORES_NAME` once it has been scored.
    """
    runs = config.runs()
    for number, run in enumerate(runs):
        scores = Path(run.config.out) / SCORES_NAME
        if scores.is_file():
            continue
        for step in train(run.config, resume=True):
            yield AblationStep(number, len(runs), run.name, step.step, run.config.steps)
        corrector = load_ours(Path(run.config.out) / "last.safetensors", run.config.device)
        result = evaluate(data, methods={OURS: corrector_method(corrector)}, frames_per_clip=FRAMES_PER_CLIP)
        part = scores.with_suffix(".part")
        part.write_text(
            json.dumps({"name": run.name, "changes": run.changes, "config": asdict(run.config), **result}),
            encoding="utf-8",
        )
        part.replace(scores)


def format_ablation(config: AblationConfig) -> str:
    """The finished runs as a Markdown table: steady PSNR by subset, their mean, and flicker error where it flickers.

    Rows but the first tell the difference to the whole method, whose row shows the spread of its seeds.
    """
    rows: dict[str, list[dict[str, float]]] = {}
    changes: dict[str, dict[str, Any]] = {}
    for run in config.runs():
        path = Path(run.config.out) / SCORES_NAME
        if path.is_file():
            rows.setdefault(run.name, []).append(_figures(json.loads(path.read_text(encoding="utf-8"))["rows"]))
            changes[run.name] = run.changes
    if WHOLE not in rows:
        raise DataError("no run of the whole method is finished", path=config.out, hint="run the study first")
    columns = list(rows[WHOLE][0])
    means = {column: float(np.mean([row[column] for row in rows[WHOLE]])) for column in columns}
    spans = {column: float(np.ptp([row[column] for row in rows[WHOLE]])) for column in columns}
    lines = [
        "| | " + " | ".join(column.replace("_", " ") for column in columns) + " | setting |",
        "|---" * (len(columns) + 2) + "|",
        f"| **{WHOLE}** | " + " | ".join(_figure(column, means[column]) for column in columns) + " | |",
    ]
    if len(rows[WHOLE]) > 1:
        spread = " | ".join(_figure(column, spans[column]) for column in columns)
        lines.append(f"| spread of {len(rows[WHOLE])} seeds | {spread} | |")
    for name, (row, *_) in rows.items():
        if name != WHOLE:
            parts = " | ".join(_figure(column, row[column] - means[column], signed=True) for column in columns)
            setting = ", ".join(f"`{key} = {json.dumps(value)}`" for key, value in changes[name].items())
            lines.append(f"| {name} | {parts} | {setting} |")
    return "\n".join(lines) + "\n"


def _figures(rows: list[dict[str, Any]]) -> dict[str, float]:
    steady = {row["subset"]: row["psnr_db"] for row in rows if row["variant"] not in {"drift", "flicker", "step"}}
    flicker = [row["flicker_error_stops"] for row in rows if row["variant"] == "flicker"]
    figures = {**steady, "mean": float(np.mean(list(steady.values())))}
    return figures | ({"flicker_error": float(np.mean(flicker))} if flicker else {})


def _figure(column: str, value: float, *, signed: bool = False) -> str:
    digits = 3 if column == "flicker_error" else 2
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables by dotted names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _changed(settings: T, changes: dict[str, Any]) -> T:
    """A dataclass with settings replaced by their dotted names; an unknown name is a KeyError."""
    for name, value in changes.items():
        room, _, rest = name.partition(".")
        known = {field.name for field in fields(settings)}  # pyright: ignore[reportArgumentType]
        if room not in known:
            raise KeyError(f"no setting {name}")
        inner = getattr(settings, room)
        if rest and not is_dataclass(inner):
            raise KeyError(f"no setting {name}")
        new = _changed(inner, {rest: value}) if rest else value
        settings = replace(settings, **{room: new})  # pyright: ignore[reportArgumentType, reportCallIssue]
    return settings


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())
