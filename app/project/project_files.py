"""The project as a file: new, open, save, recent ones, what is kept against crashes, the question before closing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.errands import Errands
from app.project.recovery import Keeper, LostProject, find_lost
from vecnet_core.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.document import Document, Snapshot
    from app.preferences import Preferences

ENDING = ".vecnet"
"""Of the name of a project's file."""
KEEP_SECONDS = 60
_FILTER = f"VECNet project (*{ENDING})"
_MOST_RECENT = 10


class ProjectFiles(QObject):
    """Reads and writes projects off the main thread; nothing that is unsaved goes without a question.

    Signals:
        begun: Another project is open; its clips are still to be opened.
        recent_changed: The recent files are others.
        error_raised: A sentence, and details for a report.
        lost_found: A `LostProject` of an editor that ended unexpectedly.
        close_agreed: The question on closing the window was answered with anything but Cancel.
    """

    begun = Signal()
    recent_changed = Signal()
    error_raised = Signal(str, str)
    lost_found = Signal(object)
    close_agreed = Signal()

    def __init__(
        self, document: Document, preferences: Preferences, folder: Callable[[], Path], window: QWidget
    ) -> None:
        """A new project; ``folder`` tells where projects are kept against crashes."""
        super().__init__(window)
        self._document = document
        self._preferences = preferences
        self._folder = folder
        self._window = window
        self._errands = Errands(self)
        self._keeper: Keeper | None = None
        self._kept: tuple[Project, Path | None] | None = None
        self._is_keeping = False
        self._wants_to_keep = False
        self._is_saving = False
        self._lost: list[LostProject] = []
        self.question: QMessageBox | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(KEEP_SECONDS * 1000)
        self._timer.timeout.connect(self.keep)
        self._timer.start()

    # File menu -------------------------------------------------------------------------------------------------------

    def new(self) -> None:
        """Close the project and begin a new one."""
        self.ask_first(partial(self._begin, Project(), None))

    def choose(self) -> None:
        """Choose a project to open."""
        dialog = QFileDialog(self._window, "Open project", str(self._preferences.last_folder), _FILTER)
        dialog.setObjectName("open_project")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._open_text)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open(self, path: Path) -> None:
        """Open a project; one that is refused is left as it is, and so is the one at hand."""
        path = path.absolute()
        self._errands.send(lambda: Project.load(path), partial(self._take_loaded, path), self._tell)

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Save the project where it was saved last; a new one asks where. ``then`` is done once it is saved."""
        if self._document.file is None:
            self.save_as(then)
        else:
            self._save(self._document.file, then)

    def save_as(self, then: Callable[[], None] | None = None) -> None:
        """Ask where to save the project, and save it there."""
        dialog = QFileDialog(self._window, "Save project", str(self._preferences.last_folder), _FILTER)
        dialog.setObjectName("save_project")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(ENDING[1:])
        dialog.selectFile(self._suggested_name())
        dialog.fileSelected.connect(partial(self._save_text, then))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save_to(self, path: Path, then: Callable[[], None] | None = None) -> None:
        """Save the project there from now on."""
        self._save(path.absolute(), then)

    @property
    def recent(self) -> list[Path]:
        """Projects and clips that were opened, newest first."""
        return self._preferences.paths("recent")

    def note_recent(self, path: Path) -> None:
        """A project or a clip has been opened or saved."""
        path = path.absolute()
        recent = [path, *(one for one in self.recent if one != path)]
        self._preferences.set_paths("recent", recent[:_MOST_RECENT])
        self.recent_changed.emit()

    def forget_recent(self) -> None:
        """Empty the list of recent files."""
        self._preferences.set_paths("recent", [])
        self.recent_changed.emit()

    def ask_first(self, then: Callable[[], None]) -> None:
        """Do something that ends the project; with unsaved changes only once the person has agreed.

        The question belongs to the window and waits for nobody: playback and exports go on beneath it.
        """
        if not self._document.is_changed:
            then()
            return
        if self.question is not None:
            self.question.raise_()
            return
        kinds = QMessageBox.StandardButton
        name = self._document.file.name if self._document.file else "this project"
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Unsaved changes", f"Save the changes to {name}?")
        box.setParent(self._window, box.windowFlags())
        box.setObjectName("unsaved_changes")
        box.setInformativeText("Clips and finished exports are never touched; a running export goes on.")
        box.setStandardButtons(kinds.Save | kinds.Discard | kinds.Cancel)
        box.setDefaultButton(kinds.Save)
        for kind, tip in (
            (kinds.Save, "Write the project to its file first"),
            (kinds.Discard, "Go on without the changes"),
            (kinds.Cancel, "Go back to the project (Esc)"),
        ):
            box.button(kind).setToolTip(tip)
            # The style's own icons are of another family, and coloured.
            box.button(kind).setIcon(QIcon())
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(partial(self._take_answer, then))
        self.question = box
        box.open()

    def ask_to_close(self) -> bool:
        """True when the window may close at once; else `close_agreed` comes when the person agrees."""
        if not self._document.is_changed:
            return True
        self.ask_first(self.close_agreed.emit)
        return False

    # Against crashes -------------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Keep the project as it is now, unless that has been done."""
        snapshot = self._document.snapshot()
        wanted = (snapshot.project, snapshot.file)
        if self._is_keeping:
            self._wants_to_keep = True
            return
        if wanted == self._kept or (self._keeper is None and not snapshot.clips):
            return
        keeper = self._keeper = self._keeper or Keeper(self._folder())
        self._is_keeping, self._kept = True, wanted
        work = partial(keeper.keep, *wanted) if snapshot.clips else keeper.forget
        self._errands.send(work, self._end_keeping, self._fail_keeping)

    def look_for_lost(self) -> None:
        """Look for projects of editors that ended unexpectedly; `lost_found` tells of each."""
        self._errands.send(lambda: find_lost(self._folder()), self._take_lost)

    def restore(self, lost: LostProject) -> None:
        """Go on with a project that was lost; until it is saved it counts as changed."""
        self.ask_first(partial(self._restore, lost))

    def discard(self, lost: LostProject) -> None:
        """Forget a project that was lost."""
        self._release(lost)

    def close(self) -> None:
        """The window closes: wait for what is being written, and leave nothing to restore."""
        self._timer.stop()
        self._errands.close()
        for lost in self._lost:
            # Not answered: the next start asks again.
            lost.lock.unlock()
        if self._keeper is not None:
            self._keeper.forget()

    # Inside ----------------------------------------------------------------------------------------------------------

    def _open_text(self, path: str) -> None:
        self.open(Path(path))

    def _save_text(self, then: Callable[[], None] | None, path: str) -> None:
        self._save(Path(path), then)

    def _take_loaded(self, path: Path, project: Project) -> None:
        self.ask_first(partial(self._begin, project, path))

    def _begin(self, project: Project, file: Path | None, *, is_saved: bool = True) -> None:
        self._document.begin(project, file, is_saved=is_saved)
        if file is not None:
            self._preferences.set_last_folder(file.parent)
            self.note_recent(file)
        self.begun.emit()
        self.keep()

    def _restore(self, lost: LostProject) -> None:
        self._begin(lost.project, lost.file, is_saved=False)
        self._release(lost)

    def _release(self, lost: LostProject) -> None:
        if lost in self._lost:
            self._lost.remove(lost)
        self._errands.send(lost.forget, _nothing_more, self._tell)

    def _save(self, path: Path, then: Callable[[], None] | None) -> None:
        if self._is_saving:
            # The file on the way out is older than what is wanted now.
            QTimer.singleShot(50, self, partial(self._save, path, then))
            return
        self._is_saving = True
        snapshot = self._document.snapshot()
        project = replace(snapshot.project, device=self._preferences.device)
        self._errands.send(partial(project.save, path), partial(self._end_save, snapshot, path, then), self._fail_save)

    def _end_save(self, snapshot: Snapshot, path: Path, then: Callable[[], None] | None, _: None) -> None:
        self._is_saving = False
        self._document.use_saved(snapshot, path)
        self._preferences.set_last_folder(path.parent)
        self.note_recent(path)
        if then is not None:
            then()

    def _fail_save(self, sentence: str) -> None:
        self._is_saving = False
        self._tell(sentence)

    def _take_answer(self, then: Callable[[], None], answer: int) -> None:
        self.question = None
        if answer == QMessageBox.StandardButton.Save.value:
            self.save(then)
        elif answer == QMessageBox.StandardButton.Discard.value:
            then()

    def _suggested_name(self) -> str:
        document = self._document
        if document.file is not None:
            return str(document.file)
        if not document.order:
            return f"project{ENDING}"
        source = document.clip_of(document.order[0]).path
        return str(source.with_name(f"{source.stem or source.name}{ENDING}"))

    def _end_keeping(self, _: None) -> None:
        self._is_keeping = False
        if self._wants_to_keep:
            self._wants_to_keep = False
            self.keep()

    def _fail_keeping(self, sentence: str) -> None:
        self._is_keeping, self._kept = False, None
        self.error_raised.emit(f"The project cannot be kept against a crash: {sentence} Save it yourself.", "")

    def _take_lost(self, lost: list[LostProject]) -> None:
        self._lost += lost
        for one in lost:
            self.lost_found.emit(one)

    def _tell(self, sentence: str) -> None:
        self.error_raised.emit(sentence, "")


def _nothing_more(_: None) -> None:
    """Nobody waits for this errand."""
