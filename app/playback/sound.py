"""The sound of playback: a thread that decodes it, writes it to the device, and tells how much has been heard.

What the device has played is the clock of the picture. A device takes a while to begin, so it is fed silence until it
does, and the clip's sound joins in where the picture is by then: playing begins at once, and in step.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from app.playback.course import Course
from vecnet_core.frame import VideoInfo

if TYPE_CHECKING:
    from collections.abc import Callable


log = logging.getLogger(__name__)

RATE = 48_000
CHANNELS = 2
BLOCK_SECONDS = 0.02
STALL_SECONDS = 1.5
"""A device that takes no sound for this long is given up; some need a second to wake."""
_WAIT_SECONDS = 0.008
_EXTRAPOLATED_SECONDS = 0.25
"""The clock runs on by itself this long past the last word of the device; then it waits for it."""

Block = npt.NDArray[np.int16]
PCM = npt.NDArray[np.float32]


class Sink(Protocol):
    """A device that sound is written to; used from the sound thread alone."""

    @property
    def free(self) -> int:
        """Samples it would take now."""
        ...

    @property
    def played(self) -> float:
        """Seconds played since it was opened, of all that was written."""
        ...

    def write(self, block: Block) -> None:
        """Take samples ``(N, 2)``."""
        ...

    def set_volume(self, volume: float) -> None:
        """Loudness from 0 to 1."""
        ...

    def close(self) -> None:
        """Stop at once."""
        ...


class Source(Protocol):
    """Sound at any time of a clip, see `vecnet_core.video.sound.SoundReader`."""

    @property
    def has_sound(self) -> bool: ...
    def at(self, seconds: npt.NDArray[np.float64]) -> PCM: ...
    def close(self) -> None: ...


class NoSoundError(Exception):
    """There is no device, or none that takes our sound; the text is a sentence."""


def open_source(info: VideoInfo) -> Source:
    """The sound of a clip."""
    from vecnet_core.video.sound import SoundReader

    return SoundReader(info)


def open_device() -> Sink:
    """The sound device of the system."""
    try:
        from app.playback.device import DeviceSink
    except ImportError as error:
        raise NoSoundError(
            "Sound cannot be played: Qt Multimedia or the system's sound library (libpulse0) is not installed."
        ) from error
    return DeviceSink()


@dataclass(frozen=True)
class _Run:
    """One run of playing, begun at a moment of `time.monotonic`."""

    number: int
    info: VideoInfo
    course: Course
    began: float


@dataclass(frozen=True)
class _Word:
    """What the device last said: at the moment ``said``, ``elapsed`` seconds of run ``number`` had been heard."""

    number: int
    elapsed: float
    said: float


class SoundPlayer(QObject):
    """Plays the sound along a course; the methods are for the main thread and return at once.

    Signals:
        failed: A sentence: why there is no sound. It is told once, until another clip is played.
    """

    failed = Signal(str)

    def __init__(
        self,
        parent: QObject | None = None,
        opens_device: Callable[[], Sink] = open_device,
        opens_source: Callable[[VideoInfo], Source] = open_source,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Silent; the thread starts when there is something to play."""
        super().__init__(parent)
        self._opens_device = opens_device
        self._opens_source = opens_source
        self._now = now
        self._changed = threading.Condition()
        self._wanted: _Run | None = None
        self._word: _Word | None = None
        self._volume = 1.0
        self._is_muted = False
        self._is_closed = False
        self._numbers = 0
        self._began = 0.0
        self._thread: threading.Thread | None = None
        # Used on the thread alone.
        self._source: Source | None = None
        self._source_info: VideoInfo | None = None
        self._failed_info: VideoInfo | None = None

    def use(self, opens_device: Callable[[], Sink], opens_source: Callable[[VideoInfo], Source]) -> None:
        """Play on another device, or another sound, from the next run on."""
        self._opens_device, self._opens_source = opens_device, opens_source

    @property
    def volume(self) -> float:
        """Loudness, 0 to 1."""
        return self._volume

    @property
    def is_muted(self) -> bool:
        """True while nothing shall be heard."""
        return self._is_muted

    @property
    def leads(self) -> bool:
        """True while the device is the clock."""
        word = self._word
        return word is not None and word.number == self._numbers

    def set_volume(self, volume: float) -> None:
        """Be as loud as this, 0 to 1."""
        self._volume = min(max(volume, 0.0), 1.0)

    def set_muted(self, is_muted: bool) -> None:
        """Be silent; the device goes on, because it is the clock."""
        self._is_muted = is_muted

    def play(self, info: VideoInfo, course: Course) -> None:
        """Play from now on along ``course``, in place of what was played."""
        self._numbers += 1
        self._began = self._now()
        if not info.audio_codecs or self._is_closed:
            self._give(None)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="vecnet-sound", daemon=True)
            self._thread.start()
        self._give(_Run(self._numbers, info, course, self._began))

    def stop(self) -> None:
        """Be silent."""
        self._give(None)

    def elapsed(self) -> float:
        """Seconds of the run that have been heard; by the clock on the wall until the device has begun."""
        now, word = self._now(), self._word
        if word is None or word.number != self._numbers:
            return now - self._began
        return word.elapsed + min(now - word.said, _EXTRAPOLATED_SECONDS)

    def close(self, timeout_seconds: float = 2.0) -> None:
        """End the thread."""
        with self._changed:
            self._is_closed, self._wanted = True, None
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _give(self, run: _Run | None) -> None:
        with self._changed:
            self._wanted = run
            self._changed.notify()

    # The thread ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    while self._wanted is None and not self._is_closed:
                        self._changed.wait()
                    run = self._wanted
                if run is None:
                    return
                self._play_through(run)
        finally:
            self._close_source()

    def _play_through(self, run: _Run) -> None:
        """Play one run to its end, or until another is wanted."""
        try:
            source = self._source_of(run.info)
            if source is not None:
                sink = self._opens_device()
                try:
                    self._feed(run, source, sink)
                finally:
                    sink.close()
        except NoSoundError as error:
            self._tell(run, str(error), error)
        except Exception as error:  # noqa: BLE001 - the edge of the thread: the picture plays on without sound
            self._tell(run, f"The sound of {run.info.path.name} cannot be played ({error}).", error)
        finally:
            with self._changed:
                if self._wanted is run:
                    self._wanted = None

    def _tell(self, run: _Run, sentence: str, error: Exception) -> None:
        log.warning("no sound", exc_info=error)
        if self._word is not None and self._word.number == run.number:
            # The wall's clock takes over where the device's stopped.
            self._began = self._now() - self._word.elapsed
            self._word = None
        if self._failed_info is not run.info:
            self._failed_info = run.info
            self.failed.emit(sentence)

    def _source_of(self, info: VideoInfo) -> Source | None:
        if self._source_info is not info:
            self._close_source()
            self._source, self._source_info = self._opens_source(info), info
        return self._source if self._source is not None and self._source.has_sound else None

    def _close_source(self) -> None:
        source, self._source, self._source_info = self._source, None, None
        if source is not None:
            source.close()

    def _feed(self, run: _Run, source: Source, sink: Sink) -> None:
        """Write block after block, and tell what has been heard."""
        size = round(BLOCK_SECONDS * RATE)
        silence = np.zeros((size, CHANNELS), np.int16)
        written = 0.0
        base: float | None = None
        played, moved, volume = 0.0, self._now(), -1.0
        while self._wanted is run:
            wanted = 0.0 if self._is_muted else self._volume
            if wanted != volume:
                volume = wanted
                sink.set_volume(volume)
            now, heard = self._now(), sink.played
            if heard > played:
                played, moved = heard, now
                if base is None:
                    # It has begun: what is written from here on is heard when what is waiting has been.
                    base = now - run.began - heard
                self._word = _Word(run.number, base + heard, now)
            if base is not None and base + heard > run.course.seconds:
                return
            if sink.free < size:
                if now - moved > STALL_SECONDS:
                    raise NoSoundError("The sound device does not take any sound; the picture plays on without it.")
                self._pause()
                continue
            if base is None:
                sink.write(silence)
            else:
                elapsed = base + written + np.arange(size) / RATE
                sink.write(_as_int16(source.at(run.course.at(elapsed))))
            written += size / RATE
            moved = self._now()

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait(_WAIT_SECONDS)


def _as_int16(samples: PCM) -> Block:
    return np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
