"""The queue in the window: the list, what can be done with the entry selected, and what follows when all is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.export.entries import QueueEntry, QueueSums, State
from app.export.queue_list import ROW_PX, QueueList
from app.export.when_done import WISHES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DEEDS = {
    "earlier": ("Earlier", "Export it earlier (Alt+Up)"),
    "later": ("Later", "Export it later (Alt+Down)"),
    "finish": ("Finish", "Go on where it stopped, with the settings it was added with"),
    "retry": ("Try again", "Export it again, under a free name if its own is taken"),
    "compare": ("Compare", "See the written file beside its source, frame by frame"),
    "card": ("Proof", "What was written, and what was checked (Enter)"),
    "folder": ("Folder", "Open the written file's folder"),
    "pause": ("Pause", "Hold this export where it is, so that other programs have the machine"),
    "stop": ("Stop…", "Stop this export; it is asked what becomes of what is done (Delete)"),
    "remove": ("Remove", "Take it out of the queue; files stay (Delete)"),
    "anew": ("Begin anew", "Forget what is kept, and export from the first frame on"),
    "discard": ("Discard", "Take it out, and remove what is kept of it"),
}
"""What can be done with an entry: on the button, and what it does."""

_OFFERED = {
    State.WAITING: ("earlier", "later", "remove"),
    State.RUNNING: ("stop", "card", "pause"),
    State.STOPPED: ("finish", "discard", "remove"),
    State.FAILED: ("retry", "remove"),
    State.DONE: ("compare", "folder", "card"),
}
_BUTTONS = {State.RUNNING: 2}
"""How many of them have a button beside the menu, where not all three: the panel's own Pause is for what runs."""


def deeds_of(entry: QueueEntry) -> tuple[str, ...]:
    """What can be done with an entry, the likeliest first."""
    if entry.state is State.FAILED and entry.kept:
        return ("finish", "anew", "discard", "remove")
    if entry.state is State.DONE:
        return (*_OFFERED[State.DONE], "remove")
    return (*_OFFERED[entry.state], "anew") if entry.state is State.STOPPED else _OFFERED[entry.state]


class QueuePanel(QWidget):
    """Shows the queue.

    Signals:
        start_asked: Start, hold, or go on.
        deed_asked: A key of what can be done with an entry, and its number.
        clear_asked: Take out what is done.
        wish_asked: A key of `when_done.WISHES`.
        unasked_asked: Begin by itself with what is added, or left by an earlier session.
    """

    start_asked = Signal()
    deed_asked = Signal(str, int)
    clear_asked = Signal()
    wish_asked = Signal(str)
    unasked_asked = Signal(bool)

    def __init__(self) -> None:
        """An empty queue."""
        super().__init__()
        self.setObjectName("queue")
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(232)
        self._sums = QLabel()
        self._sums.setProperty("role", "hint")
        self._sums.setToolTip("What is written: its size and the time it took")
        self.list = QueueList()
        self.list.setMinimumHeight(ROW_PX)
        self.list.chosen.connect(self._offer)
        self.list.remove_asked.connect(self._ask_removal)
        self.list.open_asked.connect(self._ask_card)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._menu: dict[str, QAction] = {}
        self._buttons: dict[str, QPushButton] = {}
        for name, (text, tip) in _DEEDS.items():
            action = QAction(text, self.list)
            action.setToolTip(tip)
            action.setObjectName(name)
            action.triggered.connect(self._ask_deed)
            self.list.addAction(action)
            self._menu[name] = action
            self._buttons[name] = _button(text, tip, self._ask_deed, name)
        self._empty = QLabel("Ctrl+Shift+E adds the clip with its settings as they are; exports run one after another.")
        self._empty.setWordWrap(True)
        self._empty.setProperty("role", "hint")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._empty.setContentsMargins(12, 0, 12, 0)
        self.start = _button("Start", "Export what waits, one after another", self._ask_start)
        self.start.setProperty("role", "primary")
        self.clear = QAction("Clear what is done", self)
        self.clear.setToolTip("Take what is done out of the list; the files stay")
        self.clear.triggered.connect(self._ask_clear)
        self.unasked = QAction("Start by itself", self)
        self.unasked.setCheckable(True)
        self.unasked.setToolTip("What is added, or left by an earlier session, begins without Start")
        self.unasked.toggled.connect(self.unasked_asked)
        self._wishes = QActionGroup(self)
        self._wishes.triggered.connect(self._ask_wish)
        self.more = QToolButton()
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setToolTip("What follows when the queue is done, after a minute's countdown; and more")
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._choices = QMenu(self.more)
        self._choices.setToolTipsVisible(True)
        self.more.setMenu(self._choices)
        self._lay_out()
        self.show_wishes(("nothing", "close"), "nothing")
        self.show_entries((), QueueSums.of(()), is_started=False)

    def _lay_out(self) -> None:
        title = QLabel("QUEUE")
        title.setProperty("role", "pane")
        title.setBuddy(self.list)
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 12, 0)
        head.addWidget(title)
        head.addStretch()
        head.addWidget(self._sums)
        self._deeds = QHBoxLayout()
        self._deeds.setSpacing(4)
        self._deeds.setContentsMargins(8, 0, 8, 0)
        for button in self._buttons.values():
            self._deeds.addWidget(button)
        self._deeds.addStretch()
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 0, 8, 8)
        foot.setSpacing(8)
        foot.addWidget(self.start)
        foot.addWidget(self.more, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        column.addWidget(self._empty, 1)
        column.addLayout(self._deeds)
        column.addLayout(foot)

    def show_entries(self, entries: Sequence[QueueEntry], sums: QueueSums, *, is_started: bool) -> None:
        """Show the queue as it is now."""
        self.list.show_entries(entries)
        self.list.setVisible(bool(entries))
        self._empty.setVisible(not entries)
        self._sums.setText(sums.words if entries else "")
        running = next((entry for entry in entries if entry.state is State.RUNNING), None)
        if running is not None:
            self.start.setText("Continue" if running.is_paused else "Pause")
            self.start.setToolTip(
                "Let the export go on" if running.is_paused
                else "Hold the running export, and with it what waits"
            )  # fmt: skip
        else:
            self.start.setText("Start")
            self.start.setToolTip("Export what waits, one after another")
        self.start.setEnabled(running is not None or sums.waiting > 0)
        follows = running is not None and sums.waiting > 0 and not is_started
        self.start.setAccessibleName(self.start.text())
        if follows:
            self._sums.setText(f"{sums.words}; the rest waits for Start")
        self.clear.setEnabled(sums.done > 0)
        self._offer()

    def show_wishes(self, offered: Sequence[str], wish: str) -> None:
        """Show what can follow, and what does."""
        self._choices.clear()
        for action in self._wishes.actions():
            self._wishes.removeAction(action)
        self._choices.addSection("When the queue is done")
        for name in offered:
            action = self._choices.addAction(WISHES[name].capitalize())
            action.setObjectName(name)
            action.setCheckable(True)
            action.setChecked(name == wish)
            self._wishes.addAction(action)
        self._choices.addSeparator()
        self._choices.addActions([self.unasked, self.clear])
        self.more.setText(f"Then {WISHES[wish]}")
        self.more.setAccessibleName(f"When the queue is done, {WISHES[wish]}")

    def show_unasked(self, is_unasked: bool) -> None:
        """Show whether exports begin by themselves."""
        with QSignalBlocker(self.unasked):
            self.unasked.setChecked(is_unasked)

    def button(self, name: str) -> QPushButton:
        """The button for a deed."""
        return self._buttons[name]

    def _offer(self) -> None:
        """Offer what can be done with the entry that is selected."""
        entry = self.list.selected
        deeds = () if entry is None else deeds_of(entry)
        for name, button in self._buttons.items():
            button.setVisible(name in deeds[: _BUTTONS.get(entry.state, 3) if entry else 0])
            self._menu[name].setVisible(name in deeds)
        if entry is not None and entry.state is State.RUNNING:
            self._menu["pause"].setText("Continue" if entry.is_paused else "Pause")
            self._buttons["card"].setText("Show")
            self._buttons["card"].setToolTip("How far it is (Enter)")
        else:
            self._buttons["card"].setText(_DEEDS["card"][0])
            self._buttons["card"].setToolTip(_DEEDS["card"][1])

    def _ask_deed(self) -> None:
        entry = self.list.selected
        if entry is not None:
            self.deed_asked.emit(self.sender().objectName(), entry.number)

    def _ask_removal(self, number: int) -> None:
        self.deed_asked.emit("remove", number)

    def _ask_card(self, number: int) -> None:
        self.deed_asked.emit("card", number)

    def _ask_start(self) -> None:
        self.start_asked.emit()

    def _ask_clear(self) -> None:
        self.clear_asked.emit()

    def _ask_wish(self, action: QAction) -> None:
        self.wish_asked.emit(action.objectName())


def _button(text: str, tooltip: str, do: Callable[[], None], name: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setObjectName(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(do)
    return button
