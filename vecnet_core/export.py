"""Exports a clip: measures its light, corrects it, encodes in a second thread, joins and verifies the file."""

from __future__ import annotations

import math
import queue
import shutil
import threading
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vecnet_core.clip_cache import ClipCache, MeasuredLight, pack_light, unpack_light
from vecnet_core.correction.corrector import load_corrector
from vecnet_core.errors import InputError, VideoReadError, VideoVerifyError, VideoWriteError
from vecnet_core.rendering import ClipRenderer, LightScan
from vecnet_core.verify import Check, FileVerifier, IntendedFile, SampleFrames
from vecnet_core.video.damage import Findings
from vecnet_core.video.footage import open_reader
from vecnet_core.video.frame_reader import CACHED_FRAMES
from vecnet_core.video.parts import write_whole
from vecnet_core.video.writer import VideoWriter, check_output

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import TracebackType

    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.correction.stabilise import ClipLight
    from vecnet_core.disk_cache import DiskCache
    from vecnet_core.frame import Frame
    from vecnet_core.project import Clip
    from vecnet_core.video.frame_reader import FrameReader

QUEUED_FRAMES = 4
"""Corrected frames that wait for the encoder; memory does not grow with the clip."""

LIGHT_SHARE = 0.15
"""Guess at how long measuring takes beside correcting and encoding, until the latter has been timed (720p, 2 cores)."""

_PROGRESS_SECONDS = 0.1
_PACE_FRAMES = 240
_PAUSE_PACES, _PAUSE_SECONDS = 20, 10
_FEW_STEPS = 10
_LIGHT, _FINDINGS = "light.safetensors", "findings.json"


SPACE_SHARE = 2.2
"""Disk taken by an export, in sizes of its file: the closed groups, what they are joined to, and what lies around."""

SPARE_BYTES = 64 << 20
"""An export leaves so much of the disk to others."""


@dataclass(frozen=True)
class ExportProgress:
    """How far an export is.

    Attributes:
        stage: ``light`` (measuring), ``export`` (correcting and encoding), ``join`` (the file is put together),
            ``verify`` (it is read again) or ``done``.
        done: Frames done in this stage; of ``verify``, steps.
        total: Frames, or steps, of this stage.
        seconds_left: Estimate for the whole export; None while there is nothing to estimate from.
        output: The file that is, or has been, written.
        device: The device that computes, once it is known.
        kept: Frames that an interrupted export had done before.
        warnings: Sentences on what is damaged in the source or could not be kept; complete when ``done``.
        checks: What was found about the written file; filled when ``done``.
    """

    stage: str
    done: int
    total: int
    seconds_left: float | None
    output: Path
    device: str = ""
    kept: int = 0
    warnings: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


def export_video(
    clip: Clip,
    corrector: Corrector | None = None,
    *,
    device: str = "auto",
    resume: bool = False,
    disk: DiskCache | None = None,
) -> Generator[ExportProgress]:
    """Correct a clip, write it and verify the file.

    Whatever ends it early, by closing the generator, an error, or the end of the process, an existing output stays as
    it was, and what has been encoded in closed groups stays in a hidden folder beside it: the same call with
    ``resume`` goes on behind them, and writes frame for frame what it would have written undisturbed.

    Args:
        clip: What to export and where to; `output` must be set. An existing output is replaced when all is written
            and verified.
        corrector: The network, when one is loaded already; else the bundled weights on ``device``.
        device: Where to load the network.
        resume: Go on with an interrupted export of the same clip, settings and output, if there is one.
        disk: Where analyses and the light are kept and taken from; the file is the same to the last bit without.

    Yields:
        Progress about ten times a second, and once at the end with the stage ``done``.

    Raises:
        VideoVerifyError: The written file is not what was meant; it is kept beside, under another name.
        VecnetError: The clip, the range, the device, the disk or the output does not allow the export.
    """
    output = clip.output
    if output is None:
        raise InputError("no output file is chosen", path=clip.path)
    with open_reader(clip.path, clip.decode) as reader:
        check_output(output, clip.path)
        start, stop = frame_range(reader, clip)
        total = stop - start
        is_neutral = clip.settings.is_neutral
        if not is_neutral:
            corrector = corrector or load_corrector(device=device)
        with VideoWriter(
            output,
            reader.info,
            clip.encode,
            copy_from=None if reader.info.files else clip.path,
            video_stream=clip.decode.stream,
            hdr=reader.info.hdr if is_neutral or reader.info.hdr is None else reader.info.hdr.relit(),
            start_seconds=clip.start_seconds,
            stop_seconds=clip.stop_seconds,
            total=total,
            job=_job(clip, corrector),
            resume=resume,
        ) as writer:
            kept = writer.kept_frames
            progress = ExportProgress("light", 0, total, None, output, "", kept)
            samples = SampleFrames(total, writer.folder, kept)
            found = _kept_findings(writer.folder) if kept else Findings()
            reader.recall(found)
            try:
                _check_space(writer, kept, total)
                if is_neutral or corrector is None:
                    # The decoded planes pass untouched: neither the network nor the light is needed.
                    _decode_again(reader, start, start + kept, found)
                    frames = (frame for frame in reader.frames(start + kept, stop))
                else:
                    progress = replace(progress, device=corrector.device_label)
                    known = None if disk is None else ClipCache(disk, reader)
                    light = _kept_light(writer.folder, reader.info.frame_count)
                    if light is None:
                        light = yield from _measure(reader, start, stop, progress, known)
                        _keep_light(writer.folder, light)
                    # The network looks a few frames back.
                    _decode_again(reader, start, start + kept - CACHED_FRAMES, found)
                    renderer = ClipRenderer(reader, corrector, light, kept=known)
                    frames = renderer.corrected_frames(clip.settings, start, stop, skip=kept)
                written = yield from _encode(frames, reader, writer, samples, replace(progress, stage="export"))
                if written < total:
                    lost = start + written
                    raise _cut_short(clip.path, lost, reader.info.frame_count, reader.seconds_of(lost))
                yield from _count(writer.join(), replace(progress, stage="join"))
                intended = _intended(clip, reader, writer, start, stop, samples)
                verifier = FileVerifier(writer.complete(), intended)
                yield from _count(verifier, replace(progress, stage="verify", total=verifier.steps))
                verification = verifier.verification
                failed = verification.failed
                if failed is not None:
                    aside = writer.set_aside()
                    raise VideoVerifyError(
                        f"the written file failed its check: {failed.words}; it is kept as {aside.name}",
                        path=output,
                        hint="look at it, and export again; if that fails too, choose another codec or another disk",
                    )
            except OSError as error:
                raise writer.failure(error) from error
            writer.finish()
        warnings = (*reader.warnings, *writer.warnings)
        yield replace(
            progress,
            stage="done",
            done=total,
            total=total,
            seconds_left=0.0,
            warnings=warnings,
            checks=verification.checks,
        )


def _job(clip: Clip, corrector: Corrector | None) -> dict[str, Any]:
    """What the corrected frames depend on, for the manifest of an export."""
    model = None if clip.settings.is_neutral or corrector is None else corrector.model_hash
    return {"settings": clip.settings.to_dict(), "reading": clip.decode.to_dict(), "model": model}


def _check_space(writer: VideoWriter, done: int, total: int) -> None:
    """Refuse an export that will not fit on the disk, from what has been encoded so far, else from usual sizes.

    Raises:
        VideoWriteError: It will not fit; the sentence says by how much.
    """
    whole = writer.expected_bytes(total)
    there = writer.encoded_bytes
    free = shutil.disk_usage(writer.folder).free
    needed = round(SPACE_SHARE * whole) - there + SPARE_BYTES
    if needed > free:
        kept = f"; {done} frames are done and kept" if done else ""
        raise VideoWriteError(
            f"the disk has {_size(free)} free, and the export needs about {_size(needed)}{kept}",
            path=writer.path,
            hint="make space, or write to another disk",
        )


def _size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _kept_light(folder: Path, frame_count: int) -> ClipLight | None:
    """The clip's light as an interrupted export has measured it."""
    try:
        measured = unpack_light((folder / _LIGHT).read_bytes(), frame_count)
    except OSError:
        return None
    return None if measured is None else measured.light


def _keep_light(folder: Path, light: ClipLight) -> None:
    """For an export that goes on after this one; measuring takes a pass over the whole clip."""
    write_whole(folder / _LIGHT, pack_light(MeasuredLight(light, {})))


def _kept_findings(folder: Path) -> Findings:
    """What an interrupted export has found to be said about the source."""
    try:
        return Findings.from_json((folder / _FINDINGS).read_bytes()) or Findings()
    except OSError:
        return Findings()


def _decode_again(reader: FrameReader, start: int, stop: int, found: Findings) -> None:
    """Bring a decoder that has met damage to where it was: what it shows for damaged frames depends on earlier ones."""
    if found.is_damaged:
        for _ in reader.frames(start, stop):
            pass


def frame_range(reader: FrameReader, clip: Clip) -> tuple[int, int]:
    """The frames of a project's range: from the one shown at its start to the last that begins before its end.

    Raises:
        InputError: The range begins after the clip's end.
        VideoReadError: The clip is cut short and its end was not asked for by time.
    """
    info = reader.info
    if clip.start_seconds >= info.duration_seconds:
        raise InputError(
            f"the range begins at {clip.start_seconds:g} s, after the clip's end",
            path=clip.path,
            hint=f"give a start below {info.duration_seconds:.2f} s",
        )
    if info.missing_frames and clip.stop_seconds is None:
        raise _cut_short(clip.path, info.frame_count, info.frame_count + info.missing_frames, info.duration_seconds)
    start = reader.index_at(clip.start_seconds)
    if clip.stop_seconds is None or clip.stop_seconds >= info.duration_seconds:
        return start, info.frame_count
    last = reader.index_at(clip.stop_seconds)
    begins_at_stop = reader.seconds_of(last) >= clip.stop_seconds - 1e-6
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
    reader: FrameReader, start: int, stop: int, progress: ExportProgress, kept: ClipCache | None
) -> Generator[ExportProgress, None, ClipLight]:
    """The light of the whole clip, so that a part is corrected exactly as it was previewed."""
    count = reader.info.frame_count
    try:
        return (yield from _scan(LightScan(reader, kept=kept), count, stop - start, progress))
    except VideoReadError as error:
        if error.frame is None or start <= error.frame < stop:
            raise
        # The damage lies outside the range that is asked for: the light of the range itself has to do.
        return (yield from _scan(LightScan(reader, start, stop), stop - start, stop - start, progress))


def _scan(
    scan: LightScan, total: int, to_export: int, progress: ExportProgress
) -> Generator[ExportProgress, None, ClipLight]:
    """Run a scan, telling how far it is."""
    pace = _Pace(total)
    progress = replace(progress, total=total)
    yield progress
    for done, _ in enumerate(scan, start=1):
        if pace.is_due(done):
            left = pace.seconds_left(done)
            later = pace.seconds_per_frame * (to_export - progress.kept) * (1 - LIGHT_SHARE) / LIGHT_SHARE
            yield replace(progress, done=done, seconds_left=None if left is None else left + later)
    return scan.light


def _encode(
    frames: Generator[Frame],
    reader: FrameReader,
    writer: VideoWriter,
    samples: SampleFrames,
    progress: ExportProgress,
) -> Generator[ExportProgress, None, int]:
    """Correct in this thread, encode in another, tell how far it is, and return how many frames are there."""
    total, done = progress.total, progress.kept
    pace = _Pace(total, done)
    yield replace(progress, done=done)
    groups, found = writer.closed_groups, Findings()
    # Frames are decoded ahead in a thread, which has to end before the reader is closed.
    with closing(frames), _EncoderThread(writer, samples) as encoder:
        for done, frame in enumerate(frames, start=progress.kept + 1):
            # Before the frame can be in a closed group, so that what is kept is never without it.
            if reader.findings != found:
                found = reader.findings
                write_whole(writer.folder / _FINDINGS, found.to_json())
            encoder.put(frame)
            if writer.closed_groups != groups:
                groups = writer.closed_groups
                _check_space(writer, writer.closed_frames, total)
            if pace.is_due(done):
                yield replace(progress, done=done, seconds_left=pace.seconds_left(done))
        encoder.drain()
    return done


def _intended(
    clip: Clip, reader: FrameReader, writer: VideoWriter, start: int, stop: int, samples: SampleFrames
) -> IntendedFile:
    """What the file is meant to be, from the source and from what the encoder was given."""
    info, plan, pts = reader.info, writer.plan, reader.pts(start, stop)
    end = reader.seconds_of(stop) if stop < info.frame_count else info.duration_seconds
    duration = end - reader.seconds_of(start)
    if writer.names is not None:
        # Pictures have neither times nor a rotation of their own.
        base = 1 / info.frame_rate
        info = replace(info, time_base=base, start_pts=0, is_variable_rate=False, rotation_degrees=0)
        pts, duration = np.arange(len(pts), dtype=np.int64), float(len(pts) * base)
    return IntendedFile(
        source=info,
        pts=pts,
        duration_seconds=duration,
        pixel_aspect=writer.pixel_aspect,
        layout=plan.layout,
        color=plan.color,
        is_lossless=plan.encoder.is_lossless,
        coarseness=plan.encoder.coarseness(clip.encode),
        are_pictures=writer.names is not None,
        has_alpha=plan.has_alpha,
        has_hdr_metadata=plan.hdr is not None and plan.encoder.keeps_hdr_metadata,
        copied=writer.copied,
        chapters=writer.chapters,
        timecode=writer.timecode,
        samples=samples.frames(plan.layout, plan.color),
    )


def _count(steps: Iterable[int], progress: ExportProgress) -> Generator[ExportProgress]:
    """Run what counts its steps, telling how far it is; of few, which take long, every one."""
    pace = _Pace(progress.total)
    yield progress
    for done in steps:
        if pace.is_due(done) or progress.total <= _FEW_STEPS:
            left = pace.seconds_per_frame * (progress.total - done)
            yield replace(progress, done=done, seconds_left=left)


class _Pace:
    """How fast frames pass, and whether it is time to tell."""

    def __init__(self, total: int, done: int = 0) -> None:
        self._total = total
        self._begun = self._told = done
        self._told_at = time.monotonic()
        self.seconds_per_frame = 0.0

    def is_due(self, done: int) -> bool:
        """True about ten times a second, and for the last frame."""
        now = time.monotonic()
        span, passed = now - self._told_at, done - self._told
        if span < _PROGRESS_SECONDS and done < self._total:
            return False
        pace = span / max(1, passed)
        # A process that was paused, or a machine that slept, has not become slow.
        if self.seconds_per_frame and pace > _PAUSE_PACES * self.seconds_per_frame and span > _PAUSE_SECONDS:
            pace = self.seconds_per_frame
        # The mean of all frames at first, of the latest few hundred later on: scenes differ.
        weight = passed / min(done - self._begun, _PACE_FRAMES) if done > self._begun else 1.0
        self.seconds_per_frame += min(1.0, weight) * (pace - self.seconds_per_frame)
        self._told, self._told_at = done, now
        return True

    def seconds_left(self, done: int) -> float | None:
        """Estimate; None until there is something to go by."""
        if done - self._begun < min(8, self._total - self._begun):
            return None
        return self.seconds_per_frame * (self._total - done)


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
