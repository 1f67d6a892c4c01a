"""Training: what a run depends on, what can be trained, one update, and the run itself."""

from vecnet_core.training.config import TrainingConfig
from vecnet_core.training.run import TrainingStep, packed_scenes, train
from vecnet_core.training.tasks import windows
from vecnet_core.training.trainer import Trainer, saved_step

__all__ = ["Trainer", "TrainingConfig", "TrainingStep", "packed_scenes", "saved_step", "train", "windows"]
