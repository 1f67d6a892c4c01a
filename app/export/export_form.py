"""What to export and how: a named choice, the output file, the encoder; nothing is replaced or forgotten silently."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.errands import Errands
from app.export.encode_details import EncodeDetails
from app.export.entries import ExportChoice
from app.export.output_look import OutputLook, expected_bytes, look_at_output, space_words, will_fit
from app.export.output_name import ENDINGS, free_output, key_of, suggested_output
from app.widgets.icons import icon
from app.words import for_window
from vecnet_core.errors import VecnetError
from vecnet_core.video.encode import ENCODERS, PICTURE_CODECS, Encoder, EncodeSettings, choose_encoder
from vecnet_core.video.numbering import has_output
from vecnet_core.video.presets import EXPORT_PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vecnet_core.frame import VideoInfo

_CUSTOM = ""
"""Of the list of presets: settings that are none of them."""


class ExportForm(QWidget):
    """The first page of the export dialog.

    Signals:
        export_asked: An `ExportChoice` to begin with at once.
        queue_asked: An `ExportChoice` to begin with when its turn comes.
        cancel_asked: Close without exporting.
        rows_changed: There is more or less to show.
    """

    export_asked = Signal(object)
    queue_asked = Signal(object)
    cancel_asked = Signal()
    rows_changed = Signal()

    def __init__(self) -> None:
        """Without a clip; see `use_clip`."""
        super().__init__()
        self._info: VideoInfo | None = None
        self._is_own_path = False
        self._is_busy = False
        self._taken: frozenset[str] = frozenset()
        self._errands = Errands(self)
        self._look = OutputLook()
        self._looks = 0
        self._refusal = ""
        self.recipe = QComboBox()
        self.recipe.setAccessibleName("Export as")
        self.recipe.setToolTip("What the file is for; the details below follow, and can be changed")
        for name, preset in EXPORT_PRESETS.items():
            self.recipe.addItem(f"{preset.title}: {preset.words}", name)
        self.recipe.addItem("As chosen in the details", _CUSTOM)
        self.recipe.activated.connect(self._take_recipe)
        self.path = QLineEdit()
        self.path.setAccessibleName("Output file")
        self.path.setToolTip("The file that will be written")
        self.path.textEdited.connect(self._take_own_path)
        self.path.textChanged.connect(self._take_path)
        self.details = EncodeDetails()
        self.details.codec_changed.connect(self._take_codec)
        self.details.changed.connect(self._take_details)
        self.fold = QToolButton()
        self.fold.setText("Details")
        self.fold.setCheckable(True)
        self.fold.setProperty("role", "flat")
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setToolTip("Show or hide codec, quality, bit depth")
        self.fold.toggled.connect(self._show_fold)
        self._message = QLabel()
        self._message.setWordWrap(True)
        self.replace = QCheckBox("Replace the existing file")
        self.replace.setToolTip("The file is replaced only when the new one is complete")
        self.replace.toggled.connect(self._show_look)
        self.space = QLabel()
        self.space.setToolTip("A guess from ordinary footage, and what is free on the disk it is written to")
        self.space.setWordWrap(True)
        self.start = _button("Export", "Write the corrected clip (Enter)", self._ask)
        self.start.setProperty("role", "primary")
        self.start.setEnabled(False)
        self.queue = _button(
            "Add to queue",
            "Export later, one after another, with the settings as they are now (Ctrl+Shift+E)",
            self._ask_queue,
        )
        self.queue.setEnabled(False)
        self.anew = _button(
            "Begin anew",
            "Forget what the interrupted export has kept, and export from the first frame on",
            self._ask_anew,
        )
        self.anew.hide()
        self._lay_out()
        self.details.show_encoder(self._encoder())
        self._show_fold(False)

    def _lay_out(self) -> None:
        browse = QPushButton("Browse…")
        browse.setToolTip("Choose where to write (the name is kept until you change it)")
        browse.clicked.connect(self._browse)
        cancel = QPushButton("Cancel")
        cancel.setToolTip("Close without exporting (Esc)")
        cancel.clicked.connect(self.cancel_asked)
        path_row = QHBoxLayout()
        path_row.setSpacing(8)
        path_row.addWidget(self.path, 1)
        path_row.addWidget(browse)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(12)
        for text, field, row in (("Export &as", self.recipe, self.recipe), ("&Output", self.path, path_row)):
            name = QLabel(text)
            name.setBuddy(field)
            form.addRow(name, row)
        form.addRow("", self._message)
        form.addRow("", self.replace)
        form.addRow("Size", self.space)
        form.addRow("", self.fold)
        self._form = form
        note = QLabel("Size, rate, timestamps, colour tags and sound stay those of the source.")
        note.setProperty("role", "hint")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        for button in (cancel, self.anew, self.queue, self.start):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addWidget(self.details)
        layout.addWidget(note)
        layout.addStretch()
        layout.addLayout(buttons)

    # What the window tells -------------------------------------------------------------------------------------------

    def use_clip(self, info: VideoInfo) -> None:
        """Offer to export this clip; quality and preset stay as they were chosen while the codec stays."""
        if self._info is None or info.path != self._info.path:
            self._is_own_path = False
        self._info = info
        self.replace.setChecked(False)
        if not self._is_own_path or has_output(Path(self.path.text())):
            self._is_own_path = False
            self._suggest()
        self.details.use_clip(info)
        self._show_encoder()
        self.look()

    def use_queue(self, taken: frozenset[str], *, is_busy: bool) -> None:
        """Know which files other exports use (`output_name.key_of`), and whether one is running."""
        if (taken, is_busy) == (self._taken, self._is_busy):
            return
        self._taken, self._is_busy = taken, is_busy
        self._show_look()

    def show_encode(self, encode: EncodeSettings) -> None:
        """Stand on these settings, such as those of the last export."""
        self.choose_codec(encode.codec)
        self._show_encoder()
        self.details.show_settings(encode)
        self._show_recipe()

    def show_refusal(self, sentence: str) -> None:
        """Say why the export that was just asked for has not begun; until another output is looked at."""
        self.look()
        self._refusal = sentence
        self._show_look()

    def close_errands(self) -> None:
        """Look no more; for the window that is closing."""
        self._errands.close()

    def choose_codec(self, name: str) -> None:
        """Stand the codec picker on ``name``."""
        self.details.choose_codec(name)

    def choose_recipe(self, name: str) -> None:
        """Stand on a preset of `EXPORT_PRESETS`."""
        self.recipe.setCurrentIndex(self.recipe.findData(name))
        self._take_recipe()

    @property
    def encode(self) -> EncodeSettings:
        """The encoder as it is chosen."""
        return self.details.settings()

    @property
    def ending(self) -> str:
        """What an output's name ends in by the preset at hand; empty for the source's."""
        preset = EXPORT_PRESETS.get(str(self.recipe.currentData()))
        return "" if preset is None or preset.ending.startswith("_") else preset.ending

    # Inside ----------------------------------------------------------------------------------------------------------

    def _encoder(self) -> Encoder:
        """The encoder that the codec at hand comes to for this clip and output."""
        name = self.details.codec_name
        if name != "match":
            return ENCODERS[name]
        ending = Path(self.path.text().strip()).suffix if self._is_own_path else ""
        return choose_encoder(EncodeSettings("match"), "" if self._info is None else self._info.codec, ending)

    def _suggest(self) -> None:
        if self._info is not None and not self._is_own_path:
            self.path.setText(str(suggested_output(self._info, self._encoder().codec, self._taken, self.ending)))

    def _show_encoder(self) -> None:
        self.details.show_encoder(self._encoder())
        self._show_recipe()
        self._suggest()
        self._show_look()

    def _take_recipe(self) -> None:
        preset = EXPORT_PRESETS.get(str(self.recipe.currentData()))
        if preset is None:
            self.fold.setChecked(True)
            return
        with QSignalBlocker(self.details):
            self.choose_codec(preset.encode.codec)
        encoder = self._encoder()
        self.details.show_encoder(encoder)
        self.details.show_settings(preset.encode)
        self._use_ending(encoder, preset.ending)
        self._suggest()
        self._show_recipe()
        self._show_look()

    def _use_ending(self, encoder: Encoder, ending: str) -> None:
        """A name of the person's own keeps its folder and stem; pictures and video are not named alike."""
        path = Path(self.path.text().strip())
        if not self._is_own_path or not path.name:
            return
        if encoder.is_picture or path.suffix.lower() in PICTURE_CODECS:
            self._is_own_path = False
        else:
            self.path.setText(str(path.with_suffix(ending or ENDINGS.get(encoder.codec, path.suffix))))

    def _take_codec(self) -> None:
        self._show_encoder()

    def _take_details(self) -> None:
        self._show_recipe()
        self._show_look()

    def _show_recipe(self) -> None:
        """Name the settings at hand."""
        with QSignalBlocker(self.recipe):
            self.recipe.setCurrentIndex(self.recipe.findData(self.details.recipe() or _CUSTOM))

    def _show_fold(self, is_open: bool) -> None:
        self.fold.setIcon(icon("chevron_down" if is_open else "chevron_right"))
        self.details.setVisible(is_open)
        self.rows_changed.emit()

    def _take_path(self) -> None:
        """Another name: its ending may say that it is pictures that are written."""
        if self._is_own_path:
            self._show_encoder()
        self.look()

    def _take_own_path(self) -> None:
        self._is_own_path = True
        self.replace.setChecked(False)

    def look(self) -> None:
        """Look what stands in the way of this output; until that is known, what was known before is shown."""
        if self._info is None:
            return
        self._looks += 1
        text = self.path.text().strip()
        self._errands.send(partial(look_at_output, text, self._info.path), partial(self._take_look, self._looks))

    def _take_look(self, number: int, look: OutputLook) -> None:
        if number != self._looks:
            return
        if look.text != self._look.text:
            self._refusal = ""
        self._look = look
        self._show_look()

    def _collision(self) -> str:
        """That another export uses this file, and which name is free; empty when none does."""
        path = Path(self.path.text().strip())
        if not path.name or key_of(path) not in self._taken:
            return ""
        return f"An export in the queue uses this file: {free_output(path, self._taken).name} is free."

    def _show_look(self) -> None:
        """Say what was found, and allow what is possible."""
        look, problem = self._look, self._refusal
        try:
            ending = Path(self.path.text().strip()).suffix
            size = None if self._info is None else expected_bytes(self._info, self.encode, ending)
        except VecnetError as error:
            size, problem = None, problem or for_window(error.sentence)
        fits = size is None or will_fit(size, look.free_bytes)
        self.space.setText("" if size is None else space_words(size, look.free_bytes))
        self.space.setAccessibleName(f"Size: {self.space.text()}")
        theme.give_role(self.space, "hint" if fits else "error")
        collision = self._collision()
        problem = look.obstacle or collision or problem
        found = [problem] if problem else []
        if look.kept:
            found.append(f"An export to this file stopped after {look.kept:,} of {look.total:,} frames.")
        if look.exists:
            found.append("A file of this name exists.")
        theme.give_role(self._message, "error" if problem else "accent")
        self._message.setText(" ".join(found))
        self._form.setRowVisible(self._message, bool(found))
        self._form.setRowVisible(self.replace, look.exists)
        is_blocked = bool(look.obstacle or collision) or (look.exists and not self.replace.isChecked())
        can_begin = not is_blocked and size is not None and self._info is not None
        self.anew.setVisible(bool(look.kept))
        self.start.setText("Finish it" if look.kept else "Export")
        self.start.setToolTip(
            "One export runs at a time: add this one to the queue" if self._is_busy
            else "Go on where the interrupted export stopped, with the same settings (Enter)" if look.kept
            else "Write the corrected clip (Enter)"
        )  # fmt: skip
        self.start.setEnabled(can_begin and not self._is_busy)
        self.anew.setEnabled(can_begin and not self._is_busy)
        self.queue.setEnabled(can_begin)
        self.rows_changed.emit()

    def _browse(self) -> None:
        # The form itself asks before it replaces anything.
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            "Write the corrected clip to",
            self.path.text(),
            "Video (*.mp4 *.mov *.mkv)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self._take_own_path()
            self.path.setText(chosen)

    def _ask(self) -> None:
        self.export_asked.emit(self._choice(resumes=bool(self._look.kept)))

    def _ask_queue(self) -> None:
        self.queue_asked.emit(self._choice(resumes=bool(self._look.kept)))

    def _ask_anew(self) -> None:
        self.export_asked.emit(self._choice(restarts=True))

    def _choice(self, *, resumes: bool = False, restarts: bool = False) -> ExportChoice:
        output = Path(self.path.text().strip()).absolute()
        return ExportChoice(output, self.encode, self.replace.isChecked(), resumes, restarts)


def _button(text: str, tooltip: str, do: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.clicked.connect(do)
    return button
