"""An open clip as the preview sees it: decoded frames, the network's answers, the light of the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from vecnet_core.cache import CacheBudget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from app.map_pictures import Maps
    from vecnet_core.clip_cache import ClipCache
    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.disk_cache import DiskCache
    from vecnet_core.frame import Part, Region, RGBArray, VideoInfo
    from vecnet_core.rendering import ClipRenderer
    from vecnet_core.settings import CorrectionSettings
    from vecnet_core.video.decode import DecodeSettings
    from vecnet_core.video.frame_reader import FrameReader
    from vecnet_core.video.loudness import Loudness

READY_SHARE = 0.4
"""Of the memory; the rest is for what frames are composed from."""

Size = tuple[int, int]
"""(height, width) in pixels, before display rotation."""


class Sample(Protocol):
    """The light of one source frame."""

    @property
    def index(self) -> int: ...
    @property
    def exposure_ev(self) -> float: ...
    @property
    def is_cut(self) -> bool: ...
    @property
    def is_duplicate(self) -> bool: ...
    @property
    def thumbnail(self) -> npt.NDArray[np.uint8] | None: ...


class Light(Protocol):
    """The light of the whole clip, and the gains that steady it."""

    @property
    def exposures_ev(self) -> npt.NDArray[np.floating]: ...
    @property
    def gains_ev(self) -> npt.NDArray[np.floating]: ...
    @property
    def cuts(self) -> tuple[int, ...]: ...
    @property
    def duplicates(self) -> tuple[int, ...]: ...


class LightScan(Protocol):
    """One pass over the source; ``light`` is there once it is through."""

    @property
    def light(self) -> Light: ...
    def __iter__(self) -> Iterator[Sample]: ...


class SoundScan(Protocol):
    """One pass over the sound; what has been decoded so far is there at any time."""

    @property
    def loudness(self) -> Loudness | None: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[float]: ...


class Picture(Protocol):
    """One frame before and after, R'G'B' float32 in [0, 1], as stored (not yet rotated)."""

    @property
    def original(self) -> RGBArray: ...
    @property
    def corrected(self) -> RGBArray: ...


class ClipSession(Protocol):
    """What the preview thread asks of a clip; nobody else touches it, because decoders know one thread only."""

    @property
    def info(self) -> VideoInfo: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def has_network(self) -> bool: ...
    def load_network(self, device: str) -> str: ...
    def wants_denoising(self) -> bool: ...
    def original(self, index: int, size: Size | None, part: Part | None = None) -> RGBArray: ...
    def scan_light(self) -> LightScan: ...
    def use_light(self, scan: LightScan) -> None: ...
    def scan_sound(self) -> SoundScan: ...
    def frame_seconds(self) -> npt.NDArray[np.float64]: ...
    @property
    def timecode(self) -> str: ...
    @property
    def ready_bytes(self) -> int: ...
    def is_analysed(self, index: int) -> bool: ...
    def analyse(self, index: int) -> None: ...
    def render(
        self, index: int, settings: CorrectionSettings, size: Size | None, part: Part | None = None
    ) -> Picture: ...
    def maps(self, index: int, settings: CorrectionSettings, size: Size | None, part: Part | None = None) -> Maps: ...
    def corrected_exposure(self, index: int, settings: CorrectionSettings) -> float: ...
    def region_exposures(self, index: int, settings: CorrectionSettings, region: Region) -> tuple[float, float]: ...
    def close(self) -> None: ...


class OpenSession(Protocol):
    """Opens a clip; raises `VideoOpenError` with one clear sentence."""

    def __call__(self, path: Path, decode: DecodeSettings) -> ClipSession: ...


class Studio:
    """Opens clips that share one network; the network is loaded when a clip first needs it, on the thread that asks."""

    def __init__(self, disk: DiskCache | None = None, memory_bytes: int = CacheBudget.memory_bytes) -> None:
        """Nothing is loaded yet; what is found out about clips is kept on ``disk``, and ``memory_bytes`` of it here."""
        self.disk = disk
        self.memory_bytes = memory_bytes
        self._corrector: Corrector | None = None
        self._device = ""

    def __call__(self, path: Path, decode: DecodeSettings) -> ClipSession:
        """Open a clip."""
        return VideoSession(path, decode, self)

    def use_budget(self, budget: CacheBudget) -> None:
        """Keep at most this in memory of the clips that are opened from now on; the disk's part is the cache's own."""
        self.memory_bytes = budget.memory_bytes

    def corrector(self, device: str) -> Corrector:
        """The network on ``device``; the same object until another device is asked for."""
        if self._corrector is None or device != self._device:
            from vecnet_core.correction.corrector import load_corrector

            self._corrector = load_corrector(device=device)
            self._device = device
        return self._corrector


class VideoSession:
    """A clip on disk, a video file or pictures, behind the `ClipSession` interface."""

    def __init__(self, path: Path, decode: DecodeSettings, studio: Studio) -> None:
        """Open the footage; the network comes later."""
        from vecnet_core.video.footage import open_reader

        self._studio = studio
        self._memory_bytes = studio.memory_bytes
        self._decode = decode
        self._reader: FrameReader = open_reader(path, decode)
        self._kept = self._known()
        self._scan_reader: FrameReader | None = None
        self._scan_warnings: tuple[str, ...] = ()
        self._scan: LightScan | None = None
        self._renderer: ClipRenderer | None = None

    @property
    def info(self) -> VideoInfo:
        """The facts of the file."""
        return self._reader.info

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is damaged about the file, as sentences; a pass over all of it may find more."""
        found = self._reader.warnings + self._scan_warnings
        return tuple(dict.fromkeys(found))

    @property
    def has_network(self) -> bool:
        """True once frames can be corrected."""
        return self._renderer is not None

    def load_network(self, device: str) -> str:
        """Get ready to correct on ``device``; returns what to call it."""
        from vecnet_core.rendering import ClipRenderer

        corrector = self._studio.corrector(device)
        memory_bytes = self._memory_bytes - self.ready_bytes
        self._renderer = ClipRenderer(self._reader, corrector, kept=self._kept, memory_bytes=memory_bytes)
        if self._scan is not None:
            self.use_light(self._scan)
        return corrector.device_label

    def wants_denoising(self) -> bool:
        """True for dark, noisy footage on a GPU, where removing noise costs next to nothing."""
        from vecnet_core.rendering import is_dark_and_noisy

        return self._ready().corrector.device.is_gpu and is_dark_and_noisy(self._reader)

    def original(self, index: int, size: Size | None, part: Part | None = None) -> RGBArray:
        """The source frame, or a part of it at full size."""
        from vecnet_core.video.color import reduce_to_rgb, to_rgb

        if part is not None and self._renderer is not None:
            return self._renderer.original(index, size, part)
        frame = self._reader.frame(index)
        if part is not None:
            return np.ascontiguousarray(to_rgb(frame)[part.slices])
        if size is None or size[0] >= frame.height or size[1] >= frame.width:
            return to_rgb(frame)
        return reduce_to_rgb(frame, *size)

    def scan_light(self) -> LightScan:
        """A new pass over the source, with a decoder of its own: one that also seeks for the preview would thrash."""
        from vecnet_core.rendering import LightScan as Scan
        from vecnet_core.video.footage import open_reader

        self._close_scan()
        self._scan_reader = open_reader(self.info.path, self._decode)
        return Scan(self._scan_reader, kept=self._kept)

    def use_light(self, scan: LightScan) -> None:
        """Steady by the light of a finished scan."""
        self._scan = scan
        self._close_scan()
        if self._renderer is not None:
            self._renderer.set_light(scan.light)  # pyright: ignore[reportArgumentType]

    def scan_sound(self) -> SoundScan:
        """A pass over the sound."""
        from vecnet_core.video.loudness import LoudnessScan

        return LoudnessScan(self.info)

    def frame_seconds(self) -> npt.NDArray[np.float64]:
        """When each frame begins, counted from the first, and when the last one ends, ``(T + 1,)``."""
        info = self.info
        starts = (self._reader.pts() - info.start_pts) * float(info.time_base)
        return np.append(starts, max(info.duration_seconds, float(starts[-1])))

    @property
    def timecode(self) -> str:
        """Of the first frame, as the file says it; empty when it says none, as pictures do not."""
        info = self.info
        if info.files:
            return ""
        from vecnet_core.video.metadata import find_timecode
        from vecnet_core.video.opening import open_container, video_streams

        with open_container(info.path) as container:
            return find_timecode(container, video_streams(container)[0])

    @property
    def ready_bytes(self) -> int:
        """Of the memory for this clip, what frames that are ready to be played may take."""
        return round(READY_SHARE * self._memory_bytes)

    def is_analysed(self, index: int) -> bool:
        """True when the network has already answered for this frame."""
        return self._renderer is not None and self._renderer.is_analysed(index)

    def analyse(self, index: int) -> None:
        """Run the network on one frame and keep its answer."""
        self._ready().analysis(index)

    def render(self, index: int, settings: CorrectionSettings, size: Size | None, part: Part | None = None) -> Picture:
        """One frame before and after, or a part of it at full size."""
        return self._ready().render(index, settings, size, part)

    def maps(self, index: int, settings: CorrectionSettings, size: Size | None, part: Part | None = None) -> Maps:
        """Everything inside the correction of one frame."""
        return self._ready().maps(index, settings, size, part)

    def corrected_exposure(self, index: int, settings: CorrectionSettings) -> float:
        """The exposure of the corrected frame in stops, from what is cached."""
        return self._ready().corrected_exposure(index, settings)

    def region_exposures(self, index: int, settings: CorrectionSettings, region: Region) -> tuple[float, float]:
        """The exposure of a region in stops, before and after."""
        return self._ready().region_exposures(index, settings, region)

    def close(self) -> None:
        """Let the file go."""
        self._close_scan()
        self._reader.close()

    def _known(self) -> ClipCache | None:
        """What earlier sessions found out about the clip that has just been opened."""
        if self._studio.disk is None:
            return None
        from vecnet_core.clip_cache import ClipCache

        return ClipCache(self._studio.disk, self._reader)

    def _ready(self) -> ClipRenderer:
        if self._renderer is None:
            raise RuntimeError("the network is asked for a frame before it is loaded")
        return self._renderer

    def _close_scan(self) -> None:
        if self._scan_reader is not None:
            self._scan_warnings = self._scan_reader.warnings
            self._scan_reader.close()
            self._scan_reader = None
