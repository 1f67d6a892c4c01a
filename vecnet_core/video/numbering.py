"""The names of pictures that are written: a pattern with a place for the number, and what is there already."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vecnet_core.errors import VideoWriteError
from vecnet_core.video.encode import PICTURE_CODECS
from vecnet_core.video.series import number_in, pattern_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class PictureNames(NamedTuple):
    """A pattern, taken apart.

    Attributes:
        folder: Where the pictures lie.
        before: What stands before the number.
        digits: The fewest of the number.
        after: What stands behind it, with the ending.
    """

    folder: Path
    before: str
    digits: int
    after: str

    @classmethod
    def of(cls, path: Path) -> PictureNames | None:
        """The names that an output asks for; None for one that is a file, by its ending.

        Raises:
            VideoWriteError: It is a single picture, which holds no clip, or names that would not be found again.
        """
        if path.suffix.lower() not in PICTURE_CODECS:
            return None
        parts = pattern_parts(path)
        if parts is None and set(path.stem) & set("%#"):
            raise VideoWriteError(
                "the pictures need one place for their number in the name",
                path=path,
                hint=f"% and # may stand only for the number, as in {numbered_name(path)}",
            )
        if parts is None:
            raise VideoWriteError(
                "one picture holds no clip",
                path=path,
                hint=f"name a place for the number of each, such as {numbered_name(path)}",
            )
        before, digits, after = parts
        if before.startswith("."):
            raise VideoWriteError(
                "pictures with a hidden name are not found again as a sequence",
                path=path,
                hint=f"leave out the dot before the name: {path.name.lstrip('.')}",
            )
        return cls(path.parent, before, digits, after)

    def name(self, number: int) -> str:
        """The name of a picture."""
        return f"{self.before}{number:0{self.digits}}{self.after}"

    def existing(self) -> list[Path]:
        """The files with such names; none where the folder cannot be looked into."""
        wanted = re.compile(f"{re.escape(self.before)}[0-9]{{{self.digits},}}{re.escape(self.after)}", re.DOTALL)
        with suppress(OSError), os.scandir(self.folder) as entries:
            return [self.folder / entry.name for entry in entries if wanted.fullmatch(entry.name)]
        return []

    def hold_any_of(self, sources: Sequence[Path]) -> bool:
        """Whether a file with such a name is one of some others, whatever links lead to either."""
        # Where large and small letters are the same, a name is not found by how it is written: the first one is asked.
        first = self.folder / self.name(number_in(sources[0]) or 0)
        theirs = {_identity(path) for path in sources}
        return any(_identity(path) in theirs for path in (*self.existing(), first))


def numbered_name(path: Path, ending: str = "") -> str:
    """A name with a place for the number that can be proposed instead of one without."""
    stem = re.sub(r"%0?[0-9]?d|[%#]+", "", path.stem).strip("._- ") or "picture"
    return f"{stem}_%05d{f'.{ending}' if ending else path.suffix}"


def _identity(path: Path) -> object:
    """What is the same for all names of a file; names of their own for files that are gone."""
    try:
        stat = path.stat()
    except OSError:
        return os.path.realpath(path)
    # Some network drives number no files.
    return (stat.st_dev, stat.st_ino) if stat.st_ino else os.path.normcase(os.path.realpath(path))


def has_output(path: Path) -> bool:
    """Whether an output is there: the file, or pictures with names like those of a pattern."""
    if path.is_file():
        return True
    try:
        names = PictureNames.of(path)
    except VideoWriteError:
        return False
    return names is not None and bool(names.existing())
