"""Text subtitles from one codec to another: MP4 has its own, and Matroska those of subtitle files."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from vecnet_core.video.opening import codec_name

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.subtitles.stream import SubtitleStream

TEXT_CODECS = {"subrip", "ass", "mov_text", "webvtt", "text"}
"""Subtitles that are words; the others are pictures."""

_CODEC_OF = {"mp4": "mov_text", "mov": "mov_text", "ipod": "mov_text", "matroska": "subrip", "webm": "webvtt"}


def is_text(stream: Stream) -> bool:
    """Whether a stream of subtitles can be converted."""
    return codec_name(stream) in TEXT_CODECS


class SubtitleConverter:
    """One stream of text subtitles, converted packet by packet.

    Args:
        source: The stream that is read.
        output: The file that is written; it gets a new stream.
        container: FFmpeg's name of its container.

    Attributes:
        target: The new stream.
    """

    target: SubtitleStream

    def __init__(self, source: SubtitleStream, output: OutputContainer, container: str) -> None:
        self._decoder = source.codec_context
        self._decoder.open(strict=False)
        self.target = cast("SubtitleStream", output.add_stream(_CODEC_OF[container]))
        self.target.codec_context.subtitle_header = self._decoder.subtitle_header

    def convert(self, packet: Packet[SubtitleStream]) -> Packet[SubtitleStream] | None:
        """A packet in the other codec, at the same time; None for one without words, as MP4 has between the others.

        Raises:
            FFmpegError: It is damaged.
        """
        words = self._decoder.decode2(packet)
        if words is None or not len(words):
            return None
        made = cast("Packet[SubtitleStream]", self.target.codec_context.encode_subtitle(words))
        made.time_base = packet.time_base
        made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
        return made
