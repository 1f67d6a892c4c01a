"""The preview thread: it alone decodes for the screen and owns torch; a frame asked for goes before any other."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.map_pictures import MapKind, draw_map
from app.preview_worker.at_hand import ClipAtHand, nearest
from app.preview_worker.pictures import corrected_of, original_of
from app.preview_worker.ready import halved, is_plain, is_playable, ready_of, result_of
from app.preview_worker.times import ClipTimes
from app.preview_worker.values import (
    CorrectedLight,
    OpenRequest,
    PreviewRequest,
    PreviewResult,
    SoundWave,
    SourceLight,
)
from app.qimage import turned
from vecnet_core.errors import VecnetError

if TYPE_CHECKING:
    from app.session import OpenSession, Size
    from vecnet_core.frame import Region
    from vecnet_core.settings import CorrectionSettings

log = logging.getLogger(__name__)

HOLD_SECONDS = 0.12
"""Background work rests this long after a request, so that the next one of a drag finds the thread free."""
HOLD_PLAYING_SECONDS = 0.4
EMIT_SECONDS = 0.05
FLICKER_SECONDS = 0.5
READY_SECONDS = 0.25
MOST_FAILURES = 5
"""After this many background steps in a row that failed, the background is given up: the next would fail as well."""


@dataclass
class _Inbox:
    """What the main thread asks for; read and written under the condition only."""

    to_open: OpenRequest | None = None
    is_closing: bool = False
    device: str | None = None
    foreground: PreviewRequest | None = None
    is_paused: bool = False
    is_stopping: bool = False


class PreviewWorker(QObject):
    """Serves one clip on its own thread: first a clip to open, then the frame asked for, then one step in background.

    The methods are for the main thread; each leaves a note and returns at once.

    Signals:
        clip_opened: The `OpenRequest`, `VideoInfo`, warnings.
        clip_warned: Clip number, and all that is known to be damaged about it, as sentences.
        clip_refused: Clip number; an `error_raised` tells why.
        frame_rendered: A `PreviewResult`; first without, then with the correction if the network has yet to run.
        frame_failed: A `PreviewRequest` that will not be answered with a corrected frame.
        thumbnails_rendered: Clip number, and a dict of `MapKind` to BGRA bytes.
        source_measured: A `SourceLight`.
        sound_decoded: A `SoundWave`.
        clip_timed: A `ClipTimes`, right after the clip was opened.
        frames_ready: Clip number, and which frames ``(T,)`` are ready to be played.
        corrected_measured: A `CorrectedLight`.
        flicker_measured: A `FlickerCurves`.
        device_chosen: What to call the device in use.
        denoising_suggested: Clip number; it is dark and noisy, and the device is fast.
        activity_changed: What is being done, for the status bar; empty when idle.
        error_raised: A sentence, and details for a report.
    """

    clip_opened = Signal(object, object, object)
    clip_warned = Signal(int, object)
    clip_refused = Signal(int)
    frame_rendered = Signal(object)
    frame_failed = Signal(object)
    thumbnails_rendered = Signal(int, object)
    source_measured = Signal(object)
    sound_decoded = Signal(object)
    clip_timed = Signal(object)
    frames_ready = Signal(int, object)
    corrected_measured = Signal(object)
    flicker_measured = Signal(object)
    device_chosen = Signal(str)
    denoising_suggested = Signal(int)
    activity_changed = Signal(str)
    error_raised = Signal(str, str)

    def __init__(self, open_session: OpenSession, device: str) -> None:
        """Take the opener of clips; the thread starts with `start`."""
        super().__init__()
        self._open_session = open_session
        self._device = device
        self._inbox = _Inbox()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="vecnet-preview", daemon=True)
        self._clip: ClipAtHand | None = None
        self._held_until = 0.0
        self._emitted_at = 0.0
        self._sound_at = 0.0
        self._flicker_at = 0.0
        self._ready_at = 0.0
        self._activity = ""

    # For the main thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 20.0) -> None:
        """End the thread after the step it is in; a step is one frame."""
        with self._changed:
            self._inbox.is_stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def open(self, request: OpenRequest) -> None:
        """Open a clip in place of the one at hand; if it cannot be opened, the one at hand stays."""
        with self._changed:
            self._inbox.to_open = request
            self._inbox.foreground = None
            self._changed.notify()

    def close_clip(self) -> None:
        """Let the clip at hand go, and one that was to be opened."""
        with self._changed:
            self._inbox.is_closing = True
            self._inbox.to_open = self._inbox.foreground = None
            self._changed.notify()

    def request(self, request: PreviewRequest) -> None:
        """Ask for a frame; one not yet begun is forgotten."""
        with self._changed:
            self._inbox.foreground = request
            self._changed.notify()

    def use_device(self, device: str) -> None:
        """Move the network to another device."""
        with self._changed:
            self._inbox.device = device
            self._changed.notify()

    def pause_background(self, is_paused: bool) -> None:
        """Let the background rest, so that an export has the machine."""
        with self._changed:
            self._inbox.is_paused = is_paused
            self._changed.notify()

    # The thread ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:
            if self._clip is not None:
                self._clip.session.close()

    def _step(self) -> bool:
        """Do one thing; False when the thread shall end."""
        with self._changed:
            inbox = self._inbox
            while not (inbox.is_stopping or inbox.is_closing or inbox.to_open or inbox.device or inbox.foreground):
                if inbox.is_paused or not self._has_background_work():
                    self._show_activity("Analysis rests while exporting" if inbox.is_paused and self._clip else "")
                    self._changed.wait()
                    continue
                wait = self._held_until - time.monotonic()
                if wait <= 0:
                    break
                self._changed.wait(wait)
            is_closing, inbox.is_closing = inbox.is_closing, False
            to_open, device, request = inbox.to_open, None, None
            if to_open is not None:
                inbox.to_open = None
            elif inbox.device is not None:
                device, inbox.device = inbox.device, None
            else:
                request, inbox.foreground = inbox.foreground, None
            if inbox.is_stopping:
                return False
        if is_closing and self._clip is not None:
            self._clip.session.close()
            self._clip = None
        try:
            if to_open is not None:
                self._open(to_open)
            elif device is not None:
                self._change_device(device)
            elif request is not None:
                self._serve(request)
            else:
                self._work_in_background()
                self._count_failure(failed=False)
        except Exception as error:  # noqa: BLE001 - the edge of the thread: it must outlive any one frame
            is_foreground = bool(to_open or device or request)
            if request is not None:
                self.frame_failed.emit(request)
            if is_foreground or self._count_failure(failed=True):
                self._tell(error)
        return True

    def _count_failure(self, *, failed: bool) -> bool:
        """Count background steps that failed in a row; True when this one is worth telling."""
        if self._clip is None:
            return True
        self._clip.failures = self._clip.failures + 1 if failed else 0
        return self._clip.failures == 1

    def _tell(self, error: Exception) -> None:
        if isinstance(error, VecnetError):
            log.warning("%s", error.sentence, exc_info=error)
            sentence = error.sentence
        else:
            log.error("the preview thread failed in one step", exc_info=error)
            sentence = f"Something went wrong in the preview ({type(error).__name__}: {error})."
        self.error_raised.emit(sentence, "".join(traceback.format_exception(error)))

    def _open(self, request: OpenRequest) -> None:
        self._show_activity(f"Opening {request.path.name}")
        try:
            session = self._open_session(request.path, request.decode)
        except BaseException:
            self._show_activity("")
            self.clip_refused.emit(request.clip)
            raise
        if self._clip is not None:
            self._clip.session.close()
        self._clip = ClipAtHand(request.clip, session)
        self._clip.warnings = session.warnings
        self.clip_opened.emit(request, session.info, session.warnings)
        rate, timecode = session.info.frame_rate, session.timecode
        self.clip_timed.emit(ClipTimes(request.clip, session.frame_seconds(), rate, timecode))

    def _change_device(self, device: str) -> None:
        if device == self._device:
            return
        self._device = device
        clip = self._clip
        if clip is None:
            return
        clip.network_failed, clip.failures = False, 0
        self._load_network(clip)
        if clip.last is not None:
            self._serve(clip.last)

    def _load_network(self, clip: ClipAtHand) -> None:
        self._show_activity("Loading the network")
        try:
            label = clip.session.load_network(self._device)
        except BaseException:
            clip.network_failed = True
            raise
        finally:
            self._show_activity("")
        clip.analysed[:] = False
        clip.ready.clear()
        clip.cannot_be_ready[:] = False
        self.device_chosen.emit(label)
        if clip.session.wants_denoising():
            self.denoising_suggested.emit(clip.number)

    def _has_newer(self) -> bool:
        with self._changed:
            inbox = self._inbox
            return bool(inbox.foreground or inbox.to_open or inbox.is_stopping)

    def _serve(self, request: PreviewRequest) -> None:
        """Make the frame asked for: at once as it is, then corrected."""
        clip = self._clip
        if clip is None or clip.number != request.clip:
            return
        self._held_until = time.monotonic() + (HOLD_PLAYING_SECONDS if request.is_playing else HOLD_SECONDS)
        previous, clip.last = clip.last, request
        if previous is not None and previous.settings.light != request.settings.light:
            clip.stale[:] = clip.analysed
        if previous is None or (previous.settings, previous.size) != (request.settings, request.size):
            clip.ready_is_told = False
        if request.region != clip.region:
            self._use_region(clip, request.region)
        session = clip.session
        is_ready = session.has_network and session.is_analysed(request.index)
        # The clock wants whole pairs: while it runs, a frame that is not ready is shown when it is, not in halves.
        if not is_ready and not (request.is_playing and session.has_network):
            self.frame_rendered.emit(original_of(session, request))
            if self._has_newer():
                return
        if not session.has_network:
            if clip.network_failed:
                self.frame_failed.emit(request)
                return
            self._load_network(clip)
        if not session.is_analysed(request.index):
            session.analyse(request.index)
        self._mark_analysed(clip, request.index)
        if self._show_ready(clip, request) and self._has_newer():
            return
        self.frame_rendered.emit(self._made(clip, request))
        clip.thumbnails_for = None if request.thumbnail_size is None or request.is_playing else request
        if clip.thumbnails_for is not None and not self._has_newer():
            self._draw_thumbnails(clip)

    def _show_ready(self, clip: ClipAtHand, request: PreviewRequest) -> bool:
        """Show what is ready of a frame gone to by hand, until it is decoded again for its exact numbers.

        From a key frame 48 frames back that takes 100 ms at 1080p; the bytes on the screen are the same.
        """
        if request.is_playing or request.part is not None or not is_plain(request):
            return False
        picture = clip.ready.get(request, request.size)
        if picture is not None:
            self.frame_rendered.emit(result_of(request, picture))
        return picture is not None

    def _made(self, clip: ClipAtHand, request: PreviewRequest) -> PreviewResult:
        """A frame before and after; one that is played comes from memory where it is ready, and goes there if not."""
        if not is_playable(request):
            return corrected_of(clip.session, request)
        size = request.size
        picture = clip.ready.get(request, size)
        if picture is None and request.is_half:
            # At half resolution a closer look at a part is left out, too.
            size = halved(size, clip.session.info)
            picture = clip.ready.get(request, size)
        elif request.part is not None:
            return corrected_of(clip.session, request)
        if picture is not None:
            return result_of(request, picture)
        made = corrected_of(clip.session, replace(request, size=size, part=None))
        self._keep_ready(clip, request, made, size)
        return replace(made, request=request)

    def _keep_ready(self, clip: ClipAtHand, request: PreviewRequest, made: PreviewResult, size: Size | None) -> None:
        picture = ready_of(made)
        if picture is not None:
            clip.ready.put(request, size, picture)
            clip.ready_is_told = False

    def _make_ready(self, clip: ClipAtHand, request: PreviewRequest, index: int) -> None:
        """Compose a frame that playing will want."""
        # Marked first: a frame that cannot be composed must not be tried for ever.
        clip.cannot_be_ready[index] = True
        if not clip.session.is_analysed(index):  # its answer has been pushed out of the cache
            clip.analysed[index] = clip.cannot_be_ready[index] = False
            return
        self._show_activity("Getting frames ready to play")
        wanted = PreviewRequest(request.clip, request.serial, index, request.settings, request.size, is_playing=True)
        self._keep_ready(clip, wanted, corrected_of(clip.session, wanted), request.size)
        clip.cannot_be_ready[index] = False

    def _next_to_make_ready(self, clip: ClipAtHand) -> int | None:
        if clip.last is None or clip.last.is_playing:
            return None
        return clip.ready.next_missing(clip.last, clip.analysed & ~clip.cannot_be_ready)

    def _tell_ready(self, clip: ClipAtHand) -> None:
        if clip.last is not None:
            clip.ready_is_told = True
            self._ready_at = time.monotonic()
            self.frames_ready.emit(clip.number, clip.ready.states(clip.last))

    def _draw_thumbnails(self, clip: ClipAtHand) -> None:
        request = clip.thumbnails_for
        clip.thumbnails_for = None
        if request is None:
            return
        maps = clip.session.maps(request.index, request.settings, request.thumbnail_size)
        degrees = clip.session.info.rotation_degrees
        pictures = {kind: turned(draw_map(maps, kind).bgra, degrees) for kind in MapKind}
        self.thumbnails_rendered.emit(clip.number, pictures)

    # Background ------------------------------------------------------------------------------------------------------

    def _has_background_work(self) -> bool:
        clip = self._clip
        # Before the first frame has been asked for, there is something better to wait for.
        if clip is None or clip.last is None or clip.failures >= MOST_FAILURES:
            return False
        if clip.scan is None or clip.samples is not None or clip.thumbnails_for is not None:
            return True
        if clip.sound is None or clip.sound_steps is not None:
            return True
        if not clip.session.has_network:
            return False
        if clip.measured or clip.stale.any() or clip.flicker_is_stale or not clip.analysed.all():
            return True
        return not clip.ready_is_told or self._next_to_make_ready(clip) is not None

    def _work_in_background(self) -> None:
        clip = self._clip
        if clip is None:
            return
        if clip.thumbnails_for is not None:
            self._draw_thumbnails(clip)
        elif clip.scan is None:
            clip.scan = clip.session.scan_light()
            clip.samples = iter(clip.scan)
        elif clip.samples is not None:
            self._scan_next(clip)
        elif clip.sound is None:
            clip.sound = clip.session.scan_sound()
            clip.sound_steps = iter(clip.sound)
        elif clip.sound_steps is not None:
            self._decode_sound(clip)
        else:
            self._correct_next(clip)

    def _scan_next(self, clip: ClipAtHand) -> None:
        self._show_activity("Measuring the light of the clip")
        samples = clip.samples
        if samples is None:
            return
        try:
            sample = next(samples, None)
        except BaseException:
            clip.samples = None
            if clip.batch:
                self._emit_source(clip)
            raise
        if sample is not None:
            clip.batch.append(sample)
        if clip.batch and (sample is None or time.monotonic() - self._emitted_at > EMIT_SECONDS):
            self._emit_source(clip)
        if sample is None:
            self._finish_scan(clip)

    def _decode_sound(self, clip: ClipAtHand) -> None:
        """Decode about a second of sound."""
        self._show_activity("Reading the sound of the clip")
        sound, steps = clip.sound, clip.sound_steps
        if sound is None or steps is None:
            return
        try:
            is_through = next(steps, None) is None
        except BaseException:
            clip.sound_steps = None
            raise
        if not is_through and time.monotonic() - self._sound_at < FLICKER_SECONDS:
            return
        self._sound_at = time.monotonic()
        loudness = sound.loudness
        if loudness is not None:
            self.sound_decoded.emit(
                SoundWave(
                    clip.number,
                    loudness.lows,
                    loudness.highs,
                    loudness.rms,
                    loudness.bucket_seconds,
                    clip.session.frame_seconds(),
                )
            )
        if is_through:
            clip.sound_steps = None
            self._tell_damage(clip)

    def _tell_damage(self, clip: ClipAtHand) -> None:
        """Tell all that is known to be damaged, when it is more than before: a sentence grows with every frame read."""
        found = clip.session.warnings
        if clip.sound is not None and clip.sound_steps is None:
            found += clip.sound.warnings
        if found != clip.warnings:
            clip.warnings = found
            self.clip_warned.emit(clip.number, found)

    def _finish_scan(self, clip: ClipAtHand) -> None:
        clip.samples = None
        if clip.scan is None:
            return
        light = clip.scan.light
        clip.cuts, clip.duplicates = list(light.cuts), list(light.duplicates)
        clip.session.use_light(clip.scan)
        self._tell_damage(clip)
        clip.flicker_is_stale = True
        self._measure_flicker(clip)
        # The network sees frames in their steadied light: what it answered before that was known must be asked again.
        for index in np.flatnonzero(clip.analysed):
            clip.analysed[index] = clip.session.is_analysed(int(index))
        clip.stale[:] = clip.analysed
        clip.ready.clear()
        # The gains that steady the clip are known only now: what is on screen was made without them.
        if clip.last is not None and clip.session.has_network and not self._has_newer():
            self._serve(clip.last)

    def _correct_next(self, clip: ClipAtHand) -> None:
        """Measure a frame whose settings changed, or else analyse the next frame, outwards from the playhead."""
        if clip.last is None:
            return
        settings = clip.last.settings
        stale = np.flatnonzero(clip.stale)
        missing = np.flatnonzero(~clip.analysed)
        if stale.size:
            index = nearest(stale, clip.last.index)
            clip.stale[index] = False
            if clip.session.is_analysed(index):
                if clip.region is not None:
                    self._show_activity("Measuring the region")
                self._measure(clip, index, settings)
            else:  # its answer has been pushed out of the cache
                clip.analysed[index] = False
        elif (wanted := self._next_to_make_ready(clip)) is not None:
            self._make_ready(clip, clip.last, wanted)
        elif missing.size:
            count = clip.analysed.size
            self._show_activity(f"Analysed {count - missing.size} of {count} frames")
            index = nearest(missing, clip.last.index)
            # Marked first: a frame that cannot be analysed must not be tried for ever.
            clip.analysed[index] = True
            clip.session.analyse(index)
            self._measure(clip, index, settings)
        is_through = not clip.stale.any() and bool(clip.analysed.all())
        if clip.measured and (is_through or time.monotonic() - self._emitted_at > EMIT_SECONDS):
            self._emit_corrected(clip)
        if clip.flicker_is_stale and (is_through or time.monotonic() - self._flicker_at > FLICKER_SECONDS):
            self._measure_flicker(clip)
        if not clip.ready_is_told and (is_through or time.monotonic() - self._ready_at > READY_SECONDS):
            self._tell_ready(clip)

    def _measure(self, clip: ClipAtHand, index: int, settings: CorrectionSettings) -> None:
        # A frame that cannot be measured is not one to get ready, either.
        clip.cannot_be_ready[index] = True
        if clip.region is None:
            clip.corrected_ev[index] = clip.session.corrected_exposure(index, settings)
        else:
            before, after = clip.session.region_exposures(index, settings, clip.region)
            clip.region_ev[index], clip.corrected_ev[index] = before, after
        clip.cannot_be_ready[index] = False
        clip.measured.append(index)
        clip.flicker_is_stale = True

    def _use_region(self, clip: ClipAtHand, region: Region | None) -> None:
        """Measure in another part of the frames: nothing of it is known yet, but for the light of whole frames."""
        clip.region = region
        clip.region_ev[:] = clip.corrected_ev[:] = np.nan
        clip.measured.clear()
        clip.stale[:] = clip.analysed
        clip.flicker_is_stale = True
        everything = np.arange(clip.analysed.size)
        self.source_measured.emit(SourceLight(clip.number, everything, clip.before_ev.copy(), ()))
        self.corrected_measured.emit(
            CorrectedLight(clip.number, everything, clip.corrected_ev.copy(), clip.analysed.copy())
        )

    def _mark_analysed(self, clip: ClipAtHand, index: int) -> None:
        if not clip.analysed[index]:
            clip.analysed[index] = clip.stale[index] = True

    def _emit_source(self, clip: ClipAtHand) -> None:
        indices = np.array([sample.index for sample in clip.batch], np.int64)
        exposures = np.array([sample.exposure_ev for sample in clip.batch])
        clip.source_ev[indices] = exposures
        cuts = tuple(sample.index for sample in clip.batch if sample.is_cut)
        degrees = clip.session.info.rotation_degrees
        thumbnails = {
            sample.index: turned(sample.thumbnail, degrees) for sample in clip.batch if sample.thumbnail is not None
        }
        clip.batch = []
        self._emitted_at = time.monotonic()
        self.source_measured.emit(SourceLight(clip.number, indices, clip.before_ev[indices], cuts, thumbnails))

    def _emit_corrected(self, clip: ClipAtHand) -> None:
        indices = np.array(clip.measured, np.int64)
        clip.measured = []
        self._emitted_at = time.monotonic()
        self._tell_damage(clip)
        exposures = clip.corrected_ev[indices]
        if clip.region is not None:
            self.source_measured.emit(SourceLight(clip.number, indices, clip.region_ev[indices], ()))
        self.corrected_measured.emit(CorrectedLight(clip.number, indices, exposures, clip.analysed.copy()))

    def _measure_flicker(self, clip: ClipAtHand) -> None:
        clip.flicker_is_stale = False
        self._flicker_at = time.monotonic()
        self.flicker_measured.emit(clip.flicker())

    def _show_activity(self, text: str) -> None:
        if text != self._activity:
            self._activity = text
            self.activity_changed.emit(text)
