"""Pictures from arrays: R'G'B' floats to the BGRA bytes that Qt paints fastest, turned the way they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray

Scalar = TypeVar("Scalar", bound=np.generic)
BGRAArray = npt.NDArray[np.uint8]
"""(H, W, 4) bytes in the order blue, green, red, 255."""


def to_bgra(rgb: RGBArray) -> BGRAArray:
    """R'G'B' (H, W, 3) float in [0, 1] as bytes for `to_qimage`; rounds half up."""
    height, width = rgb.shape[:2]
    bgra = np.empty((height, width, 4), np.uint8)
    codes = np.clip(rgb, 0.0, 1.0) * np.float32(255.0)
    codes += np.float32(0.5)
    bgra[..., 2::-1] = codes
    bgra[..., 3] = 255
    return bgra


def to_qimage(bgra: BGRAArray) -> QImage:
    """An image that owns its pixels; a QImage over NumPy memory does not keep the array alive."""
    height, width = bgra.shape[:2]
    contiguous = np.ascontiguousarray(bgra)
    return QImage(contiguous.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def turned(picture: npt.NDArray[Scalar], degrees: int) -> npt.NDArray[Scalar]:
    """The picture (H, W, ...) rotated counter-clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(picture, k=(degrees // 90) % 4)) if degrees % 360 else picture
