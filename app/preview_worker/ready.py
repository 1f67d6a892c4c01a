"""Frames that are composed and ready to be played: bytes for the screen, below a number of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.map_pictures import MapKind
from app.preview_worker.instruments import traces_of
from app.preview_worker.values import PreviewRequest, PreviewResult
from app.qimage import BGRAArray
from vecnet_core.cache import ByteCache
from vecnet_core.metrics.scales import Overlay

if TYPE_CHECKING:
    from app.session import Size
    from vecnet_core.frame import RGBArray, VideoInfo

_FILLED_SHARE = 0.9
"""Of the budget; the rest is for frames of other settings or sizes."""
_BEHIND = 4
"""One frame in so many is kept behind the playhead, the others ahead of it."""


@dataclass(frozen=True)
class ReadyPicture:
    """A frame before and after, turned as it is shown, B, G, R, A bytes."""

    original_bgra: BGRAArray
    corrected_bgra: BGRAArray

    @property
    def nbytes(self) -> int:
        """Memory of both."""
        return self.original_bgra.nbytes + self.corrected_bgra.nbytes


class ReadyFrames:
    """The ready frames of one clip, by frame, settings and size; used from the preview thread.

    Args:
        count: Frames of the clip.
        budget_bytes: What may be held.
    """

    def __init__(self, count: int = 0, budget_bytes: int = 0) -> None:
        """Nothing is ready."""
        self._count = count
        self._pictures: ByteCache[ReadyPicture] = ByteCache(budget_bytes)
        self._frame_bytes = 0

    def get(self, request: PreviewRequest, size: Size | None) -> ReadyPicture | None:
        """The picture of a request at a size; None when it is not ready."""
        return self._pictures.get((request.index, request.settings, size))

    def put(self, request: PreviewRequest, size: Size | None, picture: ReadyPicture) -> None:
        """Keep a picture."""
        self._frame_bytes = picture.nbytes
        self._pictures.put((request.index, request.settings, size), picture)

    def clear(self) -> None:
        """Forget all: the clip's light or the network is another."""
        self._pictures.clear()

    def states(self, request: PreviewRequest) -> npt.NDArray[np.bool_]:
        """Which frames ``(T,)`` are ready as this request wants them."""
        held = ((index, request.settings, request.size) in self._pictures for index in range(self._count))
        return np.fromiter(held, np.bool_, self._count)

    def next_missing(self, request: PreviewRequest, analysed: npt.NDArray[np.bool_]) -> int | None:
        """The analysed frame to make ready next: ahead of the playhead first, as far as the budget reaches."""
        if request.map_kind is not MapKind.RESULT or request.overlay is not Overlay.NONE:
            return None
        room = self._count
        if self._frame_bytes:
            room = int(_FILLED_SHARE * self._pictures.budget_bytes) // self._frame_bytes
        # Near the end of the clip what is not needed ahead goes behind, to where a loop begins again.
        behind = min(max(room // _BEHIND, room - (self._count - request.index)), request.index)
        ahead = range(request.index, min(request.index + room - behind, self._count))
        for index in (*ahead, *range(request.index - 1, request.index - behind - 1, -1)):
            if analysed[index] and (index, request.settings, request.size) not in self._pictures:
                return index
        return None


def is_plain(request: PreviewRequest) -> bool:
    """Whether ready bytes can be shown for it: maps and overlays are made of the numbers behind them."""
    return request.map_kind is MapKind.RESULT and request.overlay is Overlay.NONE and not request.pins


def is_playable(request: PreviewRequest) -> bool:
    """Whether ready bytes are all that is wanted."""
    return request.is_playing and is_plain(request)


def halved(size: Size | None, info: VideoInfo) -> Size:
    """Half of a size, or of the full size."""
    height, width = size or (info.height, info.width)
    return max(height // 2, 2), max(width // 2, 2)


def ready_of(made: PreviewResult) -> ReadyPicture | None:
    """What is kept of a frame that was made; None where it has no correction."""
    return None if made.corrected_bgra is None else ReadyPicture(made.original_bgra, made.corrected_bgra)


def result_of(request: PreviewRequest, picture: ReadyPicture) -> PreviewResult:
    """A ready picture as the answer to a request."""
    original, corrected = as_rgb(picture.original_bgra), as_rgb(picture.corrected_bgra)
    return PreviewResult(
        request,
        original,
        picture.original_bgra,
        corrected,
        picture.corrected_bgra,
        traces=traces_of(request.scopes, original, corrected),
    )


def as_rgb(bgra: BGRAArray) -> RGBArray:
    """Bytes of the screen as R'G'B' float32 in [0, 1], for the probe and the scopes."""
    return np.multiply(bgra[..., 2::-1], np.float32(1 / 255), dtype=np.float32, order="C")
