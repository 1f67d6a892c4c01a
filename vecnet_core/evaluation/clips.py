"""Where test clips come from: good videos, GT/LQ folders of frames, and brackets of under, reference and over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from vecnet_core.data.clips import middle
from vecnet_core.data.dime import PairFolder, find_pairs, frames_of
from vecnet_core.errors import DataError
from vecnet_core.evaluation.degradation import SUBSETS, VARIANTS, degrade
from vecnet_core.frame import RGBArray
from vecnet_core.video.color import to_rgb
from vecnet_core.video.footage import open_reader

if TYPE_CHECKING:
    from pathlib import Path

ByteFrames = npt.NDArray[np.uint8]

VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}

FOLDER_RATE = 25.0
"""Frames a second of folders of frames, which do not say."""

STILL = "still"
RECORDED = "recorded"

STEADY = ("steady", STILL, RECORDED)
"""Variants in which nothing is added to the light over time: there every method is scored, and pictures are shown."""


@dataclass(frozen=True)
class PairedClip:
    """One clip as it is given to every method.

    Attributes:
        name: Name of the scene; clips of one name share their reference.
        subset: How it is badly exposed.
        variant: How its exposure changes over time.
        frames: (T, H, W, 3) float32 R'G'B' in [0, 1], the bad clip.
        reference: Of the same shape, the good clip.
        frame_rate: Frames per second.
        true_ev: Stops by which it is too bright, where known; see `degradation.BadClip`.
    """

    name: str
    subset: str
    variant: str
    frames: RGBArray
    reference: RGBArray
    frame_rate: float
    true_ev: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Scene:
    """Test clips that share one reference, made only when asked for.

    Attributes:
        name: Name of the scene.
        count: How many test clips it gives.
        clips: Makes them, one after the other.
    """

    name: str
    count: int
    clips: Callable[[], Iterator[PairedClip]]


def find_scenes(folder: Path, frames_per_clip: int, seed: int = 0) -> list[Scene]:
    """All scenes of a folder, in name order.

    Videos are good clips and made bad in every subset and variant; ``GT/<clip>/<frames>`` beside ``LQ/<clip>/<frames>``
    are pairs (also below ``test``), of which the middle frames are taken; ``NNN_under``, ``NNN_ref`` and ``NNN_over``
    images are brackets, each one frame long.

    Args:
        folder: Where to look.
        frames_per_clip: At most so many consecutive frames, from the middle of every clip.
        seed: Seed of the degradation.

    Raises:
        DataError: The folder is missing or holds none of these.
    """
    if not folder.is_dir():
        raise DataError("this is not a folder", path=folder, hint=FORMS)
    scenes = [*_videos(folder, frames_per_clip, seed), *_pairs(folder, frames_per_clip), *_brackets(folder)]
    if not scenes:
        raise DataError("there is nothing to evaluate on", path=folder, hint=FORMS)
    return scenes


FORMS = (
    "give a folder of well exposed videos, of GT/<clip>/<frames> and LQ/<clip>/<frames>, "
    "or of NNN_under, NNN_ref and NNN_over images"
)


def _videos(folder: Path, frames_per_clip: int, seed: int) -> list[Scene]:
    def scene(path: Path) -> Scene:
        def clips() -> Iterator[PairedClip]:
            good, rate = _read_video(path, frames_per_clip)
            reference = good.astype(np.float32) / np.float32(255)
            for subset in SUBSETS:
                for variant in VARIANTS:
                    bad = degrade(good, path.stem, subset, variant, seed)
                    yield PairedClip(path.stem, subset, variant, bad.frames, reference, rate, bad.true_ev)

        return Scene(path.stem, len(SUBSETS) * len(VARIANTS), clips)

    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    return [scene(path) for path in paths]


def _pairs(folder: Path, frames_per_clip: int) -> list[Scene]:
    def scene(pair: PairFolder) -> Scene:
        def clips() -> Iterator[PairedClip]:
            part = middle(len(pair.good), frames_per_clip)
            reference = _stack([_read_image(path) for path in pair.good[part]], pair.good[0].parent)
            frames = _stack([_read_image(path) for path in pair.bad[part]], pair.bad[0].parent)
            if frames.shape != reference.shape:
                raise DataError("its frames differ in size from those of the reference", path=pair.bad[0].parent)
            yield PairedClip(pair.name, "paired", RECORDED, frames, reference, FOLDER_RATE)

        return Scene(pair.name, 1, clips)

    return [scene(pair) for pair in find_pairs(folder, "test")]


def _brackets(folder: Path) -> list[Scene]:
    def scene(name: str, reference_path: Path, sides: dict[str, Path]) -> Scene:
        def clips() -> Iterator[PairedClip]:
            reference = _read_image(reference_path)[None]
            for side, path in sides.items():
                frames = _read_image(path)[None]
                if frames.shape != reference.shape:
                    raise DataError("it differs in size from its reference", path=path)
                yield PairedClip(name, f"bracket_{side}", STILL, frames, reference, FOLDER_RATE)

        return Scene(name, len(sides), clips)

    images = {path.stem: path for path in frames_of(folder)}
    scenes: list[Scene] = []
    for stem, path in images.items():
        if not stem.endswith("_ref"):
            continue
        name = stem.removesuffix("_ref")
        sides = {side: images[f"{name}_{side}"] for side in ("under", "over") if f"{name}_{side}" in images}
        if sides:
            scenes.append(scene(name, path, sides))
    return scenes


def _read_video(path: Path, frames_per_clip: int) -> tuple[ByteFrames, float]:
    with open_reader(path, is_strict=True) as reader:
        part = middle(reader.info.frame_count, frames_per_clip)
        frames = [np.rint(to_rgb(frame) * 255).astype(np.uint8) for frame in reader.frames(part.start, part.stop)]
        rate = float(reader.info.frame_rate)
    if not frames:
        raise DataError("no frame can be read", path=path)
    return np.stack(frames), rate


def _read_image(path: Path) -> RGBArray:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"), dtype=np.float32) / np.float32(255)
    except OSError as error:
        raise DataError("this image cannot be read", path=path) from error


def _stack(frames: list[RGBArray], path: Path) -> RGBArray:
    if len({frame.shape for frame in frames}) > 1:
        raise DataError("its frames differ in size", path=path)
    return np.stack(frames)
