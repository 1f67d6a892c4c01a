"""A colour bar: what the colours of a map mean, with numbers under it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme


class ColorBar(QWidget):
    """A horizontal ramp with its numbers."""

    def __init__(self) -> None:
        """An empty bar; see `show_ramp`."""
        super().__init__()
        self._ramp: QImage | None = None
        self._ticks: list[str] = []
        self.setAccessibleName("Colour bar")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(200, 32)

    def show_ramp(self, ramp: QImage, ticks: list[str], unit: str) -> None:
        """Show a ramp one pixel high, with tick texts at equal distances."""
        self._ramp, self._ticks = ramp, ticks
        self.setToolTip(f"From {ticks[0]} to {ticks[-1]} {unit}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._ramp is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        bar = QRectF(0, 2, self.width(), 12)
        painter.drawImage(bar, self._ramp)
        painter.setPen(QColor(theme.LINE))
        painter.drawRect(bar.adjusted(0, 0, -1, 0))
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(QColor(theme.MUTED))
        count = len(self._ticks)
        for place, text in enumerate(self._ticks):
            x = self.width() * place / (count - 1)
            width = self.width() / (count - 1)
            align = Qt.AlignmentFlag.AlignHCenter
            left = x - width / 2
            if place == 0:
                align, left = Qt.AlignmentFlag.AlignLeft, 0
            elif place == count - 1:
                align, left = Qt.AlignmentFlag.AlignRight, x - width
            painter.drawText(QRectF(left, 17, width, 14), align | Qt.AlignmentFlag.AlignTop, text)
