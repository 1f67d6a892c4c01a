"""When each frame of a clip is shown, and what its camera called it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from vecnet_core.video.timecode import advance_timecode, is_timecode

_SLACK_SECONDS = 5e-7
"""Covers the rounding of seconds that came from a frame's own start."""


@dataclass(frozen=True)
class ClipTimes:
    """The time axis of a clip.

    Attributes:
        clip: Number of the opened clip.
        starts: ``(T + 1,)`` seconds from the first frame: when each frame begins, and when the last one ends.
        rate: Frames a second.
        timecode: Of the first frame, as the file says it; empty when it says none.
    """

    clip: int
    starts: npt.NDArray[np.float64]
    rate: Fraction
    timecode: str = ""

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.starts.size - 1

    @property
    def has_timecode(self) -> bool:
        """True when timecodes are the file's own and do not just count from zero."""
        return bool(self.timecode) and is_timecode(self.timecode, self.rate)

    def index_at(self, seconds: float) -> int:
        """The frame shown at a time; before the first that, after the last that."""
        place = int(np.searchsorted(self.starts, seconds + _SLACK_SECONDS, side="right")) - 1
        return min(max(place, 0), self.count - 1)

    def frames_between(self, start_seconds: float, stop_seconds: float | None) -> tuple[int, int]:
        """First and last frame of a range, as `vecnet_core.export` takes it; None is the end of the clip."""
        first, last = self.index_at(start_seconds), self.count - 1
        if stop_seconds is not None and stop_seconds < self.starts[-1]:
            last = self.index_at(stop_seconds)
            if self.starts[last] >= stop_seconds - 1e-6:
                last -= 1
        return first, max(first, last)

    def timecode_of(self, index: int) -> str:
        """Frame ``index`` as ``HH:MM:SS:FF``, with the numbers that drop-frame timecode leaves out."""
        return advance_timecode(self.timecode if self.has_timecode else "00:00:00:00", index, self.rate)
