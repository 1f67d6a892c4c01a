"""The index of a video: every frame's presentation time, sorted, found by reading the packets without decoding them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from av import time_base
from av.error import FFmpegError

from vecnet_core.video.damage import ffv1_is_whole
from vecnet_core.video.opening import packets_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_EVEN_SHARE = 0.85
"""Of the steps between frames: where so many are alike, a much longer one is a hole and no variable rate."""

_ROUNDED_SECONDS = 0.02
"""A header may say that a file is longer by so much: a last frame's duration is not told by all containers."""

_VP8_SHOWN = 0x10
"""The bit of a VP8 packet's first byte that says that its frame is shown (RFC 6386, section 9.1)."""


@dataclass(frozen=True)
class FrameIndex:
    """Presentation times of all frames, in units of the stream's time base.

    Attributes:
        pts: ``(T,)`` int64, strictly rising.
        durations: ``(T,)`` int64; the time to the next frame, for the last frame its own.
        labels: ``(T,)`` int64; the time the decoder gives each frame, by which it is known. It is the frame's pts,
            except where a container holds decoding times alone (AVI): there it is that of the frame's packet.
        keyframe_pts: ``(K,)`` int64, rising; the labels of the key frames.
        is_suspect: The file seems to end early, so its tail must be tried by decoding.
        left_out: Packets that are no frames of their own: before an edit list's start, or at another one's time.
        repeated: How many of them have another one's time.
        is_reordered: The packets lie in the file in another order than their frames are shown.
        damaged: Labels of the frames whose packets are known to be damaged: incomplete, or not as their checksum says.
        cut: Damaged packets at the end, which are no frames here.
        missing_seconds: How much earlier the file ends than it says; 0 where it does not say.
    """

    pts: npt.NDArray[np.int64]
    durations: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    keyframe_pts: npt.NDArray[np.int64]
    is_suspect: bool
    left_out: int = 0
    repeated: int = 0
    is_reordered: bool = False
    damaged: frozenset[int] = frozenset()
    cut: int = 0
    missing_seconds: float = 0.0

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.pts)

    @cached_property
    def _by_label(self) -> npt.NDArray[np.intp]:
        """The frames in the order of their labels."""
        return np.argsort(self.labels)

    def find(self, label: int) -> int | None:
        """The frame to which the decoder gives this time."""
        place = int(np.searchsorted(self.labels, label, sorter=self._by_label))
        index = int(self._by_label[min(place, len(self) - 1)])
        return index if self.labels[index] == label else None

    def at(self, pts: float) -> int:
        """The frame shown at a time: the last one that starts at or before it, inside the clip."""
        return min(max(int(np.searchsorted(self.pts, pts, side="right")) - 1, 0), len(self.pts) - 1)

    def keep(self, start: int, stop: int) -> FrameIndex:
        """The index of a part of the frames."""
        part = slice(start, stop)
        return replace(self, pts=self.pts[part], durations=self.durations[part], labels=self.labels[part])

    def with_times_of(self, decoded: FrameIndex) -> FrameIndex:
        """What is known of the packets, with the frames and times that decoding gave."""
        return replace(
            self,
            pts=decoded.pts,
            durations=decoded.durations,
            labels=decoded.labels,
            keyframe_pts=decoded.keyframe_pts,
        )

    def evenly(self) -> FrameIndex:
        """The same frames one unit apart, from 0: for those whose times the file does not say."""
        even = even_index(len(self))
        return replace(self, pts=even.pts, durations=even.durations)

    def mean_duration(self) -> Fraction:
        """Average frame duration in pts units."""
        if len(self.pts) < 2:
            return Fraction(int(self.durations[0]))
        return Fraction(int(self.pts[-1] - self.pts[0]), len(self.pts) - 1)

    def duration_seconds(self, time_base: Fraction) -> float:
        """From the first frame's start to the last frame's end."""
        return float((int(self.pts[-1] - self.pts[0]) + int(self.durations[-1])) * time_base)

    def holes(self) -> list[tuple[int, int]]:
        """Frames behind which others seem to be missing, and how many: where an otherwise even rate is interrupted."""
        steps = np.diff(self.pts)
        usual = np.median(steps) if len(steps) else 0
        is_even = np.abs(steps - usual) <= 1.5
        if len(steps) < 8 or is_even.mean() < _EVEN_SHARE:
            return []
        return [(int(at), round(steps[at] / usual) - 1) for at in np.flatnonzero(steps >= 1.75 * usual)]

    def is_variable_rate(self) -> bool:
        """True when frames lie off an even grid by more than the rounding of the time base (1.5 units)."""
        if len(self.pts) < 3:
            return False
        grid = np.arange(len(self.pts)) * float(self.mean_duration())
        return bool(np.abs(self.pts - self.pts[0] - grid).max() > 1.5)


def even_index(count: int) -> FrameIndex:
    """The index of frames one unit apart, each of them a key frame."""
    pts = np.arange(count, dtype=np.int64)
    return FrameIndex(pts, np.ones(count, np.int64), pts, pts, is_suspect=False)


def index_packets(container: InputContainer, stream: VideoStream) -> FrameIndex | None:
    """Index a video stream by demuxing its file; 2.3 ms for 150 packets.

    Packets that the container flags to be discarded (before an edit list's start) are left out, and so are those that
    show no frame and damaged ones at the end. Returns None when there is no packet with a time.
    """
    codec = stream.codec_context.codec.canonical_name
    times: dict[int, int] = {}
    keys: list[int] = []
    damaged: set[int] = set()
    unlike: set[int] = set()  # no packet with checksums that agree, if there are checksums
    has_checksums = False
    end = 0.0
    is_suspect = is_reordered = False
    untimed = discarded = repeated = 0
    before: int | None = None
    try:
        for packet in packets_of(container, *container.streams):
            if packet.size == 0:
                continue
            end = max(end, _end_seconds(packet))
            if packet.stream_index != stream.index:
                continue
            if packet.is_discard or (codec == "vp8" and not _is_shown(packet)):
                discarded += 1
                continue
            pts = packet.pts if packet.pts is not None else packet.dts
            if pts is None:
                untimed += 1
                continue
            is_reordered = is_reordered or (before is not None and pts < before)
            before = pts
            repeated += pts in times
            times[pts] = packet.duration or 0
            if packet.is_corrupt:
                damaged.add(pts)
            if codec == "ffv1":
                is_whole = ffv1_is_whole(bytes(packet))
                has_checksums = has_checksums or is_whole is not None
                if not is_whole:
                    unlike.add(pts)
            if packet.is_keyframe:
                keys.append(pts)
    except FFmpegError:
        is_suspect = True
    cut = 0
    while times and max(times) in damaged:
        times.pop(max(times))
        cut += 1
    if not times or untimed:
        return None
    left_out = discarded + repeated
    if container.format.name == "avi":
        # What AVI calls frames are moments, some of which may be empty: then the frame before is shown on.
        left_out += max(times) - min(times) + 1 - len(times)
    is_short = stream.frames > len(times) + left_out
    if has_checksums:
        damaged |= unlike
    index = _build(times, keys, is_suspect=is_suspect or cut > 0 or is_short)
    return replace(
        index,
        left_out=left_out,
        repeated=repeated,
        is_reordered=is_reordered,
        damaged=frozenset(damaged),
        cut=cut,
        missing_seconds=_missing_seconds(container, end),
    )


def index_by_decoding(frames: Iterable[VideoFrame]) -> FrameIndex | None:
    """Index by decoding everything, in the order the frames come: where the packets do not tell when they are shown.

    The n-th frame to come gets the n-th of all times. Returns None when no frame has a time.
    """
    durations: dict[int, int] = {}
    keys: list[int] = []
    try:
        for frame in frames:
            if frame.pts is None or frame.pts in durations:
                continue
            durations[frame.pts] = frame.duration
            if frame.key_frame or not keys:
                keys.append(frame.pts)
    except FFmpegError:
        pass  # What was decoded so far is what the file has to give.
    if not durations:
        return None
    return replace(_build(durations, keys, is_suspect=False), labels=np.array(list(durations), np.int64))


def _end_seconds(packet: Packet[Stream]) -> float:
    """When what a packet holds is over, in the file's time."""
    pts = packet.pts if packet.pts is not None else packet.dts
    return 0.0 if pts is None else float((pts + (packet.duration or 0)) * packet.time_base)


def _missing_seconds(container: InputContainer, end: float) -> float:
    """How much earlier a file ends than its header says; FFmpeg tells no error where a Matroska file is cut."""
    if not container.format.name.startswith("matroska") or container.duration is None:
        return 0.0
    missing = container.duration / time_base - end
    return missing if missing > _ROUNDED_SECONDS else 0.0


def _is_shown(packet: Packet[Stream]) -> bool:
    """False for a VP8 packet that only helps to predict others (libvpx calls it an alternate reference)."""
    return bool(memoryview(packet)[0] & _VP8_SHOWN)


def _build(times: dict[int, int], keys: list[int], *, is_suspect: bool) -> FrameIndex:
    """Sort, and take each frame's duration as the time to the next."""
    pts = np.array(sorted(times), np.int64)
    gaps = np.diff(pts)
    last = times[int(pts[-1])] or (int(np.median(gaps)) if len(gaps) else 1)
    durations = np.append(gaps, np.int64(last))
    return FrameIndex(pts, durations, pts, np.array(sorted(keys), np.int64), is_suspect)
