"""The correction's sliders: none of them runs the network again."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.inspector.section import Section, scrolling
from app.widgets.value_slider import ValueSlider
from vecnet_core.settings import RANGES, CorrectionSettings

_PERCENT = 100.0


class CorrectionPanel(QWidget):
    """Sliders that ask the document to change.

    Signals:
        edit_asked: Setting name, value, and the gesture it belongs to.
        reset_asked: All settings back to their defaults.
    """

    edit_asked = Signal(str, float, int)
    reset_asked = Signal()

    def __init__(self) -> None:
        """All sliders at rest."""
        super().__init__()
        defaults = CorrectionSettings()
        self.sliders: dict[str, ValueSlider] = {}
        light = Section("Correction")
        for name, text, tooltip in (
            ("strength", "Strength", "How much of the whole correction is applied; 0 % is the source, untouched"),
            ("shadows", "Shadows", "How much of the brightening is applied; 100 % is the network's own answer"),
            ("highlights", "Highlights", "How much of the darkening is applied; 100 % is the network's own answer"),
        ):
            light.rows.addWidget(self._percent(name, text, tooltip, getattr(defaults, name)))
        light.open_at_once()
        time = Section("Exposure and time")
        low, high = RANGES["exposure_ev"]
        trim = ValueSlider(
            "Exposure trim",
            low=low,
            high=high,
            default=0.0,
            step=0.05,
            decimals=2,
            suffix=" stops",
            tooltip="Brightens or darkens the corrected picture in linear light",
            always_signed=True,
        )
        self._add("exposure_ev", trim)
        time.rows.addWidget(trim)
        tooltip = "How much of the measured flicker is taken out; 100 % takes out all of it"
        time.rows.addWidget(self._percent("steadiness", "Steadiness", tooltip, defaults.steadiness))
        time.open_at_once()
        noise = Section("Noise")
        tooltip = "How much of the noise that brightening reveals is taken out; slow without a GPU"
        noise.rows.addWidget(self._percent("denoise", "Noise removal", tooltip, defaults.denoise))
        noise.open_at_once()
        self.reset = QPushButton("Reset all")
        self.reset.setToolTip("Set every slider back to the network's own answer (Ctrl+R)")
        self.reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reset.clicked.connect(self.reset_asked)

        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 4, 16, 8)
        column.setSpacing(2)
        column.addWidget(light)
        column.addWidget(time)
        column.addWidget(noise)
        column.addStretch()
        # Below what scrolls: on a small window the way back is the last thing to be out of sight.
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 8, 16, 8)
        foot.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scrolling(body))
        layout.addLayout(foot)

    def place_on_top(self, widget: QWidget) -> None:
        """Place another room's widget above the sliders, out of what scrolls."""
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(0, widget)

    def show_settings(self, settings: CorrectionSettings) -> None:
        """Stand the sliders where the document says; nothing is asked back."""
        for name, slider in self.sliders.items():
            value = float(getattr(settings, name))
            blocked = QSignalBlocker(slider)
            slider.show_value(value if name == "exposure_ev" else value * _PERCENT)
            blocked.unblock()
        self.reset.setEnabled(settings != CorrectionSettings())

    def _percent(self, name: str, text: str, tooltip: str, default: float) -> ValueSlider:
        low, high = RANGES[name]
        slider = ValueSlider(
            text,
            low=low * _PERCENT,
            high=high * _PERCENT,
            default=default * _PERCENT,
            step=1.0,
            decimals=0,
            suffix=" %",
            tooltip=tooltip,
        )
        self._add(name, slider)
        return slider

    def _add(self, name: str, slider: ValueSlider) -> None:
        slider.setObjectName(name)
        slider.value_edited.connect(self._ask)
        self.sliders[name] = slider

    def _ask(self, value: float, gesture: int) -> None:
        sender = self.sender()
        if isinstance(sender, ValueSlider):
            name = sender.objectName()
            self.edit_asked.emit(name, value if name == "exposure_ev" else value / _PERCENT, gesture)
