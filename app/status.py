"""The status bar: what is being done, what the clip is, how it is shown, and on which device it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QStatusBar

from app.widgets.clip_facts import status_line

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo


class Status(QStatusBar):
    """One line of plain words.

    Signals:
        device_asked: The person wants to choose the device.
        export_asked: The person wants to see the running export.
        cache_asked: The person wants to size or clear the cache.
    """

    device_asked = Signal()
    export_asked = Signal()
    cache_asked = Signal()

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
        self._cache = _flat("", "What is kept of clips between sessions; click to size or clear it (Ctrl+,)")
        self._cache.setAccessibleName("Cache")
        self._cache.clicked.connect(self.cache_asked)
        self._cache.hide()
        self._shown = QLabel()
        self._shown.setToolTip("Size the preview is made at; at 100 % it equals the export")
        self._clip = QLabel()
        self._clip.setToolTip("Size, rate, samples, colour matrix and range of the clip")
        self.device = _flat("Device: when a clip opens", "Where the network runs; click to choose (Ctrl+,)")
        self.device.clicked.connect(self.device_asked)
        for label in (self._activity, self._shown, self._clip):
            # A narrow window cuts these rather than grow for them.
            label.setMinimumWidth(1)
        self.addWidget(self._activity)
        self.addWidget(self._export)
        for widget in (self._shown, self._clip, self._cache, self.device):
            self.addPermanentWidget(widget)

    def show_activity(self, text: str) -> None:
        """Say what is being done; empty when nothing."""
        self._activity.setText(text)

    def show_export(self, text: str) -> None:
        """Say how the export goes; empty when there is none."""
        self._export.setText(text)
        self._export.setAccessibleName(f"Running export: {text}")
        self._export.setVisible(bool(text))

    def show_cache(self, text: str) -> None:
        """Say how full the cache is; empty when nothing is kept."""
        self._cache.setText(text)
        self._cache.setAccessibleName(text or "Cache")
        self._cache.setVisible(bool(text))

    def clear_clip(self) -> None:
        """No clip is at hand."""
        self._clip.setText("")
        self._shown.setText("")

    def show_clip(self, info: VideoInfo) -> None:
        """Show the facts of a clip."""
        self._clip.setText(f"{status_line(info)}   ")

    def show_fineness(self, text: str) -> None:
        """Say whether the preview is reduced."""
        self._shown.setText(text)

    def show_device(self, label: str) -> None:
        """Say where the network runs."""
        self.device_label = label
        self.device.setText(f"Device: {label}")


def _flat(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", "flat")
    button.setToolTip(tooltip)
    return button
