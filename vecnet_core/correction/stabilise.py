"""The light of a whole clip over time: what flickers is measured once and taken out, what drifts slowly stays.

Smoothing the network's fields would not do: a smooth field times a flickering frame flickers. So each frame is
brought to the steady light of its scene first, and analysed there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vecnet_core.metrics.flicker import segments, slow_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecnet_core.frame import RGBArray

DISPLAY_GAMMA = 2.2
BLOCK = 8
DARKEST, BRIGHTEST = 0.012, 0.93
MAX_GAIN_EV = 2.0
Curve = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClipLight:
    """The measured light of a clip.

    Attributes:
        exposures_ev: ``(T,)`` exposure of every frame, see `metrics.exposure.exposure_ev`.
        gains_ev: ``(T,)`` stops that bring every frame to the steady light of its scene.
        cuts: First frame of every scene but the first.
        duplicates: Frames that repeat the one before.
    """

    exposures_ev: Curve
    gains_ev: Curve
    cuts: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = field(default=())


def block_light(reduced: RGBArray) -> RGBArray:
    """Mean luma of blocks of a reduced frame ``(h, w, 3)``: ``(h / 8, w / 8)``."""
    luma = reduced @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    side = max(1, min(BLOCK, min(luma.shape) // 4))
    rows, columns = luma.shape[0] // side, luma.shape[1] // side
    return luma[: rows * side, : columns * side].reshape(rows, side, columns, side).mean(axis=(1, 3))


def light_step(before: RGBArray, after: RGBArray) -> float:
    """Change of light between two frames given as `block_light`, in stops.

    The median over blocks that are neither black nor clipped in either frame: what moves is outvoted by what does
    not. 0 where nothing is left to compare.
    """
    usable = (before > DARKEST) & (before < BRIGHTEST) & (after > DARKEST) & (after < BRIGHTEST)
    if np.count_nonzero(usable) < max(4, usable.size // 50):
        return 0.0
    return float(DISPLAY_GAMMA * np.median(np.log2(after[usable] / before[usable])))


def steady_gains(steps_ev: npt.ArrayLike, frame_rate: float, cuts: Sequence[int] = ()) -> Curve:
    """Stops that bring each frame to the slow part of its scene's light.

    Args:
        steps_ev: ``(T,)`` change of light from the frame before; the first of a scene counts as 0.
        frame_rate: Frames per second.
        cuts: First frame of every scene but the first.

    Returns:
        ``(T,)`` gains, at most `MAX_GAIN_EV` either way; a slow change, such as a sunset, has none.
    """
    steps = np.asarray(steps_ev, dtype=np.float64)
    gains = np.zeros(steps.size)
    for first, last in segments(steps.size, cuts):
        path = np.concatenate(([0.0], np.cumsum(steps[first + 1 : last])))
        gains[first:last] = slow_part(path, frame_rate) - path
    return np.clip(gains, -MAX_GAIN_EV, MAX_GAIN_EV)
