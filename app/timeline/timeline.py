"""The bottom of the window: the lanes with their names, their legend and their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import theme
from app.timeline.cache_bar import CacheBar, FrameState
from app.timeline.lanes import Lanes
from app.timeline.ruler import Ruler
from app.timeline.thumbnails import ThumbnailStrip
from app.timeline.waveform_lane import WaveformLane

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from app.preview_worker import ClipTimes, CorrectedLight, FlickerCurves, SoundWave, SourceLight
    from vecnet_core.frame import VideoInfo

GUTTER_PX = 168
LANES_PX = 132
"""The least height of the lanes: what is written beside them has room."""


class _Key(QWidget):
    """A piece of a trace and its name."""

    def __init__(self, name: str, color: str, width: float) -> None:
        super().__init__()
        self._color, self._width = color, width
        self._name = name
        self.setToolTip(f"{name}: the trace of this colour")
        self.setAccessibleName(f"Legend: {name}")

    def sizeHint(self) -> QSize:
        return QSize(26 + self.fontMetrics().horizontalAdvance(self._name), 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(QColor(theme.color(self._color)), self._width))
        painter.drawLine(0, self.height() // 2, 16, self.height() // 2)
        painter.setPen(QColor(theme.MUTED))
        painter.drawText(self.rect().adjusted(22, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._name)


class Timeline(QFrame):
    """Luma and flicker, before and after.

    Signals:
        seek_asked: The frame a person clicked or dragged to.
        range_dragged: First and last frame of the range that is played and exported, and the number of the drag.
    """

    seek_asked = Signal(int)
    range_dragged = Signal(int, int, int)

    def __init__(self) -> None:
        """Empty lanes."""
        super().__init__()
        self.setProperty("role", "panel")
        self.lanes = Lanes()
        self.lanes.seek_asked.connect(self.seek_asked)
        self.cache_bar = CacheBar()
        self.thumbnails = ThumbnailStrip()
        self.waveform = WaveformLane()
        self.ruler = Ruler()
        self.ruler.range_dragged.connect(self.range_dragged)
        self._cuts: list[int] = []
        self._is_analysed = self._is_ready = np.zeros(0, np.bool_)
        self._strips = (self.ruler, self.cache_bar, self.thumbnails, self.waveform)
        for strip in self._strips:
            strip.seek_asked.connect(self.seek_asked)
            strip.range_asked.connect(self._show_range)
        self.lanes.luma.getViewBox().sigXRangeChanged.connect(self._follow_range)
        self.luma_number = QLabel()
        self.flicker_number = QLabel()
        self.flicker_change = QLabel()
        gutter = QVBoxLayout()
        gutter.setContentsMargins(16, 8, 0, 8)
        gutter.setSpacing(2)
        self._luma_heading = self._heading("Luma", "Mean light of each frame in stops below full white")
        self._flicker_heading = self._heading(
            "Flicker", "What of the light changes faster than once a second, in stops"
        )
        self.flicker_number.setToolTip("Flicker (RMS) before and after, over the frames analysed so far")
        self.luma_number.setToolTip("Mean exposure before and after, over the frames analysed so far")
        self.flicker_change.setProperty("role", "figure")
        for label in (self.luma_number, self.flicker_number):
            label.setProperty("role", "number")
        gutter.addWidget(self._luma_heading)
        gutter.addLayout(self._legend(("before", "source_trace", 1.5), ("after", "corrected_trace", 2.0)))
        gutter.addWidget(self.luma_number)
        gutter.addStretch(3)
        gutter.addWidget(self._flicker_heading)
        gutter.addLayout(self._legend(("before", "source_trace", 1.5), ("after", "accent", 2.0)))
        gutter.addWidget(self.flicker_number)
        gutter.addWidget(self.flicker_change)
        gutter.addStretch(1)
        side = QWidget()
        side.setLayout(gutter)
        side.setFixedWidth(GUTTER_PX)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(0)
        layout.addWidget(self._name("Time", self.ruler), 0, 0)
        layout.addWidget(self.ruler, 0, 1)
        layout.addWidget(self._name("Ready", self.cache_bar), 1, 0)
        layout.addWidget(self.cache_bar, 1, 1)
        layout.addWidget(self._name("Clip", self.thumbnails), 2, 0)
        layout.addWidget(self.thumbnails, 2, 1)
        layout.addWidget(side, 3, 0)
        layout.addWidget(self.lanes, 3, 1)
        layout.addWidget(self._name("Sound", self.waveform), 4, 0)
        layout.addWidget(self.waveform, 4, 1)
        layout.setColumnStretch(1, 1)
        layout.setRowStretch(3, 1)
        self.setMinimumHeight(LANES_PX + sum(strip.sizeHint().height() for strip in self._strips))
        self._show_nothing()

    def use_clip(self, info: VideoInfo) -> None:
        """Start empty for another clip."""
        for strip in self._strips:
            strip.use_count(info.frame_count)
        self._cuts = []
        self._is_analysed = self._is_ready = np.zeros(info.frame_count, np.bool_)
        self.lanes.use_clip(info.frame_count)
        self._follow_range(None, self.lanes.luma.getViewBox().viewRange()[0])
        self.waveform.show_silence("Sound not read yet" if info.audio_codecs else "No sound")
        self._show_nothing()

    @property
    def cuts(self) -> tuple[int, ...]:
        """Frames that begin a scene, as far as they have been found, in order."""
        return tuple(self._cuts)

    def use_times(self, times: ClipTimes) -> None:
        """Name frames as the clip's file does."""
        self.ruler.use_times(times)

    def show_marks(self, first: int, last: int) -> None:
        """Darken what is outside these frames, which are played and exported."""
        for row in (self.lanes, *self._strips):
            row.show_marks(first, last)

    def show_ready(self, is_ready: npt.NDArray[np.bool_]) -> None:
        """Show which frames ``(T,)`` are ready to be played."""
        self._is_ready = is_ready
        self._show_states()

    def zoom(self, factor: float) -> None:
        """Show a part of the clip ``factor`` times as long."""
        self.ruler.ask_zoom(factor)

    def show_whole(self) -> None:
        """Show the whole clip."""
        self.ruler.ask_zoom(float(self.ruler.count))

    def keep_in_sight(self, index: int) -> None:
        """Turn the page where a frame that is played lies outside what is in sight."""
        first, last = self.lanes.luma.getViewBox().viewRange()[0]
        if not first <= index <= last:
            begin = min(max(index - 0.5, -0.5), max(self.ruler.count - 0.5 - (last - first), -0.5))
            self._show_range(begin, begin + last - first)

    def add_source(self, light: SourceLight) -> None:
        """Draw more of the source's light."""
        self.lanes.add_source(light.indices, light.exposures_ev, light.cuts)
        self.thumbnails.add(light.thumbnails.keys(), light.thumbnails.values(), light.cuts)
        self._cuts = sorted({*self._cuts, *light.cuts})

    def add_corrected(self, light: CorrectedLight) -> None:
        """Draw more of the corrected light."""
        self.lanes.add_corrected(light.indices, light.exposures_ev)
        self._is_analysed = light.is_analysed
        self._show_states()
        means = self.lanes.mean_luma()
        if means is not None:
            _say(self.luma_number, "Mean exposure before and after", f"{means[0]:.2f} → {means[1]:.2f} stops")

    def show_region(self, is_region: bool) -> None:
        """Say whether the lanes are of a region of the frames or of all of them."""
        self._luma_heading.setText("Luma in region" if is_region else "Luma")
        self._flicker_heading.setText("Flicker in region" if is_region else "Flicker")
        self._show_nothing()

    def show_flicker(self, curves: FlickerCurves) -> None:
        """Draw flicker before and after, and say by how much it changed."""
        self.lanes.show_flicker(curves.before, curves.after)
        number, change = flicker_texts(curves.before_stops, curves.after_stops)
        _say(self.flicker_number, "Flicker before and after", number)
        _say(self.flicker_change, "Change of flicker", change)

    def show_sound(self, wave: SoundWave) -> None:
        """Draw the sound as far as it has been decoded."""
        self.waveform.show_sound(wave.lows, wave.highs, wave.rms, wave.bucket_seconds, wave.frame_seconds)

    def show_playhead(self, index: int) -> None:
        """Stand the playhead on a frame."""
        for row in (self.lanes, *self._strips):
            row.show_playhead(index)

    def _show_states(self) -> None:
        if self._is_ready.shape == self._is_analysed.shape:
            states = np.where(self._is_analysed, FrameState.ANALYSED, FrameState.NONE)
            self.cache_bar.show_states(np.where(self._is_ready, FrameState.CACHED, states).astype(np.uint8))

    def _show_range(self, first: float, last: float) -> None:
        self.lanes.luma.setXRange(first, last, padding=0)

    def _follow_range(self, _box: object, part: Sequence[float]) -> None:
        for strip in self._strips:
            strip.show_range(part[0], part[1])

    def _name(self, text: str, row: QWidget) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "hint")
        label.setContentsMargins(16, 0, 0, 0)
        label.setFixedWidth(GUTTER_PX)
        label.setBuddy(row)
        return label

    def _show_nothing(self) -> None:
        _say(self.luma_number, "Mean exposure before and after", "measuring")
        _say(self.flicker_number, "Flicker before and after", "measuring")
        _say(self.flicker_change, "Change of flicker", "")

    def _heading(self, text: str, tooltip: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "heading")
        label.setToolTip(tooltip)
        return label

    def _legend(self, *keys: tuple[str, str, float]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        for name, color, width in keys:
            row.addWidget(_Key(name, color, width))
        row.addStretch()
        return row


def _say(label: QLabel, name: str, text: str) -> None:
    """Show ``text``; a screen reader, which reads a label's name in place of its text, hears both."""
    label.setText(text)
    label.setAccessibleName(f"{name}: {text}")


STEADY_STOPS = 0.015
"""Flicker that shows as 0.01 and that nobody sees: a share of it means nothing."""


def flicker_texts(before_stops: float, after_stops: float | None) -> tuple[str, str]:
    """Flicker as ``0.31 → 0.02 stops`` and ``-94 %``; no percentage where there was next to none before."""
    if after_stops is None:
        return f"{before_stops:.2f} stops before", ""
    number = f"{before_stops:.2f} → {after_stops:.2f} stops"
    if before_stops < 0.005 or max(before_stops, after_stops) < STEADY_STOPS:
        return number, "steady"
    percent = round(100.0 * (after_stops - before_stops) / before_stops)
    return number, f"{percent:+d} %".replace("-", "\N{MINUS SIGN}")
