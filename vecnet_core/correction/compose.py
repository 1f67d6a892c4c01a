"""compose: apply an analysis to a frame at any size, in one pass over its pixels.

No compiler is needed on the user's machine: numba makes the machine code and caches it on disk. It is the same
arithmetic as `network.vecnet.VECNet.render`, and a test holds the two together.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from vecnet_core.frame import Place, RGBArray
from vecnet_core.metrics.exposure import linear_luma
from vecnet_core.settings import CorrectionSettings

if TYPE_CHECKING:
    from vecnet_core.correction.analysis import Analysis

DISPLAY_GAMMA = 2.2
TONE_SIZE = 4096
EXP_SIZE = 2048
EXP_RANGE = 24.0
EXP_TABLE = np.exp(np.linspace(-EXP_RANGE, 0.0, EXP_SIZE)).astype(np.float32)
CHANNELS = 16
ROWS_A_TASK = 64
DARKEST_LIGHT = 0.9 * 0.08  # of `network.illumination`: 0.9 FLOOR
NEUTRAL_FROM = 0.95  # of `network.synthesis`
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class CorrectionMaps:
    """Everything one corrected frame was made from; float32, ``(H, W, 3)`` in [0, 1] unless said.

    Attributes:
        source: The frame as decoded.
        relit: The source in the clip's common light, which the candidates start from.
        illumination_under: Light the brightened candidate was divided by.
        illumination_over: Light of the inverse the darkened candidate was divided by.
        brightened: Candidate of the under-exposure stream.
        darkened: Candidate of the over-exposure stream.
        synthesised: Third candidate.
        weights: Fusion weights of the three, summing to 1.
        reflectance: The frame with its light divided out: source over the light that the correction accounts for.
        gain_stops: ``(H, W)`` stops of light from source to result.
        corrected: ``relit + sum_k s_k w_k (candidate_k - relit)``, trimmed.
    """

    source: RGBArray
    relit: RGBArray
    illumination_under: RGBArray
    illumination_over: RGBArray
    brightened: RGBArray
    darkened: RGBArray
    synthesised: RGBArray
    weights: RGBArray
    reflectance: RGBArray
    gain_stops: RGBArray
    corrected: RGBArray


@numba.njit(inline="always")
def _relight(x: np.float32, factor: np.float32) -> np.float32:
    s = min(max((x - np.float32(0.92)) * np.float32(12.5), np.float32(0.0)), np.float32(1.0))
    keep_white = (np.float32(1.0) - min(factor, np.float32(1.0))) * s * s * (np.float32(3.0) - np.float32(2.0) * s)
    return min(x * factor + keep_white, np.float32(1.0))


@numba.njit(inline="always")
def _place(position: int, cells: int, size: int) -> tuple[int, int, np.float32]:
    """Neighbouring cells and the share of the second, for a pixel centre among cell centres, edges repeated."""
    at = (position + np.float32(0.5)) * np.float32(cells) / np.float32(size) - np.float32(0.5)
    at = min(max(at, np.float32(0.0)), np.float32(cells - 1))
    low = int(at)
    return low, min(low + 1, cells - 1), at - np.float32(low)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _compose_rows(
    source: RGBArray,
    out: RGBArray,
    first: int,
    last: int,
    under: RGBArray,
    over: RGBArray,
    tone: RGBArray,
    grid: RGBArray,
    guide: RGBArray,
    exp_table: RGBArray,
    gain: np.float32,
    trim: np.float32,
    shadows: np.float32,
    highlights: np.float32,
    strength: np.float32,
    top: int,
    left: int,
    height: int,
    width: int,
    maps: RGBArray,
) -> None:
    rows, depth, columns = grid.shape[0], grid.shape[1], grid.shape[2]
    map_rows, map_columns = under.shape[0], under.shape[1]
    one, zero = np.float32(1.0), np.float32(0.0)
    half, floor, darkest = np.float32(0.5), np.float32(1e-4), np.float32(DARKEST_LIGHT)
    line = np.empty((depth, columns, CHANNELS), np.float32)
    light = np.empty((2, map_columns, 4), np.float32)
    cell = np.empty(CHANNELS, np.float32)
    x = np.empty(3, np.float32)
    toned = np.empty(3, np.float32)
    made = np.empty(3, np.float32)
    candidates = np.empty((3, 3), np.float32)
    lights = np.empty((2, 3), np.float32)
    weights = np.empty(3, np.float32)
    has_maps = maps.shape[0] > 1
    to_exp = np.float32((EXP_SIZE - 1) / EXP_RANGE)
    for y in range(first, last):
        low, high, part = _place(top + y, rows, height)
        for z in range(depth):
            for column in range(columns):
                for c in range(CHANNELS):
                    a = grid[low, z, column, c]
                    line[z, column, c] = a + part * (grid[high, z, column, c] - a)
        low, high, part = _place(top + y, map_rows, height)
        for column in range(map_columns):
            for c in range(4):
                light[0, column, c] = under[low, column, c] + part * (under[high, column, c] - under[low, column, c])
                light[1, column, c] = over[low, column, c] + part * (over[high, column, c] - over[low, column, c])
        for i in range(source.shape[1]):
            at = zero
            for c in range(3):
                raw = min(max(source[y, i, c], zero), one)
                x[c] = _relight(raw, gain)
                place = np.sqrt(x[c]) * np.float32(TONE_SIZE - 1)
                knot = min(int(place), TONE_SIZE - 2)
                below = tone[c, knot]
                toned[c] = below + (place - np.float32(knot)) * (tone[c, knot + 1] - below)
                at += guide[c] * toned[c]
            # Trilinear look-up: the row is done above, so four neighbours in (depth, column) are left.
            at = min(max(at, zero), one) * np.float32(depth) - np.float32(0.5)
            at = min(max(at, zero), np.float32(depth - 1))
            z0 = int(at)
            z1 = min(z0 + 1, depth - 1)
            share_z = at - np.float32(z0)
            c0, c1, share_x = _place(left + i, columns, width)
            w00 = (one - share_z) * (one - share_x)
            w01 = (one - share_z) * share_x
            w10 = share_z * (one - share_x)
            w11 = share_z * share_x
            for c in range(CHANNELS):
                cell[c] = w00 * line[z0, c0, c] + w01 * line[z0, c1, c] + w10 * line[z1, c0, c] + w11 * line[z1, c1, c]
            # Softmax of the three logits, from a table of exp below 0.
            most = max(cell[12], max(cell[13], cell[14]))
            total = zero
            for k in range(3):
                place = (max(cell[12 + k] - most, np.float32(-EXP_RANGE)) + np.float32(EXP_RANGE)) * to_exp
                knot = min(int(place), EXP_SIZE - 2)
                share = place - np.float32(knot)
                weights[k] = exp_table[knot] + share * (exp_table[knot + 1] - exp_table[knot])
                total += weights[k]
            for k in range(3):
                weights[k] /= total
            m0, m1, share_m = _place(left + i, map_columns, width)
            rise = light[0, m0, 3] + share_m * (light[0, m1, 3] - light[0, m0, 3])
            rise_over = light[1, m0, 3] + share_m * (light[1, m1, 3] - light[1, m0, 3])
            grey = zero
            for c in range(3):
                value = toned[c] + cell[4 * c + 3]
                value += cell[4 * c] * toned[0] + cell[4 * c + 1] * toned[1] + cell[4 * c + 2] * toned[2]
                made[c] = min(max(value, zero), one)
                grey += made[c] / np.float32(3.0)
            neutral = (min(x[0], min(x[1], x[2])) - np.float32(NEUTRAL_FROM)) / np.float32(1.0 - NEUTRAL_FROM)
            neutral = min(max(neutral, zero), one)
            neutral *= neutral * (np.float32(3.0) - np.float32(2.0) * neutral)
            for c in range(3):
                v = x[c]
                lit = light[0, m0, c] + share_m * (light[0, m1, c] - light[0, m0, c]) + rise * (v - half)
                lit = min(max(lit, darkest), one)
                lit_over = light[1, m0, c] + share_m * (light[1, m1, c] - light[1, m0, c]) + rise_over * (half - v)
                lit_over = min(max(lit_over, darkest), one)
                safe = max(v, floor)
                inverse = max(one - v, floor)
                brightened = safe / max(lit, safe)
                darkened = one - inverse / max(lit_over, inverse)
                made[c] += neutral * (grey - made[c])
                change = made[c] - v
                slider = shadows if change > zero else highlights
                value = v + strength * (
                    shadows * weights[0] * (brightened - v)
                    + highlights * weights[1] * (darkened - v)
                    + slider * weights[2] * change
                )
                value = min(max(value, zero), one)
                if trim != one:
                    value = _relight(value, trim)
                out[y, i, c] = value
                candidates[0, c], candidates[1, c], candidates[2, c] = brightened, darkened, made[c]
                lights[0, c], lights[1, c] = lit, lit_over
            if has_maps:
                for c in range(3):
                    maps[0, y, i, c] = x[c]
                    maps[1, y, i, c] = lights[0, c]
                    maps[2, y, i, c] = lights[1, c]
                    for k in range(3):
                        maps[3 + k, y, i, c] = candidates[k, c]
                    maps[6, y, i, c] = weights[c]


@numba.njit(cache=True, nogil=True)
def _relight_all(frame: RGBArray, factor: np.float32) -> RGBArray:
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            for c in range(3):
                out[y, x, c] = _relight(frame[y, x, c], factor)
    return out


def relight(frame: RGBArray, gain_ev: float) -> RGBArray:
    """A frame ``(H, W, 3)`` with ``gain_ev`` stops more light, exactly as `compose` does it; white stays white."""
    return frame if gain_ev == 0.0 else _relight_all(frame, np.float32(2.0 ** (gain_ev / DISPLAY_GAMMA)))


NO_MAPS = np.empty((1, 1, 1, 3), np.float32)


def tone_table(analysis: Analysis) -> RGBArray:
    """The analysis' curves ``(3, TONE_SIZE)`` over the squares of even steps."""
    x = np.linspace(0.0, 1.0, TONE_SIZE) ** 2
    knots = analysis.curve_values.shape[1]
    t = np.clip(x, 1e-5, 1.0) ** analysis.curve_exponent
    even = np.linspace(0.0, 1.0, knots)
    return np.stack([np.interp(t, even, values) for values in analysis.curve_values]).astype(np.float32)


def _run(
    rgb: RGBArray,
    analysis: Analysis,
    settings: CorrectionSettings,
    gain_ev: float,
    maps: RGBArray,
    place: Place | None,
) -> RGBArray:
    source = np.ascontiguousarray(rgb, dtype=np.float32)
    height, width = source.shape[:2]
    at = place or Place(0, 0, height, width)
    out = np.empty_like(source)
    light_ev = settings.steadiness * settings.strength * (gain_ev + analysis.gain_ev)
    arguments = (
        analysis.illumination_under,
        analysis.illumination_over,
        tone_table(analysis),
        analysis.grid,
        analysis.guide,
        EXP_TABLE,
        np.float32(2.0 ** (light_ev / DISPLAY_GAMMA)),
        np.float32(2.0 ** (settings.exposure_ev / DISPLAY_GAMMA)),
        np.float32(settings.shadows),
        np.float32(settings.highlights),
        np.float32(settings.strength),
        at.top,
        at.left,
        at.height,
        at.width,
        maps,
    )
    starts = range(0, height, ROWS_A_TASK)
    if len(starts) == 1:
        _compose_rows(source, out, 0, height, *arguments)
        return out
    with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as threads:
        tasks = [
            threads.submit(_compose_rows, source, out, start, min(start + ROWS_A_TASK, height), *arguments)
            for start in starts
        ]
        for task in tasks:
            task.result()
    return out


def compose(
    rgb: RGBArray,
    analysis: Analysis,
    settings: CorrectionSettings | None = None,
    gain_ev: float = 0.0,
    place: Place | None = None,
) -> RGBArray:
    """Correct one frame with its analysis.

    Args:
        rgb: ``(H, W, 3)`` float32 R'G'B' in [0, 1], any size.
        analysis: Of this frame.
        settings: The sliders; the network's own answer when left out.
        gain_ev: Stops that bring the frame to the clip's steady light, see `correction.stabilise`.
        place: Where ``rgb`` lies in its frame, when it is only a part of it: it becomes what that part of the whole
            would.

    Returns:
        ``(H, W, 3)`` float32 in [0, 1]; the input itself when the settings are neutral.
    """
    settings = settings or CorrectionSettings()
    if settings.is_neutral:
        return rgb
    return _run(rgb, analysis, settings, gain_ev, NO_MAPS, place)


def compose_maps(
    rgb: RGBArray,
    analysis: Analysis,
    settings: CorrectionSettings | None = None,
    gain_ev: float = 0.0,
    place: Place | None = None,
) -> CorrectionMaps:
    """`compose`, and everything the result was made from, in the same pass."""
    settings = settings or CorrectionSettings()
    source = np.ascontiguousarray(rgb, dtype=np.float32)
    maps = np.empty((7, *source.shape), np.float32)
    corrected = _run(source, analysis, settings, gain_ev, maps, place)
    # The light the whole correction accounts for: one factor a pixel, so that the reflectance keeps the frame's colour.
    floor = np.float32(1 / 512)
    light = (np.maximum(source @ LUMA, floor) / np.maximum(corrected @ LUMA, floor))[..., None]
    return CorrectionMaps(
        source=source,
        relit=maps[0],
        illumination_under=maps[1],
        illumination_over=maps[2],
        brightened=maps[3],
        darkened=maps[4],
        synthesised=maps[5],
        weights=maps[6],
        reflectance=np.clip(source / np.maximum(light, 0.02), 0.0, 1.0).astype(np.float32),
        gain_stops=stops_between(source, corrected),
        corrected=corrected,
    )


def stops_between(before: RGBArray, after: RGBArray) -> RGBArray:
    """Gain ``(H, W)`` in stops: log2 of the ratio of linear luma of two pictures ``(H, W, 3)``; black is -12 stops."""
    floor = np.float32(2.0**-12)
    return np.log2(np.maximum(linear_luma(after), floor) / np.maximum(linear_luma(before), floor))
