"""Opens a video file with FFmpeg, says in one sentence why it cannot, and gathers the facts of what was opened."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar, cast

import av
from av.error import FFmpegError, InvalidDataError

from vecnet_core.errors import VideoOpenError
from vecnet_core.frame import VideoInfo
from vecnet_core.video.decode import LOWEST_RATE
from vecnet_core.video.form import orientation_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from vecnet_core.video.decode import DecodeSettings
    from vecnet_core.video.form import PictureForm
    from vecnet_core.video.index import FrameIndex

AnyStream = TypeVar("AnyStream", bound="Stream")

_ATTACHED_PICTURE = 1024
"""AV_DISPOSITION_ATTACHED_PIC: the cover of a music file, which is no video."""

RAW_FORMATS = {
    "avs2", "avs3", "cavsvideo", "dirac", "dnxhd", "evc", "h261", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo",
    "obu", "vc1", "vvc",
}  # fmt: skip
"""FFmpeg's names of formats that are a stream without a container: nothing in them says when a frame is shown."""

_LIST_FORMATS = {
    "avisynth", "bluray", "concat", "dash", "dvdvideo", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "vapoursynth",
    "vobsub", "webm_dash_manifest",
}  # fmt: skip
"""FFmpeg's names of formats that hold no pictures but say where some are: a small file of them reads others unasked,
asks the network, and waits for both without an end."""

_LIST_HEADS = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:#EXTM3U|ffconcat |v=0\s|# VobSub|<\?xml.*<(?:\w+:)?(?:MPD|CompositionPlaylist)\b)",
    re.DOTALL,
)
"""How files of such formats begin."""


def open_video(path: Path, thread_count: int = 0, number: int = 0) -> tuple[InputContainer, VideoStream]:
    """Open a file and one of its real video streams.

    Args:
        path: The file.
        thread_count: Decoder threads; 0 lets FFmpeg choose.
        number: Which of `video_streams`.

    Raises:
        VideoOpenError: It is missing, no video, or damaged, or has no such stream; the hint says what can be done.
    """
    container = open_container(path)
    try:
        stream = _chosen_video(path, container, number)
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
        container = av.open(ffmpeg_name(path), "r", options=_options(), metadata_errors="replace")
    except (FFmpegError, OSError) as error:
        raise _open_error(path, error) from error
    if container.format.name == "tty":
        # FFmpeg would render a text file as an animated terminal.
        container.close()
        raise _not_a_video(path)
    return container


def packets_of(container: InputContainer, *streams: AnyStream) -> Iterator[Packet[AnyStream]]:
    """The packets of some streams in the file's order, and for each stream an empty one at last."""
    try:
        yield from cast("Iterator[Packet[AnyStream]]", container.demux(*streams))
    except IndexError:
        # At the end PyAV 18.1 looks for streams that a damaged transport stream began on the way; ours came before.
        return


def video_streams(container: InputContainer) -> list[VideoStream]:
    """The streams that are videos and not cover pictures."""
    return [stream for stream in container.streams.video if not int(stream.disposition) & _ATTACHED_PICTURE]


def ffmpeg_name(path: Path) -> str:
    """A path as FFmpeg takes it: absolute, for it reads what stands before a colon in a relative one as a protocol."""
    return os.path.abspath(path)  # noqa: PTH100 - `Path.resolve` follows links


def gather_facts(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    index: FrameIndex,
    first: VideoFrame,
    form: PictureForm,
    decode: DecodeSettings,
    even_rate: Fraction | None,
) -> VideoInfo:
    """The facts of an opened video, from its stream, its index and its first decoded frame.

    Args:
        path: The file.
        container: The file, opened.
        stream: The stream that is read.
        index: Its frames.
        first: The first of them.
        form: What they have in common.
        decode: How they are read.
        even_rate: Frames per second of a stream that says no times; None where it does.
    """
    time_base = stream.time_base or Fraction(1, 1000) if even_rate is None else 1 / even_rate
    orientation = orientation_of(first)
    return VideoInfo(
        path=path,
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        width=first.width,
        height=first.height,
        frame_count=len(index),
        frame_rate=even_rate or _frame_rate(stream, index, time_base),
        is_variable_rate=index.is_variable_rate(),
        time_base=time_base,
        start_pts=int(index.pts[0]),
        duration_seconds=index.duration_seconds(time_base),
        layout=form.plan.layout,
        color=form.color,
        rotation_degrees=orientation.degrees,
        pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
        is_interlaced=bool(first.interlaced_frame) and not decode.deinterlace,
        audio_codecs=tuple(codec_name(audio) for audio in container.streams.audio),
        has_alpha=form.plan.has_alpha,
        is_rate_assumed=even_rate is not None and decode.frame_rate is None,
        reading=decode.picture_wishes,
        hdr=form.hdr,
        stream_count=len(video_streams(container)),
        is_mirrored=orientation.is_mirrored,
    )


def stated_rate(stream: VideoStream) -> Fraction:
    """Frames per second that a stream without times says it has, where that can be; else 25."""
    stated = stream.average_rate or stream.guessed_rate
    return stated if stated and 1 <= stated <= 240 else Fraction(25)


def codec_name(stream: Stream) -> str:
    """FFmpeg's name of a stream's codec, also where it has no decoder for it."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else "unknown"  # pyright: ignore[reportUnnecessaryComparison]


def _options() -> dict[str, str]:
    """How FFmpeg opens a file: that one alone."""
    return {
        # Containers without presentation times (AVI) get them computed from the decoding times.
        "fflags": "+genpts",
        "format_whitelist": ",".join(sorted(av.formats_available - _LIST_FORMATS)),
        "protocol_whitelist": "file",
        # A picture may have a % in its name without standing for others.
        "pattern_type": "none",
    }


def _frame_rate(stream: VideoStream, index: FrameIndex, time_base: Fraction) -> Fraction:
    """Frames per second: the stream's own fraction where the index agrees within 0.1 %, else the index's average."""
    measured = index.mean_duration() * time_base
    stated = stream.average_rate or stream.guessed_rate
    if measured <= 0:
        return stated_rate(stream)
    if stated and abs(stated * measured - 1) < Fraction(1, 1000):
        return stated
    # Frames may be an hour apart, or years where times are damaged; so slow a rate has no use for its exact value.
    return max((1 / measured).limit_denominator(1001), LOWEST_RATE)


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


def _chosen_video(path: Path, container: InputContainer, number: int) -> VideoStream:
    """The video stream with a number, when it can be decoded."""
    videos = video_streams(container)
    if not videos:
        kind = "only sound" if container.streams.audio else "no picture"
        raise VideoOpenError(f"it has {kind}, no video stream", path=path, hint="give a file with a video stream")
    if number >= len(videos):
        count, last = len(videos), len(videos) - 1
        known = "one video stream" if count == 1 else f"{count} video streams"
        hint = "choose stream 0" if count == 1 else f"choose one of 0 to {last}"
        raise VideoOpenError(f"it has {known}, and none with the number {number}", path=path, hint=hint)
    if videos[number].codec_context is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise VideoOpenError("no decoder knows its video codec", path=path, hint="convert it to H.264 or ProRes first")
    return videos[number]


def _open_error(path: Path, error: Exception) -> VideoOpenError:
    """Why FFmpeg did not open a file, in words that lead somewhere."""
    with path.open("rb") as file:
        head = file.read(2048)
    if _LIST_HEADS.match(head):
        return VideoOpenError(
            "this is no video but a list that refers to other files or to the network",
            path=path,
            hint="give the video itself, or download it as one file first",
        )
    if isinstance(error, InvalidDataError):
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
