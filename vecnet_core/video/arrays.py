"""Arrays by name in a file that is whole or not there, read without running anything that lies in it."""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from vecnet_core.video.parts import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


def save_arrays(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Write arrays by name, whole or not at all.

    Raises:
        OSError: They cannot be written.
    """
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_whole(path, buffer.getvalue())


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Arrays by name, without running anything that lies in the file; none when it is not there or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile, zlib.error):
        return {}
