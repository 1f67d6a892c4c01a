"""The status bar: what is being done, what the clip is, how it is shown, and on which device it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QStatusBar

from app.widgets.clip_facts import status_line

if TYPE_CHECKING:
    from app.session import Size
    from vecnet_core.frame import VideoInfo


class Status(QStatusBar):
    """One line of plain words.

    Signals:
        device_asked: The person wants to choose the device.
        export_asked: The person wants to see the running export.
    """

    device_asked = Signal()
    export_asked = Signal()

    def __init__(self) -> None:
        """Without a clip."""
        super().__init__()
        self.setSizeGripEnabled(False)
        self.device_label = ""
        self.setContentsMargins(8, 0, 8, 0)
        self._activity = QLabel()
        self._activity.setToolTip("What the editor is doing in the background")
        self._export = _flat("", "Show the running export (Ctrl+E)")
        self._export.clicked.connect(self.export_asked)
        self._export.setAccessibleName("Running export")
        self._export.hide()
        self._shown = QLabel()
        self._shown.setToolTip("Size the preview is made at; at 100 % it equals the export")
        self._clip = QLabel()
        self._clip.setToolTip("Size, rate, samples, colour matrix and range of the clip")
        self.device = _flat("Device: when a clip opens", "Where the network runs; click to choose (Ctrl+,)")
        self.device.clicked.connect(self.device_asked)
        self.addWidget(self._activity)
        self.addWidget(self._export)
        for widget in (self._shown, self._clip, self.device):
            self.addPermanentWidget(widget)

    def show_activity(self, text: str) -> None:
        """Say what is being done; empty when nothing."""
        self._activity.setText(text)

    def show_export(self, text: str) -> None:
        """Say how the export goes; empty when there is none."""
        self._export.setText(text)
        self._export.setAccessibleName(f"Running export: {text}")
        self._export.setVisible(bool(text))

    def show_clip(self, info: VideoInfo) -> None:
        """Show the facts of a clip."""
        self._clip.setText(f"{status_line(info)}   ")

    def show_size(self, info: VideoInfo | None, size: Size | None) -> None:
        """Say whether the preview is reduced."""
        if info is None:
            self._shown.setText("")
        elif size is None:
            self._shown.setText("Preview at full size   ")
        else:
            self._shown.setText(f"Preview reduced to {100 * size[0] / info.height:.0f} %   ")

    def show_device(self, label: str) -> None:
        """Say where the network runs."""
        self.device_label = label
        self.device.setText(f"Device: {label}")


def _flat(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", "flat")
    button.setToolTip(tooltip)
    return button
