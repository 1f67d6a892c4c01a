"""What to export and how: the output file, codec, quality and preset; an existing file is never replaced silently."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
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
from vecnet_core.video.encode import CONTAINERS, ENCODERS, Encoder, EncodeSettings

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

CODEC_NAMES: dict[str, str] = {
    "match": "Match source",
    "h264": "H.264",
    "hevc": "H.265 (HEVC)",
    "av1": "AV1",
    "prores": "ProRes",
    "ffv1": "FFV1 (lossless)",
}
"""How the core's codecs are told to a person, in the order offered."""

_ENDINGS = {"prores": ".mov", "ffv1": ".mkv"}
"""Containers that hold what MP4 does not."""

_WRITABLE = {".mp4", ".mov", ".mkv", ".m4v"}


def suggested_output(source: Path, codec: str) -> Path:
    """A file beside the source named with ``_vec``, and a number when that exists already."""
    kept = source.suffix.lower() if source.suffix.lower() in _WRITABLE else ".mp4"
    ending = _ENDINGS.get(codec, kept)
    made = source.with_name(f"{source.stem}_vec{ending}")
    number = 2
    while made.exists():
        made = source.with_name(f"{source.stem}_vec_{number}{ending}")
        number += 1
    return made


@dataclass(frozen=True)
class ExportChoice:
    """What the person chose; what is exported, and how it is corrected, is the document's when the export starts.

    Attributes:
        output: The file to write.
        encode: The encoder and its settings.
        overwrites: True when the person agreed to replace an existing file.
    """

    output: Path
    encode: EncodeSettings
    overwrites: bool


class ExportForm(QWidget):
    """The first page of the export dialog.

    Signals:
        export_asked: An `ExportChoice`.
        cancel_asked: Close without exporting.
    """

    export_asked = Signal(object)
    cancel_asked = Signal()

    def __init__(self) -> None:
        """Without a clip; see `use_clip`."""
        super().__init__()
        self._info: VideoInfo | None = None
        self._shown_codec = ""
        self._is_own_path = False
        self.path = QLineEdit()
        self.path.setAccessibleName("Output file")
        self.path.setToolTip("The file that will be written")
        self.path.textEdited.connect(self._take_own_path)
        self.path.textChanged.connect(self._check)
        browse = QPushButton("Browse…")
        browse.setToolTip("Choose where to write (the name is kept until you change it)")
        browse.clicked.connect(self._browse)
        self.codec = QComboBox()
        self.codec.setAccessibleName("Codec")
        self.codec.setToolTip("Match source takes the codec of the clip where it can be encoded, else H.264")
        for name, text in CODEC_NAMES.items():
            self.codec.addItem(text, name)
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
        self.preset.setToolTip("Slower presets make smaller files of the same quality")
        self._message = QLabel()
        self._message.setWordWrap(True)
        self.replace = QCheckBox("Replace the existing file")
        self.replace.setToolTip("The file is replaced only when the new one is complete")
        self.replace.toggled.connect(self._check)
        self.start = QPushButton("Export")
        self.start.setProperty("role", "primary")
        self.start.setToolTip("Write the corrected clip (Enter)")
        self.start.clicked.connect(self._ask)
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
        self._form = form
        note = QLabel("Size, rate, timestamps, colour tags and sound stay those of the source.")
        note.setProperty("role", "hint")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        buttons.addWidget(cancel)
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
        if not self._is_own_path or Path(self.path.text()).exists():
            self._is_own_path = False
            self._suggest()
        self._show_codec()

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
        source = "h264" if self._info is None else self._info.codec
        return source if source in ENCODERS else "h264"

    def _suggest(self) -> None:
        if self._info is not None and not self._is_own_path:
            self.path.setText(str(suggested_output(self._info.path, self._effective_codec())))

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
        self.preset.addItems(list(encoder.presets))
        self.preset.setCurrentText(encoder.default_preset or ("hq" if "hq" in encoder.presets else ""))

    def _describe_quality(self) -> None:
        default = ENCODERS[self._effective_codec()].default_crf or 0
        above = self.crf.value() - default
        words = (
            "lossless" if self.crf.value() == 0 and default < 22 else "nearly lossless, very large" if above < -5
            else "visually lossless" if above <= 2 else "good" if above <= 6 else "small" if above <= 12 else "rough"
        )  # fmt: skip
        self._quality.setText(f"CRF: {words}")

    def _take_own_path(self) -> None:
        self._is_own_path = True
        self.replace.setChecked(False)

    def _check(self) -> None:
        """Say at once what stands in the way of this output."""
        exists = False
        try:
            message = self._obstacle()
            exists = not message and Path(self.path.text().strip()).exists()
        except (OSError, ValueError) as error:
            message = f"This name cannot be used ({getattr(error, 'strerror', None) or error})."
        blocks = bool(message) or (exists and not self.replace.isChecked())
        self._message.setStyleSheet(f"color: {theme.ERROR if message else theme.ACCENT};")
        message = "A file of this name exists." if exists else message
        self._message.setText(message)
        self._form.setRowVisible(self._message, bool(message))
        self._form.setRowVisible(self.replace, exists)
        self.start.setEnabled(not blocks and self._info is not None)

    def _obstacle(self) -> str:
        """Why no file can be written under this name; empty when one can."""
        text = self.path.text().strip()
        output = Path(text)
        if not text or not output.name:
            return "Name a file."
        if output.suffix.lower() not in CONTAINERS and not output.is_dir():
            return f"End the name in {', '.join(CONTAINERS)}."
        if not output.absolute().parent.is_dir():
            return f"The folder {output.absolute().parent} does not exist."
        if output.is_dir():
            return "This is a folder: add a file name."
        if self._info is not None and output.exists() and output.samefile(self._info.path):
            return "This is the clip itself: give the output another name."
        return ""

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
        encoder = ENCODERS[self._effective_codec()]
        encode = EncodeSettings(
            self.codec_name,
            crf=self.crf.value() if encoder.crf_range is not None else None,
            preset=(self.preset.currentText() or None) if encoder.presets else None,
        )
        output = Path(self.path.text().strip()).absolute()
        self.export_asked.emit(ExportChoice(output, encode, self.replace.isChecked()))
