"""The clips of the project at work: adding, turning from one to another, and finding those that are missing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.errands import Errands
from app.project.clip_list import ClipList
from app.project.looks import ClipLook, ClipState, facts_of, look_at, reduced, refused_look, seconds_of, words_of
from app.project.missing_page import MissingPage
from app.project.relink import MissingClip, find_missing, is_there
from app.sequences import as_one_sequence
from vecnet_core.errors import VecnetError
from vecnet_core.project import Clip
from vecnet_core.video.decode import AS_IT_IS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.document import Document
    from app.preferences import Preferences
    from app.preview import Preview
    from app.preview_worker import OpenRequest, PreviewResult
    from app.session import OpenSession
    from vecnet_core.project import SourceFacts
    from vecnet_core.video.decode import DecodeSettings

_NAMED = 3
_UNKNOWN = ClipLook()


class Clips(QObject):
    """Connects the list of clips, the document and the preview; every look at a file is off the main thread.

    Signals:
        shown_changed: Another clip is shown, or none, or one that cannot be.
        note_raised: A sentence.
        error_raised: A sentence, and details for a report.
        missing_found: A sentence: clips of the project that was opened are missing.
        activity_changed: What is being done; empty when it is done.
    """

    shown_changed = Signal()
    note_raised = Signal(str)
    error_raised = Signal(str, str)
    missing_found = Signal(str)
    activity_changed = Signal(str)

    def __init__(
        self, document: Document, preview: Preview, preferences: Preferences, open_session: OpenSession, window: QWidget
    ) -> None:
        """No clips."""
        super().__init__(window)
        self._document = document
        self._preview = preview
        self._preferences = preferences
        self._open_session = open_session
        self._window = window
        self._errands = Errands(self)
        self._looks: dict[int, ClipLook] = {}
        self._looked_at: dict[int, Path] = {}
        self._is_filling = False
        self._looking_at: int | None = None
        self._shown: int | None = None
        self._generation = 0
        self._search = 0
        self._is_closed = False
        self.panel = ClipList()
        self.page = MissingPage()
        self.panel.select_asked.connect(self.select)
        self.panel.files_dropped.connect(self.add)
        self.panel.order_asked.connect(document.move_clips)
        self.panel.remove_asked.connect(document.remove_clips)
        self.panel.find_asked.connect(self.choose_folder)
        self.page.find_asked.connect(self.choose_folder)
        document.clip_wanted.connect(self._open_wanted)
        document.clip_changed.connect(self._use_clip)
        document.project_changed.connect(self.show)
        preview.clip_refused.connect(self._take_refusal)
        preview.frame_shown.connect(self._take_picture)

    # Asked -----------------------------------------------------------------------------------------------------------

    @property
    def shown(self) -> int | None:
        """The number of the clip that is shown, or is being opened, or is missing."""
        return self._shown

    @property
    def look(self) -> ClipLook:
        """What is known of the clip that is shown."""
        return _UNKNOWN if self._shown is None else self._looks.get(self._shown, _UNKNOWN)

    @property
    def has_missing(self) -> bool:
        """True when a clip of the project is not where it was."""
        return any(look.state is ClipState.MISSING for look in self._looks.values())

    def open(self, path: Path, decode: DecodeSettings = AS_IT_IS) -> None:
        """Open a clip that joins the project; one that is in it already is turned to."""
        number = self._document.number_of(path)
        if number is None:
            self._preview.open_clip(path, decode)
        else:
            self.select(number)

    def add(self, paths: Sequence[Path]) -> None:
        """Add clips and turn to the first; pictures of one numbered series are one clip."""
        sequence = as_one_sequence(paths)
        if sequence is not None or len(paths) == 1:
            self.open(sequence or paths[0])
            return
        new = [path for path in dict.fromkeys(paths) if self._document.number_of(path) is None]
        if new:
            self.activity_changed.emit(f"Looking at {len(new)} files")
            clips = [Clip(path) for path in new]
            work = partial(_look_at_all, self._open_session, clips)
            self._errands.send(work, partial(self._take_new, self._generation), self._refuse)
        elif paths:
            self.open(paths[0])

    def select(self, number: int) -> None:
        """Turn to a clip of the project."""
        if number == self._shown and self.look.state not in {ClipState.MISSING, ClipState.REFUSED}:
            return
        self._open_wanted(number)

    def select_next(self, step: int) -> None:
        """Turn to the clip after, or before, the one that is shown."""
        order = self._document.order
        if order and self._shown in order:
            self.select(order[max(0, min(order.index(self._shown) + step, len(order) - 1))])

    def remove_shown(self) -> None:
        """Take the clip that is shown out of the project."""
        if self._shown is not None:
            self._document.remove_clips([self._shown])

    def start(self) -> None:
        """Another project is open: see which of its clips are there, and turn to the first that is."""
        self._preview.close_clip()
        self._generation += 1
        self._looks.clear()
        self._shown = None
        self.show()
        self.shown_changed.emit()
        order = self._document.order
        if order:
            paths = {number: self._document.clip_of(number).path for number in order}
            self.activity_changed.emit("Looking for the clips of the project")
            self._errands.send(
                lambda: [number for number, path in paths.items() if not is_there(path)],
                partial(self._begin_with, self._generation),
                self._refuse,
            )

    def close(self) -> None:
        """The window closes: nothing more is looked at."""
        self._is_closed = True
        self._search += 1
        self._errands.close()

    # Missing ---------------------------------------------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Ask for the folder to look for missing clips in."""
        dialog = QFileDialog(self._window, "Find missing clips in a folder", str(self._preferences.last_folder))
        dialog.setObjectName("find_missing")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._find_in_text)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def find_in(self, folder: Path) -> None:
        """Look for all missing clips in a folder and the folders in it."""
        self._search += 1
        search = self._search
        missing = [
            MissingClip(number, self._document.clip_of(number))
            for number in self._document.order
            if self._looks.get(number, _UNKNOWN).state is ClipState.MISSING
        ]
        if missing:
            self.activity_changed.emit(f"Looking for missing clips in {folder}")
            self._errands.send(
                lambda: find_missing(
                    folder, missing, partial(seconds_of, self._open_session), lambda: search == self._search
                ),
                partial(self._relink, search, folder, len(missing)),
                self._refuse,
            )

    def _find_in_text(self, folder: str) -> None:
        self.find_in(Path(folder))

    def _relink(self, search: int, folder: Path, count: int, found: dict[int, Path]) -> None:
        if search != self._search:
            return
        self.activity_changed.emit("")
        found = {number: path for number, path in found.items() if number in self._document.order}
        for number in found:
            self._looks.pop(number, None)
        if found:
            self._document.relink(found)
        if len(found) == count:
            words = "The missing clip was" if count == 1 else f"All {count} missing clips were"
            self.note_raised.emit(f"{words} found in {folder}.")
        else:
            self.error_raised.emit(
                f"{count - len(found)} of {count} missing clips {'is' if count - len(found) == 1 else 'are'} not in "
                f"{folder}; choose another folder.",
                "",
            )
        if found and self._document.current is None:
            self._open_wanted(self._shown if self._shown in found else next(iter(found)))

    # Answers ---------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the list as it is, and look at what has not been looked at."""
        document = self._document
        # One that was found elsewhere, or whose finding was undone, is looked at anew.
        self._looks = {
            number: look
            for number, look in self._looks.items()
            if number in document.order and document.clip_of(number).path == self._looked_at[number]
        }
        if self._shown is not None and self._shown not in document.order and document.current is not None:
            self._open_wanted(document.current)
            return
        rows = [
            (number, document.clip_of(number), self._looks.get(number, _UNKNOWN), document.is_clip_changed(number))
            for number in document.order
        ]
        self.panel.show_clips(rows, self._shown)
        self._look_next()

    def _open_wanted(self, number: int) -> None:
        clip = self._document.clip_of(number)
        self._shown = number
        if self.look.state is not ClipState.THERE:
            self._looks.pop(number, None)
        self._preview.open_clip(clip.path, clip.decode, number)
        self.show()

    def _use_clip(self) -> None:
        """The document has turned to a clip, or to none."""
        info, current = self._document.info, self._document.current
        if info is None or current is None:
            if not self._document.order:
                self._shown = None
                self._preview.close_clip()
        else:
            self._shown = current
            look = self._looks.get(current, _UNKNOWN)
            self._keep_look(current, ClipLook(ClipState.THERE, words_of(info), look.picture))
            self._errands.send(partial(facts_of, info), partial(self._note_facts, self._generation, current))
        self.show()
        self.shown_changed.emit()

    def _take_refusal(self, request: OpenRequest) -> None:
        number = request.number
        if request.is_again or number is None or number not in self._document.order:
            if not request.is_again and self._shown != self._document.current is not None:
                # It took the place of a clip that was being turned to.
                self._shown = self._document.current
                self.show()
            return
        # What is shown is what is chosen in the list, also when there is nothing to show.
        self._preview.close_clip()
        self._document.leave_clip()
        self._shown = number
        self._errands.send(
            partial(refused_look, self._document.clip_of(number), "This clip cannot be opened."),
            partial(self._take_look, self._generation, number),
        )

    def _take_picture(self, result: PreviewResult) -> None:
        current = self._document.current
        look = None if current is None else self._looks.get(current)
        if current is not None and look is not None and look.picture is None:
            self._keep_look(current, replace(look, picture=reduced(result.original_bgra)))
            self.show()

    def _look_next(self) -> None:
        """Look at one clip at a time: many at once would only wait for the disk, and for each other."""
        if self._looking_at is not None or self._is_closed or self._is_filling:
            return
        waiting = [number for number in self._document.order if number not in self._looks and number != self._shown]
        if waiting:
            number = self._looking_at = waiting[0]
            work = partial(look_at, self._open_session, self._document.clip_of(number))
            take = partial(self._take_look, self._generation, number)
            self._errands.send(work, take, lambda sentence: take(ClipLook(ClipState.REFUSED, sentence)))

    def _take_look(self, generation: int, number: int, look: ClipLook) -> None:
        if number == self._looking_at:
            self._looking_at = None
        is_known = self._looks.get(number, _UNKNOWN).state is ClipState.THERE
        if generation == self._generation and number in self._document.order and not is_known:
            self._keep_look(number, look)
            if look.facts is not None:
                self._document.note_source(number, look.facts)
            if number == self._shown:
                self.shown_changed.emit()
        self.show()

    def _keep_look(self, number: int, look: ClipLook) -> None:
        self._looks[number] = look
        self._looked_at[number] = self._document.clip_of(number).path

    def _note_facts(self, generation: int, number: int, facts: SourceFacts) -> None:
        if generation == self._generation:
            self._document.note_source(number, facts)

    def _take_new(self, generation: int, looked_at: list[tuple[Clip, ClipLook]]) -> None:
        self.activity_changed.emit("")
        for _, look in looked_at:
            if look.state is not ClipState.THERE:
                self.note_raised.emit(look.sentence)
        good = [(clip, look) for clip, look in looked_at if look.state is ClipState.THERE]
        if generation != self._generation or not good:
            return
        # Until they are known, none of them is to be looked at again.
        self._is_filling = True
        numbers = self._document.add_clips([clip for clip, _ in good])
        self._is_filling = False
        for number, (_, look) in zip(numbers, good, strict=True):
            self._keep_look(number, look)
            if look.facts is not None:
                self._document.note_source(number, look.facts)
        self.show()

    def _begin_with(self, generation: int, missing: list[int]) -> None:
        self.activity_changed.emit("")
        if generation != self._generation:
            return
        document = self._document
        gone = [number for number in missing if number in document.order]
        for number in gone:
            self._keep_look(number, ClipLook(ClipState.MISSING, f"Not found at {document.clip_of(number).path}"))
        there = [number for number in document.order if number not in gone]
        if gone:
            names = [document.clip_of(number).path.name for number in gone]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            is_one = len(gone) == 1
            count = "1 clip of the project is" if is_one else f"{len(gone)} clips of the project are"
            self.missing_found.emit(f"{count} missing: {', '.join(names[:_NAMED])}{more}.")
        if there:
            self._open_wanted(there[0])
        elif gone:
            self._shown = gone[0]
            self.shown_changed.emit()
        self.show()

    def _refuse(self, sentence: str) -> None:
        self.activity_changed.emit("")
        self.error_raised.emit(sentence, "")


def _look_at_all(open_session: OpenSession, clips: list[Clip]) -> list[tuple[Clip, ClipLook]]:
    looks: list[tuple[Clip, ClipLook]] = []
    for clip in clips:
        try:
            looks.append((clip, look_at(open_session, clip)))
        except (VecnetError, OSError) as error:
            looks.append((clip, refused_look(clip, f"{clip.path}: {error}")))
    return looks
