"""Verification: opens a file that was just written and proves, check by check, that it is what was meant."""

from __future__ import annotations

import random
from contextlib import suppress
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
from vecnet_core.video.arrays import load_arrays, save_arrays
from vecnet_core.video.copying import StreamTally, tally_streams
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.footage import open_reader
from vecnet_core.video.metadata import find_timecode
from vecnet_core.video.opening import open_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vecnet_core.frame import PlaneArray
    from vecnet_core.video.frame_reader import FrameReader

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
        name: ``file``, ``frames``, ``times``, ``duration``, ``picture``, ``colours``, ``sound``, ``subtitles``,
            ``data``, ``chapters``, ``timecode`` or ``samples``.
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
        are_pictures: A picture a frame was written.
        has_alpha: Its pictures have transparency.
        has_hdr_metadata: It says on which display it was graded, or how much light there is in it.
        copied: What was copied of each stream of sound, subtitles and data.
        chapters: How many there are.
        timecode: Of the first frame; empty for none.
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
    are_pictures: bool
    has_alpha: bool
    has_hdr_metadata: bool
    copied: tuple[StreamTally, ...]
    chapters: int
    timecode: str
    samples: dict[int, Frame]


class SampleFrames:
    """Keeps a few of the frames that pass, for comparison with the written file: five, however many pass.

    They lie on the disk, so that those of an interrupted export are there when it goes on.

    Args:
        total: How many frames will pass.
        folder: Where they are kept.
        passed: How many have passed before.
    """

    def __init__(self, total: int, folder: Path, passed: int = 0) -> None:
        ends = {0, total // 2, total - 1}
        drawn = random.Random(total).sample(range(total), min(total, SAMPLES))
        others = [place for place in drawn if place not in ends]
        self._places = {*ends, *others[: SAMPLES - len(ends)]}
        self._folder = folder
        self._passed = passed

    def take(self, frame: Frame) -> None:
        """Let the next frame pass, as the encoder is given it.

        Raises:
            OSError: The disk is full.
        """
        if self._passed in self._places:
            save_arrays(
                self._path(self._passed), {str(number): plane for number, plane in enumerate(_all_planes(frame))}
            )
        self._passed += 1

    def frames(self, layout: PixelLayout, color: ColorTags) -> dict[int, Frame]:
        """Those kept, by their place; without one that was on its way to the disk when the power went."""
        found: dict[int, Frame] = {}
        for place in sorted(self._places):
            arrays = load_arrays(self._path(place))
            with suppress(KeyError, ValueError):
                planes = [arrays[str(number)] for number in range(len(arrays))]
                alpha = planes.pop() if len(planes) > layout.planes else None
                found[place] = Frame(place, place, Fraction(1), 1, tuple(planes), layout, color, alpha)
        return found

    def _path(self, place: int) -> Path:
        return self._folder / f"sample_{place}.npz"


def _all_planes(frame: Frame) -> tuple[PlaneArray, ...]:
    """A frame's planes, and its alpha where it has one."""
    return frame.planes if frame.alpha is None else (*frame.planes, frame.alpha)


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
        self.steps = 1 + _has_company(intended) + len(intended.samples)
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
            # Pictures say no rate; a single one would be a file with times of its own.
            rate = self._intended.source.frame_rate if self._intended.are_pictures else None
            with open_reader(self._path, DecodeSettings(frame_rate=rate)) as reader:
                checks.append(Check("file", True, "the file opens"))
                checks += _facts_checks(reader, self._intended)
                done = 1
                yield done
                if _has_company(self._intended):
                    at_work = "sound"
                    checks += _company_checks(self._path, reader, self._intended)
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


def _facts_checks(reader: FrameReader, intended: IntendedFile) -> list[Check]:
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


def _times_check(reader: FrameReader, intended: IntendedFile) -> Check:
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
    elif info.is_mirrored != source.is_mirrored and not intended.are_pictures:
        wrong = f"the mark that the picture is shown mirrored is {'there' if info.is_mirrored else 'missing'}"
    elif abs(shown_width(info.pixel_aspect) - shown_width(intended.pixel_aspect)) > 1.0:
        wrong = f"the pixel aspect is {info.pixel_aspect} instead of {intended.pixel_aspect}"
    elif info.layout.bit_depth < intended.layout.bit_depth:
        wrong = f"samples have {info.layout.bit_depth} bits instead of {intended.layout.bit_depth}"
    elif info.has_alpha != intended.has_alpha:
        wrong = f"the transparency is {'there' if info.has_alpha else 'missing'}"
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
    if intended.has_hdr_metadata and info.hdr is None:
        return Check("colours", False, "the HDR metadata is missing")
    return Check("colours", True, "colour tags")


# What lies beside the pictures


class _Kind(NamedTuple):
    """Words for one kind of stream: the check's name, one of several streams, its only one, and its packets."""

    name: str
    one: str
    only: str
    packets: str


_KINDS = {
    "audio": _Kind("sound", "sound stream", "the sound", "audio packets"),
    "subtitle": _Kind("subtitles", "subtitle stream", "the subtitle stream", "subtitles"),
    "data": _Kind("data", "data stream", "the data stream", "data packets"),
}


def _has_company(intended: IntendedFile) -> bool:
    """Whether anything is to be found beside the pictures."""
    return bool(intended.copied or intended.chapters or intended.timecode)


def _company_checks(path: Path, reader: FrameReader, intended: IntendedFile) -> Iterator[Check]:
    """Streams, chapters and timecode, as far as there are meant to be any."""
    if intended.copied:
        found = tally_streams(path)
        for kind, words in _KINDS.items():
            meant = [tally for tally in intended.copied if tally.kind == kind]
            if meant:
                yield _streams_check(words, [tally for tally in found if tally.kind == kind], meant, reader, intended)
    if not intended.chapters and not intended.timecode:
        return
    with open_container(path) as container:
        chapters, timecode = len(container.chapters()), find_timecode(container, container.streams.video[0])
    if intended.chapters:
        right = chapters == intended.chapters
        yield Check("chapters", right, f"{chapters} chapters" + ("" if right else f" instead of {intended.chapters}"))
    if intended.timecode:
        right = timecode == intended.timecode
        wrong = f"the timecode is {timecode or 'missing'} instead of {intended.timecode}"
        yield Check("timecode", right, f"timecode {timecode}" if right else wrong)


def _streams_check(
    words: _Kind, found: list[StreamTally], meant: list[StreamTally], reader: FrameReader, intended: IntendedFile
) -> Check:
    """Every packet of every copied stream, byte for byte, and as far from the first picture as in the source."""
    picture = int(reader.pts()[0]) * reader.info.time_base
    meant_picture = intended.source.start_pts * intended.source.time_base
    for number, (there, wanted) in enumerate(zip_longest(found, meant), start=1):
        name = f"{words.one} {number}" if len(meant) > 1 else words.only
        if there is None or wanted is None:
            wrong = f"there are {len(found)} {words.one}s instead of {len(meant)}"
        elif wanted.keeps_packets and there.packets != wanted.packets:
            wrong = f"{name} has {there.packets} packets instead of {wanted.packets}"
        elif (there.size, there.checksum) != (wanted.size, wanted.checksum):
            wrong = f"{name} has other bytes than the source's"
        elif shift := _stream_shift(there, wanted, picture - meant_picture):
            wrong = f"{name} is {abs(shift):.3f} s too {'late' if shift > 0 else 'early'}"
        else:
            continue
        return Check(words.name, False, wrong)
    return Check(words.name, True, f"{sum(tally.packets for tally in meant)} {words.packets}")


def _stream_shift(there: StreamTally, meant: StreamTally, picture_shift: Fraction) -> float:
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


def _likeness(reader: FrameReader, place: int, sample: Frame) -> _Likeness:
    """Compare a frame of the file, and those beside it, with what was given to the encoder."""
    count, size = reader.info.frame_count, (reader.info.width, reader.info.height)
    if place >= count or size != (sample.width, sample.height):
        return _Likeness(place, False, 0.0, 0.0, None)
    # In order, so that the decoder goes on from one to the next.
    frames = {index: reader.frame(index) for index in (place - 1, place, place + 1) if 0 <= index < count}
    frame = frames[place]
    if frame.layout == sample.layout and all(map(np.array_equal, _all_planes(frame), _all_planes(sample))):
        return _Likeness(place, True, psnr_of_mse(0.0), psnr_of_mse(0.0), None)
    luma = _mse(*(_levels(each.planes[0], each.layout.bit_depth) for each in (frame, sample)))
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
    planes = [*zip(frame.planes, sample.planes, strict=False)]
    if frame.alpha is not None and sample.alpha is not None:
        planes.append((frame.alpha, sample.alpha))
    depths = (frame.layout.bit_depth, sample.layout.bit_depth)
    return min(
        psnr_of_mse(_mse(*(_block_means(_levels(plane, depth)) for plane, depth in zip(pair, depths, strict=True))))
        for pair in planes
        if pair[0].shape == pair[1].shape
    )


def _levels(plane: PlaneArray, bit_depth: int) -> npt.NDArray[np.float32]:
    """A plane in units of its whole span, so that depths compare."""
    return plane.astype(np.float32) / np.float32(1 << bit_depth)


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
