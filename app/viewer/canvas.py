"""One pane: paints a picture under the shared zoom and pan, wiped against a second one if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.viewer.marks import Marks, Pin, paint_marks

if TYPE_CHECKING:
    from app.viewer.view_state import ViewState

_GRIP_PX = 8
_CLICK_PX = 4
Layers = tuple[tuple[QImage, QRectF], ...]
"""Images to paint over each other, each with the part of the whole picture it shows, in shares."""

_PIXELS_FROM = 2.0
"""From this zoom on single pixels are drawn as squares, so that what is looked at is the picture, not a filter."""


class Canvas(QWidget):
    """Paints; what to paint is told to it.

    Signals:
        pointed_at: Where the pointer is, as shares (0 to 1) of the picture's width and height; None when it left.
        resized: The pane has another size.
        wipe_moved: The divider stands at this share of the visible picture.
        clicked: The left button was pressed and let go on the picture, and nothing was dragged.
    """

    pointed_at = Signal(object)
    resized = Signal()
    wipe_moved = Signal(float)
    clicked = Signal()

    def __init__(self, view: ViewState, marks: Marks, name: str) -> None:
        """A pane without a picture."""
        super().__init__()
        self._view = view
        self._marks = marks
        self._picture: Layers = ()
        self._behind: Layers = ()
        self._overlay: Layers = ()
        self._wipe = 0.5
        self._mix: float | None = None
        self._shows_values = True
        self._pressed: QPointF | None = None
        self._corner: QPointF | None = None
        self._pin: Pin | None = None
        self._is_pending = False
        self._message = ""
        self._drag_from: QPointF | None = None
        self._is_wiping = False
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        # A click takes the focus from a number field, so that single keys are the window's again.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(160, 90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        view.view_changed.connect(self.update)
        marks.marks_changed.connect(self._show_marks)

    @property
    def has_picture(self) -> bool:
        """True when there is something to look at."""
        return bool(self._picture)

    @property
    def message(self) -> str:
        """The line written on the pane; empty for none."""
        return self._message

    def sizeHint(self) -> QSize:
        return QSize(640, 360)

    def show_picture(self, picture: Layers) -> None:
        """Paint this from now on; empty for nothing."""
        self._picture = picture
        self._is_pending = False
        self.update()

    def show_behind(self, picture: Layers, mix: float | None = None) -> None:
        """Paint this left of the divider; or, with ``mix``, below the picture, which has that opacity, 0 to 1."""
        self._behind, self._mix = picture, mix
        self.update()

    def show_values(self, shows_values: bool) -> None:
        """Write the values of pins beside them, or only their numbers."""
        self._shows_values = shows_values
        self.update()

    def show_overlay(self, overlay: Layers) -> None:
        """Paint this over the picture, but not over what is left of the divider; empty for nothing."""
        self._overlay = overlay
        self.update()

    def show_message(self, message: str, *, is_pending: bool = False) -> None:
        """Write a line on the pane; ``is_pending`` dims the picture, which is not the one asked for."""
        if (message, is_pending) != (self._message, self._is_pending):
            self._message, self._is_pending = message, is_pending
            self.update()

    def set_wipe(self, share: float) -> None:
        """Stand the divider at a share of the visible picture."""
        self._wipe = min(max(share, 0.0), 1.0)
        self.update()

    def pane(self) -> QSizeF:
        """The size of the pane in logical pixels."""
        return QSizeF(self.size())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.SURROUND))
        rect, window = self._rect(), QRectF(self.rect())
        if self._picture:
            if self._mix is not None:
                self._paint_layers(painter, self._behind, rect, window)
            painter.setOpacity(0.35 if self._is_pending else 1.0 if self._mix is None else self._mix)
            self._paint_layers(painter, self._picture, rect, window)
            painter.setOpacity(1.0)
            # A zebra blown up smoothly would be a blur.
            self._paint_layers(painter, self._overlay, rect, window, is_smooth=False)
            if self._is_wiped:
                self._paint_wipe(painter, rect)
            if not self._is_pending:
                paint_marks(painter, self._marks, rect, window, with_texts=self._shows_values)
        if self._message:
            self._paint_message(painter)

    @property
    def _is_wiped(self) -> bool:
        return bool(self._behind) and self._mix is None

    def _rect(self) -> QRectF:
        return self._view.painted_rect(self.pane(), self.devicePixelRatioF())

    def _paint_layers(
        self, painter: QPainter, layers: Layers, rect: QRectF, window: QRectF, *, is_smooth: bool | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for image, extent in layers:
            if is_smooth is None:
                # Pixels of the screen's size are not resampled; large ones are squares, if they are the frame's own.
                ratio = self.devicePixelRatioF()
                scale = rect.height() * extent.height() * ratio / max(image.height(), 1)
                is_own = abs(scale / self._view.scale(self.pane(), ratio) - 1.0) < 0.01
                smooth = abs(scale - 1.0) > 1e-3 and not (is_own and scale >= _PIXELS_FROM)
            else:
                smooth = is_smooth
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            whole = QRectF(
                rect.left() + extent.left() * rect.width(),
                rect.top() + extent.top() * rect.height(),
                extent.width() * rect.width(),
                extent.height() * rect.height(),
            )
            _paint_image(painter, image, whole, window)

    def _paint_wipe(self, painter: QPainter, rect: QRectF) -> None:
        shown = rect.intersected(QRectF(self.rect()))
        x = self._divider()
        left = QRectF(shown.left(), shown.top(), x - shown.left(), shown.height())
        self._paint_layers(painter, self._behind, rect, left)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = shown.center().y()
        painter.setPen(QPen(QColor(0, 0, 0, 110), 3))
        painter.drawLine(QPointF(x, shown.top()), QPointF(x, shown.bottom()))
        painter.setPen(QPen(QColor("#ffffff"), 1.5))
        painter.drawLine(QPointF(x, shown.top()), QPointF(x, shown.bottom()))
        painter.setPen(QPen(QColor(0, 0, 0, 140), 1))
        painter.setBrush(QColor("#ffffff"))
        painter.drawEllipse(QPointF(x, middle), 13, 13)
        painter.setPen(QPen(QColor("#333333"), 1.8))
        for side in (-1, 1):
            tip = QPointF(x + side * 8, middle)
            painter.drawLine(tip, QPointF(x + side * 4, middle - 4))
            painter.drawLine(tip, QPointF(x + side * 4, middle + 4))

    def _paint_message(self, painter: QPainter) -> None:
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(self._message) + 32
        box = QRectF((self.width() - width) / 2, self.height() / 2 - 17, width, 34)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 200))
        painter.drawRoundedRect(box, 17, 17)
        painter.setPen(QColor(theme.ON_PICTURE.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._message)

    def _divider(self) -> float:
        shown = self._rect().intersected(QRectF(self.rect()))
        return shown.left() + self._wipe * shown.width()

    def _is_on_divider(self, at: QPointF) -> bool:
        return self._is_wiped and abs(at.x() - self._divider()) <= _GRIP_PX

    def _share(self, at: QPointF) -> QPointF:
        """A point of the pane as shares of the picture."""
        rect = self._rect()
        return QPointF((at.x() - rect.left()) / rect.width(), (at.y() - rect.top()) / rect.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        is_left = event.button() == Qt.MouseButton.LeftButton
        pin = self._marks.pin_near(at, self._rect())
        self._pressed = at if is_left else None
        if is_left and self._marks.is_drawing:
            self._corner = self._share(at)
        elif pin is not None and is_left:
            self._pin = pin
        elif pin is not None and event.button() == Qt.MouseButton.RightButton:
            self._marks.remove(pin.number)
        elif is_left and self._is_on_divider(at):
            self._is_wiping = True
        elif event.button() in {Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton}:
            self._drag_from = at
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pressed is not None and (at - self._pressed).manhattanLength() > _CLICK_PX:
            self._pressed = None
        if self._corner is not None:
            self._marks.draw_region(self._corner, self._share(at))
        elif self._pin is not None:
            self._marks.move(self._pin.number, self._share(at))
        elif self._is_wiping:
            shown = self._rect().intersected(QRectF(self.rect()))
            self.wipe_moved.emit(min(max((at.x() - shown.left()) / max(shown.width(), 1.0), 0.0), 1.0))
        elif self._drag_from is not None:
            self._view.pan(at - self._drag_from, self.pane(), self.devicePixelRatioF())
            self._drag_from = at
        else:
            self._show_cursor(at)
        self._tell_pointer(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        is_click = self._pressed is not None and self._drag_from is not None
        if self._corner is not None:
            self._marks.finish_region()
        self._is_wiping = False
        self._drag_from = self._pressed = self._corner = self._pin = None
        self._show_cursor(event.position())
        if is_click and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self._is_on_divider(event.position()):
            self._view.set_zoom(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            factor = 1.25 ** (event.angleDelta().y() / 120.0)
            self._view.zoom_about(factor, event.position(), self.pane(), self.devicePixelRatioF())
            event.accept()
        else:
            event.ignore()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._tell_pointer(event.position())

    def leaveEvent(self, event: object) -> None:
        self.pointed_at.emit(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized.emit()

    def _show_marks(self) -> None:
        if not self._marks.is_drawing:
            self._corner = None
        pins = "; ".join(f"Pin {pin.number}: {pin.text}" for pin in self._marks.pins)
        self.setAccessibleDescription(pins)
        self._show_cursor(QPointF(self.mapFromGlobal(self.cursor().pos())))
        self.update()

    def _show_cursor(self, at: QPointF) -> None:
        shape = Qt.CursorShape.CrossCursor
        if not self._picture:
            shape = Qt.CursorShape.ArrowCursor
        elif self._marks.is_drawing:
            shape = Qt.CursorShape.CrossCursor
        elif self._marks.pin_near(at, self._rect()) is not None:
            shape = Qt.CursorShape.SizeAllCursor
        elif self._is_on_divider(at):
            shape = Qt.CursorShape.SplitHCursor
        self.setCursor(shape)

    def _tell_pointer(self, at: QPointF) -> None:
        if not self._picture or not self._rect().contains(at):
            self.pointed_at.emit(None)
            return
        share = self._share(at)
        self.pointed_at.emit((share.x(), share.y()))


def _paint_image(painter: QPainter, image: QImage, rect: QRectF, window: QRectF) -> None:
    """An image that fills ``rect``, as far as it lies in the window."""
    shown = rect.intersected(window)
    if shown.isEmpty():
        return
    across, down = image.width() / rect.width(), image.height() / rect.height()
    part = QRectF(
        (shown.left() - rect.left()) * across,
        (shown.top() - rect.top()) * down,
        shown.width() * across,
        shown.height() * down,
    )
    painter.drawImage(shown, image, part)
