"""An export as the window sees it: the command line in a child process, its progress read as JSON lines."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from vecnet_core.project import Project
from vecnet_core.video.parts import part_path

log = logging.getLogger(__name__)

CANCEL_SECONDS = 8
"""A cancelled child has this long to take its part file away before it is killed."""
_KEPT_CHARACTERS = 20_000


@dataclass(frozen=True)
class ExportRequest:
    """All that an export needs.

    Attributes:
        project: The clip, its settings, the encoder, the device and the output.
        overwrites: True when the person agreed to replace an existing file.
    """

    project: Project
    overwrites: bool = False

    def arguments(self) -> list[str]:
        """The arguments of the command line that does this."""
        settings, encode = self.project.settings, self.project.encode
        made = ["correct", str(self.project.clip), str(self.project.output), "--json"]
        made += ["--strength", f"{settings.strength:.4f}", "--shadows", f"{settings.shadows:.4f}"]
        # With an equals sign: a negative number would be taken for an option.
        made += ["--highlights", f"{settings.highlights:.4f}", f"--exposure-ev={settings.exposure_ev:.4f}"]
        made += ["--steadiness", f"{settings.steadiness:.4f}"]
        made += ["--denoise", f"{settings.denoise:.4f}"]
        made += ["--device", self.project.device, "--codec", encode.codec]
        if encode.crf is not None:
            made += ["--crf", str(encode.crf)]
        if encode.preset is not None:
            made += ["--preset", encode.preset]
        if self.project.start_seconds > 0:
            made += ["--start", f"{self.project.start_seconds:.3f}"]
        if self.project.stop_seconds is not None:
            made += ["--end", f"{self.project.stop_seconds:.3f}"]
        return [*made, "--overwrite"] if self.overwrites else made


@dataclass(frozen=True)
class ExportStatus:
    """How far an export is.

    Attributes:
        stage: ``light`` (measuring), ``export`` or ``verify`` (the written file is read again).
        done: Frames done in this stage; of ``verify``, steps.
        total: Frames, or steps, of this stage.
        seconds_left: Of the whole export; None while unknown.
    """

    stage: str
    done: int
    total: int
    seconds_left: float | None


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
    """

    output: Path
    frames: int = 0
    seconds: float = 0.0
    device: str = ""
    warnings: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


class ExportJob(QObject):
    """One export in a process of its own: it outlives any trouble of the window, and its trouble is not the window's.

    Signals:
        progressed: An `ExportStatus`.
        finished: An `ExportOutcome`.
        failed: A sentence, and details for a report.
        cancelled: The child ended because it was asked to.
    """

    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(str, str)
    cancelled = Signal()

    def __init__(self, request: ExportRequest, command: list[str], parent: QObject | None = None) -> None:
        """Prepare to run ``command`` with the request's arguments."""
        super().__init__(parent)
        self.request = request
        self._command = [*command, *request.arguments()]
        self._pending = b""
        self._errors = ""
        self._sentence = ""
        self._outcome: ExportOutcome | None = None
        self._is_cancelled = False
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

    def start(self) -> None:
        """Start the child."""
        log.info("export: %s", self._command)
        self._process.start(self._command[0], self._command[1:])

    def cancel(self) -> None:
        """Ask the child to stop and clean up; kill it if it does not."""
        if not self.is_running or self._is_cancelled:
            return
        self._is_cancelled = True
        pid = self._process.processId()
        if sys.platform == "win32" or pid <= 0:
            self._process.kill()
            return
        os.kill(pid, signal.SIGINT)
        self._last_resort.start(CANCEL_SECONDS * 1000)

    def wait(self, timeout_seconds: float) -> None:
        """Block until the child has ended, and kill it if it has not in time; for the window that is closing."""
        if not self._process.waitForFinished(round(timeout_seconds * 1000)):
            self._process.kill()
            self._process.waitForFinished()

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
                    )
                )
            case "done":
                self._outcome = ExportOutcome(
                    output=Path(str(fields.get("output", self.request.project.output))),
                    frames=int(fields.get("frames", 0)),
                    seconds=float(fields.get("seconds", 0.0)),
                    device=str(fields.get("device", "")),
                    warnings=tuple(str(warning) for warning in fields.get("warnings", ())),
                    checks=tuple(str(check["words"]) for check in fields.get("checks", ())),
                )
            case "error":
                self._sentence = str(fields.get("message", ""))
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
        self._last_resort.stop()
        if exit_status == QProcess.ExitStatus.CrashExit:
            self._remove_part()
        self._read_output()
        self._read_errors()
        if exit_code == 0 and self._outcome is not None:
            log.info("export done: %s", self._outcome)
            self.finished.emit(self._outcome)
        elif self._is_cancelled:
            log.info("export cancelled")
            self.cancelled.emit()
        else:
            lines = [line for line in self._errors.strip().splitlines() if line.strip()]
            if exit_status == QProcess.ExitStatus.CrashExit:
                self._sentence = (
                    f"The export was killed (signal {exit_code}) and nothing was written; if memory was short, close "
                    "other programs and export again."
                )
            sentence = self._sentence or (lines[-1] if lines else f"The export ended early (exit code {exit_code}).")
            log.error("export failed with code %s: %s", exit_code, self._errors)
            self.failed.emit(sentence, f"{' '.join(self._command)}\nexit code {exit_code}\n{self._errors}")

    def _remove_part(self) -> None:
        """Take the part file away in place of a child that was killed or crashed."""
        output = self.request.project.output
        if output is None:
            return
        try:
            part_path(output).unlink(missing_ok=True)
        except OSError:
            log.warning("the unfinished %s stays", part_path(output), exc_info=True)
