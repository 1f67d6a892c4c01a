"""What passes between the window and the preview thread: requests, frames, and the light that was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.map_pictures import MapKind, MapPicture
from app.qimage import BGRAArray
from app.session import Size
from vecnet_core.frame import RGBArray
from vecnet_core.settings import CorrectionSettings

Curve = npt.NDArray[np.float64]


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
    """

    clip: int
    serial: int
    index: int
    settings: CorrectionSettings
    size: Size | None = None
    map_kind: MapKind = MapKind.RESULT
    thumbnail_size: Size | None = None
    is_playing: bool = False


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
    """

    request: PreviewRequest
    original: RGBArray
    original_bgra: BGRAArray
    corrected: RGBArray | None = None
    corrected_bgra: BGRAArray | None = None
    map: MapPicture | None = None


@dataclass(frozen=True)
class SourceLight:
    """A batch of measured source frames: index, exposure in stops, and which start a scene."""

    clip: int
    indices: npt.NDArray[np.int64]
    exposures_ev: Curve
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class CorrectedLight:
    """A batch of measured corrected frames, and how many frames of the clip are analysed."""

    clip: int
    indices: npt.NDArray[np.int64]
    exposures_ev: Curve
    analysed: int


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
