"""A small picture with a name under it, that can be chosen."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app import theme

_CAPTION_PX = 22


class MapTile(QAbstractButton):
    """One choice among pictures; checked, it wears the accent."""

    def __init__(self, caption: str, name: str, tooltip: str) -> None:
        """A tile without its picture yet."""
        super().__init__()
        self._picture: QImage | None = None
        self.setText(caption)
        self.setCheckable(True)
        self.setAccessibleName(name)
        self.setToolTip(f"{name}\n{tooltip}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(96, 54 + _CAPTION_PX)

    def show_picture(self, picture: QImage | None) -> None:
        """Show a picture, or none."""
        self._picture = picture
        self.update()

    def paintEvent(self, e: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        box = QRectF(1, 1, self.width() - 2, self.height() - _CAPTION_PX)
        painter.fillRect(box, QColor(theme.FIELD))
        if self._picture is not None:
            scale = min(box.width() / self._picture.width(), box.height() / self._picture.height())
            width, height = self._picture.width() * scale, self._picture.height() * scale
            place = QRectF(box.center().x() - width / 2, box.center().y() - height / 2, width, height)
            painter.drawImage(place, self._picture)
        is_lit = self.isChecked() or self.hasFocus()
        edge = theme.ACCENT if is_lit else theme.EDGE if self.underMouse() else theme.LINE
        painter.setPen(QPen(QColor(edge), 2 if self.isChecked() else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(QColor(theme.TEXT if self.isChecked() else theme.MUTED))
        caption = QRectF(0, self.height() - _CAPTION_PX, self.width(), _CAPTION_PX)
        painter.drawText(caption, Qt.AlignmentFlag.AlignCenter, self.text())
