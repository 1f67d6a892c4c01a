"""The maps of the correction as pictures: which there are, their colours, and the scale their numbers are read on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from app.qimage import BGRAArray, to_bgra

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray

FloatArray = npt.NDArray[np.float32]

GAIN_LIMIT_STOPS = 6.0
"""Gains are coloured from minus to plus this; stronger ones keep the end colour."""


class MapKind(Enum):
    """What the right-hand pane can show; the value is the name a person reads."""

    RESULT = "Result"
    ILLUMINATION_UNDER = "Illumination, under"
    ILLUMINATION_OVER = "Illumination, over"
    BRIGHTENED = "Brightened"
    DARKENED = "Darkened"
    SYNTHESISED = "Synthesised"
    WEIGHTS = "Fusion weights"
    REFLECTANCE = "Reflectance"
    GAIN = "Gain"


MAP_HINTS: dict[MapKind, str] = {
    MapKind.RESULT: "The corrected frame: the three candidates, mixed by the fusion weights",
    MapKind.ILLUMINATION_UNDER: "The light the network sees where the picture is too dark; dividing by it brightens",
    MapKind.ILLUMINATION_OVER: "The light the network sees in the inverted picture; dividing by it darkens",
    MapKind.BRIGHTENED: "First candidate: the frame divided by its under-exposure illumination",
    MapKind.DARKENED: "Second candidate: the frame with its over-exposure illumination taken out",
    MapKind.SYNTHESISED: "Third candidate: what the network makes where light alone does not suffice",
    MapKind.WEIGHTS: "How much of each candidate is in the result",
    MapKind.REFLECTANCE: "What is left when the light is taken out: the surfaces themselves",
    MapKind.GAIN: "How many stops the correction brightens (warm) or darkens (cool) each pixel",
}


class Maps(Protocol):
    """The fields of ``vecnet_core.correction.compose.CorrectionMaps`` that are shown; float32, R'G'B' or as named."""

    @property
    def illumination_under(self) -> RGBArray: ...
    @property
    def illumination_over(self) -> RGBArray: ...
    @property
    def brightened(self) -> RGBArray: ...
    @property
    def darkened(self) -> RGBArray: ...
    @property
    def synthesised(self) -> RGBArray: ...
    @property
    def weights(self) -> RGBArray: ...
    @property
    def reflectance(self) -> RGBArray: ...
    @property
    def gain_stops(self) -> FloatArray: ...
    @property
    def corrected(self) -> RGBArray: ...


@dataclass(frozen=True)
class ColorScale:
    """How numbers become colours, for the colour bar.

    Attributes:
        low: The number at the bar's left end.
        high: The number at its right end.
        unit: What the numbers are, such as ``stops``; may be empty.
        stops: Colours at equal distances from low to high, (n, 3) bytes.
    """

    low: float
    high: float
    unit: str
    stops: npt.NDArray[np.uint8]

    def colors(self, values: FloatArray) -> BGRAArray:
        """Colours of ``values`` (H, W), clipped to the scale."""
        table = self.table(256)
        codes = np.clip((values - self.low) * (255.0 / (self.high - self.low)) + 0.5, 0, 255).astype(np.uint8)
        return table[codes]

    def table(self, count: int) -> BGRAArray:
        """``count`` colours from low to high, (count, 4) BGRA."""
        at = np.linspace(0, len(self.stops) - 1, count)
        table = np.full((count, 4), 255, np.uint8)
        for channel in range(3):
            ramp = np.interp(at, np.arange(len(self.stops)), self.stops[:, channel])
            table[:, 2 - channel] = np.round(ramp)
        return table


LIGHT_SCALE = ColorScale(
    0.0,
    1.0,
    "share of full light",
    np.array(
        [(0, 0, 4), (27, 12, 65), (74, 12, 107), (120, 28, 109), (165, 44, 96), (207, 68, 70), (237, 105, 37),
         (251, 155, 6), (247, 209, 61), (252, 255, 164)],
        np.uint8,
    ),
)  # fmt: skip
"""Matplotlib's inferno: brightness rises evenly, so it reads without colour vision."""

GAIN_SCALE = ColorScale(
    -GAIN_LIMIT_STOPS,
    GAIN_LIMIT_STOPS,
    "stops",
    np.array(
        [(190, 225, 255), (92, 165, 235), (40, 96, 170), (30, 54, 92), (38, 38, 38), (104, 58, 22), (186, 98, 30),
         (242, 158, 66), (255, 232, 190)],
        np.uint8,
    ),
)  # fmt: skip
"""Dark where nothing changes; cool where darkened, warm where brightened, lighter the more."""

WEIGHT_COLORS: dict[str, tuple[int, int, int]] = {
    "brightened": (224, 160, 60),
    "darkened": (70, 140, 220),
    "synthesised": (90, 190, 120),
}
"""Legend of the fusion weights, in the order of their channels."""


@dataclass(frozen=True)
class MapPicture:
    """One map, ready to paint, and the numbers under its colours.

    Attributes:
        kind: Which map.
        bgra: (H, W, 4) bytes.
        values: (H, W) or (H, W, 3) float32, for the probe.
    """

    kind: MapKind
    bgra: BGRAArray
    values: npt.NDArray[np.float32]


def scale_of(kind: MapKind) -> ColorScale | None:
    """The scale a map is coloured by; None for pictures and for the weights, which have a legend."""
    if kind in {MapKind.ILLUMINATION_UNDER, MapKind.ILLUMINATION_OVER}:
        return LIGHT_SCALE
    return GAIN_SCALE if kind is MapKind.GAIN else None


def draw_map(maps: Maps, kind: MapKind) -> MapPicture:
    """The picture of one map."""
    values = _values(maps, kind)
    scale = scale_of(kind)
    if scale is not None:
        plane = values if values.ndim == 2 else values.mean(axis=2, dtype=np.float32)
        return MapPicture(kind, scale.colors(plane), values)
    if kind is MapKind.WEIGHTS:
        palette = np.array(list(WEIGHT_COLORS.values()), np.float32) / np.float32(255.0)
        return MapPicture(kind, to_bgra((np.clip(values, 0.0, 1.0) @ palette).astype(np.float32)), values)
    return MapPicture(kind, to_bgra(values), values)


def _values(maps: Maps, kind: MapKind) -> npt.NDArray[np.float32]:
    fields: dict[MapKind, npt.NDArray[np.float32]] = {
        MapKind.RESULT: maps.corrected,
        MapKind.ILLUMINATION_UNDER: maps.illumination_under,
        MapKind.ILLUMINATION_OVER: maps.illumination_over,
        MapKind.BRIGHTENED: maps.brightened,
        MapKind.DARKENED: maps.darkened,
        MapKind.SYNTHESISED: maps.synthesised,
        MapKind.WEIGHTS: maps.weights,
        MapKind.REFLECTANCE: maps.reflectance,
        MapKind.GAIN: maps.gain_stops,
    }
    return np.asarray(fields[kind], np.float32)
