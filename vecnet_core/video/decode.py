"""How footage is read: what a person decides where a file does not say, or says otherwise (loads no FFmpeg)."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Self

from vecnet_core.errors import SettingsError

HDR_CHOICES = ("keep", "sdr")
"""What `DecodeSettings.hdr` may be."""

LOWEST_RATE, HIGHEST_RATE = Fraction(1, 1000), Fraction(1000)
"""Frames per second within which a rate is taken to be meant."""

_RATE_TEXT = re.compile(r"([0-9]{1,7})(?:/([0-9]{1,7})|(\.[0-9]{1,6}))?")
_RATE_HINT = "give frames per second such as 25, 29.97 or 24000/1001"


@dataclass(frozen=True)
class DecodeSettings:
    """How footage is read.

    Attributes:
        deinterlace: Make whole pictures of the two fields of each frame.
        frame_rate: Frames per second of footage that has no times: image sequences and raw streams; None takes what
            the footage says, or 25.
        stream: Which of the file's video streams, counted from 0; cover pictures do not count.
        hdr: One of `HDR_CHOICES`: ``keep`` leaves an HDR picture in its own curve, ``sdr`` maps it to BT.709.

    Raises:
        SettingsError: A value outside its range.
    """

    deinterlace: bool = False
    frame_rate: Fraction | None = None
    stream: int = 0
    hdr: str = "keep"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, with its possible values."""
        if self.frame_rate is not None and not LOWEST_RATE <= self.frame_rate <= HIGHEST_RATE:
            raise SettingsError(f"{self.frame_rate} frames per second are not possible", hint=_RATE_HINT)
        if self.stream < 0:
            raise SettingsError(f"there is no video stream {self.stream}", hint="count the streams from 0")
        if self.hdr not in HDR_CHOICES:
            raise SettingsError(f"HDR cannot be {self.hdr!r}", hint=f"choose one of {', '.join(HDR_CHOICES)}")

    @property
    def picture_wishes(self) -> str:
        """What is asked for that changes the pictures themselves, as text for caches; empty for nothing."""
        asked = {"deinterlace": self.deinterlace, "stream": self.stream, "hdr": self.hdr != "keep"}
        return ",".join(f"{name}={value!s}" for name, value in asked.items() if value)

    def to_dict(self) -> dict[str, str | int | None]:
        """The settings as plain values, for project files; the rate as text such as ``24000/1001``."""
        rate = None if self.frame_rate is None else str(self.frame_rate)
        return {"deinterlace": self.deinterlace, "frame_rate": rate, "stream": self.stream, "hdr": self.hdr}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Settings from plain values; unknown names and wrong types are refused."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise SettingsError(f"unknown reading setting {unknown[0]!r}", hint=f"known are {', '.join(known)}")
        wanted: dict[str, type] = {"deinterlace": bool, "frame_rate": str, "stream": int, "hdr": str}
        for name, value in values.items():
            is_absent = name == "frame_rate" and value is None
            if not is_absent and type(value) is not wanted[name]:
                raise SettingsError(f"the reading setting {name} cannot be {value!r:.40}")
        settings: dict[str, Any] = dict(values)
        if values.get("frame_rate") is not None:
            settings["frame_rate"] = parse_rate(values["frame_rate"])
        return cls(**settings)


AS_IT_IS = DecodeSettings()
"""Footage read with nothing asked for."""


def parse_rate(text: str) -> Fraction:
    """Frames per second of a text: ``25``, ``24000/1001`` or ``29.97``, which stands for 30000/1001.

    Raises:
        SettingsError: The text is no rate, or not one that is possible.
    """
    match = _RATE_TEXT.fullmatch(text.strip())
    if match is None or (match[2] is not None and int(match[2]) == 0):
        raise SettingsError(f"{text!r:.40} is not a frame rate", hint=_RATE_HINT)
    rate = Fraction(text.strip())
    if match[3] is not None:
        # The decimals in use for the rates of NTSC are rounded: 23.976 and 23.98 both mean 24000/1001.
        exact = Fraction(-(-rate.numerator // rate.denominator) * 1000, 1001)
        rate = exact if any(round(exact, places) == rate for places in (2, 3)) else rate
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise SettingsError(f"{text.strip()} frames per second are not possible", hint=_RATE_HINT)
    return rate
