"""The sound of a clip to be heard: samples at any time counted from the first picture, forwards or backwards."""

from __future__ import annotations

import math
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError

from vecnet_core.video.opening import open_container, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

    from vecnet_core.frame import VideoInfo

Samples = npt.NDArray[np.float32]

RATE = 48_000
"""Samples a second that any sound is brought to."""
CHANNELS = 2

_MOST_PIECES = 48
"""Seconds kept, 384 kB each: a loop, or a way back, is decoded once."""
_PREROLL_SECONDS = 0.25
"""Decoded before what is wanted and thrown away: codecs need what came before to sound right."""
_NEAR_PIECES = 3
"""Pieces at most this far ahead are reached by decoding on."""


class SoundReader:
    """The first stream of sound of a clip, in stereo at 48 kHz; silence where there is none. Not thread-safe.

    Args:
        info: The clip, whose first picture begins at 0 s.

    Raises:
        VideoOpenError: The file cannot be opened any more.
    """

    def __init__(self, info: VideoInfo) -> None:
        """Open the file, if it has sound."""
        self._start = float(info.start_pts * info.time_base)
        self._pieces: OrderedDict[int, Samples] = OrderedDict()
        self._frames: Iterator[AudioFrame] | None = None
        self._open: dict[int, Samples] = {}
        self._next = 0
        self._is_at_end = False
        self._container = open_container(info.path) if info.audio_codecs else None
        streams = () if self._container is None else self._container.streams.audio
        # Of a codec that no decoder knows there is no context, though the types say otherwise.
        self._stream: AudioStream | None = next(
            (one for one in streams[:1] if one.codec_context is not None),  # pyright: ignore[reportUnnecessaryComparison]
            None,
        )

    @property
    def has_sound(self) -> bool:
        """Whether there is anything to hear."""
        return self._stream is not None

    def at(self, seconds: npt.NDArray[np.float64]) -> Samples:
        """The samples nearest to times ``(N,)``, ``(N, 2)`` in [-1, 1]; NaN is a time without sound."""
        places = np.rint(np.nan_to_num(seconds, nan=-1.0) * RATE).astype(np.int64)
        out = np.zeros((seconds.size, CHANNELS), np.float32)
        numbers = places // RATE
        for number in np.unique(numbers[places >= 0]).tolist():
            here = (numbers == number) & (places >= 0)
            out[here] = self._piece(number)[places[here] - number * RATE]
        return out

    def close(self) -> None:
        """Let the file go."""
        self._frames = None
        if self._container is not None:
            self._container.close()
            self._container = None
            self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _piece(self, number: int) -> Samples:
        """One second of sound, ``(48000, 2)``."""
        piece = self._pieces.get(number)
        if piece is None:
            if self._frames is None or not self._next <= number < self._next + _NEAR_PIECES:
                self._seek(number)
            while self._next <= number and not self._is_at_end:
                self._decode_on()
            piece = self._pieces.get(number)
        if piece is None:
            return np.zeros((RATE, CHANNELS), np.float32)
        self._pieces.move_to_end(number)
        return piece

    def _seek(self, number: int) -> None:
        """Begin anew a little before a second; pieces before it are not complete and not kept."""
        self._open, self._next, self._is_at_end = {}, number, False
        if self._container is None or self._stream is None:
            self._is_at_end = True
            return
        wanted = self._start + number - _PREROLL_SECONDS
        with suppress(FFmpegError):  # what cannot be sought is read from where it stands
            self._container.seek(math.floor(wanted * av.time_base), backward=True)
        self._frames = self._decoded()

    def _decoded(self) -> Iterator[AudioFrame]:
        """Frames of planar float in mono or stereo at 48 kHz; damaged packets are passed over."""
        if self._container is None or self._stream is None:
            return
        # One channel stays one and goes to both sides: swresample would lower it by 3 dB.
        layout = "mono" if self._stream.codec_context.layout.nb_channels == 1 else "stereo"
        resampler = av.AudioResampler("fltp", layout, RATE)
        for packet in packets_of(self._container, self._stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                continue
            for frame in frames:
                yield from resampler.resample(frame)
        with suppress(FFmpegError):
            yield from resampler.resample(None)

    def _decode_on(self) -> None:
        """Take one frame more; every piece it leaves behind is complete."""
        try:
            frame = None if self._frames is None else next(self._frames, None)
        except FFmpegError:
            frame = None
        if frame is None:
            self._keep_before(max([self._next, *(number + 1 for number in self._open)]))
            self._is_at_end = True
            # The decoder has been emptied: what is asked for next begins anew.
            self._frames = None
            return
        if frame.pts is None or frame.time_base is None:
            return
        samples = frame.to_ndarray().T
        place = round((float(frame.pts * frame.time_base) - self._start) * RATE)
        while samples.shape[0]:
            number, offset = divmod(place, RATE)
            part = samples[: RATE - offset]
            if number >= self._next:
                piece = self._open.setdefault(number, np.zeros((RATE, CHANNELS), np.float32))
                piece[offset : offset + part.shape[0]] = part
            samples, place = samples[part.shape[0] :], place + part.shape[0]
        self._keep_before(place // RATE)

    def _keep_before(self, number: int) -> None:
        for done in range(self._next, number):
            self._pieces[done] = self._open.pop(done, np.zeros((RATE, CHANNELS), np.float32))
            self._next = done + 1
        while len(self._pieces) > _MOST_PIECES:
            self._pieces.popitem(last=False)
