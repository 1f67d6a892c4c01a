"""Runs at most one export at a time: the dialog, the child process, and the analysis that rests meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.export.export_dialog import ExportDialog, outcome_text, progress_text
from app.jobs import CANCEL_SECONDS, ExportJob, ExportOutcome, ExportRequest, ExportStatus

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.document import Document
    from app.export.export_form import ExportChoice
    from app.preferences import Preferences
    from app.preview import Preview

_STAGES = {"light": "Measuring for export", "verify": "Checking the file"}

ChildCommand = Callable[[], list[str]]
"""How the command line is called here."""


def own_command_line() -> list[str]:
    """The command line that belongs to this editor, in a checkout and in a bundle."""
    from vecnet_core.command import command_line

    return list(command_line())


class Exports(QObject):
    """Shows the dialog, starts the job, passes on how it goes.

    Signals:
        status_changed: A line for the status bar; empty when nothing is exported.
        error_raised: A sentence, and details for a report.
        job_started: The `ExportRequest` the child works on.
        finished_unseen: What came of an export whose dialog is out of sight, as a sentence.
        finished: An `ExportOutcome`.
    """

    status_changed = Signal(str)
    error_raised = Signal(str, str)
    job_started = Signal(object)
    finished_unseen = Signal(str)
    finished = Signal(object)

    def __init__(
        self,
        document: Document,
        preview: Preview,
        preferences: Preferences,
        window: QWidget,
        child_command: ChildCommand = own_command_line,
    ) -> None:
        """Nothing is exported yet."""
        super().__init__(window)
        self._document = document
        self._preview = preview
        self._preferences = preferences
        self._child_command = child_command
        self._job: ExportJob | None = None
        self.dialog = ExportDialog(window)
        self.dialog.form.export_asked.connect(self.start)
        self.dialog.cancel_asked.connect(self.cancel)
        self.dialog.again_asked.connect(self.show_dialog)
        document.clip_changed.connect(self._use_clip)
        self.dialog.form.choose_codec(preferences.text("export_codec", "match"))

    @property
    def is_running(self) -> bool:
        """True while a child is at work."""
        return self._job is not None

    def show_dialog(self) -> None:
        """Show the form, or how far the running export is."""
        if self._document.info is None:
            return
        if not self.is_running:
            self._use_clip()
            self.dialog.show_form()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def start(self, choice: ExportChoice) -> None:
        """Export the clip as it is corrected now; the preview's background rests until the child has ended."""
        project = self._document.project
        if self._job is not None or project is None:
            return
        self._preferences.set_text("export_codec", choice.encode.codec)
        project = replace(project, device=self._preferences.device, encode=choice.encode, output=choice.output)
        request = ExportRequest(project, choice.overwrites)
        job = ExportJob(request, self._child_command(), self)
        job.progressed.connect(self._show_progress)
        job.finished.connect(self._finish)
        job.failed.connect(self._fail)
        job.cancelled.connect(self._end)
        self._job = job
        self._preview.pause_background(True)
        self.dialog.show_started(choice.output)
        self.status_changed.emit(f"Exporting {choice.output.name}")
        job.start()
        self.job_started.emit(request)

    def cancel(self) -> None:
        """Stop the running export; nothing unfinished is left."""
        if self._job is not None:
            self.dialog.show_cancelling()
            self.status_changed.emit("Cancelling the export")
            self._job.cancel()

    def close(self) -> None:
        """Stop the running export and wait for its end; for the window that is closing."""
        if self._job is not None:
            self._job.cancel()
            self._job.wait(CANCEL_SECONDS)
        self.dialog.close()

    def _use_clip(self) -> None:
        if self._document.info is not None:
            self.dialog.form.use_clip(self._document.info)

    def _show_progress(self, status: ExportStatus) -> None:
        if self._job is None:
            return
        self.dialog.show_progress(status)
        percent = 100 * status.done // max(1, status.total)
        stage = _STAGES.get(status.stage, "Exporting")
        self.status_changed.emit(f"{stage}: {percent} %, {progress_text(status)}")

    def _finish(self, outcome: ExportOutcome) -> None:
        self._end_job()
        self.dialog.show_done(outcome)
        if not self.dialog.isVisible():
            self.finished_unseen.emit(f"{outcome.output} is written: {outcome_text(outcome)}".replace("\n", " "))
        self.finished.emit(outcome)

    def _fail(self, sentence: str, details: str) -> None:
        self._end()
        self.error_raised.emit(sentence, details)

    def _end(self) -> None:
        """Back to the form, and out of the way: a notice in the window tells why."""
        self._end_job()
        self.dialog.show_form()
        self.dialog.hide()

    def _end_job(self) -> None:
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        self._preview.pause_background(False)
        self.status_changed.emit("")
