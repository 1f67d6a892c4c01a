"""The preview thread, and the values that pass between it and the window."""

from app.preview_worker.times import ClipTimes
from app.preview_worker.values import (
    Color,
    CorrectedLight,
    Curve,
    Detail,
    FlickerCurves,
    OpenRequest,
    OverlayPicture,
    PinReading,
    Pixel,
    PreviewRequest,
    PreviewResult,
    SoundWave,
    SourceLight,
)
from app.preview_worker.worker import PreviewWorker

__all__ = [
    "ClipTimes",
    "Color",
    "CorrectedLight",
    "Curve",
    "Detail",
    "FlickerCurves",
    "OpenRequest",
    "OverlayPicture",
    "PinReading",
    "Pixel",
    "PreviewRequest",
    "PreviewResult",
    "PreviewWorker",
    "SoundWave",
    "SourceLight",
]
