"""What the strips around the lanes have in common: the lanes' time axis, the playhead, and a click that seeks."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.timeline.lanes import AXIS_PX

LEFT_PX, RIGHT_PX = AXIS_PX + 1, 9
"""Room at the sides of the lanes' plots; pyqtgraph keeps a pixel between a plot and what is beside it."""

_LEAST_RANGE = 8.0
"""Frames: the lanes zoom in no further either."""

_WHEEL_BASE = 1.02
"""The lanes' own: pyqtgraph scales by this to the power of an eighth of the wheel's turn."""


class Strip(QWidget):
    """A row on the time axis of the lanes: frame n reaches from n - 0.5 to n + 0.5.

    Signals:
        seek_asked: The frame a person clicked or dragged to.
        range_asked: The part of the clip to be shown, its first and last place on the time axis, in frames.
    """

    seek_asked = Signal(int)
    range_asked = Signal(float, float)

    def __init__(self, name: str, height: int) -> None:
        """An empty row of a height in pixels."""
        super().__init__()
        self._count = 1
        self._first, self._last = -0.5, 0.5
        self._playhead = 0
        self._height = height
        self._drag_from: QPointF | None = None
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(400, self._height)

    @property
    def count(self) -> int:
        """Frames of the clip."""
        return self._count

    def use_count(self, count: int) -> None:
        """Start empty for a clip of ``count`` frames, all of them in sight."""
        self._count = max(count, 1)
        self._playhead = 0
        self.show_range(-0.5, max(self._count - 0.5, 1.5))

    def show_range(self, first: float, last: float) -> None:
        """Show the part of the clip that the lanes show: ``lanes.luma.getViewBox().viewRange()[0]``."""
        if (first, last) != (self._first, self._last) and last > first:
            self._first, self._last = first, last
            self._view_changed()
            self.update()

    def show_playhead(self, index: int) -> None:
        """Stand the playhead on a frame."""
        if index != self._playhead:
            self._playhead = index
            self.update()

    def plot_rect(self) -> QRectF:
        """Where time runs, in logical pixels: as wide as the lanes' plots, which have an axis at their left."""
        return QRectF(LEFT_PX, 0, max(self.width() - LEFT_PX - RIGHT_PX, 1), self.height())

    def x_of(self, place: float) -> float:
        """Where a place on the time axis, in frames, lies in logical pixels."""
        plot = self.plot_rect()
        return plot.left() + (place - self._first) / (self._last - self._first) * plot.width()

    def place_at(self, x: float) -> float:
        """The place on the time axis, in frames, at a logical pixel."""
        plot = self.plot_rect()
        return self._first + (x - plot.left()) / plot.width() * (self._last - self._first)

    def _view_changed(self) -> None:
        """The range or the size is another; what is prepared for painting has to be prepared again."""

    def _paint_playhead(self, painter: QPainter) -> None:
        x = self.x_of(self._playhead)
        plot = self.plot_rect()
        if plot.left() <= x <= plot.right():
            painter.setPen(QPen(QColor("#ffffff"), 1))
            painter.drawLine(QLineF(x, 0, x, self.height()))

    def resizeEvent(self, event: object) -> None:
        self._view_changed()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._seek(event.position().x())
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._drag_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(at.x())
        elif self._drag_from is not None and event.buttons() & Qt.MouseButton.MiddleButton:
            by = self.place_at(self._drag_from.x()) - self.place_at(at.x())
            self._drag_from = at
            self._ask_range(self._first + by, self._last + by)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag_from = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y()
        if turn == 0:
            event.ignore()
            return
        span = self._last - self._first
        most = max(float(self._count), 2.0)
        wanted = min(max(span * _WHEEL_BASE ** (-turn / 8.0), min(_LEAST_RANGE, most)), most)
        # What is under the pointer stays there.
        centre = self.place_at(event.position().x())
        first = centre - (centre - self._first) * wanted / span
        self._ask_range(first, first + wanted)
        event.accept()

    def _seek(self, x: float) -> None:
        self.seek_asked.emit(max(0, min(round(self.place_at(x)), self._count - 1)))

    def _ask_range(self, first: float, last: float) -> None:
        """Ask for a part of the clip, moved as little as needed to lie inside it."""
        span = last - first
        first = min(max(first, -0.5), max(self._count - 0.5, 1.5) - span)
        self.range_asked.emit(first, first + span)
