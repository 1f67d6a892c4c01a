"""Timecodes, as cameras count frames: ``01:02:03:04``, with a semicolon where two numbers a minute are dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d\d?)")
_MINUTES_A_DAY = 24 * 60


def is_timecode(text: str, rate: Fraction) -> bool:
    """Whether a text is a timecode that frames of a rate can be counted by: numbers are dropped at 30 and 60 only."""
    found = _TIMECODE.fullmatch(text)
    return found is not None and (found[4] == ":" or (round(rate) > 0 and round(rate) % 30 == 0))


def advance_timecode(text: str, frames: int, rate: Fraction) -> str:
    """The timecode so many frames later.

    Args:
        text: A timecode, by `is_timecode`.
        frames: How many.
        rate: Frames per second; numbers go up to the whole number next to it.
    """
    found = _TIMECODE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no timecode")
    second = max(1, round(rate))
    # SMPTE ST 12-1: at 29.97 the first two numbers of each minute are left out, but not of every tenth one.
    dropped = second // 15 if found[4] != ":" else 0
    minute, ten_minutes = 60 * second - dropped, 600 * second - 9 * dropped
    minutes = 60 * int(found[1]) + int(found[2])
    number = (60 * minutes + int(found[3])) * second + int(found[5]) - dropped * (minutes - minutes // 10)
    number = (number + frames) % (_MINUTES_A_DAY // 10 * ten_minutes)
    tens, rest = divmod(number, ten_minutes)
    number += dropped * (9 * tens + max(0, (rest - dropped) // minute))
    seconds, frame = divmod(number, second)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}{found[4]}{frame:0{len(found[5])}}"
