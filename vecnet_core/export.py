"""Exports a project: measures the light of the clip, corrects it, encodes in a second thread, verifies the file."""

from __future__ import annotations

import math
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from vecnet_core.correction.corrector import load_corrector
from vecnet_core.errors import InputError, VideoReadError, VideoVerifyError
from vecnet_core.rendering import ClipRenderer, LightScan
from vecnet_core.verify import Check, FileVerifier, IntendedFile, SampleFrames, Verification
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.writer import VideoWriter, check_output

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import TracebackType

    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.correction.stabilise import ClipLight
    from vecnet_core.frame import Frame
    from vecnet_core.project import Project

QUEUED_FRAMES = 4
"""Corrected frames that wait for the encoder; memory does not grow with the clip."""

LIGHT_SHARE = 0.15
"""Guess at how long measuring takes beside correcting and encoding, until the latter has been timed (720p, 2 cores)."""

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class ExportProgress:
    """How far an export is.

    Attributes:
        stage: ``light`` (measuring), ``export`` (correcting and encoding), ``verify`` (the file is read again) or
            ``done``.
        done: Frames done in this stage; of ``verify``, steps.
        total: Frames, or steps, of this stage.
        seconds_left: Estimate for the whole export; None while there is nothing to estimate from.
        output: The file that is, or has been, written.
        device: The device that computes, once it is known.
        warnings: Sentences on what is damaged in the source or could not be kept; complete when ``done``.
        checks: What was found about the written file; filled when ``done``.
    """

    stage: str
    done: int
    total: int
    seconds_left: float | None
    output: Path
    device: str = ""
    warnings: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


def export_video(project: Project, corrector: Corrector | None = None) -> Generator[ExportProgress]:
    """Correct a clip, write it and verify the file; closing the generator stops it and leaves nothing behind.

    Args:
        project: What to export and where to; `output` must be set. An existing output is replaced when all is written
            and verified.
        corrector: The network, when one is loaded already; else the bundled weights on the project's device.

    Yields:
        Progress about ten times a second, and once at the end with the stage ``done``.

    Raises:
        VideoVerifyError: The written file is not what was meant; it is kept beside, under another name.
        VecnetError: The clip, the range, the device or the output does not allow the export.
    """
    output = project.output
    if output is None:
        raise InputError("no output file is chosen", path=project.clip)
    with VideoReader(project.clip) as reader:
        check_output(output, project.clip)
        start, stop = frame_range(reader, project)
        with VideoWriter(
            output,
            reader.info,
            project.encode,
            copy_from=project.clip,
            start_seconds=project.start_seconds,
            stop_seconds=project.stop_seconds,
        ) as writer:
            device = ""
            if project.settings.is_neutral:
                # The decoded planes pass untouched: neither the network nor the light is needed.
                frames = reader.frames(start, stop)
            else:
                corrector = corrector or load_corrector(device=project.device)
                device = corrector.device_label
                light = yield from _measure(reader, start, stop, output, device)
                renderer = ClipRenderer(reader, corrector, light)
                frames = renderer.corrected_frames(project.settings, start, stop)
            samples = SampleFrames(stop - start)
            written = yield from _encode(frames, writer, samples, stop - start, output, device)
            if written < stop - start:
                lost = start + written
                raise _cut_short(project.clip, lost, reader.info.frame_count, reader.seconds_of(lost))
            part = writer.complete()
            intended = _intended(project, reader, writer, start, stop, samples)
            verification = yield from _verify(FileVerifier(part, intended), output, device)
            failed = verification.failed
            if failed is not None:
                kept = writer.set_aside()
                raise VideoVerifyError(
                    f"the written file failed its check: {failed.words}; it is kept as {kept.name}",
                    path=output,
                    hint="look at it, and export again; if that fails as well, choose another codec or another disk",
                )
        warnings = (*reader.warnings, *writer.warnings)
        yield ExportProgress("done", stop - start, stop - start, 0.0, output, device, warnings, verification.checks)


def frame_range(reader: VideoReader, project: Project) -> tuple[int, int]:
    """The frames of a project's range: from the one shown at its start to the last that begins before its end.

    Raises:
        InputError: The range begins after the clip's end.
        VideoReadError: The clip is cut short and its end was not asked for by time.
    """
    info = reader.info
    if project.start_seconds >= info.duration_seconds:
        raise InputError(
            f"the range begins at {project.start_seconds:g} s, after the clip's end",
            path=project.clip,
            hint=f"give a start below {info.duration_seconds:.2f} s",
        )
    if info.missing_frames and project.stop_seconds is None:
        raise _cut_short(project.clip, info.frame_count, info.frame_count + info.missing_frames, info.duration_seconds)
    start = reader.index_at(project.start_seconds)
    if project.stop_seconds is None or project.stop_seconds >= info.duration_seconds:
        return start, info.frame_count
    last = reader.index_at(project.stop_seconds)
    begins_at_stop = reader.seconds_of(last) >= project.stop_seconds - 1e-6
    return start, max(start + 1, last if begins_at_stop else last + 1)


def _cut_short(clip: Path, readable: int, claimed: int, seconds: float) -> VideoReadError:
    """The error for a clip whose end is gone: an export that is shorter than its source must have been asked for."""
    return VideoReadError(
        f"the file is truncated: {readable} of {claimed} frames can be read",
        path=clip,
        # Rounded down: a little past the last frame's start, never past its end.
        hint=f"copy it again from its source, or correct what is there with --end {math.floor(1000 * seconds) / 1000}",
    )


def _measure(
    reader: VideoReader, start: int, stop: int, output: Path, device: str
) -> Generator[ExportProgress, None, ClipLight]:
    """The light of the whole clip, so that a part is corrected exactly as it was previewed."""
    count = reader.info.frame_count
    try:
        return (yield from _scan(LightScan(reader), count, stop - start, output, device))
    except VideoReadError as error:
        if error.frame is None or start <= error.frame < stop:
            raise
        # The damage lies outside the range that is asked for: the light of the range itself has to do.
        return (yield from _scan(LightScan(reader, start, stop), stop - start, stop - start, output, device))


def _scan(
    scan: LightScan, total: int, to_export: int, output: Path, device: str
) -> Generator[ExportProgress, None, ClipLight]:
    """Run a scan, telling how far it is."""
    pace = _Pace(total)
    yield ExportProgress("light", 0, total, None, output, device)
    for done, _ in enumerate(scan, start=1):
        if pace.is_due(done):
            left = pace.seconds_left(done)
            later = pace.seconds_per_frame(done) * to_export * (1 - LIGHT_SHARE) / LIGHT_SHARE
            yield ExportProgress("light", done, total, None if left is None else left + later, output, device)
    return scan.light


def _encode(
    frames: Iterator[Frame], writer: VideoWriter, samples: SampleFrames, total: int, output: Path, device: str
) -> Generator[ExportProgress, None, int]:
    """Correct in this thread, encode in another, tell how far it is, and return how many frames came."""
    pace = _Pace(total)
    done = 0
    yield ExportProgress("export", 0, total, None, output, device)
    with _EncoderThread(writer, samples) as encoder:
        for done, frame in enumerate(frames, start=1):
            encoder.put(frame)
            if pace.is_due(done):
                yield ExportProgress("export", done, total, pace.seconds_left(done), output, device)
        encoder.drain()
    return done


def _intended(
    project: Project, reader: VideoReader, writer: VideoWriter, start: int, stop: int, samples: SampleFrames
) -> IntendedFile:
    """What the file is meant to be, from the source and from what the encoder was given."""
    info = reader.info
    end = reader.seconds_of(stop) if stop < info.frame_count else info.duration_seconds
    return IntendedFile(
        source=info,
        pts=reader.pts(start, stop),
        duration_seconds=end - reader.seconds_of(start),
        pixel_aspect=writer.pixel_aspect,
        layout=writer.layout,
        color=writer.color,
        is_lossless=writer.encoder.is_lossless,
        coarseness=writer.encoder.coarseness(project.encode),
        sound=writer.sound,
        samples=samples.frames,
    )


def _verify(verifier: FileVerifier, output: Path, device: str) -> Generator[ExportProgress, None, Verification]:
    """Read the written file again, telling how far it is."""
    pace = _Pace(verifier.steps)
    yield ExportProgress("verify", 0, verifier.steps, None, output, device)
    for done in verifier:
        left = pace.seconds_per_frame(done) * (verifier.steps - done)
        yield ExportProgress("verify", done, verifier.steps, left, output, device)
    return verifier.verification


class _Pace:
    """How fast frames pass, and whether it is time to tell."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = self._told = time.monotonic()

    def is_due(self, done: int) -> bool:
        """True about ten times a second, and for the last frame."""
        now = time.monotonic()
        if now - self._told < _PROGRESS_SECONDS and done < self._total:
            return False
        self._told = now
        return True

    def seconds_per_frame(self, done: int) -> float:
        """Average so far."""
        return (time.monotonic() - self._begun) / done

    def seconds_left(self, done: int) -> float | None:
        """Estimate; None until there is something to go by."""
        if done < min(8, self._total):
            return None
        return self.seconds_per_frame(done) * (self._total - done)


class _EncoderThread:
    """Feeds a writer from a bounded queue, in a thread; the writer is touched by no other thread until it has ended.

    What the encoder is given passes the samples, which keep a few of it.
    """

    def __init__(self, writer: VideoWriter, samples: SampleFrames) -> None:
        self._writer = writer
        self._samples = samples
        self._queue: queue.Queue[Frame | None] = queue.Queue(QUEUED_FRAMES)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)

    def put(self, frame: Frame | None) -> None:
        """Hand a frame over, waiting while the queue is full; raises what the encoder raised."""
        while self._error is None:
            try:
                self._queue.put(frame, timeout=0.1)
            except queue.Full:
                continue
            break
        if self._error is not None:
            raise self._error

    def drain(self) -> None:
        """Wait until all frames are encoded."""
        self.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, at the latest after the frame that is being encoded."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        """The thread."""
        try:
            while not self._stop.is_set():
                try:
                    frame = self._queue.get(timeout=0.1)
                except queue.Empty:
                    continue
                if frame is None:
                    return
                self._samples.take(self._writer.write(frame))
        except BaseException as error:  # noqa: BLE001 - the edge of the thread: raised again by `put` and `drain`
            self._error = error
