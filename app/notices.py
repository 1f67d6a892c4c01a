"""The only place that shows errors: a bar of sentences to dismiss, each with details to copy; and the log."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app import theme
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


class _Notice(QFrame):
    """One sentence."""

    closed = Signal(QFrame)

    def __init__(self, sentence: str, details: str, *, sign: str, is_error: bool, lasts: bool) -> None:
        super().__init__()
        self.sentence = sentence
        self.details = details
        self.lasts = lasts
        tint = theme.ERROR if is_error else theme.ACCENT
        self.setObjectName("notice")
        self.setStyleSheet(
            f"#notice {{ background: #2e2a29; border: 1px solid #4a4340; border-left: 3px solid {tint};"
            " border-radius: 4px; }"
        )
        picture_label = QLabel()
        picture_label.setPixmap(picture(sign, 18, tint, 2.0))
        text = QLabel(sentence)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setAccessibleName(f"{'Error' if is_error else 'Note'}: {sentence}")
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
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setIconSize(QSize(16, 16))
        close.setProperty("role", "flat")
        close.setToolTip("Dismiss")
        close.setAccessibleName("Dismiss this notice")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self._close)
        layout.addWidget(close)

    def copy_details(self) -> None:
        """Put sentence and details on the clipboard."""
        QGuiApplication.clipboard().setText(f"{self.sentence}\n\n{self.details}")

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

    def clear(self) -> None:
        """Dismiss all that do not last."""
        for notice in [notice for notice in self._notices if not notice.lasts]:
            self._remove(notice)

    def _add(self, sentence: str, details: str, *, is_error: bool, lasts: bool = False, sign: str = "warning") -> None:
        for notice in [notice for notice in self._notices if notice.sentence == sentence]:
            self._remove(notice)
        while len(self._notices) >= MOST_NOTICES:
            self._remove(self._notices[0])
        notice = _Notice(sentence, details, sign=sign, is_error=is_error, lasts=lasts)
        notice.closed.connect(self._remove)
        self._notices.append(notice)
        self._layout.addWidget(notice)
        self.setVisible(True)

    def _remove(self, notice: QFrame) -> None:
        if isinstance(notice, _Notice) and notice in self._notices:
            self._notices.remove(notice)
            self._layout.removeWidget(notice)
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
