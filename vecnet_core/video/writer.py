"""Writes corrected frames as a video file: under a part name first, renamed only when the file is whole."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Self, cast

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from vecnet_core.errors import InputError, VideoWriteError
from vecnet_core.video.audio import AudioCopy, can_hold
from vecnet_core.video.color import convert_layout, limit_range
from vecnet_core.video.encode import CONTAINERS, EncodeSettings, check_size, choose_encoder, choose_layout
from vecnet_core.video.layouts import plan_layout, write_planes
from vecnet_core.video.opening import ffmpeg_name, open_video
from vecnet_core.video.parts import new_part
from vecnet_core.video.tags import TagNumbers, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from vecnet_core.frame import ColorTags, Frame, PixelLayout, VideoInfo
    from vecnet_core.video.audio import SoundTally
    from vecnet_core.video.encode import Encoder

__all__ = ["EncodeSettings", "VideoWriter", "check_output"]

_UNCOPIED_METADATA = {"major_brand", "minor_version", "compatible_brands", "encoder", "vendor_id"}


def check_output(path: Path, source: Path | None = None) -> None:
    """Refuse an output that cannot be written or that is the source itself, before any work is done.

    Raises:
        InputError: The output is the source.
        VideoWriteError: The folder is missing or not writable, or the name is a folder's.
    """
    folder = path.absolute().parent
    try:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise InputError("the output is the source itself", path=path, hint="give the output another name")
        if path.is_dir():
            raise VideoWriteError("this is a folder", path=path, hint="give a file name such as corrected.mp4")
        if not folder.is_dir():
            raise VideoWriteError("its folder does not exist", path=path, hint="create the folder or choose another")
    except OSError as error:
        raise VideoWriteError(
            f"this cannot be written ({error.strerror})", path=path, hint="choose another name or folder"
        ) from error
    try:
        # Tried, because what `os.access` says is not true for root, network shares and read-only file systems.
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise VideoWriteError(
            f"its folder is not writable ({error.strerror})", path=path, hint="choose a folder you may write to"
        ) from error


class VideoWriter:
    """Encodes frames and copies sound, tags and metadata. Leaving it by an exception leaves nothing behind.

    Args:
        path: The output; its ending chooses the container. An existing file is replaced, but only when all is written.
        info: The facts of the source: size, time base, layout, tags, rotation and pixel aspect are taken from it.
        encode: Codec, quality and preset.
        copy_from: The file whose sound, metadata and chapters are copied, usually the source.
        start_seconds: Start of the range that will be written, counted from the source's first frame. The output then
            starts where the source does: its first frame takes the source's first time.
        stop_seconds: End of that range; None is the end of the source.

    Attributes:
        warnings: Sentences on what could not be kept.
        encoder: The encoder that was chosen.
        layout: The pixel layout it is given.
        color: The colour tags that are written.
        pixel_aspect: The one that is written; 1 where the file cannot hold the source's.
        sound: What was copied of each sound stream; filled by `complete`.

    Raises:
        InputError: The output is the source.
        VideoWriteError: The folder, the container or the codec does not allow the output.
    """

    warnings: tuple[str, ...]
    encoder: Encoder
    layout: PixelLayout
    color: ColorTags
    pixel_aspect: Fraction
    sound: tuple[SoundTally, ...]

    def __init__(
        self,
        path: Path | str,
        info: VideoInfo,
        encode: EncodeSettings,
        *,
        copy_from: Path | None = None,
        start_seconds: float = 0.0,
        stop_seconds: float | None = None,
    ) -> None:
        self._path = Path(path)
        self._info = info
        self._is_cut = start_seconds > 0 or stop_seconds is not None
        self._start_seconds, self._stop_seconds = start_seconds, stop_seconds
        self.warnings = ()
        self.sound = ()
        self._shift: int | None = None
        self._last_pts: int | None = None
        self._last_tick: int | None = None
        self._durations: dict[int, int] = {}
        self._audio: AudioCopy | None = None
        self._is_open = self._is_complete = False
        check_output(self._path, info.path)
        if copy_from is not None:
            check_output(self._path, copy_from)
        if self._path.suffix.lower() not in CONTAINERS:
            raise VideoWriteError(
                f"no video is written with the ending {self._path.suffix!r}",
                path=self._path,
                hint=f"end the name in {', '.join(CONTAINERS)}",
            )
        self.encoder = choose_encoder(encode, info.codec)
        self.layout = _layout_named(choose_layout(self.encoder, info.layout))
        check_size(self.encoder, self.layout, info.width, info.height)
        self.pixel_aspect = self._kept_aspect()
        self._is_limited = info.color.range == "full" and not self.encoder.keeps_full_range
        self._output = self._create()
        self._is_open = True
        try:
            self._stream = self._add_video(encode, copy_from)
            if copy_from is not None:
                self._audio = AudioCopy(copy_from, self._output, self._path)
                self.warnings = tuple(_not_copied(self._audio))
            if self.pixel_aspect != info.pixel_aspect:
                named = f"{self.encoder.codec} in a {self._path.suffix} file"
                self.warnings += (f"the pixel aspect {info.pixel_aspect} is left out, since {named} cannot hold it",)
            if self._is_limited:
                codec = self.encoder.codec
                self.warnings += (f"the full-range colours are written as limited range, since {codec} holds no other",)
            self._output.start_encoding()
        except (FFmpegError, ValueError, OSError) as error:
            self.abort()
            raise self._refused(error) from error
        except BaseException:
            self.abort()
            raise

    def write(self, frame: Frame) -> Frame:
        """Encode one frame; frames come in the order of their times.

        Returns:
            The frame as it was given to the encoder: in its layout and range.

        Raises:
            VideoWriteError: The encoder or the disk refuses.
        """
        if self._shift is None:
            self._begin(frame)
        pts = frame.pts - (self._shift or 0)
        if self._last_pts is not None and pts <= self._last_pts:
            raise VideoWriteError("frames must come in rising time", path=self._path, frame=frame.index)
        self._last_pts = pts
        pts = self._apart(pts)
        stored, picture = self._picture(frame, pts)
        self._durations[pts] = frame.duration
        try:
            self._mux(picture)
            if self._audio is not None:
                self._audio.copy_until(frame.pts * self._info.time_base)
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error
        return stored

    def complete(self) -> Path:
        """Flush the encoder, write the rest of the sound and close the file, which keeps its part name until `finish`.

        Returns:
            The part file, whole, so that it can be looked at before it takes its place.
        """
        if self._is_open:
            if self._shift is None:
                self.abort()
                raise VideoWriteError("no frame was written", path=self._path, hint="choose a range that is not empty")
            try:
                self._mux(None)
                if self._audio is not None:
                    self._audio.copy_until(None)
                    self.sound = self._audio.tallies
                self._output.close()
            except (FFmpegError, OSError) as error:
                self.abort()
                raise self._failed(error) from error
            except BaseException:
                self.abort()
                raise
            self._is_open, self._is_complete = False, True
            self._close_audio()
        return self._part

    def finish(self) -> None:
        """Complete the file, unless that is done, and give it its name."""
        if self._is_open:
            self.complete()
        if not self._is_complete:
            return
        try:
            self._part.replace(self._path)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self.abort()

    def set_aside(self) -> Path:
        """Keep a complete file that is not what was meant: hours of work may be in it, and someone may want to look.

        Returns:
            Its name beside the output's, in place of nothing.
        """
        number = 1
        while True:
            mark = "unverified" if number == 1 else f"unverified-{number}"
            kept = self._path.with_name(f"{self._path.stem}.{mark}{self._path.suffix}")
            try:
                kept.touch(exist_ok=False)
            except FileExistsError:
                number += 1
            else:
                break
        self._part.replace(kept)
        self._is_complete = False
        return kept

    def abort(self) -> None:
        """Close and remove the part file; nothing happens after `finish`."""
        self._close_audio()
        if self._is_open:
            self._is_open = False
            # A half-written file may refuse its trailer; it is removed anyway.
            with suppress(FFmpegError, OSError, ValueError):
                self._output.close()
        self._is_complete = False
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish, or after an exception leave nothing behind."""
        if kind is None:
            self.finish()
        else:
            self.abort()

    def _close_audio(self) -> None:
        """Let the source of the sound go."""
        if self._audio is not None:
            self._audio.close()
            self._audio = None

    # Opening

    def _create(self) -> OutputContainer:
        """The container for the output's ending, in the part file."""
        try:
            self._part = new_part(self._path)
            try:
                return av.open(ffmpeg_name(self._part), "w", format=CONTAINERS[self._path.suffix.lower()])
            except BaseException:
                self._part.unlink(missing_ok=True)
                raise
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def _add_video(self, encode: EncodeSettings, copy_from: Path | None) -> VideoStream:
        """The video stream, with everything that is copied from the source set on it."""
        encoder, info = self.encoder, self._info
        if not can_hold(self._output, encoder.codec):
            raise VideoWriteError(
                f"a {self._path.suffix} file cannot hold {encoder.codec} video",
                path=self._path,
                hint="choose another codec, or give the output a name that ends in .mkv",
            )
        if encoder.codec == "av1":
            os.environ.setdefault("SVT_LOG", "1")  # else the encoder talks on standard error
        stream = cast("VideoStream", self._output.add_stream(encoder.name, rate=info.frame_rate))
        context = stream.codec_context
        context.options = encoder.options(encode, self.layout)
        context.width, context.height, context.pix_fmt = info.width, info.height, self.layout.name
        context.time_base = info.time_base
        context.thread_count = 0
        stream.time_base = info.time_base
        if encoder.codec == "hevc" and self._path.suffix.lower() in {".mp4", ".mov", ".m4v"}:
            context.codec_tag = "hvc1"  # Apple's players take no other
        source_tags: TagNumbers | None = None
        if copy_from is not None:
            source_tags = self._copy_facts(copy_from, stream)
        elif info.pixel_aspect != 1:
            context.sample_aspect_ratio = info.pixel_aspect
        color = info.color
        if self._is_limited:
            color = replace(color, range="limited", assumed=tuple(name for name in color.assumed if name != "range"))
        self.color = color
        self._tags = numbers_of(color, source_tags)
        context.colorspace, context.color_range = self._tags.space, self._tags.range
        context.color_primaries, context.color_trc = self._tags.primaries, self._tags.transfer
        if info.rotation_degrees:
            stream.set_display_rotation(info.rotation_degrees)
        return stream

    def _kept_aspect(self) -> Fraction:
        """The pixel aspect the file can hold: PyAV hands Matroska none, so that there the codec's data must say it."""
        is_matroska = CONTAINERS[self._path.suffix.lower()] in {"matroska", "webm"}
        return Fraction(1) if is_matroska and not self.encoder.keeps_aspect else self._info.pixel_aspect

    def _copy_facts(self, copy_from: Path, stream: VideoStream) -> TagNumbers:
        """Copy metadata, chapters and pixel aspect; returns the source's colour tags as FFmpeg numbers them."""
        container, source = open_video(copy_from, 1)
        try:
            kept = {key: text for key, text in container.metadata.items() if key not in _UNCOPIED_METADATA}
            self._output.metadata.update(kept)
            texts = {key: text for key, text in source.metadata.items() if key not in _UNCOPIED_METADATA}
            if self._is_cut:
                texts.pop("timecode", None)  # it names the source's first frame
            elif chapters := container.chapters():
                self._output.set_chapters(chapters)
            stream.metadata.update(texts)
            stream.disposition = source.disposition
            if source.sample_aspect_ratio:
                stream.codec_context.sample_aspect_ratio = source.sample_aspect_ratio
            context = source.codec_context
            return TagNumbers(
                int(context.colorspace),
                int(context.color_range),
                int(context.color_primaries),
                int(context.color_trc),
            )
        finally:
            container.close()

    # Writing

    def _begin(self, frame: Frame) -> None:
        """With the first frame it is known how far times move and where the sound is cut."""
        info = self._info
        self._shift = frame.pts - info.start_pts if self._is_cut else 0
        if self._audio is None or not self._is_cut:
            return
        origin = info.start_pts * info.time_base
        start = None if self._shift == 0 else frame.pts_seconds
        stop = None if self._stop_seconds is None else origin + Fraction(self._stop_seconds)
        self._audio.set_range(start, stop, self._shift * info.time_base)

    def _apart(self, pts: int) -> int:
        """A frame's time, moved on where the one before lies in the same tick of the container: Matroska's are 1 ms."""
        ratio = self._info.time_base / (self._stream.time_base or self._info.time_base)
        tick = math.floor(pts * ratio + Fraction(1, 2))
        if self._last_tick is not None and tick <= self._last_tick:
            tick = self._last_tick + 1
            pts = round(tick / ratio)
        self._last_tick = tick
        return pts

    def _picture(self, frame: Frame, pts: int) -> tuple[Frame, VideoFrame]:
        """A frame in the encoder's layout, and the same as PyAV has it."""
        if (frame.width, frame.height) != (self._info.width, self._info.height):
            raise VideoWriteError(
                f"a frame is {frame.width}x{frame.height}, the video {self._info.width}x{self._info.height}",
                path=self._path,
                frame=frame.index,
            )
        stored = convert_layout(frame, self.layout)
        if self._is_limited:
            stored = limit_range(stored)
        picture = VideoFrame(frame.width, frame.height, self.layout.name)
        write_planes(picture, stored.planes, self.layout.bit_depth)
        picture.pts = pts
        picture.time_base = self._info.time_base
        picture.colorspace, picture.color_range = self._tags.space, self._tags.range
        picture.color_primaries, picture.color_trc = self._tags.primaries, self._tags.transfer
        return stored, picture

    def _mux(self, picture: VideoFrame | None) -> None:
        """Encode a picture, or flush with None, and write the packets that are ready."""
        for packet in self._stream.encode(picture):
            if packet.pts is not None:
                # Encoders do not all hand durations on; without them the last frame of a file has none.
                packet.duration = self._durations.pop(packet.pts, 0)
            self._output.mux(packet)

    # Errors

    def _refused(self, error: Exception) -> VideoWriteError:
        """The error for an encoder or container that does not open."""
        reason = (error.strerror if isinstance(error, FFmpegError | OSError) else "") or str(error)
        return VideoWriteError(
            f"{self.encoder.codec} video of {self._info.width}x{self._info.height} cannot be started ({reason})",
            path=self._path,
            hint="choose another codec, or a name that ends in .mkv",
        )

    def _failed(self, error: FFmpegError | OSError) -> VideoWriteError:
        """The error for a write that failed under way."""
        reason = error.strerror or "unknown cause"
        return VideoWriteError(
            f"the file cannot be written ({reason})", path=self._path, hint="check free space and permissions"
        )


def _not_copied(audio: AudioCopy) -> Iterator[str]:
    """A sentence for every kind of stream the output does without."""
    if audio.skipped:
        yield "a sound stream of unknown codec is not copied"
    for codec in audio.homeless:
        yield f"the {codec} sound is left out, since no container that VECNet writes holds it"
    for kind, count in sorted(audio.others.items()):
        if count > 0:
            yield f"{count} {kind} stream{'s are' if count > 1 else ' is'} not copied"


def _layout_named(name: str) -> PixelLayout:
    """The layout with FFmpeg's name."""
    plan = plan_layout(name)
    if plan is None:
        raise ValueError(f"no such layout {name!r}")
    return plan.layout
