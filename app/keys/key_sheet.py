"""The sheet of keys: what every key does, to look up, to search, and to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.actions import ENTRIES, MOUSE
from app.keys.shortcuts import FIXED, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.keys.shortcuts import Shortcuts

_NAME = Qt.ItemDataRole.UserRole
_HINT = "Click a row, or press Enter on it, to change its keys."


class KeySheet(QDialog):
    """All keys in groups; a row that is clicked waits for its new keys."""

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        """Print the table of actions."""
        super().__init__(parent)
        self._shortcuts = shortcuts
        self._name = ""
        self._wanted = ""
        self.setObjectName("key_sheet")
        self.setWindowTitle("Keyboard shortcuts")
        self.resize(640, 600)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by name or key")
        self.search.setAccessibleName("Search keys")
        self.search.setToolTip("Show only what has these letters in its name, its explanation or its keys")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._search)
        self.rows: dict[str, QTreeWidgetItem] = {}
        self.tree = self._make_tree()
        self.message = QLabel(_HINT)
        self.message.setWordWrap(True)
        self.message.setProperty("role", "hint")
        self.message.setMinimumHeight(2 * self.message.fontMetrics().lineSpacing() + 2)
        self.field = QKeySequenceEdit()
        self.field.setMaximumSequenceLength(1)
        self.field.setAccessibleName("New keys")
        self.field.setToolTip("Press the new keys; Esc leaves them as they are")
        self.field.setFixedWidth(144)
        self.field.editingFinished.connect(self._take)
        self.field.installEventFilter(self)
        self.swap = _button("Swap", "Give these keys to this row, and its keys to the one that has them", self._swap)
        self.reset = _button("Reset", "Give the chosen row its default keys", self._reset)
        self.reset_all = _button("Reset all", "Give every row its default keys", self._reset_all)
        close = _button("Close", "Close (Esc)", self.reject)
        ask = QHBoxLayout()
        ask.setSpacing(8)
        for widget, stretch in ((self.message, 1), (self.field, 0), (self.swap, 0)):
            ask.addWidget(widget, stretch)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.reset)
        foot.addWidget(self.reset_all)
        foot.addStretch()
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addLayout(ask)
        layout.addLayout(foot)
        shortcuts.changed.connect(self._show_keys)
        self._show_keys()
        self._withdraw()
        self.search.setFocus()

    def begin(self, name: str) -> None:
        """Wait for the new keys of an action."""
        self._name = name
        if name in FIXED:
            self._withdraw()
            self._say(f"{shown(self._shortcuts.keys(name)[0])} always cancels; it cannot be changed.")
            return
        keys = " or ".join(map(shown, self._shortcuts.keys(name))) or "none yet"
        self._say(f"Press the new keys for “{self._shortcuts.title(name)}” (now {keys}). Esc leaves them.")
        self.swap.hide()
        self.field.clear()
        self.field.show()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The field would take Esc for the new key.
        if (
            watched is self.field
            and event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            self._withdraw()
            return True
        return super().eventFilter(watched, event)

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setProperty("role", "panel")
        tree.setAccessibleName("Keys")
        tree.setToolTip(_HINT)
        tree.setColumnCount(2)
        tree.setHeaderLabels(["What it does", "Keys"])
        tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        tree.setIndentation(16)
        tree.setUniformRowHeights(True)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setStretchLastSection(False)
        groups: dict[str, QTreeWidgetItem] = {}
        for entry in ENTRIES:
            if entry.group not in groups:
                groups[entry.group] = _group(tree, entry.group)
            row = QTreeWidgetItem(groups[entry.group], [entry.title])
            row.setData(0, _NAME, entry.name)
            row.setToolTip(0, entry.tip or entry.title)
            self.rows[entry.name] = row
        mouse = _group(tree, "Mouse")
        for what, does in MOUSE:
            row = QTreeWidgetItem(mouse, [does, what])
            row.setToolTip(0, "The mouse cannot be changed")
        tree.expandAll()
        tree.itemClicked.connect(self._choose)
        tree.itemActivated.connect(self._choose)
        tree.currentItemChanged.connect(self._show_reset)
        return tree

    def _choose(self, row: QTreeWidgetItem) -> None:
        name = row.data(0, _NAME)
        if isinstance(name, str):
            self.begin(name)
        else:
            self._withdraw()

    def _take(self) -> None:
        keys = self.field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if not keys or not self._name:
            return
        self.field.clear()
        obstacle = self._shortcuts.obstacle(keys)
        owner = self._shortcuts.owner(keys)
        if obstacle is not None:
            self._say(obstacle, is_error=True)
        elif owner not in {None, self._name}:
            self._wanted = keys
            self._say(f"{shown(keys)} is the key of “{self._shortcuts.title(owner or '')}”.", is_error=True)
            self.swap.show()
        else:
            self._shortcuts.give(self._name, keys)
            self._done()

    def _swap(self) -> None:
        self._shortcuts.swap(self._name, self._wanted)
        self._done()

    def _done(self) -> None:
        text = f"“{self._shortcuts.title(self._name)}” has {shown(self._shortcuts.keys(self._name)[0])} now."
        self._withdraw()
        self._say(text)

    def _reset(self) -> None:
        row = self.tree.currentItem()
        name = row.data(0, _NAME) if row is not None else None
        if not isinstance(name, str):
            return
        self._withdraw()
        other = self._shortcuts.reset(name)
        if other is not None:
            title = self._shortcuts.title(other)
            self._say(f"Its default key now belongs to “{title}”; reset that first.", is_error=True)

    def _reset_all(self) -> None:
        self._shortcuts.reset_all()
        self._withdraw()

    def _withdraw(self) -> None:
        """Wait for no keys any more."""
        had_focus = self.field.hasFocus() or self.swap.hasFocus()
        self._name = self._wanted = ""
        self.field.hide()
        self.swap.hide()
        self._say(_HINT)
        if had_focus:
            self.tree.setFocus()

    def _say(self, text: str, *, is_error: bool = False) -> None:
        theme.give_role(self.message, "error" if is_error else "hint")
        self.message.setText(text)
        self.message.setAccessibleName(text)

    def _show_keys(self) -> None:
        for name, row in self.rows.items():
            row.setText(1, ", ".join(map(shown, self._shortcuts.keys(name))))
            font = row.font(1)
            font.setBold(self._shortcuts.is_changed(name))
            row.setFont(1, font)
        self.reset_all.setEnabled(self._shortcuts.has_changes)
        self._show_reset()
        self._search()

    def _show_reset(self) -> None:
        row = self.tree.currentItem() if self.rows else None
        name = row.data(0, _NAME) if row is not None else None
        self.reset.setEnabled(isinstance(name, str) and self._shortcuts.is_changed(name))

    def _search(self) -> None:
        wanted = self.search.text().casefold().strip()
        for place in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(place)
            if group is None:
                continue
            rows = [row for at in range(group.childCount()) if (row := group.child(at)) is not None]
            for row in rows:
                words = f"{row.text(0)}\n{row.toolTip(0)}\n{row.text(1)}".casefold()
                row.setHidden(wanted not in words)
            group.setHidden(all(row.isHidden() for row in rows))


def _group(tree: QTreeWidget, title: str) -> QTreeWidgetItem:
    group = QTreeWidgetItem(tree, [title])
    group.setFlags(Qt.ItemFlag.ItemIsEnabled)
    font = group.font(0)
    font.setBold(True)
    group.setFont(0, font)
    group.setFirstColumnSpanned(True)
    return group


def _button(text: str, tooltip: str, do: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    # Enter in the search or on a row is no answer.
    button.setAutoDefault(False)
    button.clicked.connect(do)
    return button
