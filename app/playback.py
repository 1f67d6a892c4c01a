"""Playback by the clock: frames that are not ready are dropped, so that the picture never lags behind the time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

if TYPE_CHECKING:
    from app.document import Document
    from app.preview import Preview
    from app.preview_worker import PreviewResult


class Playback(QObject):
    """Moves the playhead with the clock while it plays.

    Signals:
        playing_changed: True when it starts, False when it stops.
        rate_measured: Frames shown a second, and frames a second of the clip.
    """

    playing_changed = Signal(bool)
    rate_measured = Signal(float, float)

    def __init__(self, document: Document, preview: Preview, parent: QObject | None = None) -> None:
        """Stopped."""
        super().__init__(parent)
        self._document = document
        self._preview = preview
        self._clock = QElapsedTimer()
        self._start = 0
        self._rate = 24.0
        self._shown: deque[int] = deque()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        preview.frame_shown.connect(self._count_frame)
        document.clip_changed.connect(self.stop)

    @property
    def is_playing(self) -> bool:
        """True while the clock moves the playhead."""
        return self._timer.isActive()

    def toggle(self) -> None:
        """Play or pause."""
        if self.is_playing:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """Play from the playhead; from the start when it stands on the last frame."""
        info = self._document.info
        if info is None or info.frame_count < 2 or self.is_playing:
            return
        if self._document.playhead >= info.frame_count - 1:
            self._document.set_playhead(0)
        self._start = self._document.playhead
        self._rate = float(info.frame_rate)
        self._shown.clear()
        self._clock.start()
        # Twice a frame: a tick that finds the last frame still being made costs half a frame, not a whole one.
        self._timer.start(max(5, round(500.0 / self._rate)))
        self._preview.set_playing(True)
        self.playing_changed.emit(True)

    def stop(self) -> None:
        """Pause where it is."""
        if self.is_playing:
            self._timer.stop()
            self._preview.set_playing(False)
            self.playing_changed.emit(False)

    def _tick(self) -> None:
        info = self._document.info
        if info is None or self._preview.is_waiting:
            return
        index = self._start + int(self._clock.elapsed() * self._rate / 1000.0)
        self._document.set_playhead(index)
        if index >= info.frame_count - 1:
            self.stop()

    def _count_frame(self, result: PreviewResult) -> None:
        if not self.is_playing or result.corrected is None:
            return
        now = self._clock.elapsed()
        self._shown.append(now)
        while self._shown and now - self._shown[0] > 1000:
            self._shown.popleft()
        span = max(now - self._shown[0], 1)
        if len(self._shown) > 2:
            self.rate_measured.emit(min((len(self._shown) - 1) * 1000.0 / span, self._rate), self._rate)
