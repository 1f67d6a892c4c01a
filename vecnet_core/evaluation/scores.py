"""Scores of one corrected clip, and their summary over the clips of a subset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vecnet_core.cuts import CutDetector
from vecnet_core.metrics.exposure import exposure_grid_ev, exposures_ev
from vecnet_core.metrics.fidelity import aligned_fidelity, clipped_bias, psnr, ssim
from vecnet_core.metrics.flicker import flicker, flicker_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecnet_core.evaluation.clips import PairedClip
    from vecnet_core.frame import RGBArray

EVERY = 3
"""PSNR, SSIM and clipped bias are taken of every third frame; exposure and flicker of all."""

GRID = 4
BOOTSTRAP_DRAWS = 2000

CUT_SIDE_PX = 128
"""Short side of the frames in which cuts and repeated frames are looked for."""


@dataclass(frozen=True)
class ClipScores:
    """Scores of one method on one clip; `metrics` defines each.

    Attributes:
        psnr_db: Mean over frames.
        ssim: Mean over frames.
        ea_psnr_db: Exposure-aligned PSNR, one exposure value for the clip.
        exposure_error_ev: Size of that value in stops.
        flicker_stops: Flicker without reference; cuts and repeated frames of the reference are left out.
        flicker_error_stops: Flicker against the reference, over the frame.
        flicker_error_grid_stops: The same, mean over a 4 x 4 grid.
        clipped_luma_bias: Mean luma error where the input is clipped; NaN where nothing is.
        clipped_chroma_bias: Mean colour error there; NaN where nothing is clipped.
        cpu_ms_per_frame: Processor time of the method.
    """

    psnr_db: float
    ssim: float
    ea_psnr_db: float
    exposure_error_ev: float
    flicker_stops: float
    flicker_error_stops: float
    flicker_error_grid_stops: float
    clipped_luma_bias: float
    clipped_chroma_bias: float
    cpu_ms_per_frame: float


class ClipJudge:
    """Scores what methods made of one test clip; what concerns only the reference is measured once."""

    def __init__(self, clip: PairedClip) -> None:
        """Measure the reference."""
        self._clip = clip
        self._reference_ev = exposures_ev(clip.reference)
        self._reference_grid_ev = _grids(clip.reference)
        self._cuts, self._duplicates = cuts_and_duplicates(clip.reference)

    def score(self, corrected: RGBArray, cpu_ms_per_frame: float) -> ClipScores:
        """Scores of one method's answer, (T, H, W, 3) as the clip."""
        clip = self._clip
        shown = slice(None, None, EVERY)
        pairs = list(zip(corrected[shown], clip.reference[shown], clip.frames[shown], strict=True))
        aligned = aligned_fidelity(corrected[shown], clip.reference[shown])
        biases = [clipped_bias(output, reference, source) for output, reference, source in pairs]
        pixels = sum(bias.pixels for bias in biases)
        luma = sum(bias.luma * bias.pixels for bias in biases) / pixels if pixels else float("nan")
        chroma = sum(bias.chroma * bias.pixels for bias in biases) / pixels if pixels else float("nan")
        exposures = exposures_ev(corrected)
        return ClipScores(
            psnr_db=float(np.mean([psnr(output, reference) for output, reference, _ in pairs])),
            ssim=float(np.mean([ssim(output, reference) for output, reference, _ in pairs])),
            ea_psnr_db=aligned.psnr_db,
            exposure_error_ev=aligned.exposure_error_ev,
            flicker_stops=flicker(exposures, clip.frame_rate, self._cuts, self._duplicates).stops,
            flicker_error_stops=flicker_error(exposures, self._reference_ev),
            flicker_error_grid_stops=flicker_error(_grids(corrected), self._reference_grid_ev),
            clipped_luma_bias=luma,
            clipped_chroma_bias=chroma,
            cpu_ms_per_frame=cpu_ms_per_frame,
        )


def summarise(scores: Sequence[ClipScores], seed: int = 0) -> dict[str, Any]:
    """Mean over clips of every score, with the median, the worst and a 95 % bootstrap interval of PSNR and SSIM.

    Biases are means over the clips in which something is clipped, and None if nothing is.
    """
    draws = np.random.default_rng(seed).integers(0, len(scores), (BOOTSTRAP_DRAWS, len(scores)))
    return {
        **_spread("psnr_db", scores, draws),
        **_spread("ssim", scores, draws),
        **{
            name: _mean([getattr(score, name) for score in scores])
            for name in (
                "ea_psnr_db",
                "exposure_error_ev",
                "flicker_stops",
                "flicker_error_stops",
                "flicker_error_grid_stops",
                "clipped_luma_bias",
                "clipped_chroma_bias",
                "cpu_ms_per_frame",
            )
        },
        "clips": len(scores),
    }


def cuts_and_duplicates(frames: RGBArray) -> tuple[list[int], list[int]]:
    """Index of every first frame after a cut, and of every frame that repeats the one before it.

    Args:
        frames: (T, H, W, 3) R'G'B' in [0, 1], full size.
    """
    detector = CutDetector()
    cuts: list[int] = []
    duplicates: list[int] = []
    for index, frame in enumerate(frames):
        if detector.update(_reduced(frame)):
            cuts.append(index)
        if detector.is_duplicate:
            duplicates.append(index)
    return cuts, duplicates


def _reduced(frame: RGBArray) -> RGBArray:
    """The means of square blocks that leave about `CUT_SIDE_PX` on the short side."""
    side = max(1, min(frame.shape[:2]) // CUT_SIDE_PX)
    rows, columns = frame.shape[0] // side, frame.shape[1] // side
    blocks = frame[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _spread(name: str, scores: Sequence[ClipScores], draws: npt.NDArray[np.int64]) -> dict[str, float]:
    """How a score lies over the clips; `draws` are the clips of every bootstrap sample, (samples, clips)."""
    values = np.array([getattr(score, name) for score in scores])
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return {
        name: float(values.mean()),
        f"{name}_median": float(np.median(values)),
        f"{name}_worst": float(values.min()),
        f"{name}_low": float(low),
        f"{name}_high": float(high),
    }


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None


def _grids(frames: RGBArray) -> npt.NDArray[np.float64]:
    return np.stack([exposure_grid_ev(frame, GRID) for frame in frames])
