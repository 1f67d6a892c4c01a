"""Files that are whole or not there: written under a hidden name in their folder, pushed to the disk, then renamed."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_STEM_CHARACTERS = 40
"""Of the output's name in that of its part: a name may have 255 bytes, and a character takes up to 4."""


def new_part(path: Path) -> Path:
    """Make an empty part file for an output: one that was not there before, so that no other file is touched.

    Raises:
        OSError: The folder takes no file.
    """
    part = hidden_path(path, "part")
    while True:
        try:
            part.touch(exist_ok=False)
        except FileExistsError:
            part = _named(path, token_hex(4), "part")
        else:
            return part


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole, or leave what is there; it survives a power cut from then on.

    Raises:
        OSError: It cannot be written.
    """
    part = new_part(path)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Push a file that another library has written to the disk.

    Raises:
        OSError: The disk refuses.
    """
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def put_in_place(part: Path, path: Path) -> None:
    """Give a file that is on the disk its name, for good: the folder's entry is pushed to the disk too."""
    part.replace(path)
    # Windows opens no folders, and some network file systems synchronise none.
    with suppress(OSError):
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def hidden_path(path: Path, ending: str) -> Path:
    """A hidden name beside an output, the same by whatever way its folder is reached and wherever that is moved."""
    return _named(path, sha256(os.fsencode(path.name)).hexdigest()[:8], ending)


def _named(path: Path, mark: str, ending: str) -> Path:
    """A hidden name."""
    return path.with_name(f".{path.stem[:_STEM_CHARACTERS]}.{mark}.{ending}")
