"""The open clip's project, the playhead, and the undo stack: the only place that writes state."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from vecnet_core.project import Project
from vecnet_core.settings import CorrectionSettings

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
        clip_changed: Another clip is open, or none.
        settings_changed: The correction settings are others.
        playhead_changed: The frame under the playhead, 0-based.
    """

    clip_changed = Signal()
    settings_changed = Signal()
    playhead_changed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        """An empty document."""
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._info: VideoInfo | None = None
        self._project: Project | None = None
        self._playhead = 0

    @property
    def info(self) -> VideoInfo | None:
        """The facts of the open clip; None when there is none."""
        return self._info

    @property
    def project(self) -> Project | None:
        """What an export of the clip as it stands would need; None when there is no clip."""
        return self._project

    @property
    def settings(self) -> CorrectionSettings:
        """How the clip is corrected."""
        return CorrectionSettings() if self._project is None else self._project.settings

    @property
    def playhead(self) -> int:
        """The frame shown, 0-based."""
        return self._playhead

    def use_clip(self, info: VideoInfo) -> None:
        """Start on another clip, with default settings and nothing to undo."""
        self._info = info
        self._playhead = 0
        # What a clip that is cut short still holds is all that can be meant by exporting what the window shows.
        end = math.floor(1000 * info.duration_seconds) / 1000 if info.missing_frames else None
        self._project = Project(info.path, stop_seconds=end)
        self.undo_stack.clear()
        self.clip_changed.emit()
        self.settings_changed.emit()
        self.playhead_changed.emit(0)

    def suggest_denoise(self) -> bool:
        """Remove the noise of a clip that has just been opened; there is nothing to undo. False once it was edited."""
        if self._project is None or self.undo_stack.count() or self.settings != CorrectionSettings():
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
        if self._project is not None and after != before:
            self.undo_stack.push(_Edit(self, before, after, f"Change {_NAMES[name]}", (name, gesture)))

    def reset_settings(self) -> None:
        """Back to the network's own answer, as one undoable step."""
        if self.settings != CorrectionSettings():
            self.undo_stack.push(_Edit(self, self.settings, CorrectionSettings(), "Reset correction", None))

    def _use_settings(self, settings: CorrectionSettings) -> None:
        if self._project is not None:
            self._project = replace(self._project, settings=settings)
            self.settings_changed.emit()


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
