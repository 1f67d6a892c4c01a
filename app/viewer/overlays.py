"""What may lie over a picture: clipping as zebra, false colour, the difference; as images, and the legend to each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app import theme
from app.qimage import to_bgra, to_qimage
from vecnet_core.metrics.scales import FALSE_COLOUR, Band, Clipping, Overlay

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray

ByteArray = npt.NDArray[np.uint8]


CLIPPING_COLORS: dict[Clipping, str] = {
    Clipping.SOURCE_HIGH: "#ffd23c",
    Clipping.SOURCE_LOW: "#4ab4ff",
    Clipping.ADDED_HIGH: "#ff4632",
    Clipping.ADDED_LOW: "#c878ff",
}
"""Warm is high, cool is low. Stripes tell the same without colour: high rises, low falls; what the source lost is in
thin stripes, and what only the correction clips in thick ones on dark."""

CLIPPING_NAMES: dict[Clipping, str] = {
    Clipping.SOURCE_HIGH: "White lost in the source",
    Clipping.ADDED_HIGH: "White lost by the correction",
    Clipping.SOURCE_LOW: "Black lost in the source",
    Clipping.ADDED_LOW: "Black lost by the correction",
}

_PERIOD_PX = 8
"""Of the stripes, in device pixels."""
_LEAST_PERIOD = 4
"""Of the stripes, in pixels of the picture: finer ones are no stripes."""
_DARK = QColor(0, 0, 0, 190)


def clipping_image(codes: ByteArray, zoom: float = 1.0) -> QImage:
    """Zebra to paint over the picture.

    Args:
        codes: ``(H, W)`` of `Clipping`, as from `vecnet_core.metrics.scopes.clipping_masks`.
        zoom: Device pixels for one pixel of the picture: stripes keep their width on the screen while they can.

    Returns:
        An image of the same size, clear where nothing is clipped.
    """
    height, width = codes.shape
    period = max(_LEAST_PERIOD, round(_PERIOD_PX / max(zoom, 1.0)))
    across, rows = np.arange(width), np.arange(height) % period
    turns = np.arange(period)[:, None]
    rising = ((across + turns) % period).astype(np.uint8)[rows]
    falling = ((across - turns) % period).astype(np.uint8)[rows]
    # The high kinds are the odd ones.
    phase = np.where((codes & 1).astype(np.bool_), rising, falling)
    # A table of colours by kind and phase is all there is to mix: one byte a pixel, which Qt turns into colours.
    indexed = np.ascontiguousarray(codes * np.uint8(period) + phase)
    image = QImage(indexed.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable([color.rgba() for kind in Clipping for color in _stripe(kind, period)])
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def false_colour_image(colors: ByteArray) -> QImage:
    """An image of ``(H, W, 3)`` bytes, as from `vecnet_core.metrics.scopes.false_colour`, in place of the picture."""
    height, width = colors.shape[:2]
    packed = np.ascontiguousarray(colors)
    image = QImage(packed.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def difference_image(change: RGBArray) -> QImage:
    """An image of ``(H, W, 3)`` in [0, 1], as from `vecnet_core.metrics.scopes.difference`, in place of the picture."""
    return to_qimage(to_bgra(change))


def _stripe(kind: Clipping, period: int) -> list[QColor]:
    """The colours across one stripe and the gap beside it."""
    clear = QColor(0, 0, 0, 0)
    if kind is Clipping.NONE:
        return [clear] * period
    color = QColor(CLIPPING_COLORS[kind])
    if kind in {Clipping.SOURCE_HIGH, Clipping.SOURCE_LOW}:
        filled = max(1, round(0.25 * period))
        return [_DARK, *[color] * filled, *[clear] * (period - filled - 1)]
    filled = max(2, round(0.6 * period))
    return [_DARK, *[color] * filled, *[_DARK] * (period - filled - 1)]


def _band_row(band: Band) -> tuple[str, str, str]:
    """A band's name, and its limits in stops and in % of the signal."""
    if math.isinf(band.low_stops):
        return band.name, f"below {_signed(band.high_stops)}", f"below {band.high_percent:.0f} %"
    if math.isinf(band.high_stops):
        return band.name, f"above {_signed(band.low_stops)}", f"above {band.low_percent:.0f} %"
    stops = f"{_signed(band.low_stops)} to {_signed(band.high_stops)}"
    return band.name, stops, f"{band.low_percent:.0f} to {band.high_percent:.0f} %"


def _signed(stops: float) -> str:
    return f"{stops:+.3g}".replace("-", "\N{MINUS SIGN}")


class OverlayLegend(QWidget):
    """What the overlay in sight means; lies on the pictures and lets the pointer through."""

    _ROW_PX = 20
    _EDGE_PX = 10
    _SWATCH = QSize(22, 12)
    _GAP_PX = 8
    _COLUMN_GAP_PX = 16
    _RAMP_PX = 180

    def __init__(self, parent: QWidget | None = None) -> None:
        """Hidden until there is an overlay."""
        super().__init__(parent)
        self._overlay = Overlay.NONE
        self._heading = ""
        self._rows: list[tuple[str, ...]] = []
        self._swatches: list[QImage] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Legend of the overlay")
        self.hide()

    @property
    def overlay(self) -> Overlay:
        """The overlay that is explained."""
        return self._overlay

    def sizeHint(self) -> QSize:
        is_difference = self._overlay is Overlay.DIFFERENCE
        inner = sum(self._widths()) + self._COLUMN_GAP_PX * max(len(self._widths()) - 1, 0)
        inner += 0 if is_difference else self._SWATCH.width() + self._GAP_PX
        heading = QFontMetricsF(self._small_font()).horizontalAdvance(self._heading)
        inner = max(inner, heading, self._RAMP_PX if is_difference else 0)
        rows = len(self._rows) + (2 if is_difference else 1)
        return QSize(math.ceil(inner) + 2 * self._EDGE_PX, rows * self._ROW_PX + self._EDGE_PX)

    def _widths(self) -> list[float]:
        """Room that each column of the rows needs."""
        metrics = QFontMetricsF(self._small_font())
        return [max(metrics.horizontalAdvance(text) for text in column) for column in zip(*self._rows, strict=True)]

    def show_clipping(self, shares: dict[Clipping, float]) -> None:
        """Explain the zebra, with the share of pixels of each kind, in [0, 1]."""
        rows: list[tuple[str, ...]] = [(name, _percent(shares.get(kind, 0.0))) for kind, name in CLIPPING_NAMES.items()]
        self._swatches = [_zebra_swatch(kind, self._SWATCH) for kind in CLIPPING_NAMES]
        self._show(Overlay.CLIPPING, "Clipping", rows)

    def show_false_colour(self) -> None:
        """Explain the bands, the brightest first."""
        bands = FALSE_COLOUR[::-1]
        self._swatches = [_plain_swatch(QColor(*band.rgb), self._SWATCH) for band in bands]
        self._show(
            Overlay.FALSE_COLOUR,
            "False colour: stops from middle grey, % of the signal",
            [_band_row(band) for band in bands],
        )

    def show_difference(self, gain: float) -> None:
        """Explain the difference, exaggerated by ``gain``."""
        self._swatches = []
        self._show(Overlay.DIFFERENCE, f"Difference × {gain:g}", [("none", "strong")])

    def show_nothing(self) -> None:
        """Hide: there is no overlay."""
        self._overlay = Overlay.NONE
        self.hide()

    def _show(self, overlay: Overlay, heading: str, rows: list[tuple[str, ...]]) -> None:
        self._overlay, self._heading, self._rows = overlay, heading, rows
        self.setAccessibleDescription("; ".join(" ".join(row) for row in rows))
        self.resize(self.sizeHint())
        self.show()
        self.update()

    def _small_font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(11)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 225))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setFont(self._small_font())
        inner = QRectF(self.rect()).adjusted(self._EDGE_PX, self._EDGE_PX / 2, -self._EDGE_PX, -self._EDGE_PX / 2)
        line = QRectF(inner.left(), inner.top(), inner.width(), self._ROW_PX)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.ON_PICTURE.text))
        painter.drawText(line, middle | Qt.AlignmentFlag.AlignLeft, self._heading)
        if self._overlay is Overlay.DIFFERENCE:
            line.translate(0, self._ROW_PX)
            self._paint_ramp(painter, line)
        widths = self._widths()
        for place, (name, *values) in enumerate(self._rows):
            line.translate(0, self._ROW_PX)
            left = 0.0
            if place < len(self._swatches):
                size = self._SWATCH
                box = QRectF(line.left(), line.center().y() - size.height() / 2, size.width(), size.height())
                painter.drawImage(box, self._swatches[place])
                left = size.width() + self._GAP_PX
            painter.setPen(QColor(theme.ON_PICTURE.text))
            painter.drawText(line.adjusted(left, 0, 0, 0), middle | Qt.AlignmentFlag.AlignLeft, name)
            painter.setPen(
                QColor(theme.ON_PICTURE.text if self._overlay is Overlay.DIFFERENCE else theme.ON_PICTURE.muted)
            )
            cell = QRectF(line)
            for value, width in zip(reversed(values), reversed(widths[1:]), strict=True):
                painter.drawText(cell, middle | Qt.AlignmentFlag.AlignRight, value)
                cell.setRight(cell.right() - width - self._COLUMN_GAP_PX)

    def _paint_ramp(self, painter: QPainter, line: QRectF) -> None:
        """From black, where nothing changed, to white."""
        bar = QRectF(line.left(), line.center().y() - 5, line.width(), 10)
        ramp = QLinearGradient(bar.topLeft(), bar.topRight())
        ramp.setColorAt(0.0, QColor("#000000"))
        ramp.setColorAt(1.0, QColor("#ffffff"))
        painter.fillRect(bar, ramp)


def _percent(share: float) -> str:
    """A share as a person reads it: next to nothing is not nothing."""
    percent = 100.0 * share
    if percent == 0.0:
        return "none"
    return "under 0.1 %" if percent < 0.1 else f"{percent:.1f} %"


def _zebra_swatch(kind: Clipping, size: QSize) -> QImage:
    """A patch of one kind's zebra on mid-grey."""
    swatch = _plain_swatch(QColor("#707070"), size)
    codes = np.full((size.height(), size.width()), kind, np.uint8)
    painter = QPainter(swatch)
    painter.drawImage(0, 0, clipping_image(codes))
    painter.end()
    return swatch


def _plain_swatch(color: QColor, size: QSize) -> QImage:
    swatch = QImage(size, QImage.Format.Format_RGB32)
    swatch.fill(color)
    return swatch
