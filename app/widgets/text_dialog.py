"""A window of read-only text that can be copied: the log, and the sheet of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
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


class KeySheet(QDialog):
    """All keys, in groups, side by side."""

    def __init__(self, groups: dict[str, list[tuple[str, str]]], parent: QWidget | None = None) -> None:
        """Show groups of (keys, what they do)."""
        super().__init__(parent)
        self.setObjectName("key_sheet")
        self.setWindowTitle("Keyboard shortcuts")
        columns = QHBoxLayout()
        columns.setSpacing(40)
        for title, rows in groups.items():
            columns.addLayout(self._group(title, rows))
        close = _button("Close", "Close (Esc)")
        close.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 24, 32, 24)
        layout.setSpacing(24)
        layout.addLayout(columns)
        layout.addLayout(foot)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)

    def _group(self, title: str, rows: list[tuple[str, str]]) -> QVBoxLayout:
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        for place, (keys, text) in enumerate(rows):
            key = QLabel(keys)
            key.setFrameShape(QFrame.Shape.NoFrame)
            key.setStyleSheet("background: #333333; border: 1px solid #454545; border-radius: 4px; padding: 2px 7px;")
            grid.addWidget(key, place, 0, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(QLabel(text), place, 1)
        column = QVBoxLayout()
        column.setSpacing(12)
        column.addWidget(heading)
        column.addLayout(grid)
        column.addStretch()
        return column


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
