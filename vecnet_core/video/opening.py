"""Opens a video file with FFmpeg, says in one sentence why it cannot, and gathers the facts of what was opened."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError, InvalidDataError

from vecnet_core.errors import VideoOpenError
from vecnet_core.frame import VideoInfo

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from vecnet_core.frame import ColorTags, PixelLayout
    from vecnet_core.video.index import FrameIndex

_ATTACHED_PICTURE = 1024
"""AV_DISPOSITION_ATTACHED_PIC: the cover of a music file, which is no video."""

_OPTIONS = {"fflags": "+genpts"}
"""Containers without presentation times (AVI) get them computed from the decoding times."""


def open_video(path: Path, thread_count: int = 0) -> tuple[InputContainer, VideoStream]:
    """Open a file and its first real video stream.

    Raises:
        VideoOpenError: It is missing, no video, or damaged; the hint says what can be done.
    """
    container = open_container(path)
    try:
        stream = _first_video(path, container)
    except VideoOpenError:
        container.close()
        raise
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = thread_count
    return container, stream


def open_container(path: Path) -> InputContainer:
    """Open any media file FFmpeg can read."""
    _check_path(path)
    try:
        container = av.open(ffmpeg_name(path), "r", options=dict(_OPTIONS), metadata_errors="replace")
    except (FFmpegError, OSError) as error:
        raise _open_error(path, error) from error
    if container.format.name == "tty":
        # FFmpeg would render a text file as an animated terminal.
        container.close()
        raise _not_a_video(path)
    return container


def ffmpeg_name(path: Path) -> str:
    """A path as FFmpeg takes it: absolute, for it reads what stands before a colon in a relative one as a protocol."""
    return os.path.abspath(path)  # noqa: PTH100 - `Path.resolve` follows links


def gather_facts(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    index: FrameIndex,
    first: VideoFrame,
    layout: PixelLayout,
    color: ColorTags,
) -> VideoInfo:
    """The facts of an opened video, from its stream, its index and its first decoded frame."""
    time_base = stream.time_base or Fraction(1, 1000)
    return VideoInfo(
        path=path,
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        width=first.width,
        height=first.height,
        frame_count=len(index),
        frame_rate=_frame_rate(stream, index, time_base),
        is_variable_rate=index.is_variable_rate(),
        time_base=time_base,
        start_pts=int(index.pts[0]),
        duration_seconds=index.duration_seconds(time_base),
        layout=layout,
        color=color,
        rotation_degrees=int(first.rotation) % 360,
        pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
        is_interlaced=bool(first.interlaced_frame),
        audio_codecs=tuple(codec_name(audio) for audio in container.streams.audio),
    )


def codec_name(stream: Stream) -> str:
    """FFmpeg's name of a stream's codec, also where it has no decoder for it."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else "unknown"  # pyright: ignore[reportUnnecessaryComparison]


def _frame_rate(stream: VideoStream, index: FrameIndex, time_base: Fraction) -> Fraction:
    """Frames per second: the stream's own fraction where the index agrees within 0.1 %, else the index's average."""
    measured = index.mean_duration() * time_base
    stated = stream.average_rate or stream.guessed_rate
    if measured <= 0:
        return stated or Fraction(25)
    if stated and abs(stated * measured - 1) < Fraction(1, 1000):
        return stated
    return (1 / measured).limit_denominator(1001)


def _check_path(path: Path) -> None:
    """Refuse what is not a file with something in it, before FFmpeg is asked."""
    try:
        if path.is_dir():
            raise VideoOpenError("this is a folder, not a video", path=path, hint="give a video file inside it")
        if not path.exists():
            raise VideoOpenError("there is no such file", path=path, hint="check the name and the folder")
        if path.stat().st_size == 0:
            raise VideoOpenError(
                "the file is empty (0 bytes)", path=path, hint="copy it again from the camera or its source"
            )
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise VideoOpenError(
            f"the file cannot be opened ({reason})", path=path, hint="check its name and permissions"
        ) from error


def _first_video(path: Path, container: InputContainer) -> VideoStream:
    """The first stream that is a video and not a cover picture, and that can be decoded."""
    videos = [stream for stream in container.streams.video if not int(stream.disposition) & _ATTACHED_PICTURE]
    if not videos:
        kind = "only sound" if container.streams.audio else "no picture"
        raise VideoOpenError(f"it has {kind}, no video stream", path=path, hint="give a file with a video stream")
    if videos[0].codec_context is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise VideoOpenError("no decoder knows its video codec", path=path, hint="convert it to H.264 or ProRes first")
    return videos[0]


def _open_error(path: Path, error: Exception) -> VideoOpenError:
    """Why FFmpeg did not open a file, in words that lead somewhere."""
    if isinstance(error, InvalidDataError):
        with path.open("rb") as file:
            head = file.read(12)
        if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free"}:
            return VideoOpenError(
                "the file is cut short: its table of frames (moov) is missing",
                path=path,
                hint="copy it again from the camera, or rebuild it with a repair tool such as untrunc",
            )
        return _not_a_video(path)
    reason = (error.strerror if isinstance(error, OSError | FFmpegError) else "") or "unknown cause"
    return VideoOpenError(f"the file cannot be opened ({reason})", path=path, hint="check that it plays elsewhere")


def _not_a_video(path: Path) -> VideoOpenError:
    """The error for a file of another kind."""
    return VideoOpenError(
        "this is not a video, or it is damaged from its first bytes on",
        path=path,
        hint="give a video file such as MP4, MOV or MKV",
    )
