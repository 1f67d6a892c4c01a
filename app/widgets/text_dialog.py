"""A window of read-only text that can be copied: the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN_BYTES = 200_000


class LogDialog(QDialog):
    """The end of the log, to copy into a bug report."""

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        """Read the log as it is now."""
        super().__init__(parent)
        self.setWindowTitle("Log")
        self.resize(860, 520)
        self._path = path
        self.text = QPlainTextEdit(_tail(path))
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Log")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.moveCursor(self.text.textCursor().MoveOperation.End)
        where = QLabel(str(path))
        where.setProperty("role", "hint")
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = _button("Copy all", "Copy what is shown, for a bug report")
        copy.clicked.connect(self._copy)
        folder = _button("Open folder", "Show the folder the log is in")
        folder.clicked.connect(self._open_folder)
        close = _button("Close", "Close (Esc)")
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(where, 1)
        for button in (copy, folder, close):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addWidget(self.text)
        layout.addLayout(row)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button


def _tail(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError:
        return "Nothing has been logged yet."
    return data[-_SHOWN_BYTES:].decode("utf-8", "replace") or "Nothing has been logged yet."
