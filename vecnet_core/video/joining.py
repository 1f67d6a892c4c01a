"""Joins closed groups of encoded pictures into what was asked for: one file, or a picture a file."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vecnet_core.video.packets import read_packets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from vecnet_core.video.muxer import Muxer
    from vecnet_core.video.numbering import PictureNames
    from vecnet_core.video.packets import EncodedPicture


def join_into_file(muxer: Muxer, groups: list[Path], times: PictureTimes, shift: int, base: Fraction) -> Iterator[int]:
    """Write groups into a file; tells how many pictures are in it.

    Args:
        muxer: The file, its head not yet written.
        groups: The files of the closed groups, in order.
        times: Those of all their pictures.
        shift: Ticks of the source by which the pictures come earlier.
        base: Seconds of such a tick.

    Raises:
        FFmpegError: The container refuses.
        OSError: The disk does.
    """
    muxer.start()
    shown, decoded = times.in_ticks(shift, base, muxer.time_base)
    for number, picture in enumerate(_pictures(groups)):
        place = int(np.searchsorted(times.pts, picture.pts))
        muxer.add(picture, int(shown[place]), int(decoded[number]))
        muxer.copy_until(int(times.pts[number]) * base)
        yield number + 1
    muxer.finish()


def join_into_pictures(folder: Path, names: PictureNames, first: int, groups: list[Path]) -> Iterator[int]:
    """Write every picture of the groups as a file into a folder; tells how many are there.

    Raises:
        OSError: The disk refuses.
    """
    for place, picture in enumerate(_pictures(groups)):
        with (folder / names.name(first + place)).open("xb") as file:
            file.write(picture.data)
            file.flush()
            os.fsync(file.fileno())
        yield place + 1


def _pictures(groups: list[Path]) -> Iterator[EncodedPicture]:
    return (picture for path in groups for picture in read_packets(path))


class PictureTimes:
    """When the pictures of an output are shown and decoded.

    Attributes:
        pts: ``(T,)`` int64, rising: the source's times of all pictures, in its ticks.
    """

    pts: npt.NDArray[np.int64]

    def __init__(self, groups: list[Path]) -> None:
        """From the closed groups, in order."""
        coded = np.array([packet.pts for path in groups for packet in read_packets(path, with_data=False)], np.int64)
        self.pts = np.sort(coded)
        # A picture is decoded before those it waits for are shown: so many places ahead of its own.
        self._delay = int((np.arange(len(coded)) - np.searchsorted(self.pts, coded)).max(initial=0))

    def in_ticks(
        self, shift: int, base: Fraction, tick: Fraction
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Times of showing, and of decoding by place in the file, in the source's ticks less ``shift``.

        Pictures that would lie in one tick of the container (Matroska's are 1 ms) are moved apart. The n-th packet is
        decoded when the n-th picture is shown, less the delay that reordering needs: so that times of decoding rise
        over the borders of groups whatever their encoders thought of them.
        """
        ratio = base / tick
        shown = self.pts - shift
        if ratio < 1:
            last: int | None = None
            for place, pts in enumerate(shown):
                at = math.floor(int(pts) * ratio + Fraction(1, 2))
                if last is not None and at <= last:
                    at = last + 1
                    shown[place] = round(at / ratio)
                last = at
        step = int(shown[1] - shown[0]) if len(shown) > 1 else 1
        before = shown[0] - step * np.arange(self._delay, 0, -1)
        return shown, np.concatenate([before, shown])[: len(shown)]
