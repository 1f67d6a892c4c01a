"""The transport: play, step, scrub, and where in time we are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app import theme
from app.playback import Loop
from app.widgets.icons import icon
from app.widgets.timecode import timecode
from app.widgets.value_slider import Track

if TYPE_CHECKING:
    from app.preview_worker import ClipTimes
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
        self._range = (0, 0)
        self.setFixedHeight(20)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Scrub bar")
        self.setToolTip("Drag to scrub; Left and Right step one frame, Home and End go to the ends")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def sizeHint(self) -> QSize:
        return QSize(200, 20)

    @property
    def index(self) -> int:
        """The frame the handle stands on."""
        return self._index

    def show_frame(self, index: int, count: int) -> None:
        """Stand the handle on a frame."""
        self._index, self._count = index, count
        self.update()

    def show_range(self, first: int, last: int) -> None:
        """Mark the frames that are played and exported."""
        self._range = (first, last)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2
        span = self.width() - 16
        painter.setBrush(QColor(theme.GROOVE))
        painter.drawRoundedRect(QRectF(8, middle - 2, span, 4), 2, 2)
        share = self._index / (self._count - 1) if self._count > 1 else 0.0
        painter.setBrush(QColor(theme.MUTED))
        painter.drawRoundedRect(QRectF(8, middle - 2, span * share, 4), 2, 2)
        first, last = self._range
        if self._count > 1 and 0 < last - first < self._count - 1:
            painter.setBrush(QColor(theme.ACCENT))
            begin, end = (8 + span * index / (self._count - 1) for index in (first, last))
            painter.drawRect(QRectF(begin, middle + 3, end - begin, 2))
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
        loop_asked: The next way to go on at the end.
        mute_asked: Sound off or on.
        volume_asked: Loudness in percent.
    """

    play_asked = Signal()
    step_asked = Signal(int)
    seek_asked = Signal(int)
    loop_asked = Signal()
    mute_asked = Signal()
    volume_asked = Signal(int)

    def __init__(self) -> None:
        """Nothing to play yet."""
        super().__init__()
        self._info: VideoInfo | None = None
        self._times: ClipTimes | None = None
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
        self.speed_label = self._word("Speed of playing; J and L change it, K pauses")
        self.dropped_label = self._word("Frames that were not ready in time and were left out")
        self.half_label = self._word("Frames came late: the preview plays at half resolution until it stops")
        self.loop = self._button("once", "Stop at the end (Shift+L for the next way)")
        self.loop.clicked.connect(self.loop_asked)
        self.mute = self._button("sound", "Sound off (Shift+M)")
        self.mute.clicked.connect(self.mute_asked)
        self.volume = Track(0.0)
        self.volume.setRange(0, 100)
        self.volume.setSingleStep(5)
        self.volume.setValue(100)
        self.volume.setFixedWidth(72)
        self.volume.setAccessibleName("Volume")
        self.volume.setToolTip("Volume; Left and Right change it, a double click is full")
        self.volume.valueChanged.connect(self._ask_volume)
        self.volume.reset_asked.connect(self._ask_full_volume)
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(2)
        for button in (first, back, self.play, forward, last, self.loop):
            row.addWidget(button)
        row.addSpacing(12)
        row.addWidget(self.timecode)
        row.addSpacing(12)
        row.addWidget(self.frame_label)
        row.addSpacing(16)
        row.addWidget(self.rate_label)
        for word in (self.speed_label, self.half_label, self.dropped_label):
            row.addWidget(word)
        row.addStretch()
        row.addSpacing(8)
        row.addWidget(self.mute)
        row.addWidget(self.volume)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(2)
        layout.addWidget(self.scrub_bar)
        layout.addLayout(row)

    def use_clip(self, info: VideoInfo) -> None:
        """Get ready for another clip."""
        self._info = info
        self._times = None
        self._count = info.frame_count
        self.scrub_bar.show_range(0, self._count - 1)
        self.show_frame(0)
        self.show_dropped(0)
        has_sound = bool(info.audio_codecs)
        self.mute.setEnabled(has_sound)
        self.volume.setEnabled(has_sound)
        self.rate_label.setText(f"{float(info.frame_rate):.5g} fps")

    def use_times(self, times: ClipTimes) -> None:
        """Count as the clip's file does."""
        self._times = times
        self.timecode.setToolTip(
            "Timecode of this frame, from the file"
            if times.has_timecode
            else "Time of this frame: hours, minutes, seconds, frames; the file has no timecode"
        )
        self.show_frame(self.scrub_bar.index)

    def show_range(self, first: int, last: int) -> None:
        """Mark the frames that are played and exported."""
        self.scrub_bar.show_range(first, last)

    def show_frame(self, index: int) -> None:
        """Show where the playhead stands."""
        if self._info is None:
            return
        times = self._times
        self.timecode.setText(timecode(index, self._info.frame_rate) if times is None else times.timecode_of(index))
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

    def show_speed(self, speed: float) -> None:
        """Say how fast it plays, where that is not as it was shot."""
        is_told = speed not in {0.0, 1.0}
        self._say(self.speed_label, f"{speed:g}×".replace("-", "\N{MINUS SIGN}") if is_told else "")

    def show_dropped(self, count: int) -> None:
        """Say how many frames were left out."""
        self._say(self.dropped_label, f"{count} dropped" if count else "")

    def show_half(self, is_half: bool) -> None:
        """Say that the preview is at half resolution."""
        self._say(self.half_label, "1/2 res" if is_half else "")

    def show_loop(self, loop: Loop) -> None:
        """Show what happens at the end."""
        says = {Loop.ONCE: "Stop at the end", Loop.LOOP: "Begin again at the end", Loop.PING_PONG: "Turn at the ends"}
        self.loop.setIcon(icon(loop.value))
        self.loop.setToolTip(f"{says[loop]} (Shift+L for the next way)")
        self.loop.setAccessibleName(says[loop])

    def show_sound(self, percent: int, is_muted: bool) -> None:
        """Show how loud it plays."""
        self.mute.setIcon(icon("muted" if is_muted else "sound"))
        self.mute.setToolTip("Sound on (Shift+M)" if is_muted else "Sound off (Shift+M)")
        self.mute.setAccessibleName("Sound on" if is_muted else "Sound off")
        self.volume.blockSignals(True)
        self.volume.setValue(percent)
        self.volume.blockSignals(False)

    def _word(self, tooltip: str) -> QLabel:
        label = QLabel()
        label.setProperty("role", "hint")
        label.setToolTip(tooltip)
        label.setContentsMargins(12, 0, 0, 0)
        label.hide()
        return label

    def _say(self, label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))

    def _button(self, icon_name: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(icon_name))
        button.setIconSize(QSize(18, 18))
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip.split(" (")[0])
        button.setProperty("role", "flat")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _ask_volume(self, percent: float) -> None:
        self.volume_asked.emit(round(percent))

    def _ask_full_volume(self) -> None:
        self.volume.setValue(100)

    def _go_first(self) -> None:
        self.seek_asked.emit(0)

    def _go_last(self) -> None:
        self.seek_asked.emit(self._count - 1)

    def _step_back(self) -> None:
        self.step_asked.emit(-1)

    def _step_forward(self) -> None:
        self.step_asked.emit(1)
