"""Finds where one picture lies in another, to a fraction of a pixel and whatever their exposure.

What is compared is the structure of a picture: log luma, brought to zero mean and unit contrast in every small
neighbourhood. A change of exposure is nearly a constant there, and what is clipped has no weight. The search starts
with correlations over zoom and rotation at the smallest size and ends with Gauss-Newton steps on zoom, rotation and
shift (the gain of the structure is solved for beside them, as in ECC: Evangelidis and Psarakis, PAMI 2008).
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
"""(H, W) float32."""

SMALLEST_SIDE = 24
"""Short side below which a picture is not halved again."""

ZOOMS = (0.9, 0.95, 1.0, 1.05, 1.1)
ROTATIONS_DEGREES = (-4.0, -2.0, 0.0, 2.0, 4.0)
"""Where the search starts; in between and a little beyond, the steps get there."""

LOWEST_LUMA, HIGHEST_LUMA = 4 / 255, 250 / 255
"""R'G'B' luma outside of this is black or clipped and tells nothing."""

SURE = 6.0
"""Least `Registration.strength` of pictures that show the same: wrong ones reached 4.4, right ones were above 11."""

_HALF_PIXEL = 0.5 + 0.5j
_BLACK_SOFTENING = 1 / 64
_NEIGHBOURHOOD_PX = 7
_LOWEST_CONTRAST = 0.03
_STEPS = 14
_SETTLED_PX = 0.004
_TRIED = 3
_LEAST_OVERLAP = 0.12


@dataclass(frozen=True)
class Similarity:
    """Where the points of one picture lie in another: ``turn * z + shift``, with ``z = x + iy`` in pixels.

    Attributes:
        turn: Zoom and rotation as one complex factor.
        shift: Where pixel (0, 0) lies; the centres of pixels are whole numbers.
    """

    turn: complex = 1 + 0j
    shift: complex = 0j

    @property
    def zoom(self) -> float:
        """Pixels of the other picture per pixel of this one."""
        return abs(self.turn)

    @property
    def rotation_degrees(self) -> float:
        """Clockwise as seen on screen, where y points down."""
        return math.degrees(cmath.phase(self.turn))

    def at(self, points: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
        """The places of points."""
        return self.turn * points + self.shift

    def inverse(self) -> Similarity:
        """From the other picture back to this one."""
        return Similarity(1 / self.turn, -self.shift / self.turn)

    def enlarged(self, from_factor: float, to_factor: float) -> Similarity:
        """The same relation between both pictures when they are larger by these factors (smaller, below 1)."""
        turn = self.turn * to_factor / from_factor
        shift = to_factor * self.shift + (to_factor - 1) * _HALF_PIXEL - turn * (from_factor - 1) * _HALF_PIXEL
        return Similarity(turn, shift)

    def distance_px(self, other: Similarity, height: int, width: int) -> float:
        """How far two relations are apart at worst, over a picture of this size."""
        ends = corners(height, width)
        return float(np.abs(self.at(ends) - other.at(ends)).max())


@dataclass(frozen=True)
class Structure:
    """What a picture shows, freed from its exposure.

    Attributes:
        values: (H, W), zero mean and at most unit contrast in every neighbourhood.
        weight: (H, W) in [0, 1], 0 where the picture is clipped or black.
    """

    values: Plane
    weight: Plane


@dataclass(frozen=True)
class Registration:
    """How two pictures lie to each other.

    Attributes:
        transform: From the bad picture to the good one, in pixels of the pyramids' finest level.
        agreement: Correlation of the structures where they overlap, -1 to 1.
        strength: That correlation in standard deviations of what wrong shifts give; under 6 is chance.
    """

    transform: Similarity
    agreement: float
    strength: float


def corners(height: int, width: int) -> npt.NDArray[np.complex128]:
    """Centres of the corner pixels: top left, top right, bottom left, bottom right."""
    right, bottom = width - 1.0, height - 1.0
    return np.array([0, right, 1j * bottom, right + 1j * bottom], np.complex128)


def reduce_plane(plane: Plane, factor: int) -> Plane:
    """Means of ``factor`` x ``factor`` blocks; rows and columns that fill no block are left out."""
    if factor == 1:
        return plane
    height, width = plane.shape[0] // factor, plane.shape[1] // factor
    blocks = plane[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return blocks.mean((1, 3), dtype=np.float32)


def structure(luma: Plane) -> Structure:
    """The structure of R'G'B' luma (H, W) in [0, 1]."""
    usable = ((luma > LOWEST_LUMA) & (luma < HIGHEST_LUMA)).astype(np.float32)
    light = _smooth(np.log2(luma + np.float32(_BLACK_SOFTENING)).astype(np.float32))
    detail: Plane = light - _box_mean(light, _NEIGHBOURHOOD_PX)
    spread = _box_mean(detail * detail, _NEIGHBOURHOOD_PX)
    floor = max(_LOWEST_CONTRAST, 2 * _noise(light))
    values = detail / np.sqrt(spread + np.float32(floor * floor))
    return Structure(values.astype(np.float32), _box_mean(usable, 1) ** 2)


def pyramid(luma: Plane) -> list[Structure]:
    """Structures of luma at its own size, at a half, and so on."""
    levels = [structure(luma)]
    while min(luma.shape) >= 2 * SMALLEST_SIDE:
        luma = reduce_plane(luma, 2)
        levels.append(structure(luma))
    return levels


def register(bad: list[Structure], good: list[Structure], start: Similarity | None = None) -> Registration:
    """Find where the bad picture lies in the good one.

    Args:
        bad: Pyramid of the bad picture.
        good: Pyramid of the good one.
        start: A transform to begin from, at the finest level; without one, everything is tried.
    """
    depth = min(len(bad), len(good)) - 1
    if start is None:
        small, other = bad[depth], good[depth]
        tried = [_climb(small, other, place) for place in _coarse_places(small, other)]
        transform, _ = max(tried, key=lambda each: each[1])
    else:
        depth = min(depth, 1)
        transform = start.enlarged(0.5**depth, 0.5**depth)
    agreement = 0.0
    for level in range(depth, -1, -1):
        transform, agreement = _climb(bad[level], good[level], transform)
        if level:
            transform = transform.enlarged(2, 2)
    return Registration(transform, agreement, _strength(bad[0], good[0], transform))


def warp_structure(good: Structure, transform: Similarity, shape: tuple[int, int]) -> Structure:
    """A structure fetched onto the grid of the other picture; nothing, with no weight, where there is none."""
    values, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    _fetch(good.values, good.weight, transform.turn, transform.shift, values, weight)
    return Structure(values, weight)


def correlation(one: Plane, other: Plane, weight: Plane) -> float:
    """Correlation of two planes of zero mean, weighted."""
    product_of_both = float((weight * one * other).sum())
    norms = float((weight * one * one).sum()) * float((weight * other * other).sum())
    return product_of_both / math.sqrt(norms) if norms > 0 else 0.0


def cross_correlation(one: Plane, other: Plane) -> npt.NDArray[np.float64]:
    """Correlation of two planes at all circular shifts; at [dy, dx], ``other`` moved by that fits ``one``."""
    spectrum = np.fft.rfft2(one) * np.conj(np.fft.rfft2(other))
    return np.fft.irfft2(spectrum, s=one.shape)


def slopes(plane: Plane) -> tuple[Plane, Plane]:
    """Central differences of a plane, down and across."""
    down, across = np.gradient(plane)
    return np.asarray(down, np.float32), np.asarray(across, np.float32)


def vertex(before: float, middle: float, after: float) -> float:
    """Where the parabola through three values one apart is highest, counted from the middle one."""
    bend = before - 2 * middle + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend


def taper(shape: tuple[int, int]) -> Plane:
    """A window that falls to nothing over the outer eighths, so that circular shifts see no border."""
    ramps = [np.minimum(1, (np.minimum(np.arange(n), n - 1 - np.arange(n)) + 0.5) / (n / 8)) for n in shape]
    rows, columns = (0.5 - 0.5 * np.cos(np.pi * ramp) for ramp in ramps)
    return np.outer(rows, columns).astype(np.float32)


def _coarse_places(bad: Structure, good: Structure) -> list[Similarity]:
    """The best starts over all zooms, rotations and whole shifts."""
    shape = bad.values.shape
    window = taper(shape)
    template = bad.values * bad.weight * window
    sizes = {round(have / need, 3) for have, need in zip(good.values.shape, shape, strict=True)}
    here, there = corners(*shape).mean(), corners(*good.values.shape).mean()
    found: list[tuple[float, Similarity]] = []
    for size, zoom, rotation in product(sorted(sizes | {1.0}), ZOOMS, ROTATIONS_DEGREES):
        turn = cmath.rect(size * zoom, math.radians(rotation))
        place = Similarity(turn, complex(there - turn * here))
        moved = warp_structure(good, place, shape)
        picture = moved.values * moved.weight * window
        surface = cross_correlation(template, picture)
        peak = int(surface.argmax())
        dy, dx = divmod(peak, shape[1])
        step = complex((dx + shape[1] // 2) % shape[1] - shape[1] // 2, (dy + shape[0] // 2) % shape[0] - shape[0] // 2)
        height = float(surface.flat[peak]) / (float(np.linalg.norm(picture)) + 1e-6)
        found.append((height, Similarity(turn, place.shift - turn * step)))
    found.sort(key=lambda each: -each[0])
    return [place for _, place in found[:_TRIED]]


def _climb(bad: Structure, good: Structure, place: Similarity) -> tuple[Similarity, float]:
    """Gauss-Newton steps from a place to the best one near, and the agreement there; -1 when there is no overlap."""
    height, width = bad.values.shape
    gradient_y, gradient_x = slopes(good.values)
    centre, scale = complex(width - 1, height - 1) / 2, max(height, width) / 2
    gain, agreement = 0.0, -1.0
    for _ in range(_STEPS):
        matrix, right, sums = _normal_equations(
            bad.values, bad.weight, good.values, good.weight, gradient_x, gradient_y,
            place.turn, place.shift, centre, scale, gain,
        )  # fmt: skip
        if sums[0] < _LEAST_OVERLAP * height * width:
            return place, -1.0
        agreement = float(sums[3] / math.sqrt(sums[1] * sums[2] + 1e-12))
        matrix[np.diag_indices(5)] += 1e-6 * np.trace(matrix) + 1e-9
        solution = np.linalg.solve(matrix, right)
        gain = min(max(float(solution[0]), 0.2), 2.0)
        turn_step = complex(solution[1], solution[2]) / gain
        shift_step = complex(solution[3], solution[4]) / gain
        size = abs(turn_step) + abs(shift_step)
        if size > 2:
            turn_step, shift_step = turn_step * 2 / size, shift_step * 2 / size
        turn = place.turn + turn_step / scale
        place = Similarity(turn, place.shift + shift_step - turn_step / scale * centre)
        if size < _SETTLED_PX:
            break
    return place, agreement


def _strength(bad: Structure, good: Structure, transform: Similarity) -> float:
    """Correlation at a place in standard deviations of that at all other shifts."""
    moved = warp_structure(good, transform, bad.values.shape)
    window = taper(bad.values.shape)
    surface = cross_correlation(bad.values * bad.weight * window, moved.values * moved.weight * window)
    peak = float(surface[0, 0])
    rest = surface.copy()
    reach = 3
    for rows, columns in product((slice(reach), slice(-reach, None)), repeat=2):
        rest[rows, columns] = 0
    return peak / (float(rest.std()) + 1e-9)


def _smooth(plane: Plane) -> Plane:
    """A 1-2-1 blur both ways, against noise."""
    padded = np.pad(plane, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return ((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16).astype(np.float32)


def _noise(plane: Plane) -> float:
    """Standard deviation of the noise: the median of a filter that edges and ramps hardly answer (Immerkaer 1996)."""
    rows = plane[:-2] - 2 * plane[1:-1] + plane[2:]
    answer = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    # 1-2-1 blurred noise comes out of this filter as strong as it went in: [1 2 1]/4 and [1 0 -2 0 1]/4 have one norm.
    return float(np.median(np.abs(answer)) / 0.6745)


@numba.njit(cache=True, nogil=True)
def _box_mean(plane: Any, reach: int) -> Any:
    """Mean over a square of ``2 * reach + 1`` pixels, edges repeated: running sums along rows, then along columns."""
    height, width = plane.shape
    side = 2 * reach + 1
    rows, out = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    for y in range(height):
        total = 0.0
        for x in range(-reach, reach + 1):
            total += plane[y, min(max(x, 0), width - 1)]
        for x in range(width):
            rows[y, x] = total / side
            total += plane[y, min(x + reach + 1, width - 1)] - plane[y, max(x - reach, 0)]
    totals = np.zeros(width)
    for y in range(-reach, reach + 1):
        totals += rows[min(max(y, 0), height - 1)]
    for y in range(height):
        for x in range(width):
            out[y, x] = totals[x] / side
            totals[x] += rows[min(y + reach + 1, height - 1), x] - rows[max(y - reach, 0), x]
    return out


@numba.njit(inline="always")
def _between(plane: Any, left: int, top: int, u: Any, v: Any) -> Any:
    """Bilinear sample, shares ``u`` and ``v`` right of and below a pixel."""
    above = (1 - u) * plane[top, left] + u * plane[top, left + 1]
    below = (1 - u) * plane[top + 1, left] + u * plane[top + 1, left + 1]
    return (1 - v) * above + v * below


@numba.njit(cache=True, nogil=True)
def _fetch(values: Any, weight: Any, turn: complex, shift: complex, out_values: Any, out_weight: Any) -> None:
    """Bilinear samples of two planes at the places of an output grid."""
    height, width = values.shape
    for y in range(out_values.shape[0]):
        for x in range(out_values.shape[1]):
            place = turn * complex(x, y) + shift
            left, top = int(np.floor(place.real)), int(np.floor(place.imag))
            if left < 0 or top < 0 or left + 1 >= width or top + 1 >= height:
                continue
            u, v = np.float32(place.real - left), np.float32(place.imag - top)
            out_values[y, x] = _between(values, left, top, u, v)
            out_weight[y, x] = _between(weight, left, top, u, v)


@numba.njit(cache=True, nogil=True)
def _normal_equations(
    bad: Any, bad_weight: Any, good: Any, good_weight: Any, gradient_x: Any, gradient_y: Any,
    turn: complex, shift: complex, centre: complex, scale: float, gain: float,
) -> Any:  # fmt: skip
    """Sums for one step on (gain, turn, shift), robust against what moved: weights fall with the squared difference.

    Returns:
        (5, 5) matrix, (5,) right side, and the sums of weight, bad squared, good squared and their product.
    """
    height, width = good.shape
    matrix, right, sums = np.zeros((5, 5)), np.zeros(5), np.zeros(4)
    row = np.zeros(5)
    for y in range(bad.shape[0]):
        for x in range(bad.shape[1]):
            place = turn * complex(x, y) + shift
            left, top = int(np.floor(place.real)), int(np.floor(place.imag))
            if left < 0 or top < 0 or left + 1 >= width or top + 1 >= height:
                continue
            u, v = place.real - left, place.imag - top
            other = _between(good, left, top, u, v)
            slope_x = _between(gradient_x, left, top, u, v)
            slope_y = _between(gradient_y, left, top, u, v)
            value = bad[y, x]
            weight = bad_weight[y, x] * good_weight[top, left]
            sums[0] += weight
            sums[1] += weight * value * value
            sums[2] += weight * other * other
            sums[3] += weight * value * other
            if gain > 0:
                difference = value - gain * other
                weight /= 1 + difference * difference
            across, down = (x - centre.real) / scale, (y - centre.imag) / scale
            row[0] = other
            row[1] = slope_x * across + slope_y * down
            row[2] = slope_y * across - slope_x * down
            row[3] = slope_x
            row[4] = slope_y
            for i in range(5):
                right[i] += weight * row[i] * value
                for j in range(5):
                    matrix[i, j] += weight * row[i] * row[j]
    return matrix, right, sums
