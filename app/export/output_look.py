"""What stands in the way of an output, what an unfinished export to it has kept, and whether the file will fit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.export.remembered import kept_of
from vecnet_core.video.encode import (
    CONTAINERS,
    PICTURE_CODECS,
    EncodeSettings,
    check_size,
    choose_encoder,
    choose_layout,
)
from vecnet_core.video.numbering import PictureNames, has_output
from vecnet_core.video.series import is_pattern

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

SPACE_SHARE = 2.2
"""As the core's own check before it begins: the groups, and the file they are joined to."""
SPARE_BYTES = 64 << 20


@dataclass(frozen=True)
class OutputLook:
    """What was found about a name for the output.

    Attributes:
        text: The name, as it was typed.
        obstacle: Why no file can be written there, as a sentence; empty when one can.
        exists: There is a file already, or pictures of such names.
        kept: Frames that an unfinished export to it has kept.
        total: Frames of that export.
        free_bytes: What is free on its disk; None when that cannot be told.
    """

    text: str = ""
    obstacle: str = ""
    exists: bool = False
    kept: int = 0
    total: int = 0
    free_bytes: int | None = None


def look_at_output(text: str, source: Path) -> OutputLook:
    """Look at the disk; a network drive may take its time."""
    try:
        output = Path(text)
        obstacle = _obstacle(text, output, source)
        if obstacle:
            return OutputLook(text, obstacle)
        kept, total = kept_of(output)
        return OutputLook(text, "", has_output(output), kept, total, _free_bytes(output))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return OutputLook(text, f"This name cannot be used ({reason}).")


def expected_bytes(info: VideoInfo, encode: EncodeSettings, ending: str = "") -> int:
    """About how large the whole clip becomes in an output of this ending; rather more than less.

    Raises:
        VecnetError: The codec cannot hold the pictures, and what to choose instead.
    """
    # FFmpeg is loaded by now: a clip is open.
    from vecnet_core.video.layouts import plan_layout

    encoder = choose_encoder(encode, info.codec, ending)
    has_alpha = info.has_alpha and encode.alpha == "keep"
    plan = plan_layout(choose_layout(encoder, info.layout, encode, has_alpha=has_alpha))
    layout = info.layout if plan is None else plan.layout
    check_size(encoder, layout, info.width, info.height)
    bits = encoder.usual_bits(encode, layout)
    return round(bits / 8 * info.width * info.height * info.frame_count)


def will_fit(expected: int, free_bytes: int | None) -> bool:
    """False when the disk is sure to be full before the export is done."""
    return free_bytes is None or SPACE_SHARE * expected + SPARE_BYTES <= free_bytes


def space_words(expected: int, free_bytes: int | None) -> str:
    """Such as ``About 1.2 GB; 48 GB free``."""
    about = f"About {size_words(expected)}"
    if free_bytes is None:
        return about
    if will_fit(expected, free_bytes):
        return f"{about}; {size_words(free_bytes)} free"
    needed = size_words(round(SPACE_SHARE * expected + SPARE_BYTES))
    return f"{about}, and {needed} while it is written: only {size_words(free_bytes)} free"


def size_words(count: int) -> str:
    """Bytes for people: ``340 MB``, ``1.2 GB``, ``48 GB``."""
    for unit, size in (("TB", 10**12), ("GB", 10**9)):
        if count >= size:
            amount = count / size
            return f"{amount:.0f} {unit}" if amount >= 10 else f"{amount:.1f} {unit}"
    return f"{max(1, round(count / 1e6))} MB"


def _obstacle(text: str, output: Path, source: Path) -> str:
    """Why no file can be written under this name; empty when one can."""
    if not text or not output.name:
        return "Name a file."
    is_folder = output.is_dir()
    ending, folder = output.suffix.lower(), output.absolute().parent
    is_pictures = ending in PICTURE_CODECS
    if ending not in CONTAINERS and not is_pictures and not is_folder:
        return f"End the name in {', '.join(CONTAINERS)}."
    if is_pictures and not is_pattern(output) and not is_folder:
        return f"Name a place for the number of each picture, such as {output.stem}_%05d{output.suffix}."
    # A folder for pictures of their own is made; any other that is missing is more likely a slip.
    if not folder.is_dir() and not (is_pictures and folder.parent.is_dir()):
        return f"The folder {folder} does not exist."
    if is_folder:
        return "This is a folder: add a file name."
    if output.exists() and source.exists() and output.samefile(source):
        return "This is the clip itself: give the output another name."
    return ""


def _free_bytes(output: Path) -> int | None:
    try:
        folder = output.absolute().parent
        return shutil.disk_usage(folder if folder.is_dir() else folder.parent).free
    except OSError:
        return None


def bytes_of(output: Path) -> int:
    """What an output takes: the file, or all pictures of its pattern."""
    names = PictureNames.of(output)
    return sum(path.stat().st_size for path in ([output] if names is None else names.existing()))
