"""How close a frame is to its reference: PSNR, SSIM, exposure-aligned PSNR, and bias where the source is clipped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt

from vecnet_core.metrics.exposure import LUMA_WEIGHTS, linear_to_srgb, srgb_to_linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from vecnet_core.frame import RGBArray

MAX_PSNR_DB = 100.0
"""PSNR of equal frames, in place of infinity, so that means stay finite."""

ALIGNED_WHITE = 0.98
"""References at or above this are clipped and say nothing about exposure; they are left out of the aligned PSNR."""

ALIGNED_RANGE_EV = 2.0

_SSIM_SIGMA = 1.5
_SSIM_RADIUS = 5


@dataclass(frozen=True)
class AlignedFidelity:
    """Closeness once one exposure value is taken out: taste in brightness parted from damage.

    Attributes:
        psnr_db: PSNR at the best exposure value.
        exposure_error_ev: Size of that value in stops, 0 when the brightness was right.
    """

    psnr_db: float
    exposure_error_ev: float


@dataclass(frozen=True)
class ClippedBias:
    """Mean error where the source frame is clipped, where nothing but guessing is left; it finds grey highlights.

    Attributes:
        luma: Mean of Y'(output) - Y'(reference), in [-1, 1]; 0 where nothing is clipped.
        chroma: Mean colour of the error: its R'G'B' mean less its luma, as a Euclidean length in [0, 1].
        pixels: Number of clipped pixels.
    """

    luma: float
    chroma: float
    pixels: int


def psnr(output: RGBArray, reference: RGBArray) -> float:
    """Peak signal-to-noise ratio in dB of R'G'B' in [0, 1], of any equal shapes; `MAX_PSNR_DB` when equal."""
    return psnr_of_mse(mean_squared_error(output, reference))


def mean_squared_error(output: RGBArray, reference: RGBArray) -> float:
    """Mean squared difference of two arrays of equal shape."""
    _require_same_shape(output, reference)
    difference = np.asarray(output, dtype=np.float32).ravel() - np.asarray(reference, dtype=np.float32).ravel()
    return float(np.dot(difference, difference)) / max(difference.size, 1)


def psnr_of_mse(mse: float) -> float:
    """PSNR in dB of a mean squared error against a peak of 1."""
    return min(MAX_PSNR_DB, -10.0 * math.log10(mse)) if mse > 0.0 else MAX_PSNR_DB


def ssim(output: RGBArray, reference: RGBArray) -> float:
    """Structural similarity (Wang et al. 2004), mean over the channels of (H, W, C) in [0, 1].

    Gaussian window of 11 x 11, sigma 1.5, population covariance, K = 0.01 and 0.03, the border of 5 pixels left out:
    scikit-image's ``structural_similarity`` with ``gaussian_weights=True, use_sample_covariance=False, data_range=1``.

    Raises:
        ValueError: The shapes differ, or a side is shorter than 11 pixels.
    """
    _require_same_shape(output, reference)
    if min(output.shape[:2]) <= 2 * _SSIM_RADIUS:
        raise ValueError(f"SSIM needs at least 11 x 11 pixels, not {output.shape[1]} x {output.shape[0]}")
    x = np.ascontiguousarray(output, dtype=np.float32).reshape(output.shape[0], -1)
    y = np.ascontiguousarray(reference, dtype=np.float32).reshape(output.shape[0], -1)
    return float(_ssim_mean(x, y, x.shape[1] // output.shape[1], _gaussian_taps()))


def aligned_fidelity(outputs: RGBArray, references: RGBArray, max_pixels: int = 40_000) -> AlignedFidelity:
    """Best PSNR over one exposure value e in [-2, 2] stops for all frames, ``PSNR(f(2^e f^-1(out)), ref)``.

    Args:
        outputs: (..., H, W, 3) R'G'B' in [0, 1], one frame or all frames of a clip.
        references: Of the same shape; pixels with a channel at or above `ALIGNED_WHITE` are left out.
        max_pixels: The search runs on evenly spaced pixels, at most about this many.
    """
    _require_same_shape(outputs, references)
    out, ref = outputs.reshape(-1, 3), references.reshape(-1, 3)
    # A step prime to the width walks over all columns instead of a few.
    step = max(1, out.shape[0] // max_pixels)
    step += 1 if step > 1 and outputs.shape[-2] % step == 0 else 0
    out, ref = out[::step], ref[::step]
    counted = ref.max(axis=1) < ALIGNED_WHITE
    light, ref = srgb_to_linear(out[counted]), ref[counted]
    if light.size == 0:
        return AlignedFidelity(psnr(outputs, references), 0.0)

    def error(gain_ev: float) -> float:
        return mean_squared_error(linear_to_srgb(light * np.float32(math.exp2(gain_ev))), ref)

    grid = np.linspace(-ALIGNED_RANGE_EV, ALIGNED_RANGE_EV, 17)
    best = float(grid[int(np.argmin([error(float(gain)) for gain in grid]))])
    width = float(grid[1] - grid[0])
    best = _golden_section(error, max(best - width, -ALIGNED_RANGE_EV), min(best + width, ALIGNED_RANGE_EV))
    best = min((best, 0.0), key=error)
    return AlignedFidelity(psnr_of_mse(error(best)), abs(best))


def clipped_bias(output: RGBArray, reference: RGBArray, source: RGBArray) -> ClippedBias:
    """Mean error of `output` against `reference` (both (H, W, 3)) where `source` is clipped.

    A pixel is clipped where all channels of the source are at white (above 250/255) or all at black (below 3/255).
    """
    _require_same_shape(output, reference)
    clipped = _all_channels(source > np.float32(250 / 255)) | _all_channels(source < np.float32(3 / 255))
    pixels = int(np.count_nonzero(clipped))
    if pixels == 0:
        return ClippedBias(0.0, 0.0, 0)
    error = (output[clipped].astype(np.float64) - reference[clipped]).mean(axis=0)
    luma = float(error @ np.asarray(LUMA_WEIGHTS))
    return ClippedBias(luma, float(np.linalg.norm(error - luma)), pixels)


def _golden_section(error: Callable[[float], float], low: float, high: float, steps: int = 9) -> float:
    """Place of the least error between `low` and `high`, to 1 / 76 of their distance after nine steps."""
    shrink = (math.sqrt(5.0) - 1.0) / 2.0
    left, right = high - shrink * (high - low), low + shrink * (high - low)
    error_left, error_right = error(left), error(right)
    for _ in range(steps):
        if error_left < error_right:
            high, right, error_right = right, left, error_left
            left = high - shrink * (high - low)
            error_left = error(left)
        else:
            low, left, error_left = left, right, error_right
            right = low + shrink * (high - low)
            error_right = error(right)
    return (low + high) / 2.0


def _all_channels(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return mask[..., 0] & mask[..., 1] & mask[..., 2]


def _require_same_shape(output: RGBArray, reference: RGBArray) -> None:
    if output.shape != reference.shape:
        raise ValueError(f"output is {output.shape}, reference is {reference.shape}")


def _gaussian_taps() -> RGBArray:
    places = np.arange(-_SSIM_RADIUS, _SSIM_RADIUS + 1)
    taps = np.exp(-(places**2) / (2.0 * _SSIM_SIGMA**2))
    return (taps / taps.sum()).astype(np.float32)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _ssim_mean(x: RGBArray, y: RGBArray, channels: int, taps: RGBArray) -> float:
    """Mean SSIM of two (H, W * C) pictures with interleaved channels, row by row so that all stays in cache."""
    height, width = x.shape
    reach = taps.size // 2
    margin = reach * channels
    c1, c2 = np.float32(0.01**2), np.float32(0.03**2)
    column_x = np.empty(width, dtype=np.float32)
    column_y = np.empty(width, dtype=np.float32)
    column_ss = np.empty(width, dtype=np.float32)
    column_xy = np.empty(width, dtype=np.float32)
    total = 0.0
    for row in range(reach, height - reach):
        column_x[:] = 0
        column_y[:] = 0
        column_ss[:] = 0
        column_xy[:] = 0
        for tap in range(taps.size):
            weight = taps[tap]
            line_x = x[row - reach + tap]
            line_y = y[row - reach + tap]
            for i in range(width):
                a, b = line_x[i], line_y[i]
                column_x[i] += weight * a
                column_y[i] += weight * b
                column_ss[i] += weight * (a * a + b * b)
                column_xy[i] += weight * (a * b)
        line_total = np.float32(0)
        for i in range(margin, width - margin):
            mean_x = np.float32(0)
            mean_y = np.float32(0)
            squares = np.float32(0)
            product = np.float32(0)
            for tap in range(taps.size):
                j = i + (tap - reach) * channels
                weight = taps[tap]
                mean_x += weight * column_x[j]
                mean_y += weight * column_y[j]
                squares += weight * column_ss[j]
                product += weight * column_xy[j]
            mean_xy = mean_x * mean_y
            mean_ss = mean_x * mean_x + mean_y * mean_y
            line_total += (
                (2 * mean_xy + c1) * (2 * (product - mean_xy) + c2) / ((mean_ss + c1) * (squares - mean_ss + c2))
            )
        total += line_total
    return total / ((height - 2 * reach) * (width - 2 * margin))
