"""The light of a frame: the sRGB curve both ways, and exposure in stops (log2 of mean linear luma)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray

FloatArray = npt.NDArray[np.float32] | npt.NDArray[np.float64]

LUMA_WEIGHTS: tuple[float, float, float] = (0.2126, 0.7152, 0.0722)
"""BT.709 weights of linear R, G, B in luminance."""

EXPOSURE_FLOOR = 2.0**-16
"""Lowest mean linear luma that is told apart from black: -16 stops."""

_TABLE_SIZE = 1024


def srgb_to_linear(values: RGBArray) -> RGBArray:
    """Linear light of sRGB code values (IEC 61966-2-1), both in [0, 1]; values outside are clipped to it."""
    coded = np.clip(np.asarray(values, dtype=np.float32), 0.0, 1.0)
    bright = ((coded + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(coded <= np.float32(0.04045), coded / np.float32(12.92), bright)


def linear_to_srgb(values: RGBArray) -> RGBArray:
    """SRGB code values of linear light (IEC 61966-2-1), both in [0, 1]; values outside are clipped to it."""
    light = np.clip(np.asarray(values, dtype=np.float32), 0.0, 1.0)
    bright = np.float32(1.055) * light ** np.float32(1.0 / 2.4) - np.float32(0.055)
    return np.where(light <= np.float32(0.0031308), light * np.float32(12.92), bright)


def linear_luma(rgb: RGBArray) -> RGBArray:
    """Relative luminance (H, W) of R'G'B' (H, W, 3) on the sRGB curve."""
    return srgb_to_linear(rgb) @ np.asarray(LUMA_WEIGHTS, dtype=np.float32)


def exposure_ev(rgb: RGBArray) -> float:
    """Exposure of a frame: log2 of its mean linear luma (BT.709 weights, sRGB curve).

    Args:
        rgb: (H, W, 3) R'G'B' in [0, 1].

    Returns:
        Stops below a white frame, so 0 is white, -2.47 mid-grey 18 %, and -16 the floor.
    """
    return float(exposure_grid_ev(rgb, 1)[0, 0])


def exposure_grid_ev(rgb: RGBArray, cells: int = 4) -> npt.NDArray[np.float64]:
    """Exposure of every cell of a `cells` x `cells` grid over the frame, in stops; see `exposure_ev`."""
    frame = np.ascontiguousarray(rgb, dtype=np.float32)
    rows, columns = min(cells, frame.shape[0]), min(cells, frame.shape[1])
    means = _cell_means(frame, _LINEAR_TABLE, rows, columns)
    return np.log2(np.maximum(means, EXPOSURE_FLOOR))


def exposures_ev(frames: RGBArray | list[RGBArray]) -> npt.NDArray[np.float64]:
    """Exposure of every frame of a clip, in stops."""
    return np.array([exposure_ev(frame) for frame in frames], dtype=np.float64)


def gain_in_light(rgb: RGBArray, gain_ev: float) -> RGBArray:
    """R'G'B' after a gain of `gain_ev` stops in linear light, clipped at white."""
    return linear_to_srgb(srgb_to_linear(rgb) * np.float32(math.exp2(gain_ev)))


# 1024 knots, joined linearly, keep the error of the curve below 4e-7: powf for 640x360 costs ten times the table.
_LINEAR_TABLE: RGBArray = np.append(srgb_to_linear(np.linspace(0, 1, _TABLE_SIZE + 1, dtype=np.float32)), 1).astype(
    np.float32
)


@numba.njit(cache=True, nogil=True)
def _cell_means(rgb: RGBArray, table: RGBArray, rows: int, columns: int) -> npt.NDArray[np.float64]:
    height, width = rgb.shape[0], rgb.shape[1]
    scale = np.float32(table.size - 2)
    means = np.zeros((rows, columns), dtype=np.float64)
    for row in range(rows):
        top, bottom = row * height // rows, (row + 1) * height // rows
        for column in range(columns):
            left, right = column * width // columns, (column + 1) * width // columns
            total = 0.0
            for y in range(top, bottom):
                red = np.float32(0)
                green = np.float32(0)
                blue = np.float32(0)
                for x in range(left, right):
                    for channel in range(3):
                        place = min(max(rgb[y, x, channel], np.float32(0)), np.float32(1)) * scale
                        knot = int(place)
                        light = table[knot] + (place - np.float32(knot)) * (table[knot + 1] - table[knot])
                        if channel == 0:
                            red += light
                        elif channel == 1:
                            green += light
                        else:
                            blue += light
                total += 0.2126 * red + 0.7152 * green + 0.0722 * blue
            means[row, column] = total / ((bottom - top) * (right - left))
    return means
