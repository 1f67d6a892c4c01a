"""What a camera took, as upright 8-bit pictures with their times: a video, or a folder of photos in name order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from vecnet_core.data.dime import frames_of
from vecnet_core.errors import DataError
from vecnet_core.video.color import to_rgb
from vecnet_core.video.footage import open_reader

if TYPE_CHECKING:
    from collections.abc import Generator

    from vecnet_core.video.frame_reader import FrameReader

ByteImage = npt.NDArray[np.uint8]
"""(H, W, 3) uint8 R'G'B'."""

PHOTO_RATE = 25.0
"""Pictures a second of a folder, which does not say; only limits on the offset are counted in it."""


@dataclass(frozen=True)
class Recording:
    """One recording, read picture by picture.

    Attributes:
        path: The video or folder.
        height: Rows of its pictures, upright.
        width: Columns of its pictures, upright.
        pixel_aspect: Width of a pixel over its height.
        seconds: (T,) when each picture was taken, from the first one's start.
        frame_rate: Pictures per second; None for a folder, which does not say.
        picture: Reads one by its number, from 0.
    """

    path: Path
    height: int
    width: int
    pixel_aspect: Fraction
    seconds: npt.NDArray[np.float64]
    frame_rate: float | None
    picture: Callable[[int], ByteImage]

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.seconds)


@contextmanager
def open_recording(path: Path) -> Generator[Recording]:
    """Open a video file or a folder of photos.

    Raises:
        DataError: The folder holds no photo, or one cannot be read or differs in size.
        VideoOpenError: The file is no video that can be read.
    """
    if path.is_dir():
        yield _folder(path)
        return
    with open_reader(path, is_strict=True) as reader:
        yield _video(reader)


def _video(reader: FrameReader) -> Recording:
    """The pictures of a video, turned as its players show it."""
    info = reader.info
    turns = info.rotation_degrees // 90
    height, width = (info.width, info.height) if turns % 2 else (info.height, info.width)
    aspect = 1 / info.pixel_aspect if turns % 2 else info.pixel_aspect
    seconds = np.array([reader.seconds_of(index) for index in range(info.frame_count)], np.float64)

    def picture(index: int) -> ByteImage:
        codes = np.rint(to_rgb(reader.frame(index)) * 255).astype(np.uint8)
        return np.ascontiguousarray(np.rot90(codes, turns))

    rate = _rate_of(seconds) if info.is_variable_rate else float(info.frame_rate)
    return Recording(info.path, height, width, aspect, seconds, rate, picture)


def _rate_of(seconds: npt.NDArray[np.float64]) -> float:
    """Pictures per second of a camera that drops some: a gap counts as the pictures that are missing in it."""
    steps = np.diff(seconds)
    return float(np.rint(steps / np.median(steps)).sum() / steps.sum())


def _folder(folder: Path) -> Recording:
    """The photos of a folder, turned as their camera was held."""
    paths = frames_of(folder)
    if not paths:
        raise DataError("there is no picture in this folder", path=folder, hint="give a video or a folder of photos")
    height, width = _read_photo(paths[0]).shape[:2]

    def picture(index: int) -> ByteImage:
        found = _read_photo(paths[index])
        if found.shape != (height, width, 3):
            size = f"{found.shape[1]} x {found.shape[0]}"
            raise DataError(
                f"it has {size} pixels, the first picture of its folder {width} x {height}",
                path=paths[index],
                hint="make one folder for each size",
            )
        return found

    return Recording(folder, height, width, Fraction(1), np.arange(len(paths)) / PHOTO_RATE, None, picture)


def _read_photo(path: Path) -> ByteImage:
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, Image.DecompressionBombError) as error:
        raise DataError("this picture cannot be read", path=path) from error
