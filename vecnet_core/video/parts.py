"""The name a video has while it is being written (loads no FFmpeg)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def part_path(path: Path) -> Path:
    """The hidden name an output has while it is being written, in the same folder so that the rename is atomic."""
    return path.with_name(f".{path.stem}.part{path.suffix}")
