"""Everything that moves in time: keys, marks, cuts, loops and sound, between the document, the player and the lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox, QWidget

from app.playback import Loop

if TYPE_CHECKING:
    from app.actions import Actions
    from app.document import Document
    from app.notices import NoticeBar
    from app.playback import Playback
    from app.preferences import Preferences
    from app.preview import Preview
    from app.preview_worker import ClipTimes
    from app.timeline.timeline import Timeline
    from app.timeline.transport import Transport
    from vecnet_core.frame import VideoInfo

_LOOPS = (Loop.ONCE, Loop.LOOP, Loop.PING_PONG)
_ZOOM = 0.5
_OWN_ARROWS = (QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox)
"""Controls that take Up and Down for themselves; in them the keys do not go from cut to cut."""


class TimeControl(QObject):
    """Connects the transport and the timeline with playback and the document; state stays theirs.

    Args:
        document: Whose playhead and range it moves.
        preview: Tells the times of a clip and which frames are ready.
        playback: Plays.
        timeline: Shows marks and cuts.
        transport: Buttons and numbers.
        notices: Where the sound's trouble is told.
        preferences: Remembers loudness and loop.
        parent: Whose child it is.
    """

    def __init__(
        self,
        document: Document,
        preview: Preview,
        playback: Playback,
        timeline: Timeline,
        transport: Transport,
        notices: NoticeBar,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        """Connect them."""
        super().__init__(parent)
        self._document, self._playback = document, playback
        self._timeline, self._transport = timeline, transport
        self._preferences = preferences
        self._times: ClipTimes | None = None
        self._actions: Actions | None = None
        preview.clip_timed.connect(self._use_times)
        preview.frames_ready.connect(timeline.show_ready)
        document.range_changed.connect(self._show_range)
        document.playhead_changed.connect(self._show_playhead)
        timeline.seek_asked.connect(self.seek)
        timeline.range_dragged.connect(self._drag_range)
        playback.playing_changed.connect(transport.show_playing)
        playback.rate_measured.connect(transport.show_rate)
        playback.speed_changed.connect(transport.show_speed)
        playback.dropped_changed.connect(transport.show_dropped)
        playback.half_changed.connect(transport.show_half)
        playback.loop_changed.connect(transport.show_loop)
        playback.sound.failed.connect(notices.show_note)
        transport.play_asked.connect(playback.toggle)
        transport.step_asked.connect(self.step)
        transport.seek_asked.connect(self.seek)
        transport.loop_asked.connect(self.next_loop)
        transport.mute_asked.connect(self.toggle_mute)
        transport.volume_asked.connect(self._use_volume)
        volume = preferences.text("sound/volume", "100")
        playback.sound.set_volume(int(volume) / 100 if volume.isdigit() else 1.0)
        playback.sound.set_muted(preferences.text("sound/muted", "no") == "yes")
        self._show_sound()

    def connect_actions(self, actions: Actions) -> None:
        """Let the actions of time do what they say."""
        playback = self._playback
        self._actions = actions
        wanted = {
            "play": playback.toggle,
            "pause": playback.stop,
            "shuttle_back": self._shuttle_back,
            "shuttle_on": self._shuttle_on,
            "back": self._step_back,
            "forward": self._step_on,
            "back_second": self._second_back,
            "forward_second": self._second_on,
            "first": self._go_first,
            "last": self._go_last,
            "previous_cut": self.go_to_previous_cut,
            "next_cut": self.go_to_next_cut,
            "mark_in": self.mark_in,
            "mark_out": self.mark_out,
            "clear_in": self.clear_in,
            "clear_out": self.clear_out,
            "around": playback.play_around,
            "loop": self.next_loop,
            "mute": self.toggle_mute,
            "time_in": self._zoom_in,
            "time_out": self._zoom_out,
            "time_all": self._timeline.show_whole,
        }
        for name, do in wanted.items():
            actions[name].setObjectName(name)
            actions[name].triggered.connect(do)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._free_arrows)

    def use_clip(self, info: VideoInfo) -> None:
        """Get ready for another clip."""
        self._times = None
        self._timeline.use_clip(info)
        self._transport.use_clip(info)

    def close(self) -> None:
        """Stop, and end the sound's thread."""
        self._playback.close()

    # Moving ----------------------------------------------------------------------------------------------------------

    def seek(self, index: int) -> None:
        """Go to a frame; it does not play from there."""
        self._playback.stop()
        self._document.set_playhead(index)

    def step(self, frames: int) -> None:
        """Go on by some frames."""
        self.seek(self._document.playhead + frames)

    def go_to_previous_cut(self) -> None:
        """Go to where this scene begins, or the one before it."""
        self.seek(max((cut for cut in self._timeline.cuts if cut < self._document.playhead), default=0))

    def go_to_next_cut(self) -> None:
        """Go to where the next scene begins, or to the last frame."""
        ahead = [cut for cut in self._timeline.cuts if cut > self._document.playhead]
        self.seek(min(ahead, default=self._last))

    # The range -------------------------------------------------------------------------------------------------------

    def mark_in(self) -> None:
        """Begin the range with the frame under the playhead; an end before it goes to the clip's."""
        at, last = self._document.playhead, self._marks[1]
        self._edit_range(at, last if last >= at else self._last, "Set in point")

    def mark_out(self) -> None:
        """End the range with the frame under the playhead; a beginning after it goes to the clip's."""
        at, first = self._document.playhead, self._marks[0]
        self._edit_range(first if first <= at else 0, at, "Set out point")

    def clear_in(self) -> None:
        """Begin the range with the clip."""
        self._edit_range(0, self._marks[1], "Clear in point")

    def clear_out(self) -> None:
        """End the range with the clip."""
        self._edit_range(self._marks[0], self._last, "Clear out point")

    @property
    def _marks(self) -> tuple[int, int]:
        return self._timeline.ruler.marks

    @property
    def _last(self) -> int:
        info = self._document.info
        return 0 if info is None else info.frame_count - 1

    def _edit_range(self, first: int, last: int, text: str, gesture: int | None = None) -> None:
        info, times = self._document.info, self._times
        if info is None or times is None or (first, last) == self._marks:
            return
        stop = None if last == self._last and not info.missing_frames else float(times.starts[last + 1])
        self._document.edit_range(float(times.starts[first]), stop, text, gesture)

    def _drag_range(self, first: int, last: int, gesture: int) -> None:
        self._edit_range(first, last, "Change range", gesture)

    def _show_range(self) -> None:
        clip, times = self._document.clip, self._times
        if clip is None or times is None:
            return
        first, last = times.frames_between(clip.start_seconds, clip.stop_seconds)
        self._timeline.show_marks(first, last)
        self._playback.set_range(first, last)
        self._transport.show_range(first, last)

    def _use_times(self, times: ClipTimes) -> None:
        self._times = times
        self._timeline.use_times(times)
        self._transport.use_times(times)
        self._show_range()

    def _show_playhead(self, index: int) -> None:
        self._transport.show_frame(index)
        self._timeline.show_playhead(index)
        self._timeline.keep_in_sight(index)

    # Loop and sound --------------------------------------------------------------------------------------------------

    def next_loop(self) -> None:
        """Once, loop, ping-pong, and once again."""
        self._playback.set_loop(_LOOPS[(_LOOPS.index(self._playback.loop) + 1) % len(_LOOPS)])

    def toggle_mute(self) -> None:
        """Be silent, or as loud as before."""
        sound = self._playback.sound
        sound.set_muted(not sound.is_muted)
        self._preferences.set_text("sound/muted", "yes" if sound.is_muted else "no")
        self._show_sound()

    def _use_volume(self, percent: int) -> None:
        sound = self._playback.sound
        sound.set_volume(percent / 100)
        sound.set_muted(percent == 0)
        self._preferences.set_text("sound/volume", str(percent))
        self._preferences.set_text("sound/muted", "yes" if sound.is_muted else "no")
        self._show_sound()

    def _show_sound(self) -> None:
        sound = self._playback.sound
        self._transport.show_sound(round(100 * sound.volume), sound.is_muted)
        if self._actions is not None:
            self._actions["mute"].setChecked(sound.is_muted)

    # Actions ---------------------------------------------------------------------------------------------------------

    def _free_arrows(self, _old: QWidget | None, now: QWidget | None) -> None:
        if self._actions is not None:
            is_free = self._document.info is not None and not isinstance(now, _OWN_ARROWS)
            for name in ("previous_cut", "next_cut"):
                self._actions[name].setEnabled(is_free)

    def _second(self) -> int:
        info = self._document.info
        return 1 if info is None else max(1, round(info.frame_rate))

    def _shuttle_back(self) -> None:
        self._playback.shuttle(-1)

    def _shuttle_on(self) -> None:
        self._playback.shuttle(1)

    def _step_back(self) -> None:
        self.step(-1)

    def _step_on(self) -> None:
        self.step(1)

    def _second_back(self) -> None:
        self.step(-self._second())

    def _second_on(self) -> None:
        self.step(self._second())

    def _go_first(self) -> None:
        self.seek(0)

    def _go_last(self) -> None:
        self.seek(self._last)

    def _zoom_in(self) -> None:
        self._timeline.zoom(_ZOOM)

    def _zoom_out(self) -> None:
        self._timeline.zoom(1 / _ZOOM)
