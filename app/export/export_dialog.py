"""The export dialog: a form, then progress that can be cancelled, then what was written; closing it ends no job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.export.export_form import ExportForm
from app.widgets.icons import picture
from app.widgets.timecode import clock

if TYPE_CHECKING:
    from app.jobs import ExportOutcome, ExportStatus

_STAGES = {
    "light": "Measuring the light of the clip",
    "export": "Correcting and encoding",
    "verify": "Checking the file",
}


class ExportDialog(QDialog):
    """Three pages: form, progress, done.

    Signals:
        cancel_asked: Stop the running export.
        again_asked: Back to the form, for the clip as it is now.
    """

    cancel_asked = Signal()
    again_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """On the form."""
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumSize(620, 300)
        self.form = ExportForm()
        self.form.cancel_asked.connect(self.hide)
        self._output = Path()
        self._stage = QLabel()
        self._stage.setProperty("role", "heading")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Export progress")
        self._left = QLabel()
        self._left.setProperty("role", "hint")
        self._target = _path_label()
        self._done_path = _path_label()
        self._done_facts = _path_label()
        self._pages = QStackedWidget()
        for page in (self.form, self._progress_page(), self._done_page()):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.addWidget(self._pages)
        # A default button is one of its dialog's: before it was in this one, Enter went to the first button, Browse.
        self.form.start.setDefault(True)

    @property
    def page(self) -> int:
        """0 form, 1 progress, 2 done."""
        return self._pages.currentIndex()

    def show_form(self) -> None:
        """Back to the form."""
        self._pages.setCurrentIndex(0)

    def show_started(self, output: Path) -> None:
        """Turn to the progress page."""
        self._output = output
        self._target.setText(str(output))
        self._stage.setText("Starting")
        self._left.setText("The first figures come in a few seconds.")
        self.bar.setRange(0, 0)
        self._cancel.setEnabled(True)
        self._pages.setCurrentIndex(1)
        # Enter must not cancel what took an hour.
        self._hide.setFocus()

    def show_progress(self, status: ExportStatus) -> None:
        """Show how far it is and how long it takes."""
        self._stage.setText(_STAGES.get(status.stage, status.stage))
        self.bar.setRange(0, max(1, status.total))
        self.bar.setValue(status.done)
        self._left.setText(progress_text(status))

    def show_cancelling(self) -> None:
        """Say that the child has been asked to stop."""
        self._cancel.setEnabled(False)
        self._stage.setText("Cancelling")
        self._left.setText("The unfinished file is being removed.")

    def show_done(self, outcome: ExportOutcome) -> None:
        """Turn to the done card."""
        self._output = outcome.output
        self._done_path.setText(str(outcome.output))
        self._done_facts.setText(outcome_text(outcome))
        self._done_facts.setVisible(bool(self._done_facts.text()))
        self._pages.setCurrentIndex(2)
        self.open_folder.setFocus()

    def _progress_page(self) -> QWidget:
        self._cancel = QPushButton("Cancel export")
        self._cancel.setToolTip("Stop and remove the unfinished file")
        self._cancel.clicked.connect(self.cancel_asked)
        self._hide = hide = QPushButton("Hide")
        hide.setToolTip("Go on working; the export goes on and the status bar tells how far it is (Esc)")
        hide.clicked.connect(self.hide)
        return _page([self._stage, self._target, self.bar, self._left], [self._cancel, hide])

    def _done_page(self) -> QWidget:
        top = QHBoxLayout()
        sign = QLabel()
        sign.setPixmap(picture("done", 32, theme.ACCENT, 2.0))
        title = QLabel("The corrected clip is written")
        title.setProperty("role", "heading")
        top.addWidget(sign)
        top.addSpacing(8)
        top.addWidget(title)
        top.addStretch()
        head = QWidget()
        head.setLayout(top)
        top.setContentsMargins(0, 0, 0, 0)
        again = QPushButton("Export again…")
        again.setToolTip("Back to the form")
        again.clicked.connect(self.again_asked)
        self.open_folder = QPushButton("Open folder")
        self.open_folder.setProperty("role", "primary")
        self.open_folder.setToolTip("Show the written file's folder")
        self.open_folder.clicked.connect(self._open_folder)
        close = QPushButton("Close")
        close.setToolTip("Close this card (Esc)")
        close.clicked.connect(self.hide)
        return _page([head, self._done_path, self._done_facts], [again, close, self.open_folder])

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._output.parent)))


def progress_text(status: ExportStatus) -> str:
    """What is done and the time left, such as ``frame 120 of 480, 1:10 left``."""
    done = f"{'step' if status.stage == 'verify' else 'frame'} {status.done} of {status.total}"
    return done if status.seconds_left is None else f"{done}, {clock(status.seconds_left)} left"


def outcome_text(outcome: ExportOutcome) -> str:
    """What was written, such as ``180 frames in 0:12 on CPU.``, what was checked, what could not be kept, by line."""
    device = f" on {outcome.device}" if outcome.device else ""
    written = [f"{outcome.frames} frames in {clock(outcome.seconds)}{device}."] if outcome.frames else []
    checked = [f"Checked: {', '.join(outcome.checks)}."] if outcome.checks else []
    noted = [f"Note: {warning.rstrip('.')}." for warning in outcome.warnings]
    return "\n".join(written + checked + noted)


def _path_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "hint")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _page(rows: list[QWidget], buttons: list[QPushButton]) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(12)
    for row in rows:
        layout.addWidget(row)
    layout.addStretch()
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addStretch()
    for button in buttons:
        row.addWidget(button)
    layout.addLayout(row)
    return page
