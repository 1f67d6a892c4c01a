"""The preview thread, and the values that pass between it and the window."""

from app.preview_worker.values import (
    CorrectedLight,
    Curve,
    FlickerCurves,
    OpenRequest,
    OverlayPicture,
    PreviewRequest,
    PreviewResult,
    SoundWave,
    SourceLight,
)
from app.preview_worker.worker import PreviewWorker

__all__ = [
    "CorrectedLight",
    "Curve",
    "FlickerCurves",
    "OpenRequest",
    "OverlayPicture",
    "PreviewRequest",
    "PreviewResult",
    "PreviewWorker",
    "SoundWave",
    "SourceLight",
]
