"""An export as the window sees it: the command line in a child process, its progress read as JSON lines."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.words import for_window

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

STOP_SECONDS = 8
"""A child that is asked to stop has this long before it is killed; it takes two seconds."""
_KEPT_CHARACTERS = 20_000


@dataclass(frozen=True)
class ExportRequest:
    """All that an export needs.

    Attributes:
        file: The project file with the one clip that is exported, its settings, encoder and output.
        output: The output that is named there.
        overwrites: True when the person agreed to replace an existing file.
        resumes: Go on with an interrupted export to this output.
        restarts: Forget an interrupted export to this output.
    """

    file: Path
    output: Path
    overwrites: bool = False
    resumes: bool = False
    restarts: bool = False

    def arguments(self) -> list[str]:
        """The arguments of the command line that does this."""
        wishes = {"--overwrite": self.overwrites, "--resume": self.resumes, "--restart": self.restarts}
        return ["export", str(self.file), "--json", *(option for option, is_on in wishes.items() if is_on)]


@dataclass(frozen=True)
class ExportStatus:
    """How far an export is.

    Attributes:
        stage: ``light`` (measuring), ``export``, ``join`` (the file is put together) or ``verify`` (it is read again).
        done: Frames done in this stage; of ``verify``, steps.
        total: Frames, or steps, of this stage.
        seconds_left: Of the whole export; None while unknown.
        kept: Frames that an interrupted export had done before.
    """

    stage: str
    done: int
    total: int
    seconds_left: float | None
    kept: int = 0


@dataclass(frozen=True)
class ExportOutcome:
    """What came of an export.

    Attributes:
        output: The written file.
        frames: How many frames are in it; 0 when the child did not say.
        seconds: How long it took.
        device: Where the network ran; empty when it was not needed.
        warnings: What could not be kept, or is damaged in the source, as sentences.
        checks: What was found right about the written file, such as ``180 frames``.
        kept: Frames of it that an interrupted export had done before.
    """

    output: Path
    frames: int = 0
    seconds: float = 0.0
    device: str = ""
    warnings: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    kept: int = 0


class ExportJob(QObject):
    """One export in a process of its own: it outlives any trouble of the window, and its trouble is not the window's.

    Whatever ends the child, what it has encoded in closed groups stays beside the output.

    Signals:
        progressed: An `ExportStatus`.
        finished: An `ExportOutcome`.
        failed: A sentence, and details for a report.
        stopped: The child ended because it was asked to.
    """

    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(str, str)
    stopped = Signal()

    def __init__(self, request: ExportRequest, command: list[str], parent: QObject | None = None) -> None:
        """Prepare to run ``command`` with the request's arguments."""
        super().__init__(parent)
        self.request = request
        self._command = [*command, *request.arguments()]
        self._pending = b""
        self._errors = ""
        self._sentence = ""
        self._outcome: ExportOutcome | None = None
        self._is_paused = False
        self._is_stopping = False
        self._has_ended = False
        self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read_output)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._end)
        self._process.errorOccurred.connect(self._take_process_error)
        self._last_resort = QTimer(self)
        self._last_resort.setSingleShot(True)
        self._last_resort.timeout.connect(self._process.kill)

    @property
    def is_running(self) -> bool:
        """True until the child has ended."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    @property
    def is_paused(self) -> bool:
        """True while the child is held."""
        return self._is_paused

    def start(self) -> None:
        """Start the child."""
        log.info("export: %s", self._command)
        self._process.start(self._command[0], self._command[1:])

    def pause(self) -> None:
        """Hold the child and what it has started, where they are."""
        if self.is_running and not self._is_paused and not self._is_stopping:
            self._is_paused = self._tell_all(psutil.Process.suspend)

    def go_on(self) -> None:
        """Let a paused child go on."""
        if self._is_paused:
            self._is_paused = False
            self._tell_all(psutil.Process.resume)

    def stop(self) -> None:
        """Ask the child to stop, and kill it if it does not; what it has done in closed groups stays."""
        if not self.is_running or self._is_stopping:
            return
        # Held, it could not answer.
        self.go_on()
        self._is_stopping = True
        pid = self._process.processId()
        if sys.platform == "win32" or pid <= 0:
            self._process.kill()
            return
        # The command line takes it as Ctrl+C. That itself it may never hear: a shell has what it starts in the
        # background ignore SIGINT, which children inherit, and Python then leaves it so.
        os.kill(pid, signal.SIGTERM)
        self._last_resort.start(STOP_SECONDS * 1000)

    def wait(self, timeout_seconds: float) -> None:
        """Block until the child has ended, and kill it if it has not in time; for the window that is closing."""
        if not self._process.waitForFinished(round(timeout_seconds * 1000)):
            self._process.kill()
            self._process.waitForFinished()

    def _tell_all(self, order: Callable[[psutil.Process], None]) -> bool:
        """Give an order to the child and to all it has started; False when the child itself cannot be told."""
        try:
            child = psutil.Process(self._process.processId())
            order(child)
            started = child.children(recursive=True)
        except psutil.Error:
            log.warning("the export cannot be paused or continued", exc_info=True)
            return False
        for process in started:
            try:
                order(process)
            except psutil.Error:  # it has ended meanwhile
                log.info("process %s of the export is gone", process.pid)
        return True

    def _read_output(self) -> None:
        self._pending += bytes(self._process.readAllStandardOutput().data())
        *lines, self._pending = self._pending.split(b"\n")
        for line in lines:
            self._take_line(line.decode("utf-8", "replace").strip())

    def _take_line(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            if line:
                log.info("export said: %s", line)
            return
        if not isinstance(event, dict):
            return
        fields = cast("dict[str, Any]", event)
        match fields.get("event"):
            case "progress":
                left = fields.get("seconds_left")
                self.progressed.emit(
                    ExportStatus(
                        str(fields.get("stage", "export")),
                        int(fields.get("done", 0)),
                        int(fields.get("total", 0)),
                        None if left is None else float(left),
                        int(fields.get("kept", 0)),
                    )
                )
            case "done":
                self._outcome = ExportOutcome(
                    output=Path(str(fields.get("output", self.request.output))),
                    frames=int(fields.get("frames", 0)),
                    seconds=float(fields.get("seconds", 0.0)),
                    device=str(fields.get("device", "")),
                    warnings=tuple(for_window(str(warning)) for warning in fields.get("warnings", ())),
                    checks=tuple(str(check["words"]) for check in fields.get("checks", ())),
                    kept=int(fields.get("kept", 0)),
                )
            case "error":
                self._sentence = for_window(str(fields.get("message", "")))
            case "interrupted":
                self._sentence = "The export was interrupted."
            case _:
                log.info("export said: %s", line)

    def _read_errors(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        self._errors = (self._errors + text)[-_KEPT_CHARACTERS:]

    def _take_process_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and not self._has_ended:
            self._has_ended = True
            self.failed.emit(
                f"The export could not be started: {self._process.errorString()}.", " ".join(self._command)
            )

    def _end(self, exit_code: int, exit_status: QProcess.ExitStatus) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self._is_paused = False
        self._last_resort.stop()
        self._read_output()
        self._read_errors()
        if exit_code == 0 and self._outcome is not None:
            log.info("export done: %s", self._outcome)
            self.finished.emit(self._outcome)
        elif self._is_stopping:
            log.info("export stopped")
            self.stopped.emit()
        else:
            lines = [line for line in self._errors.strip().splitlines() if line.strip()]
            if exit_status == QProcess.ExitStatus.CrashExit:
                self._sentence = (
                    f"The export was killed (signal {exit_code}); if memory was short, close other programs first."
                )
            sentence = self._sentence or (
                for_window(lines[-1]) if lines else f"The export ended early (exit code {exit_code})."
            )
            log.error("export failed with code %s: %s", exit_code, self._errors)
            self.failed.emit(sentence, f"{' '.join(self._command)}\nexit code {exit_code}\n{self._errors}")
