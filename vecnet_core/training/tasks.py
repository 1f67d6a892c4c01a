"""What can be trained, the correction and the detail head: each draws its batches, has its losses, and is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from vecnet_core.data.noise import NoisyBatch, draw_noisy_batch
from vecnet_core.data.synthesis import Batch, draw_batch
from vecnet_core.losses import all_losses, charbonnier, ssim, weighted_sum
from vecnet_core.network.detail import DetailHead
from vecnet_core.network.vecnet import Fields, VECNet
from vecnet_core.training.config import TrainingConfig

if TYPE_CHECKING:
    from vecnet_core.data.clips import PackedScenes

VALIDATION_SEED = 1_000_000
STRIP_SEED = 2_000_000

Network = TypeVar("Network", bound=nn.Module)
Made = TypeVar("Made")


class Task(Protocol[Network, Made]):
    """One kind of training."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the validation figures; ``mean``, the last, chooses between checkpoints."""
        ...

    def build(self) -> Network:
        """A network with fresh weights."""
        ...

    def draw(self, scenes: PackedScenes, seed: int, step: int, *, part: int = 0, parts: int = 1) -> Made:
        """One process's share of the batch of a step."""
        ...

    def losses(self, network: Network, batch: Made, device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
        """The objective, and its terms by name, unweighted."""
        ...

    def validate(self, network: Network, scenes: PackedScenes) -> dict[str, float]:
        """PSNR in dB on unseen scenes, by `kinds`."""
        ...

    def columns(self, network: Network, scenes: PackedScenes, number: int) -> list[Tensor]:
        """Pictures ``(B, 3, h, w)`` of batch ``number`` for a strip, left to right."""
        ...


@dataclass(frozen=True)
class CorrectionTask:
    """VECNet: badly exposed windows to corrected frames."""

    config: TrainingConfig
    kinds: tuple[str, ...] = ("dark", "bright", "right", "mean")

    def build(self) -> VECNet:
        """A network with fresh weights."""
        return VECNet(self.config.network)

    def draw(self, scenes: PackedScenes, seed: int, step: int, *, part: int = 0, parts: int = 1) -> Batch:
        """See `synthesis.draw_batch`."""
        return draw_batch(scenes, self.config.synthesis, seed, step, part=part, parts=parts)

    def losses(self, network: VECNet, batch: Batch, device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
        """See `losses.all_losses`."""
        window, good, count = windows(batch, self.config.network.window, device)
        is_mixed = self.config.precision == "bfloat16"
        with torch.autocast(device.type, torch.bfloat16, enabled=is_mixed):
            fields, features = network.analyse_features(window)
            with torch.no_grad():
                features_good = network.still_features(good)
        if is_mixed:
            fields = Fields(**{name: value.float() for name, value in vars(fields).items()})
            features, features_good = features.float(), features_good.float()
        terms = all_losses(
            network.render(window[:, window.shape[1] // 2], fields),
            fields,
            good,
            features_bad=features,
            features_good=features_good,
            windows_a_sequence=count,
            is_pair=batch.is_pair,
        )
        return weighted_sum(terms, self.config.losses), terms

    def validate(self, network: VECNet, scenes: PackedScenes) -> dict[str, float]:
        """Frames too dark, too bright, near right (those of mixed light among them), and the mean of the three."""
        figures: dict[str, list[float]] = {kind: [] for kind in self.kinds[:-1]}
        device = next(network.parameters()).device
        as_filmed = replace(
            self.config.synthesis,
            collage_share=0.0,
            graded_share=0.0,
            flat_share=0.0,
            low_key_share=0.0,
            misaligned_px=0.0,
        )
        for number in range(self.config.validation_batches):
            batch = draw_batch(scenes, as_filmed, VALIDATION_SEED, number)
            window, good, count = windows(batch, self.config.network.window, device)
            found = psnr_db(network(window).corrected, good)
            for ev, value in zip(np.repeat(batch.exposure_ev, count), found, strict=True):
                figures["dark" if ev < -0.3 else "bright" if ev > 0.3 else "right"].append(value)
        means = {kind: float(np.mean(values)) for kind, values in figures.items() if values}
        return means | {"mean": float(np.mean(list(means.values())))}

    def columns(self, network: VECNet, scenes: PackedScenes, number: int) -> list[Tensor]:
        """Input, both illuminations, the three candidates, the result and the reference."""
        batch = draw_batch(scenes, self.config.synthesis, STRIP_SEED, number)
        window, good, _ = windows(batch, self.config.network.window, next(network.parameters()).device)
        output = network(window)
        return [
            window[:, window.shape[1] // 2],
            output.illumination_under,
            output.illumination_over,
            output.brightened,
            output.darkened,
            output.synthesised,
            output.corrected,
            good,
        ]


@dataclass(frozen=True)
class DetailTask:
    """The detail head: noisy corrected frames to clean ones."""

    config: TrainingConfig
    kinds: tuple[str, ...] = ("noisy", "mean")

    def build(self) -> DetailHead:
        """A head with fresh weights."""
        return DetailHead(self.config.head)

    def draw(self, scenes: PackedScenes, seed: int, step: int, *, part: int = 0, parts: int = 1) -> NoisyBatch:
        """See `noise.draw_noisy_batch`."""
        return draw_noisy_batch(scenes, self.config.noise, seed, step, part=part, parts=parts)

    def losses(self, network: DetailHead, batch: NoisyBatch, device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
        """Distance to the clean frame, per pixel, in structure, and by its logarithm.

        The last is a crop's PSNR: without it the noisy ones decide alone, and a clean picture comes out softer.
        """
        corrected, source, good = noisy(batch, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.config.precision == "bfloat16"):
            residual = network(corrected, source)
        clean = corrected[:, 1] + residual.float()
        terms = {
            "reconstruction": charbonnier(clean, good).mean(),
            "structure": 1 - ssim(clean, good),
            "fidelity": ((clean - good).square().mean((1, 2, 3)) + 1e-5).log().mean(),
        }
        return terms["reconstruction"] + 0.1 * terms["structure"] + 0.02 * terms["fidelity"], terms

    def validate(self, network: DetailHead, scenes: PackedScenes) -> dict[str, float]:
        """Noisy frames as they come in, and as they come out."""
        all_noisy = replace(self.config.noise, clean_share=0.0)
        before: list[float] = []
        after: list[float] = []
        device = next(network.parameters()).device
        for number in range(self.config.validation_batches):
            batch = draw_noisy_batch(scenes, all_noisy, VALIDATION_SEED, number)
            corrected, source, good = noisy(batch, device)
            before += psnr_db(corrected[:, 1], good)
            after += psnr_db(corrected[:, 1] + network(corrected, source), good)
        return {"noisy": float(np.mean(before)), "mean": float(np.mean(after))}

    def columns(self, network: DetailHead, scenes: PackedScenes, number: int) -> list[Tensor]:
        """Source, noisy, result, what was taken away (four times, about grey), and the reference."""
        batch = draw_noisy_batch(scenes, self.config.noise, STRIP_SEED, number)
        corrected, source, good = noisy(batch, next(network.parameters()).device)
        residual = network(corrected, source)
        return [source, corrected[:, 1], corrected[:, 1] + residual, 0.5 - 4 * residual, good]


def task_of(config: TrainingConfig) -> Task[Any, Any]:
    """The task a config names."""
    return DetailTask(config) if config.task == "detail" else CorrectionTask(config)


def windows(batch: Batch, count: int, device: torch.device) -> tuple[Tensor, Tensor, int]:
    """All windows of a batch ``(S * K, N, 3, h, w)`` (N is 1 for stills), references ``(S * K, 3, h, w)``, and K."""
    bad, good = torch.from_numpy(batch.bad).to(device), torch.from_numpy(batch.good).to(device)
    count = min(count, bad.shape[1])
    starts = range(bad.shape[1] - count + 1)
    window = torch.stack([bad[:, start : start + count] for start in starts], dim=1).flatten(0, 1)
    reference = torch.stack([good[:, start + count // 2] for start in starts], dim=1).flatten(0, 1)
    return window, reference, len(starts)


def noisy(batch: NoisyBatch, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Corrected frames, source and reference of a batch."""
    corrected, source, good = (
        torch.from_numpy(array).to(device) for array in (batch.corrected, batch.source, batch.good)
    )
    return corrected, source, good


def psnr_db(pictures: Tensor, good: Tensor) -> list[float]:
    """Of each picture ``(B, 3, h, w)``, clamped to [0, 1]."""
    error = (pictures.clamp(0, 1) - good).square().mean((1, 2, 3))
    return (-10 * torch.log10(error.clamp(min=1e-8))).tolist()
