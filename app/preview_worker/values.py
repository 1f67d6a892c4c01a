"""What passes between the window and the preview thread: requests, frames, and the light that was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.map_pictures import MapKind, MapPicture
from app.qimage import BGRAArray
from app.session import Size
from vecnet_core.frame import Part, Region, RGBArray
from vecnet_core.metrics.scales import Clipping, Overlay, Scope, ScopeTraces
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings

Curve = npt.NDArray[np.float64]
Pixel = tuple[int, int]
"""Row and column of a pixel, as stored."""
Color = tuple[float, float, float]
"""R'G'B' in [0, 1]."""


@dataclass(frozen=True)
class OpenRequest:
    """A clip to open.

    Attributes:
        clip: Its number from now on.
        path: A video file, or a folder or pattern of pictures.
        decode: How it is read.
        is_again: True for the clip at hand, which is to be read in another way.
        number: Its number in the project; None for one that is to join it.
    """

    clip: int
    path: Path
    decode: DecodeSettings = AS_IT_IS
    is_again: bool = False
    number: int | None = None


@dataclass(frozen=True)
class PreviewRequest:
    """A frame asked for, with all that is needed to make it.

    Attributes:
        clip: Number of the opened clip; answers for another are dropped.
        serial: Rises with every request.
        index: 0-based frame.
        settings: The sliders.
        size: Picture (height, width) before rotation; None for full size.
        map_kind: What the right-hand pane shows.
        thumbnail_size: Size of the pictures in the maps panel; None when it is not in sight.
        is_playing: True when the clock asked, not a hand.
        is_half: True to make it at half of ``size`` where it is not ready, because frames came late.
        scopes: The scopes in sight.
        overlay: What lies over the pictures.
        difference_gain: How much the overlay of differences exaggerates.
        part: What is looked at closer than the whole fits the pane: made at full size as well.
        pins: Pixels (row, column) to measure at full size, as stored.
        region: What of each frame the light is measured in; None for all of it.
    """

    clip: int
    serial: int
    index: int
    settings: CorrectionSettings
    size: Size | None = None
    map_kind: MapKind = MapKind.RESULT
    thumbnail_size: Size | None = None
    is_playing: bool = False
    is_half: bool = False
    scopes: tuple[Scope, ...] = ()
    overlay: Overlay = Overlay.NONE
    difference_gain: float = 4.0
    part: Part | None = None
    pins: tuple[Pixel, ...] = ()
    region: Region | None = None


@dataclass(frozen=True)
class OverlayPicture:
    """What lies over the two panes, as `vecnet_core.metrics.scopes` makes it.

    Attributes:
        kind: Which overlay.
        original: Values for the left pane; None for nothing.
        corrected: Values for the right pane.
        shares: Of clipping, the share of pixels of each kind.
    """

    kind: Overlay
    original: npt.NDArray[Any] | None
    corrected: npt.NDArray[Any]
    shares: dict[Clipping, float] = field(default_factory=dict[Clipping, float])


@dataclass(frozen=True)
class Detail:
    """A part of a frame at full size, rotated for display; the fields are those of `PreviewResult`.

    Attributes:
        part: Which part, as stored.
    """

    part: Part
    original: RGBArray
    original_bgra: BGRAArray
    corrected: RGBArray | None = None
    corrected_bgra: BGRAArray | None = None
    map: MapPicture | None = None
    overlay: OverlayPicture | None = None


@dataclass(frozen=True)
class PinReading:
    """One pixel as it was decoded and as it is exported; the latter is None while not corrected."""

    before: Color
    after: Color | None


@dataclass(frozen=True)
class PreviewResult:
    """The answer to a request; pictures are rotated for display.

    Attributes:
        request: What was asked.
        original: R'G'B' (H, W, 3) float32, for the probe.
        original_bgra: The same as bytes.
        corrected: R'G'B' (H, W, 3) float32; None while the network has not answered.
        corrected_bgra: The same as bytes.
        map: The map asked for; None for the plain result.
        traces: The scopes asked for; without a correction they have no trace of it.
        overlay: The overlay asked for; None for none, and while there is no correction.
        detail: The part asked for at full size; None for none.
        pins: The pixels asked for.
    """

    request: PreviewRequest
    original: RGBArray
    original_bgra: BGRAArray
    corrected: RGBArray | None = None
    corrected_bgra: BGRAArray | None = None
    map: MapPicture | None = None
    traces: tuple[ScopeTraces, ...] = ()
    overlay: OverlayPicture | None = None
    detail: Detail | None = None
    pins: dict[Pixel, PinReading] = field(default_factory=dict[Pixel, PinReading])


@dataclass(frozen=True)
class SourceLight:
    """A batch of measured source frames: index, exposure in stops, which start a scene; small pictures of some."""

    clip: int
    indices: npt.NDArray[np.int64]
    exposures_ev: Curve
    cuts: tuple[int, ...]
    thumbnails: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict[int, npt.NDArray[np.uint8]])


@dataclass(frozen=True)
class CorrectedLight:
    """A batch of measured corrected frames, and which frames ``(T,)`` of the clip are analysed."""

    clip: int
    indices: npt.NDArray[np.int64]
    exposures_ev: Curve
    is_analysed: npt.NDArray[np.bool_]

    @property
    def analysed(self) -> int:
        """How many frames are analysed."""
        return int(np.count_nonzero(self.is_analysed))


@dataclass(frozen=True)
class SoundWave:
    """The sound decoded so far, see `vecnet_core.video.loudness.Loudness`.

    Attributes:
        clip: Number of the opened clip.
        lows: ``(N,)``, highs and rms alike; empty for a clip without sound.
        highs: Highest samples.
        rms: Root mean square.
        bucket_seconds: Length of a bucket.
        frame_seconds: ``(T + 1,)`` when frames begin, and when the last one ends.
    """

    clip: int
    lows: npt.NDArray[np.float32]
    highs: npt.NDArray[np.float32]
    rms: npt.NDArray[np.float32]
    bucket_seconds: float
    frame_seconds: Curve


@dataclass(frozen=True)
class FlickerCurves:
    """Flicker before and after, in stops; curves are NaN where not known.

    Attributes:
        clip: Number of the opened clip.
        before: The fast part of the source's exposure.
        after: The fast part of the corrected exposure.
        before_stops: RMS of ``before`` over the frames that ``after`` knows.
        after_stops: RMS of ``after``; None while too few frames are analysed.
        frames: Number of frames compared.
    """

    clip: int
    before: Curve
    after: Curve
    before_stops: float
    after_stops: float | None
    frames: int
