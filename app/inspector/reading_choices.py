"""How the clip is read, where that is a choice: its fields, its frame rate, its light, its video stream."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from app import theme
from app.widgets.segmented import Segmented
from vecnet_core.errors import SettingsError
from vecnet_core.video.decode import AS_IT_IS, HDR_CHOICES, DecodeSettings, parse_rate

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

_RATES = ("23.976", "24", "25", "29.97", "30", "50", "59.94", "60")


class ReadingChoices(QWidget):
    """Each choice is shown for the clips it is one for, and is an edit of its own.

    Signals:
        decode_asked: `DecodeSettings` to read the clip with, and what the edit is called.
    """

    decode_asked = Signal(object, str)

    def __init__(self) -> None:
        """Without a clip."""
        super().__init__()
        self._decode = AS_IT_IS
        self._rate_text = ""
        self.deinterlace = QCheckBox("Deinterlace")
        self.deinterlace.setToolTip("Make a whole picture of the two fields of each frame; the frame rate stays")
        self.deinterlace.toggled.connect(self._ask_deinterlace)
        self.rate = QComboBox()
        self._rate_field = QLineEdit()
        self.rate.setLineEdit(self._rate_field)
        self.rate.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.rate.addItems(list(_RATES))
        self.rate.setAccessibleName("Frame rate, in frames per second")
        self.rate.setToolTip("Frames per second, such as 25, 29.97 or 24000/1001")
        self.rate.activated.connect(self._ask_rate)
        self._rate_field.editingFinished.connect(self._ask_rate)
        self._rate_field.returnPressed.connect(self._rate_field.clearFocus)
        self.hdr = Segmented(
            [
                ("Keep HDR", "", "Correct it as HDR, and write HDR with the same tags"),
                ("Convert to SDR", "", "Map the picture to BT.709, for screens and players without HDR"),
            ],
            "HDR",
        )
        self.hdr.chosen.connect(self._ask_hdr)
        self.stream = QComboBox()
        self.stream.setAccessibleName("Video stream")
        self.stream.setToolTip("Which of the file's video streams is corrected")
        self.stream.activated.connect(self._ask_stream)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(16)
        self._heading = QLabel("Reading")
        self._heading.setProperty("role", "heading")
        column.addWidget(self._heading)
        self._deinterlace_row, self._scan_note = _row(column, "", self.deinterlace)
        self._rate_row, self._rate_note = _row(column, "Frame rate", self.rate)
        self._hdr_row, self._hdr_note = _row(column, "HDR", self.hdr)
        self._stream_row, self._stream_note = _row(column, "Video stream", self.stream)
        self.hide()

    def show_reading(self, info: VideoInfo, decode: DecodeSettings) -> None:
        """Show the choices there are for a clip, and where they stand; nothing is asked back."""
        self._decode = decode
        has_fields = info.is_interlaced or decode.deinterlace
        self._deinterlace_row.setVisible(has_fields)
        self._scan_note.setText(
            "The clip is interlaced: each frame is two fields, taken one after the other."
            if info.is_interlaced
            else "The clip is interlaced; whole pictures are made of its fields."
        )
        with QSignalBlocker(self.deinterlace):
            self.deinterlace.setChecked(decode.deinterlace)
        has_rate = info.is_rate_assumed or bool(info.files) or decode.frame_rate is not None
        self._rate_row.setVisible(has_rate)
        self._rate_text = _rate_words(info, decode)
        self.rate.setEditText(self._rate_text)
        self._say_rate(info, decode)
        has_hdr = info.color.is_hdr or decode.hdr != HDR_CHOICES[0]
        self._hdr_row.setVisible(has_hdr)
        self._hdr_note.setText(
            "The picture is mapped to BT.709, and is written so." if decode.hdr == "sdr"
            else "The clip is HDR, and stays it."
        )  # fmt: skip
        with QSignalBlocker(self.hdr):
            self.hdr.choose(HDR_CHOICES.index(decode.hdr))
        self._stream_row.setVisible(info.stream_count > 1)
        self._stream_note.setText(f"The file has {info.stream_count} video streams.")
        self.stream.clear()
        self.stream.addItems([f"Stream {number}" for number in range(info.stream_count)])
        self.stream.setCurrentIndex(decode.stream)
        self.setVisible(has_fields or has_rate or has_hdr or info.stream_count > 1)

    def _say_rate(self, info: VideoInfo, decode: DecodeSettings) -> None:
        what = "The pictures say" if info.files else "The file says"
        if decode.frame_rate is None:
            words = f"{what} no frame rate: {self._rate_text} per second are assumed."
        else:
            words = f"{what} no frame rate of their own." if info.files else f"{what} no frame rate of its own."
        self._rate_note.setText(words)
        theme.give_role(self._rate_note, "hint")

    def _ask_deinterlace(self, is_on: bool) -> None:
        self._ask(replace(self._decode, deinterlace=is_on), "Deinterlace")

    def _ask_rate(self) -> None:
        text = self.rate.currentText().strip()
        if text == self._rate_text:
            return
        try:
            rate = parse_rate(text)
        except SettingsError as error:
            self._rate_note.setText(error.sentence)
            theme.give_role(self._rate_note, "error")
            return
        self._rate_text = text
        self._ask(replace(self._decode, frame_rate=rate), "Frame rate")

    def _ask_hdr(self, place: int) -> None:
        self._ask(replace(self._decode, hdr=HDR_CHOICES[place]), "HDR")

    def _ask_stream(self, number: int) -> None:
        self._ask(replace(self._decode, stream=number), "Video stream")

    def _ask(self, decode: DecodeSettings, name: str) -> None:
        if decode != self._decode:
            self.decode_asked.emit(decode, f"Change {name}" if name != "Deinterlace" else name)


def _rate_words(info: VideoInfo, decode: DecodeSettings) -> str:
    """The rate as it is typed."""
    rate = decode.frame_rate or info.frame_rate
    return str(rate) if rate.denominator == 1 else f"{float(rate):.5g}"


def _row(column: QVBoxLayout, name: str, control: QWidget) -> tuple[QWidget, QLabel]:
    """A choice under its name, with a sentence on it; and that sentence."""
    row = QWidget()
    layout = QVBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    if name:
        label = QLabel(name)
        label.setBuddy(control)
        layout.addWidget(label)
    if isinstance(control, Segmented):
        # Stretched, its buttons would part.
        layout.addWidget(control, 0, Qt.AlignmentFlag.AlignLeft)
    else:
        layout.addWidget(control)
    note = QLabel()
    note.setProperty("role", "hint")
    note.setWordWrap(True)
    layout.addWidget(note)
    column.addWidget(row)
    return row, note
