"""A row of buttons of which exactly one is down."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from app.widgets.icons import icon


class Segmented(QWidget):
    """A choice of a few, all in sight.

    Signals:
        chosen: The position of the button that went down, by the person or by `choose`.
    """

    chosen = Signal(int)

    def __init__(self, items: list[tuple[str, str, str]], name: str) -> None:
        """Make one button for each (text, icon name or nothing, tooltip)."""
        super().__init__()
        self.setAccessibleName(name)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._group = QButtonGroup(self)
        for place, (text, icon_name, tooltip) in enumerate(items):
            button = QToolButton()
            button.setText(text)
            if icon_name:
                button.setIcon(icon(icon_name))
            button.setIconSize(QSize(18, 18))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setCheckable(True)
            button.setToolTip(tooltip)
            button.setAccessibleName(f"{name}: {text}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setProperty("role", "segment")
            button.setProperty("place", "first" if place == 0 else "last" if place == len(items) - 1 else "middle")
            self._group.addButton(button, place)
            layout.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._tell)

    @property
    def position(self) -> int:
        """Which button is down."""
        return self._group.checkedId()

    def choose(self, position: int) -> None:
        """Put a button down."""
        self._group.button(position).setChecked(True)

    def _tell(self, position: int, down: bool) -> None:
        if down:
            self.chosen.emit(position)
