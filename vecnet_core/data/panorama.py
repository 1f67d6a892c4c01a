"""HDR panoramas: a camera turned inside one sees light above any white and below any black that a photo can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from vecnet_core.data.camera import DARKEST_EV, FloatArray, ToneCurve
from vecnet_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PANORAMA_SUFFIXES = frozenset({".hdr"})
FIELD_OF_VIEW = (35.0, 80.0)
"""Degrees that the short side of a window sees."""

PITCH = (-30.0, 25.0)
"""Degrees above the horizon that a camera looks; there is little to see at the poles but tripods and sky."""


def read_panorama(path: Path) -> FloatArray:
    """An equirectangular panorama as ``(H, W, 3)`` linear light, red, green and blue; no unit is known.

    Raises:
        DataError: It cannot be read.
    """
    import av
    import av.error

    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            light = frame.to_ndarray(format="gbrpf32le").astype(np.float32)
    except (av.error.FFmpegError, StopIteration, ValueError) as error:
        raise DataError("this panorama cannot be read", path=path) from error
    if light.shape[1] < light.shape[0] or not np.isfinite(light).all():
        raise DataError("this is no equirectangular panorama", path=path)
    return light


@numba.njit(cache=True, nogil=True)
def _look(panorama: FloatArray, yaw: float, pitch: float, tangent: float, height: int, width: int) -> FloatArray:
    rows, columns = panorama.shape[:2]
    out = np.empty((height, width, 3), np.float32)
    short = min(height, width)
    up, level = np.sin(pitch), np.cos(pitch)
    for y in range(height):
        for x in range(width):
            right = tangent * (2 * x + 1 - width) / short
            above = tangent * (height - 2 * y - 1) / short
            forward = level - up * above
            rise = up + level * above
            longitude = np.arctan2(right, forward) + yaw
            latitude = np.arctan2(rise, np.sqrt(right * right + forward * forward))
            u = (longitude / (2 * np.pi)) % 1.0 * columns - 0.5
            v = min(max((0.5 - latitude / np.pi) * rows - 0.5, 0.0), rows - 1.001)
            left, top = int(np.floor(u)), int(v)
            a, b = np.float32(u - left), np.float32(v - top)
            low, high = left % columns, (left + 1) % columns
            for c in range(3):
                above_row = panorama[top, low, c] * (1 - a) + panorama[top, high, c] * a
                below_row = panorama[top + 1, low, c] * (1 - a) + panorama[top + 1, high, c] * a
                out[y, x, c] = above_row * (1 - b) + below_row * b
    return out


def draw_view(rng: np.random.Generator, panorama: FloatArray, size: tuple[int, int], frames: int) -> FloatArray:
    """What a camera that pans slowly sees of a panorama: ``(T, H, W, 3)`` stops of light, not yet metered."""
    yaw, pitch = rng.uniform(0.0, 2 * np.pi), np.radians(rng.uniform(*PITCH))
    tangent = np.tan(np.radians(rng.uniform(*FIELD_OF_VIEW)) / 2)
    speed = rng.exponential(0.008, 2) * rng.choice([-1, 1], 2) * (rng.random() < 0.7)
    views = [
        _look(panorama, yaw + speed[0] * t, pitch + 0.5 * speed[1] * t, tangent, size[0], size[1])
        for t in range(frames)
    ]
    light = np.stack(views)
    if rng.random() < 0.5:
        light = np.ascontiguousarray(light[:, :, ::-1])
    stops: FloatArray = np.log2(np.maximum(light, np.float32(2.0**DARKEST_EV)))
    return stops


def meter(rng: np.random.Generator, stops: FloatArray, curve: ToneCurve) -> float:
    """Stops to add to ``stops`` for a well-exposed picture, as a photographer would choose them.

    A mean in the middle (0.48 on average, as photos have); half-way on to a white, where that leaves the scene without
    one; but at most 1 to 10 % of the pixels clipped, which is what keeps a street at night dark.
    """
    sample = stops[:, ::4, ::4].reshape(-1, 3)
    brightest = sample.max(axis=1)
    most_clipped = np.exp(rng.uniform(np.log(0.01), np.log(0.1)))
    middle = _exposure_for(lambda ev: float(curve.code_of(sample + np.float32(ev)).mean()), rng.normal(0.48, 0.08))
    top = brightest[None, brightest >= np.quantile(brightest, 0.98)]
    white = _exposure_for(lambda ev: float(curve.code_of(top + np.float32(ev)).mean()), 0.9)
    return min(middle + max(white - middle, 0.0) / 2, -float(np.quantile(brightest, 1 - most_clipped)))


def _exposure_for(code: Callable[[float], float], wanted: float) -> float:
    """Stops at which a rising ``code`` reaches ``wanted``."""
    low, high = -20.0, 20.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if code(middle) < wanted else (low, middle)
    return (low + high) / 2
