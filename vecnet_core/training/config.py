"""What a training run depends on, as a TOML file gives it and a checkpoint carries it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from vecnet_core.data.noise import NoiseConfig
from vecnet_core.data.synthesis import SynthesisConfig
from vecnet_core.errors import DataError
from vecnet_core.losses import LossWeights
from vecnet_core.network.detail import DetailConfig
from vecnet_core.network.vecnet import VECNetConfig

if TYPE_CHECKING:
    from pathlib import Path

PRECISIONS = ("float32", "bfloat16")
TASKS = ("correction", "detail")

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
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; ``cuda`` is one for each process that trains with others.
        precision: ``float32``, or ``bfloat16`` for the network in mixed precision (not for losses and weights).
        leg_minutes: End with a checkpoint after so long, to be gone on with; 0 for no such end.
        checkpoint_every: Steps between checkpoints, each validated and shown as a strip of pictures.
        validation_batches: Batches a validation takes.
        task: ``correction`` trains VECNet, ``detail`` the head that removes noise.
        network: Sizes and switches of the network.
        head: Sizes of the detail head.
        noise: How its pairs are made.
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
    precision: str = "float32"
    leg_minutes: float = 0.0
    checkpoint_every: int = 250
    validation_batches: int = 24
    task: str = "correction"
    head: DetailConfig = field(default_factory=DetailConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    network: VECNetConfig = field(default_factory=VECNetConfig)
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    losses: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        """Refuse what would fail hours later, or never train what was meant."""
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision {self.precision!r} is none of {', '.join(PRECISIONS)}")
        if self.task not in TASKS:
            raise ValueError(f"task {self.task!r} is none of {', '.join(TASKS)}")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a TOML file.

        Raises:
            DataError: It is missing, no TOML, or names a setting that does not exist.
        """
        values = read_toml(path, "training config")
        try:
            return fill(cls, values)
        except (TypeError, ValueError) as error:
            raise DataError(f"the training config does not fit ({error})", path=path) from error


def fill(kind: type[T], values: dict[str, Any]) -> T:
    """A dataclass from nested plain values, lists as tuples; unknown names are a TypeError of the constructor."""
    rooms: dict[str, type[Any]] = {
        "network": VECNetConfig,
        "synthesis": SynthesisConfig,
        "losses": LossWeights,
        "head": DetailConfig,
        "noise": NoiseConfig,
    }
    return kind(
        **{
            name: fill(rooms[name], value) if name in rooms and isinstance(value, dict) else as_tuple(value)
            for name, value in values.items()
        }
    )


def as_tuple(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(as_tuple(entry) for entry in value) if isinstance(value, list) else value


def changed(settings: T, changes: dict[str, Any]) -> T:
    """A dataclass with settings replaced by their dotted names, such as ``network.use_curve``.

    Raises:
        KeyError: There is no such setting.
    """
    for name, value in changes.items():
        room, _, rest = name.partition(".")
        if room not in {entry.name for entry in fields(settings)}:  # pyright: ignore[reportArgumentType]
            raise KeyError(f"no setting {name}")
        inner = getattr(settings, room)
        if rest and not is_dataclass(inner):
            raise KeyError(f"no setting {name}")
        new = changed(inner, {rest: value}) if rest else as_tuple(value)
        settings = replace(settings, **{room: new})  # pyright: ignore[reportArgumentType, reportCallIssue]
    return settings


def read_toml(path: Path, noun: str) -> dict[str, Any]:
    """The values of a TOML file; ``noun`` says in an error what it should be.

    Raises:
        DataError: It is missing or no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"this {noun} cannot be read", path=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"this is not valid TOML ({error})", path=path) from error
