"""Closed groups of encoded pictures on the disk: what an export has done so far, in files that are whole or not there.

A group is a few hundred pictures from an encoder of its own, so that it begins with a key frame and refers to nothing
outside. Its file is a plain row of packets, since no container holds every codec with exact times.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from vecnet_core.errors import VideoReadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC = b"VECNET packets 1\n"
_HEAD = struct.Struct("<qqI?")
"""Presentation time, duration (both in ticks of the clip's time base), bytes that follow, key frame."""


@dataclass(frozen=True)
class EncodedPicture:
    """One packet of an encoder: one picture, or what the codec hands out in its place.

    Attributes:
        pts: When it is shown, in ticks of the clip's time base.
        duration: For how long; 0 when unknown.
        is_key: A decoder can begin here.
        data: The bytes.
    """

    pts: int
    duration: int
    is_key: bool
    data: bytes


class PacketFile:
    """A group's file while it is written.

    Args:
        path: A new file.
    """

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("xb")
        self._file.write(_MAGIC)

    def add(self, picture: EncodedPicture) -> None:
        """Write a packet, in the order they leave the encoder.

        Raises:
            OSError: The disk is full or gone.
        """
        self._file.write(_HEAD.pack(picture.pts, picture.duration, len(picture.data), picture.is_key))
        self._file.write(picture.data)

    def close(self) -> int:
        """Push everything to the disk; returns the bytes.

        Raises:
            OSError: The disk is full or gone.
        """
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            return self._file.tell()
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close without a care for what is in it."""
        try:
            self._file.close()
        except OSError:  # what was still to be written does not fit; nobody wants it
            return


def read_packets(path: Path, *, with_data: bool = True) -> Iterator[EncodedPicture]:
    """The packets of a closed group, in the order they were written.

    Args:
        path: The file.
        with_data: False passes over the bytes, for their times alone.

    Raises:
        VideoReadError: It is not such a file, or not whole.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise _damaged(path)
            while head := file.read(_HEAD.size):
                if len(head) < _HEAD.size:
                    raise _damaged(path)
                pts, duration, size, is_key = _HEAD.unpack(head)
                data = file.read(size) if with_data else b""
                if not with_data:
                    file.seek(size, os.SEEK_CUR)
                elif len(data) < size:
                    raise _damaged(path)
                yield EncodedPicture(pts, duration, is_key, data)
    except OSError as error:
        raise VideoReadError(f"a part of the export cannot be read ({error.strerror})", path=path) from error


def _damaged(path: Path) -> VideoReadError:
    return VideoReadError("a part of the export is damaged", path=path, hint="begin the export anew")
