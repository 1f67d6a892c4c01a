"""Analysis: what the network found out about one frame, compact enough to keep for every frame of a clip."""

from __future__ import annotations

from dataclasses import dataclass

from vecnet_core.frame import RGBArray


@dataclass(frozen=True)
class Analysis:
    """Coefficients that `compose` applies to a frame at any size; float32 arrays.

    Attributes:
        gain_ev: Stops that bring the frame to the common light of its window.
        exposure_ev: The network's estimate of the stops the frame lacks (negative: has too many).
        illumination_under: ``(h, w, 4)`` illumination of the frame: a colour, and its slope over the frame.
        illumination_over: ``(h, w, 4)`` the same of the inverted frame.
        curve_exponent: Spreads the knots of ``curve_values`` over the frame's tones.
        curve_values: ``(3, 16)`` knots of a rising curve per channel, over ``x ** curve_exponent``.
        grid: ``(rows, depth, columns, 16)`` bilateral grid: 12 affine coefficients, 3 fusion logits, 1 unused.
        guide: ``(3,)`` channel weights of the grid's guide.
    """

    gain_ev: float
    exposure_ev: float
    illumination_under: RGBArray
    illumination_over: RGBArray
    curve_exponent: float
    curve_values: RGBArray
    grid: RGBArray
    guide: RGBArray

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        arrays = (self.illumination_under, self.illumination_over, self.curve_values, self.grid, self.guide)
        return sum(int(array.nbytes) for array in arrays)


def analysis_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Size (height, width) at which a frame is analysed.

    The short side is ``short_side``, the long side the nearest multiple of 16 that keeps the aspect, at most 2.5
    times as long (a panorama is squeezed rather than analysed at a size the network has not seen).
    """
    ratio = min(max(height, width) / min(height, width), 2.5)
    long_side = max(short_side, round(short_side * ratio / 16) * 16)
    return (short_side, long_side) if width >= height else (long_side, short_side)
