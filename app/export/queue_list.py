"""The list of the queue: each entry with its name, state and progress; dragged or moved by keys into another order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QDropEvent, QFont, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import theme
from app.export.entries import QueueEntry, State, settings_words, state_words
from app.widgets.icons import picture

if TYPE_CHECKING:
    from collections.abc import Sequence

ROW_PX = 56
_ROLE = Qt.ItemDataRole.UserRole
_SIGNS = {
    State.WAITING: ("clock", "muted"),
    State.RUNNING: ("play", "accent"),
    State.STOPPED: ("pause", "muted"),
    State.FAILED: ("warning", "error"),
    State.DONE: ("done", "accent"),
}

_OWN_KEYS = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End,
    Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Enter,
}  # fmt: skip

_Index = QModelIndex | QPersistentModelIndex


class QueueModel(QAbstractListModel):
    """The entries as Qt's views read them; the queue is the one who writes them."""

    def __init__(self) -> None:
        """No entries."""
        super().__init__()
        self._entries: tuple[QueueEntry, ...] = ()

    def show_entries(self, entries: Sequence[QueueEntry]) -> None:
        """Show these entries in this order."""
        former, self._entries = self._entries, tuple(entries)
        if [one.number for one in former] == [one.number for one in entries]:
            for row, (before, after) in enumerate(zip(former, entries, strict=True)):
                if before != after:
                    self.dataChanged.emit(self.index(row), self.index(row))
        else:
            self.beginResetModel()
            self.endResetModel()

    def entry(self, index: _Index) -> QueueEntry | None:
        """The entry of a row."""
        return self._entries[index.row()] if index.isValid() and index.row() < len(self._entries) else None

    def row_of(self, number: int) -> int:
        """Where an entry stands; -1 when it is gone."""
        return next((row for row, entry in enumerate(self._entries) if entry.number == number), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index)
        if entry is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.output.name
            case Qt.ItemDataRole.ToolTipRole:
                return f"{entry.clip.path}\n{entry.output}\n{settings_words(entry)}\n{state_words(entry)}"
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{entry.output.name}, {entry.state.value}: {state_words(entry)}"
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return settings_words(entry)
            case _:
                return entry if role == _ROLE else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        # Dropped between rows, never onto one.
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags | Qt.ItemFlag.ItemIsDropEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction


class _Row(QStyledItemDelegate):
    """Paints an entry: a sign, two lines, and a bar while it runs."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(160, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        entry = index.data(_ROLE)
        if not isinstance(entry, QueueEntry):
            return
        rect: QRect = option.rect  # pyright: ignore[reportAttributeAccessIssue]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        font: QFont = option.font  # pyright: ignore[reportAttributeAccessIssue]
        painter.save()
        box = rect.adjusted(0, 1, 0, -1)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(theme.SELECTED))
            if state & QStyle.StateFlag.State_HasFocus:
                painter.setPen(QPen(QColor(theme.ACCENT), 1))
                painter.drawRect(box.adjusted(0, 0, -1, -1))
        sign, tint = _SIGNS[entry.state]
        sign = "pause" if entry.is_paused else sign
        painter.drawPixmap(rect.left() + 8, rect.top() + 10, picture(sign, 16, tint, 2.0))
        left, width = rect.left() + 32, rect.width() - 40
        painter.setFont(font)
        painter.setPen(QColor(theme.TEXT))
        metrics = painter.fontMetrics()
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        name = metrics.elidedText(entry.output.name, Qt.TextElideMode.ElideMiddle, width)
        painter.drawText(QRect(left, rect.top() + 7, width, 20), flags, name)
        painter.setPen(QColor(theme.ERROR if entry.state is State.FAILED else theme.MUTED))
        words = metrics.elidedText(state_words(entry), Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, rect.top() + 27, width, 18), flags, words)
        if entry.state is State.RUNNING:
            bar = QRect(left, rect.bottom() - 6, width, 3)
            painter.fillRect(bar, QColor(theme.GROOVE))
            if entry.status is not None:
                bar.setWidth(width * entry.status.done // max(1, entry.status.total))
                painter.fillRect(bar, QColor(theme.MUTED if entry.is_paused else theme.ACCENT))
        painter.restore()


class QueueList(QListView):
    """Asks for what is done with an entry; changes nothing itself.

    Signals:
        move_asked: Number of an entry, and the place it is wanted at, counted without it.
        shift_asked: Number of an entry, and by how many places it is to go down.
        remove_asked: Number of an entry.
        open_asked: Number of an entry whose card is wanted.
        chosen: Another entry is selected.
    """

    move_asked = Signal(int, int)
    shift_asked = Signal(int, int)
    remove_asked = Signal(int)
    open_asked = Signal(int)
    chosen = Signal()

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.entries = QueueModel()
        self.setModel(self.entries)
        self.setItemDelegate(_Row(self))
        self.setAccessibleName("Export queue")
        self.setToolTip("Drag to reorder, or Alt+Up and Alt+Down; Enter shows the card, Delete removes")
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("role", "panel")
        self.doubleClicked.connect(self._open)
        self.selectionModel().selectionChanged.connect(self._tell_choice)

    @property
    def selected(self) -> QueueEntry | None:
        """The entry that is selected."""
        return self.entries.entry(self.currentIndex())

    def show_entries(self, entries: Sequence[QueueEntry]) -> None:
        """Show these; what was selected stays so while it is there."""
        former = self.selected
        self.entries.show_entries(entries)
        row = -1 if former is None else self.entries.row_of(former.number)
        if row < 0 and entries:
            row = min(max(self.currentIndex().row(), 0), len(entries) - 1)
        if row >= 0 and row != self.currentIndex().row():
            self.select_row(row)

    def select_row(self, row: int) -> None:
        """Select an entry by its place."""
        self.setCurrentIndex(self.entries.index(row))

    def event(self, event: QEvent) -> bool:
        # The keys of a list are the list's while it is in focus, not the transport's.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _OWN_KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        entry, alt = self.selected, Qt.KeyboardModifier.AltModifier
        key = event.key()
        if entry is None:
            super().keyPressEvent(event)
        elif event.modifiers() & alt and key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.shift_asked.emit(entry.number, -1 if key == Qt.Key.Key_Up else 1)
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.remove_asked.emit(entry.number)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.open_asked.emit(entry.number)
        else:
            super().keyPressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        entry = self.selected
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        if entry is not None and event.source() is self:
            self.drop_at(entry.number, self.indexAt(event.position().toPoint()), self.dropIndicatorPosition())

    def drop_at(self, number: int, index: QModelIndex, where: QAbstractItemView.DropIndicatorPosition) -> None:
        """Ask to move an entry above or below another; past the last one, to the end."""
        place = index.row() if index.isValid() else self.entries.rowCount()
        if where == QAbstractItemView.DropIndicatorPosition.BelowItem:
            place += 1
        row = self.entries.row_of(number)
        # Above the gap it leaves, places count as they are; below it, one less.
        self.move_asked.emit(number, place - 1 if row < place else place)

    def _open(self, index: QModelIndex) -> None:
        entry = self.entries.entry(index)
        if entry is not None:
            self.open_asked.emit(entry.number)

    def _tell_choice(self) -> None:
        self.chosen.emit()
