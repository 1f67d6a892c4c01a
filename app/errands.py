"""Short work on the disk off the main thread: a network drive that does not answer must not stop the window."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from vecnet_core.errors import VecnetError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
_CLOSE_SECONDS = 2.0


class Errands(QObject):
    """Sends work out, each piece on a thread of its own, and hands the answer back on the main thread.

    Work that hangs keeps nothing but its own thread waiting, which does not hold up the end of the program.
    """

    _answered = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Nothing is under way."""
        super().__init__(parent)
        self._is_closed = False
        self._threads: list[threading.Thread] = []
        self._answered.connect(self._hand_over)

    def send(
        self,
        work: Callable[[], Answer],
        then: Callable[[Answer], None],
        refused: Callable[[str], None] | None = None,
    ) -> None:
        """Do ``work`` elsewhere.

        Args:
            work: What takes its time; touches no widget.
            then: Takes the answer, on the main thread.
            refused: Takes the sentence of an error instead, on the main thread; without it the log has it alone.
        """
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._run, args=(work, then, refused), name="vecnet-errand", daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Take no more answers, and wait a moment for what is under way."""
        self._is_closed = True
        for thread in self._threads:
            thread.join(_CLOSE_SECONDS)

    def _run(self, work: Callable[[], Any], then: Callable[[Any], None], refused: Callable[[str], None] | None) -> None:
        try:
            answer = work()
        except Exception as error:
            log.warning("an errand failed", exc_info=error)
            if refused is None:
                return
            then, answer = refused, error.sentence if isinstance(error, VecnetError) else f"{error}."
        # The window may be gone by now.
        with suppress(RuntimeError):
            self._answered.emit(then, answer)

    def _hand_over(self, then: Callable[[Any], None], answer: object) -> None:
        if not self._is_closed:
            then(answer)
