"""Copies what lies beside the pictures of a file into another: sound, subtitles, data, covers and attached files.

Packets are copied as they are; only text subtitles change their codec where the container wants another. What was
copied is counted, so that the written file can be compared with it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast
from zlib import crc32

from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Discard, Disposition

from vecnet_core.errors import VideoWriteError
from vecnet_core.video.containers import HOLD_ATTACHMENTS, endings_for, endings_that_take, takes
from vecnet_core.video.encode import CONTAINERS
from vecnet_core.video.metadata import kept_texts
from vecnet_core.video.opening import codec_name, open_container, packets_of, video_streams
from vecnet_core.video.subtitles import SubtitleConverter, is_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.stream import AttachmentStream, Stream
    from av.subtitles.stream import SubtitleStream
    from av.video.stream import VideoStream

    from vecnet_core.video.metadata import Span

_FINE_UNITS = 8_000
"""Times are moved in units of at least this many a second."""

_MIME_TYPES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "bmp": ("bmp", "image/bmp")}


@dataclass(frozen=True)
class StreamTally:
    """What one stream holds, in few numbers: two streams with equal ones hold the same.

    Attributes:
        kind: ``audio``, ``subtitle`` or ``data``.
        codec: FFmpeg's name.
        packets: How many.
        size: Bytes of all packets.
        checksum: CRC-32 of all packets, one after another.
        first_seconds: When the first packet begins, in the file's own time.
        last_seconds: When the last one does.
    """

    kind: str
    codec: str
    packets: int = 0
    size: int = 0
    checksum: int = 0
    first_seconds: Fraction = Fraction(0)
    last_seconds: Fraction = Fraction(0)

    @property
    def keeps_packets(self) -> bool:
        """False where containers cut the same bytes into packets of another size: samples, and E-AC-3's substreams."""
        return not self.codec.startswith("pcm_") and self.codec != "eac3"

    def with_packet(self, packet: Packet[Stream], begins: Fraction) -> StreamTally:
        """The tally with one packet more, which begins at a time."""
        if _is_pause(packet, self.codec):
            return self
        data = _without_frame_header(packet, self.codec)
        return StreamTally(
            self.kind,
            self.codec,
            self.packets + 1,
            self.size + len(data),
            crc32(data, self.checksum),
            begins if self.packets == 0 else self.first_seconds,
            begins,
        )


def tally_streams(path: Path) -> tuple[StreamTally, ...]:
    """What each stream of sound, subtitles and data of a file holds, by reading all packets; without the empty ones.

    Raises:
        VideoOpenError: The file cannot be opened.
        FFmpegError: It cannot be read to its end.
    """
    with open_container(path) as container:
        streams = [stream for stream in container.streams if _is_timed(stream)]
        tallies = {stream.index: StreamTally(stream.type, codec_name(stream)) for stream in streams}
        for packet in packets_of(container, *streams) if streams else ():
            if packet.size and packet.dts is not None:
                index = packet.stream_index
                tallies[index] = tallies[index].with_packet(packet, _begin_seconds(packet))
    return tuple(tally for tally in tallies.values() if tally.packets)


class SourceCopy:
    """All streams of one file beside its pictures, on their way into another.

    Args:
        source: The file.
        output: The container being written, its pictures added and its streams still open to change.
        path: The output's final name, for its ending and for errors.
        span: The part that is copied.
        video_stream: Which of the source's video streams is the one whose pictures are written.

    Attributes:
        warnings: Sentences on what is not copied.

    Raises:
        VideoWriteError: The container cannot hold an audio codec of the source, and another one can.
    """

    warnings: tuple[str, ...]

    def __init__(self, source: Path, output: OutputContainer, path: Path, span: Span, video_stream: int = 0) -> None:
        self._source = source
        self._container = open_container(source)
        self._output = output
        self._path = path
        self._format = CONTAINERS[path.suffix.lower()]
        self._span = span
        self._pictures_codec = output.streams.video[0].codec_context.codec.canonical_name
        self._targets: dict[int, Stream] = {}
        self._converters: dict[int, SubtitleConverter] = {}
        self._covers: dict[int, bytes] = {}
        self._tallies: dict[int, StreamTally] = {}
        self._last_dts: dict[int, int] = {}
        self._left_out: dict[str, list[str]] = {}
        self.warnings = ()
        try:
            self._add_streams(video_stream)
        except BaseException:
            self._container.close()
            raise
        self.warnings = (*self.warnings, *self._losses())
        self._packets = self._demux()
        self._waiting: Packet[Stream] | None = None

    @property
    def tallies(self) -> tuple[StreamTally, ...]:
        """What was copied of each stream, as read from the source, at the output's times; without the empty ones."""
        return tuple(tally for tally in self._tallies.values() if tally.packets)

    def begin(self) -> None:
        """Write what has no time, once the head of the file is there."""
        for index, data in self._covers.items():
            picture = Packet(data)
            picture.pts = picture.dts = 0
            picture.stream = self._targets[index]
            self._output.mux(picture)

    def copy_until(self, seconds: Fraction | None) -> None:
        """Write the packets that begin before a source time, so that all streams stay interleaved; None: all."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            begins = _begin_seconds(packet)
            if seconds is not None and begins >= seconds:
                self._waiting = packet
                return
            for cut in self._cut(packet, begins):
                self._write(cut)

    def close(self) -> None:
        """Close the source."""
        self._container.close()

    # Streams

    def _add_streams(self, video_stream: int) -> None:
        """Streams of the output for those of the source."""
        videos = video_streams(self._container)
        pictures = videos[video_stream].index if video_stream < len(videos) else -1
        for stream in self._container.streams:
            if stream.type == "audio":
                self._add_sound(cast("AudioStream", stream))
            elif stream.type == "subtitle":
                self._add_subtitles(cast("SubtitleStream", stream))
            elif stream.type == "attachment":
                self._add_attachment(cast("AttachmentStream", stream))
            elif _is_cover(stream):
                self._add_cover(cast("VideoStream", stream))
            elif stream.type == "video":
                if stream.index != pictures:
                    self._lose("video")
            elif stream.type == "data" and _is_timed(stream):
                self._add_data(stream)

    def _add_sound(self, stream: AudioStream) -> None:
        if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison]
            self.warnings += ("a sound stream of unknown codec is not copied",)
            return
        if not stream.codec_context.sample_rate or not stream.codec_context.channels:
            self.warnings += ("a sound stream is not copied, since the file is damaged and does not say its rate",)
            return
        if takes(self._format, stream):
            self._add_copy(stream)
            return
        codec = codec_name(stream)
        endings = endings_that_take(stream, self._pictures_codec)
        if endings:
            raise VideoWriteError(
                f"a {self._path.suffix} file cannot hold the source's {codec} sound",
                path=self._path,
                hint=f"give the output a name that ends in {' or '.join(endings)}",
            )
        self.warnings += (f"the {codec} sound is left out, since no container that VECNet writes holds it",)

    def _add_subtitles(self, stream: SubtitleStream) -> None:
        if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison]
            self.warnings += ("a subtitle stream of unknown codec is not copied",)
        elif takes(self._format, stream):
            self._add_copy(stream)
        elif is_text(stream):
            if codec_name(stream) == "ass":
                beside = endings_that_take(stream, self._pictures_codec)
                remedy = f"; a name that ends in {' or '.join(beside)} keeps them" if beside else ""
                self.warnings += (f"the ass subtitles lose their styles in a {self._path.suffix} file{remedy}",)
            converter = SubtitleConverter(stream, self._output, self._format)
            self._converters[stream.index] = converter
            self._follow(stream, converter.target)
        else:
            self._lose(f"{codec_name(stream)} subtitles", stream)

    def _add_data(self, stream: Stream) -> None:
        if takes(self._format, stream):
            self._add_copy(stream)
        else:
            self._lose(f"data stream {stream.metadata.get('handler_name', '')}".rstrip(), stream)

    def _add_cover(self, stream: VideoStream) -> None:
        codec = codec_name(stream)
        if self._format not in {"mp4", *HOLD_ATTACHMENTS} or codec not in _MIME_TYPES:
            self._lose("cover picture", stream, [ending for ending in (".mp4", ".mkv") if codec in _MIME_TYPES])
            return
        data = _cover_data(self._source, stream.index)
        if self._format in HOLD_ATTACHMENTS:
            ending, mime_type = _MIME_TYPES[codec]
            self._output.add_attachment(stream.metadata.get("filename", f"cover.{ending}"), mime_type, data)
            return
        target = self._output.add_stream_from_template(stream, opaque=True)
        target.disposition = Disposition.attached_pic
        self._targets[stream.index] = target
        self._covers[stream.index] = data

    def _add_attachment(self, stream: AttachmentStream) -> None:
        name = stream.name or f"attachment {stream.index}"
        if self._format in HOLD_ATTACHMENTS:
            self._output.add_attachment(name, stream.mimetype or "application/octet-stream", stream.data)
        else:
            self._lose(f"attached file {name}", stream, [".mkv"])

    def _add_copy(self, stream: AudioStream | SubtitleStream | Stream) -> None:
        """A stream that is copied packet by packet."""
        self._follow(stream, self._output.add_stream_from_template(stream, opaque=True))

    def _follow(self, stream: Stream, target: Stream) -> None:
        """Give a new stream what the source's says of itself, and count what it gets."""
        target.metadata.clear()
        target.metadata.update(kept_texts(stream.metadata, self._format))
        target.disposition = stream.disposition
        self._targets[stream.index] = target
        self._tallies[stream.index] = StreamTally(stream.type, codec_name(target))

    def _lose(self, what: str, stream: Stream | None = None, endings: list[str] | None = None) -> None:
        """Note what the output does without, and what would hold it; None tries that out."""
        if endings is None:
            endings = [] if stream is None else endings_that_take(stream, self._pictures_codec)
        beside = endings_for(self._pictures_codec)
        self._left_out.setdefault(" or ".join(ending for ending in endings if ending in beside), []).append(what)

    def _losses(self) -> Iterator[str]:
        """A sentence for each container that would hold what this one does not."""
        for endings, whats in self._left_out.items():
            videos = whats.count("video")
            if videos:
                yield f"{videos} further video stream{'s are' if videos > 1 else ' is'} not copied"
            others = list(dict.fromkeys(what for what in whats if what != "video"))
            if not others:
                continue
            are = "are" if len(others) > 1 or others[0].endswith("subtitles") else "is"
            reason = f"a {self._path.suffix} file cannot hold {'it' if are == 'is' else 'them'}"
            remedy = f"; a name that ends in {endings} keeps {'it' if are == 'is' else 'them'}" if endings else ""
            yield f"the {' and the '.join(others)} {are} left out, since {reason}{remedy}"

    # Packets

    def _demux(self) -> Iterator[Packet[Stream]]:
        """The source's packets in the file's order."""
        streams = [self._container.streams[index] for index in self._targets if index not in self._covers]
        if not streams:
            return
        with suppress(InvalidDataError):  # The file is damaged so that what comes cannot be taken apart.
            for packet in packets_of(self._container, *streams):
                if packet.size and packet.dts is not None:
                    yield packet

    def _cut(self, packet: Packet[Stream], begins: Fraction) -> Iterator[Packet[Stream]]:
        """A packet as it is written, its times moved; none when it lies outside the span.

        Words that are read when the span begins are read from then on; what is heard must begin inside.
        """
        span = self._span
        _refine(packet)
        length = Fraction(packet.duration or 0) * packet.time_base
        if self._tallies[packet.stream_index].kind == "subtitle" and length:
            part = span.cut(begins, begins + length)
            if part is None:
                return
            packet.pts = packet.dts = round(part[0] / packet.time_base)
            packet.duration = round((part[1] - part[0]) / packet.time_base)
        elif (span.start is None or begins >= span.start) and (span.stop is None or begins < span.stop):
            if self._is_misplaced(packet):
                return
            self._give_duration(packet)
            units = round(span.shift / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - units
            packet.dts = None if packet.dts is None else packet.dts - units
        else:
            return
        converter = self._converters.get(packet.stream_index)
        if converter is None:
            yield packet
            return
        try:
            converted = converter.convert(cast("Packet[SubtitleStream]", packet))
        except FFmpegError:  # words that no decoder reads are as good as not there
            return
        if converted is not None:
            converted.stream = cast("SubtitleStream", packet.stream)
            yield cast("Packet[Stream]", converted)

    def _write(self, packet: Packet[Stream]) -> None:
        """Hand a packet to the output and count it, unless the output finds it damaged."""
        index = packet.stream_index
        tally = self._tallies[index].with_packet(packet, _begin_seconds(packet))
        packet.stream = self._targets[index]
        try:
            self._output.mux(packet)
        except InvalidDataError:
            self._lose_damaged(index)
        else:
            self._tallies[index] = tally

    def _is_misplaced(self, packet: Packet[Stream]) -> bool:
        """Whether a packet is dated before the one in front of it, which no container takes: its time is damaged."""
        before = self._last_dts.get(packet.stream_index)
        if before is None or packet.dts is None or packet.dts >= before:
            return False
        self._lose_damaged(packet.stream_index)
        return True

    def _lose_damaged(self, index: int) -> None:
        """Say once of a kind of streams that packets are left out."""
        warning = f"damaged packets of the {self._tallies[index].kind} are left out"
        if warning not in self.warnings:
            self.warnings += (warning,)

    def _give_duration(self, packet: Packet[Stream]) -> None:
        """Give a packet without duration that of the one before: players leave out a last one that lasts no time."""
        before = self._last_dts.get(packet.stream_index)
        if not packet.duration and before is not None and packet.dts is not None:
            packet.duration = max(packet.dts - before, 0)
        if packet.dts is not None:
            self._last_dts[packet.stream_index] = packet.dts


def _is_cover(stream: Stream) -> bool:
    """Whether a stream is a picture that belongs to the file as a whole."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def _is_timed(stream: Stream) -> bool:
    """Whether a stream has packets to copy: sound, subtitles, data; chapters and timecodes are tracks only in name."""
    if stream.type == "data":
        return stream.discard != Discard.all and "timecode" not in {key.lower() for key in stream.metadata}
    return stream.type in {"audio", "subtitle"}


def _cover_data(source: Path, index: int) -> bytes:
    """The bytes of a cover picture, which FFmpeg hands out before all other packets."""
    with open_container(source) as container:
        packets = container.demux(container.streams[index])
        return next((bytes(packet) for packet in packets if packet.size), b"")


def _refine(packet: Packet[Stream]) -> None:
    """Count a packet's times in finer units, so that they can be moved by any time: AVI's are 24 ms for MP3."""
    factor = math.ceil(packet.time_base * _FINE_UNITS)
    # A damaged unit may have no finer one: FFmpeg counts in 32 bits.
    if factor > 1 and (packet.time_base / factor).denominator < 1 << 31:
        packet.pts = None if packet.pts is None else packet.pts * factor
        packet.dts = None if packet.dts is None else packet.dts * factor
        packet.duration = (packet.duration or 0) * factor
        packet.time_base /= factor


def _begin_seconds(packet: Packet[Stream]) -> Fraction:
    """When a packet begins, in its file's time."""
    pts = packet.pts if packet.pts is not None else packet.dts
    return Fraction(pts or 0) * packet.time_base


def _is_pause(packet: Packet[Stream], codec: str) -> bool:
    """Whether a packet is nothing but the gap between two subtitles, which MP4 fills."""
    return codec == "mov_text" and packet.size <= 2


def _without_frame_header(packet: Packet[Stream], codec: str) -> memoryview:
    """A packet's bytes, less the ADTS header that AAC has in transport streams and loses in MP4 and Matroska."""
    data = memoryview(packet)
    is_adts = codec == "aac" and len(data) > 7 and data[0] == 0xFF and data[1] & 0xF0 == 0xF0
    if not is_adts:
        return data
    return data[7 if data[1] & 1 else 9 :]
