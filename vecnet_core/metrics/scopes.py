"""Scopes: a frame as histogram, waveform, RGB parade or vectorscope, and as maps of clipping, exposure and difference.

Each is one pass over the pixels. Milliseconds at 960x540, the best of 40, one core of two shared ones, 2026-11:
histogram 1.2, waveform 0.8, parade 1.6, vectorscope 1.0, clipping 0.6, false colour 0.7, difference 0.8, gain 3.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt

from vecnet_core.metrics.exposure import LUMA_WEIGHTS, srgb_to_linear
from vecnet_core.metrics.scales import (
    CHROMA_BINS,
    CHROMA_SPAN,
    FALSE_COLOUR,
    LEVELS,
    Clipping,
    Scope,
    ScopeTraces,
    ShareArray,
    signal_of_stops,
)

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray

ByteArray = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.uint32]

WAVEFORM_COLUMNS = 480
PARADE_COLUMNS = 192
"""Of each channel; a scope is a few hundred pixels wide, and more columns are noise."""

DARKEST_LIGHT = 2.0**-12
"""Linear luma below this counts as this where stops are compared: a quotient of two blacks says nothing."""

_TONES = 1024
_TABLE_SIZE = 1024


def scope_traces(scope: Scope, before: RGBArray, after: RGBArray | None) -> ScopeTraces:
    """One scope of a frame before and after, both R'G'B' ``(H, W, 3)`` float32 in [0, 1]."""
    measure = {
        Scope.HISTOGRAM: histogram,
        Scope.WAVEFORM: waveform,
        Scope.PARADE: parade,
        Scope.VECTORSCOPE: vectorscope,
    }[scope]
    return ScopeTraces(scope, measure(before), None if after is None else measure(after))


def histogram(rgb: RGBArray) -> ShareArray:
    """How the levels are shared out.

    Args:
        rgb: R'G'B' ``(H, W, 3)`` float32 in [0, 1]; what lies outside is counted at the ends.

    Returns:
        ``(4, 256)`` float32: luma Y' (BT.709 weights), R', G', B'; each row sums to 1. Bin n holds the values next to
        n / 255.
    """
    frame = _frame(rgb)
    counts = np.zeros((4, LEVELS), np.uint32)
    _count_levels(frame, counts)
    return _shares(counts, frame.shape[0] * frame.shape[1])


def waveform(rgb: RGBArray, columns: int = WAVEFORM_COLUMNS) -> ShareArray:
    """Luma Y' over the width of the picture.

    Args:
        rgb: R'G'B' ``(H, W, 3)`` float32 in [0, 1]; what lies outside is counted at the ends.
        columns: Of the trace, at most; the picture's own when it has fewer.

    Returns:
        ``(256, columns)`` float32, row 0 is black: the shares of a column's pixels, which sum to 1.
    """
    frame = _frame(rgb)
    places, pixels = _columns(frame, columns)
    counts = np.zeros((LEVELS, pixels.size), np.uint32)
    _count_luma_columns(frame, places, counts)
    return _shares(counts, pixels)


def parade(rgb: RGBArray, columns: int = PARADE_COLUMNS) -> ShareArray:
    """R', G' and B', each as in `waveform`: ``(3, 256, columns)`` float32."""
    frame = _frame(rgb)
    places, pixels = _columns(frame, columns)
    counts = np.zeros((3, LEVELS, pixels.size), np.uint32)
    _count_rgb_columns(frame, places, counts)
    return _shares(counts, pixels)


def vectorscope(rgb: RGBArray) -> ShareArray:
    """Colour without luma: BT.709 Cb to the right, Cr upwards.

    Args:
        rgb: R'G'B' ``(H, W, 3)`` float32 in [0, 1].

    Returns:
        ``(256, 256)`` float32 that sums to 1; the value at ``[128 + 254 Cr, 128 + 254 Cb]``, rounded, is the share of
        pixels of this colour, so greys are at ``[128, 128]``. `scales.color_targets` and `scales.skin_tone_end` lie
        on the same plane.
    """
    frame = _frame(rgb)
    counts = np.zeros((CHROMA_BINS, CHROMA_BINS), np.uint32)
    _count_chroma(frame, counts)
    return _shares(counts, frame.shape[0] * frame.shape[1])


def code_step(bit_depth: int, color_range: str) -> float:
    """Distance of two codes of a clip in R'G'B': one in 255 for 8 bits in full range, one in 219 in limited range."""
    full = float((1 << bit_depth) - 1)
    return 1.0 / (219.0 * 2.0 ** (bit_depth - 8) if color_range == "limited" else full)


def clipping_masks(source: RGBArray, result: RGBArray, step: float = 1 / 219) -> ByteArray:
    """Where detail is lost: in the source already, or only in the result.

    A pixel is clipped high where any channel is within half a code of the highest: that channel's detail is gone. It
    is clipped low where all three are within half a code of the lowest: a single channel at zero is only a pure colour.

    Args:
        source: R'G'B' ``(H, W, 3)`` float32 in [0, 1].
        result: What it became, of the same shape.
        step: Distance of two codes, see `code_step`.

    Returns:
        ``(H, W)`` uint8 of `scales.Clipping`; what the source lost is its own, whatever the result made of it.

    Raises:
        ValueError: The shapes differ.
    """
    before, after = _pair(source, result)
    codes = np.empty(before.shape[:2], np.uint8)
    _mark_clipping(before, after, np.float32(step / 2), codes)
    return codes


def clipping_shares(codes: ByteArray) -> dict[Clipping, float]:
    """The share of pixels of each kind, in [0, 1], of what `clipping_masks` returned."""
    counts = np.bincount(codes.ravel(), minlength=len(Clipping))
    return {kind: float(counts[kind]) / max(codes.size, 1) for kind in Clipping}


def false_colour(rgb: RGBArray) -> ByteArray:
    """The picture in the bands of `scales.FALSE_COLOUR` by its luma Y', and in grey between them.

    Args:
        rgb: R'G'B' ``(H, W, 3)`` float32 in [0, 1].

    Returns:
        ``(H, W, 3)`` uint8 R, G, B.
    """
    frame = _frame(rgb)
    out = np.empty(frame.shape, np.uint8)
    _paint_luma(frame, _FALSE_COLOUR_TABLE, out)
    return out


def difference(before: RGBArray, after: RGBArray, gain: float = 2.0) -> RGBArray:
    """What changed: black where nothing did, and the lighter the more, in the colours of the change.

    Args:
        before: R'G'B' ``(H, W, 3)`` float32 in [0, 1].
        after: Of the same shape.
        gain: How much it is exaggerated; at 1 the whole range of differences fits, above 1 strong ones are cut off.

    Returns:
        ``(H, W, 3)`` float32 in [0, 1]: ``gain |after - before|``, so 0 where nothing changed.

    Raises:
        ValueError: The shapes differ.
    """
    first, second = _pair(before, after)
    out = np.empty(first.shape, np.float32)
    _subtract(first, second, np.float32(gain), out)
    return out


def gain_stops(before: RGBArray, after: RGBArray) -> npt.NDArray[np.float32]:
    """Gain ``(H, W)`` in stops: log2 of the ratio of linear luma (BT.709 weights, sRGB curve).

    Args:
        before: R'G'B' ``(H, W, 3)`` float32 in [0, 1].
        after: Of the same shape.

    Returns:
        ``(H, W)`` float32; luma below -12 stops counts as that, so the gain is within +-12.

    Raises:
        ValueError: The shapes differ.
    """
    first, second = _pair(before, after)
    out = np.empty(first.shape[:2], np.float32)
    _divide_light(first, second, _LINEAR_TABLE, np.float32(DARKEST_LIGHT), out)
    return np.log2(out, out=out)


def _frame(rgb: RGBArray) -> RGBArray:
    return np.ascontiguousarray(rgb, dtype=np.float32)


def _pair(before: RGBArray, after: RGBArray) -> tuple[RGBArray, RGBArray]:
    if before.shape != after.shape:
        raise ValueError(f"one picture is {before.shape}, the other {after.shape}")
    return _frame(before), _frame(after)


def _columns(frame: RGBArray, columns: int) -> tuple[npt.NDArray[np.int32], Counts]:
    """The trace's column of each column of the picture, and the pixels in each of them."""
    height, width = frame.shape[:2]
    count = min(columns, width)
    places = (np.arange(width) * count // width).astype(np.int32)
    return places, (np.bincount(places, minlength=count) * height).astype(np.uint32)


def _shares(counts: Counts, pixels: int | Counts) -> ShareArray:
    return (counts / np.asarray(pixels, np.float32)).astype(np.float32, copy=False)


def _false_colour_table() -> ByteArray:
    """The colour of each of `_TONES` levels of luma."""
    signal = np.arange(_TONES) / (_TONES - 1)
    table = np.repeat(np.round(255 * signal).astype(np.uint8)[:, None], 3, axis=1)
    for band in FALSE_COLOUR:
        # Full white belongs to the highest band, which has no end.
        ends = signal >= signal_of_stops(band.high_stops) if np.isfinite(band.high_stops) else np.zeros(_TONES, bool)
        table[(signal >= signal_of_stops(band.low_stops)) & ~ends] = band.rgb
    return table


_FALSE_COLOUR_TABLE = _false_colour_table()

# One entry more than knots: the upper neighbour of 1.0.
_LINEAR_TABLE: RGBArray = np.append(srgb_to_linear(np.linspace(0, 1, _TABLE_SIZE + 1, dtype=np.float32)), 1).astype(
    np.float32
)

_RED, _GREEN, _BLUE = (np.float32(weight) for weight in LUMA_WEIGHTS)
_CB_BINS = np.float32(CHROMA_SPAN / (2.0 * (1.0 - LUMA_WEIGHTS[2])))
_CR_BINS = np.float32(CHROMA_SPAN / (2.0 * (1.0 - LUMA_WEIGHTS[0])))


@numba.njit(inline="always")
def _level(value: np.float32, top: np.float32) -> int:
    """The level next to a value, 0 to ``top``; what is no number is 0."""
    if not value > np.float32(0):
        return 0
    return int(min(value, np.float32(1)) * top + np.float32(0.5))


@numba.njit(inline="always")
def _luma(rgb: RGBArray, y: int, x: int) -> np.float32:
    return _RED * rgb[y, x, 0] + _GREEN * rgb[y, x, 1] + _BLUE * rgb[y, x, 2]


@numba.njit(cache=True, nogil=True)
def _count_levels(rgb: RGBArray, counts: Counts) -> None:
    top = np.float32(LEVELS - 1)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            counts[0, _level(_luma(rgb, y, x), top)] += np.uint32(1)
            for channel in range(3):
                counts[channel + 1, _level(rgb[y, x, channel], top)] += np.uint32(1)


@numba.njit(cache=True, nogil=True)
def _count_luma_columns(rgb: RGBArray, places: npt.NDArray[np.int32], counts: Counts) -> None:
    top = np.float32(LEVELS - 1)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            counts[_level(_luma(rgb, y, x), top), places[x]] += np.uint32(1)


@numba.njit(cache=True, nogil=True)
def _count_rgb_columns(rgb: RGBArray, places: npt.NDArray[np.int32], counts: Counts) -> None:
    top = np.float32(LEVELS - 1)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            for channel in range(3):
                counts[channel, _level(rgb[y, x, channel], top), places[x]] += np.uint32(1)


@numba.njit(cache=True, nogil=True)
def _count_chroma(rgb: RGBArray, counts: Counts) -> None:
    # Half a bin, so that rounding down rounds to the nearest and a grey is not parted between two bins.
    centre = np.float32(CHROMA_BINS // 2) + np.float32(0.5)
    top = CHROMA_BINS - 1
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            luma = _luma(rgb, y, x)
            right = (rgb[y, x, 2] - luma) * _CB_BINS + centre
            up = (rgb[y, x, 0] - luma) * _CR_BINS + centre
            column = min(int(right), top) if right > np.float32(0) else 0
            row = min(int(up), top) if up > np.float32(0) else 0
            counts[row, column] += np.uint32(1)


@numba.njit(cache=True, nogil=True)
def _mark_clipping(source: RGBArray, result: RGBArray, margin: np.float32, codes: ByteArray) -> None:
    high, low = np.float32(1) - margin, margin
    for y in range(source.shape[0]):
        for x in range(source.shape[1]):
            red, green, blue = source[y, x, 0], source[y, x, 1], source[y, x, 2]
            after_red, after_green, after_blue = result[y, x, 0], result[y, x, 1], result[y, x, 2]
            code = 0
            if max(red, green, blue) >= high:
                code = 1
            elif max(red, green, blue) <= low:
                code = 2
            elif max(after_red, after_green, after_blue) >= high:
                code = 3
            elif max(after_red, after_green, after_blue) <= low:
                code = 4
            codes[y, x] = np.uint8(code)


@numba.njit(cache=True, nogil=True)
def _paint_luma(rgb: RGBArray, table: ByteArray, out: ByteArray) -> None:
    top = np.float32(table.shape[0] - 1)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            level = _level(_luma(rgb, y, x), top)
            for channel in range(3):
                out[y, x, channel] = table[level, channel]


@numba.njit(cache=True, nogil=True)
def _subtract(before: RGBArray, after: RGBArray, factor: np.float32, out: RGBArray) -> None:
    one = np.float32(1)
    for y in range(before.shape[0]):
        for x in range(before.shape[1]):
            for channel in range(3):
                out[y, x, channel] = min(factor * abs(after[y, x, channel] - before[y, x, channel]), one)


@numba.njit(inline="always")
def _light(value: np.float32, table: RGBArray) -> np.float32:
    """Linear light of a value, from the table of the curve joined linearly."""
    place = min(value if value > np.float32(0) else np.float32(0), np.float32(1)) * np.float32(_TABLE_SIZE)
    knot = int(place)
    return table[knot] + (place - np.float32(knot)) * (table[knot + 1] - table[knot])


@numba.njit(inline="always")
def _light_luma(rgb: RGBArray, y: int, x: int, table: RGBArray) -> np.float32:
    red, green, blue = _light(rgb[y, x, 0], table), _light(rgb[y, x, 1], table), _light(rgb[y, x, 2], table)
    return _RED * red + _GREEN * green + _BLUE * blue


@numba.njit(cache=True, nogil=True)
def _divide_light(before: RGBArray, after: RGBArray, table: RGBArray, floor: np.float32, out: RGBArray) -> None:
    for y in range(before.shape[0]):
        for x in range(before.shape[1]):
            out[y, x] = max(_light_luma(after, y, x, table), floor) / max(_light_luma(before, y, x, table), floor)
