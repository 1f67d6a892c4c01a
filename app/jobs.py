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

from vecnet_core.settings import CorrectionSettings

log = logging.getLogger(__name__)

CANCEL_SECONDS = 8
"""A cancelled child has this long to take its part file away before it is ended."""
_KEPT_CHARACTERS = 20_000


@dataclass(frozen=True)
class ExportRequest:
    """All that an export needs.

    Attributes:
        source: The clip.
        output: The file to write; an existing one has been agreed to.
        settings: The sliders.
        codec: Codec name as the command line knows it.
        crf: Constant rate factor; None where the codec has none.
        preset: Encoder preset; None where the codec has none.
        device: Compute device name.
        overwrites: True when the person agreed to replace an existing file.
    """

    source: Path
    output: Path
    settings: CorrectionSettings
    codec: str = "h264"
    crf: int | None = None
    preset: str | None = None
    device: str = "auto"
    overwrites: bool = False

    def arguments(self) -> list[str]:
        """The arguments of the command line that does this."""
        made = ["correct", str(self.source), str(self.output), "--json"]
        made += ["--strength", f"{self.settings.strength:.4f}", "--shadows", f"{self.settings.shadows:.4f}"]
        made += ["--highlights", f"{self.settings.highlights:.4f}", f"--exposure-ev={self.settings.exposure_ev:.4f}"]
        made += ["--steadiness", f"{self.settings.steadiness:.4f}", "--device", self.device, "--codec", self.codec]
        if self.crf is not None:
            made += ["--crf", str(self.crf)]
        if self.preset is not None:
            made += ["--preset", self.preset]
        return made


@dataclass(frozen=True)
class ExportStatus:
    """How far an export is.

    Attributes:
        stage: ``light`` (measuring) or ``export``.
        done: Frames done in this stage.
        total: Frames of this stage.
        seconds_left: Of the whole export; None while unknown.
    """

    stage: str
    done: int
    total: int
    seconds_left: float | None


class ExportJob(QObject):
    """One export in a process of its own: it outlives any trouble of the window, and its trouble is not the window's.

    Signals:
        progressed: An `ExportStatus`.
        finished: The path of the written file.
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
        self._output: Path | None = None
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
        """Ask the child to stop and clean up; end it if it does not."""
        if not self.is_running or self._is_cancelled:
            return
        self._is_cancelled = True
        pid = self._process.processId()
        if sys.platform == "win32" or pid <= 0:
            self._process.kill()
            return
        os.kill(pid, signal.SIGINT)
        self._last_resort.start(CANCEL_SECONDS * 1000)

    def wait(self, timeout_seconds: float) -> bool:
        """Block until the child has ended; for the window that is closing."""
        return self._process.waitForFinished(round(timeout_seconds * 1000))

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
                self._output = Path(str(fields.get("output", self.request.output)))
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

    def _end(self, exit_code: int) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self._last_resort.stop()
        self._read_output()
        self._read_errors()
        if exit_code == 0 and self._output is not None:
            log.info("export done: %s", self._output)
            self.finished.emit(self._output)
        elif self._is_cancelled:
            log.info("export cancelled")
            self.cancelled.emit()
        else:
            lines = [line for line in self._errors.strip().splitlines() if line.strip()]
            sentence = self._sentence or (lines[-1] if lines else f"The export ended early (exit code {exit_code}).")
            log.error("export failed with code %s: %s", exit_code, self._errors)
            self.failed.emit(sentence, f"{' '.join(self._command)}\nexit code {exit_code}\n{self._errors}")
