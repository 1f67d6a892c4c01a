"""The lanes: luma and flicker over time, before and after, on one time axis with one playhead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import theme

if TYPE_CHECKING:
    from collections.abc import Sequence

Curve = npt.NDArray[np.float64]

AXIS_PX = 52
LEAST_FLICKER_STOPS = 0.1
"""The flicker lane never zooms in further: a steady clip looks steady."""


SMOOTH_FRAMES = 1500
"""Curves of longer clips are drawn unsmoothed, a point a pixel: every playhead move paints them whole, which took 52 ms
at 14,400 frames on the main thread, and takes 4."""


class _LaneBox(pg.ViewBox):
    """A view in which a click or drag seeks, the wheel zooms time, and the middle button pans it."""

    seek_asked = Signal(float)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)

    def mouseClickEvent(self, ev: Any) -> None:
        if ev.button() == Qt.MouseButton.LeftButton:
            self._seek(ev.scenePos())
            ev.accept()

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        if ev.button() == Qt.MouseButton.LeftButton:
            self._seek(ev.scenePos())
            ev.accept()
        elif ev.button() == Qt.MouseButton.MiddleButton:
            moved = self.mapSceneToView(ev.lastScenePos()).x() - self.mapSceneToView(ev.scenePos()).x()
            self.translateBy(x=moved)
            ev.accept()
        else:
            ev.ignore()

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        if ev.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            first, last = self.viewRange()[0]
            self.translateBy(x=-ev.delta() / 120 * 0.125 * (last - first))
            ev.accept()
        else:
            super().wheelEvent(ev, axis)

    def _seek(self, at: QPointF) -> None:
        self.seek_asked.emit(self.mapSceneToView(at).x())


class Lanes(QWidget):
    """Luma and flicker, before in grey and after in white or the accent, dashed against solid.

    Signals:
        seek_asked: The frame a person clicked or dragged to.
    """

    seek_asked = Signal(int)

    def __init__(self) -> None:
        """Two empty lanes."""
        super().__init__()
        self.setAccessibleName("Luma and flicker lanes")
        self._count = 1
        # pyqtgraph's plots take most of their methods over at run time: its types do not know them.
        self._plots: Any = pg.GraphicsLayoutWidget()
        self._plots.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plots.ci.layout.setSpacing(4)
        self._plots.ci.layout.setContentsMargins(0, 8, 8, 0)
        self.luma: Any = self._add_lane(0, pg.AxisItem("bottom"))
        self.flicker: Any = self._add_lane(1, pg.AxisItem("bottom"))
        # Time is told by the ruler above.
        for plot in (self.luma, self.flicker):
            plot.getAxis("bottom").setStyle(showValues=False, tickLength=0)
            plot.getAxis("bottom").setHeight(1)
        self.flicker.setXLink(self.luma)
        self._plots.ci.layout.setRowStretchFactor(0, 3)
        self._plots.ci.layout.setRowStretchFactor(1, 2)
        self._source = self._add_curve(self.luma)
        self._corrected = self._add_curve(self.luma)
        self._before = self._add_curve(self.flicker)
        self._after = self._add_curve(self.flicker)
        self._zero: Any = pg.InfiniteLine(0, angle=0)
        self._zero.setZValue(-10)
        self.flicker.addItem(self._zero)
        self._playheads = [self._add_playhead(plot) for plot in (self.luma, self.flicker)]
        self._outside = [self._add_shade(plot) for plot in (self.luma, self.flicker) for _ in range(2)]
        self._cuts: list[Any] = []
        self._use_colors()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plots)
        self._source_ev: Curve = np.empty(0)
        self._corrected_ev: Curve = np.empty(0)

    def use_clip(self, count: int) -> None:
        """Start empty for a clip of ``count`` frames."""
        self._count = count
        self._source_ev = np.full(count, np.nan)
        self._corrected_ev = np.full(count, np.nan)
        for curve in (self._source, self._corrected, self._before, self._after):
            curve.setData([], [])
        for line in self._cuts:
            for plot in (self.luma, self.flicker):
                plot.removeItem(line)
        self._cuts = []
        self.luma.setLimits(xMin=-0.5, xMax=max(count - 0.5, 1.5), minXRange=min(8.0, count))
        self.flicker.setLimits(xMin=-0.5, xMax=max(count - 0.5, 1.5), minXRange=min(8.0, count))
        self.luma.setXRange(-0.5, max(count - 0.5, 1.5), padding=0)
        self.luma.setYRange(-5, 0, padding=0)
        self.flicker.setYRange(-0.5, 0.5, padding=0)
        self.show_marks(0, count - 1)
        self.show_playhead(0)

    def add_source(self, indices: npt.NDArray[np.int64], exposures_ev: Curve, cuts: Sequence[int]) -> None:
        """Draw more of the source's luma."""
        self._source_ev[indices] = exposures_ev
        self._draw(self._source, self._source_ev)
        for index in cuts:
            for plot in (self.luma, self.flicker):
                line = pg.InfiniteLine(index - 0.5, angle=90, pen=_pen("faint", 1, Qt.PenStyle.DotLine))
                line.setZValue(-5)
                plot.addItem(line)
                self._cuts.append(line)
        self._fit_luma()

    def add_corrected(self, indices: npt.NDArray[np.int64], exposures_ev: Curve) -> None:
        """Draw more of the corrected luma, or draw it anew after a slider moved."""
        self._corrected_ev[indices] = exposures_ev
        self._draw(self._corrected, self._corrected_ev)
        self._fit_luma()

    def show_flicker(self, before: Curve, after: Curve) -> None:
        """Draw the flicker curves, in stops about zero."""
        self._draw(self._before, before)
        self._draw(self._after, after)
        both = np.abs(np.concatenate([before[np.isfinite(before)], after[np.isfinite(after)]]))
        limit = max(LEAST_FLICKER_STOPS, 1.15 * float(both.max()) if both.size else 0.0)
        self.flicker.setYRange(-limit, limit, padding=0)

    def show_playhead(self, index: int) -> None:
        """Stand the playhead on a frame."""
        for line in self._playheads:
            line.setValue(index)

    def show_marks(self, first: int, last: int) -> None:
        """Darken what is outside these frames, which are played and exported."""
        ends = ((-0.5, first - 0.5), (last + 0.5, self._count - 0.5))
        for place, shade in enumerate(self._outside):
            begin, end = ends[place % 2]
            shade.setRegion((begin, end))
            shade.setVisible(end > begin)

    def mean_luma(self) -> tuple[float, float] | None:
        """Mean exposure of source and corrected in stops, over the frames that are corrected."""
        both = np.isfinite(self._source_ev) & np.isfinite(self._corrected_ev)
        if not both.any():
            return None
        return float(self._source_ev[both].mean()), float(self._corrected_ev[both].mean())

    def _add_lane(self, row: int, bottom: pg.AxisItem) -> Any:
        box = _LaneBox()
        plot = self._plots.addPlot(row=row, col=0, viewBox=box, axisItems={"bottom": bottom})
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.disableAutoRange()
        plot.setClipToView(True)
        plot.setDownsampling(auto=True, mode="peak")
        font = QFont(self.font())
        font.setPixelSize(11)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setStyle(tickFont=font, tickLength=-4, autoExpandTextSpace=False, maxTickLevel=0)
        plot.getAxis("left").setWidth(AXIS_PX)
        plot.getAxis("left").setStyle(hideOverlappingLabels=True)
        box.seek_asked.connect(self._seek)
        return plot

    def _add_curve(self, plot: Any) -> pg.PlotDataItem:
        curve = pg.PlotDataItem(connect="finite", autoDownsampleFactor=1.0)
        plot.addItem(curve)
        return curve

    def _add_playhead(self, plot: Any) -> pg.InfiniteLine:
        line = pg.InfiniteLine(0, angle=90)
        line.setZValue(10)
        plot.addItem(line)
        return line

    def _add_shade(self, plot: Any) -> pg.LinearRegionItem:
        shade = pg.LinearRegionItem((0, 0), movable=False, pen=QPen(Qt.PenStyle.NoPen))
        shade.setZValue(5)
        shade.hide()
        plot.addItem(shade, ignoreBounds=True)
        return shade

    def _use_colors(self) -> None:
        """Everything drawn in the colours of the theme in use: what pyqtgraph draws keeps those it was made with."""
        self._plots.setBackground(theme.PANEL)
        for curve in (self._source, self._before):
            curve.setPen(_pen("source_trace", 1.3))
        self._corrected.setPen(_pen("corrected_trace", 1.8))
        self._after.setPen(_pen("accent", 1.8))
        self._zero.setPen(_pen("line", 1))
        for line in self._cuts:
            line.setPen(_pen("faint", 1, Qt.PenStyle.DotLine))
        for line in self._playheads:
            line.setPen(_pen("strong", 1))
        for shade in self._outside:
            shade.setBrush(QColor(theme.SHADE))
        for plot in (self.luma, self.flicker):
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(_pen("line", 1))
                plot.getAxis(side).setTextPen(theme.MUTED)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.StyleChange:
            self._use_colors()
        super().changeEvent(event)

    def _draw(self, curve: pg.PlotDataItem, values: Curve) -> None:
        known = np.flatnonzero(np.isfinite(values))
        if known.size == 0:
            curve.setData([], [])
            return
        part = slice(int(known[0]), int(known[-1]) + 1)
        frames = np.arange(part.start, part.stop, dtype=np.float64)
        curve.setData(frames, values[part], antialias=self._count <= SMOOTH_FRAMES)

    def _fit_luma(self) -> None:
        both = np.concatenate([self._source_ev, self._corrected_ev])
        both = both[np.isfinite(both)]
        if both.size:
            low, high = float(both.min()), float(both.max())
            room = max(0.25, 0.12 * (high - low))
            self.luma.setYRange(low - room, high + room, padding=0)

    def _seek(self, frame: float) -> None:
        self.seek_asked.emit(max(0, min(round(frame), self._count - 1)))


def _pen(name: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """A pen in a colour of the theme."""
    pen = QPen(QColor(theme.color(name)), width, style)
    pen.setCosmetic(True)
    return pen
