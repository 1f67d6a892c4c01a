"""Sliding windows over a clip's frames: clip ends and scene cuts repeat the nearest frame of the same scene."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def window_indices(index: int, frame_count: int, cuts: Sequence[int] = (), size: int = 5) -> tuple[int, ...]:
    """Frames of the window around ``index``, in time order; none lies across a cut.

    Args:
        index: The centre frame.
        frame_count: Frames of the clip.
        cuts: First frame of every scene but the first, rising.
        size: Frames a window, odd.

    Returns:
        ``size`` frame indices with ``index`` in the middle.
    """
    scene = bisect_right(cuts, index)
    first = cuts[scene - 1] if scene else 0
    last = (cuts[scene] if scene < len(cuts) else frame_count) - 1
    reach = size // 2
    return tuple(min(max(index + offset, first), last) for offset in range(-reach, reach + 1))
