"""Camera responses of the evaluation: eight fixed curves of families that training never draws.

Training draws ``log f(E) = (1 - a) log E^(1/g) + a log Hill(E)``. Here are instead a broadcast curve, filmic
operators, logarithmic and exponential film models and S-curves; all rise from f(0) = 0 to f(1) = 1 and put mid-grey
0.18 between 0.40 and 0.50.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray

Curve = npt.NDArray[np.float64]

_FORWARD_SIZE = 65_536


def _broadcast(light: Curve) -> Curve:
    """ITU-R BT.709: a straight toe under a power of 0.45."""
    return np.where(light < 0.018, 4.5 * light, 1.099 * np.maximum(light, 1e-9) ** 0.45 - 0.099)


def _hable(light: Curve) -> Curve:
    """Hable's filmic operator (2010) under a display gamma: toe, straight part and shoulder."""
    x = 2.0 * light
    film = (x * (0.15 * x + 0.05) + 0.004) / (x * (0.15 * x + 0.5) + 0.06) - 0.004 / 0.06
    return np.maximum(film, 0.0) ** (1 / 1.8)


def _aces(light: Curve) -> Curve:
    """Narkowicz's fit (2015) of the ACES reference rendering, under a display gamma."""
    x = 0.6 * light
    return ((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)) ** (1 / 2.2)


def _log_film(light: Curve) -> Curve:
    """A logarithmic scan of 4 stops above a linear toe, as printing density."""
    return np.log2(1.0 + 15.0 * light) / 4.0


def _exponential(light: Curve) -> Curve:
    """Saturating film, ``1 - exp(-kE)``, under a soft gamma."""
    return (1.0 - np.exp(-1.5 * light)) ** (1 / 1.6)


def _sigmoid(light: Curve) -> Curve:
    """A picture style with contrast: a logistic S on a power curve."""
    x = light ** (1 / 2.2)
    return 1.0 / (1.0 + np.exp(-5.0 * (x - 0.5))) - 1.0 / (1.0 + np.exp(2.5))


def _portrait(light: Curve) -> Curve:
    """A low-contrast S through knots, smooth between (cubic Hermite)."""
    return _through((0.0, 0.17, 0.38, 0.61, 0.83, 1.0), light ** (1 / 2.2))


def _vivid(light: Curve) -> Curve:
    """A high-contrast S through knots, smooth between (cubic Hermite)."""
    return _through((0.0, 0.11, 0.36, 0.71, 0.92, 1.0), light ** (1 / 2.2))


RESPONSES = (_broadcast, _hable, _aces, _log_film, _exponential, _sigmoid, _portrait, _vivid)


class Response:
    """One camera response as tables: 8-bit code value to exposure, and exposure to code value."""

    def __init__(self, number: int) -> None:
        """Tabulate response ``number`` of `RESPONSES`."""
        root = np.linspace(0.0, 1.0, _FORWARD_SIZE)
        curve = RESPONSES[number](root**2)
        codes = (curve - curve[0]) / (curve[-1] - curve[0])
        self.name = RESPONSES[number].__name__.lstrip("_")
        self._to_code = codes.astype(np.float32)
        self._to_light = (np.interp(np.arange(256) / 255.0, codes, root) ** 2).astype(np.float32)

    def light_of(self, codes: npt.NDArray[np.uint8]) -> RGBArray:
        """Exposure in [0, 1] of 8-bit code values."""
        return self._to_light[codes]

    def code_of(self, light: RGBArray) -> RGBArray:
        """Code value in [0, 1] of exposure, clipped to [0, 1] first; the table is finer than 1/250 of a code."""
        places = np.sqrt(np.clip(light, 0.0, 1.0)) * np.float32(_FORWARD_SIZE - 1) + np.float32(0.5)
        return self._to_code[places.astype(np.uint16)]


@cache
def response(number: int) -> Response:
    """Response ``number`` of `RESPONSES`, tabulated once."""
    return Response(number)


def _through(knots: tuple[float, ...], x: Curve) -> Curve:
    """A curve through evenly spaced knots on [0, 1] by cubic Hermite pieces with Catmull-Rom slopes, held monotone."""
    values = np.asarray(knots)
    pieces = values.size - 1
    rises = np.diff(values)
    inner = np.minimum((rises[:-1] + rises[1:]) / 2.0, 3.0 * np.minimum(rises[:-1], rises[1:]))
    slopes = np.concatenate([rises[:1], inner, rises[-1:]])
    place = np.clip(x, 0.0, 1.0) * pieces
    piece = np.minimum(place.astype(np.int64), pieces - 1)
    t = place - piece
    low, high = values[piece], values[piece + 1]
    return (
        low * (1 + 2 * t) * (1 - t) ** 2
        + high * (3 - 2 * t) * t**2
        + slopes[piece] * t * (1 - t) ** 2
        - slopes[piece + 1] * (1 - t) * t**2
    )
