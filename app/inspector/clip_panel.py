"""The facts of the clip, with what the file leaves open marked as assumed, and how it is read where one can choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from app.inspector.reading_choices import ReadingChoices
from app.inspector.section import scrolling
from app.widgets.clip_facts import clip_facts

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo
    from vecnet_core.video.decode import DecodeSettings


class ClipPanel(QWidget):
    """What we know of the file, how it is read, and how far its analysis is.

    Signals:
        decode_asked: `DecodeSettings` to read the clip with, and what the edit is called.
    """

    decode_asked = Signal(object, str)

    def __init__(self) -> None:
        """Without a clip."""
        super().__init__()
        self.reading = ReadingChoices()
        self.reading.decode_asked.connect(self.decode_asked)
        self._facts = QFormLayout()
        self._facts.setHorizontalSpacing(24)
        self._facts.setVerticalSpacing(10)
        self._facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._analysed = QLabel("none yet")
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addWidget(self.reading)
        column.addLayout(self._facts)
        column.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(body))

    def show_clip(self, info: VideoInfo, decode: DecodeSettings) -> None:
        """Show the facts of a clip, and what can be chosen."""
        self.show_reading(info, decode)
        while self._facts.rowCount():
            self._facts.removeRow(0)
        for name, text in clip_facts(info):
            self._add(name, QLabel(text))
        self._analysed = QLabel(f"0 of {info.frame_count} frames")
        self._add("Analysed", self._analysed)

    def show_reading(self, info: VideoInfo, decode: DecodeSettings) -> None:
        """Show how the clip is wanted to be read."""
        self.reading.show_reading(info, decode)

    def show_analysed(self, analysed: int, count: int) -> None:
        """Say how many frames the network has answered for."""
        self._analysed.setText(f"{analysed} of {count} frames")
        self._analysed.setAccessibleName(f"Analysed: {self._analysed.text()}")

    def _add(self, name: str, value: QLabel) -> None:
        label = QLabel(name)
        label.setProperty("role", "hint")
        value.setWordWrap(True)
        value.setAccessibleName(f"{name}: {value.text()}")
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts.addRow(label, value)
