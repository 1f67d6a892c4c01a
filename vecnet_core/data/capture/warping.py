"""Moves a picture onto the grid of another one, and finds the area that both have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt

from vecnet_core.data.capture.registration import Similarity, corners

if TYPE_CHECKING:
    from vecnet_core.data.capture.recordings import ByteImage

KEEP_WITHIN_PX = 0.1
"""A move this close to whole pixels at every corner is made by them: copying keeps a picture sharp."""

_TAPS = 6
_PHASES = 1024


@dataclass(frozen=True)
class Crop:
    """A rectangle of a picture, in pixels; all even."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, picture: ByteImage) -> ByteImage:
        """That part of a picture."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


def common_area(transforms: list[Similarity], bad_size: tuple[int, int], good_size: tuple[int, int]) -> Crop:
    """The part of the bad pictures that all good ones cover.

    Args:
        transforms: From the bad pictures to the good ones, in pixels of both.
        bad_size: Rows and columns of the bad pictures.
        good_size: Rows and columns of the good ones.

    Returns:
        The largest upright rectangle with even sides, perhaps empty.
    """
    left, top, right, bottom = 0.0, 0.0, bad_size[1] - 1.0, bad_size[0] - 1.0
    for transform in transforms:
        ends = transform.inverse().at(corners(*good_size))
        left, right = max(left, ends[[0, 2]].real.max()), min(right, ends[[1, 3]].real.min())
        top, bottom = max(top, ends[[0, 1]].imag.max()), min(bottom, ends[[2, 3]].imag.min())
    first_x, first_y = math.ceil(left - 1e-6), math.ceil(top - 1e-6)
    width = max(0, math.floor(right + 1e-6) - first_x + 1)
    height = max(0, math.floor(bottom + 1e-6) - first_y + 1)
    return Crop(first_x, first_y, width // 2 * 2, height // 2 * 2)


def whole_pixels(transform: Similarity, height: int, width: int) -> Similarity:
    """The nearest move by whole pixels, if it is the same to within `KEEP_WITHIN_PX` over a picture of this size."""
    rounded = Similarity(1 + 0j, complex(round(transform.shift.real), round(transform.shift.imag)))
    return rounded if transform.distance_px(rounded, height, width) <= KEEP_WITHIN_PX else transform


def warp_picture(good: ByteImage, transform: Similarity, crop: Crop) -> ByteImage:
    """The good picture as the bad one's camera saw it, within a crop of the bad picture.

    A Lanczos filter of six taps; a picture with clearly more pixels is reduced first, so that nothing aliases.

    Args:
        good: (H, W, 3) uint8.
        transform: From the bad picture to the good one, in pixels of both.
        crop: Part of the bad picture to fill.
    """
    factor = max(1, round(transform.zoom))
    if factor > 1:
        height, width = good.shape[0] // factor, good.shape[1] // factor
        blocks = good[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
        good = np.rint(blocks.mean((1, 3), dtype=np.float32)).astype(np.uint8)
        transform = transform.enlarged(1, 1 / factor)
    out = np.empty((crop.height, crop.width, 3), np.uint8)
    origin = transform.turn * complex(crop.left, crop.top) + transform.shift
    _resample(good, transform.turn, origin, _lanczos_weights(), out)
    return out


def _lanczos_weights() -> npt.NDArray[np.float32]:
    """(phases + 1, 6) weights of the taps for every fraction of a pixel, each row adding up to 1."""
    fractions = np.arange(_PHASES + 1)[:, None] / _PHASES
    distances = np.arange(_TAPS)[None] - (_TAPS // 2 - 1) - fractions
    weights = np.sinc(distances) * np.sinc(distances / (_TAPS // 2))
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _resample(good: Any, turn: complex, origin: complex, table: Any, out: Any) -> None:
    """Weighted sums of 6 x 6 pixels, edges repeated, rounded half up."""
    height, width = good.shape[0], good.shape[1]
    phases, taps = table.shape[0] - 1, table.shape[1]
    sums = np.zeros(3, np.float32)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            place = turn * complex(x, y) + origin
            left, top = int(np.floor(place.real)), int(np.floor(place.imag))
            across = table[int((place.real - left) * phases + 0.5)]
            down = table[int((place.imag - top) * phases + 0.5)]
            sums[:] = 0
            for i in range(taps):
                row = min(max(top + i - 2, 0), height - 1)
                for j in range(taps):
                    column = min(max(left + j - 2, 0), width - 1)
                    weight = down[i] * across[j]
                    for channel in range(3):
                        sums[channel] += weight * np.float32(good[row, column, channel])
            for channel in range(3):
                out[y, x, channel] = np.uint8(min(max(sums[channel], np.float32(0)), np.float32(255)) + np.float32(0.5))
