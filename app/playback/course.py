"""The way through a clip that playing takes: where it is at any time, forwards, backwards and in loops.

Picture and sound both ask the same course, so that they cannot drift apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]


class Loop(Enum):
    """What happens at the end of the range."""

    ONCE = "once"
    LOOP = "loop"
    PING_PONG = "ping-pong"


@dataclass(frozen=True)
class Course:
    """A way through a range of a clip.

    Attributes:
        start: Where it begins, in seconds from the first frame.
        low: Where the range begins.
        high: Where it ends: the end of its last frame.
        speed: Seconds of the clip for a second of time; negative is backwards.
        loop: What happens at the end.
    """

    start: float
    low: float
    high: float
    speed: float = 1.0
    loop: Loop = Loop.ONCE

    @property
    def seconds(self) -> float:
        """How long it takes; infinite for a loop."""
        if self.loop is not Loop.ONCE:
            return math.inf
        way = self.high - self.start if self.speed > 0 else self.start - self.low
        return max(way, 0.0) / abs(self.speed)

    def at(self, elapsed: Times) -> Times:
        """Places in the clip, in seconds, after so many seconds ``(N,)``; NaN before the start and after the end."""
        span = self.high - self.low
        way = self.start - self.low + self.speed * elapsed
        if self.loop is Loop.LOOP:
            way = np.mod(way, span)
        elif self.loop is Loop.PING_PONG:
            way = span - np.abs(np.mod(way, 2 * span) - span)
        else:
            way = np.where(elapsed <= self.seconds, np.clip(way, 0.0, span), np.nan)
        return np.where(elapsed >= 0.0, self.low + way, np.nan)

    def place(self, elapsed: float) -> float:
        """The place after so many seconds; before the start that, after the end where it ended."""
        inside = min(max(elapsed, 0.0), self.seconds)
        return float(self.at(np.array([inside]))[0])
