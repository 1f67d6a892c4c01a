"""A source and the file it was exported to, behind the interface that the preview thread knows clips by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app.qimage import turned
from vecnet_core.errors import VideoOpenError
from vecnet_core.frame import RGBArray
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from app.map_pictures import Maps
    from app.session import ClipSession, LightScan, Size, SoundScan
    from vecnet_core.frame import Part, Region, VideoInfo
    from vecnet_core.project import Clip
    from vecnet_core.settings import CorrectionSettings
    from vecnet_core.video.frame_reader import FrameReader

READY_BYTES = 256 << 20


@dataclass(frozen=True)
class PairPicture:
    """One frame of both, R'G'B' float32 in [0, 1], as the source is stored.

    Attributes:
        original: Of the source.
        corrected: Of the exported file.
    """

    original: RGBArray
    corrected: RGBArray


class OpenPair:
    """Opens the exported file of a clip together with its source."""

    def __init__(self, clip: Clip) -> None:
        """The clip as it was exported: its source, how that is read, and which part of it was written."""
        self._clip = clip

    def __call__(self, path: Path, decode: DecodeSettings) -> ClipSession:
        """Open the exported file at ``path``."""
        return PairSession(self._clip, path, decode)


class PairSession:
    """Both files, each with a decoder of its own; no network, nothing measured."""

    def __init__(self, clip: Clip, output: Path, decode: DecodeSettings = AS_IT_IS) -> None:
        """Open both.

        Raises:
            VecnetError: One of them cannot be opened, or they have no frame in common.
        """
        from vecnet_core.export import frame_range
        from vecnet_core.video.footage import open_reader

        self._source: FrameReader = open_reader(clip.path, clip.decode)
        try:
            source = self._source.info
            if source.files:
                decode = DecodeSettings(frame_rate=source.frame_rate)
            self._export: FrameReader = open_reader(output, decode)
        except BaseException:
            self._source.close()
            raise
        try:
            export = self._export.info
            self._first, stop = frame_range(self._source, clip)
            count = min(stop - self._first, export.frame_count)
            if count < 1:
                raise VideoOpenError("it has no frame in common with its source", path=output)
        except BaseException:
            self.close()
            raise
        self._turn = export.rotation_degrees - source.rotation_degrees
        self._info = replace(
            export, frame_count=count, rotation_degrees=source.rotation_degrees, pixel_aspect=source.pixel_aspect
        )
        self._warnings: tuple[str, ...] = ()
        if stop - self._first != export.frame_count:
            self._warnings = (
                f"the file has {export.frame_count} frames and its source {stop - self._first}; {count} are compared",
            )
        self._is_ready = False

    @property
    def info(self) -> VideoInfo:
        """The facts of the exported file, for the frames both have."""
        return self._info

    @property
    def warnings(self) -> tuple[str, ...]:
        """What does not fit, as sentences."""
        return self._warnings + self._export.warnings

    @property
    def has_network(self) -> bool:
        """True once pairs are asked for."""
        return self._is_ready

    def load_network(self, device: str) -> str:
        """There is none to load: both pictures are read."""
        self._is_ready = True
        return ""

    def wants_denoising(self) -> bool:
        """Nothing is corrected here."""
        return False

    def original(self, index: int, size: Size | None, part: Part | None = None) -> RGBArray:
        """The source frame."""
        return _picture(self._source, self._first + index, size, part)

    def render(
        self, index: int, settings: CorrectionSettings, size: Size | None, part: Part | None = None
    ) -> PairPicture:
        """The frame of both; the settings are in the file."""
        if self._turn % 360:
            # Another rotation is written in the file: turned whole, then cut as the source is.
            whole = turned(_picture(self._export, index, None, None), self._turn)
            corrected = np.ascontiguousarray(whole[part.slices]) if part is not None else _fitted(whole, size)
        else:
            corrected = _picture(self._export, index, size, part)
        return PairPicture(self.original(index, size, part), corrected)

    def scan_light(self) -> LightScan:
        """Nothing is measured here: the background rests.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("the light of a comparison is not measured")

    def use_light(self, scan: LightScan) -> None:
        """Nothing is steadied here."""

    def scan_sound(self) -> SoundScan:
        """Nothing is heard here: the background rests.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("the sound of a comparison is not read")

    def frame_seconds(self) -> npt.NDArray[np.float64]:
        """When each frame begins, counted from the first, and when the last one ends, ``(T + 1,)``."""
        return np.arange(self._info.frame_count + 1) / float(self._info.frame_rate)

    @property
    def timecode(self) -> str:
        """Frames are counted from the first that was exported."""
        return ""

    @property
    def ready_bytes(self) -> int:
        """What frames that are ready to be played may take."""
        return READY_BYTES

    def is_analysed(self, index: int) -> bool:
        """Nothing has to be waited for but the decoders."""
        return True

    def analyse(self, index: int) -> None:
        """Nothing is analysed here."""

    def maps(self, index: int, settings: CorrectionSettings, size: Size | None, part: Part | None = None) -> Maps:
        """A file holds no maps.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("a comparison has no maps")

    def corrected_exposure(self, index: int, settings: CorrectionSettings) -> float:
        """Nothing is measured here."""
        return float("nan")

    def region_exposures(self, index: int, settings: CorrectionSettings, region: Region) -> tuple[float, float]:
        """Nothing is measured here."""
        return float("nan"), float("nan")

    def close(self) -> None:
        """Let both files go."""
        self._source.close()
        self._export.close()


def _picture(reader: FrameReader, index: int, size: Size | None, part: Part | None) -> RGBArray:
    from vecnet_core.video.color import reduce_to_rgb, to_rgb

    frame = reader.frame(index)
    if part is not None:
        return np.ascontiguousarray(to_rgb(frame)[part.slices])
    if size is None or size[0] >= frame.height or size[1] >= frame.width:
        return to_rgb(frame)
    return reduce_to_rgb(frame, *size)


def _fitted(whole: RGBArray, size: Size | None) -> RGBArray:
    """Reduced to about a size by leaving out rows and columns."""
    if size is None or size[0] >= whole.shape[0] or size[1] >= whole.shape[1]:
        return whole
    rows = np.linspace(0, whole.shape[0] - 1, size[0]).round().astype(np.intp)
    columns = np.linspace(0, whole.shape[1] - 1, size[1]).round().astype(np.intp)
    return np.ascontiguousarray(whole[np.ix_(rows, columns)])
