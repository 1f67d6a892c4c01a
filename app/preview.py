"""The preview as the window sees it: ask for frames, latest wins; answers that no longer matter are dropped here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.map_pictures import MapKind
from app.preview_worker import (
    ClipTimes,
    CorrectedLight,
    FlickerCurves,
    OpenRequest,
    Pixel,
    PreviewRequest,
    PreviewResult,
    PreviewWorker,
    SoundWave,
    SourceLight,
)
from vecnet_core.metrics.scales import Overlay, Scope
from vecnet_core.video.decode import AS_IT_IS

if TYPE_CHECKING:
    from pathlib import Path

    from app.document import Document
    from app.session import OpenSession, Size
    from vecnet_core.frame import Part, Region, VideoInfo
    from vecnet_core.video.decode import DecodeSettings


class Preview(QObject):
    """Turns the state of the document and the view into requests, and hands on the answers that still matter.

    Signals:
        clip_opened: The `OpenRequest`, `VideoInfo`, and warnings about the file as sentences.
        clip_warned: All that is known to be damaged about the clip at hand, as sentences; what was told before is void.
        clip_refused: The `OpenRequest` that cannot be answered; the clip before it stays.
        frame_shown: A `PreviewResult` for the clip at hand.
        frame_failed: This frame, asked for last, cannot be corrected; an `error_raised` told why.
        thumbnails_shown: A dict of `MapKind` to BGRA bytes.
        source_measured: A `SourceLight`.
        sound_decoded: A `SoundWave`.
        clip_timed: A `ClipTimes`, right after `clip_opened`.
        frames_ready: Which frames ``(T,)`` are ready to be played.
        corrected_measured: A `CorrectedLight`.
        flicker_measured: A `FlickerCurves`.
        device_chosen: What to call the device in use.
        denoising_suggested: The clip at hand is dark and noisy, and the device is fast.
        activity_changed: What is being done, for the status bar.
        error_raised: A sentence, and details for a report.
    """

    clip_opened = Signal(object, object, object)
    clip_warned = Signal(object)
    clip_refused = Signal(object)
    frame_shown = Signal(object)
    frame_failed = Signal(int)
    thumbnails_shown = Signal(object)
    source_measured = Signal(object)
    sound_decoded = Signal(object)
    clip_timed = Signal(object)
    frames_ready = Signal(object)
    corrected_measured = Signal(object)
    flicker_measured = Signal(object)
    device_chosen = Signal(str)
    denoising_suggested = Signal()
    activity_changed = Signal(str)
    error_raised = Signal(str, str)

    def __init__(
        self, document: Document, open_session: OpenSession, device: str = "auto", parent: QObject | None = None
    ) -> None:
        """Start the thread; it sleeps, and loads nothing, until a clip is opened."""
        super().__init__(parent)
        self._document = document
        self._asked: OpenRequest | None = None
        self._opened: OpenRequest | None = None
        self._numbers = self._void = 0
        self._clip = 0
        self._serial = 0
        self._shown_serial = 0
        self._size: Size | None = (360, 640)
        self._map_kind = MapKind.RESULT
        self._thumbnail_size: Size | None = None
        self._is_playing = False
        self._is_half = False
        self._scopes: tuple[Scope, ...] = ()
        self._overlay = Overlay.NONE
        self._difference_gain = 4.0
        self._part: Part | None = None
        self._pins: tuple[Pixel, ...] = ()
        self._region: Region | None = None
        self._worker = PreviewWorker(open_session, device)
        self._worker.clip_opened.connect(self._take_clip)
        self._worker.clip_warned.connect(self._take_warnings)
        self._worker.clip_refused.connect(self._take_refusal)
        self._worker.frame_rendered.connect(self._take_frame)
        self._worker.frame_failed.connect(self._take_failure)
        self._worker.thumbnails_rendered.connect(self._take_thumbnails)
        self._worker.source_measured.connect(self._take_source)
        self._worker.sound_decoded.connect(self._take_sound)
        self._worker.clip_timed.connect(self._take_times)
        self._worker.frames_ready.connect(self._take_ready)
        self._worker.corrected_measured.connect(self._take_corrected)
        self._worker.flicker_measured.connect(self._take_flicker)
        self._worker.device_chosen.connect(self.device_chosen)
        self._worker.denoising_suggested.connect(self._take_suggestion)
        self._worker.activity_changed.connect(self.activity_changed)
        self._worker.error_raised.connect(self.error_raised)
        document.settings_changed.connect(self.ask)
        document.playhead_changed.connect(self.ask)
        document.decode_changed.connect(self._read_again)
        self._worker.start()

    @property
    def map_kind(self) -> MapKind:
        """What the right-hand pane is asked to show."""
        return self._map_kind

    @property
    def is_waiting(self) -> bool:
        """True while the newest request has not been answered."""
        return self._shown_serial < self._serial

    def open_clip(self, path: Path, decode: DecodeSettings = AS_IT_IS, number: int | None = None) -> None:
        """Open another clip, that of a number in the project or a new one; `clip_opened` or `clip_refused` answers."""
        self._open(path, decode, number, is_again=False)

    def close_clip(self) -> None:
        """Let the clip at hand go; what is still answered about it is dropped."""
        self._clip = 0
        self._asked = self._opened = None
        self._void = self._numbers
        self._shown_serial = self._serial
        self._worker.close_clip()

    def set_size(self, size: Size | None, part: Part | None = None) -> None:
        """Make pictures of this size from now on, None for full size; and of a ``part`` also a full-size one."""
        if (size, part) != (self._size, self._part):
            self._size, self._part = size, part
            self.ask()

    def set_pins(self, pins: tuple[Pixel, ...]) -> None:
        """Measure these pixels of each frame that is shown."""
        if pins != self._pins:
            self._pins = pins
            self.ask()

    def set_region(self, region: Region | None) -> None:
        """Measure the light of this region of the frames from now on; None for all of them."""
        if region != self._region:
            self._region = region
            self.ask()

    def set_difference_gain(self, gain: float) -> None:
        """Exaggerate differences by this."""
        if gain != self._difference_gain:
            self._difference_gain = gain
            self.ask()

    def set_map_kind(self, kind: MapKind) -> None:
        """Show another map in the right-hand pane."""
        if kind is not self._map_kind:
            self._map_kind = kind
            self.ask()

    def set_thumbnail_size(self, size: Size | None) -> None:
        """Draw the pictures of the maps panel at this size; None while it is out of sight."""
        if size != self._thumbnail_size:
            self._thumbnail_size = size
            self.ask()

    def set_scopes(self, scopes: tuple[Scope, ...]) -> None:
        """Measure these scopes, which are in sight."""
        if scopes != self._scopes:
            self._scopes = scopes
            self.ask()

    def set_overlay(self, overlay: Overlay) -> None:
        """Lay something over the pictures."""
        if overlay is not self._overlay:
            self._overlay = overlay
            self.ask()

    @property
    def overlay(self) -> Overlay:
        """What lies over the pictures."""
        return self._overlay

    def set_playing(self, is_playing: bool) -> None:
        """Tell whether the clock asks for frames."""
        if is_playing != self._is_playing:
            self._is_playing = is_playing
            self.ask()

    def set_half(self, is_half: bool) -> None:
        """Make pictures that are played at half their size from the next one on; those that are ready stay whole."""
        self._is_half = is_half

    def use_device(self, device: str) -> None:
        """Move the network to another device."""
        self._worker.use_device(device)

    def pause_background(self, is_paused: bool) -> None:
        """Let the background rest while an export runs."""
        self._worker.pause_background(is_paused)

    def ask(self) -> None:
        """Ask for the frame under the playhead as things are now."""
        if self._clip == 0:
            return
        self._serial += 1
        self._worker.request(
            PreviewRequest(
                clip=self._clip,
                serial=self._serial,
                index=self._document.playhead,
                settings=self._document.settings,
                size=self._size,
                map_kind=self._map_kind,
                thumbnail_size=self._thumbnail_size,
                is_playing=self._is_playing,
                is_half=self._is_half and self._is_playing,
                scopes=self._scopes,
                overlay=self._overlay,
                difference_gain=self._difference_gain,
                part=self._part,
                pins=self._pins,
                region=self._region,
            )
        )

    def close(self) -> None:
        """End the thread; call before the window goes."""
        self._worker.stop()

    def _open(self, path: Path, decode: DecodeSettings, number: int | None, *, is_again: bool) -> None:
        self._numbers += 1
        self._asked = OpenRequest(self._numbers, path, decode, is_again, number)
        self._worker.open(self._asked)

    def _read_again(self) -> None:
        """Read the clip at hand as the document wants it to be read."""
        asked, opened = self._asked, self._opened
        if asked is None or opened is None or asked.decode == self._document.decode:
            return
        # While another clip is being opened, the one at hand is on its way out.
        if asked is opened or asked.is_again:
            self._open(opened.path, self._document.decode, opened.number, is_again=True)

    def _take_clip(self, request: OpenRequest, info: VideoInfo, warnings: tuple[str, ...]) -> None:
        if request.clip <= self._void:
            # Let go while it was being opened.
            return
        self._clip = request.clip
        self._opened = request
        self.clip_opened.emit(request, info, warnings)

    def _take_warnings(self, clip: int, warnings: tuple[str, ...]) -> None:
        if clip == self._clip:
            self.clip_warned.emit(warnings)

    def _take_refusal(self, clip: int) -> None:
        refused = self._asked
        if refused is not None and clip == refused.clip:
            self._asked = self._opened
            # The attempt took the place of what was asked of the clip that stays.
            self.ask()
            self.clip_refused.emit(refused)

    def _take_frame(self, result: PreviewResult) -> None:
        request = result.request
        if request.clip != self._clip or request.serial < self._shown_serial:
            return
        if result.corrected is not None:
            self._shown_serial = request.serial
        self.frame_shown.emit(result)

    def _take_failure(self, request: PreviewRequest) -> None:
        if request.clip == self._clip and request.serial >= self._shown_serial:
            self._shown_serial = request.serial
            self.frame_failed.emit(request.index)

    def _take_suggestion(self, clip: int) -> None:
        if clip == self._clip:
            self.denoising_suggested.emit()

    def _take_thumbnails(self, clip: int, pictures: object) -> None:
        if clip == self._clip:
            self.thumbnails_shown.emit(pictures)

    def _take_source(self, light: SourceLight) -> None:
        if light.clip == self._clip:
            self.source_measured.emit(light)

    def _take_times(self, times: ClipTimes) -> None:
        if times.clip == self._clip:
            self.clip_timed.emit(times)

    def _take_ready(self, clip: int, is_ready: object) -> None:
        if clip == self._clip:
            self.frames_ready.emit(is_ready)

    def _take_sound(self, wave: SoundWave) -> None:
        if wave.clip == self._clip:
            self.sound_decoded.emit(wave)

    def _take_corrected(self, light: CorrectedLight) -> None:
        if light.clip == self._clip:
            self.corrected_measured.emit(light)

    def _take_flicker(self, curves: FlickerCurves) -> None:
        if curves.clip == self._clip:
            self.flicker_measured.emit(curves)
