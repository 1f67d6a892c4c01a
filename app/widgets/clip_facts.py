"""The facts of a clip as a person reads them, with what the file leaves open marked as assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.widgets.timecode import clock

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

_MATRICES = {"bt601": "BT.601", "bt709": "BT.709", "bt2020nc": "BT.2020", "rgb": "RGB"}
_HDR_NAMES = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


def clip_facts(info: VideoInfo) -> list[tuple[str, str]]:
    """Name and text of each fact, in the order they are asked for."""
    variable = ", variable" if info.is_variable_rate else " (assumed)" if info.is_rate_assumed else ""
    facts = [
        ("Pictures" if info.files else "File", info.path.name),
        ("Size", f"{info.width} × {info.height}"),
        ("Rate", f"{float(info.frame_rate):.5g} fps{variable}"),
        ("Length", f"{clock(info.duration_seconds)}, {info.frame_count} frames"),
        ("Codec", f"{info.codec}, {info.layout.bit_depth}-bit {info.layout.chroma}"),
        ("Matrix", _tag(info, "matrix", _MATRICES[info.color.matrix])),
        ("Range", _tag(info, "range", info.color.range)),
        ("Transfer", _tag(info, "transfer", info.color.transfer)),
    ]
    if info.color.is_hdr:
        facts.append(("HDR", _HDR_NAMES[info.color.transfer]))
    if info.rotation_degrees:
        facts.append(("Rotation", f"{info.rotation_degrees}° counter-clockwise"))
    if info.pixel_aspect != 1:
        facts.append(("Pixels", f"{float(info.pixel_aspect):.4g} times as wide as high"))
    if info.is_interlaced:
        facts.append(("Scan", "interlaced"))
    if info.has_alpha:
        facts.append(("Alpha", "carries transparency"))
    if info.files:
        facts.append(("Names", f"{info.files[0].name} to {info.files[-1].name}"))
    facts.append(("Audio", ", ".join(info.audio_codecs) or "none"))
    return facts


def status_line(info: VideoInfo) -> str:
    """The clip in one line, for the status bar."""
    color = info.color
    assumed = " (assumed)" if {"matrix", "range"} & set(color.assumed) else ""
    variable = " variable" if info.is_variable_rate else ""
    return (
        f"{info.width} × {info.height}   {float(info.frame_rate):.5g} fps{variable}   "
        f"{info.layout.bit_depth}-bit {info.layout.chroma}   {_MATRICES[color.matrix]} {color.range}{assumed}"
    )


def _tag(info: VideoInfo, name: str, text: str) -> str:
    return f"{text} (assumed)" if name in info.color.assumed else text
