"""The open clip, the playhead, and the undo stack: the only place that writes state."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

_COMMAND_ID = 1

_NAMES = {
    "strength": "strength",
    "shadows": "shadows",
    "highlights": "highlights",
    "exposure_ev": "exposure trim",
    "steadiness": "steadiness",
    "denoise": "noise removal",
}


class Document(QObject):
    """What is being corrected, and how. Widgets ask it to change, and re-read it when it says it has.

    Signals:
        clip_changed: Another clip is open, or the one at hand has been read in another way.
        settings_changed: The correction settings are others.
        decode_changed: The clip is wanted to be read in another way.
        playhead_changed: The frame under the playhead, 0-based.
    """

    clip_changed = Signal()
    settings_changed = Signal()
    decode_changed = Signal()
    playhead_changed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        """An empty document."""
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._info: VideoInfo | None = None
        self._clip: Clip | None = None
        self._decode_read = AS_IT_IS
        self._playhead = 0

    @property
    def info(self) -> VideoInfo | None:
        """The facts of the open clip; None when there is none."""
        return self._info

    @property
    def clip(self) -> Clip | None:
        """What an export of the clip as it stands would need; None when there is no clip."""
        return self._clip

    @property
    def settings(self) -> CorrectionSettings:
        """How the clip is corrected."""
        return CorrectionSettings() if self._clip is None else self._clip.settings

    @property
    def decode(self) -> DecodeSettings:
        """How the clip is wanted to be read; until that has been done, or refused, it is read as before."""
        return AS_IT_IS if self._clip is None else self._clip.decode

    @property
    def playhead(self) -> int:
        """The frame shown, 0-based."""
        return self._playhead

    def use_clip(self, info: VideoInfo, decode: DecodeSettings = AS_IT_IS) -> None:
        """Start on another clip, with default settings and nothing to undo."""
        self._info = info
        self._playhead = 0
        self._decode_read = decode
        self._clip = Clip(info.path, stop_seconds=_end_of(info), decode=decode)
        self.undo_stack.clear()
        self.clip_changed.emit()
        self.settings_changed.emit()
        self.playhead_changed.emit(0)

    def use_reading(self, info: VideoInfo, decode: DecodeSettings) -> None:
        """The clip at hand has been read in another way: its facts are others, all else stays."""
        if self._clip is None:
            return
        self._info = info
        self._decode_read = decode
        self._clip = replace(self._clip, stop_seconds=_end_of(info))
        self._playhead = min(self._playhead, info.frame_count - 1)
        self.clip_changed.emit()
        self.playhead_changed.emit(self._playhead)

    def keep_reading(self) -> None:
        """Another way of reading the clip was refused: go back to how it is read, as if nobody had asked."""
        clip, stack = self._clip, self.undo_stack
        if clip is None or clip.decode == self._decode_read:
            return
        refused = (self._decode_read, clip.decode)
        done, undone = _reading_edit(stack, stack.index() - 1), _reading_edit(stack, stack.index())
        if done is not None and (done.before, done.after) == refused:
            # An obsolete command goes without being undone.
            done.setObsolete(True)
            stack.undo()
            self._use_decode(self._decode_read)
        elif undone is not None and (undone.after, undone.before) == refused:
            stack.redo()
        else:
            self._use_decode(self._decode_read)

    def suggest_denoise(self) -> bool:
        """Remove the noise of a clip that has just been opened; there is nothing to undo. False once it was edited."""
        if self._clip is None or self.undo_stack.count() or self.settings != CorrectionSettings():
            return False
        self._use_settings(replace(self.settings, denoise=1.0))
        return True

    def set_playhead(self, index: int) -> None:
        """Move to a frame; past either end means that end."""
        if self._info is None:
            return
        index = max(0, min(index, self._info.frame_count - 1))
        if index != self._playhead:
            self._playhead = index
            self.playhead_changed.emit(index)

    def edit(self, name: str, value: float, gesture: int) -> None:
        """Change one setting; edits of one ``gesture`` undo as one."""
        before = self.settings
        after = replace(before, **{name: value})
        if self._clip is not None and after != before:
            self.undo_stack.push(_Edit(self, before, after, f"Change {_NAMES[name]}", (name, gesture)))

    def reset_settings(self) -> None:
        """Back to the network's own answer, as one undoable step."""
        if self.settings != CorrectionSettings():
            self.undo_stack.push(_Edit(self, self.settings, CorrectionSettings(), "Reset correction", None))

    def edit_decode(self, decode: DecodeSettings, text: str) -> None:
        """Read the clip in another way, as one undoable step; ``text`` names it in the menu."""
        if self._clip is not None and decode != self._clip.decode:
            self.undo_stack.push(_ReadingEdit(self, self._clip.decode, decode, text))

    def _use_settings(self, settings: CorrectionSettings) -> None:
        if self._clip is not None:
            self._clip = replace(self._clip, settings=settings)
            self.settings_changed.emit()

    def _use_decode(self, decode: DecodeSettings) -> None:
        if self._clip is not None:
            self._clip = replace(self._clip, decode=decode)
            self.decode_changed.emit()


def _end_of(info: VideoInfo) -> float | None:
    """The end of what is exported: of a clip that is cut short only what it still holds can be meant."""
    return math.floor(1000 * info.duration_seconds) / 1000 if info.missing_frames else None


class _Edit(QUndoCommand):
    """Settings before and after."""

    def __init__(
        self,
        document: Document,
        before: CorrectionSettings,
        after: CorrectionSettings,
        text: str,
        gesture: tuple[str, int] | None,
    ) -> None:
        super().__init__(text)
        self._document = document
        self._before = before
        self.after = after
        self.gesture = gesture

    def id(self) -> int:
        return _COMMAND_ID

    def redo(self) -> None:
        self._document._use_settings(self.after)

    def undo(self) -> None:
        self._document._use_settings(self._before)

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or self.gesture is None or other.gesture != self.gesture:
            return False
        self.after = other.after
        self.setObsolete(self.after == self._before)
        return True


class _ReadingEdit(QUndoCommand):
    """How the clip is read, before and after."""

    def __init__(self, document: Document, before: DecodeSettings, after: DecodeSettings, text: str) -> None:
        super().__init__(text)
        self._document = document
        self.before = before
        self.after = after

    def redo(self) -> None:
        self._document._use_decode(self.after)

    def undo(self) -> None:
        self._document._use_decode(self.before)


def _reading_edit(stack: QUndoStack, place: int) -> _ReadingEdit | None:
    """The command at a place of the stack, when there is one and it is about reading."""
    command = stack.command(place) if 0 <= place < stack.count() else None
    return command if isinstance(command, _ReadingEdit) else None
