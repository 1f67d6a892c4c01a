"""Which pictures of two recordings belong together, where they lie to each other, and which part both share."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vecnet_core.data.capture.recordings import PHOTO_RATE, ByteImage, Recording
from vecnet_core.data.capture.registration import (
    SURE,
    Plane,
    Registration,
    Similarity,
    Structure,
    pyramid,
    reduce_plane,
    register,
)
from vecnet_core.data.capture.synchrony import SIGNIFICANT, Offset, Track, find_offset, overlap
from vecnet_core.data.capture.warping import Crop, common_area, whole_pixels
from vecnet_core.errors import DataError
from vecnet_core.metrics.exposure import LUMA_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Generator

REGISTERED_SHORT_SIDE = 270
"""Pictures are registered reduced by whole numbers to about this."""

RATE_TOLERANCE = 1e-3
"""Relative; recordings further apart drift by a picture within half a minute."""

LEAST_SIDE_PX = 32
LEAST_SHARE = 0.25
"""Of the bad picture's area, that both must have."""

_FIXED_MEDIAN_PX, _FIXED_P90_PX = 0.15, 0.5
_LOOKED_AT = 5

SAME_SCENE = "give two recordings of one scene, from nearly one place"


class Progress(NamedTuple):
    """Where the work stands.

    Attributes:
        stage: What is being done.
        done: Pictures done in this stage.
        total: Pictures of this stage.
    """

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Matching:
    """Which pictures belong together, and how that was found.

    Attributes:
        pairs: Numbers of a bad picture and of its good one.
        offset: The offset in pictures, with what speaks for it.
        seconds: The offset as time.
        is_assumed: True where nothing moves, so that the offset is taken as none.
    """

    pairs: tuple[tuple[int, int], ...]
    offset: Offset
    seconds: float
    is_assumed: bool


@dataclass(frozen=True)
class Placing:
    """Where the bad pictures lie in the good ones.

    Attributes:
        transforms: For every pair, in pixels of both; None where that could not be found.
        typical: The median over all.
        is_fixed: True when one transform, the typical one, holds for all.
    """

    transforms: tuple[Similarity | None, ...]
    typical: Similarity
    is_fixed: bool


def luma_of(picture: ByteImage) -> Plane:
    """R'G'B' luma (H, W) in [0, 1]."""
    return np.asarray(picture @ (np.array(LUMA_WEIGHTS) / 255).astype(np.float32), np.float32)


def match(bad: Recording, good: Recording, max_seconds: float) -> Generator[Progress, None, Matching]:
    """Find the pictures that were taken together, from what moves.

    Args:
        bad: The badly exposed recording.
        good: The well exposed one.
        max_seconds: Largest time between both.

    Raises:
        DataError: The rates or pixel shapes differ, or both move and never alike.
    """
    _check_alike(bad, good)
    rate = bad.frame_rate or good.frame_rate or PHOTO_RATE
    tracks: list[Track] = []
    done = 0
    for recording in (bad, good):
        track = Track(recording.height, recording.width)
        for index in range(recording.count):
            slot = round(float(recording.seconds[index]) * rate) if recording.frame_rate else index
            # Where a camera dropped frames, the last one stands in, so that numbers in the track are times.
            track.hold_until(slot)
            if len(track) == slot:
                track.add(luma_of(recording.picture(index)))
            done += 1
            yield Progress("Following motion", done, bad.count + good.count)
        tracks.append(track)
    offset = find_offset(tracks[0], tracks[1], int(max_seconds * rate + 0.5))
    is_assumed = offset.agreement < SIGNIFICANT
    if is_assumed:
        if tracks[0].moves or tracks[1].moves:
            raise _unmatched(bad, good, tracks, max_seconds)
        offset = Offset(0, offset.agreement, offset.runner_up)
    return Matching(_pairs(bad, good, offset.frames, rate), offset, offset.frames / rate, is_assumed)


def place(bad: Recording, good: Recording, matching: Matching) -> Generator[Progress, None, Placing]:
    """Find how the matched pictures lie to each other, and whether that is always the same.

    Raises:
        DataError: Most pictures do not show the same.
    """
    factors = [max(1, round(min(each.height, each.width) / REGISTERED_SHORT_SIDE)) for each in (bad, good)]
    found: list[Similarity | None] = []
    last: Similarity | None = None
    for number, indices in enumerate(matching.pairs, start=1):
        here, there = (
            pyramid(reduce_plane(luma_of(recording.picture(index)), factor))
            for recording, index, factor in zip((bad, good), indices, factors, strict=True)
        )
        registration = _register_near(here, there, last)
        if registration.strength >= SURE:
            last = registration.transform
            found.append(last.enlarged(factors[0], factors[1]))
        else:
            found.append(None)
        yield Progress("Registering", number, len(matching.pairs))
    good_ones = [transform for transform in found if transform is not None]
    if not good_ones:
        raise _another_scene(bad, good)
    if 2 * len(good_ones) < len(found):
        raise DataError(
            f"only {len(good_ones)} of {len(found)} pictures show the same as those of {good.path}",
            path=bad.path,
            hint=SAME_SCENE,
        )
    are_photos = bad.frame_rate is None and good.frame_rate is None
    return _settle(found, good_ones, bad, factors[0], may_fix=not are_photos)


def shared_crop(bad: Recording, good: Recording, placing: Placing) -> Crop:
    """The part of the bad pictures that every good one covers.

    Raises:
        DataError: It is too small.
    """
    transforms = [transform for transform in placing.transforms if transform is not None]
    crop = common_area(transforms, (bad.height, bad.width), (good.height, good.width))
    share = crop.width * crop.height / (bad.width * bad.height)
    if share < LEAST_SHARE or min(crop.width, crop.height) < LEAST_SIDE_PX:
        raise DataError(
            f"only {share:.0%} of its picture ({crop.width} x {crop.height} pixels) is always in {good.path} too",
            path=bad.path,
            hint="point both cameras at the same part of the scene, or cut shaky parts away",
        )
    return crop


def _check_alike(bad: Recording, good: Recording) -> None:
    """Refuse recordings whose pictures or times can never match."""
    if bad.pixel_aspect != good.pixel_aspect:
        raise DataError(
            f"its pixels are {bad.pixel_aspect} as wide as high, those of {good.path} {good.pixel_aspect}",
            path=bad.path,
            hint="convert both to square pixels",
        )
    if bad.frame_rate and good.frame_rate and abs(bad.frame_rate / good.frame_rate - 1) > RATE_TOLERANCE:
        raise DataError(
            f"it has {bad.frame_rate:.3f} frames a second and {good.path} {good.frame_rate:.3f}",
            path=bad.path,
            hint="record both at one rate, or convert one of them",
        )
    for recording in (bad, good):
        if min(recording.height, recording.width) < LEAST_SIDE_PX:
            size = f"{recording.width} x {recording.height}"
            raise DataError(f"{size} pixels are too few to align", path=recording.path, hint="give larger pictures")


def _unmatched(bad: Recording, good: Recording, tracks: list[Track], max_seconds: float) -> DataError:
    """Why no offset was found: another scene, or another time."""
    here, there = tracks
    count = min(len(here), len(there))
    looked_at = np.unique(np.linspace(0, count - 1, _LOOKED_AT).astype(int))
    strengths = [register([here.picture(index)], [there.picture(index)]).strength for index in looked_at]
    if max(strengths) < SURE:
        return _another_scene(bad, good)
    return DataError(
        f"what moves in it does not move so in {good.path} at any time up to {max_seconds:g} s before or after",
        path=bad.path,
        hint="give recordings of the same moment, or a larger --max-offset",
    )


def _another_scene(bad: Recording, good: Recording) -> DataError:
    """The pictures have nothing in common."""
    return DataError(f"it does not show the same scene as {good.path}", path=bad.path, hint=SAME_SCENE)


def _pairs(bad: Recording, good: Recording, lag: int, rate: float) -> tuple[tuple[int, int], ...]:
    """The pictures that were taken together: by time where both say it, else by number."""
    if bad.frame_rate is None or good.frame_rate is None:
        return tuple((index, index + lag) for index in overlap(bad.count, good.count, lag))
    pairs: list[tuple[int, int]] = []
    for index, wanted in enumerate(bad.seconds + lag / rate):
        nearest = int(np.abs(good.seconds - wanted).argmin())
        if abs(good.seconds[nearest] - wanted) < 0.5 / rate:
            pairs.append((index, nearest))
    return tuple(pairs)


def _register_near(bad: list[Structure], good: list[Structure], last: Similarity | None) -> Registration:
    """Register from where the picture before lay, and from scratch where that leads nowhere."""
    if last is not None:
        near = register(bad, good, last)
        if near.strength >= 2 * SURE:
            return near
        return max(near, register(bad, good), key=lambda each: each.strength)
    return register(bad, good)


def _settle(
    found: list[Similarity | None], good_ones: list[Similarity], bad: Recording, factor: int, *, may_fix: bool
) -> Placing:
    """One transform for all frames of videos where they differ by no more than they are uncertain."""
    # Medians of places, not of parameters: turn and shift depend on each other.
    middle = complex(bad.width - 1, bad.height - 1) / 2
    turns = [transform.turn for transform in good_ones]
    middles = [transform.turn * middle + transform.shift for transform in good_ones]
    turn = _median(turns)
    typical = Similarity(turn, _median(middles) - turn * middle)
    apart = np.array([typical.distance_px(each, bad.height, bad.width) for each in good_ones]) / factor
    is_fixed = may_fix and bool(np.median(apart) <= _FIXED_MEDIAN_PX and np.percentile(apart, 90) <= _FIXED_P90_PX)
    if is_fixed:
        typical = whole_pixels(typical, bad.height, bad.width)
        return Placing((typical,) * len(found), typical, is_fixed=True)
    kept = (each and whole_pixels(each, bad.height, bad.width) for each in found)
    return Placing(tuple(kept), typical, is_fixed=False)


def _median(numbers: list[complex]) -> complex:
    """Median of both parts."""
    return complex(median(number.real for number in numbers), median(number.imag for number in numbers))
