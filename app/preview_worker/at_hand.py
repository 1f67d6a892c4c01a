"""The clip the preview thread works on, and how far its background work has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from app.preview_worker.pictures import is_remapped
from app.preview_worker.ready import ReadyFrames
from app.preview_worker.values import Curve, FlickerCurves, PreviewRequest
from app.session import ClipSession, LightScan, Sample, SoundScan
from vecnet_core.frame import Region

CHUNK = 12
"""Frames analysed in a row before the other side of the playhead has its turn; reading in order avoids seeks."""


@dataclass
class ClipAtHand:
    """The clip at hand, and how far its background work has come."""

    number: int
    session: ClipSession
    last: PreviewRequest | None = None
    scan: LightScan | None = None
    samples: Iterator[Sample] | None = None
    batch: list[Sample] = field(default_factory=list[Sample])
    sound: SoundScan | None = None
    sound_steps: Iterator[float] | None = None
    network_failed: bool = False
    failures: int = 0
    warnings: tuple[str, ...] = ()
    thumbnails_for: PreviewRequest | None = None
    source_ev: Curve = field(default_factory=lambda: np.empty(0))
    corrected_ev: Curve = field(default_factory=lambda: np.empty(0))
    analysed: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    stale: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    measured: list[int] = field(default_factory=list[int])
    cuts: list[int] = field(default_factory=list[int])
    duplicates: list[int] = field(default_factory=list[int])
    flicker_is_stale: bool = False
    ready: ReadyFrames = field(default_factory=ReadyFrames)
    ready_is_told: bool = True
    cannot_be_ready: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    region: Region | None = None
    region_ev: Curve = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        count = self.session.info.frame_count
        self.source_ev = np.full(count, np.nan)
        self.corrected_ev = np.full(count, np.nan)
        self.region_ev = np.full(count, np.nan)
        self.analysed = np.zeros(count, np.bool_)
        self.stale = np.zeros(count, np.bool_)
        self.cannot_be_ready = np.zeros(count, np.bool_)
        # What is shown of an HDR clip is not what is measured on it: bytes for the screen do not stand for its values.
        if not is_remapped(self.session.info.color):
            self.ready = ReadyFrames(count, self.session.ready_bytes)

    @property
    def before_ev(self) -> Curve:
        """Exposure of the source in what is measured of it, as far as that is known."""
        return self.source_ev if self.region is None else self.region_ev

    def flicker(self) -> FlickerCurves:
        """Fast changes of the light before and after, of what is measured so far."""
        from vecnet_core.metrics.flicker import MIN_FRAMES, fast_part, flicker

        rate = float(self.session.info.frame_rate)
        # What was measured under other settings would show as flicker beside what was measured under these.
        corrected = np.where(self.stale, np.nan, self.corrected_ev)
        count = int(np.count_nonzero(np.isfinite(corrected)))
        before = fast_part(self.before_ev, rate, self.cuts, self.duplicates)
        if count < MIN_FRAMES:
            is_known = np.isfinite(self.before_ev).sum() >= MIN_FRAMES
            stops = flicker(self.before_ev, rate, self.cuts, self.duplicates).stops if is_known else 0.0
            return FlickerCurves(self.number, before, np.full_like(before, np.nan), stops, None, count)
        after = fast_part(corrected, rate, self.cuts, self.duplicates)
        # The same frames on both sides, or the two numbers would not be of the same thing.
        both = np.isfinite(before) & np.isfinite(after)
        after_stops = _rms(after[both]) if both.any() else None
        return FlickerCurves(self.number, before, after, _rms(before[both]), after_stops, count)


def nearest(indices: npt.NDArray[np.intp], playhead: int) -> int:
    """The frame to do next: the first of the chunk nearest to the playhead, the later one of two as near."""
    chunks = indices // CHUNK - playhead // CHUNK
    distance = np.where(chunks >= 0, 2 * chunks, -2 * chunks + 1)
    # Inside the playhead's own chunk what is ahead goes first.
    distance = np.where((chunks == 0) & (indices < playhead), 1, distance)
    return int(indices[np.argmin(distance)])


def _rms(values: Curve) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
