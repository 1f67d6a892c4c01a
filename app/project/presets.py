"""Presets in the window: a list to choose from, and a menu to keep, rename and delete one's own; all of it undoable."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QLabel, QMenu, QToolButton, QWidget

from app.errands import Errands
from app.project.preset_file import MOST_PRESETS, Table, checked_name, load_presets, save_presets
from app.widgets.icons import icon
from vecnet_core.errors import SettingsError
from vecnet_core.settings import PRESETS, CorrectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QAction

    from app.document import Document

_TITLES = {name: name.capitalize() for name in PRESETS}
_DEFAULT = "Network's own answer"
_CUSTOM = "Custom"


class Presets(QObject):
    """The person's own presets; the file is read and written off the main thread.

    Signals:
        changed: There are others.
        error_raised: A sentence, and details for a report.
    """

    changed = Signal()
    error_raised = Signal(str, str)

    def __init__(self, document: Document, file: Callable[[], Path], parent: QObject | None = None) -> None:
        """Read what is there; until then there are none."""
        super().__init__(parent)
        self._document = document
        self._file = file
        self._errands = Errands(self)
        self._own: Table = {}
        self._refusal = ""
        self._is_writing = False
        self._is_stale = False
        self._errands.send(lambda: load_presets(file()), self._use_loaded, self._refuse)

    @property
    def own(self) -> Table:
        """By name, in the order they were made."""
        return self._own

    def keep(self, name: str, settings: CorrectionSettings) -> None:
        """Keep settings under a new name."""
        self._change(lambda: {**self._own, checked_name(name, self._own): settings}, f"Save preset {name}")

    def rename(self, name: str, other: str) -> None:
        """Give a preset another name."""
        rest = {one: settings for one, settings in self._own.items() if one != name}
        self._change(
            lambda: {(checked_name(other, rest) if one == name else one): what for one, what in self._own.items()},
            f"Rename preset {name}",
        )

    def delete(self, name: str) -> None:
        """Forget a preset."""
        rest = {one: settings for one, settings in self._own.items() if one != name}
        self._change(lambda: rest, f"Delete preset {name}")

    def close(self) -> None:
        """Wait for what is being written."""
        self._errands.close()

    def _change(self, make: Callable[[], Table], text: str) -> None:
        if self._refusal:
            # What cannot be read must not be written over.
            self.error_raised.emit(self._refusal, "")
            return
        try:
            after = make()
            if len(after) > MOST_PRESETS:
                raise SettingsError(f"there are {MOST_PRESETS} presets already", hint="delete one first")
        except SettingsError as error:
            self.error_raised.emit(error.sentence, "")
            return
        if list(after.items()) != list(self._own.items()):
            self._document.undo_stack.push(_PresetEdit(self._use, self._own, after, text))

    def _use(self, table: Table) -> None:
        self._own = table
        self.changed.emit()
        self._write()

    def _write(self) -> None:
        """One write at a time, so that the newest lands last."""
        if self._is_writing:
            self._is_stale = True
            return
        self._is_writing, self._is_stale = True, False
        table = self._own
        self._errands.send(lambda: save_presets(self._file(), table), self._end_write, self._fail_write)

    def _end_write(self, _: None = None) -> None:
        self._is_writing = False
        if self._is_stale:
            self._write()

    def _fail_write(self, sentence: str) -> None:
        self.error_raised.emit(sentence, "")
        self._end_write()

    def _use_loaded(self, table: Table) -> None:
        self._own = {**table, **self._own}
        self.changed.emit()

    def _refuse(self, sentence: str) -> None:
        self._refusal = sentence
        self.error_raised.emit(sentence, "")


class _PresetEdit(QUndoCommand):
    """The person's presets before and after."""

    def __init__(self, use: Callable[[Table], None], before: Table, after: Table, text: str) -> None:
        super().__init__(text)
        self._use = use
        self._before = before
        self._after = after

    def redo(self) -> None:
        self._use(self._after)

    def undo(self) -> None:
        self._use(self._before)


class PresetBar(QWidget):
    """Shows which preset the sliders stand at, applies another, and has a menu for one's own."""

    def __init__(self, presets: Presets, document: Document, actions: tuple[QAction, ...] = ()) -> None:
        """Show the presets; ``actions`` end the menu, such as copying settings to all clips."""
        super().__init__()
        self._presets = presets
        self._document = document
        self.picker = QComboBox()
        self.picker.setAccessibleName("Preset")
        self.picker.setToolTip("Set all sliders at once, for a kind of footage")
        self.picker.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.picker.activated.connect(self._apply)
        self.more = QToolButton()
        self.more.setText("\N{HORIZONTAL ELLIPSIS}")
        self.more.setIcon(icon("more"))
        self.more.setToolTip("Save, rename or delete presets; copy settings")
        self.more.setAccessibleName("Presets menu")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.more.setProperty("role", "flat")
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        menu = QMenu(self.more)
        menu.setToolTipsVisible(True)
        self._save = menu.addAction("Save as preset…", self._ask_name)
        self._save.setToolTip("Keep how the sliders stand under a name")
        self._rename = menu.addAction("Rename preset…", self._ask_other_name)
        self._delete = menu.addAction("Delete preset", self._delete_shown)
        if actions:
            menu.addSeparator()
            menu.addActions(list(actions))
        self.more.setMenu(menu)
        label = QLabel("Preset")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 4)
        row.setSpacing(8)
        row.addWidget(label)
        row.addWidget(self.picker, 1)
        row.addWidget(self.more)
        presets.changed.connect(self.show_presets)
        document.settings_changed.connect(self.show_chosen)
        self.show_presets()

    @property
    def chosen(self) -> str:
        """The name of the preset that the sliders stand at; empty when they stand at none."""
        return str(self.picker.currentData() or "")

    def show_presets(self) -> None:
        """Show what there is to choose from."""
        with QSignalBlocker(self.picker):
            self.picker.clear()
            self.picker.addItem(_DEFAULT, "")
            for name in PRESETS:
                self.picker.addItem(_TITLES[name], name)
            if self._presets.own:
                self.picker.insertSeparator(self.picker.count())
            for name in self._presets.own:
                self.picker.addItem(name, name)
        self.show_chosen()

    def show_chosen(self) -> None:
        """Show which preset the sliders stand at."""
        settings = self._document.settings
        named = {**PRESETS, **self._presets.own}
        name = next((name for name, one in named.items() if one == settings), None)
        with QSignalBlocker(self.picker):
            custom = self.picker.findText(_CUSTOM, Qt.MatchFlag.MatchExactly)
            if name is None and settings != CorrectionSettings():
                if custom < 0:
                    self.picker.insertItem(0, _CUSTOM)
                self.picker.setCurrentIndex(0)
            else:
                if custom == 0:
                    self.picker.removeItem(0)
                self.picker.setCurrentIndex(0 if name is None else self.picker.findData(name))
        has_clip, is_own = self._document.current is not None, name in self._presets.own
        self.picker.setEnabled(has_clip)
        self._save.setEnabled(has_clip)
        for action, words in ((self._rename, "Rename"), (self._delete, "Delete")):
            action.setEnabled(is_own)
            action.setToolTip(
                f"{words} the preset the sliders stand at" if is_own else "Choose a preset of yours first"
            )

    def _apply(self, place: int) -> None:
        name = self.picker.itemData(place)
        if name is not None:
            settings = {**PRESETS, **self._presets.own}.get(str(name), CorrectionSettings())
            self._document.use_settings(settings, f"Use preset {self.picker.itemText(place)}")
        self.show_chosen()

    def _ask_name(self) -> None:
        self._ask("Save preset", "", partial(self._presets.keep, settings=self._document.settings))

    def _ask_other_name(self) -> None:
        if self.chosen in self._presets.own:
            self._ask("Rename preset", self.chosen, partial(self._presets.rename, self.chosen))

    def _delete_shown(self) -> None:
        if self.chosen in self._presets.own:
            self._presets.delete(self.chosen)

    def _ask(self, title: str, text: str, then: Callable[[str], None]) -> None:
        dialog = QInputDialog(self)
        dialog.setObjectName("preset_name")
        dialog.setWindowTitle(title)
        dialog.setLabelText("Name of the preset")
        dialog.setTextValue(text)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(then)
        dialog.open()
