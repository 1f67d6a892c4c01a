"""A clip as the list shows it: a small picture, length and size, or that it is missing; asked off the main thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.project.relink import is_there
from app.qimage import BGRAArray, to_bgra, turned
from app.widgets.timecode import clock
from vecnet_core.errors import VecnetError
from vecnet_core.project import SourceFacts

if TYPE_CHECKING:
    from app.session import OpenSession
    from vecnet_core.frame import VideoInfo
    from vecnet_core.project import Clip

THUMBNAIL_PX = 64
"""Width of the picture in the list; it is made at twice that, for screens with small pixels."""


class ClipState(Enum):
    """What became of looking at a clip."""

    UNKNOWN = ""
    THERE = "there"
    MISSING = "missing"
    REFUSED = "cannot be opened"


@dataclass(frozen=True, eq=False)
class ClipLook:
    """What the list shows of a clip.

    Attributes:
        state: Whether it can be opened.
        words: Length and size, or why it cannot be opened.
        picture: Its first frame, (h, w, 4) bytes, as displayed; None while there is none.
        facts: By what it is known again when it has moved.
        sentence: The whole error, where it cannot be opened.
    """

    state: ClipState = ClipState.UNKNOWN
    words: str = ""
    picture: BGRAArray | None = None
    facts: SourceFacts | None = None
    sentence: str = ""


def facts_of(info: VideoInfo) -> SourceFacts:
    """By what a source is known again; asks the disk."""
    try:
        size = info.path.stat().st_size if not info.files else 0
    except OSError:
        size = 0
    return SourceFacts(size, max(info.duration_seconds, 0.0))


def words_of(info: VideoInfo) -> str:
    """Length and size in a line."""
    return f"{clock(info.duration_seconds)}   {info.width} × {info.height}"


def look_at(open_session: OpenSession, clip: Clip) -> ClipLook:
    """Open a clip for its first frame, and let it go."""
    try:
        session = open_session(clip.path, clip.decode)
    except VecnetError as error:
        return refused_look(clip, error.sentence)
    try:
        info = session.info
        size = _small(info)
        picture = to_bgra(turned(session.original(0, size), info.rotation_degrees))
        return ClipLook(ClipState.THERE, words_of(info), np.ascontiguousarray(picture), facts_of(info))
    except VecnetError as error:
        return ClipLook(ClipState.REFUSED, error.sentence, sentence=error.sentence)
    finally:
        session.close()


def refused_look(clip: Clip, sentence: str) -> ClipLook:
    """Of a clip that does not open: it is missing, or something else is wrong with it."""
    if is_there(clip.path):
        return ClipLook(ClipState.REFUSED, sentence, sentence=sentence)
    return ClipLook(ClipState.MISSING, f"Not found at {clip.path}", sentence=sentence)


def seconds_of(open_session: OpenSession, clip: Clip) -> float | None:
    """How long a clip plays; None when it cannot be opened."""
    try:
        session = open_session(clip.path, clip.decode)
    except VecnetError:
        return None
    try:
        return session.info.duration_seconds
    finally:
        session.close()


def reduced(picture: npt.NDArray[np.uint8]) -> BGRAArray:
    """A picture that is already on screen, thinned out to the size of the list."""
    step = max(1, picture.shape[1] // (2 * THUMBNAIL_PX))
    return np.ascontiguousarray(picture[step // 2 :: step, step // 2 :: step])


def _small(info: VideoInfo) -> tuple[int, int]:
    across = 2 * THUMBNAIL_PX
    return max(2, min(info.height, round(info.height * across / info.width))), min(info.width, across)
