"""The project, the clip at hand, the playhead, and the undo stack: the only place that writes state."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from vecnet_core.project import Clip, Project, SourceFacts
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

Fields = dict[str, Any]
"""Fields of a clip by name."""


@dataclass(frozen=True)
class Snapshot:
    """The project at one moment, to be written while work goes on.

    Attributes:
        project: As it is written.
        file: Where it was last saved, or read from; None for a new one.
        clips: Its clips by number, in order.
    """

    project: Project
    file: Path | None
    clips: dict[int, Clip]


class Document(QObject):
    """What is being corrected, and how. Widgets ask it to change, and re-read it when it says it has.

    Every clip of the project has a number that stays its own, wherever it is moved and whatever is undone.

    Signals:
        clip_changed: Another clip is at hand, or none, or the one at hand has been read in another way.
        settings_changed: The correction settings of the clip at hand are others.
        decode_changed: The clip at hand is wanted to be read in another way.
        range_changed: The in or out point of the clip at hand is another.
        playhead_changed: The frame under the playhead, 0-based.
        project_changed: Something of the project is another: its clips, their order, its file, whether it is saved.
        clip_wanted: Number of a clip that should be opened: what was undone is about it, or it takes another's place.
    """

    clip_changed = Signal()
    settings_changed = Signal()
    decode_changed = Signal()
    range_changed = Signal()
    playhead_changed = Signal(int)
    project_changed = Signal()
    clip_wanted = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        """An empty project."""
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._numbers = 0
        self._begin(None)

    def _begin(self, file: Path | None) -> None:
        """Forget everything; the signals are up to the caller."""
        self._file = file
        self._device = "auto"
        self._order: tuple[int, ...] = ()
        # Also of clips that were removed: what is undone brings them back as they were.
        self._clips: dict[int, Clip] = {}
        self._saved_order: tuple[int, ...] = ()
        self._saved: dict[int, Clip] = {}
        self._edited: set[int] = set()
        self._ends: dict[int, float | None] = {}
        self._playheads: dict[int, int] = {}
        self._current: int | None = None
        self._info: VideoInfo | None = None
        self._decode_read = AS_IT_IS
        self._playhead = 0
        self.undo_stack.clear()

    # The clip at hand ------------------------------------------------------------------------------------------------

    @property
    def info(self) -> VideoInfo | None:
        """The facts of the clip at hand; None when there is none."""
        return self._info

    @property
    def current(self) -> int | None:
        """The number of the clip at hand; None when there is none."""
        return self._current if self._current in self._order else None

    @property
    def clip(self) -> Clip | None:
        """What an export of the clip at hand would need; None when there is none."""
        return None if self.current is None else self.clip_of(self.current)

    @property
    def settings(self) -> CorrectionSettings:
        """How the clip at hand is corrected."""
        return CorrectionSettings() if self.current is None else self._clips[self.current].settings

    @property
    def decode(self) -> DecodeSettings:
        """How the clip is wanted to be read; until that has been done, or refused, it is read as before."""
        return AS_IT_IS if self.current is None else self._clips[self.current].decode

    @property
    def playhead(self) -> int:
        """The frame shown, 0-based."""
        return self._playhead

    # The project -----------------------------------------------------------------------------------------------------

    @property
    def order(self) -> tuple[int, ...]:
        """The numbers of all clips, in their order."""
        return self._order

    @property
    def file(self) -> Path | None:
        """Where the project was last saved, or read from; None for a new one."""
        return self._file

    @property
    def project(self) -> Project:
        """The whole project, as exports of its clips would need it."""
        return Project(tuple(self.clip_of(number) for number in self._order), self._device)

    @property
    def is_changed(self) -> bool:
        """True when closing the project would lose work; that one clip was opened and looked at is none."""
        if any(self.is_clip_changed(number) for number in self._order):
            return True
        is_fresh = self._file is None and not self._saved_order and len(self._order) <= 1
        return self._order != self._saved_order and not is_fresh

    def is_clip_changed(self, number: int) -> bool:
        """True when a clip is not as it was saved, or added."""
        return self._clips[number] != self._saved.get(number)

    def clip_of(self, number: int) -> Clip:
        """A clip; of one that is cut short only what it still holds can be meant.

        Raises:
            KeyError: There is no such clip.
        """
        clip, end = self._clips[number], self._ends.get(number)
        if end is None or (clip.stop_seconds is not None and clip.stop_seconds <= end) or clip.start_seconds >= end:
            return clip
        return replace(clip, stop_seconds=end)

    def number_of(self, path: Path) -> int | None:
        """The first clip with this source; None when there is none."""
        return next((number for number in self._order if self._clips[number].path == path), None)

    def snapshot(self) -> Snapshot:
        """The project as it is now, to be written on another thread."""
        clips = {number: self._clips[number] for number in self._order}
        return Snapshot(Project(tuple(clips.values()), self._device), self._file, clips)

    # Opened and saved ------------------------------------------------------------------------------------------------

    def use_clip(self, info: VideoInfo, decode: DecodeSettings = AS_IT_IS, number: int | None = None) -> None:
        """Turn to a clip that has been opened: the one of that number, or a new one that joins the project.

        The first clip of a new project begins it: there is nothing to undo.
        """
        if number is not None and number not in self._order:
            return
        if self._current is not None:
            self._playheads[self._current] = self._playhead
        if number is None:
            self._numbers += 1
            number = self._numbers
            self._clips[number] = self._saved[number] = Clip(info.path, decode=decode)
            # What listens to the order must find the clip at hand.
            self._turn_to(number, info, decode)
            if self._order or self.undo_stack.count():
                self._arrange((*self._order, number), f"Add {info.path.name}")
            else:
                self._order = (number,)
        else:
            self._turn_to(number, info, decode)
        self.clip_changed.emit()
        self.settings_changed.emit()
        self.range_changed.emit()
        self.playhead_changed.emit(self._playhead)
        self.project_changed.emit()

    def use_reading(self, info: VideoInfo, decode: DecodeSettings) -> None:
        """The clip at hand has been read in another way: its facts are others, all else stays."""
        if self.current is None:
            return
        self._playheads[self.current] = self._playhead
        self._turn_to(self.current, info, decode)
        self.clip_changed.emit()
        self.playhead_changed.emit(self._playhead)

    def leave_clip(self) -> None:
        """No clip is at hand any more, as when the last one was removed."""
        if self._current is not None:
            self._playheads[self._current] = self._playhead
        self._current = self._info = None
        self._decode_read, self._playhead = AS_IT_IS, 0
        self.clip_changed.emit()
        self.settings_changed.emit()
        self.range_changed.emit()
        self.project_changed.emit()

    def begin(self, project: Project = Project(), file: Path | None = None, *, is_saved: bool = True) -> None:  # noqa: B008 - frozen
        """Start on another project, with nothing to undo; none of its clips is at hand yet."""
        self._begin(file)
        self._device = project.device
        for clip in project.clips:
            self._numbers += 1
            self._clips[self._numbers] = clip
        self._order = tuple(self._clips)
        self._edited.update(self._order)
        if is_saved:
            self._saved, self._saved_order = dict(self._clips), self._order
        self.leave_clip()

    def use_saved(self, snapshot: Snapshot, file: Path) -> None:
        """A snapshot has been written to a file; what has changed since is still to be saved."""
        self._file = file
        self._saved.update(snapshot.clips)
        self._saved_order = tuple(snapshot.clips)
        self.project_changed.emit()

    def note_source(self, number: int, facts: SourceFacts) -> None:
        """What is known of a clip's source, for the day it has moved; no edit."""
        if number in self._clips:
            self._clips[number] = replace(self._clips[number], source=facts)

    def keep_reading(self) -> None:
        """Another way of reading the clip was refused: go back to how it is read, as if nobody had asked."""
        number, stack, read = self.current, self.undo_stack, self._decode_read
        if number is None or self.decode == read:
            return
        wanted = {number: {"decode": self.decode}}
        kept: dict[int, Fields] = {number: {"decode": read}}
        done, undone = _edit_at(stack, stack.index() - 1), _edit_at(stack, stack.index())
        if done is not None and (done.before, done.after) == (kept, wanted):
            # An obsolete command goes without being undone.
            done.setObsolete(True)
            stack.undo()
            self._use_fields(kept)
        elif undone is not None and (undone.after, undone.before) == (kept, wanted):
            stack.redo()
        else:
            self._use_fields(kept)

    def suggest_denoise(self) -> bool:
        """Remove the noise of a clip that has just been added; there is nothing to undo. False once it was edited."""
        number = self.current
        if number is None or number in self._edited or self.settings != CorrectionSettings():
            return False
        self._clips[number] = self._saved[number] = replace(
            self._clips[number], settings=replace(self.settings, denoise=1.0)
        )
        self.settings_changed.emit()
        return True

    def set_playhead(self, index: int) -> None:
        """Move to a frame; past either end means that end."""
        if self._info is None:
            return
        index = max(0, min(index, self._info.frame_count - 1))
        if index != self._playhead:
            self._playhead = index
            self.playhead_changed.emit(index)

    # Edits -----------------------------------------------------------------------------------------------------------

    def edit(self, name: str, value: float, gesture: int) -> None:
        """Change one setting; edits of one ``gesture`` undo as one."""
        self._edit_clip(
            {"settings": replace(self.settings, **{name: value})}, f"Change {_NAMES[name]}", (name, gesture)
        )

    def use_settings(self, settings: CorrectionSettings, text: str) -> None:
        """Change all settings at once, as one undoable step; ``text`` names it in the menu."""
        self._edit_clip({"settings": settings}, text)

    def reset_settings(self) -> None:
        """Back to the network's own answer, as one undoable step."""
        self.use_settings(CorrectionSettings(), "Reset correction")

    def copy_settings_to_all(self) -> None:
        """Correct every clip as the one at hand, as one undoable step."""
        wanted: Fields = {"settings": self.settings}
        if self.current is not None:
            self._push(dict.fromkeys(self._order, wanted), "Copy settings to all clips")

    def edit_decode(self, decode: DecodeSettings, text: str) -> None:
        """Read the clip in another way, as one undoable step; ``text`` names it in the menu."""
        self._edit_clip({"decode": decode}, text)

    def edit_range(
        self, start_seconds: float, stop_seconds: float | None, text: str, gesture: int | None = None
    ) -> None:
        """Change the in and out points; None as out point is the end of the clip. Edits of one gesture undo as one.

        Raises:
            InputError: The range is empty.
        """
        of_gesture = None if gesture is None else ("range", gesture)
        self._edit_clip({"start_seconds": start_seconds, "stop_seconds": stop_seconds}, text, of_gesture)

    def add_clips(self, clips: Sequence[Clip]) -> tuple[int, ...]:
        """Add clips at the end, as one undoable step; returns their numbers. The first of them is wanted.

        As in `use_clip`, those that begin a new project are no step.
        """
        numbers = tuple(range(self._numbers + 1, self._numbers + 1 + len(clips)))
        if numbers:
            self._numbers = numbers[-1]
            self._clips.update(zip(numbers, clips, strict=True))
            self._saved.update(zip(numbers, clips, strict=True))
            text = f"Add {clips[0].path.name}" if len(clips) == 1 else f"Add {len(clips)} clips"
            if self._order or self.undo_stack.count():
                self._arrange((*self._order, *numbers), text)
            else:
                self._use_order(numbers)
        return numbers

    def remove_clips(self, numbers: Sequence[int]) -> None:
        """Take clips out of the project, as one undoable step; their files stay as they are."""
        gone = [number for number in self._order if number in numbers]
        if gone:
            name = self._clips[gone[0]].path.name
            text = f"Remove {name}" if len(gone) == 1 else f"Remove {len(gone)} clips"
            self._arrange(tuple(number for number in self._order if number not in gone), text)

    def move_clips(self, order: Sequence[int]) -> None:
        """Put the clips in another order, as one undoable step."""
        if sorted(order) == sorted(self._order):
            self._arrange(tuple(order), "Move clip")

    def relink(self, paths: dict[int, Path]) -> None:
        """Give clips other sources, as one undoable step."""
        text = "Find missing clip" if len(paths) == 1 else f"Find {len(paths)} missing clips"
        self._push({number: {"path": path} for number, path in paths.items()}, text)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _turn_to(self, number: int, info: VideoInfo, decode: DecodeSettings) -> None:
        self._current, self._info, self._decode_read = number, info, decode
        self._ends[number] = _end_of(info)
        self._playhead = min(self._playheads.get(number, 0), info.frame_count - 1)

    def _edit_clip(self, fields: Fields, text: str, gesture: tuple[str, int] | None = None) -> None:
        if self.current is not None:
            self._push({self.current: fields}, text, gesture)

    def _push(self, after: dict[int, Fields], text: str, gesture: tuple[str, int] | None = None) -> None:
        """Make an edit of what it changes."""
        before = {number: self._fields(number, fields) for number, fields in after.items() if number in self._clips}
        changed = {number: after[number] for number, fields in before.items() if fields != after[number]}
        if changed:
            for number, fields in changed.items():
                replace(self._clips[number], **fields)  # refuses what makes no sense before anything has changed
            self._edited.update(changed)
            self.undo_stack.push(_Edit(self._use_fields, before, changed, text, gesture))

    def _fields(self, number: int, like: Fields) -> Fields:
        return {name: getattr(self._clips[number], name) for name in like}

    def _use_fields(self, values: dict[int, Fields]) -> None:
        for number, fields in values.items():
            self._clips[number] = replace(self._clips[number], **fields)
        fields = values.get(self._current or 0, {})
        if "settings" in fields:
            self.settings_changed.emit()
        if "decode" in fields:
            self.decode_changed.emit()
        if "stop_seconds" in fields:
            self.range_changed.emit()
        self.project_changed.emit()
        if "path" in fields:
            self.clip_wanted.emit(self._current)
        elif not fields and not any("path" in one for one in values.values()):
            self._want(tuple(values))

    def _arrange(self, order: tuple[int, ...], text: str) -> None:
        if order != self._order:
            self.undo_stack.push(_Arrangement(self._use_order, self._order, order, text))

    def _use_order(self, order: tuple[int, ...]) -> None:
        before, self._order = self._order, order
        self.project_changed.emit()
        gone = [number for number in before if number not in order]
        come = tuple(number for number in order if number not in before and number != self._current)
        if come:
            self._want(come)
        elif gone and not order:
            self.leave_clip()
        elif gone and self.current is None:
            place = before.index(self._current if self._current in gone else gone[0])
            self.clip_wanted.emit(order[min(place, len(order) - 1)])

    def _want(self, numbers: tuple[int, ...]) -> None:
        """Turn to the first of these clips: what has just changed is about them."""
        here = next((number for number in numbers if number in self._order), None)
        if here is not None:
            self.clip_wanted.emit(here)


def _end_of(info: VideoInfo) -> float | None:
    """The end of what is exported: of a clip that is cut short only what it still holds can be meant."""
    return math.floor(1000 * info.duration_seconds) / 1000 if info.missing_frames else None


class _Edit(QUndoCommand):
    """Fields of some clips before and after."""

    def __init__(
        self,
        use: Callable[[dict[int, Fields]], None],
        before: dict[int, Fields],
        after: dict[int, Fields],
        text: str,
        gesture: tuple[str, int] | None,
    ) -> None:
        super().__init__(text)
        self._use = use
        self.after = after
        self.before = {number: before[number] for number in after}
        self.gesture = gesture

    def id(self) -> int:
        return _COMMAND_ID

    def redo(self) -> None:
        self._use(self.after)

    def undo(self) -> None:
        self._use(self.before)

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or self.gesture is None or other.gesture != self.gesture:
            return False
        if other.before.keys() != self.before.keys():
            return False
        self.after = other.after
        self.setObsolete(self.after == self.before)
        return True


class _Arrangement(QUndoCommand):
    """Which clips there are, and their order, before and after."""

    def __init__(
        self, use: Callable[[tuple[int, ...]], None], before: tuple[int, ...], after: tuple[int, ...], text: str
    ) -> None:
        super().__init__(text)
        self._use = use
        self._before = before
        self._after = after

    def redo(self) -> None:
        self._use(self._after)

    def undo(self) -> None:
        self._use(self._before)


def _edit_at(stack: QUndoStack, place: int) -> _Edit | None:
    """The command at a place of the stack, when there is one and it changes clips."""
    command = stack.command(place) if 0 <= place < stack.count() else None
    return command if isinstance(command, _Edit) else None
