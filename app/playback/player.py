"""Playback by the clock: frames that are not ready are dropped, so that the picture never lags behind the time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.playback.course import Course, Loop

if TYPE_CHECKING:
    from app.document import Document
    from app.playback.sound import SoundPlayer
    from app.preview import Preview
    from app.preview_worker import ClipTimes, PreviewResult

SPEEDS = (1.0, 2.0, 4.0, 8.0)
AROUND_FRAMES = 15
"""Frames on both sides of the playhead that its own loop plays."""
LATE_SHARE = 0.9
"""Below this share of the wanted rate frames come late, and the preview goes to half resolution."""
_MEASURED_SECONDS = 1.0
_END_SLACK_SECONDS = 1e-6


class Playback(QObject):
    """Moves the playhead with the clock while it plays.

    Signals:
        playing_changed: True when it starts, False when it stops.
        speed_changed: Times the usual speed, negative backwards; 0 when it stops.
        rate_measured: Frames shown a second, and frames a second that there were to show.
        dropped_changed: How many frames have been dropped since it started.
        loop_changed: The `Loop` that is wanted at the end of the range.
        half_changed: True while the preview is made at half resolution, because frames came late.
    """

    playing_changed = Signal(bool)
    speed_changed = Signal(float)
    rate_measured = Signal(float, float)
    dropped_changed = Signal(int)
    loop_changed = Signal(object)
    half_changed = Signal(bool)

    def __init__(self, document: Document, preview: Preview, sound: SoundPlayer, parent: QObject | None = None) -> None:
        """Stopped."""
        super().__init__(parent)
        self._document = document
        self._preview = preview
        self.sound = sound
        self._times: ClipTimes | None = None
        self._course: Course | None = None
        self._loop = Loop.ONCE
        self._range: tuple[int, int] | None = None
        self._around: tuple[int, int] | None = None
        self._middle = 0
        self._rate = 24.0
        self._shown: deque[tuple[float, int]] = deque()
        self._last: tuple[float, int] = (0.0, -1)
        self._late_from = 0.0
        self._dropped = 0
        self._is_half = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        preview.frame_shown.connect(self._count_frame)
        preview.clip_timed.connect(self._use_times)
        document.clip_changed.connect(self._forget_clip)

    @property
    def is_playing(self) -> bool:
        """True while the clock moves the playhead."""
        return self._course is not None

    @property
    def speed(self) -> float:
        """Times the usual speed, negative backwards; 0 while stopped."""
        return 0.0 if self._course is None else self._course.speed

    @property
    def loop(self) -> Loop:
        """What is wanted at the end of the range."""
        return self._loop

    @property
    def dropped(self) -> int:
        """Frames dropped since playing started."""
        return self._dropped

    @property
    def is_around(self) -> bool:
        """True while it plays to and fro about the place where the playhead stood."""
        return self._around is not None

    def set_range(self, first: int, last: int) -> None:
        """Play inside these frames, both included."""
        if (first, last) != self._range:
            self._range = (first, last)
            self._restart()

    def set_loop(self, loop: Loop) -> None:
        """Choose what happens at the end of the range."""
        if loop is not self._loop:
            self._loop = loop
            self.loop_changed.emit(loop)
            self._restart()

    def toggle(self) -> None:
        """Play or pause."""
        if self.is_playing:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """Play from the playhead; from the start of the range when it stands outside or on its last frame."""
        if not self.is_playing:
            self._play(1.0)

    def shuttle(self, direction: int) -> None:
        """Play on (1) or back (-1); again is faster."""
        speed = self.speed
        if speed * direction > 0:
            faster = [one for one in SPEEDS if one > abs(speed)]
            self._play(direction * (faster[0] if faster else SPEEDS[-1]))
        else:
            self._play(float(direction))

    def play_around(self) -> None:
        """Play to and fro about the playhead; once more ends it, where it began."""
        if self._around is not None:
            middle = self._middle
            self.stop()
            self._document.set_playhead(middle)
            return
        info = self._document.info
        if info is None:
            return
        self.stop()
        self._middle = self._document.playhead
        first, last = max(self._middle - AROUND_FRAMES, 0), min(self._middle + AROUND_FRAMES, info.frame_count - 1)
        if last > first:
            self._around = (first, last)
            self._play(1.0)

    def stop(self) -> None:
        """Pause where it is."""
        if self._course is None:
            return
        self._course = self._around = None
        self._timer.stop()
        self.sound.stop()
        self._use_half(False)
        self._preview.set_playing(False)
        self.speed_changed.emit(0.0)
        self.playing_changed.emit(False)

    def close(self) -> None:
        """Stop, and end the sound's thread."""
        self.stop()
        self.sound.close()

    # Inside ----------------------------------------------------------------------------------------------------------

    def _use_times(self, times: ClipTimes) -> None:
        self._times = times

    def _forget_clip(self) -> None:
        self.stop()
        # The times of the clip that takes its place are on their way.
        self._times = self._range = None

    def _restart(self) -> None:
        """Play on from here under what has just changed."""
        if self._course is not None:
            self._play(self._course.speed)

    def _play(self, speed: float) -> None:
        info = self._document.info
        if info is None or info.frame_count < 2 or self._times is None:
            return
        first, last = self._around or self._range or (0, info.frame_count - 1)
        starts = self._times.starts
        place = float(starts[self._document.playhead])
        low, high = float(starts[first]), float(starts[last + 1])
        if speed > 0 and not low <= place < float(starts[last]):
            place = low
        elif speed < 0 and not low < place < high:
            place = high - _END_SLACK_SECONDS
        loop = Loop.PING_PONG if self._around is not None else self._loop
        was_playing = self.is_playing
        self._course = Course(place, low, high, speed, loop)
        self._rate = float(info.frame_rate)
        self._shown.clear()
        self._last = (0.0, -1)
        self._late_from = _MEASURED_SECONDS
        self._document.set_playhead(self._times.index_at(self._course.place(0.0)))
        self.sound.play(info, self._course)
        # Twice a frame: a tick that finds the last frame still being made costs half a frame, not a whole one.
        self._timer.start(max(5, round(500.0 / (self._rate * min(abs(speed), 1.0)))))
        if not was_playing:
            self._dropped = 0
            self.dropped_changed.emit(0)
            self._preview.set_playing(True)
            self.playing_changed.emit(True)
        self.speed_changed.emit(speed)

    def _tick(self) -> None:
        course, times = self._course, self._times
        if course is None or times is None:
            return
        elapsed = self.sound.elapsed()
        # The end is the end of the last frame: it is seen for its whole time.
        if elapsed >= course.seconds:
            self._document.set_playhead(times.index_at(course.place(course.seconds) - _END_SLACK_SECONDS))
            self.stop()
        elif not self._preview.is_waiting:
            self._document.set_playhead(times.index_at(course.place(elapsed)))

    def _count_frame(self, result: PreviewResult) -> None:
        course = self._course
        if course is None or result.corrected is None or not result.request.is_playing:
            return
        now, index = self.sound.elapsed(), result.request.index
        self._count_dropped(course, now, index)
        self._shown.append((now, index))
        while now - self._shown[0][0] > _MEASURED_SECONDS:
            self._shown.popleft()
        span = now - self._shown[0][0]
        if len(self._shown) < 3 or span <= 0:
            return
        shown = (len(self._shown) - 1) / span
        self.rate_measured.emit(min(shown, self._rate), self._rate)
        if now > self._late_from:
            self._late_from = now + _MEASURED_SECONDS
            if shown < LATE_SHARE * self._rate * min(abs(course.speed), 1.0):
                self._use_half(True)

    def _count_dropped(self, course: Course, now: float, index: int) -> None:
        """Frames whose time came and went between two that were shown; at a shuttle's speed leaving out is meant."""
        then, before = self._last
        self._last = (now, index)
        if before < 0 or self._times is None or abs(course.speed) > 1:
            return
        # Along the course, so that a turn or the step back of a loop is no gap.
        steps = abs(index - before)
        if course.loop is not Loop.ONCE and steps > 1:
            steps = min(steps, round((now - then) * self._rate))
        if steps > 1:
            self._dropped += steps - 1
            self.dropped_changed.emit(self._dropped)

    def _use_half(self, is_half: bool) -> None:
        if is_half != self._is_half:
            self._is_half = is_half
            self._preview.set_half(is_half)
            self.half_changed.emit(is_half)
