"""Where the editor finds its sample clip and keeps its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platformdirs import user_log_path

from vecnet_core.resources import resource

if TYPE_CHECKING:
    from pathlib import Path


def sample_clip() -> Path:
    """The bundled, badly exposed sample clip.

    Raises:
        InputError: It is not there.
    """
    return resource("sample/sample.mp4")


def log_file() -> Path:
    """The log of this editor; its folder is made on first use."""
    return user_log_path("VECNet", appauthor=False, ensure_exists=True) / "vecnet.log"
