"""Scenes for training: video clips and photos, decoded once to packed arrays that training maps into memory."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from vecnet_core.errors import DataError, VecnetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"})
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
INDEX_NAME = "scenes.json"


@dataclass(frozen=True)
class Scene:
    """One packed scene: a shot of consecutive frames, or a photo (one frame).

    Attributes:
        name: File name it was made from.
        file: Name of the packed array beside the index.
        frames: Number of frames; 1 for a photo.
    """

    name: str
    file: str
    frames: int


class PackedScenes:
    """A folder written by `pack`; arrays are mapped, not read, so that many processes share one copy.

    Raises:
        DataError: The folder holds no packed scenes.
    """

    def __init__(self, folder: Path) -> None:
        """Read the index."""
        self.folder = folder
        index = folder / INDEX_NAME
        if not index.is_file():
            raise DataError(
                "no packed scenes here", path=folder, hint="give the folder of clips it should be made from"
            )
        entries = json.loads(index.read_text(encoding="utf-8"))["scenes"]
        self.scenes = tuple(Scene(**entry) for entry in entries)
        if not self.scenes:
            raise DataError("the packed folder is empty", path=folder)
        self._arrays: dict[str, npt.NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self.scenes)

    def frames(self, number: int) -> npt.NDArray[np.uint8]:
        """All frames of scene ``number``: ``(T, H, W, 3)`` uint8 R'G'B', mapped."""
        scene = self.scenes[number]
        if scene.file not in self._arrays:
            self._arrays[scene.file] = np.load(self.folder / scene.file, mmap_mode="r")
        return self._arrays[scene.file]


def pack(sources: list[Path], folder: Path, short_side: int = 288) -> Iterator[Scene]:
    """Decode every clip and photo below ``sources`` into ``folder``, reduced to ``short_side`` pixels.

    Args:
        sources: Folders with clips and photos; read in name order.
        folder: Where the arrays and the index go; made if missing.
        short_side: Size of the packed frames' short side.

    Yields:
        Each scene as it is written. The index is written last, so a half-packed folder is never used.

    Raises:
        DataError: A source is no folder, or nothing in it can be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scenes: list[Scene] = []
    for path in list_media(sources):
        try:
            frames = decode(path, short_side)
        except VecnetError as error:
            logger.warning("left out: %s", error)
            continue
        scene = Scene(path.name, f"{len(scenes):04d}.npy", len(frames))
        np.save(folder / scene.file, frames)
        scenes.append(scene)
        yield scene
    if not scenes:
        raise DataError(
            "no clip or photo could be read", path=sources[0], hint="give folders with .mp4 clips or .jpg photos"
        )
    index = json.dumps({"scenes": [asdict(scene) for scene in scenes]}, indent=1)
    (folder / INDEX_NAME).write_text(index, encoding="utf-8")


def list_media(sources: list[Path]) -> list[Path]:
    """Clips and photos in ``sources``, sorted by name."""
    found: list[Path] = []
    for source in sources:
        if not source.is_dir():
            raise DataError("this is not a folder of clips", path=source)
        found += sorted(path for path in source.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES | PHOTO_SUFFIXES)
    return found


def decode(path: Path, short_side: int) -> npt.NDArray[np.uint8]:
    """All frames of a clip, or the one of a photo, as ``(T, H, W, 3)`` uint8 R'G'B' with the given short side."""
    if path.suffix.lower() in PHOTO_SUFFIXES:
        try:
            with Image.open(path) as image:
                frames = [np.asarray(image.convert("RGB"))]
        except OSError as error:
            raise DataError("this photo cannot be read", path=path) from error
    else:
        from vecnet_core.video.color import to_rgb
        from vecnet_core.video.reader import VideoReader

        with VideoReader(path) as reader:
            frames = [np.rint(to_rgb(frame) * 255).astype(np.uint8) for frame in reader.frames()]
    return np.stack([shrink(frame, short_side) for frame in frames])


def shrink(frame: npt.NDArray[np.uint8], short_side: int) -> npt.NDArray[np.uint8]:
    """Reduce ``(H, W, 3)`` uint8 to the given short side; smaller frames are left as they are."""
    height, width = frame.shape[:2]
    scale = short_side / min(height, width)
    if scale >= 1:
        return frame
    size = (round(width * scale), round(height * scale))
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
