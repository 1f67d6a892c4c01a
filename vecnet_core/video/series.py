"""Which pictures make a sequence, and in which order: a folder, a pattern, or one picture's numbered series."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from vecnet_core.errors import VideoOpenError

PICTURE_DECODERS = {
    ".jpg": "mjpeg", ".jpeg": "mjpeg", ".png": "png", ".tif": "tiff", ".tiff": "tiff", ".exr": "exr", ".webp": "webp",
    ".dpx": "dpx", ".bmp": "bmp",
}  # fmt: skip
"""Endings of pictures that are read, and FFmpeg's decoder for each."""

_PATTERN = re.compile(r"(?P<before>[^%#]*)(?:%0?(?P<width>[1-9]?)d|(?P<marks>#+))(?P<after>[^%#]*)")
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>[0-9]+)(?P<after>[^0-9]*)", re.DOTALL)
_NAMED_GAPS = 3
_WHAT_TO_GIVE = f"give pictures that end in {', '.join(PICTURE_DECODERS)}"


@dataclass(frozen=True)
class Series:
    """The pictures of a sequence.

    Attributes:
        files: At least two, of one kind, in order.
        decoder: FFmpeg's decoder for them.
        warnings: What a person may not expect about their names, as clauses.
    """

    files: tuple[Path, ...]
    decoder: str
    warnings: tuple[str, ...]


def is_pattern(path: Path) -> bool:
    """True for a name with a place for a number, such as ``shot.%04d.png`` or ``shot_####.png``."""
    return _PATTERN.fullmatch(path.name) is not None


def is_folder(path: Path) -> bool:
    """True for a folder; false for what may not be looked at, of which opening it tells why."""
    return os.path.isdir(path)  # noqa: PTH112 - `Path.is_dir` raises where it may not look


def pattern_parts(path: Path) -> tuple[str, int, str] | None:
    """What stands before and behind the number of a pattern, and the fewest digits between; None for other names."""
    found = _PATTERN.fullmatch(path.name)
    if found is None:
        return None
    return found["before"], len(found["marks"] or "") or int(found["width"] or 1), found["after"]


def number_in(path: Path) -> int | None:
    """The number in a picture's name that tells it from the others of its series; None without one."""
    found = _NUMBERED.fullmatch(path.stem)
    return None if found is None else int(found["number"])


def find_series(path: Path) -> Series:
    """The pictures of a folder, of a pattern, or of the series that one picture belongs to.

    Only names are looked at: a folder of thousands of pictures takes milliseconds.

    Raises:
        VideoOpenError: There are none, only one, or pictures of several kinds.
    """
    if is_folder(path):
        names = _pictures_in(path)
        folder, wanted = path, "in this folder"
    else:
        folder, wanted = path.parent, "with such a name"
        names = _matching(path)
    if not names:
        raise VideoOpenError(f"there is no picture {wanted}", path=path, hint=_WHAT_TO_GIVE)
    kinds = Counter(_decoder(name) for name in names)
    if len(kinds) > 1:
        counts = " and ".join(f"{count} {kind.upper().removeprefix('M')}" for kind, count in kinds.items())
        numbered = _NUMBERED.fullmatch(Path(names[0]).stem)
        example = "shot_#" if numbered is None else f"{numbered['before']}#{numbered['after']}"
        raise VideoOpenError(
            f"the folder holds {counts} pictures",
            path=path,
            hint=f"name one kind of them with a pattern such as {example}{Path(names[0]).suffix}",
        )
    if len(names) == 1:
        raise VideoOpenError(f"there is only one picture {wanted}, {names[0]}", path=path, hint="give at least two")
    names.sort(key=_natural)
    return Series(tuple(folder / name for name in names), next(iter(kinds)), tuple(_oddities(names)))


def series_length(path: Path) -> int:
    """How many pictures, itself included, differ from a picture's name only in its number; 0 for other files."""
    if not _decoder(path.name):
        return 0
    try:
        return len(_matching(path))
    except VideoOpenError:
        return 1  # Its folder may not be listed.


def _pictures_in(folder: Path) -> list[str]:
    """Names of the visible pictures in a folder.

    Raises:
        VideoOpenError: It cannot be looked into.
    """
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name
                for entry in entries
                if _decoder(entry.name) and not entry.name.startswith(".") and entry.is_file()
            ]
    except OSError as error:
        raise VideoOpenError(
            f"the folder cannot be read ({error.strerror})", path=folder, hint="check its name and permissions"
        ) from error


def _matching(path: Path) -> list[str]:
    """Names of the pictures beside a pattern, or beside a numbered picture, that differ in the number alone."""
    if not _decoder(path.name):
        raise VideoOpenError("this names no pictures that are read", path=path, hint=_WHAT_TO_GIVE)
    pattern = pattern_parts(path)
    if pattern is not None and not os.path.isfile(path):  # noqa: PTH113
        before, digits, after = pattern
    else:
        numbered = _NUMBERED.fullmatch(path.stem)
        if numbered is None:
            return [path.name]
        before, after, digits = numbered["before"], numbered["after"] + path.suffix, 1
    wanted = re.compile(f"{re.escape(before)}[0-9]{{{digits},}}{re.escape(after)}", re.DOTALL)
    return [name for name in _pictures_in(path.parent) if wanted.fullmatch(name)]


def _decoder(name: str) -> str:
    """FFmpeg's decoder for a picture's name; empty for other files."""
    return PICTURE_DECODERS.get(os.path.splitext(name)[1].lower(), "")  # noqa: PTH122 - 8 times faster than a Path


def _natural(name: str) -> tuple[list[str | int], str]:
    """A name's place in natural order: numbers by their value, whatever their width."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part.lower() for place, part in enumerate(parts)], name


def _oddities(names: list[str]) -> list[str]:
    """Clauses on names of several kinds and on gaps in their numbers."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(os.path.splitext(name)[0])  # noqa: PTH122
        before, number, after = ("", "-1", name) if match is None else match.groups()
        groups.setdefault((before, after), []).append((int(number), name))
    clauses: list[str] = []
    if 1 < len(groups) < len(names):
        clauses.append(f"the names of the pictures are of {len(groups)} kinds, which are read one after another")
    missing, after_names = 0, list[str]()
    for members in groups.values():
        steps = [(later - number, name) for (number, name), (later, _) in pairwise(sorted(members))]
        # Names that tell the time have steps of their own.
        if steps and median(step for step, _ in steps) == 1:
            gaps = [(step - 1, name) for step, name in steps if step > 1]
            missing += sum(count for count, _ in gaps)
            after_names += [name for _, name in gaps]
    if missing:
        named = ", ".join(after_names[:_NAMED_GAPS]) + (" and others" if len(after_names) > _NAMED_GAPS else "")
        clauses.append(f"{missing} numbers are missing among the pictures (after {named}); the gaps are closed up")
    return clauses
