"""What a clip is encoded with: the settings a person chooses, and the encoder and layout they lead to (no FFmpeg)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from vecnet_core.errors import SettingsError, VideoWriteError
from vecnet_core.video.encoders import ENCODERS, HARDWARE, Encoder, alpha_twin, bits_of, holds, parts_of

if TYPE_CHECKING:
    from vecnet_core.frame import HdrMetadata, PixelLayout, VideoInfo

__all__ = [
    "ALPHA_CHOICES", "CODECS", "CONTAINERS", "ENCODERS", "HARDWARE", "PICTURE_CODECS", "EncodeSettings", "Encoder",
    "alpha_twin", "bits_of", "check_hdr", "check_size", "choose_encoder", "choose_layout", "usual_codec",
]  # fmt: skip

PICTURE_CODECS = {
    ".png": "png", ".tif": "tiff", ".tiff": "tiff", ".jpg": "jpeg", ".jpeg": "jpeg", ".exr": "exr",
}  # fmt: skip
"""Endings of pictures that can be written, and the codec of each."""

CODECS = ("match", "h264", "hevc", "av1", "ffv1", "prores", "dnxhr", "png", "tiff", "jpeg", "exr")
"""What `EncodeSettings.codec` may be; the last four write a picture a frame."""

ALPHA_CHOICES = ("keep", "drop")
"""What `EncodeSettings.alpha` may be."""

CONTAINERS = {".mp4": "mp4", ".m4v": "ipod", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Endings an output may have, and FFmpeg's name of the container: those that keep frame times, in one file.

FFmpeg has more, and some write silently what was not meant: AVI with 600 frames a second, WMV without presentation
times, HLS and DASH as a folder of pieces.
"""


@dataclass(frozen=True)
class EncodeSettings:
    """How the output is encoded.

    Attributes:
        codec: One of `CODECS`; ``match`` takes the source's family where there is an encoder for it, else h264.
        crf: Constant quality, lower is better; None takes the codec's default (visually lossless).
        preset: Speed against size, the encoder's own word; for prores and dnxhr the profile. None takes the default.
        bit_depth: Bits of a sample; None takes the source's.
        alpha: One of `ALPHA_CHOICES`: ``keep`` the transparency of a source that has it, or ``drop`` it.
        hardware: Encode in hardware where some is there and passes a test; else in software.

    Raises:
        SettingsError: A value the codec does not know.
    """

    codec: str = "h264"
    crf: int | None = None
    preset: str | None = None
    bit_depth: int | None = None
    alpha: str = "keep"
    hardware: bool = False

    def __post_init__(self) -> None:
        """Refuse what the encoder would refuse, with its possible values."""
        if self.codec not in CODECS:
            raise SettingsError(f"unknown codec {self.codec!r}", hint=f"choose one of {', '.join(CODECS)}")
        if self.alpha not in ALPHA_CHOICES:
            raise SettingsError(f"alpha cannot be {self.alpha!r}", hint=f"choose one of {', '.join(ALPHA_CHOICES)}")
        if self.codec != "match":
            ENCODERS[self.codec].check(self)

    def to_dict(self) -> dict[str, str | int | bool | None]:
        """The settings as plain values, for project files."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Settings from plain values; unknown names and wrong types are refused."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise SettingsError(
                f"unknown encoder setting {unknown[0]!r:.60}",
                hint=f"known are {', '.join(field.name for field in fields(cls))}",
            )
        wanted = {"codec": str, "crf": int, "preset": str, "bit_depth": int, "alpha": str, "hardware": bool}
        for name, value in values.items():
            # Not `isinstance`: True is an int in Python.
            is_left_out = value is None and name in {"crf", "preset", "bit_depth"}
            if type(value) is not wanted[name] and not is_left_out:
                raise SettingsError(f"the encoder setting {name} cannot be {value!r}")
        return cls(**values)


def usual_codec(ending: str) -> str:
    """The codec of an output for which none is chosen, by its ending: that of pictures, else the source's."""
    return PICTURE_CODECS.get(ending.lower(), "match")


def choose_encoder(encode: EncodeSettings, source_codec: str, ending: str = "") -> Encoder:
    """The software encoder for the settings; ``match`` follows the source.

    Args:
        encode: What was asked for.
        source_codec: FFmpeg's name of the source's codec.
        ending: Of the output, which says whether it is pictures that are written.

    Raises:
        SettingsError: The crf, preset or bit depth does not fit the codec that ``match`` came to.
    """
    codec = encode.codec
    if codec == "match":
        matching = {encoder.family: name for name, encoder in ENCODERS.items() if not encoder.is_picture}
        codec = PICTURE_CODECS.get(ending.lower()) or matching.get(source_codec, "h264")
    encoder = ENCODERS[codec]
    encoder.check(encode)
    return encoder


def choose_layout(
    encoder: Encoder,
    layout: PixelLayout,
    encode: EncodeSettings | None = None,
    *,
    has_alpha: bool = False,
    rgb_bits: int = 0,
) -> str:
    """FFmpeg's name of the nearest pixel layout the encoder accepts that loses nothing of a source's.

    Where a bit depth was chosen, or the codec has but one, or ``match`` found the codec, samples may be rounded.

    Args:
        encoder: The encoder that was chosen.
        layout: The source's layout.
        encode: What was asked for; None for nothing but the codec.
        has_alpha: Transparency must be held, too.
        rgb_bits: Bits of the samples of a source that is RGB itself, of which its layout has more; 0 for others.

    Raises:
        VideoWriteError: Every layout of the encoder would lose bits, colour resolution or the transparency.
    """
    encode = encode or EncodeSettings()
    names = encoder.layouts_for(encode)
    if has_alpha:
        names = tuple(name for name in names if name in encoder.alpha_layouts)
    if not names:
        raise VideoWriteError(
            f"{_named(encoder, encode)} holds no transparency, and the source has it",
            hint="choose prores with the preset 4444, ffv1, png or tiff, or drop the transparency (--drop-alpha)",
        )
    bits = rgb_bits if encoder.is_picture and rgb_bits else layout.bit_depth
    if encode.bit_depth or encoder.rounds or encode.codec == "match":
        bits = min(bits, max(parts_of(name)[0] for name in names))
    if layout.name in names and bits == layout.bit_depth:
        return layout.name
    roomy = [name for name in names if holds(name, layout, bits)]
    if not roomy:
        raise VideoWriteError(
            f"{_named(encoder, encode)} cannot hold {layout.bit_depth}-bit {layout.chroma} pictures without loss",
            hint=f"choose the codec ffv1, or {_alternative(encoder, encode, layout)}",
        )
    return min(roomy, key=_room)


def check_size(encoder: Encoder, layout: PixelLayout, width: int, height: int) -> None:
    """Refuse a size that the encoder cannot have in a layout.

    Args:
        encoder: The encoder that was chosen.
        layout: The layout it is to write, not that of the source.
        width: In pixels.
        height: In pixels.

    Raises:
        VideoWriteError: The chroma planes would need half a sample; the hint names the codecs that take it.
    """
    if width < encoder.smallest[0] or height < encoder.smallest[1]:
        least = f"{encoder.smallest[0]}x{encoder.smallest[1]}"
        raise VideoWriteError(
            f"{encoder.codec} cannot hold video of {width}x{height}", hint=f"choose prores, or give at least {least}"
        )
    if encoder.takes_odd_sizes or (width % layout.chroma_x == 0 and height % layout.chroma_y == 0):
        return
    others = [
        other.codec
        for other in ENCODERS.values()
        if other.takes_odd_sizes
        and not other.is_picture
        and min(width, height) >= max(other.smallest)
        and any(holds(name, layout, layout.bit_depth) for name in other.layouts)
    ]
    raise VideoWriteError(
        f"{encoder.codec} cannot hold {layout.chroma} video of {width}x{height}, an odd size",
        hint=f"choose the codec {' or '.join(others)}",
    )


def check_hdr(encoder: Encoder, hdr: HdrMetadata | None, info: VideoInfo) -> tuple[str, ...]:
    """What of an HDR clip the output does not keep; the transfer, primaries and matrix are kept by every encoder.

    Args:
        encoder: The encoder that was chosen.
        hdr: The static metadata that will be written: those of the clip, or what `HdrMetadata.relit` leaves of them.
        info: The facts of the source.

    Returns:
        Sentences for the person who exports; none for SDR.
    """
    if not info.color.is_hdr or info.hdr is None:
        return ()
    keepers = " or ".join(codec for codec, other in ENCODERS.items() if other.keeps_hdr_metadata)
    if not encoder.keeps_hdr_metadata:
        return (f"the HDR metadata (mastering display, light levels) are left out, which only {keepers} can hold",)
    has_light = bool(info.hdr.max_cll or info.hdr.max_fall)
    if has_light and (hdr is None or not (hdr.max_cll or hdr.max_fall)):
        return ("the light levels of the HDR metadata (MaxCLL, MaxFALL) are left out, since they are those of before",)
    return ()


def _room(name: str) -> tuple[int, int, int]:
    """How much a layout holds: of two that will do, the lesser is the nearer one."""
    bits, chroma_x, chroma_y, planes = parts_of(name)
    return planes, bits, -chroma_x - chroma_y


def _named(encoder: Encoder, encode: EncodeSettings) -> str:
    """The codec with its profile, where one was chosen."""
    return f"{encoder.codec} {encode.preset}" if encoder.profiles and encode.preset else encoder.codec


def _alternative(encoder: Encoder, encode: EncodeSettings, layout: PixelLayout) -> str:
    """What else a person can do whose pictures an encoder cannot hold."""
    if encoder.profiles and encode.preset:
        fitting = [name for name, held in encoder.profiles.items() if any(holds(each, layout, 8) for each in held)]
        if fitting:
            return f"the preset {fitting[0]}"
    depth = max(parts_of(name)[0] for name in encoder.layouts)
    if any(holds(name, layout, depth) for name in encoder.layouts):
        return f"a bit depth of {depth}, to which samples are rounded"
    return "hevc for up to 12 bits"
