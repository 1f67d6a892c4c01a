"""A sound device and a clip's sound for tests: the device runs by a clock that the test turns."""

from __future__ import annotations

import numpy as np


class FakeClock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class FakeSink:
    """Plays what was written at a rate of its own, after a while, from a buffer of a fifth of a second."""

    def __init__(self, clock: FakeClock, pace: float = 1.0, wakes_after: float = 0.0) -> None:
        self.clock, self.pace, self.wakes_after = clock, pace, wakes_after
        self.opened = clock()
        self.blocks: list[np.ndarray] = []
        self.written = 0
        self._played = 0.0
        self._told = self.opened + wakes_after
        self.volume = -1.0
        self.is_closed = False

    @property
    def played(self) -> float:
        now = self.clock()
        if now > self._told:
            self._played = min(self._played + (now - self._told) * self.pace, self.written / 48_000)
            self._told = now
        return self._played

    @property
    def free(self) -> int:
        return 9600 - (self.written - round(self.played * 48_000))

    def write(self, block: np.ndarray) -> None:
        self.blocks.append(block)
        self.written += len(block)

    def set_volume(self, volume: float) -> None:
        self.volume = volume

    def close(self) -> None:
        self.is_closed = True


class FakeSource:
    """Each sample says its own time: left in seconds / 1000, right the same."""

    has_sound = True

    def __init__(self) -> None:
        self.is_closed = False

    def at(self, seconds: np.ndarray) -> np.ndarray:
        return np.repeat(np.nan_to_num(seconds)[:, None] / 1000, 2, axis=1).astype(np.float32)

    def close(self) -> None:
        self.is_closed = True
