"""Joins encoded pictures with everything that is copied from their source into one file."""

from __future__ import annotations

from contextlib import suppress
from typing import IO, TYPE_CHECKING, Self, cast

import av
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition

from vecnet_core.errors import VideoWriteError
from vecnet_core.video.containers import QUICKTIME, can_hold
from vecnet_core.video.copying import SourceCopy
from vecnet_core.video.encode import CONTAINERS
from vecnet_core.video.metadata import Span, cut_chapters, find_timecode, kept_texts, uncommon_texts
from vecnet_core.video.opening import open_container, video_streams
from vecnet_core.video.timecode import advance_timecode, is_timecode

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path
    from types import TracebackType

    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

    from vecnet_core.video.copying import StreamTally
    from vecnet_core.video.packets import EncodedPicture
    from vecnet_core.video.pictures import PicturePlan

_TICKS_OF_STARTS = 1000
"""Ticks a second in which FFmpeg says in MP4 where streams begin, unless it is told others."""

_QUICKTIME_TICKS = 600
"""Ticks a second of QuickTime's first files, the fewest that every player knows."""

WHOLE_SOURCE = Span()


class Muxer:
    """A file being written.

    Args:
        target: Where to.
        path: The output's final name, for its ending and for errors.
        plan: How its pictures are encoded.
        copy_from: The file from which everything but the pictures is copied.
        span: The part of it that is written.
        video_stream: Which of its video streams the pictures are from.

    Attributes:
        warnings: Sentences on what is not copied.
        chapters: How many the file gets.
        timecode: Of its first frame; empty for none.

    Raises:
        VideoWriteError: The container cannot hold the pictures or the sound.
    """

    warnings: tuple[str, ...]
    chapters: int
    timecode: str

    def __init__(
        self,
        target: str | IO[bytes],
        path: Path,
        plan: PicturePlan,
        *,
        copy_from: Path | None,
        span: Span = WHOLE_SOURCE,
        video_stream: int = 0,
    ) -> None:
        self._path = path
        self._plan = plan
        self._span = span
        self._format = CONTAINERS[path.suffix.lower()]
        self._copy: SourceCopy | None = None
        self.warnings = ()
        self.chapters = 0
        self.timecode = ""
        source = None if copy_from is None else open_container(copy_from)
        try:
            texts = {} if source is None else self._texts(source)
            self._output: OutputContainer = av.open(
                target, "w", format=self._format, container_options=self._options(texts)
            )
            try:
                self._stream = self._add_pictures()
                self._output.metadata.update(texts)
                if source is not None and copy_from is not None:
                    self._copy_facts(source, video_streams(source)[video_stream])
                    self._copy = SourceCopy(copy_from, self._output, path, span, video_stream)
                    self.warnings += self._copy.warnings
            except BaseException:
                self.close()
                raise
        finally:
            if source is not None:
                source.close()

    @property
    def time_base(self) -> Fraction:
        """The container's ticks of the pictures, known once it is started."""
        return self._stream.time_base or self._plan.info.time_base

    @property
    def copied(self) -> tuple[StreamTally, ...]:
        """What was copied of each stream so far."""
        return () if self._copy is None else self._copy.tallies

    def start(self) -> None:
        """Write the head of the file."""
        self._output.start_encoding()
        if self._copy is not None:
            self._copy.begin()

    def add(self, picture: EncodedPicture, pts: int, dts: int) -> None:
        """Write a picture at its times, in ticks of the source."""
        packet = cast("Packet[VideoStream]", Packet(picture.data))
        packet.time_base = self._plan.info.time_base
        packet.pts, packet.dts, packet.duration = pts, dts, picture.duration
        packet.is_keyframe = picture.is_key
        packet.stream = self._stream
        self._output.mux(packet)

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy what begins before a time of the source; None: all."""
        if self._copy is not None:
            self._copy.copy_until(seconds)

    def finish(self) -> None:
        """Copy the rest, and write the end of the file."""
        self.copy_until(None)
        self._output.close()

    def close(self) -> None:
        """Let go of the files; a half-written one may refuse its end."""
        if self._copy is not None:
            self._copy.close()
        with suppress(FFmpegError, OSError, ValueError):
            self._output.close()

    def __enter__(self) -> Self:
        """The muxer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the files."""
        self.close()

    def _add_pictures(self) -> VideoStream:
        """The stream of the pictures; its encoder opens to describe them, and encodes none."""
        plan = self._plan
        if not can_hold(self._format, plan.encoder.family):
            raise VideoWriteError(
                f"a {self._path.suffix} file cannot hold {plan.encoder.codec} video",
                path=self._path,
                hint="choose another codec, or give the output a name that ends in .mkv",
            )
        stream = cast("VideoStream", self._output.add_stream(plan.encoder.name, rate=plan.info.frame_rate))
        plan.set_up(stream.codec_context)
        stream.time_base = plan.info.time_base
        if plan.info.rotation_degrees or plan.info.is_mirrored:
            stream.set_display_rotation(plan.info.rotation_degrees, hflip=plan.info.is_mirrored)
        return stream

    def _texts(self, source: InputContainer) -> dict[str, str]:
        """What the file says of itself as a whole, as far as the output can."""
        texts = kept_texts(source.metadata, self._format)
        if self._format != "mov" and any(stream.disposition & Disposition.attached_pic for stream in source.streams):
            # MP4 has its cover pictures where the other kind of texts would lie.
            lost = uncommon_texts(texts, self._format)
            if lost:
                named = ", ".join(lost)
                self.warnings += (
                    f"the metadata {named} are left out, since MP4 files hold none beside a cover picture",
                )
            texts = {key: text for key, text in texts.items() if key not in lost}
        return {key: text for key, text in texts.items() if key.lower() != "timecode"}

    def _options(self, texts: dict[str, str]) -> dict[str, str]:
        """Options of the container: the source's ticks, and texts of any name where its own do not do."""
        if self._format not in QUICKTIME:
            return {}
        info = self._plan.info
        ticks = info.time_base.denominator
        # FFmpeg multiplies fewer until they are fine enough; the times stay the same.
        options = {"video_track_timescale": str(ticks)} if ticks >= _QUICKTIME_TICKS else {}
        if (info.start_pts * info.time_base * _TICKS_OF_STARTS).denominator != 1:
            options["movie_timescale"] = str(ticks * -(-_TICKS_OF_STARTS // ticks))
        return {**options, "movflags": "use_metadata_tags"} if uncommon_texts(texts, self._format) else options

    def _copy_facts(self, source: InputContainer, stream: VideoStream) -> None:
        """Copy what the source says of its pictures, its chapters, and the timecode of the first frame written."""
        self._stream.metadata.update(kept_texts(stream.metadata, self._format))
        self._stream.metadata.pop("timecode", None)
        self._stream.metadata.pop("TIMECODE", None)
        self._stream.disposition = stream.disposition
        chapters = cut_chapters(source.chapters(), self._span)
        self.chapters = len(chapters)
        if chapters:
            self._output.set_chapters(chapters)
        timecode, rate = find_timecode(source, stream), self._plan.info.frame_rate
        if timecode and is_timecode(timecode, rate):
            self.timecode = advance_timecode(timecode, round(self._span.shift * rate), rate)
            self._stream.metadata["timecode"] = self.timecode
        elif timecode:
            self.warnings += (
                f"the timecode {timecode} is left out, since it does not fit {float(rate):g} frames a second",
            )
