"""Reads video files frame by frame, exactly: frame n is the n-th in presentation order, however it is reached."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from av.error import EOFError as EndOfFile
from av.error import FFmpegError, InvalidDataError

from vecnet_core.errors import VideoDamageError, VideoOpenError, VideoReadError
from vecnet_core.frame import Frame
from vecnet_core.video.color import rgb_to_frame
from vecnet_core.video.index import index_by_decoding, index_packets
from vecnet_core.video.layouts import named_layout, plan_layout, read_planes, read_rgb
from vecnet_core.video.opening import gather_facts, open_video
from vecnet_core.video.tags import TagNumbers, read_tags

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import numpy.typing as npt
    from av.video.frame import VideoFrame

    from vecnet_core.frame import ColorTags, VideoInfo
    from vecnet_core.video.index import FrameIndex
    from vecnet_core.video.layouts import LayoutPlan

log = logging.getLogger(__name__)

CACHED_FRAMES = 8
"""Decoded frames kept, so that stepping back a few frames does not decode a group of pictures each time."""

_NEAR_FRAMES = 24
"""A frame at most this far ahead is reached by decoding on; further ones by seeking when a key frame lies between."""

_TRIED_FRAMES = 48
"""Frames decoded to see whether they come in the order of their times, where the packets leave that in doubt."""


class VideoReader:
    """Frames of a file's first video stream, by index or in order. Not thread-safe: open one per thread.

    Args:
        path: The video file.
        thread_count: Decoder threads; 0 lets FFmpeg choose.

    Attributes:
        info: The facts of the video.

    Raises:
        VideoOpenError: The file is missing, no video, damaged beyond reading, or of a kind we do not read.
    """

    info: VideoInfo

    def __init__(self, path: Path | str, *, thread_count: int = 0) -> None:
        self._path = Path(path)
        self._thread_count = thread_count
        self._warnings: list[str] = []
        self._cache: OrderedDict[int, Frame] = OrderedDict()
        self._cursor = 0  # index of the next frame the running decoder should give
        self._decoder: Iterator[VideoFrame] | None = None
        self._came_before = False  # the running decoder gave a frame before the one asked for
        self._container, self._stream = open_video(self._path, thread_count)
        try:
            self._open()
        except FFmpegError as error:
            self.close()
            raise VideoOpenError(
                f"the video cannot be read ({error.strerror or 'unknown cause'})",
                path=self._path,
                hint="check that it plays elsewhere, or convert it to MP4",
            ) from error
        except BaseException:
            self.close()
            raise

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what is damaged, converted or assumed; more may come while frames are read."""
        return tuple(self._warnings)

    def frame(self, index: int) -> Frame:
        """The frame with this number in presentation order.

        Raises:
            VideoReadError: There is no such frame, or the file is damaged there.
        """
        if not 0 <= index < self.info.frame_count:
            raise VideoReadError(
                f"there is no frame {index}", path=self._path, hint=f"ask for 0 to {self.info.frame_count - 1}"
            )
        cached = self._cache.get(index)
        if cached is not None:
            self._cache.move_to_end(index)
            return cached
        try:
            found = self._read_on(index) if self._is_ahead(index) else None
            return found or self._read_after_seek(index)
        except FFmpegError as error:
            self._decoder = None
            raise VideoReadError(
                f"the file cannot be read ({error.strerror or 'unknown cause'})",
                path=self._path,
                frame=index,
                hint="check the disk or network it is on",
            ) from error

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Frames ``start`` to ``stop - 1`` in order; ends early, with a warning, where the file's end is damaged."""
        end = self.info.frame_count if stop is None else min(stop, self.info.frame_count)
        for index in range(start, end):
            try:
                frame = self.frame(index)
            except VideoDamageError:
                if self._has_frame_after(index):
                    raise
                self._warn(f"the end of the file is damaged: {index} of {self.info.frame_count} frames can be read")
                return
            yield frame

    def index_at(self, seconds: float) -> int:
        """The frame shown at a time counted from the first frame's start."""
        # Half a microsecond covers the rounding of seconds that came out of `seconds_of`.
        offset = (Fraction(seconds) + Fraction(1, 2_000_000)) / self.info.time_base
        return self._index.at(float(offset) + self.info.start_pts)

    def seconds_of(self, index: int) -> float:
        """When a frame is shown, in seconds counted from the first frame's start."""
        return float((int(self._index.pts[index]) - self.info.start_pts) * self.info.time_base)

    def pts(self, start: int = 0, stop: int | None = None) -> npt.NDArray[np.int64]:
        """Presentation times of frames ``start`` to ``stop - 1``, ``(T,)`` in units of the clip's time base."""
        return self._index.pts[start:stop]

    def close(self) -> None:
        """Close the file; the reader is not usable afterwards."""
        self._decoder = None
        self._cache.clear()
        self._container.close()

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    # Opening

    def _open(self) -> None:
        """Index the packets, decode the first frame, and gather the facts from both."""
        first, self._index = self._first_frame_and_index()
        plan = plan_layout(first.format.name)
        if plan is None:
            raise VideoOpenError(
                f"its pixel format {first.format.name} is not supported",
                path=self._path,
                hint="convert it to an ordinary video format first",
            )
        self._plan = plan
        color = self._read_color(first, plan)
        self.info = gather_facts(self._path, self._container, self._stream, self._index, first, plan.layout, color)
        if plan.warning:
            self._warn(plan.warning)
        if color.is_hdr:
            self._warn(f"the video is HDR ({color.transfer}) and is treated as an ordinary display-referred picture")
        if self.info.is_interlaced:
            self._warn("the video is interlaced; its fields are treated as whole frames, and the result is progressive")
        self._remember(self._convert(first, 0))
        self._cursor = 1
        if self._index.repeated:
            self._warn(f"{self._index.repeated} frames have the time of another one and are left out")
        if self._index.is_suspect:
            self._check_tail()

    def _first_frame_and_index(self) -> tuple[VideoFrame, FrameIndex]:
        """The first frame that decodes, and the index from there on."""
        index = index_packets(self._container, self._stream) or self._decoded_index()
        self._reopen()
        self._decoder = self._decoded()
        first = next(self._decoder, None)
        if first is None:
            raise self._empty()
        if first.pts is None or index is None:
            raise VideoOpenError(
                "its frames have no times, as in a raw stream",
                path=self._path,
                hint="put it into an MKV file first, for example with MKVToolNix",
            )
        if index.find(first.pts) is None or not self._comes_in_order(index, first.pts):
            # The decoder's times are not the packets' (some AVI files): only decoding tells the order.
            decoded = self._decoded_index() or index
            index = replace(decoded, is_suspect=index.is_suspect, left_out=index.left_out)
        found = index.find(first.pts) or 0
        if found > 0:
            self._warn(f"the first {found} frames cannot be decoded and are left out")
            index = index.keep(found, len(index))
        return first, index

    def _decoded_index(self) -> FrameIndex | None:
        """The index by decoding the whole file, which leaves no running decoder."""
        self._reopen()
        self._decoder = None
        return index_by_decoding(self._decoded())

    def _comes_in_order(self, index: FrameIndex, first: int) -> bool:
        """Whether the running decoder, which gave a first frame, gives frames in the order of their times.

        AVI holds decoding times alone. FFmpeg takes them for presentation times, so B-frames would trade places; a copy
        of such a file in another container keeps the wrong times.
        """
        if index.is_reordered or not self._stream.codec_context.has_b_frames:
            return True
        if self._container.format.name == "avi":
            return False
        more = [frame.pts for frame in islice(self._decoder or (), _TRIED_FRAMES)]
        self._decoder = None
        labels = [first, *(label for label in more if label is not None)]
        return all(earlier < later for earlier, later in pairwise(labels))

    def _read_color(self, first: VideoFrame, plan: LayoutPlan) -> ColorTags:
        """Colour tags of the decoded frame, which carries the stream's where the container has none."""
        if plan.is_rgb:
            numbers = TagNumbers(1, 2, int(first.color_primaries), int(first.color_trc))
        else:
            numbers = TagNumbers(
                int(first.colorspace), int(first.color_range), int(first.color_primaries), int(first.color_trc)
            )
        is_grey = plan.layout.planes == 1
        reading = read_tags(numbers, first.height, is_full_format=plan.is_full_format, is_grey=is_grey)
        if reading.refusal:
            raise VideoOpenError(
                f"its colour matrix {reading.refusal} is not supported",
                path=self._path,
                hint="convert it to BT.709 or BT.2020 first",
            )
        if reading.warning:
            self._warn(reading.warning)
        return reading.color

    def _check_tail(self) -> None:
        """Decode the last group of pictures of a file that seems cut short, and leave out what is not there."""
        claimed = max(self._stream.frames - self._index.left_out, len(self._index))
        keys, last = self._index.keyframe_pts, self._index.pts[-1]
        start = self._index.at(int(keys[keys < last].max(initial=self._index.pts[0])))
        # What comes after the first hole was lent by a frame that is gone, or is gone itself.
        holes = (index for index in range(start, len(self._index)) if not self._is_readable(index))
        good = next(holes, len(self._index))
        if good == 0:
            raise self._empty()
        if good < claimed:
            self._index = self._index.keep(0, good)
            duration = self._index.duration_seconds(self.info.time_base)
            self.info = replace(self.info, frame_count=good, duration_seconds=duration, missing_frames=claimed - good)
            self._warn(f"the file is truncated: {good} of {claimed} frames can be read")

    def _is_readable(self, index: int) -> bool:
        """True when a frame decodes."""
        try:
            self.frame(index)
        except VideoDamageError:
            return False
        return True

    def _empty(self) -> VideoOpenError:
        """The error for a file without a single frame."""
        return VideoOpenError(
            "it has a video stream but not one frame in it can be decoded",
            path=self._path,
            hint="the file is damaged or cut short; copy it again from its source",
        )

    # Reading

    def _is_ahead(self, index: int) -> bool:
        """True when decoding on is the best way to a frame."""
        if self._decoder is None or index < self._cursor:
            return False
        if index - self._cursor <= _NEAR_FRAMES:
            return True
        keys, labels = self._index.keyframe_pts, self._index.labels
        return not ((keys > labels[self._cursor]) & (keys <= labels[index])).any()

    def _read_on(self, index: int) -> Frame | None:
        """Decode on until a frame; None when it is passed without having come, or the file ends."""
        self._came_before = False
        for decoded in self._decoder or ():
            found = None if decoded.pts is None else self._index.find(decoded.pts)
            if found is None:
                continue
            self._cursor = found + 1
            if found > index - CACHED_FRAMES:
                self._remember(self._convert(decoded, found))
            if found == index:
                return self._cache[index]
            if found > index:
                break
            self._came_before = True
        self._decoder = None
        return None

    def _read_after_seek(self, index: int) -> Frame:
        """Seek to the key frame before a frame, to earlier ones when that was too late, and at last start over."""
        label = int(self._index.labels[index])
        keys = self._index.keyframe_pts
        for target in (label, *(int(key) for key in keys[keys < label][:-3:-1])):
            self._restart(target)
            frame = self._read_on(index)
            if frame is not None:
                return frame
            if self._came_before:
                # The decoder was running well before this frame and did not give it: it is damaged.
                raise self._damage(index)
        self._reopen()
        self._decoder, self._cursor = self._decoded(), 0
        frame = self._read_on(index)
        if frame is None:
            raise self._damage(index)
        return frame

    def _restart(self, pts: int) -> None:
        """Seek the container to the key frame at or before a time and start decoding there."""
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except FFmpegError:
            # Raw streams and some broken ones cannot seek: start over.
            self._reopen()
        self._decoder, self._cursor = self._decoded(), 0

    def _reopen(self) -> None:
        """Open the file anew at its start."""
        self._container.close()
        self._container, self._stream = open_video(self._path, self._thread_count)

    def _decoded(self) -> Iterator[VideoFrame]:
        """Decode from where the container stands; packets that do not decode are skipped."""
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except InvalidDataError as error:
                log.debug("%s: a packet at pts %s does not decode: %s", self._path, packet.pts, error)
            except EndOfFile:
                return

    def _convert(self, decoded: VideoFrame, index: int) -> Frame:
        """A decoded frame as a value of ours."""
        info, plan = self.info, self._plan
        if (decoded.width, decoded.height, decoded.format.name) != (info.width, info.height, plan.source_format):
            raise VideoReadError(
                f"the picture changes from {info.width}x{info.height} {plan.source_format} to "
                f"{decoded.width}x{decoded.height} {decoded.format.name}",
                path=self._path,
                frame=index,
                hint="split the file there and correct the parts one by one",
            )
        if decoded.is_corrupt:
            self._warn(f"frame {index} is damaged and shown as far as it can be decoded")
        pts, duration = int(self._index.pts[index]), int(self._index.durations[index])
        if plan.is_rgb:
            grey = np.empty((info.height, info.width), np.uint8)
            like = Frame(index, pts, info.time_base, duration, (grey,), named_layout(1, 1, 8, 1), info.color)
            return rgb_to_frame(read_rgb(decoded, plan), like, plan.layout)
        return Frame(index, pts, info.time_base, duration, read_planes(decoded, plan), info.layout, info.color)

    def _remember(self, frame: Frame) -> None:
        """Keep a frame and forget the one not asked for longest."""
        self._cache[frame.index] = frame
        self._cache.move_to_end(frame.index)
        while len(self._cache) > CACHED_FRAMES:
            self._cache.popitem(last=False)

    def _has_frame_after(self, index: int) -> bool:
        """True when the file still gives frames behind a bad one, so that the damage is not its tail."""
        return any(cached > index for cached in self._cache)

    def _damage(self, index: int) -> VideoDamageError:
        """The error for a frame that does not decode."""
        return VideoDamageError(
            "the video is damaged",
            path=self._path,
            frame=index,
            hint="copy the file again from its source, or correct the parts before and after it with a start and end",
        )

    def _warn(self, clause: str) -> None:
        """Note a warning once."""
        if clause not in self._warnings:
            self._warnings.append(clause)
            log.info("%s: %s", self._path, clause)
