"""A training run: packed scenes to checkpoint, resumable to the bit, as a generator of steps."""

from __future__ import annotations

import csv
import logging
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset

from vecnet_core.checkpoint import save_checkpoint
from vecnet_core.data.clips import INDEX_NAME, PackedScenes, pack
from vecnet_core.errors import DataError
from vecnet_core.training.processes import Processes, local_device
from vecnet_core.training.strips import write_strip
from vecnet_core.training.tasks import task_of
from vecnet_core.training.trainer import Trainer, saved_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecnet_core.training.config import TrainingConfig

logger = logging.getLogger(__name__)

LOG_NAME, LAST_NAME = "loss.csv", "last.safetensors"
LOG_DIGITS = 3


@dataclass(frozen=True)
class TrainingStep:
    """What one step did.

    Attributes:
        step: Steps done, from 1.
        loss: The weighted sum.
        terms: Every loss by name, unweighted.
        seconds: Wall time of the step.
        validation: PSNR in dB by kind of clip, where this step was validated.
    """

    step: int
    loss: float
    terms: dict[str, float]
    seconds: float
    validation: dict[str, float] | None = None


class MadeBatches(Dataset[Any]):
    """The batches of a run by step number."""

    def __init__(self, scenes: PackedScenes, config: TrainingConfig, start: int, processes: Processes) -> None:
        """From step ``start`` on, one process's share of each."""
        self.scenes, self.config, self.start, self.processes = scenes, config, start, processes
        self.task = task_of(config)

    def __len__(self) -> int:
        """Number of batches left."""
        return self.config.steps - self.start

    def __getitem__(self, index: int) -> Any:
        """The batch of step ``start + index``."""
        place = {"part": self.processes.rank, "parts": self.processes.count}
        return self.task.draw(self.scenes, self.config.seed, self.start + index, **place)


def packed_scenes(config: TrainingConfig) -> tuple[PackedScenes, PackedScenes]:
    """Training and validation scenes, decoded on first use."""
    made: list[PackedScenes] = []
    for name, sources in (("train", config.train), ("val", config.validate)):
        folder = Path(config.packed) / name
        if not (folder / INDEX_NAME).is_file():
            for scene in pack([Path(source) for source in sources], folder, split="test" if name == "val" else "train"):
                logger.info("packed %s (%d frames)", scene.name, scene.frames)
        made.append(PackedScenes(folder))
    return made[0], made[1]


def _first(batch: list[Any]) -> Any:
    """The one item of a loader's list: a batch is made whole, not collated."""
    return batch[0]


def commit() -> str:
    """The commit the code is at, or ``unknown`` outside a checkout."""
    command, here = ["git", "rev-parse", "--short", "HEAD"], Path(__file__).parent
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=here).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def train(config: TrainingConfig, *, resume: bool = False) -> Iterator[TrainingStep]:
    """Run the training; started by ``torchrun``, as one of several processes.

    All of them see the same ``config.out`` and ``config.packed``, also those on other machines.

    Args:
        config: What to train.
        resume: Go on from the state in ``config.out``, if there is one; without it an earlier run is never replaced.

    Yields:
        Every step. Closing the generator ends the run; the last checkpoint stays. ``config.out`` gets the state to
        resume from, ``last.safetensors`` and ``best.safetensors`` (to use), ``loss.csv``, and ``strips`` of pictures.

    Raises:
        DataError: There is a run in ``config.out``, and ``resume`` was not asked for; or the processes do not see the
            same run.
    """
    out = Path(config.out)
    saved = saved_step(out)
    if saved is not None and not resume:
        raise DataError("a run is here already", path=out, hint="add --resume to go on with it, or choose another out")
    if saved is None and (out / LAST_NAME).exists():
        hint = "choose another out, or remove what is there"
        raise DataError("a run is here whose state is gone", path=out, hint=hint)
    if saved is not None and saved > config.steps:
        raise DataError(
            f"the run here has {saved} steps done already, of {config.steps}", path=out, hint="ask for more"
        )
    torch.set_num_threads(config.threads)
    processes = Processes.join(local_device(config.device))
    try:
        yield from _run(config, out, processes)
    finally:
        processes.leave()


def _run(config: TrainingConfig, out: Path, processes: Processes) -> Iterator[TrainingStep]:
    begun = time.monotonic()
    if processes.is_first:
        packed_scenes(config)
        out.mkdir(parents=True, exist_ok=True)
    processes.wait()
    train_scenes, val_scenes = packed_scenes(config)
    trainer = Trainer(config, processes)
    if saved_step(out) is not None:
        trainer.load(out)
    if not processes.is_alike(trainer.done, trainer.device):
        raise DataError("the processes do not see the same run", path=out, hint="give them a folder they share")
    best = best_so_far(out / LOG_NAME, trainer.done) if processes.is_first else 0.0
    loader = DataLoader(
        MadeBatches(train_scenes, config, trainer.done, processes),
        batch_size=1,
        collate_fn=_first,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        multiprocessing_context="spawn" if config.workers else None,
    )
    for batch in loader:
        started = time.perf_counter()
        loss, terms = trainer.step(batch)
        is_late = config.leg_minutes > 0 and time.monotonic() - begun > 60 * config.leg_minutes
        is_end = processes.agree(is_late or trainer.done == config.steps, trainer.device)
        validation = None
        if processes.is_first and (is_end or trainer.done % config.checkpoint_every == 0):
            validation = _checkpoint(trainer, out, train_scenes, val_scenes, best)
            best = max(best, round(validation["mean"], LOG_DIGITS))
        step = TrainingStep(trainer.done, loss, terms, time.perf_counter() - started, validation)
        if processes.is_first:
            append_log(out / LOG_NAME, step, trainer.task.kinds)
            if validation is not None:
                # Last of all: a run that is cut off in a checkpoint makes it again, log line and all.
                trainer.save(out)
        yield step
        if is_end:
            return


def _checkpoint(
    trainer: Trainer, out: Path, train_scenes: PackedScenes, val_scenes: PackedScenes, best: float
) -> dict[str, float]:
    """Validate the averaged weights and save everything; their PSNR."""
    config = trainer.config
    with torch.no_grad():
        validation = trainer.task.validate(trainer.averaged, val_scenes)
        write_strip(out / "strips" / f"{trainer.done:07d}.jpg", trainer.task, trainer.averaged, val_scenes)
    provenance = {
        "step": trainer.done,
        "validation_psnr_db": validation,
        "commit": commit(),
        "config": asdict(config),
        "data": train_scenes.names,
    }
    save_checkpoint(out / LAST_NAME, trainer.averaged, provenance)
    if round(validation["mean"], LOG_DIGITS) > best:
        save_checkpoint(out / "best.safetensors", trainer.averaged, provenance)
    return validation


def append_log(path: Path, step: TrainingStep, kinds: tuple[str, ...]) -> None:
    """Add one line to the loss log; validation figures are of ``kinds``."""
    row: dict[str, float | str] = {"step": step.step, "loss": round(step.loss, 6)}
    row |= {name: round(value, 6) for name, value in step.terms.items()}
    row |= {f"val_{kind}_db": _logged(step.validation, kind) for kind in kinds}
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def _logged(validation: dict[str, float] | None, kind: str) -> float | str:
    """A validation figure as the log has it; empty where there is none."""
    return "" if validation is None or kind not in validation else round(validation[kind], LOG_DIGITS)


def best_so_far(path: Path, done: int) -> float:
    """The best validation of a run up to step ``done``, from its log, which is cut there."""
    if done == 0:
        path.unlink(missing_ok=True)
    if not path.exists():
        return float("-inf")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = list(reader.fieldnames or [])
        rows = [row for row in reader if int(row["step"]) <= done]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=names)
        writer.writeheader()
        writer.writerows(rows)
    return max((float(row["val_mean_db"]) for row in rows if row["val_mean_db"]), default=float("-inf"))
