"""The column at the left of the window: what stands in it one under the other, and no room when nothing does."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QSplitter, QWidget


class Side(QSplitter):
    """Out of sight while all that is in it is."""

    def __init__(self) -> None:
        """Empty, and so out of sight."""
        super().__init__(Qt.Orientation.Vertical)
        self.setHandleWidth(8)
        self.setChildrenCollapsible(False)
        self.hide()

    def place(self, panel: QWidget, *, at: int = -1) -> None:
        """Put a panel into the column: at the end, or at a place from the top."""
        self.insertWidget(self.count() if at < 0 else at, panel)
        panel.installEventFilter(self)
        self._follow()

    @property
    def panels(self) -> list[QWidget]:
        """What stands in the column, from the top."""
        return [panel for place in range(self.count()) if (panel := self.widget(place)) is not None]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in {QEvent.Type.ShowToParent, QEvent.Type.HideToParent}:
            self._follow()
            if event.type() == QEvent.Type.ShowToParent:
                # What comes up has as much room as what is there.
                self.setSizes([max(1, self.height())] * self.count())
        return super().eventFilter(watched, event)

    def _follow(self) -> None:
        self.setVisible(any(not panel.isHidden() for panel in self.panels))
