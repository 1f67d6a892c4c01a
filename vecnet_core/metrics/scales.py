"""What scopes are read against: stops on the signal, colour targets, the bands of false colour, kinds of clipping.

Kept apart from `scopes`, which measures: the window shows scales at once, and measuring loads numba.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ShareArray = npt.NDArray[np.float32]
"""Shares of pixels, in [0, 1]."""

LEVELS = 256
"""Bins over the signal from 0 to 1; bin n is centred on n / 255, so that each 8-bit code has its own."""

MIDDLE_GREY = 0.18
"""Linear light that stops are counted from."""

WHITE_STOPS = math.log2(1.0 / MIDDLE_GREY)
"""Full white: 2.47 stops above middle grey."""

CHROMA_BINS = 256
"""Bins of the vectorscope each way."""

CHROMA_SPAN = 254.0
"""Bins for one unit of Cb or Cr: the neutral centre is bin 128 exactly, and +-0.5 are bins 1 and 255."""

SKIN_TONE_DEGREES = 123.0
"""The skin-tone line (the I axis of NTSC), counter-clockwise from the Cb axis: skin of any shade lies near it."""

_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722


class Scope(Enum):
    """The instruments; the value is the name a person reads."""

    WAVEFORM = "Waveform"
    PARADE = "RGB parade"
    HISTOGRAM = "Histogram"
    VECTORSCOPE = "Vectorscope"


@dataclass(frozen=True)
class ScopeTraces:
    """What one scope shows: the picture, and the one it was made from as a ghost behind it.

    Attributes:
        scope: Which; it tells the shape of the traces, see the function of its name in `scopes`.
        before: The source's trace.
        after: The corrected picture's; None while there is none.
    """

    scope: Scope
    before: ShareArray
    after: ShareArray | None


class Overlay(Enum):
    """What lies over the pictures; the value is the name a person reads."""

    NONE = "None"
    CLIPPING = "Clipping"
    FALSE_COLOUR = "False colour"
    DIFFERENCE = "Difference"


class Clipping(IntEnum):
    """What has lost its detail, and where it was lost."""

    NONE = 0
    SOURCE_HIGH = 1
    SOURCE_LOW = 2
    ADDED_HIGH = 3
    ADDED_LOW = 4


class Chroma(NamedTuple):
    """A colour's place on the vectorscope, BT.709 Cb and Cr, each in [-0.5, 0.5]."""

    cb: float
    cr: float


@dataclass(frozen=True)
class Band:
    """One exposure band of false colour.

    Attributes:
        name: What lies in it.
        low_stops: Where it begins, in stops from middle grey; minus infinity at the bottom.
        high_stops: Where it ends; infinity at the top.
        rgb: Its colour, three bytes.
    """

    name: str
    low_stops: float
    high_stops: float
    rgb: tuple[int, int, int]

    @property
    def low_percent(self) -> float:
        """Where it begins on the waveform, in % of the signal (IRE)."""
        return 100.0 * signal_of_stops(self.low_stops)

    @property
    def high_percent(self) -> float:
        """Where it ends on the waveform, in % of the signal (IRE)."""
        return 100.0 * signal_of_stops(self.high_stops)


def signal_of_stops(stops: float) -> float:
    """The signal of a grey that is ``stops`` from middle grey, in [0, 1] on the sRGB curve."""
    light = min(MIDDLE_GREY * 2.0**stops, 1.0) if stops < WHITE_STOPS else 1.0
    # `exposure.linear_to_srgb` for one number: that module would load numba.
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1.0 / 2.4) - 0.055


def chroma_of(red: float, green: float, blue: float) -> Chroma:
    """Cb and Cr of R'G'B' in [0, 1] (ITU-R BT.709)."""
    luma = _RED * red + _GREEN * green + _BLUE * blue
    return Chroma((blue - luma) / (2.0 * (1.0 - _BLUE)), (red - luma) / (2.0 * (1.0 - _RED)))


def color_targets(amplitude: float = 0.75) -> dict[str, Chroma]:
    """Where the six colours of a bar chart lie, by their letters, counter-clockwise from blue.

    Args:
        amplitude: Signal of a bar's full channels: 0.75 for the usual 75 % bars.
    """
    bars = {"B": (0, 0, 1), "Mg": (1, 0, 1), "R": (1, 0, 0), "Yl": (1, 1, 0), "G": (0, 1, 0), "Cy": (0, 1, 1)}
    return {name: chroma_of(*(amplitude * channel for channel in bar)) for name, bar in bars.items()}


def skin_tone_end(length: float = 0.5) -> Chroma:
    """Where a skin-tone line of a length in units of Cb and Cr ends; it begins at the centre."""
    angle = math.radians(SKIN_TONE_DEGREES)
    return Chroma(length * math.cos(angle), length * math.sin(angle))


FALSE_COLOUR: tuple[Band, ...] = (
    Band("Black, no detail", -math.inf, -6.5, (150, 80, 200)),
    Band("Near black", -6.5, -5.0, (50, 95, 225)),
    Band("Middle grey", -0.25, 0.25, (70, 180, 80)),
    Band("One stop over, fair skin", 0.75, 1.25, (240, 150, 190)),
    Band("Near white", 2.0, 2.44, (240, 220, 70)),
    Band("White, no detail", 2.44, math.inf, (235, 60, 45)),
)
"""The bands that cameras and grading monitors have (ARRI, Blackmagic), from the bottom up; between them the picture is
grey. Those monitors state them in % of their camera's log signal; here they are stops from middle grey of the graded
picture, which are on its waveform: 0 to 2.5 %, 2.5 to 7 %, 42 to 50 %, 59 to 69 %, 87 to 99 %, and 99 to 100 %."""
