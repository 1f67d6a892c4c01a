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

if TYPE_CHECKING:
    from app.viewer.view_state import ViewState

_GRIP_PX = 8
_PIXELS_FROM = 2.0
"""From this zoom on single pixels are drawn as squares, so that what is looked at is the picture, not a filter."""


class Canvas(QWidget):
    """Paints; what to paint is told to it.

    Signals:
        pointed_at: Where the pointer is, as shares (0 to 1) of the picture's width and height; None when it left.
        resized: The pane has another size.
        wipe_moved: The divider stands at this share of the visible picture.
    """

    pointed_at = Signal(object)
    resized = Signal()
    wipe_moved = Signal(float)

    def __init__(self, view: ViewState, name: str) -> None:
        """A pane without a picture."""
        super().__init__()
        self._view = view
        self._picture: QImage | None = None
        self._behind: QImage | None = None
        self._overlay: QImage | None = None
        self._wipe = 0.5
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

    @property
    def has_picture(self) -> bool:
        """True when there is something to look at."""
        return self._picture is not None

    @property
    def message(self) -> str:
        """The line written on the pane; empty for none."""
        return self._message

    def sizeHint(self) -> QSize:
        return QSize(640, 360)

    def show_picture(self, picture: QImage | None) -> None:
        """Paint this from now on."""
        self._picture = picture
        self._is_pending = False
        self.update()

    def show_behind(self, picture: QImage | None) -> None:
        """Paint this left of the divider; None for no divider."""
        self._behind = picture
        self.update()

    def show_overlay(self, overlay: QImage | None) -> None:
        """Paint this over the picture, but not over what is left of the divider; None for nothing."""
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
        rect = self._view.picture_rect(self.pane(), self.devicePixelRatioF())
        zoom = self._view.zoom
        smooth = zoom is None or zoom < _PIXELS_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        if self._picture is not None:
            painter.setOpacity(0.35 if self._is_pending else 1.0)
            self._paint_picture(painter, self._picture, rect, QRectF(self.rect()))
            painter.setOpacity(1.0)
        if self._overlay is not None and self._picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            self._paint_picture(painter, self._overlay, rect, QRectF(self.rect()))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        if self._behind is not None and self._picture is not None:
            self._paint_wipe(painter, self._behind, rect)
        if self._message:
            self._paint_message(painter)

    def _paint_picture(self, painter: QPainter, image: QImage, rect: QRectF, window: QRectF) -> None:
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

    def _paint_wipe(self, painter: QPainter, image: QImage, rect: QRectF) -> None:
        shown = rect.intersected(QRectF(self.rect()))
        x = self._divider()
        self._paint_picture(painter, image, rect, QRectF(shown.left(), shown.top(), x - shown.left(), shown.height()))
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
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._message)

    def _divider(self) -> float:
        shown = self._view.picture_rect(self.pane(), self.devicePixelRatioF()).intersected(QRectF(self.rect()))
        return shown.left() + self._wipe * shown.width()

    def _is_on_divider(self, at: QPointF) -> bool:
        return self._behind is not None and abs(at.x() - self._divider()) <= _GRIP_PX

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._is_on_divider(event.position()):
            self._is_wiping = True
        elif event.button() in {Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton}:
            self._drag_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._is_wiping:
            shown = self._view.picture_rect(self.pane(), self.devicePixelRatioF()).intersected(QRectF(self.rect()))
            self.wipe_moved.emit(min(max((at.x() - shown.left()) / max(shown.width(), 1.0), 0.0), 1.0))
        elif self._drag_from is not None:
            self._view.pan(at - self._drag_from, self.pane(), self.devicePixelRatioF())
            self._drag_from = at
        else:
            self._show_cursor(at)
        self._tell_pointer(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._is_wiping = False
        self._drag_from = None
        self._show_cursor(event.position())

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

    def _show_cursor(self, at: QPointF) -> None:
        shape = Qt.CursorShape.SplitHCursor if self._is_on_divider(at) else Qt.CursorShape.CrossCursor
        self.setCursor(shape if self._picture is not None else Qt.CursorShape.ArrowCursor)

    def _tell_pointer(self, at: QPointF) -> None:
        rect = self._view.picture_rect(self.pane(), self.devicePixelRatioF())
        if self._picture is None or not rect.contains(at):
            self.pointed_at.emit(None)
            return
        self.pointed_at.emit(((at.x() - rect.left()) / rect.width(), (at.y() - rect.top()) / rect.height()))
