"""Sources that have moved: looked for in a folder and all folders in it, by name, size and length."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.errors import VecnetError
from vecnet_core.project import Clip
from vecnet_core.video.series import find_series, is_pattern, pattern_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_NEAR_SECONDS = 0.1
"""Two lengths that differ by less are the same: containers round."""
_MOST_ENTRIES = 1_000_000
_MOST_OPENED = 20
"""Candidates that are opened for one clip; more would be thousands of pictures of the same name."""


@dataclass(frozen=True)
class MissingClip:
    """A clip whose source is not where it was."""

    number: int
    clip: Clip


def is_there(path: Path) -> bool:
    """True when there is something to open: a file, a folder, or pictures of a pattern."""
    try:
        if is_pattern(path) and not path.exists():
            return bool(find_series(path).files)
        return path.exists()
    except (VecnetError, OSError):
        return False


def find_missing(
    folder: Path,
    missing: Sequence[MissingClip],
    seconds_of: Callable[[Clip], float | None],
    is_wanted: Callable[[], bool] = lambda: True,
) -> dict[int, Path]:
    """The sources that are found in a folder, by the number of their clip.

    Args:
        folder: Where to look, in all folders below as well.
        missing: What to look for.
        seconds_of: Opens a clip and tells its length; None when it cannot be opened.
        is_wanted: False when nobody waits for the answer any more.
    """
    candidates: dict[int, list[Path]] = {one.number: [] for one in missing}
    for entry, is_folder in _entries(folder, missing, is_wanted):
        for one in missing:
            if _may_be(one.clip, entry, is_folder):
                candidates[one.number].append(entry)
    found: dict[int, Path] = {}
    for one in missing:
        ranked = sorted(candidates[one.number], key=lambda path, one=one: _likeness(one.clip.path, path), reverse=True)
        for path in ranked[:_MOST_OPENED]:
            if not is_wanted():
                return {}
            if path not in found.values() and _is_same(one.clip, path, seconds_of):
                found[one.number] = path
                break
    return found


def _entries(
    folder: Path, missing: Sequence[MissingClip], is_wanted: Callable[[], bool]
) -> Iterator[tuple[Path, bool]]:
    """Files, and folders, that are worth a look; the pattern of a clip stands for the pictures it fits."""
    patterns = {one.clip.path.name for one in missing if is_pattern(one.clip.path)}
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        count += len(folders) + len(names)
        if count > _MOST_ENTRIES or not is_wanted():
            return
        here = Path(root)
        yield from ((here / name, False) for name in sorted(names))
        yield from ((here / name, True) for name in folders)
        yield here, True
        for pattern in patterns:
            fits = _expression(here / pattern)
            if fits is not None and any(fits.fullmatch(name) for name in names):
                yield here / pattern, False


def _expression(pattern: Path) -> re.Pattern[str] | None:
    parts = pattern_parts(pattern)
    if parts is None:
        return None
    before, digits, after = parts
    return re.compile(f"{re.escape(before)}[0-9]{{{digits},}}{re.escape(after)}")


def _may_be(clip: Clip, path: Path, is_folder: bool) -> bool:
    if path.name.casefold() == clip.path.name.casefold():
        return True
    if is_folder or clip.source is None or clip.source.size_bytes == 0:
        return False
    return path.suffix.casefold() == clip.path.suffix.casefold() and _size(path) == clip.source.size_bytes


def _likeness(wanted: Path, path: Path) -> tuple[bool, int]:
    """Whether the name is the same, and how many of the folders above it are."""
    above = 0
    for mine, other in zip(reversed(wanted.parts[:-1]), reversed(path.parts[:-1]), strict=False):
        if mine != other:
            break
        above += 1
    return path.name.casefold() == wanted.name.casefold(), above


def _is_same(clip: Clip, path: Path, seconds_of: Callable[[Clip], float | None]) -> bool:
    seconds = seconds_of(replace(clip, path=path))
    if seconds is None:
        return False
    return clip.source is None or abs(seconds - clip.source.seconds) <= _NEAR_SECONDS


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
