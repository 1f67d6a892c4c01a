"""The project's room: joins its clips, its file, its presets and what is chosen to be opened, and tells the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.notices import Answer, NoticeBar
from app.places import presets_file, projects_folder
from app.project.clips import Clips
from app.project.looks import ClipState
from app.project.opening import Opening
from app.project.presets import PresetBar, Presets
from app.project.project_files import ProjectFiles

if TYPE_CHECKING:
    from app.actions import Actions
    from app.document import Document
    from app.preferences import Preferences
    from app.preview import Preview
    from app.project.recovery import LostProject
    from app.session import OpenSession
    from vecnet_core.settings import CorrectionSettings


@dataclass(frozen=True)
class ProjectPlaces:
    """Where things of projects are kept.

    Attributes:
        folder: Tells the folder of projects that are kept against crashes.
        presets: Tells the file of the person's own presets.
    """

    folder: Callable[[], Path] = projects_folder
    presets: Callable[[], Path] = presets_file


class ProjectRoom(QObject):
    """Shows the list of clips and the title, and does what the menus ask of the project.

    Signals:
        close_agreed: The window may close: what was unsaved is saved, or not wanted.
        activity_changed: What is being done, for the status bar.
        emptied: No clip is at hand; True when one of the project is chosen and cannot be opened.
    """

    close_agreed = Signal()
    activity_changed = Signal(str)
    emptied = Signal(bool)

    def __init__(
        self,
        document: Document,
        preview: Preview,
        preferences: Preferences,
        open_session: OpenSession,
        notices: NoticeBar,
        actions: Actions,
        places: ProjectPlaces,
        window: QWidget,
    ) -> None:
        """An empty project."""
        super().__init__(window)
        self._document = document
        self._preferences = preferences
        self._notices = notices
        self._actions = actions
        self._window = window
        self._stack = QStackedWidget()
        self._copied: CorrectionSettings | None = None
        self._missing = ""
        self.clips = Clips(document, preview, preferences, open_session, window)
        self.files = ProjectFiles(document, preferences, places.folder, window)
        self.presets = Presets(document, places.presets, self)
        self.opening = Opening(self.clips, self.files, preferences, window)
        self.preset_bar = PresetBar(
            self.presets,
            document,
            tuple(actions[name] for name in ("copy_settings", "paste_settings", "copy_to_all")),
        )
        self._connect()
        self._connect_actions()
        self.show_title()

    def around(self, pictures: QWidget) -> QStackedWidget:
        """The pictures; of a clip that cannot be opened, in their place, what is to be said of it."""
        self._stack.addWidget(pictures)
        self._stack.addWidget(self.clips.page)
        self.show_column()
        return self._stack

    def may_close(self) -> bool:
        """True when the window may close; else the person is asked, and `close_agreed` tells when it may."""
        return self.files.ask_to_close()

    def close(self) -> None:
        """The window closes."""
        self.clips.close()
        self.files.close()
        self.presets.close()

    def show_title(self) -> None:
        """The clip, whether there is something to save, and the project."""
        shown, document = self.clips.shown, self._document
        clip = document.clip_of(shown).path.name if shown in document.order else ""
        project = document.file.stem if document.file is not None else ""
        # Qt takes a doubled mark for one that is meant.
        names = [name.replace("[*]", "[*][*]") for name in (clip, project) if name]
        first = f"{names[0]}[*]" if names else "VECNet[*]"
        self._window.setWindowTitle(" \N{EM DASH} ".join([first, *names[1:], *(["VECNet"] if names else [])]))
        self._window.setWindowModified(document.is_changed)

    def show_column(self) -> None:
        """The list of clips is in sight as soon as there is something in it, unless it is not wanted."""
        is_wanted = self._preferences.text("clips_list", "shown") == "shown"
        self._actions["show_clips"].setChecked(is_wanted)
        self.clips.panel.setVisible(is_wanted and bool(self._document.order) and not self._window.isFullScreen())

    def offer(self, lost: LostProject) -> None:
        """Offer a project whose editor ended unexpectedly."""
        self._notices.show_offer(
            lost.sentence,
            Answer("Restore", "Go on where it was left, as far as it was kept", partial(self.files.restore, lost)),
            Answer("Discard", "Forget what was kept of it; saved files stay", partial(self.files.discard, lost)),
        )

    def _connect(self) -> None:
        clips, files, document, notices = self.clips, self.files, self._document, self._notices
        clips.shown_changed.connect(self._show_clip)
        clips.note_raised.connect(self._show_note)
        clips.error_raised.connect(notices.show_error)
        clips.missing_found.connect(self._show_missing)
        clips.activity_changed.connect(self.activity_changed)
        clips.panel.add_asked.connect(self.opening.choose_clips)
        files.begun.connect(self._begin)
        files.error_raised.connect(notices.show_error)
        files.lost_found.connect(self.offer)
        files.close_agreed.connect(self.close_agreed)
        self.presets.error_raised.connect(notices.show_error)
        self.opening.error_raised.connect(notices.show_error)
        document.project_changed.connect(self._show_project)

    def _connect_actions(self) -> None:
        actions = self._actions
        for name, do in {
            "new": self.files.new,
            "close_project": self.files.new,
            "open": self.opening.choose_clips,
            "open_sequence": self.opening.choose_sequence,
            "open_folder": self.opening.choose_folder,
            "open_project": self.files.choose,
            "sample": self.opening.open_sample,
            "save": self._save,
            "save_as": self._save_as,
            "copy_settings": self._copy,
            "paste_settings": self._paste,
            "copy_to_all": self._document.copy_settings_to_all,
            "show_clips": self._toggle_column,
            "next_clip": self._turn_on,
            "previous_clip": self._turn_back,
            "remove_clip": self.clips.remove_shown,
            "find_missing": self.clips.choose_folder,
        }.items():
            actions[name].triggered.connect(do)
        actions.menus["&File"].insertMenu(actions["save"], self.opening.recent_menu)

    def _begin(self) -> None:
        self._notices.clear()
        self._notices.dismiss(self._missing)
        self.clips.start()

    def _show_clip(self) -> None:
        stack, shown = self._stack, self.clips.shown
        if self._document.info is not None:
            stack.setCurrentIndex(0)
            self._note_opened()
        else:
            look = self.clips.look
            is_broken = shown in self._document.order and look.state in {ClipState.MISSING, ClipState.REFUSED}
            if is_broken:
                name = self._document.clip_of(shown or 0).path.name
                self.clips.page.show_clip(name, look.words, is_missing=look.state is ClipState.MISSING)
            stack.setCurrentIndex(int(is_broken))
            self.emptied.emit(is_broken)
        self._show_project()

    def _note_opened(self) -> None:
        clip = self._document.clip
        if clip is not None and clip.path not in self.files.recent[:1]:
            self.files.note_recent(clip.path)

    def _show_project(self) -> None:
        self.show_title()
        self.show_column()
        self._actions["find_missing"].setEnabled(self.clips.has_missing)
        self._actions["remove_clip"].setEnabled(bool(self._document.order))
        if not self._actions["find_missing"].isEnabled():
            self._notices.dismiss(self._missing)
        many = len(self._document.order) > 1
        for name in ("next_clip", "previous_clip"):
            self._actions[name].setEnabled(many)

    def _show_note(self, sentence: str) -> None:
        # It is about more than the clip that is turned to next.
        self._notices.show_note(sentence, lasts=True)

    def _show_missing(self, sentence: str) -> None:
        find = Answer("Find…", "Look for them in a folder and the folders in it", self.clips.choose_folder)
        self._missing = sentence
        self._notices.show_offer(sentence, find)

    def _save(self) -> None:
        self.files.save()

    def _save_as(self) -> None:
        self.files.save_as()

    def _copy(self) -> None:
        self._copied = self._document.settings

    def _paste(self) -> None:
        if self._copied is None:
            self._notices.show_note("Nothing is copied yet: Copy settings in the Edit menu, then paste.")
        else:
            self._document.use_settings(self._copied, "Paste settings")

    def _toggle_column(self) -> None:
        is_wanted = self._preferences.text("clips_list", "shown") == "shown"
        self._preferences.set_text("clips_list", "hidden" if is_wanted else "shown")
        self.show_column()

    def _turn_on(self) -> None:
        self.clips.select_next(1)

    def _turn_back(self) -> None:
        self.clips.select_next(-1)
