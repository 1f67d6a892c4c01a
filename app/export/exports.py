"""Runs one export at a time: the dialog, the child process, what is kept of it, and the analysis that rests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.errands import Errands
from app.export.export_dialog import ExportDialog, outcome_text
from app.export.progress_page import progress_text
from app.export.remembered import claim, discard, file_for, forget, kept_of
from app.jobs import STOP_SECONDS, ExportJob, ExportOutcome, ExportRequest, ExportStatus
from vecnet_core.errors import InputError, VecnetError
from vecnet_core.project import Project
from vecnet_core.video.encode import EncodeSettings

if TYPE_CHECKING:
    from PySide6.QtCore import QLockFile
    from PySide6.QtWidgets import QWidget

    from app.document import Document
    from app.export.entries import ExportChoice
    from app.preferences import Preferences
    from app.preview import Preview
    from vecnet_core.project import Clip

_STAGES = {"light": "Measuring for export", "join": "Putting the file together", "verify": "Checking the file"}
_LOOK_SECONDS = 1.0
_CLAIM_MS = 1000

ChildCommand = Callable[[], list[str]]
"""How the command line is called here."""


def own_command_line() -> list[str]:
    """The command line that belongs to this editor, in a checkout and in a bundle."""
    from vecnet_core.command import command_line

    return list(command_line())


@dataclass(frozen=True)
class ExportEnd:
    """How an export has ended.

    Attributes:
        output: What it was to write.
        outcome: What was written; None when it failed or was stopped.
        sentence: Why it failed; empty when it did not.
        discards: It was stopped, and nothing of it is to be kept.
    """

    output: Path
    outcome: ExportOutcome | None = None
    sentence: str = ""
    discards: bool = False


class Exports(QObject):
    """Shows the dialog, starts the job, passes on how it goes.

    An export is remembered in a folder of ours from its start until it has ended well, so that whatever ends the
    editor, it can be finished.

    Signals:
        status_changed: A line for the status bar; empty when nothing is exported.
        error_raised: A sentence, and details for a report.
        note_raised: A sentence on what became of an export.
        begun: The `Clip` that is exported, and the `ExportChoice` about it.
        job_started: The `ExportRequest` the child works on.
        progressed: An `ExportStatus`.
        paused: True when the child is held, False when it goes on.
        finished_unseen: What came of an export whose dialog is out of sight, as a sentence.
        finished: An `ExportOutcome`.
        ended: An `ExportEnd`; another one can begin.
        settled: An output that was not finished, and the frames that are kept of it, and frames in all.
    """

    status_changed = Signal(str)
    error_raised = Signal(str, str)
    note_raised = Signal(str)
    begun = Signal(object, object)
    job_started = Signal(object)
    progressed = Signal(object)
    paused = Signal(bool)
    finished_unseen = Signal(str)
    finished = Signal(object)
    ended = Signal(object)
    settled = Signal(object, int, int)

    def __init__(
        self,
        document: Document,
        preview: Preview,
        preferences: Preferences,
        window: QWidget,
        folder: Callable[[], Path],
        child_command: ChildCommand = own_command_line,
    ) -> None:
        """Nothing is exported yet; ``folder`` tells where exports are remembered."""
        super().__init__(window)
        self._document = document
        self._preview = preview
        self._preferences = preferences
        self._child_command = child_command
        self._folder = folder
        self._errands = Errands(self)
        self._request: ExportRequest | None = None
        self._is_from_form = False
        self._job: ExportJob | None = None
        self._lock: QLockFile | None = None
        self._wants_to_stop = False
        self._discards = False
        self._looked_at = 0.0
        self.dialog = ExportDialog(window)
        self.dialog.pause_asked.connect(self.toggle_pause)
        self.dialog.stop_asked.connect(self._look_at_kept)
        self.dialog.keep_asked.connect(self.stop)
        self.dialog.discard_asked.connect(self.discard)
        self.dialog.form.export_asked.connect(self.start)
        self.dialog.again_asked.connect(self.show_form)
        document.clip_changed.connect(self._use_clip)
        self.dialog.form.show_encode(_remembered_encode(preferences))

    @property
    def is_running(self) -> bool:
        """True from the moment an export is asked for until its child has ended."""
        return self._request is not None

    @property
    def folder(self) -> Path:
        """Where exports are remembered."""
        return self._folder()

    def show_dialog(self) -> None:
        """Show the form, or how far the running export is."""
        if self.is_running:
            self.dialog.turn_to_progress()
            self._bring_up()
        else:
            self.show_form()

    def show_form(self) -> None:
        """Show the form, also while an export is running: what is chosen then goes into the queue."""
        if self._document.info is None:
            return
        self._use_clip()
        self.dialog.show_form()
        self._bring_up()

    def show_outcome(self, outcome: ExportOutcome) -> None:
        """Show the card of an export that is done."""
        self.dialog.show_done(outcome)
        self._bring_up()

    def ask_to_stop(self) -> None:
        """Ask whether the running export is to be stopped, and what becomes of what is done."""
        if self.is_running:
            self.show_dialog()
            self.dialog.progress.ask_to_stop()

    def remember(self, encode: EncodeSettings) -> None:
        """Offer these settings the next time."""
        self._preferences.set_text("export_encode", json.dumps(encode.to_dict()))

    def _bring_up(self) -> None:
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    # Begin -----------------------------------------------------------------------------------------------------------

    def start(self, choice: ExportChoice) -> None:
        """Export the clip as it is corrected now."""
        clip = self._document.clip
        if clip is not None and not self.is_running:
            self.remember(choice.encode)
            self._is_from_form = True
            self._begin(replace(clip, encode=choice.encode, output=choice.output), choice)

    def start_snapshot(self, clip: Clip, choice: ExportChoice) -> None:
        """Export a clip of the queue, as it was corrected when it was added."""
        if not self.is_running:
            self._is_from_form = False
            self._begin(clip, choice)

    def _begin(self, clip: Clip, choice: ExportChoice) -> None:
        """Turn to the progress page; once the disk has answered, start the child.

        The preview's background rests until the child has ended.
        """
        file = file_for(self._folder(), choice.output)
        self._request = ExportRequest(file, choice.output, choice.overwrites, choice.resumes, choice.restarts)
        self._wants_to_stop = self._discards = False
        self._preview.pause_background(True)
        # A form that is being filled in, or a card that is being read, is not turned away.
        is_looking_on = self._is_from_form or not self.dialog.isVisible() or self.dialog.page == 1
        self.dialog.show_started(choice.output, turns=is_looking_on)
        self.status_changed.emit(f"Exporting {choice.output.name}")
        project = Project((clip,), self._preferences.device)
        self._errands.send(partial(_written_down, file, project), self._start_job, self._refuse)
        self.begun.emit(clip, choice)

    def _start_job(self, lock: QLockFile) -> None:
        self._lock = lock
        request = self._request
        if request is None:
            return
        if self._wants_to_stop:
            self._take_stop()
            return
        job = ExportJob(request, self._child_command(), self)
        job.progressed.connect(self._show_progress)
        job.finished.connect(self._finish)
        job.failed.connect(self._fail)
        job.stopped.connect(self._take_stop)
        self._job = job
        job.start()
        self.job_started.emit(request)

    # Under way -------------------------------------------------------------------------------------------------------

    def toggle_pause(self) -> None:
        """Hold the running export, or let it go on."""
        if self._job is None:
            return
        if self._job.is_paused:
            self._job.go_on()
        else:
            self._job.pause()
        self.dialog.progress.show_paused(self._job.is_paused)
        self.paused.emit(self._job.is_paused)
        if self._job.is_paused and self._request is not None:
            self.status_changed.emit(f"Export of {self._request.output.name} is paused")

    def stop(self) -> None:
        """Stop the running export and keep what is done."""
        self._stop(discards=False)

    def discard(self) -> None:
        """Stop the running export and remove what is done."""
        self._stop(discards=True)

    def close(self) -> None:
        """Stop the running export, keep what is done, and wait for its end; for the window that is closing."""
        if self._job is not None:
            self._wants_to_stop = True
            self._job.stop()
            self._job.wait(STOP_SECONDS)
        self._errands.close()
        self.dialog.form.close_errands()
        self.dialog.close()

    def _stop(self, *, discards: bool) -> None:
        if self._request is None:
            return
        self._wants_to_stop, self._discards = True, discards
        self.dialog.progress.show_stopping(keeps=not discards)
        self.status_changed.emit("Stopping the export")
        if self._job is not None:
            self._job.stop()

    def _show_progress(self, status: ExportStatus) -> None:
        if self._job is None or self._wants_to_stop:
            return
        self.progressed.emit(status)
        self.dialog.show_progress(status)
        if self.dialog.progress.is_asking and time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._look_at_kept()
        percent = 100 * status.done // max(1, status.total)
        stage = _STAGES.get(status.stage, "Exporting")
        if not self._job.is_paused:
            self.status_changed.emit(f"{stage}: {percent} %, {progress_text(status)}")

    def _look_at_kept(self) -> None:
        """What would be kept if the export were stopped now."""
        self._looked_at = time.monotonic()
        if self._request is not None:
            self._errands.send(partial(kept_of, self._request.output), self._show_kept)

    def _show_kept(self, kept: tuple[int, int]) -> None:
        self.dialog.progress.show_kept(*kept)

    # Ended -----------------------------------------------------------------------------------------------------------

    def _finish(self, outcome: ExportOutcome) -> None:
        request = self._request
        if request is not None:
            self._errands.send(partial(forget, request.file), _nothing_more)
        self._end_job()
        if self.dialog.isVisible() and self.dialog.page == 1:
            self.dialog.show_done(outcome)
        else:
            if not self.dialog.isVisible():
                self.dialog.show_done(outcome)
            if self._is_from_form:
                self.finished_unseen.emit(f"{outcome.output} is written: {outcome_text(outcome)}".replace("\n", " "))
        # An export of an earlier session is finished with no clip open.
        self.dialog.again.setVisible(self._document.info is not None)
        self.finished.emit(outcome)
        self.ended.emit(ExportEnd(outcome.output if request is None else request.output, outcome))

    def _refuse(self, sentence: str) -> None:
        """The export could not even be written down."""
        request = self._request
        self._end_job()
        self._leave()
        self.error_raised.emit(sentence, "")
        if request is not None:
            self.ended.emit(ExportEnd(request.output, sentence=sentence))

    def _fail(self, sentence: str, details: str) -> None:
        request, is_from_form = self._request, self._is_from_form
        self._end_job()
        if request is None:
            return
        if is_from_form and request.resumes and self.dialog.page == 1:
            # Where an export cannot be gone on with, the form offers to begin anew.
            self.dialog.show_form()
            self.dialog.form.show_refusal(sentence)
        else:
            self._leave()
        self._errands.send(
            partial(_settled, request), partial(self._tell_failure, request, sentence, details), self._tell_refusal
        )
        self.ended.emit(ExportEnd(request.output, sentence=sentence))

    def _tell_failure(self, request: ExportRequest, sentence: str, details: str, kept: tuple[int, int]) -> None:
        self.settled.emit(request.output, *kept)
        if kept[0] and not request.resumes:
            sentence = f"{sentence} {_kept_words(request.output, kept)}"
        self.error_raised.emit(sentence, details)

    def _take_stop(self) -> None:
        """The child has stopped: keep what is done, or remove it; then back to the form, and out of the way."""
        request, discards = self._request, self._discards
        self._end_job()
        self._leave()
        if request is None:
            return
        if discards:
            self._errands.send(
                partial(discard, request.file, request.output),
                partial(self._tell_dropped, request.output),
                self._tell_refusal,
            )
        else:
            self._errands.send(partial(_settled, request), partial(self._tell_kept, request.output), self._tell_refusal)
        self.ended.emit(ExportEnd(request.output, discards=discards))

    def _leave(self) -> None:
        """Out of the way, unless something else than the export that has ended is being looked at."""
        if self.dialog.page == 1 or not self.dialog.isVisible():
            self.dialog.show_form()
            self.dialog.hide()

    def _end_job(self) -> None:
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None
        self._request = None
        self._preview.pause_background(False)
        self.status_changed.emit("")

    # Told ------------------------------------------------------------------------------------------------------------

    def _tell_kept(self, output: Path, kept: tuple[int, int]) -> None:
        self.settled.emit(output, *kept)
        words = _kept_words(output, kept) if kept[0] else "Nothing was done yet that could be kept."
        self.note_raised.emit(f"The export is stopped. {words}")

    def _tell_dropped(self, output: Path, _: None) -> None:
        self.note_raised.emit(f"The export to {output.name} is stopped, and nothing of it is left.")

    def _tell_refusal(self, sentence: str) -> None:
        self.error_raised.emit(sentence, "")

    def _use_clip(self) -> None:
        if self._document.info is not None:
            self.dialog.form.use_clip(self._document.info)


def _written_down(file: Path, project: Project) -> QLockFile:
    """Remember an export that begins, as long as no other editor is at work on it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = _claimed(file)
    project.save(file)
    return lock


def _claimed(file: Path) -> QLockFile:
    lock = claim(file, _CLAIM_MS)
    if lock is None:
        raise InputError("another editor is exporting this", hint="wait for it, or give the output another name")
    return lock


def _settled(request: ExportRequest) -> tuple[int, int]:
    """What an export that has ended has kept; with nothing to go on with it is forgotten."""
    kept = kept_of(request.output)
    if not kept[0]:
        forget(request.file)
    return kept


def _kept_words(output: Path, kept: tuple[int, int]) -> str:
    return f"{kept[0]:,} of {kept[1]:,} frames are kept: export to {output.name} again to finish it."


def _nothing_more(_: None) -> None:
    """Nobody waits for this errand."""


def _remembered_encode(preferences: Preferences) -> EncodeSettings:
    """The settings of the last export."""
    try:
        return EncodeSettings.from_dict(json.loads(preferences.text("export_encode", "")))
    except (VecnetError, ValueError, TypeError, AttributeError):
        return EncodeSettings("match")
