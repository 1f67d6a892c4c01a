"""Reads video files frame by frame, exactly: frame n is the n-th in presentation order, however it is reached."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from av.error import EOFError as EndOfFile
from av.error import FFmpegError, InvalidDataError

from vecnet_core.errors import VideoDamageError, VideoOpenError, VideoReadError
from vecnet_core.video.damage import Findings, GroupWatch, damage_clauses
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings
from vecnet_core.video.deinterlace import Deinterlacer
from vecnet_core.video.form import PictureForm
from vecnet_core.video.frame_reader import CACHED_FRAMES, FrameReader
from vecnet_core.video.index import index_by_decoding, index_packets
from vecnet_core.video.opening import RAW_FORMATS, gather_facts, open_video, packets_of, stated_rate, video_streams
from vecnet_core.video.orientation import MIRRORED
from vecnet_core.video.series import series_length
from vecnet_core.video.tags import TagNumbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from vecnet_core.frame import Frame
    from vecnet_core.video.index import FrameIndex

log = logging.getLogger(__name__)

_NEAR_FRAMES = 24
"""A frame at most this far ahead is reached by decoding on; further ones by seeking when a key frame lies between."""

_FIRST_GROUPS = 2
"""Groups of pictures at the start of a file that are reached from there as soon as from a key frame."""

_TOLD_HOLES = 8
"""Places told where frames are missing; a file with more has other troubles."""

_TRIED_FRAMES = 48
"""Frames decoded to see whether they come in the order of their times, where the packets leave that in doubt."""


class VideoReader(FrameReader):
    """Frames of one video stream of a file, by index or in order. Not thread-safe: open one per thread.

    A raw stream of a codec that shows frames in another order than it holds them (H.264, HEVC) is decoded once as a
    whole when it is opened, since only that tells the order.

    Args:
        path: The video file.
        decode: Which stream is read, and how.
        thread_count: Decoder threads; 0 lets FFmpeg choose.
        is_strict: A frame that does not decode is an error; else the last good one before it is shown in its place.

    Attributes:
        info: The facts of the video.

    Raises:
        VideoOpenError: The file is missing, no video, damaged beyond reading, or of a kind we do not read.
    """

    def __init__(
        self, path: Path | str, decode: DecodeSettings = AS_IT_IS, *, thread_count: int = 0, is_strict: bool = False
    ) -> None:
        super().__init__(Path(path))
        self._decode = decode
        self._thread_count = thread_count
        self._woven: OrderedDict[int, VideoFrame] = OrderedDict()  # decoded frames, kept to be deinterlaced
        self._deinterlacer: Deinterlacer | None = None
        self._cursor = 0  # index of the next frame the running decoder should give
        self._decoder: Iterator[VideoFrame] | None = None
        self._came_before = False  # the running decoder gave a frame before the one asked for
        self._passed = 0  # index of the frame that came instead of the one asked for, or the count
        self._is_strict = is_strict
        self._damaged_packets: frozenset[int] = frozenset()
        self._reached: set[int] = set()  # labels of the frames that damage was found to reach
        self._lost: set[int] = set()  # indices of the frames that do not decode
        self._recalled = Findings()  # by another reader
        self._is_careful = False  # frames are decoded one after another, so that an error tells whose it is
        self._must_reopen = False  # the running decoder was not careful, and met an error
        self._starts_in_vain = False  # decoding all from the start did not give a frame either
        self._is_numbered = False  # packets have no times: their numbers in the file are the frames' labels
        self._first_packet = 0  # of numbered packets, the one where the running decoder began
        self._container, self._stream = open_video(self._path, thread_count, decode.stream)
        self._stated = TagNumbers.of(self._stream.codec_context)
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
        found = self.findings
        return (*found.clauses, *damage_clauses(found.lost, found.reached))

    @property
    def findings(self) -> Findings:
        """What `warnings` are made of."""
        labels = list(self._reached)
        reached = np.flatnonzero(np.isin(self._index.labels, labels)).tolist() if labels else []
        told = self._recalled
        return Findings(super().findings.clauses, told.lost.union(self._lost), told.reached.union(reached))

    def recall(self, findings: Findings) -> None:
        """Tell in `warnings` also what another reader has found; its lost frames are tried all the same."""
        super().recall(findings)
        self._recalled = findings

    def close(self) -> None:
        """Close the file; the reader is not usable afterwards."""
        super().close()
        self._decoder = self._deinterlacer = None
        self._woven.clear()
        self._container.close()

    # Opening

    def _open(self) -> None:
        """Index the packets, decode the first frame, and gather the facts from both."""
        count = len(video_streams(self._container))
        if count > 1:
            self._warn(f"the file has {count} video streams, and number {self._decode.stream} is read (the first is 0)")
        alike = series_length(self._path)
        if alike > 1:
            self._warn(
                f"this is one of {alike} numbered pictures, which their folder or --frame-rate opens as a sequence"
            )
        first, self._index = self._first_frame_and_index()
        self._form = PictureForm.of(first, self._path, self._decode.hdr, self._stated)
        even_rate = self._even_rate()
        if even_rate is not None:
            self._index = self._index.evenly()
        self.info = gather_facts(
            self._path, self._container, self._stream, self._index, first, self._form, self._decode, even_rate
        )
        for clause in self._form.warnings:
            self._warn(clause)
        if self._stream.metadata.get("alpha_mode") == "1" and not self.info.has_alpha:
            # WebM keeps it beside the picture, where FFmpeg's own decoders do not look.
            self._warn("its transparency is kept in a way that is not read, and is left out")
        if self.info.is_mirrored:
            self._warn(MIRRORED)
        self._check_fields(is_interlaced=bool(first.interlaced_frame))
        self._keep(first, 0)
        self._cursor = 1
        if self._index.repeated:
            self._warn(f"{self._index.repeated} frames have the time of another one and are left out")
        if self._index.is_suspect:
            self._check_tail()
        self._tell_holes()
        if self._decode.deinterlace:
            self._deinterlacer = Deinterlacer(self._woven_frame, len(self._index))

    def _first_frame_and_index(self) -> tuple[VideoFrame, FrameIndex]:
        """The first frame that decodes, and the index from there on."""
        index = index_packets(self._container, self._stream)
        self._damaged_packets = frozenset() if index is None else index.damaged
        if index is None and self._container.format.name not in RAW_FORMATS:
            index = self._decoded_index()
        first = self._first_frame()
        if index is None or first.pts is None:
            self._is_numbered = True
            index, first = self._decoded_index(), self._first_frame()
        if index is None or first.pts is None:
            raise self._empty()
        if index.find(first.pts) is None or not self._comes_in_order(index, first.pts):
            # The decoder's times are not the packets' (some AVI files): only decoding tells the order.
            decoded = self._decoded_index() or index
            index = index.with_times_of(decoded)
        found = index.find(first.pts) or 0
        if found > 0:
            self._warn(f"the first {found} frames cannot be decoded and are left out")
            index = index.keep(found, len(index))
        return first, index

    def _first_frame(self) -> VideoFrame:
        """The first frame that decodes; the decoder stands behind it."""
        first: VideoFrame | None = None
        while first is None:
            self._reopen()
            self._decoder = self._decoded()
            first = next(self._decoder, None)
            if first is None and not self._must_reopen:
                raise self._empty()
        return first

    def _decoded_index(self) -> FrameIndex | None:
        """The index by decoding the whole file, which leaves no running decoder."""
        self._reopen()
        self._decoder = None
        index = index_by_decoding(self._decoded())
        return self._decoded_index() if self._must_reopen else index

    def _comes_in_order(self, index: FrameIndex, first: int) -> bool:
        """Whether the running decoder, which gave a first frame, gives frames in the order of their times.

        AVI holds decoding times alone. FFmpeg takes them for presentation times, so B-frames would trade places; a copy
        of such a file in another container keeps the wrong times. A codec without B-frames gives frames as they lie in
        the file, also where their times run backwards.
        """
        has_b_frames = bool(self._stream.codec_context.has_b_frames)
        if self._is_numbered or index.is_reordered == has_b_frames:
            return True
        if index.is_reordered or self._container.format.name == "avi":
            return False
        more = [frame.pts for frame in islice(self._decoder or (), _TRIED_FRAMES)]
        self._decoder = None
        labels = [first, *(label for label in more if label is not None)]
        return all(earlier < later for earlier, later in pairwise(labels))

    def _even_rate(self) -> Fraction | None:
        """Frames per second where they have no times of their own; None where they have."""
        if not self._is_numbered and self._container.format.name not in RAW_FORMATS:
            if self._decode.frame_rate is not None:
                self._warn("the frames have times of their own, so that the frame rate that was given is not used")
            return None
        if self._decode.frame_rate is not None:
            return self._decode.frame_rate
        rate = stated_rate(self._stream)
        self._warn(f"the file does not say when its frames are shown: {rate} per second are assumed (--frame-rate)")
        return rate

    def _check_fields(self, *, is_interlaced: bool) -> None:
        """Say what is done with interlaced frames, and refuse to deinterlace what the filter does not take."""
        plan = self._form.plan
        if not self._decode.deinterlace:
            if is_interlaced:
                self._warn(
                    "the video is interlaced; its fields are treated as whole frames, and the result is progressive "
                    "(--deinterlace makes whole pictures of them)"
                )
            return
        is_odd_grey = plan.layout.planes == 1 and plan.source_format not in {"gray", "gray16le", "gray16be"}
        if plan.is_float or is_odd_grey:
            raise VideoOpenError(
                f"pictures of the pixel format {plan.source_format} cannot be deinterlaced",
                path=self._path,
                hint="read it without deinterlacing",
            )
        if not is_interlaced:
            self._warn("the video does not say that it is interlaced, and is deinterlaced all the same")

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
            self._decode_to(index)
        except VideoDamageError:
            return False
        return True

    def _tell_holes(self) -> None:
        """Say where frames are missing of which the file holds nothing."""
        index = self._index
        # AVI says itself that a frame is shown longer; elsewhere only its times tell.
        holes = [] if self._container.format.name == "avi" else index.holes()
        for after, count in holes[:_TOLD_HOLES]:
            words = "1 frame seems" if count == 1 else f"about {count} frames seem"
            self._warn(f"{words} to be missing after frame {after}, which is shown so much longer")
        if index.missing_seconds:
            ends = float(self.info.duration_seconds)
            self._warn(
                f"the file is cut short: its picture ends after {ends:.2f} s, {index.missing_seconds:.2f} s early"
            )
        elif index.cut and not self.info.missing_frames:
            words = "frame of the file is" if index.cut == 1 else f"{index.cut} frames of the file are"
            self._warn(f"the last {words} incomplete and left out")

    def _empty(self) -> VideoOpenError:
        """The error for a file without a single frame."""
        return VideoOpenError(
            "it has a video stream but not one frame in it can be decoded",
            path=self._path,
            hint="the file is damaged or cut short; copy it again from its source",
        )

    # Reading

    def _read(self, index: int) -> Frame:
        """A frame that is not in memory."""
        if self._deinterlacer is None:
            self._reach(index)
            return self._cache[index]
        frame = self._as_frame(self._deinterlacer.picture(index), index)
        self._remember(frame)
        return frame

    def _woven_frame(self, index: int) -> VideoFrame:
        """A decoded frame, both fields in one."""
        if index not in self._woven:
            self._reach(index)
        return self._woven[index]

    def _reach(self, index: int) -> None:
        """See to it that a frame is in memory, or what is shown in its place.

        Raises:
            VideoDamageError: It does not decode, and the reader is strict.
        """
        if self._is_strict or self._is_readable(index):
            self._decode_to(index)
            return
        before = index - 1
        # In a row of lost frames the one before may be there already, as what is shown in its place.
        while not self._holds(before) and not self._is_readable(before):
            before -= 1
            if before < 0:
                raise self._damage(index)
        if before in self._woven:
            self._keep_woven(self._woven[before], index)
        else:
            pts, duration = int(self._index.pts[index]), int(self._index.durations[index])
            self._remember(replace(self._cache[before], index=index, pts=pts, duration=duration))

    def _holds(self, index: int) -> bool:
        """True when a frame is in memory."""
        return index in self._cache or index in self._woven

    def _decode_to(self, index: int) -> None:
        """Decode until a frame is in memory, on from where the decoder is or after a seek.

        Raises:
            VideoDamageError: It does not decode.
        """
        if self._holds(index):
            return
        if index in self._lost:
            raise self._damage(index)
        try:
            if not self._is_ahead(index) or not self._read_on(index):
                self._read_after_seek(index)
        except FFmpegError:
            self._decoder = None
            raise

    def _is_ahead(self, index: int) -> bool:
        """True when decoding on is the best way to a frame."""
        if self._decoder is None or index < self._cursor:
            return False
        if index - self._cursor <= _NEAR_FRAMES:
            return True
        keys, labels = self._index.keyframe_pts, self._index.labels
        return not ((keys > labels[self._cursor]) & (keys <= labels[index])).any()

    def _read_on(self, index: int) -> bool:
        """Decode on until a frame; False when it is passed without having come, or the file ends."""
        self._came_before = False
        for decoded in self._decoder or ():
            found = None if decoded.pts is None else self._index.find(decoded.pts)
            if found is None:
                continue
            self._cursor = found + 1
            if found > index - CACHED_FRAMES:
                self._keep(decoded, found)
            if found == index:
                return True
            if found > index:
                self._passed = found
                break
            self._came_before = True
        else:
            self._passed = len(self._index)
        self._decoder = None
        return False

    def _read_after_seek(self, index: int) -> None:
        """Seek to the key frame before a frame, to earlier ones when that was too late, and at last start over."""
        label = int(self._index.labels[index])
        keys = self._index.keyframe_pts
        for target in (label, *(int(key) for key in keys[keys < label][:-3:-1])):
            if self._read_from(target, index):
                return
            if self._came_before:
                break  # The decoder was running well before this frame and did not give it: it is damaged.
        else:
            # The start is near for the first groups; from afar it is tried until that was in vain, so that a file full
            # of damage is not decoded once for each bad frame.
            if not self._starts_in_vain or (keys <= label).sum() <= _FIRST_GROUPS:
                if self._read_from(None, index):
                    return
                self._starts_in_vain = True
        # All that came, or should have come, between the last good frame and the next one.
        self._lost.update(range(index, max(index + 1, self._passed)))
        raise self._damage(index)

    def _read_from(self, label: int | None, index: int) -> bool:
        """Decode until a frame from the key frame at or before a label, or from the start; False where it is not."""
        self._restart(label)
        if not self._read_on(index) and self._must_reopen:
            self._restart(label)
            return self._read_on(index)
        return self._holds(index)

    def _restart(self, label: int | None) -> None:
        """Start decoding at the key frame at or before a label, or at the file's start."""
        if label is None or self._must_reopen:
            self._reopen()
        if label is None:
            pass
        elif self._is_numbered:
            self._reopen()
            keys = self._index.keyframe_pts
            self._first_packet = int(keys[keys <= label].max(initial=0))
        else:
            try:
                self._container.seek(label, stream=self._stream, backward=True)
            except FFmpegError:
                # Raw streams and some broken ones cannot seek: start over.
                self._reopen()
        self._decoder, self._cursor = self._decoded(), 0

    def _reopen(self) -> None:
        """Open the file anew at its start."""
        self._container.close()
        self._container, self._stream = open_video(self._path, self._thread_count, self._decode.stream)
        if self._is_careful:
            self._stream.thread_type = "SLICE"
        self._must_reopen = False
        self._first_packet = 0

    def _decoded(self) -> Iterator[VideoFrame]:
        """Decode from where the container stands; packets that do not decode are skipped.

        Where frames are decoded several at a time, an error comes with another's packet, and takes frames that are
        good at the end of the file: so the first one ends this, and from then on decoding is careful.
        """
        watch = GroupWatch(self._damaged_packets)
        for number, packet in enumerate(self._packets()):
            if self._is_numbered and packet.size:
                if number < self._first_packet:
                    continue
                packet.pts = packet.dts = number
            label = packet.pts if packet.pts is not None else packet.dts
            if packet.size and label is not None:
                watch.feed(label, is_key=packet.is_keyframe, is_damaged=packet.is_corrupt)
            try:
                frames = packet.decode()
            except EndOfFile:
                return
            except FFmpegError as error:
                log.debug("%s: a packet at pts %s does not decode: %s", self._path, label, error)
                if not self._is_careful:
                    self._is_careful = self._must_reopen = True
                    return
                frames = []
                watch.mark(label)
            for frame in frames:
                if frame.is_corrupt:
                    watch.mark(frame.pts)
            self._reached |= watch.take()
            yield from frames

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """The stream's packets from where the container stands, as far as the file can be taken apart."""
        try:
            yield from packets_of(self._container, self._stream)
        except InvalidDataError as error:
            log.debug("%s: the file cannot be taken apart further: %s", self._path, error)

    def _keep(self, decoded: VideoFrame, index: int) -> None:
        """Keep a frame that the decoder gave, as one of ours, or as it is when it will be deinterlaced."""
        change = self._form.change(decoded)
        if change:
            raise VideoReadError(
                change, path=self._path, frame=index, hint="split the file there and correct the parts one by one"
            )
        if self._decode.deinterlace:
            self._keep_woven(decoded, index)
        else:
            self._remember(self._as_frame(decoded, index))

    def _keep_woven(self, decoded: VideoFrame, index: int) -> None:
        """Keep a decoded frame, and forget the oldest."""
        self._woven[index] = decoded
        while len(self._woven) > CACHED_FRAMES:
            self._woven.popitem(last=False)

    def _as_frame(self, picture: VideoFrame, index: int) -> Frame:
        """A picture with its times."""
        pts, duration = int(self._index.pts[index]), int(self._index.durations[index])
        return self._form.frame(picture, index, pts, self.info.time_base, duration)

    def _has_frame_after(self, index: int) -> bool:
        """True when the file still gives frames behind a bad one, so that the damage is not its tail."""
        return any(held > index for held in (*self._cache, *self._woven))

    def _damage(self, index: int) -> VideoDamageError:
        """The error for a frame that does not decode."""
        return VideoDamageError(
            "the video is damaged",
            path=self._path,
            frame=index,
            hint="copy the file again from its source, or correct the parts before and after it with a start and end",
        )
