"""How well an aligned pair fits: what is left between both in pixels, tile by tile, and their exposure in stops.

Independent of the registration: every tile is searched on its own, over whole shifts with a parabola at the peak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from vecnet_core.data.capture.registration import (
    HIGHEST_LUMA,
    LOWEST_LUMA,
    Plane,
    Structure,
    reduce_plane,
    slopes,
    structure,
    vertex,
)
from vecnet_core.metrics.exposure import exposure_ev, linear_luma

MEASURED_SHORT_SIDE = 540
"""Pairs are measured reduced by whole numbers to at least half of this and at most twice."""

_REACH = 4
_LEAST_TILE_PX = 24
_TILES_DOWN = 8
_MATCHED = 0.5
_LEAST_USABLE = 0.7
_LEAST_STRUCTURE = 0.1
_MOST_UNCERTAIN_PX = 0.15
_CORRELATED_PX = 8
_LEAST_PIXELS = 0.005


@dataclass(frozen=True)
class Residual:
    """What the alignment of a pair leaves.

    Attributes:
        median_px: Median over the tiles that could be measured; infinite when none could.
        p95_px: 95th percentile over them.
        tiles: How many could be measured.
        unmatched: Share of the tiles with structure whose content is not found within reach.
    """

    median_px: float
    p95_px: float
    tiles: int
    unmatched: float


def measure_residual(bad: Plane, good: Plane) -> Residual:
    """Residual of an aligned pair from its R'G'B' luma, both (H, W) in [0, 1]."""
    factor = max(1, round(min(bad.shape) / MEASURED_SHORT_SIDE))
    shifts, unmatched = _tile_shifts(structure(reduce_plane(bad, factor)), structure(reduce_plane(good, factor)))
    total = len(shifts) + unmatched
    if not shifts:
        return Residual(math.inf, math.inf, 0, 1.0 if total else 0.0)
    sizes = np.array(shifts) * factor
    return Residual(float(np.median(sizes)), float(np.percentile(sizes, 95)), len(shifts), unmatched / total)


def exposure_difference_ev(bad: npt.NDArray[np.uint8], good: npt.NDArray[np.uint8]) -> float:
    """Stops by which the bad one of an aligned pair is brighter: the median where neither is black or clipped.

    Where next to nothing is left so, the difference of the means, which clipping makes too small.

    Args:
        bad: (H, W, 3) uint8 R'G'B'.
        good: Of the same size.
    """
    factor = max(1, min(bad.shape[:2]) // 270)
    one, other = (_reduce(picture, factor) for picture in (bad, good))
    usable = np.ones(one.shape[:2], bool)
    for picture in (one, other):
        usable &= (picture.min(2) > LOWEST_LUMA) & (picture.max(2) < HIGHEST_LUMA)
    if usable.mean() < _LEAST_PIXELS:
        return exposure_ev(one) - exposure_ev(other)
    ratio = linear_luma(one)[usable] / linear_luma(other)[usable]
    return float(np.median(np.log2(ratio)))


def _reduce(picture: npt.NDArray[np.uint8], factor: int) -> npt.NDArray[np.float32]:
    channels = [reduce_plane(picture[..., channel].astype(np.float32), factor) for channel in range(3)]
    return np.stack(channels, axis=-1) / np.float32(255)


def _tile_shifts(bad: Structure, good: Structure) -> tuple[list[float], int]:
    """Length of the shift of every tile that matches, in pixels, and how many should match and do not.

    Tiles that cannot tell are passed over: clipped ones, plain ones, and those with edges in one direction alone, which
    slide along them. How far noise moves the peak follows from its height and from the slopes in the good picture.
    """
    height, width = bad.values.shape
    side = max(_LEAST_TILE_PX, min(height, width) // _TILES_DOWN)
    slope_y, slope_x = slopes(good.values)
    shifts: list[float] = []
    unmatched = 0
    for top, left in product(_starts(height, side), _starts(width, side)):
        tile = (slice(top, top + side), slice(left, left + side))
        power = float((good.values[tile] ** 2).mean())
        usable = min(float(each.weight[tile].mean()) for each in (bad, good))
        if usable < _LEAST_USABLE or power < _LEAST_STRUCTURE:
            continue
        sharpness = _weakest(slope_x[tile], slope_y[tile]) / power * side * side / _CORRELATED_PX
        surface = _tile_surface(bad.values, good.values, top, left, side, _REACH)
        height_of_peak, shift = _peak(surface)
        noise = max(1 - height_of_peak**2, 1e-3) / max(height_of_peak, _MATCHED) ** 2
        if noise > _MOST_UNCERTAIN_PX**2 * sharpness:
            continue
        if shift is None:
            unmatched += 1
        else:
            shifts.append(shift)
    return shifts, unmatched


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin along an axis: at least two, so that small pictures are measured in several places too."""
    room = length - 2 * _REACH - side
    if room < 0:
        return []
    return [_REACH + round(start) for start in np.linspace(0, room, max(2, (length - 2 * _REACH) // side))]


def _weakest(slope_x: Plane, slope_y: Plane) -> float:
    """Mean squared slope in the direction in which it is least: the smaller eigenvalue of the structure tensor."""
    xx, yy, xy = (float((one * other).mean()) for one, other in ((slope_x,) * 2, (slope_y,) * 2, (slope_x, slope_y)))
    return (xx + yy) / 2 - math.hypot((xx - yy) / 2, xy)


def _peak(surface: npt.NDArray[np.float64]) -> tuple[float, float | None]:
    """Height of the peak and its distance from the middle; None when it is low or at the border, so perhaps beyond."""
    row, column = divmod(int(surface.argmax()), surface.shape[1])
    last = surface.shape[0] - 1
    height = float(surface[row, column])
    if height < _MATCHED or not (0 < row < last and 0 < column < last):
        return height, None
    down = vertex(*surface[row - 1 : row + 2, column].tolist())
    across = vertex(*surface[row, column - 1 : column + 2].tolist())
    return height, math.hypot(row + down - _REACH, column + across - _REACH)


@numba.njit(cache=True, nogil=True)
def _tile_surface(bad: Any, good: Any, top: int, left: int, side: int, reach: int) -> Any:
    """Correlation coefficients of a tile of the bad picture with the good one at all shifts within reach."""
    surface = np.zeros((2 * reach + 1, 2 * reach + 1))
    count = side * side
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            a, b, aa, bb, ab = 0.0, 0.0, 0.0, 0.0, 0.0
            for y in range(top, top + side):
                for x in range(left, left + side):
                    one, other = bad[y, x], good[y + dy, x + dx]
                    a += one
                    b += other
                    aa += one * one
                    bb += other * other
                    ab += one * other
            spread = (aa - a * a / count) * (bb - b * b / count)
            surface[dy + reach, dx + reach] = (ab - a * b / count) / math.sqrt(spread + 1e-12)
    return surface
