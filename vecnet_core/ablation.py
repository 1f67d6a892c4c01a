"""What each part of the method earns: the same short training without it, scored beside the whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vecnet_core.errors import DataError
from vecnet_core.evaluation.clips import STEADY, find_scenes
from vecnet_core.evaluation.protocol import OURS, corrector_method, default_folders, evaluate, load_ours
from vecnet_core.training import TrainingConfig, train
from vecnet_core.training.config import changed, read_toml
from vecnet_core.video.parts import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

WHOLE = "everything"
"""Name of the row with every part."""

SCORES_NAME = "scores.json"
FRAMES_PER_CLIP = 6


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
            DataError: It is missing, no TOML, names a setting that does not exist, or names two runs alike.
        """
        values = read_toml(path, "study")
        unknown = set(values) - {"base", "common", "out", "seeds", "variants"}
        if unknown or not {"base", "out", "variants"} <= set(values):
            wrong = f"unknown: {', '.join(sorted(unknown))}" if unknown else "base, out and variants are needed"
            raise DataError(f"the study does not fit ({wrong})", path=path)
        try:
            base = TrainingConfig.load(path.parent / values["base"])
            base = changed(base, _flat(values.get("common", {})))
            variants = tuple(Variant(name, _flat(changes)) for name, changes in values["variants"].items())
            seeds = tuple(int(seed) for seed in values.get("seeds", (0,)))
            made = cls(base, variants, Path(values["out"]), seeds)
            folders = [run.config.out for run in made.runs()]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"the study does not fit ({error})", path=path) from error
        if len(set(folders)) < len(folders):
            raise DataError("two runs of the study have one name", path=path, hint="rename one of them")
        return made

    def runs(self) -> list[Run]:
        """Every training of the study; legs that end early would be scored half trained, so there are none."""
        runs = [Run(WHOLE, {"seed": seed}, replace(self.base, seed=seed)) for seed in self.seeds]
        for variant in self.variants:
            runs.append(
                Run(variant.name, variant.changes, changed(replace(self.base, seed=self.seeds[0]), variant.changes))
            )
        names = [f"{WHOLE}_{seed}" for seed in self.seeds] + [variant.name for variant in self.variants]
        return [
            replace(run, config=replace(run.config, leg_minutes=0.0, out=str(self.out / _slug(name))))
            for name, run in zip(names, runs, strict=True)
        ]


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

    Raises:
        DataError: There is nothing to score on, or a run is here that was made with other settings.
    """
    for folder in default_folders() if data is None else data:
        find_scenes(folder, FRAMES_PER_CLIP)
    runs = config.runs()
    for number, run in enumerate(runs):
        if finished(run) is not None:
            continue
        for step in train(run.config, resume=True):
            yield AblationStep(number, len(runs), run.name, step.step, run.config.steps)
        corrector = load_ours(Path(run.config.out) / "last.safetensors", run.config.device)
        result = evaluate(data, methods={OURS: corrector_method(corrector)}, frames_per_clip=FRAMES_PER_CLIP)
        told = {"name": run.name, "changes": run.changes, "config": asdict(run.config), **result}
        write_whole(Path(run.config.out) / SCORES_NAME, json.dumps(told).encode())


def finished(run: Run) -> dict[str, Any] | None:
    """What a run scored; None while it has not.

    Raises:
        DataError: It was made with other settings than the study has now.
    """
    path = Path(run.config.out) / SCORES_NAME
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["config"] != json.loads(json.dumps(asdict(run.config))):
        hint = "remove it, or give the study another out"
        raise DataError("this run was made with other settings", path=path.parent, hint=hint)
    return found


def format_ablation(config: AblationConfig) -> str:
    """The finished runs as a Markdown table: steady PSNR by subset, their mean, and flicker error where it flickers.

    Rows but the first tell the difference to the whole method, whose row shows the spread of its seeds.
    """
    rows: dict[str, list[dict[str, float]]] = {}
    changes: dict[str, dict[str, Any]] = {}
    for run in config.runs():
        result = finished(run)
        if result is not None:
            rows.setdefault(run.name, []).append(_figures(result["rows"]))
            changes[run.name] = run.changes
    if WHOLE not in rows:
        raise DataError("no run of the whole method is finished", path=config.out, hint="run the study first")
    columns = [column for column in rows[WHOLE][0] if all(column in row for each in rows.values() for row in each)]
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
    steady = {row["subset"]: row["psnr_db"] for row in rows if row["variant"] in STEADY}
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


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())
