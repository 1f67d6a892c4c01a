"""The bar over the pictures: how they are compared, how large they are, and the way out to a file."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from app.viewer.compare import CompareMode
from app.widgets.icons import icon
from app.widgets.segmented import Segmented

ZOOMS: tuple[float | None, ...] = (None, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


class ViewBar(QWidget):
    """Compare mode, zoom, open and export.

    Signals:
        open_asked: Choose a file.
        export_asked: Export the clip.
        mode_asked: A `CompareMode`.
        zoom_asked: Device pixels for one source pixel; None to fit.
    """

    open_asked = Signal()
    export_asked = Signal()
    mode_asked = Signal(object)
    zoom_asked = Signal(object)

    def __init__(self) -> None:
        """Side by side, fit."""
        super().__init__()
        open_button = QPushButton("Open clip")
        open_button.setIcon(icon("open"))
        open_button.setToolTip("Choose a video file (Ctrl+O), or drop one on the window")
        open_button.clicked.connect(self.open_asked)
        self.modes = Segmented(
            [
                ("Side", "side", "Original and corrected side by side (V)"),
                ("Wipe", "wipe", "Both in one pane, with a divider to drag (W)"),
            ],
            "Compare",
        )
        self.modes.chosen.connect(self._ask_mode)
        self.zoom = QComboBox()
        self.zoom.setAccessibleName("Zoom")
        self.zoom.setToolTip("Zoom of both pictures: F fits, 1 2 4 8 for 100 to 800 %, Ctrl+wheel in between")
        self.zoom.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.zoom.setMinimumWidth(92)
        for zoom in ZOOMS:
            self.zoom.addItem(_zoom_text(zoom), zoom)
        self.zoom.activated.connect(self._ask_zoom)
        self.export = QPushButton("Export…")
        self.export.setProperty("role", "primary")
        self.export.setToolTip("Write the corrected clip (Ctrl+E)")
        self.export.clicked.connect(self.export_asked)
        for button in (open_button, self.export):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._name = QLabel()
        self._name.setToolTip("The open clip")
        zoom_name = QLabel("Zoom")
        zoom_name.setProperty("role", "hint")
        zoom_name.setBuddy(self.zoom)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(open_button)
        layout.addSpacing(8)
        layout.addWidget(self._name)
        layout.addStretch()
        layout.addWidget(self.modes)
        layout.addSpacing(16)
        layout.addWidget(zoom_name)
        layout.addWidget(self.zoom)
        layout.addSpacing(16)
        layout.addWidget(self.export)

    def show_clip(self, name: str) -> None:
        """Show the name of the open clip."""
        self._name.setText(name)

    def show_mode(self, mode: CompareMode) -> None:
        """Put the button of a mode down."""
        self.modes.choose(mode.value)

    def show_zoom(self, zoom: float | None) -> None:
        """Show a zoom, one of the list or one in between."""
        place = ZOOMS.index(zoom) if zoom in ZOOMS else -1
        self.zoom.setPlaceholderText(_zoom_text(zoom))
        self.zoom.setCurrentIndex(place)

    def _ask_mode(self, place: int) -> None:
        self.mode_asked.emit(CompareMode(place))

    def _ask_zoom(self, place: int) -> None:
        self.zoom_asked.emit(ZOOMS[place])


def _zoom_text(zoom: float | None) -> str:
    return "Fit" if zoom is None else f"{100 * zoom:.0f} %"
