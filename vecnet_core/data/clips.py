"""Scenes for training: clips, photos and HDR panoramas, decoded once to packed arrays that training maps to memory."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vecnet_core.data.dime import PairFolder, find_pairs
from vecnet_core.data.panorama import PANORAMA_SUFFIXES, read_panorama
from vecnet_core.errors import DataError, VecnetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"})
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
INDEX_NAME = "scenes.json"
FILMED, PANORAMA, RECORDED = "filmed", "panorama", "recorded"


@dataclass(frozen=True)
class Scene:
    """One packed scene: a shot of consecutive frames, a photo (one frame), a panorama, or a recorded pair.

    Attributes:
        name: File name it was made from.
        file: Name of the packed array beside the index.
        frames: Number of frames; 1 for a photo or a panorama.
        kind: `FILMED`: frames to be spoiled, ``(T, H, W, 3)`` uint8 R'G'B'. `PANORAMA`: linear light all around,
            ``(H, W, 3)`` float16. `RECORDED`: a bad and a good recording, ``(2, T, H, W, 3)`` uint8.
    """

    name: str
    file: str
    frames: int
    kind: str = FILMED


class PackedScenes:
    """A folder written by `pack`; arrays are mapped, not read, so that many processes share one copy.

    Those that were packed small are decoded when first used, and kept by each process.

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
        found = [Scene(**entry) for entry in entries]
        self.scenes, self.panoramas, self.recorded = (
            tuple(scene for scene in found if scene.kind == kind) for kind in (FILMED, PANORAMA, RECORDED)
        )
        if not self.scenes and not self.recorded:
            raise DataError("the packed folder has no clips or photos", path=folder)
        self._arrays: dict[str, npt.NDArray[np.uint8]] = {}
        self._lights: dict[str, npt.NDArray[np.float32]] = {}

    def __len__(self) -> int:
        """Number of clips and photos."""
        return len(self.scenes)

    def frames(self, number: int) -> npt.NDArray[np.uint8]:
        """All frames of scene ``number``: ``(T, H, W, 3)`` uint8 R'G'B', mapped."""
        return self._mapped(self.scenes[number])

    def recording(self, number: int) -> npt.NDArray[np.uint8]:
        """Pair ``number`` of `recorded`: ``(2, T, H, W, 3)`` uint8 R'G'B', bad and good, mapped."""
        return self._mapped(self.recorded[number])

    def panorama(self, number: int) -> npt.NDArray[np.float32]:
        """Panorama ``number`` of `panoramas`: ``(H, W, 3)`` linear light."""
        scene = self.panoramas[number]
        if scene.file not in self._lights:
            self._lights[scene.file] = _load(self.folder / scene.file).astype(np.float32)
        return self._lights[scene.file]

    @property
    def names(self) -> list[str]:
        """The files that everything was made from."""
        return [scene.name for scene in (*self.scenes, *self.panoramas, *self.recorded)]

    def _mapped(self, scene: Scene) -> npt.NDArray[np.uint8]:
        if scene.file not in self._arrays:
            self._arrays[scene.file] = _load(self.folder / scene.file)
        return self._arrays[scene.file]


def pack(
    sources: list[Path],
    folder: Path,
    short_side: int = 288,
    *,
    split: str = "train",
    quality: int | None = None,
    most_frames: int | None = None,
) -> Iterator[Scene]:
    """Decode all that is in ``sources`` into ``folder``, reduced to ``short_side`` pixels.

    Args:
        sources: Folders with clips, photos and panoramas, or data sets of pairs (see `dime.find_pairs`); read in name
            order.
        folder: Where the arrays and the index go; made if missing.
        short_side: Size of the packed frames' short side.
        split: Which part of data sets of pairs, ``train`` or ``test``.
        quality: Of JPEG, to make the folder small enough to be sent; without it frames are kept as they are, which is
            faster to train from.
        most_frames: At most so many frames of a clip, from its middle.

    Yields:
        Each scene as it is written. The index is written last, so a half-packed folder is never used.

    Raises:
        DataError: A source is no folder, or nothing in it can be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scenes: list[Scene] = []
    for name, kind, read in _readers(sources, short_side, split, most_frames):
        try:
            array = read()
        except VecnetError as error:
            logger.warning("left out: %s", error)
            continue
        frames = {FILMED: len(array), PANORAMA: 1, RECORDED: array.shape[1]}[kind]
        scene = Scene(name, f"{len(scenes):04d}.{'npy' if quality is None else 'npz'}", frames, kind)
        if quality is None:
            np.save(folder / scene.file, array)
        else:
            save_small(folder / scene.file, array, quality)
        scenes.append(scene)
        yield scene
    if not scenes:
        hint = "give folders with .mp4 clips, .jpg photos, .hdr panoramas, or GT and LQ"
        raise DataError("no clip or photo could be read", path=sources[0], hint=hint)
    index = json.dumps({"scenes": [asdict(scene) for scene in scenes]}, indent=1)
    (folder / INDEX_NAME).write_text(index, encoding="utf-8")


def _readers(
    sources: list[Path], short_side: int, split: str, most_frames: int | None
) -> Iterator[tuple[str, str, Callable[[], npt.NDArray[Any]]]]:
    """Name, kind and how to read each scene of ``sources``."""
    for source in sources:
        if not source.is_dir():
            raise DataError("this is not a folder of clips", path=source)
        for pair in find_pairs(source, split):
            yield pair.name, RECORDED, partial(_read_pair, pair, short_side, most_frames)
        for path in list_media(source):
            if path.suffix.lower() in PANORAMA_SUFFIXES:
                yield path.name, PANORAMA, partial(_read_light, path)
            else:
                yield path.name, FILMED, partial(decode, path, short_side, most_frames)


def save_small(path: Path, array: npt.NDArray[Any], quality: int) -> None:
    """Write frames ``(..., H, W, 3)`` as JPEG pictures, or light as float16 of seven bits, into one ``.npz``."""
    if array.dtype != np.uint8:
        # The last three of ten bits are below a hundredth: noise that does not compress.
        np.savez_compressed(path, light=array.view(np.uint16) & np.uint16(0xFFF8))
        return
    pictures: list[bytes] = []
    for frame in array.reshape(-1, *array.shape[-3:]):
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", quality=quality, optimize=True)
        pictures.append(buffer.getvalue())
    ends = np.cumsum([len(picture) for picture in pictures])
    np.savez(path, shape=np.array(array.shape), ends=ends, pictures=np.frombuffer(b"".join(pictures), np.uint8))


def _load(path: Path) -> npt.NDArray[Any]:
    """What `pack` wrote: mapped where it was kept as it was, else decoded to memory."""
    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r")
    with np.load(path) as parts:
        if "light" in parts:
            return parts["light"].view(np.float16)
        frames = [
            np.asarray(Image.open(io.BytesIO(picture.tobytes())))
            for picture in np.split(parts["pictures"], parts["ends"][:-1])
        ]
        return np.stack(frames).reshape(parts["shape"])


def list_media(source: Path) -> list[Path]:
    """Clips, photos and panoramas in a folder, sorted by name."""
    suffixes = VIDEO_SUFFIXES | PHOTO_SUFFIXES | PANORAMA_SUFFIXES
    return sorted(path for path in source.iterdir() if path.suffix.lower() in suffixes)


def _read_light(path: Path) -> npt.NDArray[np.float16]:
    return read_panorama(path).astype(np.float16)


def _read_pair(pair: PairFolder, short_side: int, most_frames: int | None) -> npt.NDArray[np.uint8]:
    part = middle(len(pair.good), most_frames)
    sides = [[shrink(read_photo(path), short_side) for path in side[part]] for side in (pair.bad, pair.good)]
    if len({frame.shape for side in sides for frame in side}) > 1:
        raise DataError("its frames differ in size", path=pair.bad[0].parent, hint="GT and LQ need frames of one size")
    return np.stack([np.stack(side) for side in sides])


def decode(path: Path, short_side: int, most_frames: int | None = None) -> npt.NDArray[np.uint8]:
    """A clip's frames, or a photo, as ``(T, H, W, 3)`` uint8 R'G'B' with the given short side.

    At most ``most_frames`` from the clip's middle; others are not kept in memory.
    """
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return shrink(read_photo(path), short_side)[None]
    from vecnet_core.video.color import to_rgb
    from vecnet_core.video.footage import open_reader

    with open_reader(path, is_strict=True) as reader:
        part = middle(reader.info.frame_count, most_frames)
        frames = reader.frames(part.start, part.stop)
        return np.stack([shrink(np.rint(to_rgb(frame) * 255).astype(np.uint8), short_side) for frame in frames])


def middle(count: int, most: int | None) -> slice:
    """At most so many of ``count`` frames, from the middle; all without a limit."""
    most = count if most is None else most
    first = max(0, (count - most) // 2)
    return slice(first, min(count, first + most))


def read_photo(path: Path) -> npt.NDArray[np.uint8]:
    """One picture as ``(H, W, 3)`` uint8 R'G'B'.

    Raises:
        DataError: It cannot be read.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise DataError("this photo cannot be read", path=path) from error


def shrink(frame: npt.NDArray[np.uint8], short_side: int) -> npt.NDArray[np.uint8]:
    """Reduce ``(H, W, 3)`` uint8 to the given short side; smaller frames are left as they are."""
    height, width = frame.shape[:2]
    scale = short_side / min(height, width)
    if scale >= 1:
        return frame
    size = (round(width * scale), round(height * scale))
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
