"""Where things lie: shares of the picture as it is shown, and pixels of the frame as it is stored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from vecnet_core.frame import Part, Region

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

WHOLE = QRectF(0.0, 0.0, 1.0, 1.0)
_GRID_PX = 64
"""Parts begin and end on this grid, with half of it to spare: small pans ask for no other part."""


def display_size(info: VideoInfo) -> tuple[float, float]:
    """Width and height of the picture as shown: with its pixel aspect and rotation, in source pixels."""
    width, height = info.width * float(info.pixel_aspect), float(info.height)
    return (height, width) if info.rotation_degrees % 180 else (width, height)


def as_stored(at: QPointF, degrees: int) -> QPointF:
    """A place in the picture as shown, rotated counter-clockwise by ``degrees``, as a place in the frame; in shares."""
    x, y = at.x(), at.y()
    return (QPointF(x, y), QPointF(1 - y, x), QPointF(1 - x, 1 - y), QPointF(y, 1 - x))[degrees // 90 % 4]


def as_shown(at: QPointF, degrees: int) -> QPointF:
    """The way back from `as_stored`."""
    return as_stored(at, -degrees % 360)


def pixel_at(at: QPointF, info: VideoInfo) -> tuple[int, int]:
    """Row and column, as stored, of the pixel at a place in the picture as shown."""
    place = as_stored(at, info.rotation_degrees)
    row, column = int(place.y() * info.height), int(place.x() * info.width)
    return min(max(row, 0), info.height - 1), min(max(column, 0), info.width - 1)


def region_of(shown: QRectF, info: VideoInfo) -> Region:
    """A rectangle of the picture as shown, in shares, as a region of the frame."""
    stored = _turned(shown, info.rotation_degrees)
    return Region(stored.left(), stored.top(), stored.right(), stored.bottom())


def part_around(shown: QRectF, info: VideoInfo) -> Part:
    """The part of the frame to make for a rectangle of the picture as shown, in shares."""
    stored = _turned(shown, info.rotation_degrees)
    top, bottom = _on_grid(stored.top(), stored.bottom(), info.height)
    left, right = _on_grid(stored.left(), stored.right(), info.width)
    return Part(top, left, bottom - top, right - left)


def extent_of(part: Part, info: VideoInfo) -> QRectF:
    """Where a part of the frame lies in the picture as shown, in shares."""
    stored = QRectF(part.left / info.width, part.top / info.height, part.width / info.width, part.height / info.height)
    return _turned(stored, -info.rotation_degrees % 360)


def _turned(shares: QRectF, degrees: int) -> QRectF:
    return QRectF(as_stored(shares.topLeft(), degrees), as_stored(shares.bottomRight(), degrees)).normalized()


def _on_grid(low: float, high: float, length: int) -> tuple[int, int]:
    spare = _GRID_PX // 2
    first = max(math.floor((low * length - spare) / _GRID_PX) * _GRID_PX, 0)
    return min(first, length - 1), min(math.ceil((high * length + spare) / _GRID_PX) * _GRID_PX, length)
