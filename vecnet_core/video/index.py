"""The index of a video: every frame's presentation time, sorted, found by reading the packets without decoding them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from av.error import FFmpegError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

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
        is_suspect: The file ends early or holds packets marked as damaged, so its tail must be tried by decoding.
        left_out: Packets that are no frames of their own: before an edit list's start, or at another one's time.
        repeated: How many of them have another one's time.
        is_reordered: The packets lie in the file in another order than their frames are shown.
    """

    pts: npt.NDArray[np.int64]
    durations: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    keyframe_pts: npt.NDArray[np.int64]
    is_suspect: bool
    left_out: int = 0
    repeated: int = 0
    is_reordered: bool = False

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

    def mean_duration(self) -> Fraction:
        """Average frame duration in pts units."""
        if len(self.pts) < 2:
            return Fraction(int(self.durations[0]))
        return Fraction(int(self.pts[-1] - self.pts[0]), len(self.pts) - 1)

    def duration_seconds(self, time_base: Fraction) -> float:
        """From the first frame's start to the last frame's end."""
        return float((int(self.pts[-1] - self.pts[0]) + int(self.durations[-1])) * time_base)

    def is_variable_rate(self) -> bool:
        """True when frames lie off an even grid by more than the rounding of the time base (1.5 units)."""
        if len(self.pts) < 3:
            return False
        grid = np.arange(len(self.pts)) * float(self.mean_duration())
        return bool(np.abs(self.pts - self.pts[0] - grid).max() > 1.5)


def index_packets(container: InputContainer, stream: VideoStream) -> FrameIndex | None:
    """Index a video stream by demuxing it; 2.3 ms for 150 packets.

    Packets that the container flags to be discarded (before an edit list's start) are left out, and so are those that
    show no frame and damaged ones at the end. Returns None when there is no packet with a time.
    """
    is_vp8 = stream.codec_context.codec.canonical_name == "vp8"
    times: dict[int, int] = {}
    keys: list[int] = []
    damaged: set[int] = set()
    is_suspect = is_reordered = False
    untimed = discarded = repeated = 0
    before: int | None = None
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            if packet.is_discard or (is_vp8 and not _is_shown(packet)):
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
            if packet.is_keyframe:
                keys.append(pts)
    except FFmpegError:
        is_suspect = True
    while damaged and times and max(times) in damaged:
        damaged.discard(max(times))
        times.pop(max(times))
        is_suspect = True
    if not times or untimed:
        return None
    left_out = discarded + repeated
    is_short = stream.frames > len(times) + left_out
    index = _build(times, keys, is_suspect=is_suspect or bool(damaged) or is_short)
    return replace(index, left_out=left_out, repeated=repeated, is_reordered=is_reordered)


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


def _is_shown(packet: Packet[VideoStream]) -> bool:
    """False for a VP8 packet that only helps to predict others (libvpx calls it an alternate reference)."""
    return bool(memoryview(packet)[0] & _VP8_SHOWN)


def _build(times: dict[int, int], keys: list[int], *, is_suspect: bool) -> FrameIndex:
    """Sort, and take each frame's duration as the time to the next."""
    pts = np.array(sorted(times), np.int64)
    gaps = np.diff(pts)
    last = times[int(pts[-1])] or (int(np.median(gaps)) if len(gaps) else 1)
    durations = np.append(gaps, np.int64(last))
    return FrameIndex(pts, durations, pts, np.array(sorted(keys), np.int64), is_suspect)
