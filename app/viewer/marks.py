"""What a person marks on the pictures, in both panes alike: pinned pixels and the region to measure in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app import theme

if TYPE_CHECKING:
    from collections.abc import Sequence

PIN_PX = 7
_LABEL_HEIGHT_PX = 20
_LEAST_REGION = 0.005
"""Side of the smallest region as a share of the picture: less is a click."""


@dataclass(frozen=True)
class Pin:
    """A pixel that is watched.

    Attributes:
        number: How it is called, counted from 1.
        at: Its place in the picture as shown, in shares.
        text: What was read there.
    """

    number: int
    at: QPointF
    text: str = ""


class Marks(QObject):
    """Pins and region of the clip at hand; view state, so there is nothing to undo.

    Signals:
        pins_changed: Pins were added, moved or removed.
        region_changed: The region is another.
        marks_changed: Something looks different.
    """

    pins_changed = Signal()
    region_changed = Signal()
    marks_changed = Signal()

    def __init__(self) -> None:
        """Nothing is marked."""
        super().__init__()
        self._pins: tuple[Pin, ...] = ()
        self._region: QRectF | None = None
        self._draft: QRectF | None = None
        self._is_drawing = False

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pins in the order they were set."""
        return self._pins

    @property
    def region(self) -> QRectF | None:
        """The region in shares of the picture as shown; None for all of it."""
        return self._region

    @property
    def draft(self) -> QRectF | None:
        """The region that is being drawn."""
        return self._draft

    @property
    def is_drawing(self) -> bool:
        """True while the pointer draws a region."""
        return self._is_drawing

    def pin(self, at: QPointF) -> None:
        """Watch the pixel at a place of the picture, in shares."""
        taken = {pin.number for pin in self._pins}
        number = next(number for number in range(1, len(taken) + 2) if number not in taken)
        self._use_pins((*self._pins, Pin(number, QPointF(at))))

    def move(self, number: int, at: QPointF) -> None:
        """Watch another pixel with this pin."""
        place = QPointF(min(max(at.x(), 0.0), 1.0), min(max(at.y(), 0.0), 1.0))
        self._use_pins(tuple(replace(pin, at=place) if pin.number == number else pin for pin in self._pins))

    def remove(self, number: int) -> None:
        """Take a pin away."""
        self._use_pins(tuple(pin for pin in self._pins if pin.number != number))

    def remove_all(self) -> None:
        """Take all pins away."""
        self._use_pins(())

    def write(self, texts: Sequence[str]) -> None:
        """Write what was read beside each pin."""
        written = tuple(replace(pin, text=text) for pin, text in zip(self._pins, texts, strict=True))
        if written != self._pins:
            self._pins = written
            self.marks_changed.emit()

    def start_region(self) -> None:
        """The next drag on a picture draws the region."""
        self._is_drawing = True
        self.marks_changed.emit()

    def draw_region(self, corner: QPointF, other: QPointF) -> None:
        """Draw the region between two places, as far as the picture goes."""
        self._draft = QRectF(corner, other).normalized().intersected(QRectF(0.0, 0.0, 1.0, 1.0))
        self.marks_changed.emit()

    def finish_region(self) -> None:
        """Take the drawn region; one that is next to nothing was a click, and nothing changes."""
        draft = self._draft
        self.stop_drawing()
        if draft is not None and min(draft.width(), draft.height()) >= _LEAST_REGION:
            self.set_region(draft)

    def stop_drawing(self) -> None:
        """Put the tool away."""
        self._is_drawing, self._draft = False, None
        self.marks_changed.emit()

    def set_region(self, region: QRectF | None) -> None:
        """Measure in this region, in shares of the picture as shown."""
        if region != self._region:
            self._region = region
            self.marks_changed.emit()
            self.region_changed.emit()

    def clear(self) -> None:
        """Another clip: nothing is marked on it."""
        self.stop_drawing()
        self.remove_all()
        self.set_region(None)

    def pin_near(self, at: QPointF, rect: QRectF) -> Pin | None:
        """The pin under a point of the pane, where the picture lies at ``rect``."""
        for pin in reversed(self._pins):
            if (_placed(pin.at, rect) - at).manhattanLength() <= 2 * PIN_PX:
                return pin
        return None

    def _use_pins(self, pins: tuple[Pin, ...]) -> None:
        if pins != self._pins:
            self._pins = pins
            self.marks_changed.emit()
            self.pins_changed.emit()


def paint_marks(painter: QPainter, marks: Marks, rect: QRectF, pane: QRectF, *, with_texts: bool) -> None:
    """Paint all marks over a picture that lies at ``rect`` of a ``pane``."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if marks.region is not None:
        _paint_region(painter, _area(marks.region, rect), pane, "Measured region")
    if marks.draft is not None:
        _paint_region(painter, _area(marks.draft, rect), pane, "")
    for pin in marks.pins:
        at = _placed(pin.at, rect)
        if pane.adjusted(-PIN_PX, -PIN_PX, PIN_PX, PIN_PX).contains(at):
            _paint_pin(painter, pin, at, pane, with_text=with_texts)


def _paint_region(painter: QPainter, area: QRectF, pane: QRectF, name: str) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 3))
    painter.drawRect(area)
    painter.setPen(QPen(QColor(theme.ON_PICTURE.accent), 1.5, Qt.PenStyle.DashLine))
    painter.drawRect(area)
    if name:
        seen = area.intersected(pane)
        _paint_label(painter, name, QPointF(seen.left() + 4, seen.top() + 4), pane)


def _paint_pin(painter: QPainter, pin: Pin, at: QPointF, pane: QRectF, *, with_text: bool) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((QColor(0, 0, 0, 170), 3.5), (QColor("#ffffff"), 1.5)):
        painter.setPen(QPen(color, width))
        painter.drawEllipse(at, PIN_PX, PIN_PX)
        painter.drawPoint(at)
    text = f"{pin.number}   {pin.text}" if with_text and pin.text else f"{pin.number}"
    right = at + QPointF(PIN_PX + 5, -_LABEL_HEIGHT_PX / 2)
    _paint_label(painter, text, right, pane, else_right_of=at.x() - PIN_PX - 5)


def _paint_label(
    painter: QPainter, text: str, at: QPointF, pane: QRectF, *, else_right_of: float | None = None
) -> None:
    """A line on dark, kept inside the pane; where ``at`` has no room for it, it ends at the other place."""
    font = painter.font()
    font.setPixelSize(11)
    painter.setFont(font)
    width = QFontMetricsF(font).horizontalAdvance(text) + 12
    wanted = at.x()
    if else_right_of is not None and wanted + width > pane.right() - 2:
        wanted = else_right_of - width
    left = min(max(wanted, pane.left() + 2), pane.right() - width - 2)
    top = min(max(at.y(), pane.top() + 2), pane.bottom() - _LABEL_HEIGHT_PX - 2)
    box = QRectF(left, top, width, _LABEL_HEIGHT_PX)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 20, 20, 215))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor(theme.ON_PICTURE.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _placed(at: QPointF, rect: QRectF) -> QPointF:
    return QPointF(rect.left() + at.x() * rect.width(), rect.top() + at.y() * rect.height())


def _area(shares: QRectF, rect: QRectF) -> QRectF:
    return QRectF(_placed(shares.topLeft(), rect), _placed(shares.bottomRight(), rect))
