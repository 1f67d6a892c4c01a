"""Copies the sound of a file into another, packet by packet, without decoding it, and counts what a file has of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING
from zlib import crc32

import av

from vecnet_core.errors import VideoWriteError
from vecnet_core.video.encode import CONTAINERS
from vecnet_core.video.opening import codec_name, open_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream

_FINE_UNITS = 8_000
"""Times are moved in units of at least this many a second."""

_KEPT_DISPOSITIONS = ("default", "dub", "original", "comment", "hearing_impaired", "visual_impaired")


@dataclass(frozen=True)
class SoundTally:
    """What one sound stream holds, in few numbers: two streams with equal ones hold the same sound.

    Attributes:
        codec: FFmpeg's name.
        packets: How many.
        size: Bytes of all packets.
        checksum: CRC-32 of all packets, one after another.
        first_seconds: When the first packet sounds, in the file's own time.
        last_seconds: When the last one does.
    """

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

    def with_packet(self, packet: Packet[Stream], begins: Fraction) -> SoundTally:
        """The tally with one packet more, which begins at a time."""
        data = _without_frame_header(packet, self.codec)
        return SoundTally(
            self.codec,
            self.packets + 1,
            self.size + len(data),
            crc32(data, self.checksum),
            begins if self.packets == 0 else self.first_seconds,
            begins,
        )


def tally_sound(path: Path) -> tuple[SoundTally, ...]:
    """What each sound stream of a file holds, by reading all packets; streams without any are left out.

    Raises:
        VideoOpenError: The file cannot be opened.
        FFmpegError: It cannot be read to its end.
    """
    with open_container(path) as container:
        streams = list(container.streams.audio)
        tallies = {stream.index: SoundTally(codec_name(stream)) for stream in streams}
        for packet in container.demux(*streams) if streams else ():
            if packet.size and packet.dts is not None:
                index = packet.stream_index
                tallies[index] = tallies[index].with_packet(packet, _begin_seconds(packet))
    return tuple(tally for tally in tallies.values() if tally.packets)


def can_hold(output: OutputContainer, codec: str) -> bool:
    """True when a container can hold a codec, as far as FFmpeg tells."""
    return codec in output.supported_codecs


def endings_for(*codecs: str) -> list[str]:
    """The endings of the containers that can hold all of some codecs."""
    found: list[str] = []
    for ending, container in CONTAINERS.items():
        with av.open(BytesIO(), "w", format=container) as candidate:
            if all(can_hold(candidate, codec) for codec in codecs):
                found.append(ending)
    return found


class AudioCopy:
    """All audio streams of one file on their way into another.

    Args:
        source: The file with the sound.
        output: The container being written, its streams still open to change.
        path: The output's final name, for errors.

    Attributes:
        skipped: Streams that cannot be copied because FFmpeg does not know their codec.
        homeless: Codecs of the streams that are left out because no container we write holds them beside the video.
        others: How many streams of every other kind the source has, its first video stream apart.

    Raises:
        VideoWriteError: The container cannot hold an audio codec of the source, and another one can.
    """

    skipped: int
    homeless: tuple[str, ...]
    others: Counter[str]

    def __init__(self, source: Path, output: OutputContainer, path: Path) -> None:
        self._container = open_container(source)
        self._output = output
        self._path = path
        self._targets: dict[int, Stream] = {}
        self._tallies: dict[int, SoundTally] = {}
        self._last_dts: dict[int, int] = {}
        self.skipped = 0
        self.homeless = ()
        self.others = Counter(stream.type for stream in self._container.streams if stream.type != "audio")
        self.others["video"] -= 1
        try:
            for stream in self._container.streams.audio:
                self._add(stream)
        except BaseException:
            self._container.close()
            raise
        self._packets = self._demux()
        self._waiting: Packet[Stream] | None = None
        self._start: Fraction | None = None
        self._stop: Fraction | None = None
        self._shift = Fraction(0)

    @property
    def tallies(self) -> tuple[SoundTally, ...]:
        """What was copied of each stream, as read from the source, at the output's times; without the empty ones."""
        return tuple(tally for tally in self._tallies.values() if tally.packets)

    def set_range(self, start: Fraction | None, stop: Fraction | None, shift: Fraction) -> None:
        """Copy only what begins inside a range of the source's time, and move it earlier.

        Args:
            start: In seconds; None copies from the very first packet.
            stop: In seconds; None copies to the end.
            shift: Seconds to subtract from every time.
        """
        self._start, self._stop, self._shift = start, stop, shift

    def copy_until(self, seconds: Fraction | None) -> None:
        """Write the packets that begin before a source time, so that sound and picture stay interleaved; None: all."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            begins = _begin_seconds(packet)
            if seconds is not None and begins >= seconds:
                self._waiting = packet
                return
            if (self._start is None or begins >= self._start) and (self._stop is None or begins < self._stop):
                self._write(packet, begins)

    def close(self) -> None:
        """Close the source."""
        self._container.close()

    def _add(self, stream: AudioStream) -> None:
        """A stream of the output for one of the source."""
        context = stream.codec_context
        if context is None:  # pyright: ignore[reportUnnecessaryComparison]
            self.skipped += 1
            return
        codec = context.codec.canonical_name
        if not can_hold(self._output, codec):
            video = [each.codec_context.codec.canonical_name for each in self._output.streams.video]
            endings = endings_for(codec, *video)
            if not endings:
                self.homeless = (*self.homeless, codec)
                return
            raise VideoWriteError(
                f"a {self._path.suffix} file cannot hold the source's {codec} sound",
                path=self._path,
                hint=f"give the output a name that ends in {' or '.join(endings)}",
            )
        target = self._output.add_stream_from_template(stream)
        target.metadata.update({key: text for key, text in stream.metadata.items() if key not in {"encoder"}})
        target.disposition = stream.disposition
        self._targets[stream.index] = target
        self._tallies[stream.index] = SoundTally(codec)

    def _demux(self) -> Iterator[Packet[Stream]]:
        """The source's audio packets in the file's order."""
        streams = [self._container.streams[index] for index in self._targets]
        if not streams:
            return
        for packet in self._container.demux(*streams):
            if packet.size and packet.dts is not None:
                yield packet

    def _write(self, packet: Packet[Stream], begins: Fraction) -> None:
        """Count a packet, move it in time and hand it to the output."""
        index = packet.stream_index
        self._tallies[index] = self._tallies[index].with_packet(packet, begins - self._shift)
        self._give_duration(packet)
        _refine(packet)
        units = round(self._shift / packet.time_base)
        if packet.pts is not None:
            packet.pts -= units
        if packet.dts is not None:
            packet.dts -= units
        packet.stream = self._targets[index]
        self._output.mux(packet)

    def _give_duration(self, packet: Packet[Stream]) -> None:
        """Give a packet without duration that of the one before: players leave out a last one that lasts no time."""
        before = self._last_dts.get(packet.stream_index)
        if not packet.duration and before is not None and packet.dts is not None:
            packet.duration = max(packet.dts - before, 0)
        if packet.dts is not None:
            self._last_dts[packet.stream_index] = packet.dts


def _refine(packet: Packet[Stream]) -> None:
    """Count a packet's times in finer units, so that they can be moved by any time: AVI's are 24 ms for MP3."""
    factor = math.ceil(packet.time_base * _FINE_UNITS)
    if factor > 1:
        packet.pts = None if packet.pts is None else packet.pts * factor
        packet.dts = None if packet.dts is None else packet.dts * factor
        packet.duration = (packet.duration or 0) * factor
        packet.time_base /= factor


def _begin_seconds(packet: Packet[Stream]) -> Fraction:
    """When a packet sounds, in its file's time."""
    pts = packet.pts if packet.pts is not None else packet.dts
    return Fraction(pts or 0) * packet.time_base


def _without_frame_header(packet: Packet[Stream], codec: str) -> memoryview:
    """A packet's bytes, less the ADTS header that AAC has in transport streams and loses in MP4 and Matroska."""
    data = memoryview(packet)
    is_adts = codec == "aac" and len(data) > 7 and data[0] == 0xFF and data[1] & 0xF0 == 0xF0
    if not is_adts:
        return data
    return data[7 if data[1] & 1 else 9 :]
