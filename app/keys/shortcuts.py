"""Which keys do what: those of the table of actions, changed as a person wishes, and told in tooltips."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QTabWidget, QWidget
from shiboken6 import isValid

from app.actions import ENTRIES

if TYPE_CHECKING:
    from app.actions import Actions
    from app.preferences import Preferences

_STORE = "keys"
FIXED = frozenset({"cancel"})
"""What keeps its key: Esc leaves whatever is being done, also the choice of a key."""

_TAKEN = {
    Qt.Key.Key_Tab: "goes from control to control",
    Qt.Key.Key_Backtab: "goes from control to control",
    Qt.Key.Key_Return: "presses what has the focus",
    Qt.Key.Key_Enter: "presses what has the focus",
    Qt.Key.Key_Escape: "cancels",
}
_MODIFIERS = {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta}
_TOLD = re.compile(r" \((?P<keys>[^ ()]+)(?P<more> [^()]*)?\)")
"""Keys in a tooltip: ``Next loop (Shift+L for the next way)``."""


def shown(keys: str) -> str:
    """Keys as this system writes them."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class Shortcuts(QObject):
    """The keys of one window's actions.

    Signals:
        changed: Some keys are others now.
    """

    changed = Signal()

    def __init__(self, actions: Actions, preferences: Preferences, window: QWidget) -> None:
        """Put on the keys that are remembered; what cannot be understood, or is doubled, is left out."""
        super().__init__(window)
        self._actions = actions
        self._preferences = preferences
        self._entries = {entry.name: entry for entry in ENTRIES}
        self._menu_keys = {f"Alt+{mark.upper()}" for title in actions.menus for mark in re.findall("&(.)", title)}
        self._own = self._remembered()
        self._tips: dict[QWidget, str] = {}
        self._is_telling = False
        for widget in window.findChildren(QWidget):
            if self._tells_keys(widget.toolTip()):
                self._tips[widget] = widget.toolTip()
                widget.installEventFilter(self)
        self._tabs = [
            (tabs, place, tabs.tabToolTip(place))
            for tabs in window.findChildren(QTabWidget)
            for place in range(tabs.count())
        ]
        self._put_on()

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of an action, as `QKeySequence` writes them everywhere."""
        return self._own.get(name, self._entries[name].keys)

    def has_key(self, name: str, key: int) -> bool:
        """True where an action has this key, whatever is held with it."""
        return any(_code(QKeySequence(keys)).key() == key for keys in self.keys(name))

    def is_changed(self, name: str) -> bool:
        """True where the keys are not the default ones."""
        return name in self._own

    @property
    def has_changes(self) -> bool:
        """True where any keys are not the default ones."""
        return bool(self._own)

    def title(self, name: str) -> str:
        """What an action is called."""
        return self._entries[name].title

    def owner(self, keys: str) -> str | None:
        """The action that has these keys."""
        return next((name for name in self._entries if keys in self.keys(name)), None)

    def obstacle(self, keys: str) -> str | None:
        """Why nobody can have these keys, as a sentence; None where somebody can."""
        if not _is_one(keys):
            return "This is not a key by itself: press a letter, a digit or another key with it."
        key = _code(QKeySequence(keys)).key()
        if key in _TAKEN:
            return f"{shown(keys)} {_TAKEN[key]} and cannot be given away."
        if keys in self._menu_keys:
            return f"{shown(keys)} opens a menu and cannot be given away."
        return None

    def give(self, name: str, keys: str) -> None:
        """Give keys to an action, in place of those it has."""
        if name in FIXED or self.obstacle(keys) or self.owner(keys) not in {None, name}:
            raise ValueError(f"{keys!r} cannot be given to {name!r}")
        self._own[name] = (keys,)
        self._keep()

    def swap(self, name: str, keys: str) -> None:
        """Give an action the keys of another, which gets those of the first."""
        other = self.owner(keys)
        if other is None or {name, other} & FIXED or self.obstacle(keys):
            raise ValueError(f"{keys!r} cannot be given to {name!r}")
        mine = self.keys(name)
        rest = tuple(one for one in self.keys(other) if one != keys)
        self._own[name] = (keys,)
        self._own[other] = (*mine[:1], *rest)
        self._keep()

    def reset(self, name: str) -> str | None:
        """Give an action its default keys; where another has them, nothing is done, and its name returned."""
        for keys in self._entries[name].keys:
            other = self.owner(keys)
            if other not in {None, name}:
                return other
        self._own.pop(name, None)
        self._keep()
        return None

    def reset_all(self) -> None:
        """Give all actions their default keys."""
        self._own.clear()
        self._keep()

    def _keep(self) -> None:
        self._own = {name: keys for name, keys in self._own.items() if keys != self._entries[name].keys}
        self._preferences.set_text(_STORE, json.dumps(self._own) if self._own else "")
        self._put_on()
        self.changed.emit()

    def _remembered(self) -> dict[str, tuple[str, ...]]:
        try:
            found: object = json.loads(self._preferences.text(_STORE, "") or "{}")
        except (ValueError, RecursionError):
            return {}
        own: dict[str, tuple[str, ...]] = {}
        for name, kept in cast("dict[str, object]", found).items() if isinstance(found, dict) else ():
            if name not in self._entries or name in FIXED or not isinstance(kept, list):
                continue
            texts = [text for text in cast("list[object]", kept) if isinstance(text, str)]
            if all(self.obstacle(text) is None for text in texts) and len(texts) == len(kept) <= 4:
                own[name] = tuple(dict.fromkeys(texts))
        while twice := self._doubled(own):
            # The table has no key twice, so one of those who share it is remembered otherwise.
            del own[twice]
        return own

    def _doubled(self, own: dict[str, tuple[str, ...]]) -> str | None:
        """The last remembered action that shares a key with another."""
        owners: dict[str, list[str]] = {}
        for name, entry in self._entries.items():
            for keys in own.get(name, entry.keys):
                owners.setdefault(keys, []).append(name)
        return next((name for names in owners.values() if len(names) > 1 for name in names[::-1] if name in own), None)

    # Told ------------------------------------------------------------------------------------------------------------

    def _put_on(self) -> None:
        for name in self._entries:
            self._actions[name].setShortcuts([QKeySequence(keys) for keys in self.keys(name)])
        self._tips = {widget: tip for widget, tip in self._tips.items() if isValid(widget)}
        for widget in self._tips:
            self._tell(widget)
        for tabs, place, tip in self._tabs:
            tabs.setTabToolTip(place, self.told(tip))

    def told(self, tip: str) -> str:
        """A tooltip that was written with the default keys, with those that hold now."""
        return _TOLD.sub(self._told, tip)

    def _told(self, found: re.Match[str]) -> str:
        name = self._by_default(found["keys"])
        if name is None:
            return found[0]
        keys = self.keys(name)
        return f" ({shown(keys[0])}{found['more'] or ''})" if keys else ""

    def _by_default(self, keys: str) -> str | None:
        return next((name for name, entry in self._entries.items() if keys in entry.keys and name not in FIXED), None)

    def _tells_keys(self, tip: str) -> bool:
        return any(self._by_default(found["keys"]) for found in _TOLD.finditer(tip))

    def _tell(self, widget: QWidget) -> None:
        self._is_telling = True
        widget.setToolTip(self.told(self._tips[widget]))
        self._is_telling = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTipChange and not self._is_telling and isinstance(watched, QWidget):
            self._tips[watched] = watched.toolTip()
            self._tell(watched)
        return super().eventFilter(watched, event)


def _is_one(keys: str) -> bool:
    """True for one key with its modifiers, written as Qt writes it."""
    sequence = QKeySequence(keys)
    if sequence.count() != 1 or sequence.toString(QKeySequence.SequenceFormat.PortableText) != keys:
        return False
    return _code(sequence).key() not in {Qt.Key.Key_unknown, *_MODIFIERS}


def _code(sequence: QKeySequence) -> QKeyCombination:
    """The first key of a sequence, with its modifiers."""
    return sequence[0]  # pyright: ignore[reportIndexIssue] - PySide's stubs do not know it
