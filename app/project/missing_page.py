"""What is in the viewer's place when a clip of the project cannot be opened: why, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.widgets.icons import picture


class MissingPage(QScrollArea):
    """A clip that is not there.

    Signals:
        find_asked: Look for the missing clips in a folder.
    """

    find_asked = Signal()

    def __init__(self) -> None:
        """No clip yet."""
        super().__init__()
        sign = QLabel()
        sign.setPixmap(picture("warning", 56, "muted", 2.0))
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.reason = QLabel()
        self.reason.setProperty("role", "hint")
        self.reason.setWordWrap(True)
        self.reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.find_button = QPushButton("Find in a folder…")
        self.find_button.setProperty("role", "primary")
        self.find_button.setMinimumSize(168, 38)
        self.find_button.setToolTip("Look for all missing clips in a folder and below it, by name, size and length")
        self.find_button.clicked.connect(self.find_asked)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.find_button)
        buttons.addStretch()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(64, 64, 64, 64)
        column.addStretch(5)
        for label in (sign, self.title, self.reason):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
            column.addSpacing(16)
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addStretch(6)
        # In a low window it scrolls, rather than hold the window open.
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)

    def show_clip(self, name: str, reason: str, *, is_missing: bool) -> None:
        """Say which clip it is and what is wrong with it."""
        self.title.setText(f"{name} is missing" if is_missing else f"{name} cannot be opened")
        self.reason.setText(reason)
        self.find_button.setVisible(is_missing)
