"""Where the editor finds its sample clip, keeps its log and presets, and remembers exports and projects under way."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from platformdirs import user_config_path, user_log_path, user_state_path

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
    return _state_folder("exports")


@cache
def projects_folder() -> Path:
    """Where projects are kept against crashes; where that cannot be written, a new temporary folder."""
    return _state_folder("projects")


def presets_file() -> Path:
    """The presets this user has made; it may not exist."""
    return user_config_path("VECNet", appauthor=False) / "presets.json"


def _state_folder(name: str) -> Path:
    path = user_state_path("VECNet", appauthor=False) / name
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        path = Path(mkdtemp(prefix="vecnet-"))
    return path
