"""The network, its averaged twin and the optimiser: one update, and the state to go on from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from vecnet_core.checkpoint import read_tensors, write_tensors
from vecnet_core.errors import CheckpointError, VecnetError
from vecnet_core.training.processes import Processes, local_device
from vecnet_core.training.tasks import task_of

if TYPE_CHECKING:
    from pathlib import Path

    from vecnet_core.training.config import TrainingConfig


class Trainer:
    """The network, its averaged twin and the optimiser; `step` is one update."""

    def __init__(self, config: TrainingConfig, processes: Processes | None = None) -> None:
        """Start from the seed; with others, where there are."""
        torch.manual_seed(config.seed)
        self.config = config
        self.processes = processes or Processes()
        self.device = local_device(config.device)
        self.task = task_of(config)
        self.network = self.task.build().to(self.device)
        self.averaged = self.task.build().to(self.device)
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

    def step(self, batch: Any) -> tuple[float, dict[str, float]]:
        """One update with this process's share of a batch; the loss and its terms over all of it.

        Raises:
            VecnetError: The loss is not finite.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.done)
        loss, terms = self.task.losses(self.network, batch, self.device)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        figures = torch.stack((loss, *terms.values())).detach()
        self.processes.average(
            [figures, *(value.grad for value in self.network.parameters() if value.grad is not None)]
        )
        total, *values = figures.tolist()
        if not math.isfinite(total):
            raise VecnetError(f"the loss is not finite at step {self.done + 1}", hint="lower the learning rate")
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_norm)
        self.optimiser.step()
        decay = min(self.config.ema, (1 + self.done) / (10 + self.done))
        with torch.no_grad():
            for mean, value in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        self.done += 1
        return total, dict(zip(terms, values, strict=True))

    def save(self, folder: Path) -> None:
        """Everything a resumed run needs, in two files, which keeps each of them small; older ones are removed."""
        weights = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        weights |= {f"averaged.{name}": value for name, value in self.averaged.state_dict().items()}
        names = [name for name, _ in self.network.named_parameters()]
        moments = {
            f"{names[index]}.{key}": value
            for index, state in self.optimiser.state_dict()["state"].items()
            for key, value in state.items()
        }
        for kind, tensors in (("state", weights), ("optimiser", moments)):
            plain = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
            write_tensors(folder / f"{kind}_{self.done:07d}.safetensors", plain, {"step": str(self.done)})
        for step in _steps(folder, "state") | _steps(folder, "optimiser"):
            if step != self.done:
                for kind in ("state", "optimiser"):
                    (folder / f"{kind}_{step:07d}.safetensors").unlink(missing_ok=True)

    def load(self, folder: Path) -> None:
        """Go on from the last `save`.

        Raises:
            CheckpointError: There is none, or it belongs to another network.
        """
        step = saved_step(folder)
        if step is None:
            raise CheckpointError("there is no training state here", path=folder)
        path = folder / f"state_{step:07d}.safetensors"
        tensors, _ = read_tensors(path)
        moments, _ = read_tensors(folder / f"optimiser_{step:07d}.safetensors")
        try:
            for part, network in (("network.", self.network), ("averaged.", self.averaged)):
                network.load_state_dict(
                    {name.removeprefix(part): value for name, value in tensors.items() if name.startswith(part)}
                )
            state = self.optimiser.state_dict()
            names = [name for name, _ in self.network.named_parameters()]
            state["state"] = {
                index: {key: moments[f"{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
                for index, name in enumerate(names)
                if f"{name}.step" in moments
            }
            self.optimiser.load_state_dict(state)
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError("this training state belongs to another network", path=path) from error
        self.done = step


def saved_step(folder: Path) -> int | None:
    """The step of the last whole state in a folder, or None."""
    return max(_steps(folder, "state") & _steps(folder, "optimiser"), default=None)


def _steps(folder: Path, kind: str) -> set[int]:
    found = (path.stem.removeprefix(f"{kind}_") for path in folder.glob(f"{kind}_*.safetensors"))
    return {int(step) for step in found if step.isdigit()}
