"""Makes a data set of pairs from good clips and photos: filmed again, badly, and written in the layout of DIME."""

from __future__ import annotations

import os
import shutil
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vecnet_core.data.clips import decode, list_media
from vecnet_core.data.dime import BAD_FOLDER, GOOD_FOLDER
from vecnet_core.data.panorama import PANORAMA_SUFFIXES
from vecnet_core.data.synthesis import SynthesisConfig, draw_camera, draw_light
from vecnet_core.errors import DataError, VecnetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vecnet_core.data.camera import FloatArray

FULL_SIZE = 1 << 16
"""A short side that no frame exceeds: nothing is reduced."""


@dataclass(frozen=True)
class MadePair:
    """One clip of a made data set.

    Attributes:
        name: Name of its folders.
        frames: Their number.
        exposure_ev: Stops by which all of the bad one is too bright; 0 where only parts of it are.
        skipped: Why it could not be made, or nothing.
    """

    name: str
    frames: int
    exposure_ev: float
    skipped: str = ""


def make_pairs(
    sources: list[Path],
    folder: Path,
    *,
    split: str = "train",
    frames: int = 24,
    seed: int = 0,
    config: SynthesisConfig | None = None,
) -> Iterator[MadePair]:
    """Write ``folder/<split>/GT/<clip>`` and ``LQ/<clip>`` for every clip and photo of ``sources``, at full size.

    Args:
        sources: Folders of well-exposed clips and photos.
        folder: The data set; clips that it has already are refused, not replaced.
        split: ``train`` or ``test``.
        frames: At most so many frames of a clip, from its middle.
        seed: Another seed draws other cameras; a clip's camera depends on it and on the clip's name alone.
        config: How bad they get.

    Yields:
        Each clip once both its folders are whole.

    Raises:
        DataError: A source is no folder or has nothing to offer, or a clip is there already.
    """
    media: list[Path] = []
    for source in sources:
        if not source.is_dir():
            raise DataError("this is not a folder of clips", path=source)
        media += [path for path in list_media(source) if path.suffix.lower() not in PANORAMA_SUFFIXES]
    if not media:
        raise DataError("there is no clip or photo here", path=sources[0], hint="give folders with .mp4 or .jpg files")
    good_root, bad_root = (folder / split / side for side in (GOOD_FOLDER, BAD_FOLDER))
    names = [path.stem for path in media]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two clips are named {name}", path=sources[0], hint="rename one of them")
        for root in (good_root, bad_root):
            if (root / name).exists():
                raise DataError("this clip is there already", path=root / name, hint="choose another folder")
    for path in media:
        try:
            reference = decode(path, FULL_SIZE, frames)
        except VecnetError as error:
            yield MadePair(path.stem, 0, 0.0, error.sentence)
            continue
        rng = np.random.default_rng((seed, zlib.crc32(path.name.encode())))
        camera = draw_camera(rng, config or SynthesisConfig(), reference.shape[1:3])
        light = draw_light(rng, len(reference))
        good = (frame.astype(np.float32) / np.float32(255) for frame in reference)
        # A frame at a time: in floating point a clip takes four times its memory.
        bad = (
            camera.film(camera.light_of(frame[None].astype(np.float32) / np.float32(255)), light[at : at + 1], rng)[0]
            for at, frame in enumerate(reference)
        )
        _write(good_root / path.stem, good)
        try:
            _write(bad_root / path.stem, bad)
        except BaseException:
            shutil.rmtree(good_root / path.stem, ignore_errors=True)
            raise
        yield MadePair(path.stem, len(reference), camera.ev)


def _write(folder: Path, pictures: Iterator[FloatArray]) -> None:
    """Number the pictures of a clip from 0 in a folder that appears whole or not at all."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        for number, picture in enumerate(pictures):
            codes = (picture * 255 + 0.5).astype(np.uint8)
            Image.fromarray(codes).save(part / f"{number:05d}.png", compress_level=3)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
