"""Verification: opens a file that was just written and proves, check by check, that it is what was meant."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from av.error import FFmpegError

from vecnet_core.errors import InputError, VecnetError
from vecnet_core.frame import ColorTags, Frame, PixelLayout, VideoInfo
from vecnet_core.metrics.fidelity import psnr_of_mse
from vecnet_core.video.audio import SoundTally, tally_sound
from vecnet_core.video.reader import VideoReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vecnet_core.frame import PlaneArray

SAMPLES = 5
"""Frames that are decoded again: the first, the middle, the last, and two that are drawn, always the same ones."""

BLOCK_PX = 8
"""Compression leaves the mean of a block of this side nearly as it was; a wrong frame, colour or range does not."""

LOWEST_BLOCK_PSNR_DB = 38.0
"""Of block means, at the codec's default quality. Seven clips, plain and with noise of 8 and 20 codes, came back with
48.6 dB or more from h264, hevc, av1 and prores (proxy too); a wrong range gave 25.8 to 35.2, 2026-11."""

COARSER_DB = 0.75
"""Taken off for each step of crf above the default: at crf 35 h264 gave 32.5 dB or more, at 51 24.3, 2026-11."""

NEIGHBOUR_DB = 10.0
"""A frame beside another that is so much more like what was meant has its place. Of right ones, in still scenes and
just before key frames, it was 7.0 at most; of wrong ones, where something moves, 10 to 65 at the default quality."""

CLEAR_BLOCK_PSNR_DB = 50.0
"""From here on it matters no more which frame is more like what was meant: they are all alike."""

SOUND_STEP_SECONDS = 0.005
"""Sound may start this much beside its place: containers round to a millisecond, the ear hears 45 (ITU-R BT.1359)."""


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: ``file``, ``frames``, ``times``, ``duration``, ``picture``, ``colours``, ``sound`` or ``samples``.
        is_good: It is as it was meant.
        words: What was found right, such as ``180 frames``; otherwise what is wrong, as a clause.
    """

    name: str
    is_good: bool
    words: str


@dataclass(frozen=True)
class Verification:
    """What came of all checks.

    Attributes:
        checks: In the order they were made; what cannot be read ends them.
    """

    checks: tuple[Check, ...]

    @property
    def failed(self) -> Check | None:
        """The first check that failed; None when the file is what was meant."""
        return next((check for check in self.checks if not check.is_good), None)


@dataclass(frozen=True)
class IntendedFile:
    """What a file is meant to be, from its source and from what its encoder was given.

    Attributes:
        source: The facts of the source: size, rotation and times are meant to be kept.
        pts: ``(T,)`` int64; when the source's frames of the range are shown, in units of its time base.
        duration_seconds: From the first frame's start to the last one's end.
        pixel_aspect: The source's, where codec and container hold it.
        layout: The pixel layout the encoder was given.
        color: The colour tags that were written.
        is_lossless: The codec gives every sample back.
        coarseness: Steps of crf above the codec's default, in which pictures may differ more.
        sound: What was copied of each sound stream.
        samples: A few of the frames the encoder was given, by their place in the file.
    """

    source: VideoInfo
    pts: npt.NDArray[np.int64]
    duration_seconds: float
    pixel_aspect: Fraction
    layout: PixelLayout
    color: ColorTags
    is_lossless: bool
    coarseness: int
    sound: tuple[SoundTally, ...]
    samples: dict[int, Frame]


class SampleFrames:
    """Keeps a few of the frames that pass, for comparison with the written file: five, however many pass.

    Attributes:
        frames: Those kept, by their place.
    """

    def __init__(self, total: int) -> None:
        """Choose the places among ``total`` frames."""
        ends = {0, total // 2, total - 1}
        drawn = random.Random(total).sample(range(total), min(total, SAMPLES))
        others = [place for place in drawn if place not in ends]
        self._places = {*ends, *others[: SAMPLES - len(ends)]}
        self._passed = 0
        self.frames: dict[int, Frame] = {}

    def take(self, frame: Frame) -> None:
        """Let the next frame pass."""
        if self._passed in self._places:
            self.frames[self._passed] = frame
        self._passed += 1


class FileVerifier:
    """Opens a file, reads its packets and decodes a few of its frames; iterate it, then read `verification`.

    Args:
        path: The file.
        intended: What it is meant to be.

    Attributes:
        steps: How many steps iterating takes.
    """

    steps: int

    def __init__(self, path: Path, intended: IntendedFile) -> None:
        """Nothing is read yet."""
        self._path = path
        self._intended = intended
        self.steps = 1 + bool(intended.sound) + len(intended.samples)
        self._verification: Verification | None = None

    @property
    def verification(self) -> Verification:
        """What came of it.

        Raises:
            InputError: The verifier has not come to its end.
        """
        if self._verification is None:
            raise InputError("the file has not been verified to its end")
        return self._verification

    def __iter__(self) -> Iterator[int]:
        """Check, telling how many steps are done."""
        checks: list[Check] = []
        at_work = "file"
        try:
            with VideoReader(self._path) as reader:
                checks.append(Check("file", True, "the file opens"))
                checks += _facts_checks(reader, self._intended)
                done = 1
                yield done
                if self._intended.sound:
                    at_work = "sound"
                    checks.append(_sound_check(self._path, reader, self._intended))
                    done += 1
                    yield done
                at_work = "samples"
                likenesses: list[_Likeness] = []
                for place, sample in self._intended.samples.items():
                    likenesses.append(_likeness(reader, place, sample))
                    done += 1
                    yield done
                checks.append(_samples_check(likenesses, self._intended))
        except (VecnetError, FFmpegError) as error:
            reason = error.message if isinstance(error, VecnetError) else error.strerror or "unknown cause"
            checks.append(Check(at_work, False, f"it cannot be read again ({reason})"))
        self._verification = Verification(tuple(checks))


# Facts


def _facts_checks(reader: VideoReader, intended: IntendedFile) -> list[Check]:
    """What opening the file and its index of packets tell."""
    return [
        _frames_check(reader.info, intended),
        _times_check(reader, intended),
        _duration_check(reader.info, intended),
        _picture_check(reader.info, intended),
        _colours_check(reader.info, intended),
    ]


def _frames_check(info: VideoInfo, intended: IntendedFile) -> Check:
    """As many frames as were written."""
    there, meant = info.frame_count, len(intended.pts)
    return Check("frames", there == meant, f"{there} frames" + ("" if there == meant else f" instead of {meant}"))


def _times_check(reader: VideoReader, intended: IntendedFile) -> Check:
    """Every frame at the source's time, counted from the first one, exactly or to the ticks the container rounds to."""
    tick = reader.info.time_base
    ratio = intended.source.time_base / tick
    common = min(reader.info.frame_count, len(intended.pts))
    there = (reader.pts()[:common] - reader.pts()[0]).astype(np.float64)
    meant = (intended.pts[:common] - intended.pts[0]) * float(ratio)
    # Both times of a difference are rounded; frames in the same tick are written one tick apart.
    is_crowded = bool((np.diff(meant) < 1).any())
    allowed = 0.01 if ratio.denominator == 1 else 2.01 if is_crowded else 1.01
    wrong = np.flatnonzero(np.abs(there - meant) > allowed)
    if not len(wrong):
        return Check("times", True, "times")
    frame = int(wrong[0])
    found, wanted = (float(ticks[frame] * tick) for ticks in (there, meant))
    return Check("times", False, f"frame {frame} is shown at {found:.4f} s instead of {wanted:.4f} s")


def _duration_check(info: VideoInfo, intended: IntendedFile) -> Check:
    """As long as the source's range; where frames differ in length, MP4 gives the last one that of another."""
    base = float(intended.source.time_base)
    lengths = np.diff(intended.pts) * base
    longest = max(float(lengths.max(initial=0.0)), intended.duration_seconds - float(lengths.sum()))
    allowed = longest * (1.0 if intended.source.is_variable_rate else 0.25) + 2 * float(info.time_base)
    there, meant = info.duration_seconds, intended.duration_seconds
    if abs(there - meant) <= allowed:
        return Check("duration", True, "duration")
    return Check("duration", False, f"it is {there:.3f} s long instead of {meant:.3f} s")


def _picture_check(info: VideoInfo, intended: IntendedFile) -> Check:
    """Size, rotation, pixel aspect (to a pixel of the width it is shown at) and bits of a sample."""
    source = intended.source

    def shown_width(aspect: Fraction) -> float:
        return float(aspect * source.width)

    if (info.width, info.height) != (source.width, source.height):
        wrong = f"the picture is {info.width}x{info.height} instead of {source.width}x{source.height}"
    elif info.rotation_degrees != source.rotation_degrees:
        wrong = f"the rotation is {info.rotation_degrees} degrees instead of {source.rotation_degrees}"
    elif abs(shown_width(info.pixel_aspect) - shown_width(intended.pixel_aspect)) > 1.0:
        wrong = f"the pixel aspect is {info.pixel_aspect} instead of {intended.pixel_aspect}"
    elif info.layout.bit_depth < intended.layout.bit_depth:
        wrong = f"samples have {info.layout.bit_depth} bits instead of {intended.layout.bit_depth}"
    else:
        return Check("picture", True, "size")
    return Check("picture", False, wrong)


def _colours_check(info: VideoInfo, intended: IntendedFile) -> Check:
    """The tags say what was written; what the source leaves open is decided the same way again."""
    # Grey has no use for a matrix, and FFmpeg's H.264 decoder gives it none.
    names = ("range", "primaries", "transfer") + (("matrix",) if info.layout.planes > 1 else ())
    for name in names:
        there, meant = getattr(info.color, name), getattr(intended.color, name)
        if there != meant:
            return Check("colours", False, f"the colour {name} is {there} instead of {meant}")
    return Check("colours", True, "colour tags")


# Sound


def _sound_check(path: Path, reader: VideoReader, intended: IntendedFile) -> Check:
    """Every packet of every copied stream, byte for byte, and as far from the first picture as in the source."""
    picture = int(reader.pts()[0]) * reader.info.time_base
    meant_picture = intended.source.start_pts * intended.source.time_base
    found = tally_sound(path)
    for number, (there, meant) in enumerate(zip_longest(found, intended.sound), start=1):
        name = f"sound stream {number}" if len(intended.sound) > 1 else "the sound"
        if there is None or meant is None:
            wrong = f"there are {len(found)} sound streams instead of {len(intended.sound)}"
        elif meant.keeps_packets and there.packets != meant.packets:
            wrong = f"{name} has {there.packets} packets instead of {meant.packets}"
        elif (there.size, there.checksum) != (meant.size, meant.checksum):
            wrong = f"{name} has other bytes than the source's"
        elif shift := _sound_shift(there, meant, picture - meant_picture):
            wrong = f"{name} is {abs(shift):.3f} s too {'late' if shift > 0 else 'early'}"
        else:
            continue
        return Check("sound", False, wrong)
    return Check("sound", True, f"{sum(meant.packets for meant in intended.sound)} audio packets")


def _sound_shift(there: SoundTally, meant: SoundTally, picture_shift: Fraction) -> float:
    """Seconds by which a stream's first or last packet is beside its place; 0 within rounding."""
    shifts = [there.first_seconds - meant.first_seconds - picture_shift]
    if meant.keeps_packets:
        shifts.append(there.last_seconds - meant.last_seconds - picture_shift)
    worst = float(max(shifts, key=abs))
    return worst if abs(worst) > SOUND_STEP_SECONDS else 0.0


# Samples


class _Likeness(NamedTuple):
    """How like a frame of the file is to the one that was given to the encoder.

    Attributes:
        place: Its place in the file.
        is_equal: Every sample of every plane equals.
        psnr_db: Of luma.
        block_psnr_db: Of the means of blocks, of the plane that is the least like.
        neighbour: The place beside it whose frame is clearly more like; None when there is none.
    """

    place: int
    is_equal: bool
    psnr_db: float
    block_psnr_db: float
    neighbour: int | None


def _likeness(reader: VideoReader, place: int, sample: Frame) -> _Likeness:
    """Compare a frame of the file, and those beside it, with what was given to the encoder."""
    count, size = reader.info.frame_count, (reader.info.width, reader.info.height)
    if place >= count or size != (sample.width, sample.height):
        return _Likeness(place, False, 0.0, 0.0, None)
    # In order, so that the decoder goes on from one to the next.
    frames = {index: reader.frame(index) for index in (place - 1, place, place + 1) if 0 <= index < count}
    frame = frames[place]
    if frame.layout == sample.layout and all(map(np.array_equal, frame.planes, sample.planes)):
        return _Likeness(place, True, psnr_of_mse(0.0), psnr_of_mse(0.0), None)
    luma = _mse(_levels(frame, 0), _levels(sample, 0))
    likest = {index: _block_psnr_db(each, sample) for index, each in frames.items()}
    best = max(likest, key=likest.__getitem__)
    is_other = likest[place] < CLEAR_BLOCK_PSNR_DB and likest[best] > likest[place] + NEIGHBOUR_DB
    return _Likeness(place, False, psnr_of_mse(luma), likest[place], best if is_other else None)


def _samples_check(likenesses: list[_Likeness], intended: IntendedFile) -> Check:
    """Every sample frame is the one that was encoded, as far as the codec and its quality allow."""
    lowest_db = LOWEST_BLOCK_PSNR_DB - COARSER_DB * intended.coarseness
    for each in likenesses:
        if each.neighbour is not None:
            wrong = f"what was encoded as frame {each.place} is shown as frame {each.neighbour}"
        elif intended.is_lossless and not each.is_equal:
            wrong = f"frame {each.place} differs from what was encoded, though the codec is lossless"
        elif each.block_psnr_db < lowest_db:
            wrong = f"frame {each.place} is not the picture that was encoded (PSNR {each.psnr_db:.1f} dB)"
        else:
            continue
        return Check("samples", False, wrong)
    found = f"{len(likenesses)} sample frame{'s' if len(likenesses) > 1 else ''}"
    if all(each.is_equal for each in likenesses):
        return Check("samples", True, f"{found} (equal)")
    return Check("samples", True, f"{found} (PSNR {min(each.psnr_db for each in likenesses):.1f} dB)")


def _block_psnr_db(frame: Frame, sample: Frame) -> float:
    """PSNR of the block means of two frames' planes, the lowest of them; chroma counts where both hold it alike."""
    return min(
        psnr_of_mse(_mse(_block_means(_levels(frame, index)), _block_means(_levels(sample, index))))
        for index in range(min(len(frame.planes), len(sample.planes)))
        if frame.planes[index].shape == sample.planes[index].shape
    )


def _levels(frame: Frame, index: int) -> npt.NDArray[np.float32]:
    """A plane in units of its whole span, so that depths compare."""
    plane: PlaneArray = frame.planes[index]
    return plane.astype(np.float32) / np.float32(1 << frame.layout.bit_depth)


def _block_means(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Means of whole blocks, which are as small as the plane where that is smaller than one."""
    height, width = levels.shape
    side = min(BLOCK_PX, height, width)
    rows, columns = height // side, width // side
    blocks = levels[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return blocks.mean(axis=(1, 3))


def _mse(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Mean squared difference."""
    difference = (one - other).ravel()
    return float(np.dot(difference, difference)) / difference.size
