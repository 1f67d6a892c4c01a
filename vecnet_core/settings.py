"""What the correction sliders mean: one frozen value, each field with its unit and range."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self, TypeGuard

from vecnet_core.errors import SettingsError

RANGES: dict[str, tuple[float, float]] = {
    "strength": (0.0, 1.0),
    "shadows": (0.0, 2.0),
    "highlights": (0.0, 2.0),
    "exposure_ev": (-3.0, 3.0),
    "steadiness": (0.0, 1.0),
    "denoise": (0.0, 1.0),
}
"""Lowest and highest value of every setting."""


def is_number(value: object) -> TypeGuard[float]:
    """True for an int or float that is finite as a float; a whole number of a text may have 400 digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@dataclass(frozen=True)
class CorrectionSettings:
    """How much of the network's correction is applied; the defaults are the network's own answer.

    Attributes:
        strength: Share of the whole correction, 0 (the source, untouched) to 1.
        shadows: Factor on what the correction brightens, 0 to 2.
        highlights: Factor on what the correction darkens, 0 to 2.
        exposure_ev: Trim of the corrected picture in stops, -3 to 3, applied in linear light.
        steadiness: Share of the measured flicker that is removed, 0 to 1.
        denoise: Share of the noise that is taken out of the corrected picture, 0 to 1.

    Raises:
        SettingsError: A value is not a finite number inside its range.
    """

    strength: float = 1.0
    shadows: float = 1.0
    highlights: float = 1.0
    exposure_ev: float = 0.0
    steadiness: float = 1.0
    denoise: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values outside `RANGES`."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not is_number(value):
                raise SettingsError(f"the setting {name} must be a number", hint=f"give {low:g} to {high:g}")
            if not low <= value <= high:
                raise SettingsError(f"the setting {name} is {value:g}", hint=f"give a value from {low:g} to {high:g}")

    @property
    def is_neutral(self) -> bool:
        """True when the result is the source itself, so that its planes may pass untouched."""
        return self.strength == 0.0 and self.exposure_ev == 0.0 and self.denoise == 0.0

    @property
    def light(self) -> CorrectionSettings:
        """The same without what leaves the light of a frame as it is."""
        return replace(self, denoise=0.0)

    def to_dict(self) -> dict[str, float]:
        """The settings as plain numbers, for project files."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Settings from plain numbers; unknown names are refused, missing ones take their default."""
        names = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - names)
        if unknown:
            raise SettingsError(f"unknown setting {unknown[0]!r}", hint=f"known are {', '.join(sorted(names))}")
        return cls(**values)


PRESETS: dict[str, CorrectionSettings] = {
    # More light from the dark, but a night stays a night; what is brightened so much shows its noise.
    "night": CorrectionSettings(shadows=1.3, highlights=0.8, exposure_ev=-0.25, denoise=0.8),
    # The subject in front of a window: brightened far more than the window is darkened.
    "backlit": CorrectionSettings(shadows=1.5, highlights=0.7),
    # The ground is nearly right, the sky is what is wanted back.
    "blown sky": CorrectionSettings(shadows=0.7, highlights=1.6, exposure_ev=-0.2),
    # Lamps and daylight in one picture: both ends are drawn together a little.
    "indoor mixed light": CorrectionSettings(strength=0.9, shadows=1.15, highlights=1.25),
    "gentle": CorrectionSettings(strength=0.5),
}
"""Where to begin with common kinds of footage, by name."""
