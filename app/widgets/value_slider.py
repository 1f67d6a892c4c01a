"""A named slider with a numeric field: drags are told apart by gesture, a double click resets."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSizePolicy, QStyle, QVBoxLayout, QWidget
from superqt import QDoubleSlider

from app import theme

_KEYS = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End}


class Track(QDoubleSlider):
    """The slider itself, filled from its default to its handle."""

    reset_asked = Signal()

    def __init__(self, default: float) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._default = default
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(20)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, 20)

    def event(self, ev: QEvent) -> bool:
        # The window's shortcuts own the arrow keys; a slider that has the focus keeps them.
        if ev.type() == QEvent.Type.ShortcutOverride and isinstance(ev, QKeyEvent) and ev.key() in _KEYS:
            ev.accept()
            return True
        return super().event(ev)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset_asked.emit()
        event.accept()

    def wheelEvent(self, e: QWheelEvent) -> None:
        # A wheel over the panel scrolls the panel; a value changed by accident is worse than a wheel not used.
        e.ignore()

    def paintEvent(self, ev: QPaintEvent) -> None:
        handle = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, self._styleOption, QStyle.SubControl.SC_SliderHandle, self
        )
        middle = self.height() / 2
        inset = handle.width() / 2
        span = self.width() - 2 * inset
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.GROOVE))
        painter.drawRoundedRect(QRectF(inset, middle - 2, span, 4), 2, 2)
        home = inset + span * self._share(self._default)
        here = inset + span * self._share(float(self.value()))
        painter.setBrush(QColor(theme.ACCENT if self.isEnabled() else theme.FAINT))
        painter.drawRoundedRect(QRectF(min(home, here), middle - 2, abs(here - home), 4), 2, 2)
        painter.setBrush(QColor(theme.MUTED))
        painter.drawRect(QRectF(home - 0.75, middle - 5, 1.5, 10))
        painter.setBrush(QColor(theme.TEXT if self.isEnabled() else theme.FAINT))
        if self.hasFocus():
            painter.setPen(QColor(theme.ACCENT))
        painter.drawEllipse(QPointF(here, middle), 6.5, 6.5)

    def _share(self, value: float) -> float:
        return (value - self.minimum()) / (self.maximum() - self.minimum())


class ValueSlider(QWidget):
    """A name, a number that can be typed, and a slider.

    Signals:
        value_edited: The person set a value; with the number of the gesture, the same all through one drag.
    """

    value_edited = Signal(float, int)
    _gestures = 0

    def __init__(
        self,
        name: str,
        *,
        low: float,
        high: float,
        default: float,
        step: float,
        decimals: int,
        suffix: str,
        tooltip: str,
        always_signed: bool = False,
    ) -> None:
        """A slider from ``low`` to ``high`` that rests at ``default``."""
        super().__init__()
        self._default = default
        self._gesture = 0
        self.slider = Track(default)
        self.slider.setRange(low, high)
        self.slider.setSingleStep(step)
        self.slider.setPageStep(10 * step)
        self.field = _SignedField(always_signed)
        self.field.setDecimals(decimals)
        self.field.setRange(low, high)
        self.field.setSingleStep(step)
        self.field.setSuffix(suffix)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setKeyboardTracking(False)
        self.field.setFixedWidth(92)
        label = QLabel(name)
        label.setBuddy(self.field)
        for widget in (self.slider, self.field):
            widget.setToolTip(f"{tooltip}\nDouble-click the slider to reset")
            widget.setAccessibleName(name)
        label.setToolTip(tooltip)
        self.show_value(default)

        top = QHBoxLayout()
        top.addWidget(label)
        top.addStretch()
        top.addWidget(self.field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.slider)

        self.slider.sliderPressed.connect(self._start_gesture)
        self.slider.sliderReleased.connect(self._end_gesture)
        self.slider.valueChanged.connect(self._tell_slider)
        self.slider.reset_asked.connect(self.reset)
        self.field.valueChanged.connect(self._tell_field)
        # Enter is done with typing: single keys are the window's again.
        self.field.lineEdit().returnPressed.connect(self.field.clearFocus)

    @property
    def value(self) -> float:
        """The number shown."""
        return float(self.slider.value())

    def show_value(self, value: float) -> None:
        """Show ``value`` without telling anyone."""
        for widget in (self.slider, self.field):
            widget.blockSignals(True)
            widget.setValue(value)
            widget.blockSignals(False)

    def reset(self) -> None:
        """Go back to the default, as an edit of its own."""
        self._start_gesture()
        self.slider.setValue(self._default)
        self._end_gesture()

    def _start_gesture(self) -> None:
        ValueSlider._gestures += 1
        self._gesture = ValueSlider._gestures

    def _end_gesture(self) -> None:
        self._gesture = 0

    def _tell_slider(self, value: float) -> None:
        step = self.slider.singleStep()
        rounded = round(value / step) * step
        self.show_value(rounded)
        self._tell(rounded)

    def _tell_field(self, value: float) -> None:
        self.show_value(value)
        self._tell(value)

    def _tell(self, value: float) -> None:
        if self._gesture:
            self.value_edited.emit(value, self._gesture)
            return
        self._start_gesture()
        self.value_edited.emit(value, self._gesture)
        self._end_gesture()


class _SignedField(QDoubleSpinBox):
    """A number field that can write a plus sign before what is above zero."""

    def __init__(self, always_signed: bool) -> None:
        super().__init__()
        self._always_signed = always_signed

    def textFromValue(self, value: float) -> str:
        text = super().textFromValue(value)
        return f"+{text}" if self._always_signed and value > 0 else text

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
