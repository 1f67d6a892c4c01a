"""The export dialog: a form, then progress to pause or stop, then what was written; closing it ends no job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.export.export_form import ExportForm
from app.export.progress_page import ProgressPage
from app.widgets.icons import picture
from app.widgets.timecode import clock

if TYPE_CHECKING:
    from pathlib import Path

    from app.jobs import ExportOutcome, ExportStatus


_PAGE = QSize(712, 272)
"""Least size of a page."""


class ExportDialog(QDialog):
    """Three pages: form, progress, done.

    Signals:
        pause_asked: Hold the running export, or let it go on.
        stop_asked: The person thinks of stopping the running export, and wants to know what would be kept.
        keep_asked: Stop the running export and keep what is done.
        discard_asked: Stop the running export and remove what is done.
        again_asked: Back to the form, for the clip as it is now.
        comparison_asked: The written file, an `ExportOutcome`, is to be compared with its source.
    """

    pause_asked = Signal()
    stop_asked = Signal()
    keep_asked = Signal()
    discard_asked = Signal()
    again_asked = Signal()
    comparison_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """On the form."""
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.form = ExportForm()
        self.form.cancel_asked.connect(self.hide)
        self.progress = ProgressPage()
        self.progress.pause_asked.connect(self.pause_asked)
        self.progress.stop_asked.connect(self.stop_asked)
        self.progress.keep_asked.connect(self.keep_asked)
        self.progress.discard_asked.connect(self.discard_asked)
        self.progress.hide_asked.connect(self.hide)
        self.progress.another_asked.connect(self.again_asked)
        self._outcome: ExportOutcome | None = None
        self._done_path = _text_label()
        self._done_facts = _text_label()
        self._pages = QStackedWidget()
        self._all_pages = (self.form, self.progress, self._done_page())
        for page in self._all_pages:
            self._pages.addWidget(page)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(24, 24, 24, 24)
        self._column.addWidget(self._pages)
        self._pages.setMinimumSize(_PAGE)
        self.form.rows_changed.connect(self._fit)
        # A default button is one of its dialog's: before it was in this one, Enter went to the first button, Browse.
        self.form.start.setDefault(True)

    def _turn_to(self, page: int) -> None:
        """Show a page, in the room it needs itself: a stack would give each the room of the largest."""
        policy = QSizePolicy.Policy
        for place, each in enumerate(self._all_pages):
            wish = policy.Preferred if place == page else policy.Ignored
            each.setSizePolicy(wish, wish)
        self._pages.setCurrentIndex(page)
        self._fit()
        self._column.activate()
        self.resize(self.width(), self._column.totalMinimumSize().height())

    def _fit(self) -> None:
        """Make room for all that a page has to say: Qt forgets the lines of wrapped text."""
        layout = self._all_pages[self.page].layout()
        if layout is not None:
            needed = layout.totalHeightForWidth(max(_PAGE.width(), self._pages.width()))
            self._pages.setMinimumHeight(max(_PAGE.height(), needed))

    @property
    def page(self) -> int:
        """0 form, 1 progress, 2 done."""
        return self._pages.currentIndex()

    @property
    def bar(self) -> QProgressBar:
        """How far the running export is."""
        return self.progress.bar

    def show_form(self) -> None:
        """Back to the form."""
        self._turn_to(0)

    def show_started(self, output: Path, *, turns: bool = True) -> None:
        """Another export is running; ``turns`` to the progress page."""
        if turns:
            self._turn_to(1)
        self.progress.show_started(output)

    def turn_to_progress(self) -> None:
        """Show how far the running export is."""
        if self.page != 1:
            self._turn_to(1)

    def show_progress(self, status: ExportStatus) -> None:
        """Show how far it is and how long it takes."""
        self.progress.show_progress(status)

    def show_done(self, outcome: ExportOutcome) -> None:
        """Turn to the done card."""
        self._outcome = outcome
        self._done_path.setText(str(outcome.output))
        self._done_facts.setText(outcome_text(outcome))
        self._done_facts.setVisible(bool(self._done_facts.text()))
        self._turn_to(2)
        self.open_folder.setFocus()

    def reject(self) -> None:
        """Esc: away with the question first, then with the dialog; never with the export."""
        if self.page == 1 and self.progress.is_asking:
            self.progress.withdraw()
        else:
            super().reject()

    def _done_page(self) -> QWidget:
        top = QHBoxLayout()
        sign = QLabel()
        sign.setPixmap(picture("done", 32, "accent", 2.0))
        title = QLabel("The corrected clip is written")
        title.setProperty("role", "heading")
        top.addWidget(sign)
        top.addSpacing(8)
        top.addWidget(title)
        top.addStretch()
        top.setContentsMargins(0, 0, 0, 0)
        self.again = QPushButton("Export again…")
        self.again.setToolTip("Back to the form")
        self.again.clicked.connect(self.again_asked)
        self.compare = QPushButton("Compare with source")
        self.compare.setToolTip("See the written file beside its source, frame by frame")
        self.compare.clicked.connect(self._compare)
        self.open_folder = QPushButton("Open folder")
        self.open_folder.setProperty("role", "primary")
        self.open_folder.setToolTip("Show the written file's folder")
        self.open_folder.clicked.connect(self._open_folder)
        close = QPushButton("Close")
        close.setToolTip("Close this card (Esc)")
        close.clicked.connect(self.hide)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        for button in (self.again, close, self.compare, self.open_folder):
            buttons.addWidget(button)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self._done_path)
        layout.addWidget(self._done_facts)
        layout.addStretch()
        layout.addLayout(buttons)
        return page

    def _open_folder(self) -> None:
        if self._outcome is not None:
            open_folder_of(self._outcome.output)

    def _compare(self) -> None:
        if self._outcome is not None:
            self.hide()
            self.comparison_asked.emit(self._outcome)


def open_folder_of(output: Path) -> None:
    """Show the folder of a file in the desktop's own way."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(output.parent)))


def outcome_text(outcome: ExportOutcome) -> str:
    """What was written, such as ``180 frames in 0:12 on CPU.``, what was checked, what could not be kept, by line."""
    device = f" on {outcome.device}" if outcome.device else ""
    kept = f"; {outcome.kept:,} of them were kept from before" if outcome.kept else ""
    written = [f"{outcome.frames:,} frames in {clock(outcome.seconds)}{device}{kept}."] if outcome.frames else []
    checked = [f"Checked: {', '.join(outcome.checks)}."] if outcome.checks else []
    noted = [f"Note: {warning.rstrip('.')}." for warning in outcome.warnings]
    return "\n".join(written + checked + noted)


def _text_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "hint")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
