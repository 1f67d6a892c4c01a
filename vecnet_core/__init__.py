"""VECNet: corrects badly exposed video. The public names, each loaded only when it is asked for.

Example:
    >>> import vecnet_core
    >>> corrected = vecnet_core.correct_frames(frames)  # (T, H, W, 3) uint8, uint16 or float32
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vecnet_core.correction.corrector import correct_frames, load_corrector
    from vecnet_core.export import export_video
    from vecnet_core.project import Clip, Project
    from vecnet_core.settings import CorrectionSettings
    from vecnet_core.video.decode import DecodeSettings
    from vecnet_core.video.encode import EncodeSettings
    from vecnet_core.video.footage import open_reader
    from vecnet_core.video.reader import VideoReader
    from vecnet_core.video.writer import VideoWriter

__all__ = [
    "Clip",
    "CorrectionSettings",
    "DecodeSettings",
    "EncodeSettings",
    "Project",
    "VideoReader",
    "VideoWriter",
    "correct_frames",
    "export_video",
    "load_corrector",
    "open_reader",
]

_HOMES = {
    "CorrectionSettings": "vecnet_core.settings",
    "DecodeSettings": "vecnet_core.video.decode",
    "EncodeSettings": "vecnet_core.video.encode",
    "Clip": "vecnet_core.project",
    "Project": "vecnet_core.project",
    "VideoReader": "vecnet_core.video.reader",
    "VideoWriter": "vecnet_core.video.writer",
    "correct_frames": "vecnet_core.correction.corrector",
    "export_video": "vecnet_core.export",
    "load_corrector": "vecnet_core.correction.corrector",
    "open_reader": "vecnet_core.video.footage",
}


def __getattr__(name: str) -> Any:
    """Load the module a public name lives in, the first time the name is used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, also those not loaded yet."""
    return sorted({*globals(), *__all__})
