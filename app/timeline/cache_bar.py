"""Which frames the network has answered for, and which are ready to play: a thin bar over the time axis."""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent

from app import theme
from app.timeline.strip import Strip

States = npt.NDArray[np.uint8]
HEIGHT_PX = 12


class FrameState(IntEnum):
    """How far a frame is."""

    NONE = 0
    ANALYSED = 1
    CACHED = 2


class CacheBar(Strip):
    """Empty, striped, filled: not analysed, analysed, and ready in memory."""

    def __init__(self) -> None:
        """No frame is analysed."""
        super().__init__("Analysed frames", HEIGHT_PX)
        self._states: States = np.zeros(1, np.uint8)
        self._spans: list[tuple[float, float, FrameState]] = []
        self._tell()

    def use_count(self, count: int) -> None:
        """Start empty for a clip of ``count`` frames."""
        self._states = np.zeros(max(count, 1), np.uint8)
        super().use_count(count)
        self._view_changed()
        self._tell()

    def show_states(self, states: States) -> None:
        """Show the states ``(T,)`` of all frames, values of `FrameState`."""
        self._states = states.astype(np.uint8)
        self._view_changed()
        self._tell()
        self.update()

    def _tell(self) -> None:
        count = self._states.size
        analysed = int(np.count_nonzero(self._states >= FrameState.ANALYSED))
        cached = int(np.count_nonzero(self._states == FrameState.CACHED))
        text = f"{analysed} of {count} frames analysed, {cached} of them ready to play"
        self.setAccessibleDescription(text)
        self.setToolTip(f"{text}\nEmpty: not analysed   striped: analysed   filled: ready to play")

    def _view_changed(self) -> None:
        """Runs of equal state, in pixels; of the frames that share a pixel the least one tells."""
        plot = self.plot_rect()
        columns = max(round(plot.width() * self.devicePixelRatioF()), 1)
        edges = self._first + np.arange(columns + 1) * (self._last - self._first) / columns
        # Frames that a pixel only touches are not in it; the slack is for rounding.
        starts = np.floor(edges[:-1] + 0.5 + 1e-9).astype(np.int64)
        stops = np.maximum(np.ceil(edges[1:] + 0.5 - 1e-9).astype(np.int64), starts + 1)
        is_inside = (starts >= 0) & (stops <= self._states.size)
        self._spans = []
        if not is_inside.any():
            return
        least = np.full(columns, FrameState.NONE, np.uint8)
        places = np.flatnonzero(is_inside)
        # A sentinel, so that the last run may reach the end.
        padded = np.append(self._states, np.uint8(FrameState.CACHED))
        pairs = np.stack([starts[places], stops[places]], axis=1).ravel()
        least[places] = np.minimum.reduceat(padded, pairs)[::2]
        changes = np.flatnonzero(np.diff(least)) + 1
        bounds = [0, *changes.tolist(), columns]
        scale = plot.width() / columns
        for begin, end in pairwise(bounds):
            state = FrameState(int(least[begin]))
            if state is not FrameState.NONE:
                self._spans.append((plot.left() + begin * scale, plot.left() + end * scale, state))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        plot = self.plot_rect()
        bar = QRectF(plot.left(), 3, plot.width(), self.height() - 6)
        painter.fillRect(bar, QColor(theme.GROOVE))
        striped = QBrush(QColor(theme.MUTED), Qt.BrushStyle.BDiagPattern)
        filled = QBrush(QColor(theme.CORRECTED_TRACE))
        for begin, end, state in self._spans:
            brush = filled if state is FrameState.CACHED else striped
            painter.fillRect(QRectF(begin, bar.top(), end - begin, bar.height()), brush)
        self._paint_playhead(painter)
