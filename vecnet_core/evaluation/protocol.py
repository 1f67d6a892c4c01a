"""The evaluation itself: every method on every test clip, one clip in memory at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecnet_core.baselines import BASELINES, Baseline
from vecnet_core.errors import DataError
from vecnet_core.evaluation.clips import FORMS, STEADY, find_scenes
from vecnet_core.evaluation.degradation import SUBSETS, VARIANTS
from vecnet_core.evaluation.scores import EVERY, ClipJudge, ClipScores, summarise
from vecnet_core.settings import CorrectionSettings

if TYPE_CHECKING:
    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.evaluation.clips import PairedClip
    from vecnet_core.frame import RGBArray

FRAMES_PER_CLIP = 12
SEED = 0

OURS = "vecnet"
EVERYWHERE = (OURS, "input", "ffmpeg_normalize_deflicker")
"""Methods that run on every variant; the others run only where the light is steady."""

Progress = Callable[[int, int, str], None]

Method = Callable[["PairedClip"], "RGBArray"]
"""A test clip -> its corrected frames, (T, H, W, 3) float32 as given."""

Watcher = Callable[["PairedClip", str, "RGBArray"], None]
"""A test clip, a method's name and what the method made of the clip; what it wants of them it copies."""


def evaluate(
    data: Path | Sequence[Path] | None = None,
    *,
    corrector: Corrector | None = None,
    checkpoint: Path | None = None,
    device: str = "auto",
    frames_per_clip: int = FRAMES_PER_CLIP,
    progress: Progress | None = None,
    settings: CorrectionSettings | None = None,
    methods: Mapping[str, Method] | None = None,
    watch: Watcher | None = None,
) -> dict[str, Any]:
    """Score our method and the baselines.

    Args:
        data: Folder or folders of test clips (see `clips.find_scenes`); by default the footage beside the checkout,
            its ``val`` videos and its ``brackets``.
        corrector: What corrects; loaded from `checkpoint` by default.
        checkpoint: Weights to load; the bundled ones by default.
        device: Where to run it: ``auto``, ``cpu``, ``cuda`` and the like.
        frames_per_clip: Consecutive frames taken from the middle of every clip.
        progress: Called with test clips done, their number, and what was done.
        settings: How our method is set; the defaults when left out.
        methods: What to score, by name, in place of `baseline_methods` and ours; no corrector is loaded then.
        watch: Called with every answer once it is scored, such as `strips.StripPictures.keep`.

    Returns:
        ``rows``: a dictionary for every method, subset and variant (see `scores.summarise`), in a fixed order;
        ``clips``: one for every method and test clip (see `scores.ClipScores`), in the same order, None for NaN;
        ``protocol``: what was run on what. The same inputs give the same numbers, processor time apart.

    Raises:
        DataError: There is nothing to evaluate on.
    """
    folders = default_folders() if data is None else [data] if isinstance(data, Path) else list(data)
    scenes = [scene for folder in folders for scene in find_scenes(folder, frames_per_clip, SEED)]
    if methods is None:
        corrector = load_ours(checkpoint, device) if corrector is None else corrector
        methods = {**baseline_methods(), OURS: corrector_method(corrector, settings)}
    total = sum(scene.count for scene in scenes)
    done = 0
    collected: dict[tuple[str, str, str], list[tuple[str, ClipScores]]] = {}
    for scene in scenes:
        for clip in scene.clips():
            judge = ClipJudge(clip)
            for name, method in methods.items():
                if applies(name, clip):
                    if done == 0:
                        method(clip)  # kernels compile and threads start off the clock
                    corrected, cpu_ms = timed(method, clip)
                    key = (clip.subset, clip.variant, name)
                    collected.setdefault(key, []).append((clip.name, judge.score(corrected, cpu_ms)))
                    if watch is not None:
                        watch(clip, name, corrected)
            done += 1
            if progress is not None:
                progress(done, total, f"{clip.name} {clip.subset} {clip.variant}")
    rows: list[dict[str, Any]] = []
    clips: list[dict[str, Any]] = []
    for (subset, variant, name), scored in sorted(collected.items(), key=lambda item: _order(item[0])):
        key = {"method": name, "subset": subset, "variant": variant}
        worst, _ = min(scored, key=lambda pair: pair[1].psnr_db)
        rows.append({**key, **summarise([scores for _, scores in scored], SEED), "worst_clip": worst})
        clips.extend({**key, "clip": clip, **_known(scores)} for clip, scores in scored)
    protocol = {
        "seed": SEED,
        "frames_per_clip": frames_per_clip,
        "fidelity_of_every_nth_frame": EVERY,
        "data": [folder.name for folder in folders],
        "scenes": [scene.name for scene in scenes],
        "methods": list(methods),
        "settings": (settings or CorrectionSettings()).to_dict(),
        "device": corrector.device_label if corrector is not None else "",
        "model_hash": corrector.model_hash if corrector is not None else "",
    }
    return {"rows": rows, "clips": clips, "protocol": protocol}


def timed(method: Method, clip: PairedClip) -> tuple[RGBArray, float]:
    """What one method makes of one test clip, and its processor time in milliseconds a frame."""
    start = time.process_time()
    corrected = method(clip)
    return corrected, 1000.0 * (time.process_time() - start) / len(clip.frames)


def applies(name: str, clip: PairedClip) -> bool:
    """True if a method is scored on a clip: baselines where light is steady, the oracle where the truth is known."""
    if name == "oracle" and clip.true_ev is None:
        return False
    return name in EVERYWHERE or name not in BASELINES or clip.variant in STEADY


def load_ours(checkpoint: Path | None, device: str) -> Corrector:
    """The corrector of a checkpoint; torch is loaded only now, so that baselines do without."""
    from vecnet_core.correction.corrector import load_corrector

    return load_corrector(checkpoint, device)


def baseline_methods() -> dict[str, Method]:
    """Every baseline, by name."""

    def method(baseline: Baseline) -> Method:
        return lambda clip: baseline(clip.frames, clip.true_ev)

    return {name: method(baseline) for name, baseline in BASELINES.items()}


def corrector_method(corrector: Corrector, settings: CorrectionSettings | None = None) -> Method:
    """Our method as the product runs it, with the settings' defaults where none are given."""
    from vecnet_core.correction.corrector import correct_frames

    def correct(clip: PairedClip) -> RGBArray:
        return correct_frames(clip.frames, corrector=corrector, settings=settings, frame_rate=clip.frame_rate)

    return correct


def default_folders() -> list[Path]:
    """The footage beside the checkout: validation videos and, if there, brackets.

    Raises:
        DataError: It is not there.
    """
    footage = Path(__file__).resolve().parents[2].parent / "shared" / "footage"
    if not (footage / "val").is_dir():
        raise DataError("no test clips were given, and there are none beside the program", hint=FORMS)
    return [folder for folder in (footage / "val", footage / "brackets") if folder.is_dir()]


def _known(scores: ClipScores) -> dict[str, float | None]:
    """The scores as JSON has them, which knows no NaN."""
    return {name: None if math.isnan(value) else value for name, value in asdict(scores).items()}


def _order(key: tuple[str, str, str]) -> tuple[int, str, int, int, str]:
    subset, variant, name = key
    names = [*BASELINES, OURS]
    return (
        SUBSETS.index(subset) if subset in SUBSETS else len(SUBSETS),
        subset,
        VARIANTS.index(variant) if variant in VARIANTS else len(VARIANTS),
        names.index(name) if name in names else len(names),
        name,
    )
