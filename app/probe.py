"""The probe: what one pixel was, what it became, and how many stops lie between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PySide6.QtCore import QRectF

    from app.preview_worker import Color, Detail, PreviewResult
    from vecnet_core.frame import RGBArray

LUMA = np.array([0.2126, 0.7152, 0.0722])
FLOOR = 2.0**-16
"""Luma below this counts as this: a quotient of two blacks says nothing."""


@dataclass(frozen=True)
class Probe:
    """One pixel before and after.

    Attributes:
        x: Column in the displayed source picture.
        y: Row.
        before: R'G'B' in [0, 1].
        after: R'G'B' in [0, 1]; None while not corrected.
        map_name: The map in sight; empty for the plain result.
        map_values: Its one or three numbers at this pixel.
        is_reduced: True when these are means over a reduced picture, not the values of the pixel itself.
    """

    x: int
    y: int
    before: tuple[float, float, float]
    after: tuple[float, float, float] | None
    map_name: str = ""
    map_values: tuple[float, ...] = ()
    is_reduced: bool = False

    @property
    def before_luma(self) -> float:
        """Linear luma of the original, 0 to 1."""
        return linear_luma(self.before)

    @property
    def after_luma(self) -> float | None:
        """Linear luma of the corrected pixel, 0 to 1."""
        return None if self.after is None else linear_luma(self.after)

    @property
    def gain_stops(self) -> float | None:
        """log2 of after by before."""
        after = self.after_luma
        return None if after is None else math.log2(max(after, FLOOR) / max(self.before_luma, FLOOR))

    @property
    def line(self) -> str:
        """The probe in one line, such as ``x 512  y 288   0.08 → 0.31   +1.95 stops``."""
        place = f"x {self.x}  y {self.y}"
        after, gain = self.after_luma, self.gain_stops
        if self.is_reduced:
            place = f"{place} (reduced)"
        if after is None or gain is None:
            return f"{place}    {self.before_luma:.3f}"
        return f"{place}    {self.before_luma:.3f} → {after:.3f}    {gain:+.2f} stops"


def linear_luma(rgb: tuple[float, float, float]) -> float:
    """BT.709 luma in linear light of one R'G'B' pixel (sRGB curve)."""
    code = np.asarray(rgb, np.float64)
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return float(linear @ LUMA)


def pin_text(before: Color, after: Color | None) -> str:
    """A pinned pixel in a few characters, such as ``0.080 → 0.310  +1.95``."""
    probe = Probe(0, 0, before, after)
    if probe.after_luma is None or probe.gain_stops is None:
        return f"{probe.before_luma:.3f}"
    return f"{probe.before_luma:.3f} → {probe.after_luma:.3f}  {probe.gain_stops:+.2f} stops"


def probe_at(
    result: PreviewResult,
    across: float,
    down: float,
    width: int,
    height: int,
    extent: QRectF | None = None,
    *,
    is_reduced: bool = False,
) -> Probe:
    """The pixel at shares of the picture, which is ``width`` by ``height`` source pixels as displayed.

    Args:
        result: The frame in sight.
        across: Share of the width.
        down: Share of the height.
        width: Of the source picture as displayed.
        height: Of the source picture as displayed.
        extent: Where the result's detail lies in the picture, in shares: there, the probe is of its pixels.
        is_reduced: The picture itself is smaller than the source.
    """
    shown: PreviewResult | Detail = result
    at = across, down
    if result.detail is not None and extent is not None and extent.contains(across, down):
        shown = result.detail
        at = (across - extent.left()) / extent.width(), (down - extent.top()) / extent.height()
    after = None if shown.corrected is None else _three(_pixel(shown.corrected, *at))
    return Probe(
        x=min(int(across * width), width - 1),
        y=min(int(down * height), height - 1),
        before=_three(_pixel(shown.original, *at)),
        after=after,
        map_name="" if shown.map is None else shown.map.kind.value,
        map_values=() if shown.map is None else _pixel(shown.map.values, *at),
        is_reduced=is_reduced and shown is result,
    )


def _pixel(picture: RGBArray | npt.NDArray[np.float32], across: float, down: float) -> tuple[float, ...]:
    height, width = picture.shape[:2]
    value = picture[min(int(down * height), height - 1), min(int(across * width), width - 1)]
    return tuple(float(part) for part in np.atleast_1d(value))


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = values
    return red, green, blue
