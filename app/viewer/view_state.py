"""Zoom and pan, shared by both panes, so that they always show the same part of the picture."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Signal

MOST_ZOOM = 8.0
LEAST_ZOOM = 0.05


class ViewState(QObject):
    """Which part of the picture is shown, and how large.

    Signals:
        view_changed: Zoom, pan or the size of the picture is another.
    """

    view_changed = Signal()

    def __init__(self) -> None:
        """Fit; no picture yet."""
        super().__init__()
        self._picture = QSizeF(16, 9)
        self._zoom: float | None = None
        self._center = QPointF(0.5, 0.5)

    @property
    def zoom(self) -> float | None:
        """Device pixels for one source pixel; None to fit the pane."""
        return self._zoom

    def use_picture(self, width: float, height: float) -> None:
        """Show pictures of this size in source pixels, as displayed; starts at fit."""
        self._picture = QSizeF(width, height)
        self._zoom = None
        self._center = QPointF(0.5, 0.5)
        self.view_changed.emit()

    def set_zoom(self, zoom: float | None) -> None:
        """Zoom to a factor about the centre, or fit."""
        self._zoom = None if zoom is None else min(max(zoom, LEAST_ZOOM), MOST_ZOOM)
        if zoom is None:
            self._center = QPointF(0.5, 0.5)
        self.view_changed.emit()

    def scale(self, pane: QSizeF, ratio: float) -> float:
        """Device pixels for one source pixel in a pane of logical size ``pane`` with ``ratio`` device pixels each."""
        return self.fit_scale(pane, ratio) if self._zoom is None else self._zoom

    def picture_rect(self, pane: QSizeF, ratio: float) -> QRectF:
        """Where the whole picture lies in the pane, in logical pixels; it may be larger than the pane."""
        scale = self.scale(pane, ratio) / ratio
        size = QSizeF(self._picture.width() * scale, self._picture.height() * scale)
        left = _placed(self._center.x(), size.width(), pane.width())
        top = _placed(self._center.y(), size.height(), pane.height())
        return QRectF(QPointF(left, top), size)

    def painted_rect(self, pane: QSizeF, ratio: float) -> QRectF:
        """`picture_rect` on whole device pixels, so that at 100 % each source pixel is one of the screen."""
        rect = self.picture_rect(pane, ratio)
        left, top = (round(edge * ratio) / ratio for edge in (rect.left(), rect.top()))
        width, height = (max(round(side * ratio), 1) / ratio for side in (rect.width(), rect.height()))
        return QRectF(left, top, width, height)

    def seen_part(self, pane: QSizeF, ratio: float) -> QRectF:
        """What of the picture the pane shows, in shares."""
        rect = self.picture_rect(pane, ratio)
        seen = rect.intersected(QRectF(QPointF(0, 0), pane))
        return QRectF(
            (seen.left() - rect.left()) / rect.width(),
            (seen.top() - rect.top()) / rect.height(),
            seen.width() / rect.width(),
            seen.height() / rect.height(),
        )

    def fit_scale(self, pane: QSizeF, ratio: float) -> float:
        """Device pixels for one source pixel when the picture fits the pane."""
        fit = min(pane.width() / self._picture.width(), pane.height() / self._picture.height())
        return max(fit * ratio, 1e-4)

    def zoom_about(self, factor: float, at: QPointF, pane: QSizeF, ratio: float) -> None:
        """Zoom by ``factor``; what is under ``at`` stays there."""
        before = self.picture_rect(pane, ratio)
        share = QPointF((at.x() - before.left()) / before.width(), (at.y() - before.top()) / before.height())
        fit = self.fit_scale(pane, ratio)
        zoom = self.scale(pane, ratio) * factor
        if factor < 1.0 and zoom <= fit:
            self.set_zoom(None)
            return
        self._zoom = min(max(zoom, LEAST_ZOOM), max(MOST_ZOOM, fit))
        size = QSizeF(self._picture.width() * self._zoom / ratio, self._picture.height() * self._zoom / ratio)
        self._center = QPointF(
            share.x() + (pane.width() / 2 - at.x()) / size.width(),
            share.y() + (pane.height() / 2 - at.y()) / size.height(),
        )
        self._keep_inside(size, pane)
        self.view_changed.emit()

    def pan(self, by: QPointF, pane: QSizeF, ratio: float) -> None:
        """Move the picture by logical pixels."""
        size = self.picture_rect(pane, ratio).size()
        self._center = QPointF(self._center.x() - by.x() / size.width(), self._center.y() - by.y() / size.height())
        self._keep_inside(size, pane)
        self.view_changed.emit()

    def _keep_inside(self, size: QSizeF, pane: QSizeF) -> None:
        self._center = QPointF(
            _kept(self._center.x(), size.width(), pane.width()), _kept(self._center.y(), size.height(), pane.height())
        )


def _kept(center: float, length: float, room: float) -> float:
    """The centre moved as little as needed for the picture to fill the pane, or to stand in its middle."""
    if length <= room:
        return 0.5
    half = room / length / 2
    return min(max(center, half), 1 - half)


def _placed(center: float, length: float, room: float) -> float:
    return room / 2 - _kept(center, length, room) * length
