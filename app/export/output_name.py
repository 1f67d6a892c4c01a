"""Names for outputs: beside the source, and never one that is there already or that another export uses."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from app.sequences import is_picture
from vecnet_core.video.encode import ENCODERS
from vecnet_core.video.numbering import has_output

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from vecnet_core.frame import VideoInfo
    from vecnet_core.project import Clip

ENDINGS = {
    "prores": ".mov", "dnxhr": ".mov", "ffv1": ".mkv", "png": ".png", "tiff": ".tif", "jpeg": ".jpg", "exr": ".exr",
}  # fmt: skip
"""Containers that hold what MP4 does not, and pictures."""

_WRITABLE = {".mp4", ".mov", ".mkv", ".m4v"}
_NUMBER_MARKS = re.compile(r"%0?[1-9]?d|#+")
_NUMBERED = re.compile(r"_\d+$")


def suggested_output(info: VideoInfo, codec: str, taken: Collection[str] = (), ending: str = "") -> Path:
    """A free name beside the source; see `output_beside`."""
    return output_beside(info.path, codec, taken, ending, is_series=bool(info.files))


def output_beside(
    source: Path, codec: str, taken: Collection[str] = (), ending: str = "", *, is_series: bool = False
) -> Path:
    """A name beside the source with ``_vec``, and a number when that exists already.

    Args:
        source: What is exported.
        codec: One of `ENCODERS`.
        taken: Keys (`key_of`) of files that other exports read or write.
        ending: Of a video file; empty for what suits the codec and the source.
        is_series: The source is pictures: a folder or a pattern.
    """
    stem = source.stem
    if is_series:
        # The name of a folder has no ending, and that of a pattern a place for numbers.
        stem = stem if is_picture(source) else source.name
        stem = _NUMBER_MARKS.sub("", stem).rstrip(" ._-") or "sequence"
    kept = source.suffix.lower() if source.suffix.lower() in _WRITABLE else ".mp4"
    is_pictures = ENCODERS[codec].is_picture
    usual = ENDINGS.get(codec, kept)
    ending = usual if is_pictures else ending or usual
    number = 1
    while True:
        name = f"{stem}_vec" if number == 1 else f"{stem}_vec_{number}"
        made = source.with_name(f"{name}{ending}")
        if is_pictures:
            # Thousands of files: in a folder of their own, which is made.
            made = source.with_name(name) / f"{stem}_%05d{ending}"
        if key_of(made) not in taken and not has_output(made):
            return made
        number += 1


def free_output(output: Path, taken: Collection[str] = ()) -> Path:
    """The output itself where it is free, else the first free name with a number."""
    is_pictures = _NUMBER_MARKS.search(output.name) is not None
    base = output.parent if is_pictures else output
    stem = _NUMBERED.sub("", base.name if is_pictures else base.stem)
    number, made = 1, output
    while key_of(made) in taken or has_output(made):
        number += 1
        name = f"{stem}_{number}"
        made = base.with_name(name) / output.name if is_pictures else output.with_name(f"{name}{output.suffix}")
    return made


def key_of(path: Path) -> str:
    """The same for two spellings of one path; asks no disk."""
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - `Path.absolute` keeps its dots


def keys_of(clip: Clip) -> set[str]:
    """The files that an export reads and writes."""
    return {key_of(path) for path in (clip.path, clip.output) if path is not None}
