"""The names of pictures that are written: a pattern with a place for the number, and what is there already."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vecnet_core.errors import VideoWriteError
from vecnet_core.video.encode import PICTURE_CODECS
from vecnet_core.video.series import pattern_parts

if TYPE_CHECKING:
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
            VideoWriteError: It is a single picture, which holds no clip.
        """
        if path.suffix.lower() not in PICTURE_CODECS:
            return None
        parts = pattern_parts(path)
        if parts is None:
            raise VideoWriteError(
                "one picture holds no clip",
                path=path,
                hint=f"name a place for the number of each, such as {path.stem}_%05d{path.suffix}",
            )
        before, digits, after = parts
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


def has_output(path: Path) -> bool:
    """Whether an output is there: the file, or pictures with names like those of a pattern."""
    if path.is_file():
        return True
    try:
        names = PictureNames.of(path)
    except VideoWriteError:
        return False
    return names is not None and bool(names.existing())
