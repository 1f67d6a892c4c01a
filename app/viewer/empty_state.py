"""What is there before a clip is: a large place to drop one, and a sample to try."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import theme
from app.widgets.icons import icon, picture


class EmptyState(QWidget):
    """The window without a clip.

    Signals:
        open_asked: Choose a file.
        sample_asked: Open the bundled sample clip.
    """

    open_asked = Signal()
    sample_asked = Signal()

    def __init__(self) -> None:
        """The drop target and two buttons."""
        super().__init__()
        self._is_lit = False
        self.setAccessibleName("Drop a clip here")
        sign = QLabel()
        sign.setPixmap(picture("film", 72, "muted", 2.0))
        sign.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = QLabel("Drop a clip here")
        title.setProperty("role", "title")
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        line = QLabel("Brings back light where a clip is too dark or blown out, and takes the flicker out of it.")
        line.setProperty("role", "hint")
        line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.open_button = QPushButton("Open clip")
        self.open_button.setProperty("role", "primary")
        self.open_button.setIcon(icon("open", "accent_text"))
        self.open_button.setToolTip("Choose a video file (Ctrl+O); Ctrl+Shift+O opens an image sequence")
        self.open_button.setMinimumSize(152, 38)
        self.open_button.clicked.connect(self.open_asked)
        self.sample_button = QPushButton("Try the sample clip")
        self.sample_button.setToolTip("Open the badly exposed clip that comes with the editor; nothing is downloaded")
        self.sample_button.setMinimumSize(176, 38)
        self.sample_button.clicked.connect(self.sample_asked)
        self._note = QLabel("Video files and image sequences, 8 to 16 bit, SDR and HDR. Your files are never changed.")
        self._note.setProperty("role", "hint")
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addStretch()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.sample_button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(64, 64, 64, 64)
        layout.addStretch(5)
        layout.addWidget(sign)
        layout.addSpacing(16)
        layout.addWidget(title)
        layout.addSpacing(8)
        layout.addWidget(line)
        layout.addSpacing(32)
        layout.addLayout(buttons)
        layout.addSpacing(32)
        layout.addWidget(self._note)
        layout.addStretch(6)

    def show_drop(self, is_over: bool) -> None:
        """Light up while a file hovers over the window."""
        if is_over != self._is_lit:
            self._is_lit = is_over
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(theme.ACCENT if self._is_lit else theme.EDGE), 2 if self._is_lit else 1.5)
        pen.setDashPattern([5, 5])
        painter.setPen(pen)
        painter.setBrush(QColor(theme.LIT if self._is_lit else theme.PANEL))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24.5, 16.5, -24.5, -24.5), 10, 10)
