"""The scopes: unfold those wanted, and choose how they are read; only what is in sight is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from app.inspector.section import Section, scrolling
from app.widgets.scope_view import ScopeView
from vecnet_core.metrics.scales import Scope

if TYPE_CHECKING:
    from collections.abc import Collection

    from PySide6.QtGui import QHideEvent, QShowEvent

    from vecnet_core.metrics.scales import ShareArray

FIRST_OPEN = (Scope.WAVEFORM, Scope.HISTOGRAM)


class ScopesPanel(QWidget):
    """One section for each scope.

    Signals:
        scopes_asked: A tuple of `Scope`, those in sight and worth measuring; empty while the panel is hidden.
    """

    scopes_asked = Signal(object)

    def __init__(self) -> None:
        """Waveform and histogram are unfolded."""
        super().__init__()
        self._asked: tuple[Scope, ...] = ()
        self.before = _switch("Before", "Show the original's trace in grey behind the corrected one", is_on=True)
        self.logarithmic = _switch("Logarithmic", "Bring out levels and colours that few pixels have", is_on=False)
        self.stops = _switch("Stops", "Count in stops from middle grey (18 %) instead of % of the signal", is_on=False)
        switches = QHBoxLayout()
        switches.setContentsMargins(16, 12, 16, 8)
        switches.setSpacing(16)
        for switch in (self.before, self.logarithmic, self.stops):
            switches.addWidget(switch)
        switches.addStretch()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 0, 16, 8)
        column.setSpacing(2)
        self.views: dict[Scope, ScopeView] = {}
        self._sections: dict[Scope, Section] = {}
        for scope in Scope:
            view, section = ScopeView(scope), Section(scope.value)
            section.rows.addWidget(view)
            self.views[scope], self._sections[scope] = view, section
            section.toggled.connect(self._ask)
            self.before.toggled.connect(view.set_ghost)
            self.logarithmic.toggled.connect(view.set_logarithmic)
            self.stops.toggled.connect(view.set_stops)
            column.addWidget(section)
        self.unfold(FIRST_OPEN)
        column.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(switches)
        layout.addWidget(scrolling(body))

    @property
    def open_scopes(self) -> tuple[Scope, ...]:
        """The scopes that are unfolded, in sight or not."""
        return tuple(scope for scope, section in self._sections.items() if section.isExpanded())

    def unfold(self, scopes: Collection[Scope]) -> None:
        """Unfold these scopes and fold the others."""
        for scope, section in self._sections.items():
            if scope in scopes:
                section.open_at_once()
            else:
                section.collapse(animate=False)

    def show_traces(self, scope: Scope, before: ShareArray | None, after: ShareArray | None) -> None:
        """Show one scope of a frame, before and after the correction; see `ScopeView.show_traces`."""
        self.views[scope].show_traces(before, after)

    def clear(self) -> None:
        """Show no frame."""
        for view in self.views.values():
            view.clear()

    def showEvent(self, event: QShowEvent) -> None:
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        self._ask()

    def _ask(self) -> None:
        wanted = self.open_scopes if self.isVisible() else ()
        if wanted != self._asked:
            self._asked = wanted
            self.scopes_asked.emit(wanted)


def _switch(text: str, tooltip: str, *, is_on: bool) -> QCheckBox:
    switch = QCheckBox(text)
    switch.setToolTip(tooltip)
    switch.setAccessibleName(f"Scopes: {text}")
    switch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    switch.setChecked(is_on)
    return switch
