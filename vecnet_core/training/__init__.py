"""Training: what a run depends on, one update, and the run itself."""

from vecnet_core.training.config import TrainingConfig
from vecnet_core.training.run import TrainingStep, packed_scenes, train, validate
from vecnet_core.training.trainer import Trainer, saved_step, windows

__all__ = ["Trainer", "TrainingConfig", "TrainingStep", "packed_scenes", "saved_step", "train", "validate", "windows"]
