"""Corrector: the trained network on one device, handing out analyses as plain arrays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from vecnet_core.checkpoint import Checkpoint, load_checkpoint, load_detail
from vecnet_core.correction.analysis import Analysis, analysis_size
from vecnet_core.correction.compose import CorrectionMaps, compose, compose_maps, relight
from vecnet_core.correction.detail import Denoiser
from vecnet_core.correction.stabilise import block_light, light_step, steady_gains
from vecnet_core.correction.windows import window_indices
from vecnet_core.device import Device, choose_device
from vecnet_core.errors import InputError
from vecnet_core.resources import resource
from vecnet_core.settings import CorrectionSettings

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray
    from vecnet_core.network.vecnet import Fields

WEIGHTS = "weights/vecnet.safetensors"
DETAIL_WEIGHTS = "weights/detail.safetensors"
Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], npt.NDArray[np.uint16], npt.NDArray[np.float32])


class Corrector:
    """Owns the network; `analyse_batch` is the slow step, `compose` the fast one (which needs no network).

    Attributes:
        device: Where the network runs.
        device_label: The same for people.
        model_hash: Names the weights in caches.
        checkpoint: Weights and provenance.
    """

    def __init__(self, checkpoint: Checkpoint, device: Device) -> None:
        """Move the network to the device."""
        self.checkpoint = checkpoint
        self.device = device
        self.device_label = device.label
        self.model_hash = checkpoint.model_hash
        self._torch_device = device.torch()
        self._network = checkpoint.network.to(self._torch_device)
        self._denoiser: Denoiser | None = None

    @property
    def window(self) -> int:
        """Frames seen at once."""
        return self._network.config.window

    def analysis_size(self, height: int, width: int) -> tuple[int, int]:
        """Size (height, width) at which frames of that size are analysed."""
        return analysis_size(height, width, self._network.config.analysis_short_side)

    @property
    def denoiser(self) -> Denoiser:
        """The detail head beside the network, loaded when it is first wanted.

        Raises:
            CheckpointError: Its weights are missing or damaged.
        """
        if self._denoiser is None:
            self._denoiser = Denoiser(load_detail(resource(DETAIL_WEIGHTS)), self._torch_device)
        return self._denoiser

    def analyse(self, frames: RGBArray) -> Analysis:
        """Fields of the centre frame of one window ``(N, h, w, 3)`` float32 at analysis size."""
        return self.analyse_batch(frames[None])[0]

    def analyse_batch(self, windows: RGBArray) -> list[Analysis]:
        """Fields of the centre frames of windows ``(B, N, h, w, 3)`` float32 in [0, 1] at analysis size."""
        batch = torch.from_numpy(np.ascontiguousarray(windows)).to(self._torch_device).permute(0, 1, 4, 2, 3)
        with torch.inference_mode():
            fields = self._network.analyse(batch.contiguous())
        return _unpack(fields)

    def compose(
        self, rgb: RGBArray, analysis: Analysis, settings: CorrectionSettings | None = None, gain_ev: float = 0.0
    ) -> RGBArray:
        """See `correction.compose.compose`."""
        return compose(rgb, analysis, settings, gain_ev)

    def maps(
        self, rgb: RGBArray, analysis: Analysis, settings: CorrectionSettings | None = None, gain_ev: float = 0.0
    ) -> CorrectionMaps:
        """See `correction.compose.compose_maps`."""
        return compose_maps(rgb, analysis, settings, gain_ev)


def _unpack(fields: Fields) -> list[Analysis]:
    """A batch of fields as analyses, channels last as `compose` reads them."""
    under = _plain(fields.illumination_under.permute(0, 2, 3, 1))
    over = _plain(fields.illumination_over.permute(0, 2, 3, 1))
    grid = _plain(F.pad(fields.grid.permute(0, 3, 2, 4, 1), (0, 1)))
    curves, guide = _plain(fields.curve_values), _plain(fields.guide)
    scalars = zip(fields.gain_ev.tolist(), fields.exposure_ev.tolist(), fields.curve_exponent.tolist(), strict=True)
    return [
        Analysis(gain, exposure, under[i], over[i], exponent, curves[i], grid[i], guide)
        for i, (gain, exposure, exponent) in enumerate(scalars)
    ]


def _plain(tensor: torch.Tensor) -> RGBArray:
    return np.ascontiguousarray(tensor.float().cpu().numpy())


def load_corrector(checkpoint: Path | str | None = None, device: str = "auto") -> Corrector:
    """The corrector with the bundled weights, or those of a checkpoint file.

    Args:
        checkpoint: A file written by ``vecnet train``; the bundled weights when left out.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        CheckpointError: The weights are missing, damaged or of another network.
        DeviceError: The device is not there.
    """
    path = resource(WEIGHTS) if checkpoint is None else Path(checkpoint)
    return Corrector(load_checkpoint(path), choose_device(device))


def reduce_rgb(rgb: RGBArray, size: tuple[int, int]) -> RGBArray:
    """Area average of ``(H, W, 3)`` at ``size`` (height, width); bilinear where the frame is smaller."""
    tensor = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
    if rgb.shape[0] >= size[0] and rgb.shape[1] >= size[1]:
        small = F.adaptive_avg_pool2d(tensor, size)
    else:
        small = F.interpolate(tensor, size=size, mode="bilinear", align_corners=False)
    return np.ascontiguousarray(small[0].permute(1, 2, 0).numpy())


def correct_frames(
    frames: Pixels,
    *,
    corrector: Corrector | None = None,
    settings: CorrectionSettings | None = None,
    frame_rate: float = 24.0,
) -> Pixels:
    """Correct a shot that is already in memory: the whole pipeline, steady light included.

    Args:
        frames: ``(T, H, W, 3)`` R'G'B' as uint8, uint16 or float32 in [0, 1]; one shot without cuts.
        corrector: The bundled weights on the best device when left out.
        settings: The sliders; the network's own answer when left out.
        frame_rate: Frames per second; what changes slower than 1 Hz is not flicker.

    Returns:
        Corrected frames of the same dtype and shape.

    Raises:
        InputError: The array is of another form.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype.name not in {"uint8", "uint16", "float32"}:
        raise InputError(
            f"frames must be (T, H, W, 3) uint8, uint16 or float32, not {frames.shape} {frames.dtype}",
        )
    if min(frames.shape) == 0:
        raise InputError("there is not one frame to correct")
    corrector = corrector or load_corrector()
    settings = settings or CorrectionSettings()
    top = 1.0 if frames.dtype == np.float32 else float(np.iinfo(frames.dtype.name).max)
    count = len(frames)
    size = corrector.analysis_size(frames.shape[1], frames.shape[2])

    def picture(index: int) -> RGBArray:
        return np.clip(frames[index].astype(np.float32) / np.float32(top), 0.0, 1.0)

    reduced = [reduce_rgb(picture(index), size) for index in range(count)]
    lights = [block_light(frame) for frame in reduced]
    steps = [0.0] + [light_step(lights[t - 1], lights[t]) for t in range(1, count)]
    gains = steady_gains(steps, frame_rate)
    lit = [relight(frame, float(gain)) for frame, gain in zip(reduced, gains, strict=True)]

    def correct(index: int) -> RGBArray:
        window = np.stack([lit[t] for t in window_indices(index, count, size=corrector.window)])
        return compose(picture(index), corrector.analyse(window), settings, float(gains[index]))

    out = np.empty_like(frames)
    ready: dict[int, RGBArray] = {}
    for index in range(count):
        around = window_indices(index, count, size=3 if settings.denoise else 1)
        ready = {t: ready[t] if t in ready else correct(t) for t in around}
        corrected = ready[index]
        if settings.denoise:
            corrected = corrector.denoiser.clean([ready[t] for t in around], picture(index), settings.denoise)
        out[index] = corrected if frames.dtype == np.float32 else np.rint(corrected * top).astype(frames.dtype)
    return out
