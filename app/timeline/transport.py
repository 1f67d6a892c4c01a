"""The transport: play, step, scrub, and where in time we are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app import theme
from app.widgets.icons import icon
from app.widgets.timecode import timecode

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo


class ScrubBar(QWidget):
    """A bar as wide as the clip is long.

    Signals:
        scrubbed: The frame under the pointer while it is held down.
    """

    scrubbed = Signal(int)

    def __init__(self) -> None:
        """An empty bar."""
        super().__init__()
        self._count = 0
        self._index = 0
        self.setFixedHeight(20)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Scrub bar")
        self.setToolTip("Drag to scrub; Left and Right step one frame, Home and End go to the ends")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def sizeHint(self) -> QSize:
        return QSize(200, 20)

    def show_frame(self, index: int, count: int) -> None:
        """Stand the handle on a frame."""
        self._index, self._count = index, count
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2
        span = self.width() - 16
        painter.setBrush(QColor("#151515"))
        painter.drawRoundedRect(QRectF(8, middle - 2, span, 4), 2, 2)
        share = self._index / (self._count - 1) if self._count > 1 else 0.0
        painter.setBrush(QColor("#707070"))
        painter.drawRoundedRect(QRectF(8, middle - 2, span * share, 4), 2, 2)
        painter.setBrush(QColor(theme.TEXT if self._count else theme.FAINT))
        painter.drawRoundedRect(QRectF(8 + span * share - 2.5, middle - 8, 5, 16), 2, 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._scrub(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._scrub(event.position().x())

    def _scrub(self, x: float) -> None:
        if self._count:
            share = min(max((x - 8) / max(self.width() - 16, 1), 0.0), 1.0)
            self.scrubbed.emit(round(share * (self._count - 1)))


class Transport(QWidget):
    """Buttons, scrub bar, timecode, and the probe's line.

    Signals:
        play_asked: Play or pause.
        step_asked: By how many frames to move.
        seek_asked: The frame to move to.
    """

    play_asked = Signal()
    step_asked = Signal(int)
    seek_asked = Signal(int)

    def __init__(self) -> None:
        """Nothing to play yet."""
        super().__init__()
        self._info: VideoInfo | None = None
        self._count = 0
        self.scrub_bar = ScrubBar()
        self.scrub_bar.scrubbed.connect(self.seek_asked)
        first = self._button("first", "Go to the first frame (Home)")
        back = self._button("step_back", "One frame back (Left)")
        self.play = self._button("play", "Play or pause (Space)")
        forward = self._button("step_forward", "One frame on (Right)")
        last = self._button("last", "Go to the last frame (End)")
        first.clicked.connect(self._go_first)
        back.clicked.connect(self._step_back)
        self.play.clicked.connect(self.play_asked)
        forward.clicked.connect(self._step_forward)
        last.clicked.connect(self._go_last)
        self.play.setIconSize(QSize(22, 22))
        self.timecode = QLabel("00:00:00:00")
        self.timecode.setProperty("role", "heading")
        self.timecode.setToolTip("Time of this frame: hours, minutes, seconds, frames")
        self.frame_label = QLabel("")
        self.frame_label.setProperty("role", "hint")
        self.frame_label.setToolTip("This frame, counted from 1, and the number of frames")
        self.rate_label = QLabel("")
        self.rate_label.setProperty("role", "hint")
        self.rate_label.setToolTip("Frames shown a second while playing; frames that are not ready are dropped")
        self.probe_label = QLabel("")
        self.probe_label.setToolTip("Pixel under the pointer: place, linear luma before and after, gain in stops")
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(2)
        for button in (first, back, self.play, forward, last):
            row.addWidget(button)
        row.addSpacing(12)
        row.addWidget(self.timecode)
        row.addSpacing(12)
        row.addWidget(self.frame_label)
        row.addSpacing(16)
        row.addWidget(self.rate_label)
        row.addStretch()
        row.addWidget(self.probe_label)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(2)
        layout.addWidget(self.scrub_bar)
        layout.addLayout(row)

    def use_clip(self, info: VideoInfo) -> None:
        """Get ready for another clip."""
        self._info = info
        self._count = info.frame_count
        self.show_frame(0)
        self.rate_label.setText(f"{float(info.frame_rate):.5g} fps")

    def show_frame(self, index: int) -> None:
        """Show where the playhead stands."""
        if self._info is None:
            return
        self.timecode.setText(timecode(index, self._info.frame_rate))
        self.frame_label.setText(f"frame {index + 1} of {self._count}")
        self.scrub_bar.show_frame(index, self._count)

    def show_playing(self, is_playing: bool) -> None:
        """Turn the play button into pause and back."""
        self.play.setIcon(icon("pause" if is_playing else "play"))
        self.play.setAccessibleName("Pause" if is_playing else "Play")
        if not is_playing and self._info is not None:
            self.rate_label.setText(f"{float(self._info.frame_rate):.5g} fps")

    def show_rate(self, shown: float, wanted: float) -> None:
        """Say how many frames a second are shown of how many."""
        self.rate_label.setText(f"{shown:.0f} of {wanted:.0f} fps")

    def show_probe(self, line: str) -> None:
        """Show the probe's line; empty for none."""
        self.probe_label.setText(line)

    def _button(self, icon_name: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(icon_name))
        button.setIconSize(QSize(18, 18))
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip.split(" (")[0])
        button.setProperty("role", "flat")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _go_first(self) -> None:
        self.seek_asked.emit(0)

    def _go_last(self) -> None:
        self.seek_asked.emit(self._count - 1)

    def _step_back(self) -> None:
        self.step_asked.emit(-1)

    def _step_forward(self) -> None:
        self.step_asked.emit(1)
