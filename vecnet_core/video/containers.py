"""What the containers we write can hold, as FFmpeg itself tells."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from vecnet_core.video.encode import CONTAINERS

if TYPE_CHECKING:
    from av.stream import Stream

QUICKTIME = {"mp4", "mov", "ipod"}
"""FFmpeg's names of the containers that are QuickTime's or came from it."""

HOLD_ATTACHMENTS = {"matroska"}


@cache
def can_hold(container: str, codec: str) -> bool:
    """True when a container, by FFmpeg's name, can hold a codec."""
    with av.open(BytesIO(), "w", format=container) as candidate:
        try:
            candidate.add_mux_stream(codec)
        except ValueError:
            return False
    return True


def endings_for(*codecs: str) -> list[str]:
    """The endings of the containers that can hold all of some codecs."""
    return [ending for ending, container in CONTAINERS.items() if all(can_hold(container, codec) for codec in codecs)]


def takes(container: str, stream: Stream) -> bool:
    """Whether a container takes a copy of a stream: tried, since FFmpeg's lists leave subtitles and data out."""
    try:
        with av.open(BytesIO(), "w", format=container) as candidate:
            candidate.add_stream_from_template(stream, opaque=True)
            candidate.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def endings_that_take(stream: Stream, codec: str) -> list[str]:
    """The endings of the containers that take a copy of a stream beside pictures of a codec."""
    return [ending for ending in endings_for(codec) if takes(CONTAINERS[ending], stream)]
