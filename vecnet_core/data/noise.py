"""Made batches for the detail head: dark recordings brought to their right exposure, with the noise they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vecnet_core.data.camera import INVERSE_SIZE, Camera, FloatArray, ToneCurve, draw_noise
from vecnet_core.data.synthesis import draw_crop
from vecnet_core.errors import DataError

if TYPE_CHECKING:
    from vecnet_core.data.clips import PackedScenes

FRAMES = 3


@dataclass(frozen=True)
class NoiseConfig:
    """How noisy the made recordings get.

    Attributes:
        crops: A batch.
        crop_px: Side of a crop at full size, a multiple of 4.
        exposure_ev: Lowest and highest exposure, in stops; what is missing is given back and lifts the noise.
        clean_share: Share of recordings without noise and nearly right, which are to be left alone.
        jpeg_share: Share that is compressed.
        plain_share: Share on the sRGB curve.
    """

    crops: int = 8
    crop_px: int = 128
    exposure_ev: tuple[float, float] = (-5.0, 0.3)
    clean_share: float = 0.15
    jpeg_share: float = 0.5
    plain_share: float = 0.3


@dataclass(frozen=True)
class NoisyBatch:
    """One batch for the detail head, channels first.

    Attributes:
        corrected: ``(B, 3, 3, h, w)`` in [0, 1]: three frames, exposed right, noisy.
        source: ``(B, 3, h, w)`` in [0, 1]: the middle one as recorded.
        good: ``(B, 3, h, w)`` in [0, 1]: the middle one without noise.
    """

    corrected: FloatArray
    source: FloatArray
    good: FloatArray


def draw_noisy_batch(
    scenes: PackedScenes, config: NoiseConfig, seed: int, step: int, *, part: int = 0, parts: int = 1
) -> NoisyBatch:
    """The batch of one training step, or one process's share of it; see `synthesis.draw_batch`.

    Raises:
        DataError: The batch cannot be shared evenly.
    """
    if not scenes.scenes:
        raise DataError("noise is made on clips and photos, and there are none", path=scenes.folder)
    if config.crops % parts:
        raise DataError(f"{config.crops} crops a batch cannot be shared by {parts} processes", hint="give all as many")
    share = config.crops // parts
    crops = [
        _draw(np.random.default_rng((seed, step, n)), scenes, config) for n in range(part * share, (part + 1) * share)
    ]
    return NoisyBatch(*(np.stack(pictures) for pictures in zip(*crops, strict=True)))


def _draw(
    rng: np.random.Generator, scenes: PackedScenes, config: NoiseConfig
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One crop: three corrected frames, the middle source, the middle frame as it should be."""
    size = (config.crop_px, config.crop_px)
    frames = scenes.frames(int(rng.integers(len(scenes))))
    good = draw_crop(rng, frames[None], size, FRAMES, smallest_zoom=0.35)[0] / np.float32(255)
    curve = ToneCurve.srgb() if rng.random() < config.plain_share else ToneCurve.draw(rng)
    is_clean = rng.random() < config.clean_share
    ev = rng.uniform(-0.5, 0.3) if is_clean else rng.uniform(*config.exposure_ev)
    shot, read = (0.0, 0.0) if is_clean else draw_noise(rng)
    camera = Camera(
        curve=curve,
        ev=ev,
        ev_map=np.zeros(size, np.float32),
        balance=np.zeros(3, np.float32),
        headroom=0.0,
        paling=0.0,
        shot=shot,
        read=read,
        black=0.0,
        jpeg_quality=int(rng.integers(70, 98)) if rng.random() < config.jpeg_share else 0,
        grain=rng.uniform(0.0, 1.0) * (rng.random() < 0.8),
    )
    bad = camera.film(camera.light_of(good), np.zeros(FRAMES, np.float32), rng)
    # A correction does not know the codes below the first step apart either: they stay what they are.
    stops = curve.inverse[(bad * (INVERSE_SIZE - 1) + 0.5).astype(int)] - np.float32(ev)
    corrected = curve.code_of(stops)
    first = (pictures.transpose(0, 3, 1, 2) for pictures in (corrected, bad, good))
    corrected, bad, good = (np.ascontiguousarray(pictures, np.float32) for pictures in first)
    middle = FRAMES // 2
    return corrected, bad[middle], good[middle]
