"""The window that shows an exported file against its source: side by side or wiped, frame by frame, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from app.comparison.pair import OpenPair
from app.document import Document
from app.notices import NoticeBar
from app.preview import Preview
from app.viewer.compare import CompareView
from app.viewer.compare_mode import CompareMode
from app.widgets.timecode import timecode
from app.words import for_window
from vecnet_core.metrics.scales import Overlay

if TYPE_CHECKING:
    from pathlib import Path

    from app.preview_worker import OpenRequest
    from vecnet_core.frame import VideoInfo
    from vecnet_core.project import Clip

MODES = {
    CompareMode.SIDE: "Side by side",
    CompareMode.WIPE: "Wipe",
    CompareMode.DIFFERENCE: "Difference",
}
"""How the two files can be compared here."""

_ZOOMS = {"F": None, "1": 1.0, "2": 2.0, "4": 4.0, "8": 8.0}


class CompareWindow(QWidget):
    """Reads both files with a thread of its own; what is being worked on in the editor goes on.

    Signals:
        closed: The window is gone, and both files with it.
    """

    closed = Signal(object)

    def __init__(self, clip: Clip, output: Path, parent: QWidget | None = None) -> None:
        """Begin to open both."""
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("comparison")
        self.setWindowTitle(f"{output.name} against its source")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1200, 640)
        self._info: VideoInfo | None = None
        self.document = Document(self)
        self.preview = Preview(self.document, OpenPair(clip), parent=self)
        self.notices = NoticeBar()
        self.compare = CompareView()
        self.mode = QComboBox()
        self.mode.setAccessibleName("Compare")
        self.mode.setToolTip("How the two are compared (V: the next one)")
        for mode, text in MODES.items():
            self.mode.addItem(text, mode)
        self.mode.activated.connect(self._take_mode)
        self.scrub = QSlider(Qt.Orientation.Horizontal)
        self.scrub.setAccessibleName("Frame")
        self.scrub.setToolTip("Drag to scrub; Left and Right step one frame, with Shift one second")
        self.scrub.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scrub.setEnabled(False)
        self.scrub.valueChanged.connect(self.document.set_playhead)
        self._where = QLabel()
        self._where.setProperty("role", "number")
        self._where.setMinimumWidth(176)
        self._where.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        facts = QLabel(f"Source: {clip.path.name}   Exported: {output.name}   As read from the disk")
        facts.setProperty("role", "hint")
        facts.setToolTip(f"{clip.path}\n{output}")
        self._lay_out(facts)
        self._connect()
        # Two decoders and the pictures, and nothing in the background.
        self.preview.pause_background(True)
        self.preview.open_clip(output)

    def _lay_out(self, facts: QLabel) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(8, 8, 8, 0)
        top.setSpacing(16)
        top.addWidget(facts, 1)
        top.addWidget(self.mode)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(8, 0, 8, 8)
        bottom.setSpacing(8)
        bottom.addWidget(self.scrub, 1)
        bottom.addWidget(self._where)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.notices)
        column.addLayout(top)
        column.addWidget(self.compare, 1)
        column.addLayout(bottom)

    def _connect(self) -> None:
        preview = self.preview
        preview.clip_opened.connect(self._use_clip)
        preview.frame_shown.connect(self.compare.show_result)
        preview.frame_failed.connect(self.compare.show_failure)
        preview.error_raised.connect(self._show_error)
        self.compare.size_changed.connect(preview.set_size)
        self.document.playhead_changed.connect(self._show_playhead)
        for keys, do in (
            ("V", self._next_mode),
            ("W", self._toggle_wipe),
            ("D", self._toggle_difference),
            ("Left", self._back),
            ("Right", self._forward),
            ("Shift+Left", self._back_second),
            ("Shift+Right", self._forward_second),
            ("Home", self._to_first),
            ("End", self._to_last),
            ("Esc", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(do)
        for keys in _ZOOMS:
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setObjectName(keys)
            shortcut.activated.connect(self._zoom)

    def set_mode(self, mode: CompareMode) -> None:
        """Compare in another way."""
        self.compare.set_mode(mode)
        self.preview.set_overlay(Overlay.DIFFERENCE if mode is CompareMode.DIFFERENCE else Overlay.NONE)
        self.mode.setCurrentIndex(self.mode.findData(mode))

    def _use_clip(self, request: OpenRequest, info: VideoInfo, warnings: tuple[str, ...]) -> None:
        self._info = info
        self.scrub.setRange(0, info.frame_count - 1)
        self.scrub.setEnabled(info.frame_count > 1)
        self.document.use_clip(info, request.decode)
        self.compare.use_clip(info)
        self._show_playhead(0)
        for warning in warnings:
            self.notices.show_note(f"{warning[:1].upper()}{warning[1:].rstrip('.')}.")

    def _show_playhead(self, index: int) -> None:
        info = self._info
        if info is not None:
            self.scrub.setValue(index)
            self._where.setText(f"{timecode(index, info.frame_rate)}   {index + 1} / {info.frame_count}")

    def _show_error(self, sentence: str, details: str) -> None:
        self.notices.show_error(for_window(sentence), details)

    def _take_mode(self) -> None:
        self.set_mode(self.mode.currentData())

    def _next_mode(self) -> None:
        modes = list(MODES)
        self.set_mode(modes[(modes.index(self.compare.mode) + 1) % len(modes)])

    def _toggle_wipe(self) -> None:
        self.set_mode(CompareMode.SIDE if self.compare.mode is CompareMode.WIPE else CompareMode.WIPE)

    def _toggle_difference(self) -> None:
        is_on = self.compare.mode is CompareMode.DIFFERENCE
        self.set_mode(CompareMode.SIDE if is_on else CompareMode.DIFFERENCE)

    def _zoom(self) -> None:
        self.compare.view.set_zoom(_ZOOMS[self.sender().objectName()])

    def _step(self, frames: int) -> None:
        self.document.set_playhead(self.document.playhead + frames)

    def _second(self) -> int:
        return 1 if self._info is None else max(1, round(self._info.frame_rate))

    def _back(self) -> None:
        self._step(-1)

    def _forward(self) -> None:
        self._step(1)

    def _back_second(self) -> None:
        self._step(-self._second())

    def _forward_second(self) -> None:
        self._step(self._second())

    def _to_first(self) -> None:
        self.document.set_playhead(0)

    def _to_last(self) -> None:
        self.document.set_playhead(self.scrub.maximum())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backslash and not event.isAutoRepeat():
            self.compare.hold_original(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backslash and not event.isAutoRepeat():
            self.compare.hold_original(False)
        else:
            super().keyReleaseEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.hide()
        self.preview.close()
        self.closed.emit(self)
        super().closeEvent(event)


class Comparisons:
    """The comparison windows that are open, each on one exported file."""

    def __init__(self, window: QWidget) -> None:
        """None yet."""
        self._window = window
        self.open: list[CompareWindow] = []

    def show(self, clip: Clip, output: Path) -> None:
        """Show an exported file against its source."""
        made = CompareWindow(clip, output, self._window)
        made.closed.connect(self._forget)
        self.open.append(made)
        made.show()

    def close(self) -> None:
        """Close them all; for the window that is closing."""
        for made in list(self.open):
            made.close()

    def _forget(self, made: CompareWindow) -> None:
        if made in self.open:
            self.open.remove(made)
