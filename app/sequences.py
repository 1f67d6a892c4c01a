"""Pictures that belong together: what a person means who gives several, or one, of a numbered series."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vecnet_core.video.series import PICTURE_DECODERS, is_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>[0-9]+)(?P<after>[^0-9]*)", re.DOTALL)

PICTURE_ENDINGS = tuple(PICTURE_DECODERS)
"""Endings of pictures that a sequence may be made of."""


def is_picture(path: Path) -> bool:
    """True for the name of a picture that a sequence may be made of."""
    return path.suffix.lower() in PICTURE_DECODERS


def pattern_of(picture: Path) -> Path | None:
    """The numbered series a picture's name belongs to, as a pattern; None where its name has no place for a number."""
    numbered = _NUMBERED.fullmatch(picture.stem)
    if numbered is None or not is_picture(picture):
        return None
    number = numbered["number"]
    # Only zeros in front tell how many digits every number has.
    marks = "#" * (len(number) if number.startswith("0") else 1)
    pattern = picture.with_name(f"{numbered['before']}{marks}{numbered['after']}{picture.suffix}")
    return pattern if is_pattern(pattern) else None


def as_one_sequence(files: Sequence[Path]) -> Path | None:
    """The pattern of the one numbered series that several files belong to; None when they do not."""
    if len(files) < 2:
        return None
    series = {_without_number(file) for file in files}
    if len(series) != 1 or None in series:
        return None
    # The shortest name has the fewest digits: what fits it fits all.
    return pattern_of(min(files, key=lambda file: (len(file.name), file.name)))


def _without_number(file: Path) -> tuple[Path, str, str] | None:
    numbered = _NUMBERED.fullmatch(file.stem)
    if numbered is None or not is_picture(file):
        return None
    return file.parent, numbered["before"], numbered["after"] + file.suffix
