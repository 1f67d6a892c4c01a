"""The only place that shows errors: a bar of sentences to dismiss or to answer, with details to copy; and the log."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.widgets.icons import icon, picture

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

log = logging.getLogger(__name__)

MOST_NOTICES = 3


def start_logging(path: Path) -> None:
    """Write the log of both packages to ``path``, at most four files of 1 MB."""
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


@dataclass(frozen=True)
class Answer:
    """What a person can do about a notice, which goes away with it.

    Attributes:
        text: On the button.
        tooltip: What it does.
        do: Does it.
    """

    text: str
    tooltip: str
    do: Callable[[], None]


class _Notice(QFrame):
    """One sentence."""

    closed = Signal(QFrame)

    def __init__(
        self, sentence: str, details: str, answers: tuple[Answer, ...], *, sign: str, is_error: bool, lasts: bool
    ) -> None:
        super().__init__()
        self.sentence = sentence
        self.details = details
        self.lasts = lasts
        self.buttons: dict[str, QPushButton] = {}
        self._answers = {answer.text: answer for answer in answers}
        tint = "error" if is_error else "accent"
        self.setProperty("role", "notice")
        self.setProperty("kind", "error" if is_error else "note")
        picture_label = QLabel()
        picture_label.setPixmap(picture(sign, 18, tint, 2.0))
        text = QLabel(sentence)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text, self._kind = text, "Error" if is_error else "Note"
        text.setAccessibleName(f"{self._kind}: {sentence}")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.setSpacing(10)
        layout.addWidget(picture_label)
        layout.addWidget(text, 1)
        if details:
            copy = QPushButton("Copy details")
            copy.setToolTip("Copy the sentence and the technical details, for a bug report")
            copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            copy.clicked.connect(self.copy_details)
            layout.addWidget(copy)
        for answer in answers:
            button = QPushButton(answer.text)
            button.setToolTip(answer.tooltip)
            button.setAccessibleName(f"{answer.text}: {sentence}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(self._give_answer)
            layout.addWidget(button)
            self.buttons[answer.text] = button
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setIconSize(QSize(16, 16))
        close.setProperty("role", "flat")
        close.setToolTip("Dismiss")
        close.setAccessibleName("Dismiss this notice")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self._close)
        layout.addWidget(close)

    def reword(self, sentence: str) -> None:
        """Say it otherwise, in place."""
        self.sentence = sentence
        self._text.setText(sentence)
        self._text.setAccessibleName(f"{self._kind}: {sentence}")

    def copy_details(self) -> None:
        """Put sentence and details on the clipboard."""
        QGuiApplication.clipboard().setText(f"{self.sentence}\n\n{self.details}")

    def _give_answer(self) -> None:
        button = self.sender()
        if isinstance(button, QPushButton):
            # Away with the question first: what is done may ask another.
            self._close()
            self._answers[button.text()].do()

    def _close(self) -> None:
        self.closed.emit(self)


class NoticeBar(QWidget):
    """The newest notices, one under the other; takes no room when there are none."""

    def __init__(self) -> None:
        """No notices."""
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, 0, 8, 8)
        self._layout.setSpacing(4)
        self._notices: list[_Notice] = []
        self.setVisible(False)

    @property
    def sentences(self) -> list[str]:
        """What is shown, oldest first."""
        return [notice.sentence for notice in self._notices]

    def show_error(self, sentence: str, details: str = "") -> None:
        """Show what went wrong."""
        self._add(sentence, details, is_error=True)

    def show_note(self, sentence: str, details: str = "", *, lasts: bool = False) -> None:
        """Show what the person should know; with ``lasts`` it is about more than the clip, and outlives `clear`."""
        self._add(sentence, details, is_error=False, lasts=lasts)

    def show_done(self, sentence: str) -> None:
        """Show that something asked for is done; it outlives `clear`."""
        self._add(sentence, "", is_error=False, lasts=True, sign="done")

    def show_offer(self, sentence: str, *answers: Answer) -> None:
        """Show a question about more than the clip, with its answers; dismissed, it is asked another time."""
        self._add(sentence, "", answers, is_error=False, lasts=True)

    def reword(self, sentence: str, other: str) -> bool:
        """Put another sentence in the place of one that is shown; False when it is not shown any more."""
        for notice in self._notices:
            if notice.sentence == sentence:
                notice.reword(other)
                return True
        return False

    def dismiss(self, sentence: str) -> None:
        """Take a sentence away."""
        for notice in [notice for notice in self._notices if notice.sentence == sentence]:
            self._remove(notice)

    def button(self, text: str) -> QPushButton:
        """The newest button of that name.

        Raises:
            KeyError: No notice has one.
        """
        for notice in reversed(self._notices):
            if text in notice.buttons:
                return notice.buttons[text]
        raise KeyError(text)

    def clear(self) -> None:
        """Dismiss all that do not last."""
        for notice in [notice for notice in self._notices if not notice.lasts]:
            self._remove(notice)

    def _add(
        self,
        sentence: str,
        details: str,
        answers: tuple[Answer, ...] = (),
        *,
        is_error: bool,
        lasts: bool = False,
        sign: str = "warning",
    ) -> None:
        for notice in [notice for notice in self._notices if notice.sentence == sentence]:
            self._remove(notice)
        while len(self._notices) >= MOST_NOTICES:
            # A question that waits for its answer goes last.
            self._remove(min(self._notices, key=lambda one: bool(one.buttons)))
        notice = _Notice(sentence, details, answers, sign=sign, is_error=is_error, lasts=lasts)
        notice.closed.connect(self._remove)
        self._notices.append(notice)
        self._layout.addWidget(notice)
        self.setVisible(True)

    def _remove(self, notice: QFrame) -> None:
        if isinstance(notice, _Notice) and notice in self._notices:
            self._notices.remove(notice)
            self._layout.removeWidget(notice)
            # One just added is still to be shown by its layout; without a parent it would come up as a window.
            notice.hide()
            notice.setParent(None)
            notice.deleteLater()
        self.setVisible(bool(self._notices))


class LastResort(QObject):
    """Catches what nobody caught, on any thread: logs it and has it shown as a sentence.

    Signals:
        error_raised: A sentence, and the traceback for a report.
    """

    error_raised = Signal(str, str)

    def install(self) -> None:
        """Take over the exception hooks of this process."""
        sys.excepthook = self._take
        threading.excepthook = self._take_from_thread

    def remove(self) -> None:
        """Give the hooks back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def _take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        log.critical("uncaught: %s", details)
        sentence = f"Something unexpected went wrong ({kind.__name__}: {error}); your settings are kept."
        self.error_raised.emit(sentence.replace("\n", " "), details)

    def _take_from_thread(self, caught: threading.ExceptHookArgs) -> None:
        if caught.exc_value is not None:
            self._take(caught.exc_type, caught.exc_value, caught.exc_traceback)
