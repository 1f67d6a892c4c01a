"""One scope on the screen: the picture's trace, the one before it as a ghost behind, and a graticule with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from vecnet_core.metrics.scales import (
    CHROMA_BINS,
    CHROMA_SPAN,
    LEVELS,
    Chroma,
    Scope,
    color_targets,
    signal_of_stops,
    skin_tone_end,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecnet_core.metrics.scales import ShareArray

CHANNELS: dict[str, str] = {"R": "#f0685c", "G": "#62c46c", "B": "#6ea2ff"}
"""Channels as they are drawn; as bright as each other, so that none looks stronger."""

GHOST_OPACITY = 0.5
"""Of what was before, against what is now."""

GUTTER_PX = 34
FOOT_PX = 18
_EDGE_PX = 8
_LABEL_PX = 11

_HEIGHTS = {Scope.WAVEFORM: 176, Scope.PARADE: 176, Scope.HISTOGRAM: 152, Scope.VECTORSCOPE: 272}
_HINTS = {
    Scope.WAVEFORM: "Luma of each column of the picture, black at the bottom, white at the top",
    Scope.PARADE: "Red, green and blue of each column of the picture, beside each other",
    Scope.HISTOGRAM: "How many pixels have which level: luma filled, red, green and blue as lines",
    Scope.VECTORSCOPE: "Hue as direction and saturation as distance from the centre; boxes are 75 % colour bars, and "
    "skin of any shade lies near the line",
}

_PERCENT = {f"{percent}": percent / 100 for percent in (100, 75, 50, 25, 0)}
_STOPS = {
    ("0" if stops == 0 else f"{stops:+d}".replace("-", "\N{MINUS SIGN}")): signal_of_stops(stops)
    for stops in (2, 1, 0, -1, -2, -3, -4, -6)
}

_LINEAR_GAIN = 25.0
"""On the linear scale a cell with 1 / 25 of its column is fully lit: a trace must show, not only a spike."""
_LOG_GAIN = 2000.0
_LOG_PIXELS = 1e5
"""On the logarithmic scale a single pixel of a pane still shows in the histogram."""
_CHROMA_GAIN = 16.0
"""Colours are spread over the whole plane: a cell counts this much more than one of a column."""


class ScopeView(QWidget):
    """A histogram, waveform, RGB parade or vectorscope."""

    def __init__(self, scope: Scope) -> None:
        """An empty graticule."""
        super().__init__()
        self._scope = scope
        self._before: ShareArray | None = None
        self._after: ShareArray | None = None
        self._shows_ghost = True
        self._is_logarithmic = False
        self._in_stops = False
        self._ghost_images: list[QImage] = []
        self._images: list[QImage] = []
        self._ghost_curves: ShareArray | None = None
        self._curves: ShareArray | None = None
        self.setAccessibleName(scope.value)
        self.setToolTip(_HINTS[scope])
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(312, _HEIGHTS[self._scope])

    @property
    def scope(self) -> Scope:
        """Which instrument this is."""
        return self._scope

    def show_traces(self, before: ShareArray | None, after: ShareArray | None) -> None:
        """Show a frame.

        Args:
            before: The source's trace, as `vecnet_core.metrics.scopes` makes it for this scope; None for none.
            after: The corrected picture's; while there is none, the source is shown as the ghost it will be.
        """
        self._before, self._after = before, after
        self._redraw()

    def clear(self) -> None:
        """Show no frame."""
        self.show_traces(None, None)

    def set_logarithmic(self, is_logarithmic: bool) -> None:
        """Show how many pixels there are on a logarithmic scale, which brings out the few."""
        self._is_logarithmic = is_logarithmic
        self._redraw()

    def set_ghost(self, shows_ghost: bool) -> None:
        """Show what was before, behind what is now."""
        self._shows_ghost = shows_ghost
        self._redraw()

    def set_stops(self, in_stops: bool) -> None:
        """Write stops from middle grey on the graticule instead of % of the signal."""
        self._in_stops = in_stops
        self.update()

    def plot_rect(self) -> QRectF:
        """Where the trace lies, in logical pixels; of the vectorscope its square."""
        whole = QRectF(self.rect())
        if self._scope is Scope.VECTORSCOPE:
            side = min(whole.width(), whole.height()) - 2 * _EDGE_PX
            return QRectF(whole.center().x() - side / 2, whole.center().y() - side / 2, side, side)
        if self._scope is Scope.HISTOGRAM:
            return whole.adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -FOOT_PX)
        return whole.adjusted(GUTTER_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)

    # Before painting -------------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        """Turn the traces into what `paintEvent` paints."""
        ghost = self._before if self._shows_ghost else None
        if self._scope is Scope.HISTOGRAM:
            self._ghost_curves, self._curves = self._heights(ghost), self._heights(self._after)
        else:
            self._ghost_images = self._pictures(ghost, is_ghost=True)
            self._images = self._pictures(self._after, is_ghost=False)
        self.update()

    def _heights(self, shares: ShareArray | None) -> ShareArray | None:
        """Heights (4, 256) of the histogram's curves in [0, 1]; before and after on one scale."""
        if shares is None:
            return None
        # The ends hold what is clipped: a spike there must not flatten all the rest.
        inner = [_softened(traces)[:, 1:-1].max() for traces in (self._before, self._after) if traces is not None]
        top = max(1.05 * float(max(inner)), 1.0 / LEVELS)
        shares = _softened(shares)
        if self._is_logarithmic:
            return np.minimum(np.log1p(shares * _LOG_PIXELS) / np.log1p(top * _LOG_PIXELS), 1.0).astype(np.float32)
        return np.minimum(shares / top, 1.0).astype(np.float32)

    def _pictures(self, shares: ShareArray | None, *, is_ghost: bool) -> list[QImage]:
        """The densities as pictures, black and neutral at the bottom left; of the parade one for each channel."""
        if shares is None:
            return []
        if self._scope is Scope.VECTORSCOPE:
            shares = shares * np.float32(_CHROMA_GAIN)
        else:
            shares = np.swapaxes(_softened(np.swapaxes(shares, -1, -2)), -1, -2)
        if self._is_logarithmic:
            opacity = np.log1p(shares * _LOG_GAIN) / np.float32(np.log1p(_LOG_GAIN))
        else:
            opacity = shares * np.float32(_LINEAR_GAIN)
        opacity = np.minimum(opacity, 1.0) * np.float32(255 * (GHOST_OPACITY if is_ghost else 1.0))
        planes = opacity if opacity.ndim == 3 else opacity[None]
        colors = [theme.ON_PICTURE.source_trace] * 3 if is_ghost else list(CHANNELS.values())
        if len(planes) == 1:
            colors = [theme.ON_PICTURE.source_trace if is_ghost else theme.ON_PICTURE.corrected_trace]
        return [_tinted(plane, QColor(color)) for plane, color in zip(planes, colors, strict=True)]

    # Painting --------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        font = painter.font()
        font.setPixelSize(_LABEL_PX)
        painter.setFont(font)
        plot = self.plot_rect()
        painter.fillRect(plot, QColor(theme.ON_PICTURE.groove))
        if self._scope is Scope.HISTOGRAM:
            self._paint_levels_across(painter, plot)
            self._paint_curves(painter, plot)
            letters = [QRectF(plot.right() - 46 + 14 * place, plot.top(), 14, 20) for place in range(3)]
            self._paint_channel_names(painter, letters)
        elif self._scope is Scope.VECTORSCOPE:
            self._paint_images(painter, [plot])
            self._paint_targets(painter, plot)
        else:
            self._paint_levels_up(painter, plot)
            parts = _thirds(plot) if self._scope is Scope.PARADE else [plot]
            self._paint_images(painter, parts)
            if self._scope is Scope.PARADE:
                self._paint_channel_names(painter, parts)

    def _paint_images(self, painter: QPainter, parts: list[QRectF]) -> None:
        for images in (self._ghost_images, self._images):
            for image, part in zip(images, parts, strict=False):
                painter.drawImage(part, image)

    def _levels(self) -> dict[str, float]:
        return _STOPS if self._in_stops else _PERCENT

    def _paint_levels_up(self, painter: QPainter, plot: QRectF) -> None:
        """Lines across the plot; a label that would touch the one above it is left out."""
        last = -float(_LABEL_PX)
        for text, signal in self._levels().items():
            y = plot.bottom() - signal * plot.height()
            painter.setPen(_line(is_strong=text == "0" and self._in_stops))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            if y - last >= _LABEL_PX + 2:
                last = y
                painter.setPen(QColor(theme.MUTED))
                box = QRectF(0, y - 8, plot.left() - 6, 16)
                painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_levels_across(self, painter: QPainter, plot: QRectF) -> None:
        """Lines up the plot with labels under it, black to white from left to right."""
        free_to = self.width() + 4.0
        for text, signal in self._levels().items():
            x = plot.left() + signal * plot.width()
            painter.setPen(_line(is_strong=text == "0" and self._in_stops))
            painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2, 0.0), self.width() - width - 1.0)
            if left + width + 4 <= free_to:
                free_to = left
                painter.setPen(QColor(theme.MUTED))
                box = QRectF(left, plot.bottom() + 2, width + 1, FOOT_PX - 2)
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_curves(self, painter: QPainter, plot: QRectF) -> None:
        if self._ghost_curves is not None:
            # Only luma: in grey, nobody could tell the three channels.
            _fill_under(
                painter, plot, self._ghost_curves[0], QColor(theme.ON_PICTURE.source_trace), 0.5 * GHOST_OPACITY
            )
            _draw_curve(painter, plot, self._ghost_curves[0], QColor(theme.ON_PICTURE.source_trace))
        if self._curves is not None:
            _fill_under(painter, plot, self._curves[0], QColor(theme.ON_PICTURE.corrected_trace), 0.45)
            for heights, color in zip(self._curves[1:], CHANNELS.values(), strict=True):
                _draw_curve(painter, plot, heights, QColor(color))

    def _paint_channel_names(self, painter: QPainter, parts: Iterable[QRectF]) -> None:
        for part, (name, color) in zip(parts, CHANNELS.items(), strict=True):
            painter.setPen(QColor(color))
            painter.drawText(part.adjusted(6, 3, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, name)

    def _paint_targets(self, painter: QPainter, plot: QRectF) -> None:
        painter.setPen(_line(is_strong=False))
        painter.drawEllipse(plot)
        centre = plot.center()
        painter.drawLine(QLineF(plot.left(), centre.y(), plot.right(), centre.y()))
        painter.drawLine(QLineF(centre.x(), plot.top(), centre.x(), plot.bottom()))
        painter.setPen(QPen(QColor(theme.ON_PICTURE.muted), 1))
        painter.drawLine(QLineF(_on_plane(plot, Chroma(0, 0)), _on_plane(plot, skin_tone_end())))
        for name, chroma in color_targets().items():
            at = _on_plane(plot, chroma)
            painter.setPen(QPen(QColor(theme.ON_PICTURE.muted), 1))
            painter.drawRect(QRectF(at.x() - 5, at.y() - 5, 10, 10))
            # The name stands on the side of the box that is away from the centre.
            away = at - centre
            length = max((away.x() ** 2 + away.y() ** 2) ** 0.5, 1.0)
            middle = at + away * (15.0 / length)
            painter.setPen(QColor(theme.ON_PICTURE.text))
            painter.drawText(QRectF(middle.x() - 12, middle.y() - 8, 24, 16), Qt.AlignmentFlag.AlignCenter, name)


def _thirds(plot: QRectF) -> list[QRectF]:
    width = plot.width() / 3
    return [QRectF(plot.left() + place * width, plot.top(), width - 2, plot.height()) for place in range(3)]


def _on_plane(plot: QRectF, chroma: Chroma) -> QPointF:
    """Where a colour lies on the vectorscope: the middle of its bin."""
    middle = CHROMA_BINS / 2 + 0.5
    across = (middle + CHROMA_SPAN * chroma.cb) / CHROMA_BINS
    up = (middle + CHROMA_SPAN * chroma.cr) / CHROMA_BINS
    return QPointF(plot.left() + across * plot.width(), plot.bottom() - up * plot.height())


def _line(*, is_strong: bool) -> QPen:
    return QPen(QColor("#5a5a5a" if is_strong else theme.ON_PICTURE.line), 1)


def _tinted(opacity: ShareArray, color: QColor) -> QImage:
    """A plane (H, W) of opacities in [0, 255] as a picture of one colour, its first row at the bottom."""
    alpha = opacity[::-1].astype(np.uint8)
    bgra = np.empty((*alpha.shape, 4), np.uint8)
    for channel, value in enumerate((color.blue(), color.green(), color.red())):
        # Premultiplied, which is what Qt blends fastest.
        bgra[..., channel] = (alpha.astype(np.uint16) * value + 127) // 255
    bgra[..., 3] = alpha
    height, width = alpha.shape
    return QImage(bgra.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _softened(shares: ShareArray) -> ShareArray:
    """Levels (..., L) averaged with their neighbours: the 219 codes of limited range would comb the 256 bins."""
    padded = np.concatenate([shares[..., :1], shares, shares[..., -1:]], axis=-1)
    return (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) * np.float32(0.25)


def _points(plot: QRectF, heights: ShareArray) -> list[QPointF]:
    step = plot.width() / (len(heights) - 1)
    return [
        QPointF(plot.left() + place * step, plot.bottom() - float(height) * plot.height())
        for place, height in enumerate(heights)
    ]


def _fill_under(painter: QPainter, plot: QRectF, heights: ShareArray, color: QColor, opacity: float) -> None:
    color.setAlphaF(opacity)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([plot.bottomLeft(), *_points(plot, heights), plot.bottomRight()]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_curve(painter: QPainter, plot: QRectF, heights: ShareArray, color: QColor) -> None:
    """A line where there is something: along the floor it would only hide the other lines."""
    there = np.flatnonzero(heights)
    if there.size:
        painter.setPen(QPen(color, 1.2))
        painter.drawPolyline(QPolygonF(_points(plot, heights)[max(int(there[0]) - 1, 0) : int(there[-1]) + 2]))
