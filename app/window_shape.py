"""The window's shape: sizes, splitters, the panel in front and the sections that are folded, remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize

from app.inspector.section import Section

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow, QSplitter, QTabWidget

    from app.preferences import Preferences

TITLE_PX = 40
LOW_PX = 800


class WindowShape:
    """What a window looks like when it is closed, and again when it is opened; no part of any project."""

    def __init__(
        self, window: QMainWindow, splitters: dict[str, QSplitter], tabs: QTabWidget, preferences: Preferences
    ) -> None:
        """Splitters are remembered by name."""
        self._window = window
        self._splitters = splitters
        self._tabs = tabs
        self._preferences = preferences

    def restore(self) -> None:
        """Take on what is remembered; what makes no sense here is left as it is."""
        for name, splitter in self._splitters.items():
            shape = self._preferences.shape(name)
            if shape is not None:
                splitter.restoreState(shape)
        shape = self._preferences.shape("window")
        if shape is not None:
            self._window.restoreGeometry(shape)
        front = self._preferences.text("panel", "")
        for place in range(self._tabs.count()):
            if self._tabs.tabText(place) == front:
                self._tabs.setCurrentIndex(place)
        folded = set(self._preferences.text("folded", "").split("\n"))
        unfolded = set(self._preferences.text("unfolded", "").split("\n"))
        for section in self._sections():
            if section.text() in folded:
                section.collapse(animate=False)
            elif section.text() in unfolded:
                section.expand(animate=False)

    def fit(self, room: QSize) -> None:
        """Be no larger than the screen's free ``room``, less a title bar, where no size is remembered."""
        if self._preferences.shape("window") is None:
            self._window.resize(self._window.size().boundedTo(room - QSize(0, TITLE_PX)))
            if self._window.height() < LOW_PX:
                # The pictures come first: the lanes take the least they need.
                self._splitters["down"].setSizes([self._window.height(), 1])

    def keep(self) -> None:
        """Remember the window as it is."""
        self._preferences.set_shape("window", self._window.saveGeometry())
        for name, splitter in self._splitters.items():
            self._preferences.set_shape(name, splitter.saveState())
        self._preferences.set_text("panel", self._tabs.tabText(self._tabs.currentIndex()))
        is_open = {section.text(): section.isExpanded() for section in self._sections()}
        self._preferences.set_text("folded", "\n".join(text for text, is_so in is_open.items() if not is_so))
        self._preferences.set_text("unfolded", "\n".join(text for text, is_so in is_open.items() if is_so))

    def _sections(self) -> list[Section]:
        return self._window.findChildren(Section)
