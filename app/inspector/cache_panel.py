"""What is kept of clips between sessions: how much, how much it may be, and away with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QSpinBox, QWidget

from app.errands import Errands
from vecnet_core.cache import CacheBudget

if TYPE_CHECKING:
    from app.preferences import Preferences
    from vecnet_core.disk_cache import CacheUsage, DiskCache

_MOST_DISK_GB, _MOST_MEMORY_GB, _LEAST_MEMORY_GB = 1000, 64.0, 0.25


class CachePanel(QWidget):
    """Shows how full the cache is, and lets a person size and clear it; the disk is asked off the main thread.

    Signals:
        usage_changed: A `CacheUsage`.
        refused: A sentence: the cache could not be cleared.
    """

    usage_changed = Signal(object)
    refused = Signal(str)

    def __init__(self, preferences: Preferences, disk: DiskCache, parent: QWidget | None = None) -> None:
        """Show what is remembered; ``disk`` is this panel's own, so that it waits for nobody."""
        super().__init__(parent)
        self._preferences = preferences
        self._disk = disk
        self._errands = Errands(self)
        budget = preferences.cache_budget
        self.disk_size = QSpinBox()
        self.disk_size.setRange(0, _MOST_DISK_GB)
        self.disk_size.setSuffix(" GB")
        self.disk_size.setSpecialValueText("nothing is kept")
        self.disk_size.setValue(round(budget.disk_bytes / (1 << 30)))
        self.disk_size.setAccessibleName("Cache on disk")
        self.disk_size.setToolTip("Clips that were analysed before are there at once; those not used longest go first")
        self.disk_size.setKeyboardTracking(False)
        self.disk_size.valueChanged.connect(self._take_sizes)
        self.memory_size = QDoubleSpinBox()
        self.memory_size.setRange(_LEAST_MEMORY_GB, _MOST_MEMORY_GB)
        self.memory_size.setSingleStep(0.25)
        self.memory_size.setSuffix(" GB")
        self.memory_size.setValue(budget.memory_bytes / (1 << 30))
        self.memory_size.setAccessibleName("Cache in memory")
        self.memory_size.setToolTip("Analyses and frames of the clip at hand; holds from the next clip on")
        self.memory_size.setKeyboardTracking(False)
        self.memory_size.valueChanged.connect(self._take_sizes)
        self._held = QLabel()
        self._held.setProperty("role", "hint")
        self._held.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.clear = QPushButton("&Clear the cache")
        self.clear.setToolTip("Forget all analyses on disk; clips are analysed anew, corrections and exports stay")
        self.clear.clicked.connect(self.purge)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Cache on &disk", self.disk_size)
        form.addRow("Cache in &memory", self.memory_size)
        line = QHBoxLayout()
        line.addWidget(self._held, 1)
        line.addWidget(self.clear)
        form.addRow("", line)
        self.refresh()

    def refresh(self) -> None:
        """Ask how full the cache is; `usage_changed` answers."""
        self._errands.send(self._disk.usage, self._show)

    def purge(self) -> None:
        """Forget everything on disk."""
        self.clear.setEnabled(False)
        self._errands.send(self._purged, self._show, self._refuse)

    def close_errands(self) -> None:
        """Take no more answers; call before the window goes."""
        self._errands.close()
        self._disk.close()

    def _purged(self) -> CacheUsage:
        self._disk.purge()
        return self._disk.usage()

    def _trimmed(self, disk_bytes: int) -> CacheUsage:
        self._disk.set_budget(disk_bytes)
        self._disk.trim()
        return self._disk.usage()

    def _take_sizes(self) -> None:
        before = self._preferences.cache_budget
        budget = CacheBudget(round(self.memory_size.value() * (1 << 30)), self.disk_size.value() << 30)
        self._preferences.set_cache_budget(budget)
        if budget.disk_bytes != before.disk_bytes:
            self._errands.send(lambda: self._trimmed(budget.disk_bytes), self._show)

    def _show(self, usage: CacheUsage) -> None:
        self.clear.setEnabled(True)
        self._held.setText(f"In use: {size_text(usage.held_bytes)}")
        self._held.setAccessibleName(self._held.text())
        self.usage_changed.emit(usage)

    def _refuse(self, sentence: str) -> None:
        self.clear.setEnabled(True)
        self.refused.emit(sentence)


def status_text(usage: CacheUsage) -> str:
    """The cache in the status bar, such as ``cache 1.2/8 GB``; empty where nothing is kept."""
    if usage.budget_bytes == 0:
        return ""
    return f"cache {usage.held_bytes / (1 << 30):.1f}/{usage.budget_bytes / (1 << 30):.3g} GB"


def size_text(count: int) -> str:
    """Bytes for people, such as ``1.2 GB``."""
    return f"{count / (1 << 30):.1f} GB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MB"
