"""Opens footage of any kind: video files and sequences of pictures. Whoever reads footage begins here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.video.decode import AS_IT_IS, DecodeSettings
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.sequence import SequenceReader
from vecnet_core.video.series import is_folder, is_pattern, series_length

if TYPE_CHECKING:
    from vecnet_core.video.frame_reader import FrameReader


def open_reader(
    path: Path | str, decode: DecodeSettings = AS_IT_IS, *, thread_count: int = 0, is_strict: bool = False
) -> FrameReader:
    """Open a video file or a sequence of pictures.

    A folder and a pattern (``shot.%04d.png``, ``shot_####.png``) are sequences. A single picture is a video of one
    frame; given together with a frame rate, it stands for the numbered series it belongs to.

    Args:
        path: The footage.
        decode: How it is read.
        thread_count: Decoder threads; 0 lets FFmpeg choose.
        is_strict: A frame of a video file that does not decode is an error; else the last good one stands for it. A
            picture of a sequence always is: its file is easily replaced.

    Raises:
        VideoOpenError: It is missing, no footage, damaged beyond reading, or of a kind we do not read.
    """
    footage = Path(path)
    if is_sequence(footage, decode):
        return SequenceReader(footage, decode, thread_count=thread_count)
    return VideoReader(footage, decode, thread_count=thread_count, is_strict=is_strict)


def is_sequence(path: Path, decode: DecodeSettings = AS_IT_IS) -> bool:
    """Whether `open_reader` takes a path for a sequence of pictures."""
    if is_folder(path):
        return True
    if not os.path.isfile(path):  # noqa: PTH113 - `Path.is_file` raises where it may not look
        return is_pattern(path)
    return decode.frame_rate is not None and series_length(path) > 1
