"""What the strips around the lanes have in common: the lanes' time axis, the playhead, and a click that seeks."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.timeline.lanes import AXIS_PX

LEFT_PX, RIGHT_PX = AXIS_PX + 1, 9
"""Room at the sides of the lanes' plots; pyqtgraph keeps a pixel between a plot and what is beside it."""

"""Over what is outside the range."""

_LEAST_RANGE = 8.0
"""Frames: the lanes zoom in no further either."""

_NOTCH = 120
"""Of a wheel, in the units of Qt."""
SCROLL_SHARE = 0.125
"""Of what is in sight, for a notch."""

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
        self._marks = (0, 0)
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
        self._marks = (0, self._count - 1)
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

    def show_marks(self, first: int, last: int) -> None:
        """Darken what is outside these frames, which are played and exported."""
        if (first, last) != self._marks:
            self._marks = (first, last)
            self.update()

    @property
    def marks(self) -> tuple[int, int]:
        """First and last frame of the range that is played and exported."""
        return self._marks

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
        """The playhead, and over what is outside the range a shade."""
        x = self.x_of(self._playhead)
        plot = self.plot_rect()
        first, last = self._marks
        for left, right in ((plot.left(), self.x_of(first - 0.5)), (self.x_of(last + 0.5), plot.right())):
            left, right = max(left, plot.left()), min(right, plot.right())
            if right > left and (first, last) != (0, self._count - 1):
                painter.fillRect(QRectF(left, 0, right - left, self.height()), QColor(theme.SHADE))
        if plot.left() <= x <= plot.right():
            painter.setPen(QPen(QColor(theme.STRONG), 1))
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
        turn, sideways = event.angleDelta().y(), event.angleDelta().x()
        span = self._last - self._first
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or (sideways and not turn):
            by = -(turn or sideways) / _NOTCH * SCROLL_SHARE * span
            self._ask_range(self._first + by, self._last + by)
            event.accept()
            return
        if turn == 0:
            event.ignore()
            return
        self._zoom_about(self.place_at(event.position().x()), span * _WHEEL_BASE ** (-turn / 8.0))
        event.accept()

    def _seek(self, x: float) -> None:
        self.seek_asked.emit(max(0, min(round(self.place_at(x)), self._count - 1)))

    def ask_zoom(self, factor: float) -> None:
        """Ask for a part ``factor`` times as long, about the playhead where that is in sight."""
        span = self._last - self._first
        centre = self._playhead if self._first <= self._playhead <= self._last else (self._first + self._last) / 2
        self._zoom_about(float(centre), span * factor)

    def _zoom_about(self, centre: float, wanted: float) -> None:
        span, most = self._last - self._first, max(float(self._count), 2.0)
        wanted = min(max(wanted, min(_LEAST_RANGE, most)), most)
        # What is at the centre stays there.
        first = centre - (centre - self._first) * wanted / span
        self._ask_range(first, first + wanted)

    def _ask_range(self, first: float, last: float) -> None:
        """Ask for a part of the clip, moved as little as needed to lie inside it."""
        span = last - first
        first = min(max(first, -0.5), max(self._count - 0.5, 1.5) - span)
        self.range_asked.emit(first, first + span)
