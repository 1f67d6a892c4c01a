"""The preview thread, and the values that pass between it and the window."""

from app.preview_worker.values import (
    CorrectedLight,
    Curve,
    FlickerCurves,
    PreviewRequest,
    PreviewResult,
    SourceLight,
)
from app.preview_worker.worker import PreviewWorker

__all__ = [
    "CorrectedLight",
    "Curve",
    "FlickerCurves",
    "PreviewRequest",
    "PreviewResult",
    "PreviewWorker",
    "SourceLight",
]
