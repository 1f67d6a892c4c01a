"""Copies the sound of a file into another, packet by packet, without decoding it."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

import av

from vecnet_core.errors import VideoWriteError
from vecnet_core.video.encode import CONTAINERS
from vecnet_core.video.opening import open_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream

_KEPT_DISPOSITIONS = ("default", "dub", "original", "comment", "hearing_impaired", "visual_impaired")


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
            begins = self._begin_seconds(packet)
            if seconds is not None and begins >= seconds:
                self._waiting = packet
                return
            if (self._start is None or begins >= self._start) and (self._stop is None or begins < self._stop):
                self._write(packet)

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

    def _demux(self) -> Iterator[Packet[Stream]]:
        """The source's audio packets in the file's order."""
        streams = [self._container.streams[index] for index in self._targets]
        if not streams:
            return
        for packet in self._container.demux(*streams):
            if packet.size and packet.dts is not None:
                yield packet

    def _begin_seconds(self, packet: Packet[Stream]) -> Fraction:
        """When a packet sounds, in the source's time."""
        pts = packet.pts if packet.pts is not None else packet.dts
        return Fraction(pts or 0) * packet.time_base

    def _write(self, packet: Packet[Stream]) -> None:
        """Move a packet in time and hand it to the output."""
        units = round(self._shift / packet.time_base)
        if packet.pts is not None:
            packet.pts -= units
        if packet.dts is not None:
            packet.dts -= units
        packet.stream = self._targets[packet.stream_index]
        self._output.mux(packet)
