"""Where the editor finds its sample clip, keeps its log, and remembers the exports it has begun."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from platformdirs import user_log_path, user_state_path

from vecnet_core.resources import resource


def sample_clip() -> Path:
    """The bundled, badly exposed sample clip.

    Raises:
        InputError: It is not there.
    """
    return resource("sample/sample.mp4")


def log_folder() -> Path:
    """Where the log of this user belongs; it may not exist."""
    return user_log_path("VECNet", appauthor=False)


@cache
def log_file() -> Path:
    """The log of this session, in `log_folder`; where that cannot be written, in a new temporary folder."""
    path = log_folder() / "vecnet.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    except OSError:
        path = Path(mkdtemp(prefix="vecnet-")) / path.name
    return path


@cache
def exports_folder() -> Path:
    """Where exports that are under way are remembered; where that cannot be written, a new temporary folder."""
    path = user_state_path("VECNet", appauthor=False) / "exports"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        path = Path(mkdtemp(prefix="vecnet-"))
    return path
