"""Pairs in the layout of the DIME data set: ``GT/<clip>/<frames>`` beside ``LQ/<clip>/<frames>``, good and bad."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vecnet_core.errors import DataError

GOOD_FOLDER, BAD_FOLDER = "GT", "LQ"
FRAME_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class PairFolder:
    """One clip, filmed well and badly; its frames in order, as many of each.

    Attributes:
        name: Name of the clip.
        good: Well-exposed frames.
        bad: Badly exposed ones.
    """

    name: str
    good: tuple[Path, ...]
    bad: tuple[Path, ...]


def find_pairs(folder: Path, split: str) -> list[PairFolder]:
    """The clips of a data set, by name; none where a folder is laid out otherwise.

    Args:
        folder: Holds ``GT`` and ``LQ``, or a folder named ``split`` that does.
        split: ``train`` or ``test``.

    Raises:
        DataError: A clip or some of its frames are missing on one side.
    """
    for base in (folder, folder / split):
        good, bad = base / GOOD_FOLDER, base / BAD_FOLDER
        if good.is_dir() and bad.is_dir():
            sides = [path for side in (good, bad) for path in side.iterdir() if path.is_dir()]
            names = {path.name for path in sides if not path.name.startswith(".")}
            return [_pair(name, good / name, bad / name) for name in sorted(names)]
    return []


def frames_of(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder by name, numbers in it by their value: 2 comes before 10."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in FRAME_SUFFIXES and path.name[0] != ".")
    return tuple(sorted(found, key=_natural))


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path.stem)]


def _pair(name: str, good: Path, bad: Path) -> PairFolder:
    for side in (good, bad):
        if not side.is_dir():
            sentence = f"the clip {name} is missing"
            raise DataError(sentence, path=side.parent, hint="GT and LQ need the same clips")
    good_frames, bad_frames = frames_of(good), frames_of(bad)
    if len(good_frames) != len(bad_frames) or not good_frames:
        sentence = f"{len(bad_frames)} frames do not pair with the {len(good_frames)} of the reference"
        raise DataError(sentence, path=bad, hint="GT and LQ need the same frames")
    for one, other in zip(good_frames, bad_frames, strict=True):
        if one.stem != other.stem:
            sentence = f"the frame {other.name} does not pair with {one.name} of the reference"
            raise DataError(sentence, path=bad, hint="GT and LQ need the same frames")
    return PairFolder(name, good_frames, bad_frames)
