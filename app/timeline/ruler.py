"""The ruler over the lanes: timecode and frame numbers, the in and out points to drag, and the playhead's head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF

from app import theme
from app.timeline.strip import Strip

if TYPE_CHECKING:
    from app.preview_worker import ClipTimes

HEIGHT_PX = 26
_LABEL_PX = 168
"""Room for a timecode and a frame number."""
_BAR_PX = 5
_GRIP_PX = 7
_FRAME_TICK_PX = 6
"""Every frame has a tick from so many pixels a frame on."""
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_FRAMES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30)


@dataclass(frozen=True)
class Tick:
    """A place on the ruler that has a name.

    Attributes:
        index: 0-based frame.
        timecode: Of that frame.
    """

    index: int
    timecode: str


def ticks(times: ClipTimes, first: float, last: float, most: int) -> list[Tick]:
    """Named places between two frames, ``most`` at most, at whole seconds of timecode or whole frames in them."""
    low, high = max(round(first), 0), min(round(last), times.count - 1)
    rate = max(round(times.rate), 1)
    for step in _FRAMES:
        # Only what divides the second: the last place of one second must not run into the first of the next.
        if step < rate and rate % step == 0 and (high - low) / step <= most:
            named = (Tick(index, times.timecode_of(index)) for index in range(low, high + 1))
            return [tick for tick in named if _frames_of(tick.timecode) % step == 0]
    step = next((one for one in _SECONDS if (high - low) / rate / one <= most), _SECONDS[-1])
    found: list[Tick] = []
    index = _second_start(times, low)
    while index <= high:
        timecode = times.timecode_of(index)
        to_next = step - _seconds_of(timecode) % step
        if to_next == step and index >= low:
            found.append(Tick(index, timecode))
        index = _start_of_second(times, index + to_next * rate - _frames_of(timecode), _seconds_of(timecode) + to_next)
    return found


def _start_of_second(times: ClipTimes, index: int, second: int) -> int:
    """The first frame of a second of timecode, near a frame: where numbers are dropped it comes some frames earlier."""
    start = _second_start(times, index)
    for _ in range(4):
        beyond = _seconds_of(times.timecode_of(start)) - second % 86_400
        if beyond <= 0:
            break
        start = _second_start(times, start - beyond * max(round(times.rate), 1))
    return start


def _second_start(times: ClipTimes, index: int) -> int:
    """The first frame of the timecode's second that a frame lies in."""
    start = index - _frames_of(times.timecode_of(index))
    # In a second whose first numbers are dropped this is a frame of the second before.
    while start < index and _seconds_of(times.timecode_of(start)) != _seconds_of(times.timecode_of(index)):
        start += 1
    return start


def _seconds_of(timecode: str) -> int:
    hours, minutes, seconds = (int(timecode[at : at + 2]) for at in (0, 3, 6))
    return 3600 * hours + 60 * minutes + seconds


def _frames_of(timecode: str) -> int:
    return int(timecode[9:])


class Ruler(Strip):
    """Time in words; the range that is played and exported is a bar whose ends can be dragged.

    Signals:
        range_dragged: First and last frame of the range, and the number of the drag: its edits undo as one.
    """

    range_dragged = Signal(int, int, int)

    _gestures = 0

    def __init__(self) -> None:
        """Without a clip."""
        super().__init__("Ruler with in and out points", HEIGHT_PX)
        self.setToolTip(
            "Timecode and frame. Click to go there, drag the ends of the bar to set in (I) and out (O); "
            "wheel zooms in time, Shift+wheel scrolls"
        )
        self.setMouseTracking(True)
        self._times: ClipTimes | None = None
        self._ticks: list[Tick] = []
        self._dragged = ""

    def use_times(self, times: ClipTimes) -> None:
        """Name frames as this clip's file does."""
        self._times = times
        self._view_changed()
        self.update()

    def use_count(self, count: int) -> None:
        """Start without names for a clip of ``count`` frames."""
        self._times = None
        super().use_count(count)
        self._view_changed()

    @property
    def named(self) -> list[Tick]:
        """The named places in sight."""
        return self._ticks

    def _view_changed(self) -> None:
        self._ticks = []
        if self._times is not None and self._times.count == self._count:
            most = max(int(self.plot_rect().width() / _LABEL_PX), 1)
            self._ticks = ticks(self._times, self._first, self._last, most)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        plot = self.plot_rect()
        painter.fillRect(plot, QColor(theme.FIELD))
        painter.save()
        painter.setClipRect(plot)
        self._paint_frame_ticks(painter, plot)
        self._paint_names(painter, plot)
        painter.restore()
        self._paint_range(painter, plot)
        self._paint_head(painter, plot)

    def _paint_frame_ticks(self, painter: QPainter, plot: QRectF) -> None:
        if plot.width() / (self._last - self._first) < _FRAME_TICK_PX:
            return
        painter.setPen(QPen(QColor(theme.LINE), 1))
        bottom = plot.bottom() - _BAR_PX
        for index in range(max(round(self._first), 0), min(round(self._last), self._count - 1) + 1):
            x = self.x_of(index)
            painter.drawLine(QLineF(x, bottom - 4, x, bottom))

    def _paint_names(self, painter: QPainter, plot: QRectF) -> None:
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        for tick in self._ticks:
            x = self.x_of(tick.index)
            painter.setPen(QPen(QColor(theme.FAINT), 1))
            painter.drawLine(QLineF(x, 3, x, plot.bottom() - _BAR_PX))
            at = QPointF(x + 5, 14)
            painter.setPen(QColor(theme.TEXT))
            number = str(tick.index + 1)
            width = metrics.horizontalAdvance(tick.timecode) + 7
            if at.x() + width + metrics.horizontalAdvance(number) > plot.right():
                continue
            painter.drawText(at, tick.timecode)
            at.setX(at.x() + width)
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(at, number)

    def _paint_range(self, painter: QPainter, plot: QRectF) -> None:
        begin, end = self._edges()
        top = plot.bottom() - _BAR_PX + 1
        left, right = max(begin, plot.left()), min(end, plot.right())
        is_whole = self._marks == (0, self._count - 1)
        color = QColor(theme.FAINT if is_whole else theme.ACCENT)
        if right > left:
            painter.fillRect(QRectF(left, top, right - left, _BAR_PX - 2), color)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for x, side in ((begin, 1), (end, -1)):
            if plot.left() - 1 <= x <= plot.right() + 1:
                painter.drawRect(QRectF(min(x, x + side * 3), top - 6, 3, _BAR_PX + 5))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_head(self, painter: QPainter, plot: QRectF) -> None:
        x = self.x_of(self._playhead)
        if not plot.left() <= x <= plot.right():
            return
        painter.setPen(QPen(QColor(theme.STRONG), 1))
        painter.drawLine(QLineF(x, 0, x, self.height()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.STRONG))
        painter.drawPolygon(QPolygonF([QPointF(x - 5, 0), QPointF(x + 6, 0), QPointF(x + 0.5, 7)]))

    def _edges(self) -> tuple[float, float]:
        first, last = self._marks
        return self.x_of(first - 0.5), self.x_of(last + 0.5)

    def _grip_at(self, at: QPointF) -> str:
        """The end of the range that can be taken here; empty for none. Above the bar a click seeks, as everywhere."""
        if at.y() < self.height() / 2:
            return ""
        distances = {name: abs(at.x() - x) for name, x in zip(("in", "out"), self._edges(), strict=True)}
        nearest = min(distances, key=lambda name: distances[name])
        return nearest if distances[nearest] <= _GRIP_PX else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._dragged = self._grip_at(event.position()) if event.button() == Qt.MouseButton.LeftButton else ""
        if self._dragged:
            Ruler._gestures += 1
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._dragged:
            over = self._grip_at(event.position()) and not event.buttons()
            self.setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.ArrowCursor)
            super().mouseMoveEvent(event)
            return
        first, last = self._marks
        if self._dragged == "in":
            first = min(max(round(self.place_at(event.position().x()) + 0.5), 0), last)
        else:
            last = max(min(round(self.place_at(event.position().x()) - 0.5), self._count - 1), first)
        self.range_dragged.emit(first, last, Ruler._gestures)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = ""
        super().mouseReleaseEvent(event)
