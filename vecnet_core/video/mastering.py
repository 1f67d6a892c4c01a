"""HDR metadata beside the pictures: static ones read from FFmpeg's side data, dynamic ones recognised."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from vecnet_core.frame import HdrMetadata, MasteringDisplay

if TYPE_CHECKING:
    from collections.abc import Mapping

_DYNAMIC = {
    "DOVI_RPU_BUFFER": "Dolby Vision",
    "DOVI_METADATA": "Dolby Vision",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
}


def read_hdr_metadata(side_data: Mapping[str, bytes]) -> HdrMetadata | None:
    """The static metadata of a frame; None where it has none.

    Args:
        side_data: Contents by PyAV's name of the type: FFmpeg's structs AVMasteringDisplayMetadata (ten rationals and
            two flags) and AVContentLightMetadata (two integers).
    """
    mastering, light = side_data.get("MASTERING_DISPLAY_METADATA"), side_data.get("CONTENT_LIGHT_LEVEL")
    display = None if mastering is None else _read_mastering(mastering)
    max_cll, max_fall = struct.unpack_from("=2I", light) if light is not None and len(light) >= 8 else (0, 0)
    if display is None and not max_cll and not max_fall:
        return None
    return HdrMetadata(display, max_cll, max_fall)


def dynamic_kinds(side_data: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of the dynamic metadata a frame has, which change from scene to scene."""
    return tuple(dict.fromkeys(name for kind, name in _DYNAMIC.items() if kind in side_data))


def is_dolby_profile_5(side_data: Mapping[str, bytes]) -> bool:
    """True for the Dolby Vision whose pictures are no Y'CbCr and make sense with its own metadata alone.

    FFmpeg's AVDOVIMetadata begins with the offset of its AVDOVIRpuDataHeader; in that, profile 5 is RPU profile 0 with
    full-range pictures (as FFmpeg's own `ff_dovi_guess_profile_hevc` tells it).
    """
    data = side_data.get("DOVI_METADATA", b"")
    if len(data) < struct.calcsize("=Q"):
        return False
    (header,) = struct.unpack_from("=Q", data)
    if header + 11 > len(data):
        return False
    profile, is_full_range = data[header + 4], data[header + 10]
    return profile == 0 and bool(is_full_range)


def _read_mastering(data: bytes) -> MasteringDisplay | None:
    """The display the clip was graded on; None unless both its colours and its light are stated."""
    if len(data) < 88:
        return None
    numbers = struct.unpack_from("=22i", data)
    pairs = list(zip(numbers[0:20:2], numbers[1:20:2], strict=True))
    has_primaries, has_luminance = numbers[20:22]
    if not has_primaries or not has_luminance or any(bottom == 0 for _, bottom in pairs):
        return None
    red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y, low, high = (top / low for top, low in pairs)
    return MasteringDisplay((red_x, red_y), (green_x, green_y), (blue_x, blue_y), (white_x, white_y), low, high)
