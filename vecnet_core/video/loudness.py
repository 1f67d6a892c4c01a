"""The sound of a clip as a waveform for the timeline: peaks and loudness in short buckets of time, from one decoding.

Time is counted from the start of the first picture, so that sound and pictures lie on one axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError

from vecnet_core.video.opening import codec_name, open_container, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

    from vecnet_core.frame import VideoInfo

Samples = npt.NDArray[np.float32]

FINEST_SECONDS = 0.005
"""Length of a bucket: eight for a frame at 25 frames a second."""

MOST_BUCKETS = 1 << 18
"""Clips of more than 22 minutes have longer buckets, so that memory does not grow with the clip."""

STEP_SECONDS = 1.0
"""Sound decoded in one step of a scan: a few milliseconds of work."""

_NAMED_PLACES = 4
"""Damaged places that a warning names; it counts the rest."""

_HOLE_SECONDS = 0.1
"""So long a hole in the sound is told; decoders swallow less at its ends."""

_EARLY_END_SECONDS = 0.5
"""Sound that ends this much before the file says it does is cut short; encoders pad and trim by less."""


@dataclass(frozen=True)
class Loudness:
    """The sound of a clip, bucket by bucket from the start of the first picture; NaN where there is no sound.

    Attributes:
        bucket_seconds: Length of a bucket.
        lows: ``(N,)`` float32, the lowest sample of any channel, -1 to 1 (beyond it in floating-point sound).
        highs: ``(N,)`` float32, the highest one.
        rms: ``(N,)`` float32, root mean square of all channels, from 0.
    """

    bucket_seconds: float
    lows: Samples
    highs: Samples
    rms: Samples


class LoudnessScan:
    """Decodes the first stream of sound of a clip once, piece by piece; iterate it, and read `loudness` at any time.

    Damaged sound is drawn as far as it decodes; `warnings` then says so.

    Args:
        info: The clip; a sequence of pictures has no sound.
    """

    def __init__(self, info: VideoInfo) -> None:
        """Nothing is read yet."""
        self._info = info
        count = max(1, min(MOST_BUCKETS, math.ceil(info.duration_seconds / FINEST_SECONDS)))
        self._bucket_seconds = max(FINEST_SECONDS, info.duration_seconds / count)
        self._buckets = np.zeros((4, count))
        self._buckets[0], self._buckets[1] = np.inf, -np.inf
        self._has_sound = False
        self._end_seconds = 0.0
        self._is_stored = np.zeros(count, np.bool_)  # the file holds sound here
        self._is_damaged = np.zeros(count, np.bool_)
        self._clauses: list[str] = []

    @property
    def loudness(self) -> Loudness | None:
        """What has been decoded so far; None for a clip without sound."""
        if not self._has_sound:
            return None
        lows, highs, squares, samples = self._buckets
        is_heard = samples > 0
        mean = np.divide(squares, samples, out=np.full_like(squares, np.nan), where=is_heard)
        return Loudness(
            self._bucket_seconds,
            np.where(is_heard, lows, np.nan).astype(np.float32),
            np.where(is_heard, highs, np.nan).astype(np.float32),
            np.sqrt(mean).astype(np.float32),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is damaged about the sound, as clauses."""
        places = [(a * self._bucket_seconds, b * self._bucket_seconds) for a, b in self._damaged_runs()]
        if not places:
            return tuple(self._clauses)
        names = [f"{begin:.1f} to {end:.1f} s" for begin, end in places[:_NAMED_PLACES]]
        if len(places) > _NAMED_PLACES:
            names.append(f"{len(places) - _NAMED_PLACES} more places")
        words = ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
        return (f"the sound is damaged or missing at {words}; the timeline leaves it out there", *self._clauses)

    def __iter__(self) -> Iterator[float]:
        """Decode on, about a second of sound a step; yields the share that is done, 0 to 1.

        Raises:
            VideoOpenError: The file cannot be opened any more.
        """
        if not self._info.audio_codecs:
            return
        with open_container(self._info.path) as container:
            stream = container.streams.audio[0] if container.streams.audio else None
            if stream is None:
                return
            if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison]
                self._clauses.append(f"no decoder knows the sound ({codec_name(stream)}); it is not drawn")
                return
            yield from self._decode(container, stream)
            self._check_end(stream)
        self._find_holes()
        yield 1.0

    def _decode(self, container: InputContainer, stream: AudioStream) -> Iterator[float]:
        start = float(self._info.start_pts * self._info.time_base)
        duration, told = max(self._info.duration_seconds, FINEST_SECONDS), 0.0
        try:
            for packet in packets_of(container, stream):
                for frame in self._frames_of(packet, start):
                    self._add(frame, start)
                if self._end_seconds >= told + STEP_SECONDS:
                    told = self._end_seconds
                    yield min(max(told / duration, 0.0), 1.0)
                if self._end_seconds > duration:
                    return
        except FFmpegError:
            self._clauses.append(f"the sound can be read up to {max(self._end_seconds, 0.0):.1f} s only")

    def _frames_of(self, packet: Packet[AudioStream], start: float) -> list[AudioFrame]:
        """What a packet decodes to; nothing when it is damaged."""
        span = slice(0, 0)
        if packet.pts is not None and packet.size:
            begin = float(packet.pts * packet.time_base) - start
            end = begin + float((packet.duration or 0) * packet.time_base)
            first = max(int(begin / self._bucket_seconds), 0)
            span = slice(first, max(math.ceil(end / self._bucket_seconds), first))
        self._is_stored[span] = True
        try:
            frames = packet.decode()
        except FFmpegError:
            self._is_damaged[span] = True
            return []
        if packet.is_corrupt:
            self._is_damaged[span] = True
        return frames

    def _add(self, frame: AudioFrame, start: float) -> None:
        """Count the samples of a frame (planar float) into their buckets."""
        samples = _planar(frame)
        begin = self._end_seconds
        if frame.pts is not None and frame.time_base is not None:
            begin = float(frame.pts * frame.time_base) - start
        self._has_sound = True
        self._end_seconds = begin + samples.shape[1] / frame.sample_rate
        per_sample = 1.0 / (frame.sample_rate * self._bucket_seconds)
        _count_samples(samples, begin / self._bucket_seconds, per_sample, self._buckets)

    def _find_holes(self) -> None:
        """Mark what gave nothing between the first and the last sound of the file: not all damage is an error."""
        stored = np.flatnonzero(self._is_stored)
        if stored.size == 0:
            return
        is_silent = self._buckets[3] == 0
        is_silent[: stored[0]] = is_silent[stored[-1] + 1 :] = False
        for begin, end in _runs(is_silent):
            if (end - begin) * self._bucket_seconds >= _HOLE_SECONDS:
                self._is_damaged[begin:end] = True

    def _damaged_runs(self) -> list[tuple[int, int]]:
        """Damaged buckets, first and one past the last; those with next to nothing between them are one run."""
        near = max(1, round(_HOLE_SECONDS / self._bucket_seconds))
        merged: list[tuple[int, int]] = []
        for begin, end in _runs(self._is_damaged):
            if merged and begin - merged[-1][1] <= near:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((begin, end))
        return merged

    def _check_end(self, stream: AudioStream) -> None:
        """Say when the sound ends long before the file says it does."""
        if stream.duration is None or stream.time_base is None:
            return
        begins = float((stream.start_time or 0) * stream.time_base)
        stated = begins + float(stream.duration * stream.time_base)
        stated -= float(self._info.start_pts * self._info.time_base)
        wanted = min(stated, self._info.duration_seconds)
        if self._end_seconds < wanted - _EARLY_END_SECONDS and not self._clauses:
            self._clauses.append(f"the sound is cut short: it ends at {max(self._end_seconds, 0.0):.1f} s")


def _runs(marks: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where marks ``(N,)`` are true: first and one past the last of each run."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]])))
    return [(int(begin), int(end)) for begin, end in steps.reshape(-1, 2)]


def _planar(frame: AudioFrame) -> Samples:
    """The samples ``(C, n)`` with full scale at 1, of any sample format."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == "u":
        samples = samples.astype(np.int16) - 128
        return (samples / 128).astype(np.float32)
    scale = 2.0 ** (8 * samples.dtype.itemsize - 1) if samples.dtype.kind == "i" else 1.0
    return np.ascontiguousarray(samples * (1.0 / scale), dtype=np.float32)


@numba.njit(cache=True, nogil=True)
def _count_samples(
    samples: Samples, first_bucket: float, buckets_per_sample: float, buckets: npt.NDArray[np.float64]
) -> None:
    """Count ``(C, n)`` samples; buckets are rows of lowest, highest, sum of squares, and number of samples."""
    count = buckets.shape[1]
    for place in range(samples.shape[1]):
        at = first_bucket + place * buckets_per_sample
        if at < 0.0 or at >= count:
            continue
        bucket = int(at)
        for channel in range(samples.shape[0]):
            value = samples[channel, place]
            if np.isnan(value):
                continue
            buckets[0, bucket] = min(buckets[0, bucket], value)
            buckets[1, bucket] = max(buckets[1, bucket], value)
            buckets[2, bucket] += value * value
            buckets[3, bucket] += 1.0
