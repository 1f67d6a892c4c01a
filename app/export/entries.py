"""What waits in the queue, runs, or has been exported: a snapshot of a clip with its settings, and how it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from app.export.encode_details import CODEC_NAMES
from app.export.output_look import size_words
from app.jobs import ExportOutcome, ExportStatus
from app.widgets.timecode import clock
from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.encode import EncodeSettings

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class ExportChoice:
    """What the person chose about the file to write.

    Attributes:
        output: The file to write.
        encode: The encoder and its settings.
        overwrites: True when the person agreed to replace an existing file.
        resumes: Finish the export to this output that was interrupted.
        restarts: Forget the export to this output that was interrupted.
    """

    output: Path
    encode: EncodeSettings
    overwrites: bool = False
    resumes: bool = False
    restarts: bool = False


class State(Enum):
    """Where an entry stands."""

    WAITING = "Waiting"
    RUNNING = "Exporting"
    STOPPED = "Stopped"
    FAILED = "Failed"
    DONE = "Done"


@dataclass(frozen=True)
class QueueEntry:
    """One export of the queue.

    Attributes:
        number: Tells entries apart; never used twice.
        clip: The source, its settings, encoder and output, as they were when it was added.
        state: Where it stands.
        overwrites: The person agreed to replace an existing file.
        status: How far it is while it runs.
        is_paused: It is held where it is.
        kept: Frames that are kept of it while it does not run.
        total: Frames of all of it, once known.
        device: What to call the device while it runs; empty when unknown.
        sentence: Why it failed.
        outcome: What came of it.
        size_bytes: Of what was written; 0 while unknown.
    """

    number: int
    clip: Clip
    state: State = State.WAITING
    overwrites: bool = False
    status: ExportStatus | None = None
    is_paused: bool = False
    kept: int = 0
    total: int = 0
    device: str = ""
    sentence: str = ""
    outcome: ExportOutcome | None = None
    size_bytes: int = 0

    @property
    def output(self) -> Path:
        """The file it writes."""
        if self.outcome is not None:
            return self.outcome.output
        return self.clip.path if self.clip.output is None else self.clip.output

    @property
    def is_open(self) -> bool:
        """True while there is something to be done yet."""
        return self.state is not State.DONE

    def waiting(self) -> QueueEntry:
        """The same, to be exported when its turn comes."""
        return replace(self, state=State.WAITING, status=None, is_paused=False, sentence="")


@dataclass(frozen=True)
class QueueSums:
    """The queue in numbers.

    Attributes:
        waiting: Entries that wait for their turn.
        done: Entries that are written.
        open: Entries with something to do: waiting, running, stopped, failed.
        seconds: What the written ones took together.
        size_bytes: What was written, together.
    """

    waiting: int
    done: int
    open: int
    seconds: float
    size_bytes: int

    @classmethod
    def of(cls, entries: Sequence[QueueEntry]) -> QueueSums:
        """Count."""
        outcomes = [entry.outcome for entry in entries if entry.outcome is not None]
        return cls(
            waiting=sum(entry.state is State.WAITING for entry in entries),
            done=len(outcomes),
            open=sum(entry.is_open for entry in entries),
            seconds=sum(outcome.seconds for outcome in outcomes),
            size_bytes=sum(entry.size_bytes for entry in entries),
        )

    @property
    def words(self) -> str:
        """Such as ``2 of 5 done: 1.2 GB in 4:10``."""
        if not self.done:
            count = self.open
            return f"{count} {'export' if count == 1 else 'exports'}" if count else "Nothing to export"
        return f"{self.done} of {self.done + self.open} done: {size_words(self.size_bytes)} in {clock(self.seconds)}"


def state_words(entry: QueueEntry) -> str:
    """The line under the name: state, what is done, time left, device."""
    match entry.state:
        case State.WAITING:
            return f"As added: {settings_words(entry)}"
        case State.RUNNING:
            return _running_words(entry)
        case State.DONE:
            outcome = entry.outcome
            if outcome is None:
                return "Done"
            size = f"{size_words(entry.size_bytes)} in " if entry.size_bytes else ""
            checked = ", checked" if outcome.checks else ""
            return f"Done{checked}: {size}{clock(outcome.seconds)}{_on(outcome.device)}"
        case _:
            kept = f"{entry.kept:,} of {entry.total:,} frames are kept" if entry.kept else ""
            said = entry.sentence.removeprefix(f"{entry.output}: ").rstrip(".")
            return f"{entry.state.value}: {'; '.join(part for part in (said, kept) if part)}".rstrip(": ")


def _running_words(entry: QueueEntry) -> str:
    status = entry.status
    if status is None:
        return "Starting"
    stages = {"light": "Measuring", "join": "Joining", "verify": "Checking"}
    words = f"{stages.get(status.stage, 'Exporting')} {100 * status.done // max(1, status.total)} %"
    if entry.is_paused:
        return f"Paused: {words[:1].lower()}{words[1:]}"
    left = "" if status.seconds_left is None else f", {clock(status.seconds_left)} left"
    return f"{words}{left}{_on(entry.device)}"


def _on(device: str) -> str:
    """Such as `` on CPU``, without what a device's name says beyond that."""
    return f" on {device.partition(':')[0]}" if device else ""


def settings_words(entry: QueueEntry) -> str:
    """The snapshot: how the clip is corrected and written."""
    clip = entry.clip
    settings, usual = clip.settings, CorrectionSettings()
    changed = [
        f"{name.removesuffix('_ev').replace('_', ' ')} {value:g}"
        for name, value in settings.to_dict().items()
        if value != usual.to_dict()[name]
    ]
    part = "whole clip"
    if clip.start_seconds or clip.stop_seconds is not None:
        stop = "the end" if clip.stop_seconds is None else f"{clip.stop_seconds:.2f} s"
        part = f"{clip.start_seconds:.2f} s to {stop}"
    correction = ", ".join(changed) or "the network's own"
    return f"{encode_words(clip.encode)}; {part}; correction: {correction}"


def encode_words(encode: EncodeSettings) -> str:
    """Such as ``ProRes hq`` or ``H.265 (HEVC) CRF 20, 10-bit``."""
    words = CODEC_NAMES.get(encode.codec, encode.codec)
    words += "" if encode.preset is None or encode.crf is not None else f" {encode.preset}"
    words += "" if encode.crf is None else f" CRF {encode.crf}"
    return words + ("" if encode.bit_depth is None else f", {encode.bit_depth}-bit")
