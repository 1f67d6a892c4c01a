"""Scores of one corrected clip, and their summary over the clips of a subset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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


@dataclass(frozen=True)
class ClipScores:
    """Scores of one method on one clip; `metrics` defines each.

    Attributes:
        psnr_db: Mean over frames.
        ssim: Mean over frames.
        ea_psnr_db: Exposure-aligned PSNR, one exposure value for the clip.
        exposure_error_ev: Size of that value in stops.
        flicker_stops: Flicker without reference.
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
            flicker_stops=flicker(exposures, clip.frame_rate).stops,
            flicker_error_stops=flicker_error(exposures, self._reference_ev),
            flicker_error_grid_stops=flicker_error(_grids(corrected), self._reference_grid_ev),
            clipped_luma_bias=luma,
            clipped_chroma_bias=chroma,
            cpu_ms_per_frame=cpu_ms_per_frame,
        )


def summarise(scores: Sequence[ClipScores], seed: int = 0) -> dict[str, Any]:
    """Mean over clips of every score, with the median, the worst and a 95 % bootstrap interval of PSNR.

    Biases are means over the clips in which something is clipped, and None if nothing is.
    """
    psnrs = np.array([score.psnr_db for score in scores])
    draws = np.random.default_rng(seed).integers(0, psnrs.size, (BOOTSTRAP_DRAWS, psnrs.size))
    low, high = np.quantile(psnrs[draws].mean(axis=1), [0.025, 0.975])
    return {
        "psnr_db": float(psnrs.mean()),
        "psnr_db_median": float(np.median(psnrs)),
        "psnr_db_worst": float(psnrs.min()),
        "psnr_db_low": float(low),
        "psnr_db_high": float(high),
        **{
            name: _mean([getattr(score, name) for score in scores])
            for name in (
                "ssim",
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


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None


def _grids(frames: RGBArray) -> npt.NDArray[np.float64]:
    return np.stack([exposure_grid_ev(frame, GRID) for frame in frames])
