"""The bar over the pictures: how they are compared, how large they are, and the way out to a file."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from app import theme
from app.viewer.compare_mode import CompareMode
from app.widgets.icons import icon
from app.widgets.segmented import Segmented
from app.widgets.value_slider import Track

ZOOMS: tuple[float | None, ...] = (None, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


class ViewBar(QWidget):
    """Compare mode, zoom, open and export.

    Signals:
        open_asked: Choose a file.
        export_asked: Export the clip.
        mode_asked: A `CompareMode`.
        zoom_asked: Device pixels for one source pixel; None to fit.
        gain_asked: How much differences are exaggerated.
        mix_asked: The share of the upper picture of the onion skin, 0 to 1.
    """

    open_asked = Signal()
    export_asked = Signal()
    mode_asked = Signal(object)
    zoom_asked = Signal(object)
    gain_asked = Signal(float)
    mix_asked = Signal(float)

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
                ("Diff", "difference", "What the correction changed, exaggerated; black where nothing did (D)"),
                ("Onion", "onion", "One over the other, with an opacity to choose (V)"),
                ("Toggle", "toggle", "One at a time: a click or X shows the other (V)"),
            ],
            "Compare",
        )
        self.modes.chosen.connect(self._ask_mode)
        self.gain = _amount("Gain of the difference", "How much differences are exaggerated", 0.0, 5.0, 1.0, 2.0)
        self.gain.valueChanged.connect(self._ask_gain)
        self.mix = _amount("Opacity of the upper picture", "How much the upper picture covers", 0.0, 1.0, 0.05, 0.5)
        self.mix.valueChanged.connect(self.mix_asked)
        self._amount = QLabel()
        self._amount.setProperty("role", "hint")
        self._amount.setMinimumWidth(self._amount.fontMetrics().horizontalAdvance("100 %"))
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
        for slider in (self.gain, self.mix):
            layout.addWidget(slider)
            slider.hide()
        layout.addWidget(self._amount)
        layout.addWidget(self.modes)
        layout.addSpacing(16)
        layout.addWidget(zoom_name)
        layout.addWidget(self.zoom)
        layout.addSpacing(16)
        layout.addWidget(self.export)
        self._use_colors()

    def _use_colors(self) -> None:
        # A zoom in between is shown in place of a choice, and is as real as those.
        colors = self.zoom.palette()
        colors.setColor(QPalette.ColorRole.PlaceholderText, QColor(theme.TEXT))
        self.zoom.setPalette(colors)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.StyleChange:
            self._use_colors()
        super().changeEvent(event)

    def show_clip(self, name: str) -> None:
        """Show the name of the open clip."""
        self._name.setText(name)

    def show_mode(self, mode: CompareMode) -> None:
        """Put the button of a mode down, and show the slider that goes with it."""
        self.modes.choose(mode.value)
        self.gain.setVisible(mode is CompareMode.DIFFERENCE)
        self.mix.setVisible(mode is CompareMode.ONION)
        self._show_amount()

    def show_gain(self, gain: float) -> None:
        """Show how much differences are exaggerated."""
        _show_value(self.gain, math.log2(gain))
        self._show_amount()

    def show_mix(self, share: float) -> None:
        """Show how much of the upper picture of the onion skin there is."""
        _show_value(self.mix, share)
        self._show_amount()

    def show_zoom(self, zoom: float | None) -> None:
        """Show a zoom, one of the list or one in between."""
        place = ZOOMS.index(zoom) if zoom in ZOOMS else -1
        self.zoom.setPlaceholderText(_zoom_text(zoom))
        self.zoom.setCurrentIndex(place)

    def _show_amount(self) -> None:
        gain, share = 2.0 ** self.gain.value(), self.mix.value()
        is_onion = self.modes.position == CompareMode.ONION.value
        is_shown = is_onion or self.modes.position == CompareMode.DIFFERENCE.value
        self._amount.setVisible(is_shown)
        self._amount.setText(f"{100 * share:.0f} %" if is_onion else f"× {gain:.3g}")

    def _ask_gain(self, stops: float) -> None:
        self.gain_asked.emit(2.0**stops)

    def _ask_mode(self, place: int) -> None:
        self.mode_asked.emit(CompareMode(place))

    def _ask_zoom(self, place: int) -> None:
        self.zoom_asked.emit(ZOOMS[place])


def _amount(name: str, tooltip: str, low: float, high: float, step: float, default: float) -> Track:
    slider = Track(default)
    slider.setRange(low, high)
    slider.setSingleStep(step)
    slider.setValue(default)
    slider.setAccessibleName(name)
    slider.setToolTip(f"{tooltip}; double-click to reset")
    slider.setFixedWidth(120)
    slider.reset_asked.connect(partial(slider.setValue, default))
    return slider


def _show_value(slider: Track, value: float) -> None:
    slider.blockSignals(True)
    slider.setValue(value)
    slider.blockSignals(False)


def _zoom_text(zoom: float | None) -> str:
    return "Fit" if zoom is None else f"{100 * zoom:.0f} %"
