"""Training: packed scenes to checkpoint, resumable to the bit, as a generator of steps."""

from __future__ import annotations

import csv
import logging
import subprocess
import time
import tomllib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vecnet_core.checkpoint import read_tensors, save_checkpoint, write_tensors
from vecnet_core.data.clips import INDEX_NAME, PackedScenes, pack
from vecnet_core.data.synthesis import Batch, SynthesisConfig, draw_batch
from vecnet_core.errors import CheckpointError, DataError, VecnetError
from vecnet_core.losses import LossWeights, all_losses, weighted_sum
from vecnet_core.network.vecnet import VECNet, VECNetConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

VALIDATION_SEED = 1_000_000
STATE_NAME = "state.safetensors"

T = TypeVar("T")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything a run depends on; a TOML file fills it, the checkpoint carries it.

    Attributes:
        train: Folders of well-exposed clips and photos.
        validate: Folders of other scenes, for choosing between checkpoints.
        packed: Folder for decoded frames.
        out: Folder for checkpoints and the loss log.
        steps: Length of the run.
        decay_steps: Last part of it, in which the learning rate falls to zero.
        warmup_steps: First part, in which it rises.
        learning_rate: In between.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient.
        ema: Decay of the averaged weights, which are the ones kept.
        seed: Of the weights and of every batch.
        threads: Of torch, on the CPU.
        workers: Processes that make batches; 0 makes them in this one.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        checkpoint_every: Steps between checkpoints, each validated.
        validation_batches: Batches a validation takes.
        network: Sizes and switches of the network.
        synthesis: How pairs are made.
        losses: Weights of the terms.
    """

    train: tuple[str, ...]
    validate: tuple[str, ...]
    packed: str = "work_data"
    out: str = "runs/vecnet"
    steps: int = 8000
    decay_steps: int = 2000
    warmup_steps: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    ema: float = 0.998
    seed: int = 0
    threads: int = 1
    workers: int = 1
    device: str = "cpu"
    checkpoint_every: int = 250
    validation_batches: int = 24
    network: VECNetConfig = field(default_factory=VECNetConfig)
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    losses: LossWeights = field(default_factory=LossWeights)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a TOML file.

        Raises:
            DataError: It is missing, no TOML, or names a setting that does not exist.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError("this training config cannot be read", path=path) from error
        except tomllib.TOMLDecodeError as error:
            raise DataError(f"this is not valid TOML ({error})", path=path) from error
        try:
            return fill(cls, values)
        except (TypeError, ValueError) as error:
            raise DataError(f"the training config does not fit ({error})", path=path) from error


def fill(kind: type[T], values: dict[str, Any]) -> T:
    """A dataclass from nested plain values, lists as tuples; unknown names are a TypeError of the constructor."""
    rooms: dict[str, type[Any]] = {"network": VECNetConfig, "synthesis": SynthesisConfig, "losses": LossWeights}
    return kind(
        **{
            name: fill(rooms[name], value) if name in rooms and isinstance(value, dict) else as_tuple(value)
            for name, value in values.items()
        }
    )


def as_tuple(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(as_tuple(entry) for entry in value) if isinstance(value, list) else value


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


class MadeBatches(Dataset[Batch]):
    """The batches of a run by step number."""

    def __init__(self, scenes: PackedScenes, config: SynthesisConfig, seed: int, start: int, stop: int) -> None:
        """Steps ``start`` to ``stop``."""
        self.scenes, self.config, self.seed, self.start, self.stop = scenes, config, seed, start, stop

    def __len__(self) -> int:
        """Number of batches left."""
        return self.stop - self.start

    def __getitem__(self, index: int) -> Batch:
        """The batch of step ``start + index``."""
        return draw_batch(self.scenes, self.config, self.seed, self.start + index)


class Trainer:
    """The network, its averaged twin and the optimiser; `step` is one update."""

    def __init__(self, config: TrainingConfig) -> None:
        """Start from the seed."""
        torch.manual_seed(config.seed)
        self.config = config
        self.device = torch.device(config.device)
        self.network = VECNet(config.network).to(self.device)
        self.averaged = VECNet(config.network).to(self.device)
        self.averaged.load_state_dict(self.network.state_dict())
        self.averaged.requires_grad_(requires_grad=False)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.done = 0

    def learning_rate(self, step: int) -> float:
        """Rise, stay, fall: a run can be lengthened at resume, since only its last part depends on its end."""
        config = self.config
        rise = min(1.0, (step + 1) / max(config.warmup_steps, 1))
        fall = min(1.0, (config.steps - step) / max(config.decay_steps, 1))
        return config.learning_rate * rise * max(fall, 0.0)

    def step(self, batch: Batch) -> tuple[float, dict[str, float]]:
        """One update; the loss and its terms."""
        window, good, count = windows(batch, self.config.network.window, self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.done)
        fields_, features = self.network.analyse_features(window)
        output = self.network.render(window[:, window.shape[1] // 2], fields_)
        with torch.no_grad():
            features_good = self.network.still_features(good)
        terms = all_losses(
            output,
            fields_,
            good,
            features_bad=features,
            features_good=features_good,
            windows_a_sequence=count,
            is_pair=batch.is_pair,
        )
        loss = weighted_sum(terms, self.config.losses)
        if not torch.isfinite(loss):
            raise VecnetError(f"the loss is not finite at step {self.done + 1}", hint="lower the learning rate")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_norm)
        self.optimiser.step()
        decay = min(self.config.ema, (1 + self.done) / (10 + self.done))
        with torch.no_grad():
            for mean, value in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        self.done += 1
        return loss.item(), {name: term.item() for name, term in terms.items()}

    def save(self, path: Path) -> None:
        """Everything a resumed run needs."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"averaged.{name}": value for name, value in self.averaged.state_dict().items()}
        names = [name for name, _ in self.network.named_parameters()]
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{names[index]}.{key}": value for key, value in state.items()}
        plain = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
        write_tensors(path, plain, {"step": str(self.done)})

    def load(self, path: Path) -> None:
        """Go on from `save`.

        Raises:
            CheckpointError: The state belongs to another network.
        """
        tensors, metadata = read_tensors(path)
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "averaged": {}, "optimiser": {}}
        for name, value in tensors.items():
            room, _, rest = name.partition(".")
            parts[room][rest] = value
        try:
            self.network.load_state_dict(parts["network"])
            self.averaged.load_state_dict(parts["averaged"])
            state = self.optimiser.state_dict()
            names = [name for name, _ in self.network.named_parameters()]
            state["state"] = {
                index: {key: parts["optimiser"][f"{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
                for index, name in enumerate(names)
                if f"{name}.step" in parts["optimiser"]
            }
            self.optimiser.load_state_dict(state)
            self.done = int(metadata["step"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError("this training state belongs to another network", path=path) from error


def windows(batch: Batch, count: int, device: torch.device) -> tuple[Tensor, Tensor, int]:
    """All windows of a batch ``(S * K, N, 3, h, w)`` (N is 1 for stills), references ``(S * K, 3, h, w)``, and K."""
    bad, good = torch.from_numpy(batch.bad).to(device), torch.from_numpy(batch.good).to(device)
    count = min(count, bad.shape[1])
    starts = range(bad.shape[1] - count + 1)
    window = torch.stack([bad[:, start : start + count] for start in starts], dim=1).flatten(0, 1)
    reference = torch.stack([good[:, start + count // 2] for start in starts], dim=1).flatten(0, 1)
    return window, reference, len(starts)


@torch.no_grad()
def validate(network: VECNet, scenes: PackedScenes, config: TrainingConfig) -> dict[str, float]:
    """Mean PSNR in dB of made pairs from unseen scenes: too dark, too bright, near right, and their mean."""
    kinds: dict[str, list[float]] = {"dark": [], "bright": [], "right": []}
    device = next(network.parameters()).device
    as_filmed = replace(config.synthesis, collage_share=0.0, graded_share=0.0, flat_share=0.0)
    for number in range(config.validation_batches):
        batch = draw_batch(scenes, as_filmed, VALIDATION_SEED, number)
        window, good, count = windows(batch, config.network.window, device)
        error = (network(window).corrected.clamp(0, 1) - good).square().mean((1, 2, 3))
        psnr = (-10 * torch.log10(error.clamp(min=1e-8))).cpu().numpy()
        for ev, value in zip(np.repeat(batch.exposure_ev, count), psnr, strict=True):
            kind = "dark" if ev < -0.3 else "bright" if ev > 0.3 else "right"
            kinds[kind].append(float(value))
    means = {kind: float(np.mean(values)) for kind, values in kinds.items() if values}
    return means | {"mean": float(np.mean(list(means.values())))}


def packed_scenes(config: TrainingConfig) -> tuple[PackedScenes, PackedScenes]:
    """Training and validation scenes, decoded on first use."""
    made: list[PackedScenes] = []
    for name, sources in (("train", config.train), ("val", config.validate)):
        folder = Path(config.packed) / name
        if not (folder / INDEX_NAME).is_file():
            for scene in pack([Path(source) for source in sources], folder):
                logger.info("packed %s (%d frames)", scene.name, scene.frames)
        made.append(PackedScenes(folder))
    return made[0], made[1]


def first(batch: list[Batch]) -> Batch:
    """The one item of a loader's list: a batch is made whole, not collated."""
    return batch[0]


def commit() -> str:
    """The commit the code is at, or ``unknown`` outside a checkout."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def train(config: TrainingConfig, *, resume: bool = False) -> Iterator[TrainingStep]:
    """Run the training.

    Args:
        config: What to train.
        resume: Go on from the state in ``config.out``, if there is one; without it an earlier run is never replaced.

    Yields:
        Every step. Closing the generator ends the run; the last checkpoint stays. ``config.out`` gets
        ``state.safetensors`` (to resume), ``last.safetensors`` and ``best.safetensors`` (to use), and ``loss.csv``.

    Raises:
        DataError: There is a run in ``config.out``, and ``resume`` was not asked for.
    """
    out = Path(config.out)
    state = out / STATE_NAME
    if state.is_file() and not resume:
        raise DataError("a run is here already", path=out, hint="add --resume to go on with it, or choose another out")
    torch.set_num_threads(config.threads)
    train_scenes, val_scenes = packed_scenes(config)
    out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config)
    if state.is_file():
        trainer.load(state)
    best = best_so_far(out / "loss.csv", trainer.done)
    dataset = MadeBatches(train_scenes, config.synthesis, config.seed, trainer.done, config.steps)
    loader = DataLoader(
        dataset,
        batch_size=1,
        collate_fn=first,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        multiprocessing_context="spawn" if config.workers else None,
    )
    for batch in loader:
        begun = time.perf_counter()
        loss, terms = trainer.step(batch)
        validation = None
        if trainer.done % config.checkpoint_every == 0 or trainer.done == config.steps:
            validation = validate(trainer.averaged, val_scenes, config)
            provenance = {
                "step": trainer.done,
                "validation_psnr_db": validation,
                "commit": commit(),
                "config": asdict(config),
                "data": [scene.name for scene in train_scenes.scenes],
            }
            trainer.save(state)
            save_checkpoint(out / "last.safetensors", trainer.averaged, provenance)
            if validation["mean"] > best:
                best = validation["mean"]
                save_checkpoint(out / "best.safetensors", trainer.averaged, provenance)
        step = TrainingStep(trainer.done, loss, terms, time.perf_counter() - begun, validation)
        append_log(out / "loss.csv", step)
        yield step


def append_log(path: Path, step: TrainingStep) -> None:
    """Add one line to the loss log."""
    row: dict[str, float | str] = {"step": step.step, "loss": round(step.loss, 6)}
    row |= {name: round(value, 6) for name, value in step.terms.items()}
    kinds = ("dark", "bright", "right", "mean")
    row |= {f"val_{kind}_db": round(step.validation.get(kind, 0.0), 3) if step.validation else "" for kind in kinds}
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if is_new:
            writer.writeheader()
        writer.writerow(row)


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
