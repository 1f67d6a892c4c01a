"""What people export as: named choices of codec, profile and container (loads no FFmpeg)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from vecnet_core.errors import SettingsError
from vecnet_core.video.encode import CODECS, EncodeSettings, usual_codec

if TYPE_CHECKING:
    from pathlib import Path


class ExportPreset(NamedTuple):
    """A choice a person can name.

    Attributes:
        title: For a list in a window.
        encode: How it is written.
        ending: What an output's name ends in; empty for the source's ending.
        words: What it is for, as a clause.
    """

    title: str
    encode: EncodeSettings
    ending: str
    words: str


EXPORT_PRESETS: dict[str, ExportPreset] = {
    "match": ExportPreset(
        "Match source", EncodeSettings("match"), "", "codec family, bits, chroma and container of the source"
    ),
    "h264": ExportPreset("H.264", EncodeSettings("h264"), ".mp4", "for every player and site"),
    "hevc-10": ExportPreset(
        "HEVC 10-bit", EncodeSettings("hevc", bit_depth=10), ".mp4", "smaller than H.264, no banding, HDR"
    ),
    "av1": ExportPreset("AV1", EncodeSettings("av1"), ".mkv", "the smallest files, for the web"),
    "prores-hq": ExportPreset("ProRes 422 HQ", EncodeSettings("prores", preset="hq"), ".mov", "for editing on"),
    "prores-4444": ExportPreset(
        "ProRes 4444", EncodeSettings("prores", preset="4444"), ".mov", "for editing on, with transparency"
    ),
    "dnxhr-hqx": ExportPreset("DNxHR HQX", EncodeSettings("dnxhr", preset="hqx"), ".mov", "for editing on, 10 bits"),
    "ffv1": ExportPreset("FFV1", EncodeSettings("ffv1"), ".mkv", "lossless, for archives"),
    "png": ExportPreset("PNG pictures", EncodeSettings("png"), "_%05d.png", "a picture a frame, 8 or 16 bits"),
    "tiff": ExportPreset(
        "TIFF pictures, 16-bit", EncodeSettings("tiff", bit_depth=16), "_%05d.tif", "a picture a frame, for grading"
    ),
    "exr": ExportPreset(
        "EXR pictures", EncodeSettings("exr"), "_%05d.exr", "a picture a frame, linear light in half floats"
    ),
    "jpeg": ExportPreset("JPEG pictures", EncodeSettings("jpeg"), "_%05d.jpg", "a picture a frame, small"),
}
"""The presets by the name they have on the command line."""


def encode_of(name: str | None, output: Path, **wishes: str | int | bool | None) -> EncodeSettings:
    """The settings of a name, with what else is asked for.

    Args:
        name: Of a preset, or a codec of `CODECS`; None for what the output's ending says.
        output: The file or pattern that will be written.
        wishes: Fields of `EncodeSettings`; those that are None are left as the name has them.

    Raises:
        SettingsError: There is no such name, or a wish that does not fit it.
    """
    name = usual_codec(output.suffix) if name is None else name
    if name not in EXPORT_PRESETS and name not in CODECS:
        known = ", ".join(dict.fromkeys((*EXPORT_PRESETS, *CODECS)))
        raise SettingsError(f"unknown codec {name!r}", hint=f"choose one of {known}")
    # A codec of another name than a preset's is taken as it is; those of both mean the same.
    encode = EXPORT_PRESETS[name].encode if name in EXPORT_PRESETS and name not in CODECS else EncodeSettings(name)
    return replace(encode, **{field: wish for field, wish in wishes.items() if wish is not None})
