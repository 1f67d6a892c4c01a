"""What every reader of footage has in common: frames by index or in order, their times, and what is to be said."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import OrderedDict
from fractions import Fraction
from typing import TYPE_CHECKING, Self

from av.error import FFmpegError

from vecnet_core.errors import VideoDamageError, VideoReadError
from vecnet_core.video.damage import Findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    import numpy.typing as npt

    from vecnet_core.frame import Frame, VideoInfo
    from vecnet_core.video.index import FrameIndex

log = logging.getLogger(__name__)

CACHED_FRAMES = 8
"""Decoded frames kept, so that stepping back a few frames does not decode a group of pictures each time."""

CACHED_BYTES = 512 << 20
"""The most they take together; the last two are kept whatever they take."""


class FrameReader(ABC):
    """Footage, by index or in order. Not thread-safe: open one per thread.

    Attributes:
        info: The facts of the footage.
    """

    info: VideoInfo
    _index: FrameIndex

    def __init__(self, path: Path) -> None:
        self._path = path
        self._warnings: list[str] = []
        self._cache: OrderedDict[int, Frame] = OrderedDict()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what is damaged, converted or assumed; more may come while frames are read."""
        return tuple(self._warnings)

    @property
    def findings(self) -> Findings:
        """What `warnings` are made of."""
        return Findings(tuple(self._warnings))

    def recall(self, findings: Findings) -> None:
        """Tell in `warnings` also what another reader of the same footage has found."""
        for clause in findings.clauses:
            self._warn(clause)

    def frame(self, index: int) -> Frame:
        """The frame with this number in presentation order.

        Raises:
            VideoReadError: There is no such frame, or the footage is damaged there (`VideoDamageError`).
        """
        if not 0 <= index < self.info.frame_count:
            raise VideoReadError(
                f"there is no frame {index}", path=self._path, hint=f"ask for 0 to {self.info.frame_count - 1}"
            )
        cached = self._cache.get(index)
        if cached is not None:
            self._cache.move_to_end(index)
            return cached
        try:
            return self._read(index)
        except FFmpegError as error:
            raise VideoReadError(
                f"the file cannot be read ({error.strerror or 'unknown cause'})",
                path=self._path,
                frame=index,
                hint="check the disk or network it is on",
            ) from error

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Frames ``start`` to ``stop - 1`` in order; ends early, with a warning, where the footage's end is damaged."""
        end = self.info.frame_count if stop is None else min(stop, self.info.frame_count)
        for index in range(start, end):
            try:
                frame = self.frame(index)
            except VideoDamageError:
                if self._has_frame_after(index):
                    raise
                self._warn(f"the end of the file is damaged: {index} of {self.info.frame_count} frames can be read")
                return
            yield frame

    def index_at(self, seconds: float) -> int:
        """The frame shown at a time counted from the first frame's start."""
        # Half a microsecond covers the rounding of seconds that came out of `seconds_of`.
        offset = (Fraction(seconds) + Fraction(1, 2_000_000)) / self.info.time_base
        return self._index.at(float(offset) + self.info.start_pts)

    def seconds_of(self, index: int) -> float:
        """When a frame is shown, in seconds counted from the first frame's start."""
        return float((int(self._index.pts[index]) - self.info.start_pts) * self.info.time_base)

    def pts(self, start: int = 0, stop: int | None = None) -> npt.NDArray[np.int64]:
        """Presentation times of frames ``start`` to ``stop - 1``, ``(T,)`` in units of the clip's time base."""
        return self._index.pts[start:stop]

    def close(self) -> None:
        """Let go of all files; the reader is not usable afterwards."""
        self._cache.clear()

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of all files."""
        self.close()

    @abstractmethod
    def _read(self, index: int) -> Frame:
        """A frame that is not in memory; `_remember` keeps it, and others that came with it."""

    @abstractmethod
    def _has_frame_after(self, index: int) -> bool:
        """True when the footage still gives frames behind a bad one, so that the damage is not its tail."""

    def _remember(self, frame: Frame) -> None:
        """Keep a frame and forget the one not asked for longest."""
        self._cache[frame.index] = frame
        self._cache.move_to_end(frame.index)
        while len(self._cache) > max(2, min(CACHED_FRAMES, CACHED_BYTES // frame.nbytes)):
            self._cache.popitem(last=False)

    def _warn(self, clause: str) -> None:
        """Note a warning once."""
        if clause not in self._warnings:
            self._warnings.append(clause)
            log.info("%s: %s", self._path, clause)
