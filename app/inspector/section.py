"""A collapsible section with a heading, and a column that scrolls: the same everywhere in the inspector."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget
from superqt import QCollapsible

from app.widgets.icons import icon


class Section(QCollapsible):
    """A heading that folds what is under it away."""

    def __init__(self, title: str) -> None:
        """An open, empty section."""
        super().__init__(title, expandedIcon=icon("chevron_down"), collapsedIcon=icon("chevron_right"))
        self.setDuration(120)
        button = self.toggleButton()
        button.setToolTip(f"Show or hide {title.lower()}")
        button.setAccessibleName(f"{title}, section")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        # In place of the sheet superqt gives it, which would win over the application's.
        button.setStyleSheet("")
        button.setProperty("role", "section")
        outer = self.layout()
        if outer is not None:
            outer.setContentsMargins(0, 0, 0, 0)
            outer.setSpacing(0)
        body = QWidget()
        self.rows = QVBoxLayout(body)
        self.rows.setContentsMargins(0, 2, 0, 6)
        self.rows.setSpacing(6)
        self.setContent(body)

    def _use_icons(self) -> None:
        self.setExpandedIcon(icon("chevron_down"))
        self.setCollapsedIcon(icon("chevron_right"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.StyleChange:
            self._use_icons()
        super().changeEvent(event)

    def open_at_once(self) -> None:
        """Unfold without animation, once all rows are in."""
        self.expand(animate=False)


def scrolling(body: QWidget) -> QScrollArea:
    """A column that scrolls when the window is low."""
    scroll = QScrollArea()
    scroll.setWidget(body)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    # The panel's own colour shows through; Qt has just made the body opaque.
    body.setAutoFillBackground(False)
    scroll.viewport().setAutoFillBackground(False)
    return scroll
