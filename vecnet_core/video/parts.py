"""The hidden name a file has while it is being written, in the same folder so that the rename is atomic."""

from __future__ import annotations

import os
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_STEM_CHARACTERS = 40
"""Of the output's name in that of its part: a name may have 255 bytes, and a character takes up to 4."""


def new_part(path: Path) -> Path:
    """Make an empty part file for an output: one that was not there before, so that no other file is touched.

    It is `part_path`, unless that exists: another export to the same output is at work, or one was killed.

    Raises:
        OSError: The folder takes no file.
    """
    part = part_path(path)
    while True:
        try:
            part.touch(exist_ok=False)
        except FileExistsError:
            part = _named(path, token_hex(4))
        else:
            return part


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole, or leave what is there.

    Raises:
        OSError: It cannot be written.
    """
    part = new_part(path)
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def part_path(path: Path) -> Path:
    """The name that the part of an output has first, by which whoever started an export can remove what it left."""
    return _named(path, sha256(os.fsencode(path.absolute())).hexdigest()[:8])


def _named(path: Path, mark: str) -> Path:
    """A part's name."""
    return path.with_name(f".{path.stem[:_STEM_CHARACTERS]}.{mark}.part")
