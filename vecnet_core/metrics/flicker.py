"""How much a clip flickers: its exposure over time without the slow part, in stops."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Curve = npt.NDArray[np.float64]

SLOW_HZ = 1.0
"""Half of the amplitude at this frequency belongs to the slow part; changes below are drift, above flicker."""

MIN_FRAMES = 3
"""A straight line passes through any two frames: shorter segments show no flicker and are not counted."""


@dataclass(frozen=True)
class Flicker:
    """What is left of a clip's exposure once slow changes are taken away.

    Attributes:
        stops: RMS of the fast part in stops; 0 where fewer than three frames can be compared.
        peak_frequency_hz: Frequency of the strongest regular component; 0 when there is none.
        amplitude_stops: Amplitude (half of peak to peak) of that component in stops.
        fast_ev: The fast part of every frame in stops, NaN for frames that are left out; see `fast_part`.
    """

    stops: float
    peak_frequency_hz: float = 0.0
    amplitude_stops: float = 0.0
    fast_ev: Curve = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)


def flicker(
    exposures_ev: npt.ArrayLike, frame_rate: float, cuts: Iterable[int] = (), duplicates: Iterable[int] = ()
) -> Flicker:
    """Flicker of a clip, needing no reference.

    Args:
        exposures_ev: Exposure of every frame in stops, see `metrics.exposure.exposure_ev`.
        frame_rate: Frames per second.
        cuts: Index of every first frame after a scene cut.
        duplicates: Index of every frame that repeats the one before it; these are left out.

    Returns:
        RMS of the fast part over all counted frames, and its strongest regular component. Segments between cuts with
        fewer than three frames of their own count for nothing; a clip with no longer segment has flicker 0.
    """
    exposures = np.asarray(exposures_ev, dtype=np.float64)
    fast = fast_part(exposures, frame_rate, cuts, duplicates)
    counted = np.isfinite(fast)
    if not counted.any():
        return Flicker(0.0, fast_ev=fast)
    frequency, amplitude = _strongest(fast, segments(exposures.size, cuts), frame_rate)
    return Flicker(float(np.sqrt(np.mean(fast[counted] ** 2))), frequency, amplitude, fast)


def fast_part(
    exposures_ev: npt.ArrayLike, frame_rate: float, cuts: Iterable[int] = (), duplicates: Iterable[int] = ()
) -> Curve:
    """Exposure of every frame minus the slow part of its segment, in stops; NaN for frames that are left out."""
    exposures = np.asarray(exposures_ev, dtype=np.float64)
    own = np.ones(exposures.size)
    own[[index for index in duplicates if 0 <= index < exposures.size]] = 0.0
    own[~np.isfinite(exposures)] = 0.0
    fast = np.full(exposures.size, np.nan)
    for first, last in segments(exposures.size, cuts):
        part = slice(first, last)
        if np.count_nonzero(own[part]) < MIN_FRAMES:
            continue
        rest = exposures[part] - slow_part(exposures[part], frame_rate, own[part])
        fast[part] = np.where(own[part] > 0, rest, np.nan)
    return fast


def slow_part(exposures_ev: npt.ArrayLike, frame_rate: float, weights: npt.ArrayLike | None = None) -> Curve:
    """Changes below `SLOW_HZ` of one segment without cuts: a zero-phase low-pass that is true up to both ends.

    It is the curve s that minimises ``sum w (E - s)^2 + k sum (s'')^2`` (Whittaker's smoother). Far from the ends its
    response is that of a second-order Butterworth filter run forwards and backwards, ``1 / (1 + (f / SLOW_HZ)^4)``;
    at the ends nothing is padded or mirrored: a straight drift stays exactly a straight drift.

    Args:
        exposures_ev: Exposure of every frame in stops, or (T, K) curves that are smoothed each for itself.
        frame_rate: Frames per second.
        weights: Trust in every frame, 0 to leave it out (its value is then bridged); all 1 by default.

    Returns:
        The slow part, of the shape of `exposures_ev`.
    """
    exposures = np.asarray(exposures_ev, dtype=np.float64)
    count = exposures.shape[0]
    trust = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    if count < MIN_FRAMES or np.count_nonzero(trust) < 2:
        return exposures.copy()
    turn = 2.0 * math.pi * _slow_hz(frame_rate) / frame_rate
    stiffness = (2.0 * math.sin(turn / 2.0)) ** -4
    curves = np.where(trust[:, None] > 0, exposures.reshape(count, -1), 0.0)
    return _smooth(curves, trust, stiffness).reshape(exposures.shape)


def flicker_error(
    output_ev: npt.ArrayLike, reference_ev: npt.ArrayLike, cuts: Iterable[int] = (), duplicates: Iterable[int] = ()
) -> float:
    """Flicker against a reference: mean of ``|d E_out - d E_ref|`` in stops, d from frame to frame.

    Args:
        output_ev: Exposure of every frame (T,), or of every frame and cell (T, ...), in stops.
        reference_ev: The same of the reference.
        cuts: Index of every first frame after a scene cut; no difference is taken across it.
        duplicates: Index of every frame that repeats the one before it; left out likewise.

    Returns:
        The mean over frames and cells; 0 for fewer than two frames.
    """
    error = np.asarray(output_ev, dtype=np.float64) - np.asarray(reference_ev, dtype=np.float64)
    left_out = {*cuts, *duplicates}
    steps = [index for index in range(1, error.shape[0]) if index not in left_out]
    if not steps:
        return 0.0
    return float(np.mean(np.abs(error[steps] - error[[index - 1 for index in steps]])))


def segments(frame_count: int, cuts: Iterable[int] = ()) -> list[tuple[int, int]]:
    """Runs of frames without a cut inside, as (first, one past the last)."""
    inner = sorted({index for index in cuts if 0 < index < frame_count})
    edges = [0, *inner, frame_count]
    return [(first, last) for first, last in itertools.pairwise(edges) if last > first]


def _slow_hz(frame_rate: float) -> float:
    """The cut-off: `SLOW_HZ`, but a tenth of the frame rate in clips of fewer than ten frames a second."""
    return min(SLOW_HZ, frame_rate / 10.0)


def _strongest(fast: Curve, runs: Sequence[tuple[int, int]], frame_rate: float) -> tuple[float, float]:
    """Frequency in Hz and amplitude in stops of the strongest sinusoid in the longest run that is counted."""
    parts = [fast[first:last] for first, last in runs if np.isfinite(fast[first:last]).any()]
    longest = max(parts, key=len)
    times = np.arange(longest.size)
    known = np.isfinite(longest)
    signal = np.interp(times, times[known], longest[known])
    window = np.hanning(signal.size + 2)[1:-1]
    size = 4 * (1 << (signal.size - 1).bit_length())
    power = np.abs(np.fft.rfft(signal * window, size))
    power[np.fft.rfftfreq(size, 1.0 / frame_rate) < _slow_hz(frame_rate)] = 0.0
    peak = int(np.argmax(power))
    if power[peak] <= 1e-9 * window.sum():
        return 0.0, 0.0
    # A fit, not the height of the peak: at half the frame rate the two sides of the spectrum add up.
    angles = 2.0 * math.pi * peak / size * times[known]
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    parts_of_wave = np.linalg.lstsq(waves, longest[known], rcond=1e-3)[0]
    return peak / size * frame_rate, float(np.hypot(*parts_of_wave))


@numba.njit(cache=True, nogil=True)
def _smooth(curves: Curve, trust: Curve, stiffness: float) -> Curve:
    """Solve ``(diag(trust) + stiffness D'D) s = trust E`` (D: second differences) by a banded Cholesky (LDL') sweep."""
    count, curve_count = curves.shape
    diagonal = np.empty(count)
    first = np.zeros(count)
    second = np.zeros(count)
    solution = np.empty_like(curves)
    for i in range(count):
        main = 0.0
        beside = 0.0
        # Row i of D'D: every second difference (j, j + 1, j + 2) = (1, -2, 1) that touches frame i.
        for j in range(max(0, i - 2), min(i, count - 3) + 1):
            own = -2.0 if i - j == 1 else 1.0
            main += own * own
            if i + 1 - j <= 2:
                beside += own * (-2.0 if i + 1 - j == 1 else 1.0)
        diagonal[i] = trust[i] + stiffness * main
        if i + 1 < count:
            first[i] = stiffness * beside
        if i + 2 < count:
            second[i] = stiffness
        if i >= 1:
            diagonal[i] -= first[i - 1] ** 2 * diagonal[i - 1]
        if i >= 2:
            diagonal[i] -= second[i - 2] ** 2 * diagonal[i - 2]
        if i >= 1 and i + 1 < count:
            first[i] -= first[i - 1] * second[i - 1] * diagonal[i - 1]
        first[i] /= diagonal[i]
        second[i] /= diagonal[i]
    for k in range(curve_count):
        for i in range(count):
            value = trust[i] * curves[i, k]
            if i >= 1:
                value -= first[i - 1] * solution[i - 1, k]
            if i >= 2:
                value -= second[i - 2] * solution[i - 2, k]
            solution[i, k] = value
        for i in range(count - 1, -1, -1):
            value = solution[i, k] / diagonal[i]
            if i + 1 < count:
                value -= first[i] * solution[i + 1, k]
            if i + 2 < count:
                value -= second[i] * solution[i + 2, k]
            solution[i, k] = value
    return solution
