"""Where a command writes: a folder that is made when missing, and files that are replaced only when that is wanted."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from vecnet_core.errors import InputError, VideoWriteError
from vecnet_core.video.numbering import has_output

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


def refuse_existing(output: Path, *, overwrite: bool) -> None:
    """Keep what is there.

    Raises:
        InputError: The output exists, and nobody asked to replace it.
    """
    if overwrite or not has_output(output):
        return
    what = "the output exists already" if output.is_file() else "pictures with such names exist already"
    raise InputError(what, path=output, hint="add --overwrite, or give another name")


@contextmanager
def made_folder(folder: Path) -> Generator[None]:
    """The output's folder, made when missing, and removed again when nothing comes to lie in it."""
    missing: list[Path] = []
    try:
        try:
            while not folder.is_dir():
                missing.append(folder)
                folder = folder.parent
            for folder in reversed(missing):
                folder.mkdir()
        except OSError as error:
            raise VideoWriteError(
                f"the folder cannot be made ({error.strerror})", path=folder, hint="choose a folder you may write to"
            ) from error
        yield
    except BaseException:
        for each in missing:
            # Something else may have come to lie in it meanwhile; then it stays.
            with suppress(OSError):
                each.rmdir()
        raise
