"""Finds the time between two recordings of one scene from what moves in them, whatever their exposure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vecnet_core.data.capture.registration import (
    SURE,
    Plane,
    Registration,
    Similarity,
    Structure,
    cross_correlation,
    reduce_plane,
    register,
    structure,
    taper,
    vertex,
    warp_structure,
)

TRACK_SHORT_SIDE = 48
"""Pictures are kept at about this size: 8 kB each at 16:9, so ten minutes at 30 pictures a second take 147 MB."""

SIGNIFICANT = 0.2
"""Least `Offset.agreement` of recordings that change alike. Measured on nine clips of footage made -3 stops darker or
+1.5 brighter, with noise: 0.41 to 0.98 at the true offset; at most 0.10 over thirty pairs of different scenes."""

_CELLS = 3
_TRIED_LAGS = 5
_TRIED_PICTURES = 6
_SAMPLES = 100


class Track:
    """The small structures of a recording, one after the other, and how they move.

    Args:
        height: Rows of its pictures.
        width: Columns of its pictures.
    """

    def __init__(self, height: int, width: int) -> None:
        self._factor = max(1, min(height, width) // TRACK_SHORT_SIDE)
        self._pictures: list[npt.NDArray[np.float16]] = []
        self._signals: list[npt.NDArray[np.float64]] = []

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._pictures)

    def add(self, luma: Plane) -> None:
        """Take the next picture: R'G'B' luma (H, W) in [0, 1]."""
        seen = structure(reduce_plane(luma, self._factor))
        picture = seen.values * seen.weight
        if self._pictures:
            self._signals.append(_motion(self._pictures[-1].astype(np.float32), picture))
        self._pictures.append(picture.astype(np.float16))

    def hold_until(self, count: int) -> None:
        """Repeat the last picture until there are so many."""
        while self._pictures and len(self) < count:
            self._signals.append(_motion(*[self._pictures[-1].astype(np.float32)] * 2))
            self._pictures.append(self._pictures[-1])

    def picture(self, index: int) -> Structure:
        """A picture's small structure."""
        values = self._pictures[index].astype(np.float32)
        return Structure(values, np.ones_like(values))

    @property
    def moves(self) -> bool:
        """Whether something moves: changes go on over four pictures as noise does not, or some places change much."""
        if len(self) < 5:
            return False
        starts = np.unique(np.linspace(0, len(self) - 5, _SAMPLES).astype(int))
        first, second, fifth = (
            np.array([self._pictures[start + step] for start in starts], np.float32) for step in (0, 1, 4)
        )
        content = float((first**2).mean())
        soon, later = float(((second - first) ** 2).mean()), float(((fifth - first) ** 2).mean())
        drifts = later > 1.5 * soon and later - soon > 0.003 * content
        # 0.12 was reached by noise of 0.02 at -2 stops, 1.5 by a ball that fills a tenth of the picture.
        return drifts or float(np.quantile(first.var(0), 0.99)) > 0.3 * content

    @property
    def signals(self) -> npt.NDArray[np.float64]:
        """(T - 1, 11): shift of the whole in pixels, x and y, and log of what else changes in 3 x 3 cells."""
        return np.array(self._signals).reshape(len(self._signals), 2 + _CELLS * _CELLS)

    @property
    def energy(self) -> npt.NDArray[np.float64]:
        """(T - 1,) how much changes from each picture to the next, beside the shift of the whole."""
        return self.signals[:, 2:].mean(1)


@dataclass(frozen=True)
class Offset:
    """The time between two recordings.

    Attributes:
        frames: Picture ``i`` of the bad one was taken with picture ``i + frames`` of the good one.
        agreement: Correlation of what changes in both, -1 to 1.
        runner_up: The best such correlation of another offset, not next to it; equal ones tell of repeated motion.
    """

    frames: int
    agreement: float
    runner_up: float


def find_offset(bad: Track, good: Track, max_frames: int) -> Offset:
    """The offset at which both recordings change alike; `Offset.agreement` tells whether they do at all.

    The motion of all pictures proposes offsets; the changes themselves, registered, decide between them.
    """
    lags = _lags(len(bad), len(good), max_frames)
    if not lags:
        return Offset(0, 0.0, 0.0)
    shown, wanted = bad.signals, good.signals
    scores = {lag: _signal_score(shown, wanted, lag) for lag in lags}
    peaks = [lag for lag in lags if scores[lag] >= max(scores.get(lag - 1, -9.0), scores.get(lag + 1, -9.0))]
    peaks = sorted(peaks, key=lambda lag: -scores[lag])[:_TRIED_LAGS]
    tried: dict[int, float] = {}
    place: Similarity | None = None

    def score(lag: int) -> float:
        nonlocal place
        if lag not in tried:
            tried[lag], place = _change_score(bad, good, lag, place)
        return tried[lag]

    for lag in (*peaks, *({0} & scores.keys())):
        score(lag)
    best = max(tried, key=lambda lag: tried[lag])
    while any(lag in scores and score(lag) > tried[best] for lag in (best - 1, best + 1)):
        best = max(tried, key=lambda lag: tried[lag])
    others = [value for lag, value in tried.items() if abs(lag - best) > 1]
    return Offset(best, tried[best], max(others, default=0.0))


def overlap(bad_count: int, good_count: int, lag: int) -> range:
    """Numbers of the bad recording's pictures that the good one has too."""
    return range(max(0, -lag), min(bad_count, good_count - lag))


def _lags(bad_count: int, good_count: int, max_frames: int) -> list[int]:
    """Offsets at which a quarter of the shorter recording, and at least two pictures, can be compared."""
    least = max(2, min(bad_count, good_count) // 4)
    every = range(-max_frames, max_frames + 1)
    return [lag for lag in every if len(overlap(bad_count, good_count, lag)) >= least]


def _motion(before: Plane, after: Plane) -> npt.NDArray[np.float64]:
    """How the whole shifts, and how much each part changes beside that."""
    window = taper(before.shape)
    surface = cross_correlation(after * window, before * window)
    peak = int(surface.argmax())
    height, width = surface.shape
    row, column = divmod(peak, width)
    across = vertex(surface[row, column - 1], surface[row, column], surface[row, (column + 1) % width])
    down = vertex(surface[row - 1, column], surface[row, column], surface[(row + 1) % height, column])
    shift = [(column + width // 2) % width - width // 2 + across, (row + height // 2) % height - height // 2 + down]
    moved = warp_structure(Structure(after, np.ones_like(after)), Similarity(1 + 0j, complex(*shift)), before.shape)
    squares = (moved.values - before) ** 2 * moved.weight
    cells = [part.mean() for rows in np.array_split(squares, _CELLS) for part in np.array_split(rows, _CELLS, axis=1)]
    return np.array([*shift, *(0.5 * np.log(np.array(cells) + 1e-3))], np.float64)


def _signal_score(bad: npt.NDArray[np.float64], good: npt.NDArray[np.float64], lag: int) -> float:
    """How alike the motion is at an offset, in standard deviations of what chance gives."""
    part = overlap(len(bad), len(good), lag)
    if len(part) < 2:
        return 0.0
    one, other = (_standard(rows) for rows in (bad[part.start : part.stop], good[part.start + lag : part.stop + lag]))
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    alike = float((one * other).sum()) / norms if norms > 0 else 0.0
    return math.atanh(min(max(alike, -0.999), 0.999)) * math.sqrt(len(part))


def _standard(signals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Signals of zero mean and, unless they hardly change, unit spread."""
    return (signals - signals.mean(0)) / (signals.std(0) + 0.03)


def _change_score(bad: Track, good: Track, lag: int, start: Similarity | None) -> tuple[float, Similarity | None]:
    """Correlation of what changes at an offset, over the pictures in which most does; and how the pictures lie.

    Taken twice, as it is and with the motion of both cameras removed, and the better one counts: cameras that move
    together are told by their motion, cameras that shake each by itself only by what moves before them.
    """
    part = overlap(len(bad) - 1, len(good) - 1, lag)
    energy = bad.energy[part.start : part.stop] + good.energy[part.start + lag : part.stop + lag]
    busiest = part.start + np.argsort(-energy)[:_TRIED_PICTURES]
    raw, steady = np.zeros(3), np.zeros(3)
    lost = 0
    for index in (int(each) for each in busiest):
        here, there = bad.picture(index), good.picture(index + lag)
        found = _place(here, there, start)
        if found.strength < SURE:
            lost += 1
            if lost > _TRIED_PICTURES // 3:
                return 0.0, start
            continue
        start = found.transform
        one, other = bad.picture(index + 1), good.picture(index + lag + 1)
        before, after = (warp_structure(each, start, here.values.shape) for each in (there, other))
        raw += _products(one.values - here.values, after.values - before.values, before.weight)
        follow = warp_structure(other, _place(here, other, start).transform, here.values.shape)
        follow_bad = warp_structure(one, _place(here, one, Similarity()).transform, here.values.shape)
        weight = before.weight * follow.weight * follow_bad.weight
        steady += _products(follow_bad.values - here.values, follow.values - before.values, weight)
    return max(float(sums[2] / math.sqrt(sums[0] * sums[1] + 1e-9)) for sums in (raw, steady)), start


def _place(bad: Structure, good: Structure, start: Similarity | None) -> Registration:
    """Where a small picture lies in another: near a start, or else anywhere."""
    if start is not None:
        found = register([bad], [good], start)
        if found.strength >= SURE:
            return found
    return register([bad], [good])


def _products(one: Plane, other: Plane, weight: Plane) -> npt.NDArray[np.float64]:
    """Sums of one squared, other squared, and their product."""
    return np.array([float((weight * product).sum()) for product in (one * one, other * other, one * other)])
