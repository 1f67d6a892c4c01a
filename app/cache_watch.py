"""The cache in the window: how full it is, in the status bar, and its choices in the preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.inspector.cache_panel import CachePanel, status_text

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.preferences import Preferences, PreferencesDialog
    from vecnet_core.disk_cache import CacheUsage, DiskCache

_LOOK_MS = 5000


class CacheWatch(QObject):
    """Keeps one panel for the window's life, and looks every few seconds.

    Signals:
        told: Such as ``cache 1.2/8 GB``; empty where nothing is kept.
        refused: A sentence: the cache could not be cleared.
    """

    told = Signal(str)
    refused = Signal(str)

    def __init__(self, preferences: Preferences, disk: DiskCache, window: QWidget) -> None:
        """Begin to look; ``disk`` is this watch's own."""
        super().__init__(window)
        self._is_open = True
        self.panel = CachePanel(preferences, disk)
        self.panel.usage_changed.connect(self._tell)
        self.panel.refused.connect(self.refused)
        self._clock = QTimer(self)
        self._clock.setInterval(_LOOK_MS)
        self._clock.timeout.connect(self.look)
        self._clock.start()

    def look(self) -> None:
        """Ask how full it is now."""
        if self._is_open:
            self.panel.refresh()

    def lend(self, dialog: PreferencesDialog) -> None:
        """Place the panel in the preferences for as long as they are open."""
        dialog.add(self.panel)
        self.panel.show()
        dialog.finished.connect(self._take_back)

    def close(self) -> None:
        """Look no more; for the window that is closing."""
        self._is_open = False
        self._clock.stop()
        self._take_back()
        self.panel.close_errands()
        self.panel.deleteLater()

    def _take_back(self) -> None:
        self.panel.hide()
        self.panel.setParent(None)

    def _tell(self, usage: CacheUsage) -> None:
        self.told.emit(status_text(usage))
