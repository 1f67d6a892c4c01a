"""What the editor remembers between sessions: device, look, last folder, the window's shape; and the dialog for it."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QByteArray, QDir, QObject, QSettings, Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from vecnet_core.cache import CacheBudget

DEVICES: dict[str, str] = {
    "auto": "Automatic: the fastest that works",
    "cpu": "CPU",
    "cuda": "NVIDIA GPU (CUDA)",
    "mps": "Apple GPU (MPS)",
}
"""Device names the core understands, and how they are told to a person."""

LOOKS: dict[str, str] = {"dark": "Dark", "light": "Light", "system": "As the system"}
"""Themes, and how they are told to a person."""

SCALES = (90, 100, 110, 125, 150)
"""Percent of the usual size."""


class Preferences(QObject):
    """Remembered choices; every change is written at once.

    Signals:
        device_changed: The name of the compute device, a key of `DEVICES`.
        theme_changed: How the editor looks.
        cache_budget_changed: A `CacheBudget`.
    """

    device_changed = Signal(str)
    theme_changed = Signal()
    cache_budget_changed = Signal(object)

    def __init__(self, settings: QSettings | None = None, parent: QObject | None = None) -> None:
        """Read from ``settings``, or from this user's own store."""
        super().__init__(parent)
        self._settings = settings if settings is not None else QSettings("VECNet", "VECNet")

    @property
    def device(self) -> str:
        """The compute device asked for."""
        name = str(self._settings.value("device", "auto"))
        return name if name in DEVICES else "auto"

    def set_device(self, name: str) -> None:
        """Remember the compute device and tell whoever owns one."""
        if name not in DEVICES:
            raise ValueError(f"unknown device {name!r}")
        if name != self.device:
            self._settings.setValue("device", name)
            self.device_changed.emit(name)

    @property
    def theme(self) -> str:
        """How the editor looks, a key of `LOOKS`."""
        name = self.text("theme", "dark")
        return name if name in LOOKS else "dark"

    def set_theme(self, name: str) -> None:
        """Remember how the editor looks, and have it look so."""
        if name not in LOOKS:
            raise ValueError(f"unknown theme {name!r}")
        if name != self.theme:
            self.set_text("theme", name)
            self.theme_changed.emit()

    @property
    def scale_percent(self) -> int:
        """How large the editor is drawn, one of `SCALES`."""
        kept = self.text("scale_percent", "100")
        return int(kept) if kept in {str(percent) for percent in SCALES} else 100

    def set_scale_percent(self, percent: int) -> None:
        """Remember how large the editor is drawn from its next start on."""
        if percent not in SCALES:
            raise ValueError(f"no scale of {percent} %")
        self.set_text("scale_percent", str(percent))

    @property
    def cache_budget(self) -> CacheBudget:
        """What caches may take."""
        usual = CacheBudget()
        return CacheBudget(
            self._bytes("cache/memory_mb", usual.memory_bytes), self._bytes("cache/disk_mb", usual.disk_bytes)
        )

    def set_cache_budget(self, budget: CacheBudget) -> None:
        """Remember what caches may take and tell who keeps them."""
        if budget != self.cache_budget:
            self._settings.setValue("cache/memory_mb", budget.memory_bytes >> 20)
            self._settings.setValue("cache/disk_mb", budget.disk_bytes >> 20)
            self.cache_budget_changed.emit(budget)

    @property
    def last_folder(self) -> Path:
        """The folder the last clip came from."""
        return Path(str(self._settings.value("last_folder", QDir.homePath())))

    def set_last_folder(self, folder: Path) -> None:
        """Remember where the last clip came from."""
        self._settings.setValue("last_folder", str(folder))

    def text(self, name: str, default: str) -> str:
        """A remembered word, such as the codec of the last export."""
        return str(self._settings.value(name, default))

    def set_text(self, name: str, value: str) -> None:
        """Remember a word under ``name``."""
        self._settings.setValue(name, value)

    def paths(self, name: str) -> list[Path]:
        """Remembered files, such as the recent ones."""
        try:
            found = json.loads(self.text(name, "[]"))
        except ValueError:
            return []
        return [Path(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def set_paths(self, name: str, paths: list[Path]) -> None:
        """Remember files under ``name``."""
        self.set_text(name, json.dumps([str(path) for path in paths]))

    def shape(self, name: str) -> QByteArray | None:
        """The remembered geometry of a window or splitter."""
        value = self._settings.value(f"shape/{name}")
        return value if isinstance(value, QByteArray) else None

    def set_shape(self, name: str, shape: QByteArray) -> None:
        """Remember the geometry of a window or splitter."""
        self._settings.setValue(f"shape/{name}", shape)

    def _bytes(self, name: str, usual: int) -> int:
        """A remembered size, kept in megabytes."""
        try:
            count = int(str(self._settings.value(name, usual >> 20)))
        except ValueError:
            return usual
        return max(count, 0) << 20


class PreferencesDialog(QDialog):
    """Lets a person choose the compute device and the look; a choice holds from the moment it is made."""

    def __init__(self, preferences: Preferences, device_label: str, parent: QWidget | None = None) -> None:
        """Show the choice asked for and, in words, the device that is in use."""
        super().__init__(parent)
        self._preferences = preferences
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(440)
        self.device_picker = QComboBox()
        self.device_picker.setAccessibleName("Compute device")
        self.device_picker.setToolTip("Where the network runs; the picture itself is composed on the CPU")
        for name, text in DEVICES.items():
            self.device_picker.addItem(text, name)
        self.device_picker.setCurrentIndex(list(DEVICES).index(preferences.device))
        self.device_picker.activated.connect(self._choose_device)
        self.theme_picker = QComboBox()
        self.theme_picker.setAccessibleName("Theme")
        self.theme_picker.setToolTip("How the editor looks; the grey around the picture is the same in all")
        for name, text in LOOKS.items():
            self.theme_picker.addItem(text, name)
        self.theme_picker.setCurrentIndex(list(LOOKS).index(preferences.theme))
        self.theme_picker.activated.connect(self._choose_theme)
        self.scale_picker = QComboBox()
        self.scale_picker.setAccessibleName("Size of the editor")
        self.scale_picker.setToolTip("How large texts and controls are, on top of the size the system asks for")
        for percent in SCALES:
            self.scale_picker.addItem(f"{percent} %", percent)
        self.scale_picker.setCurrentIndex(SCALES.index(preferences.scale_percent))
        self.scale_picker.activated.connect(self._choose_scale)
        self._scale_note = QLabel("A size is taken on when the editor is started again.")
        self._scale_note.setWordWrap(True)
        self._scale_note.setProperty("role", "hint")
        self._in_use = QLabel()
        self._in_use.setWordWrap(True)
        self._in_use.setProperty("role", "hint")
        self.show_device(device_label)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("&Compute device", self.device_picker)
        form.addRow("", self._in_use)
        form.addRow("&Theme", self.theme_picker)
        form.addRow("&Size of the editor", self.scale_picker)
        form.addRow("", self._scale_note)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(24)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def add(self, panel: QWidget) -> None:
        """Place another room's choices below."""
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(layout.count() - 1, panel)

    def show_device(self, label: str) -> None:
        """Say which device is in use now."""
        self._in_use.setText(f"In use: {label}" if label else "Chosen when the first clip is opened.")

    def _choose_theme(self) -> None:
        self._preferences.set_theme(str(self.theme_picker.currentData()))

    def _choose_scale(self) -> None:
        self._preferences.set_scale_percent(int(self.scale_picker.currentData()))

    def _choose_device(self) -> None:
        self._preferences.set_device(str(self.device_picker.currentData()))
