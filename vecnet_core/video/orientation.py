"""How a picture is turned, and mirrored, to be shown: what a display matrix comes to."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

MIRRORED = "the picture is marked to be shown mirrored left to right, which is not done here"
"""Said of footage by those who open it."""

_MATRIX = struct.Struct("=9i")


class Orientation(NamedTuple):
    """What is done with a stored picture to show it.

    Attributes:
        degrees: Turned counter-clockwise so far: 0 to 359.
        is_mirrored: Then mirrored left to right. Whoever leaves that out still shows the picture upright.
    """

    degrees: int = 0
    is_mirrored: bool = False


def read_orientation(matrix: bytes | None) -> Orientation:
    """The orientation that a display matrix means, as FFmpeg has it; of none, and of a damaged one, as stored."""
    if matrix is None or len(matrix) != _MATRIX.size:
        return Orientation()
    # (x, y) is shown at (a x + c y, b x + d y).
    a, b, _, c, d, *_ = _MATRIX.unpack(matrix)
    if a * d == b * c:
        return Orientation()
    is_mirrored = a * d < b * c
    if is_mirrored:
        a, c = -a, -c
    angle = math.atan2(b / math.hypot(b, d), a / math.hypot(a, c))
    return Orientation(round(-math.degrees(angle)) % 360, is_mirrored)
