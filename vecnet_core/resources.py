"""Finds what is shipped beside the code: weights, the sample clip, icons."""

from __future__ import annotations

import sys
from pathlib import Path

from vecnet_core.errors import InputError


def resource_root() -> Path:
    """The folder ``resources``: of the bundle where we run in one, else of the checkout."""
    bundle: str | None = getattr(sys, "_MEIPASS", None)
    return (Path(bundle) if bundle else Path(__file__).resolve().parents[1]) / "resources"


def resource(name: str) -> Path:
    """A shipped file or folder.

    Args:
        name: Its path inside ``resources``, with forward slashes, such as ``sample/sample.mp4``.

    Raises:
        InputError: It is not there.
    """
    path = resource_root() / name
    if not path.exists():
        raise InputError("this part of the editor is missing", path=path, hint="install the editor again")
    return path
