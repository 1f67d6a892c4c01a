"""What a person chooses to open: clips, pictures, folders, the sample, projects, and recent files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.places import sample_clip
from app.project.project_files import ENDING
from app.sequences import PICTURE_ENDINGS, pattern_of
from vecnet_core.errors import VecnetError
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings

if TYPE_CHECKING:
    from app.preferences import Preferences
    from app.project.clips import Clips
    from app.project.project_files import ProjectFiles

USUAL_RATE = Fraction(25)
"""Frames per second of pictures, as the core assumes it."""
_VIDEOS = "*.mp4 *.mov *.mkv *.m4v *.avi *.webm *.mts *.m2ts *.mxf *.mpg *.ts"


class Opening(QObject):
    """Asks what to open, and has it opened.

    Signals:
        error_raised: A sentence, and details for a report.
    """

    error_raised = Signal(str, str)

    def __init__(self, clips: Clips, files: ProjectFiles, preferences: Preferences, window: QWidget) -> None:
        """Ask in front of ``window``."""
        super().__init__(window)
        self._clips = clips
        self._files = files
        self._preferences = preferences
        self._window = window
        self.recent_menu = QMenu("Open &recent", window)
        self.recent_menu.setToolTipsVisible(True)
        files.recent_changed.connect(self.show_recent)
        self.show_recent()

    def open(self, *paths: Path, decode: DecodeSettings = AS_IT_IS) -> None:
        """Open what was dropped or named: a project, or clips that join the one at hand."""
        project = next((path for path in paths if path.suffix.lower() == ENDING), None)
        if project is not None:
            self._files.open(project)
        elif len(paths) == 1:
            self._clips.open(paths[0], decode)
        else:
            self._clips.add(paths)

    def open_sequence(self, picture: Path) -> None:
        """Open the numbered series that one picture belongs to."""
        pattern = pattern_of(picture)
        if pattern is not None:
            self.open(pattern)
        else:
            # A name no pattern can be made of: with a rate the picture stands for its series.
            self.open(picture, decode=DecodeSettings(frame_rate=USUAL_RATE))

    def choose_clips(self) -> None:
        """Choose clips, or a project."""
        chosen, _ = QFileDialog.getOpenFileNames(
            self._window,
            "Open clips",
            str(self._preferences.last_folder),
            f"Video ({_VIDEOS});;VECNet project (*{ENDING});;All files (*)",
        )
        if chosen:
            self.open(*(Path(path) for path in chosen))

    def choose_sequence(self) -> None:
        """Choose any picture of a numbered series."""
        endings = " ".join(f"*{ending} *{ending.upper()}" for ending in PICTURE_ENDINGS)
        chosen, _ = QFileDialog.getOpenFileName(
            self._window,
            "Open image sequence: choose any picture of it",
            str(self._preferences.last_folder),
            f"Pictures ({endings})",
        )
        if chosen:
            self.open_sequence(Path(chosen))

    def choose_folder(self) -> None:
        """Choose a folder of pictures."""
        chosen = QFileDialog.getExistingDirectory(
            self._window, "Open a folder of pictures", str(self._preferences.last_folder)
        )
        if chosen:
            self.open(Path(chosen))

    def _open_recent(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.open(Path(action.data()))

    def open_sample(self) -> None:
        """Open the bundled clip."""
        try:
            self.open(sample_clip())
        except VecnetError as error:
            self.error_raised.emit(error.sentence, "")

    def show_recent(self) -> None:
        """Fill the menu of recent files."""
        menu = self.recent_menu
        menu.clear()
        for path in self._files.recent:
            action = menu.addAction(path.name.replace("&", "&&"))
            action.setToolTip(str(path))
            action.setStatusTip(str(path))
            action.setData(path)
            action.triggered.connect(self._open_recent)
        menu.setEnabled(not menu.isEmpty())
        if not menu.isEmpty():
            menu.addSeparator()
            forget = menu.addAction("&Clear this list", self._files.forget_recent)
            forget.setToolTip("Forget which files were opened; the files stay")
