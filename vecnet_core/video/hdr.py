"""HDR code values as an ordinary display-referred picture and back: the domain in which HDR video is corrected.

The network and the sliders know graded SDR: mid-grey at 0.42, diffuse white near 0.9, a little room for highlights. PQ
and HLG are nothing like it (PQ has mid-grey at 0.38, white at 0.58, and 5.6 stops of highlights above), so their code
values are brought to such a picture by one invertible curve for each transfer, on each of R', G' and B' alone:

1. *code* to nits on a display, by ITU-R BT.2100: PQ's EOTF; for HLG the inverse OETF and the system gamma 1.2 of a
   1000-nit display, here on each channel instead of on luminance, which keeps greys exact and lets strong colours
   differ by some per cent;
2. nits to *tone*, the signal of a grading monitor (gamma 2.4, ITU-R BT.1886) whose white is HDR's diffuse white. This
   is how BT.2408 puts graded SDR into HDR, the other way round. White is 1, and highlights lie above it;
3. tone to the *working* value in [0, 1], by a shoulder: nothing changes up to `KNEE`; what lies above, up to the light
   of the highest code, is compressed by a logarithm that starts with the same slope.

So every code keeps a value of its own and nothing clips. The curves depend on the transfer alone, not on the peak that
the metadata of a file claim, which is often wrong: a clip is corrected alike in every file. What a correction near 1
means for light is told by `color.regain_highlights`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float64]

WHITE_NITS = 203.0
"""Diffuse white in HDR (ITU-R BT.2408, table 1); mid-grey is 26 nits there, which is a tone of 0.42."""

PEAK_NITS = {"smpte2084": 10_000.0, "arib-std-b67": 1_000.0}
"""Light of the highest code by transfer: PQ's by definition, HLG's on BT.2100's nominal display."""

MONITOR_GAMMA = 2.4
"""Of the monitor on which SDR is graded (ITU-R BT.1886)."""

HLG_GAMMA = 1.2
"""System gamma of a 1000-nit HLG display (ITU-R BT.2100, table 5)."""

KNEE = 0.95
"""Where the shoulder starts: 179 nits. White becomes 0.97, 1000 nits 0.99 in PQ and 1 in HLG.

High, since the network knows over-exposure by white near 1: of five real clips made HDR at +1.5 EV the result is 18 to
24 dB from the well-exposed clip, against 15 to 18 dB with a knee at 0.8, and 14 to 15 dB uncorrected (2026-11).
"""

TABLE_SIZE = 4096
"""Entries of a tabulated curve: linear between them, it errs by less than 0.05 codes of 10 bits."""

BT2020_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)
"""Linear R, G, B of ITU-R BT.2020 primaries to those of BT.709 (ITU-R BT.2087 has the inverse)."""


class Shoulder(NamedTuple):
    """How tones above the knee are compressed: ``knee + span * log(1 + (tone - knee) / span)``."""

    knee: float
    span: float

    def compress(self, tone: Levels) -> Levels:
        """Tones to working values."""
        above = np.maximum(tone - self.knee, 0.0)
        return np.minimum(tone, self.knee) + self.span * np.log1p(above / self.span)

    def expand(self, working: Levels) -> Levels:
        """Working values to tones."""
        above = np.maximum(working - self.knee, 0.0)
        return np.minimum(working, self.knee) + self.span * np.expm1(above / self.span)


class Curves(NamedTuple):
    """A transfer's curve in tables over [0, 1] in even steps, each ``(TABLE_SIZE,)`` float32."""

    to_working: npt.NDArray[np.float32]
    to_code: npt.NDArray[np.float32]


class HighlightTables(NamedTuple):
    """What lies above a transfer's knee, in tables of ``(TABLE_SIZE,)`` float32.

    Attributes:
        top: The tone of the highest code.
        headroom: Tone over working value, by working value in even steps over [0, 1].
        to_shoulder: Working value by tone, in even steps over [0, top].
    """

    top: float
    headroom: npt.NDArray[np.float32]
    to_shoulder: npt.NDArray[np.float32]


@cache
def curves(transfer: str) -> Curves:
    """The tables of ``smpte2084`` or ``arib-std-b67``."""
    steps = np.linspace(0.0, 1.0, TABLE_SIZE)
    to_working, to_code = code_to_working(steps, transfer), working_to_code(steps, transfer)
    # The ends are exact, so that black stays black and nothing leaves [0, 1].
    for table in (to_working, to_code):
        table[0], table[-1] = 0.0, 1.0
    return Curves(to_working.astype(np.float32), to_code.astype(np.float32))


@cache
def highlight_tables(transfer: str) -> HighlightTables:
    """The tables of ``smpte2084`` or ``arib-std-b67``."""
    steps = np.linspace(0.0, 1.0, TABLE_SIZE)
    bend = shoulder(transfer)
    top = _top_tone(transfer)
    headroom = np.ones_like(steps)
    headroom[1:] = bend.expand(steps[1:]) / steps[1:]
    to_shoulder = np.minimum(bend.compress(steps * top), 1.0)
    return HighlightTables(top, headroom.astype(np.float32), to_shoulder.astype(np.float32))


@cache
def shoulder(transfer: str) -> Shoulder:
    """The shoulder that brings the light of a transfer's highest code to 1; found by bisection."""
    top = _top_tone(transfer)
    low, high = 1e-3, 1.0
    for _ in range(60):
        span = (low + high) / 2
        is_low = KNEE + span * np.log1p((top - KNEE) / span) < 1
        low, high = (span, high) if is_low else (low, span)
    return Shoulder(KNEE, (low + high) / 2)


def code_to_working(code: Levels, transfer: str) -> Levels:
    """R'G'B' of an HDR signal in [0, 1] as working values in [0, 1]."""
    tone = (code_to_nits(code, transfer) / WHITE_NITS) ** (1 / MONITOR_GAMMA)
    return shoulder(transfer).compress(tone)


def working_to_code(working: Levels, transfer: str) -> Levels:
    """Working values in [0, 1] as R'G'B' of an HDR signal in [0, 1]."""
    tone = shoulder(transfer).expand(working)
    return nits_to_code(WHITE_NITS * tone**MONITOR_GAMMA, transfer)


def code_to_nits(code: Levels, transfer: str) -> Levels:
    """Light of a code on a display, in nits (ITU-R BT.2100, tables 4 and 5)."""
    code = np.clip(code, 0.0, 1.0)
    peak = PEAK_NITS[transfer]
    if transfer == "smpte2084":
        power = code ** (1 / _PQ_M2)
        return peak * (np.maximum(power - _PQ_C1, 0.0) / (_PQ_C2 - _PQ_C3 * power)) ** (1 / _PQ_M1)
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    return peak * scene**HLG_GAMMA


def nits_to_code(nits: Levels, transfer: str) -> Levels:
    """The code for a light in nits, the inverse of `code_to_nits`."""
    share = np.clip(nits / PEAK_NITS[transfer], 0.0, 1.0)
    if transfer == "smpte2084":
        power = share**_PQ_M1
        return ((_PQ_C1 + _PQ_C2 * power) / (1 + _PQ_C3 * power)) ** _PQ_M2
    scene = share ** (1 / HLG_GAMMA)
    upper = _HLG_A * np.log(np.maximum(12 * scene - _HLG_B, 1e-6)) + _HLG_C
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)


def _top_tone(transfer: str) -> float:
    """The tone of the highest code."""
    return (PEAK_NITS[transfer] / WHITE_NITS) ** (1 / MONITOR_GAMMA)


_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
