"""What to export and how: the output file, codec, quality and preset; nothing is replaced or forgotten silently."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.errands import Errands
from app.export.output_look import OutputLook, expected_bytes, look_at_output, space_words, will_fit
from app.sequences import is_picture
from app.words import for_window
from vecnet_core.errors import VecnetError
from vecnet_core.video.encode import CODECS, ENCODERS, Encoder, EncodeSettings, bits_of, choose_encoder
from vecnet_core.video.numbering import has_output

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

CODEC_NAMES: dict[str, str] = {
    "match": "Match source",
    "h264": "H.264",
    "hevc": "H.265 (HEVC)",
    "av1": "AV1",
    "prores": "ProRes",
    "ffv1": "FFV1 (lossless)",
    "dnxhr": "DNxHR",
    "png": "PNG pictures",
    "tiff": "TIFF pictures",
    "jpeg": "JPEG pictures",
    "exr": "OpenEXR pictures",
}
"""How the core's codecs are told to a person."""

_ENDINGS = {
    "prores": ".mov", "dnxhr": ".mov", "ffv1": ".mkv", "png": ".png", "tiff": ".tif", "jpeg": ".jpg", "exr": ".exr",
}  # fmt: skip
"""Containers that hold what MP4 does not, and pictures."""

_IN_HARDWARE = {"h264", "hevc", "av1"}
"""Codecs that graphics cards encode."""

_WRITABLE = {".mp4", ".mov", ".mkv", ".m4v"}

_NUMBER_MARKS = re.compile(r"%0?[1-9]?d|#+")


def suggested_output(info: VideoInfo, codec: str) -> Path:
    """A file beside the source named with ``_vec``, and a number when that exists already."""
    source = info.path
    stem = source.stem
    if info.files:
        # The name of a folder has no ending, and that of a pattern a place for numbers.
        stem = stem if is_picture(source) else source.name
        stem = _NUMBER_MARKS.sub("", stem).rstrip(" ._-") or "sequence"
    kept = source.suffix.lower() if source.suffix.lower() in _WRITABLE else ".mp4"
    ending = _ENDINGS.get(codec, kept)
    number = 1
    while True:
        name = f"{stem}_vec" if number == 1 else f"{stem}_vec_{number}"
        made = source.with_name(f"{name}{ending}")
        if ENCODERS[codec].is_picture:
            # Thousands of files: in a folder of their own, which is made.
            made = source.with_name(name) / f"{stem}_%05d{ending}"
        if not has_output(made):
            return made
        number += 1


@dataclass(frozen=True)
class ExportChoice:
    """What the person chose; what is exported, and how it is corrected, is the document's when the export starts.

    Attributes:
        output: The file to write.
        encode: The encoder and its settings.
        overwrites: True when the person agreed to replace an existing file.
        resumes: Finish the export to this output that was interrupted.
        restarts: Forget the export to this output that was interrupted.
    """

    output: Path
    encode: EncodeSettings
    overwrites: bool = False
    resumes: bool = False
    restarts: bool = False


class ExportForm(QWidget):
    """The first page of the export dialog.

    Signals:
        export_asked: An `ExportChoice`.
        cancel_asked: Close without exporting.
        rows_changed: There is more or less to show.
    """

    export_asked = Signal(object)
    cancel_asked = Signal()
    rows_changed = Signal()

    def __init__(self) -> None:
        """Without a clip; see `use_clip`."""
        super().__init__()
        self._info: VideoInfo | None = None
        self._shown_codec = ""
        self._is_own_path = False
        self._errands = Errands(self)
        self._look = OutputLook()
        self._looks = 0
        self._refusal = ""
        self.path = QLineEdit()
        self.path.setAccessibleName("Output file")
        self.path.setToolTip("The file that will be written")
        self.path.textEdited.connect(self._take_own_path)
        self.path.textChanged.connect(self._take_path)
        browse = QPushButton("Browse…")
        browse.setToolTip("Choose where to write (the name is kept until you change it)")
        browse.clicked.connect(self._browse)
        self.codec = QComboBox()
        self.codec.setAccessibleName("Codec")
        self.codec.setToolTip("Match source takes the codec of the clip where it can be encoded, else H.264")
        for name in CODECS:
            self.codec.addItem(CODEC_NAMES.get(name, name), name)
        self.codec.currentIndexChanged.connect(self._show_codec)
        self.crf = QSpinBox()
        self.crf.setAccessibleName("Quality, constant rate factor")
        self.crf.setToolTip("Constant rate factor (CRF): lower is better and larger")
        self.crf.setFixedWidth(72)
        self.crf.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.crf.valueChanged.connect(self._describe_quality)
        self._quality = QLabel()
        self._quality.setProperty("role", "hint")
        self.preset = QComboBox()
        self.preset.setAccessibleName("Preset")
        self.preset.setToolTip("Slower presets make smaller files of the same quality; profiles set size and quality")
        self.preset.currentIndexChanged.connect(self._show_look)
        self.bits = QComboBox()
        self.bits.setAccessibleName("Bit depth")
        self.bits.setToolTip("Bits of a sample; fewer than the source has are rounded")
        self.bits.currentIndexChanged.connect(self._show_look)
        self.alpha = QCheckBox("Keep transparency")
        self.alpha.setToolTip("Write the alpha channel of the source; not every codec can hold one")
        self.alpha.setChecked(True)
        self.alpha.toggled.connect(self._show_look)
        self.hardware = QCheckBox("Use a hardware encoder where one works")
        self.hardware.setToolTip(
            "Encode on the graphics card, faster and for the same quality larger; it is tried first, and the software "
            "encoder takes its place where that fails"
        )
        self._message = QLabel()
        self._message.setWordWrap(True)
        self.replace = QCheckBox("Replace the existing file")
        self.replace.setToolTip("The file is replaced only when the new one is complete")
        self.replace.toggled.connect(self._show_look)
        self.space = QLabel()
        self.space.setToolTip("A guess from ordinary footage, and what is free on the disk it is written to")
        self.space.setWordWrap(True)
        self.start = QPushButton("Export")
        self.start.setProperty("role", "primary")
        self.start.setToolTip("Write the corrected clip (Enter)")
        self.start.clicked.connect(self._ask)
        self.start.setEnabled(False)
        self.anew = QPushButton("Begin anew")
        self.anew.setToolTip("Forget what the interrupted export has kept, and export from the first frame on")
        self.anew.clicked.connect(self._ask_anew)
        self.anew.hide()
        cancel = QPushButton("Cancel")
        cancel.setToolTip("Close without exporting (Esc)")
        cancel.clicked.connect(self.cancel_asked)
        self._lay_out(browse, cancel)

    def _lay_out(self, browse: QPushButton, cancel: QPushButton) -> None:
        path_row = QHBoxLayout()
        path_row.setSpacing(8)
        path_row.addWidget(self.path, 1)
        path_row.addWidget(browse)
        quality_row = QHBoxLayout()
        quality_row.setSpacing(12)
        quality_row.addWidget(self.crf)
        quality_row.addWidget(self._quality, 1)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(12)
        output_name = QLabel("&Output")
        output_name.setBuddy(self.path)
        form.addRow(output_name, path_row)
        form.addRow("", self._message)
        form.addRow("", self.replace)
        form.addRow("&Codec", self.codec)
        self._quality_name = QLabel("&Quality")
        self._quality_name.setBuddy(self.crf)
        form.addRow(self._quality_name, quality_row)
        self._preset_name = QLabel("&Preset")
        self._preset_name.setBuddy(self.preset)
        form.addRow(self._preset_name, self.preset)
        self._bits_name = QLabel("&Bit depth")
        self._bits_name.setBuddy(self.bits)
        form.addRow(self._bits_name, self.bits)
        form.addRow("", self.alpha)
        form.addRow("", self.hardware)
        form.addRow("Size", self.space)
        self._form = form
        note = QLabel("Size, rate, timestamps, colour tags and sound stay those of the source.")
        note.setProperty("role", "hint")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        buttons.addWidget(cancel)
        buttons.addWidget(self.anew)
        buttons.addWidget(self.start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addStretch()
        layout.addLayout(buttons)

    def use_clip(self, info: VideoInfo) -> None:
        """Offer to export this clip; quality and preset stay as they were chosen while the codec stays."""
        if self._info is None or info.path != self._info.path:
            self._is_own_path = False
        self._info = info
        self.replace.setChecked(False)
        if not self._is_own_path or has_output(Path(self.path.text())):
            self._is_own_path = False
            self._suggest()
        self._show_codec()
        self._offer_form(ENCODERS[self._effective_codec()])
        self.look()

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
        self.codec.setCurrentIndex(max(0, self.codec.findData(name)))

    @property
    def codec_name(self) -> str:
        """The codec as the core calls it."""
        return str(self.codec.currentData())

    def _effective_codec(self) -> str:
        if self.codec_name != "match":
            return self.codec_name
        ending = Path(self.path.text().strip()).suffix if self._is_own_path else ""
        return choose_encoder(EncodeSettings("match"), "" if self._info is None else self._info.codec, ending).codec

    def _suggest(self) -> None:
        if self._info is not None and not self._is_own_path:
            self.path.setText(str(suggested_output(self._info, self._effective_codec())))

    def _show_codec(self) -> None:
        codec = self._effective_codec()
        if codec != self._shown_codec:
            self._shown_codec = codec
            self._offer(ENCODERS[codec])
        self._describe_quality()
        self._suggest()

    def _offer(self, encoder: Encoder) -> None:
        has_crf = encoder.crf_range is not None
        self._form.setRowVisible(self._quality_name, has_crf)
        if encoder.crf_range is not None:
            self.crf.setRange(*encoder.crf_range)
            self.crf.setValue(encoder.default_crf or encoder.crf_range[0])
        self._form.setRowVisible(self._preset_name, bool(encoder.presets))
        self.preset.clear()
        if not encoder.default_preset:
            # A profile: which one the pictures need, the core knows.
            self.preset.addItem("The one that holds the source", None)
        for name in encoder.presets:
            self.preset.addItem(name, name)
        self.preset.setCurrentIndex(max(0, self.preset.findData(encoder.default_preset)))
        self._offer_form(encoder)

    def _offer_form(self, encoder: Encoder) -> None:
        """Offer the bit depths of an encoder, and what else depends on it and the clip."""
        depths = sorted({bits_of(name) for name in encoder.layouts})
        source = "As the source" if self._info is None else f"As the source ({self._info.layout.bit_depth}-bit)"
        chosen = self.bits.currentData()
        with QSignalBlocker(self.bits):
            self.bits.clear()
            self.bits.addItem(source, None)
            for depth in depths:
                self.bits.addItem(f"{depth}-bit", depth)
            self.bits.setCurrentIndex(max(0, self.bits.findData(chosen)))
        self._form.setRowVisible(self._bits_name, len(depths) > 1)
        self._form.setRowVisible(self.alpha, self._info is not None and self._info.has_alpha)
        self._form.setRowVisible(self.hardware, encoder.codec in _IN_HARDWARE)

    def _describe_quality(self) -> None:
        default = ENCODERS[self._effective_codec()].default_crf or 0
        above = self.crf.value() - default
        words = (
            "lossless" if self.crf.value() == 0 and default < 22 else "nearly lossless, very large" if above < -5
            else "visually lossless" if above <= 2 else "good" if above <= 6 else "small" if above <= 12 else "rough"
        )  # fmt: skip
        self._quality.setText(f"CRF: {words}")
        self._show_look()

    def _take_path(self) -> None:
        """Another name: its ending may say that it is pictures that are written."""
        if self._is_own_path:
            self._show_codec()
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

    def _show_look(self) -> None:
        """Say what was found, and allow what is possible."""
        look, problem = self._look, self._refusal
        try:
            ending = Path(self.path.text().strip()).suffix
            size = None if self._info is None else expected_bytes(self._info, self._encode(), ending)
        except VecnetError as error:
            size, problem = None, problem or for_window(error.sentence)
        fits = size is None or will_fit(size, look.free_bytes)
        self.space.setText("" if size is None else space_words(size, look.free_bytes))
        self.space.setAccessibleName(f"Size: {self.space.text()}")
        self.space.setStyleSheet(f"color: {theme.MUTED if fits else theme.ERROR};")
        problem = look.obstacle or problem
        found = [problem] if problem else []
        if look.kept:
            found.append(f"An export to this file stopped after {look.kept:,} of {look.total:,} frames.")
        if look.exists:
            found.append("A file of this name exists.")
        self._message.setStyleSheet(f"color: {theme.ERROR if problem else theme.ACCENT};")
        self._message.setText(" ".join(found))
        self._form.setRowVisible(self._message, bool(found))
        self._form.setRowVisible(self.replace, look.exists)
        blocks = (
            bool(look.obstacle) or (look.exists and not self.replace.isChecked()) or size is None or self._info is None
        )
        self.anew.setVisible(bool(look.kept))
        self.start.setText("Finish it" if look.kept else "Export")
        self.start.setToolTip(
            "Go on where the interrupted export stopped, with the same settings (Enter)" if look.kept
            else "Write the corrected clip (Enter)"
        )  # fmt: skip
        self.start.setEnabled(not blocks)
        self.anew.setEnabled(not blocks)
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
        self._ask_for(resumes=bool(self._look.kept))

    def _ask_anew(self) -> None:
        self._ask_for(restarts=True)

    def _ask_for(self, *, resumes: bool = False, restarts: bool = False) -> None:
        output = Path(self.path.text().strip()).absolute()
        self.export_asked.emit(ExportChoice(output, self._encode(), self.replace.isChecked(), resumes, restarts))

    def _encode(self) -> EncodeSettings:
        """The encoder as it is chosen."""
        encoder = ENCODERS[self._effective_codec()]
        return EncodeSettings(
            self.codec_name,
            crf=self.crf.value() if encoder.crf_range is not None else None,
            preset=self.preset.currentData() if encoder.presets else None,
            bit_depth=self.bits.currentData(),
            alpha="keep" if self.alpha.isChecked() else "drop",
            hardware=self.hardware.isChecked() and encoder.codec in _IN_HARDWARE,
        )
