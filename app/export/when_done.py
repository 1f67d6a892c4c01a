"""What follows when the queue has run out: nothing, or something that is counted down to and can be called off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.errands import Errands
from app.export import machine
from app.notices import Answer

if TYPE_CHECKING:
    from app.notices import NoticeBar
    from app.preferences import Preferences

WISHES = {
    "nothing": "do nothing",
    "close": "close the editor",
    "sleep": "suspend the machine",
    "off": "shut the machine down",
}
"""What can be wished, as the end of ``When done,``."""

_ANNOUNCED = {
    "close": "the editor closes",
    "sleep": "the machine is suspended",
    "off": "the editor closes and the machine is shut down",
}
COUNT_SECONDS = 60


class WhenDone(QObject):
    """Remembers the wish and fulfils it.

    Signals:
        wish_changed: Another one holds, or another can be had.
        close_asked: The editor is to be closed; `finish_closing` follows when it has been.
        refused: A sentence: it could not be done.
    """

    wish_changed = Signal()
    close_asked = Signal()
    refused = Signal(str)

    def __init__(self, preferences: Preferences, notices: NoticeBar, parent: QObject | None = None) -> None:
        """With the remembered wish; the machine has not been asked what it can do."""
        super().__init__(parent)
        self._preferences = preferences
        self._notices = notices
        self._errands = Errands(self)
        self._offered = frozenset({"nothing", "close"})
        wish = preferences.text("queue_when_done", "nothing")
        self._wish = wish if wish in WISHES else "nothing"
        self._left = 0
        self._sentence = ""
        self._is_closing_down = False
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self.count)

    @property
    def offered(self) -> tuple[str, ...]:
        """What can be wished here."""
        return tuple(name for name in WISHES if name in self._offered)

    @property
    def wish(self) -> str:
        """What is done; ``nothing`` where the one that was chosen cannot be done here."""
        return self._wish if self._wish in self._offered else "nothing"

    @property
    def seconds_left(self) -> int:
        """Of the countdown; 0 when nothing is counted down to."""
        return self._left

    def look(self) -> None:
        """Ask the system what it would do."""
        self._errands.send(machine.possible, self._offer)

    def set_wish(self, wish: str) -> None:
        """Choose; a machine that is shut down once is not shut down by a wish of the day before."""
        self._wish = wish
        self._preferences.set_text("queue_when_done", "nothing" if wish == "off" else wish)
        self.call_off()
        self.wish_changed.emit()

    def begin(self) -> None:
        """The queue has run out."""
        if self.wish != "nothing" and not self._left:
            self._left = COUNT_SECONDS
            self._sentence = self._words()
            self._notices.show_offer(
                self._sentence,
                Answer("Cancel", "Leave everything as it is", self.call_off),
                Answer("Now", "Do not wait any longer", self._do),
            )
            self._clock.start()

    def count(self) -> None:
        """A second has passed; a notice that was dismissed calls it off."""
        self._left -= 1
        former, self._sentence = self._sentence, self._words()
        if not self._notices.reword(former, self._sentence):
            self.call_off()
        elif self._left <= 0:
            self._do()

    def call_off(self) -> None:
        """Count no more."""
        self._clock.stop()
        self._notices.dismiss(self._sentence)
        self._left, self._sentence = 0, ""

    def finish_closing(self) -> None:
        """The editor is closed: shut the machine down if that was it."""
        self._clock.stop()
        if self._is_closing_down:
            machine.do("off")
        self._errands.close()

    def keep_open(self) -> None:
        """The editor was not closed after all."""
        self._is_closing_down = False

    def _do(self) -> None:
        wish = self.wish
        self.call_off()
        if wish == "sleep":
            self._errands.send(self._suspend, self._take_done, self.refused.emit)
        elif wish != "nothing":
            self._is_closing_down = wish == "off"
            self.close_asked.emit()

    def _suspend(self) -> None:
        machine.do("sleep")

    def _take_done(self, _: None) -> None:
        """It is awake again."""

    def _offer(self, possible: frozenset[str]) -> None:
        self._offered = frozenset({"nothing", "close"}) | possible
        self.wish_changed.emit()

    def _words(self) -> str:
        return f"The queue is done: {_ANNOUNCED.get(self.wish, '')} in {self._left} s."
