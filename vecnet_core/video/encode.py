"""What a clip is encoded with: the settings a person chooses, and what each encoder accepts (loads no FFmpeg)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from vecnet_core.errors import SettingsError, VideoWriteError

if TYPE_CHECKING:
    from vecnet_core.frame import PixelLayout

CODECS = ("match", "h264", "hevc", "av1", "ffv1", "prores")
"""What `EncodeSettings.codec` may be."""

CONTAINERS = {".mp4": "mp4", ".m4v": "ipod", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Endings an output may have, and FFmpeg's name of the container: those that keep frame times, in one file.

FFmpeg has more, and some write silently what was not meant: AVI with 600 frames a second, WMV without presentation
times, HLS and DASH as a folder of pieces.
"""

_X26X_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip
_ALL_CHROMA_8_10 = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")

_FFV1_LAYOUTS = (
    *(f"yuv{chroma}p{bits}le" for bits in (9, 12, 14, 16) for chroma in ("420", "422", "444")),
    *("yuv440p", "yuv440p10le", "yuv440p12le", "gray", "gray10le", "gray12le", "gray14le", "gray16le"),
)


@dataclass(frozen=True)
class EncodeSettings:
    """How the output is encoded.

    Attributes:
        codec: One of `CODECS`; ``match`` takes the source's family where there is an encoder for it, else h264.
        crf: Constant quality, lower is better; None takes the codec's default (visually lossless).
        preset: Speed against size, the encoder's own word; for prores its profile. None takes the default.

    Raises:
        SettingsError: A value the codec does not know.
    """

    codec: str = "h264"
    crf: int | None = None
    preset: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the encoder would refuse, with its possible values."""
        if self.codec not in CODECS:
            raise SettingsError(f"unknown codec {self.codec!r}", hint=f"choose one of {', '.join(CODECS)}")
        if self.codec != "match":
            ENCODERS[self.codec].check(self)

    def to_dict(self) -> dict[str, str | int | None]:
        """The settings as plain values, for project files."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Settings from plain values; unknown names and wrong types are refused."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise SettingsError(f"unknown encoder setting {unknown[0]!r}", hint="known are codec, crf and preset")
        wanted: dict[str, type] = {"codec": str, "crf": int, "preset": str}
        for name, value in values.items():
            if value is not None and (not isinstance(value, wanted[name]) or isinstance(value, bool)):
                raise SettingsError(f"the encoder setting {name} cannot be {value!r}")
        return cls(**values)


@dataclass(frozen=True)
class Encoder:
    """One encoder of FFmpeg and what it accepts.

    Attributes:
        codec: The codec's name in `CODECS`.
        name: FFmpeg's name of the encoder.
        layouts: Pixel layouts it accepts.
        crf_range: Lowest and highest quality number; None when it has none.
        default_crf: Visually lossless at ordinary sizes.
        presets: Its words for speed against size; empty when it has none.
        default_preset: Empty when it has none.
        keeps_full_range: False when decoders take its pictures as limited range, whatever the file says.
        takes_odd_sizes: False when width and height must be multiples of the chroma subsampling.
        keeps_aspect: False when only the container can say the pixel aspect, since the codec's own data do not.
        is_lossless: Every decoded sample equals the one that was encoded.
    """

    codec: str
    name: str
    layouts: tuple[str, ...]
    crf_range: tuple[int, int] | None = None
    default_crf: int | None = None
    presets: tuple[str, ...] = ()
    default_preset: str = ""
    keeps_full_range: bool = True
    takes_odd_sizes: bool = True
    keeps_aspect: bool = False
    is_lossless: bool = False

    def check(self, encode: EncodeSettings) -> None:
        """Refuse a crf or preset this encoder does not have."""
        if encode.crf is not None:
            if self.crf_range is None:
                raise SettingsError(f"{self.codec} has no crf", hint="leave the crf out")
            low, high = self.crf_range
            if not low <= encode.crf <= high:
                raise SettingsError(f"crf {encode.crf} is not possible for {self.codec}", hint=f"give {low} to {high}")
        if encode.preset is not None and encode.preset not in self.presets:
            known = f"choose one of {', '.join(self.presets)}" if self.presets else "leave the preset out"
            raise SettingsError(f"{self.codec} has no preset {encode.preset!r}", hint=known)

    def coarseness(self, encode: EncodeSettings) -> int:
        """Steps of crf above the default; 0 for finer settings, and for codecs without a crf."""
        if encode.crf is None or self.default_crf is None:
            return 0
        return max(0, encode.crf - self.default_crf)

    def options(self, encode: EncodeSettings, layout: PixelLayout) -> dict[str, str]:
        """FFmpeg's options for the settings."""
        preset = encode.preset or self.default_preset
        if self.codec == "ffv1":
            return {"level": "3", "slicecrc": "1", "g": "1"}
        if self.codec == "prores":
            profile = encode.preset or ("4444" if layout.chroma_x == 1 else "hq")
            return {"profile": profile, "vendor": "apl0"}
        crf = self.default_crf if encode.crf is None else encode.crf
        options = {"crf": str(crf), "preset": preset}
        if self.codec == "hevc":
            options["x265-params"] = "log-level=none"
        return options


ENCODERS: dict[str, Encoder] = {
    "h264": Encoder(
        "h264",
        "libx264",
        (*_ALL_CHROMA_8_10, "gray", "gray10le"),
        (0, 51),
        18,
        _X26X_PRESETS,
        "medium",
        takes_odd_sizes=False,
        keeps_aspect=True,
    ),
    "hevc": Encoder(
        "hevc",
        "libx265",
        (*_ALL_CHROMA_8_10, "yuv420p12le", "yuv422p12le", "yuv444p12le", "gray", "gray10le", "gray12le"),
        (0, 51),
        20,
        _X26X_PRESETS,
        "medium",
        takes_odd_sizes=False,
        keeps_aspect=True,
    ),
    "av1": Encoder("av1", "libsvtav1", ("yuv420p", "yuv420p10le"), (1, 63), 22, tuple(str(n) for n in range(14)), "8"),
    "ffv1": Encoder("ffv1", "ffv1", (*_ALL_CHROMA_8_10, *_FFV1_LAYOUTS), is_lossless=True),
    "prores": Encoder(
        "prores",
        "prores_ks",
        ("yuv422p10le", "yuv444p10le"),
        presets=("proxy", "lt", "standard", "hq", "4444", "4444xq"),
        keeps_full_range=False,
    ),
}
"""The encoders by codec."""


def choose_encoder(encode: EncodeSettings, source_codec: str) -> Encoder:
    """The encoder for the settings; ``match`` follows the source.

    Raises:
        SettingsError: The crf or preset does not fit the codec that ``match`` came to.
    """
    codec = encode.codec if encode.codec != "match" else source_codec if source_codec in ENCODERS else "h264"
    encoder = ENCODERS[codec]
    encoder.check(encode)
    return encoder


def choose_layout(encoder: Encoder, layout: PixelLayout) -> str:
    """The name of the nearest pixel layout the encoder accepts that loses nothing of a source's.

    Raises:
        VideoWriteError: Every layout of the encoder would lose bits or colour resolution.
    """
    if layout.name in encoder.layouts:
        return layout.name
    roomy = [name for name in encoder.layouts if _holds(name, layout)]
    if not roomy:
        raise VideoWriteError(
            f"{encoder.codec} cannot hold {layout.bit_depth}-bit {layout.chroma} pictures without loss",
            hint="choose the codec ffv1, or hevc for up to 12 bits",
        )
    return min(roomy, key=lambda name: (_parts(name)[3], _parts(name)[0], 4 - _parts(name)[1] - _parts(name)[2]))


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
    if encoder.takes_odd_sizes or (width % layout.chroma_x == 0 and height % layout.chroma_y == 0):
        return
    others = [
        other.codec
        for other in ENCODERS.values()
        if other.takes_odd_sizes and any(_holds(name, layout) for name in other.layouts)
    ]
    raise VideoWriteError(
        f"{encoder.codec} cannot hold {layout.chroma} video of {width}x{height}, an odd size",
        hint=f"choose the codec {' or '.join(others)}",
    )


def _holds(name: str, layout: PixelLayout) -> bool:
    """True when a named layout has at least the bits, chroma and planes of another."""
    bits, x, y, planes = _parts(name)
    return (
        bits >= layout.bit_depth
        and planes >= layout.planes
        and (layout.planes == 1 or (x <= layout.chroma_x and y <= layout.chroma_y))
    )


def _parts(name: str) -> tuple[int, int, int, int]:
    """Bit depth, horizontal and vertical chroma subsampling and planes of a layout's name."""
    base, _, bits = name.removesuffix("le").partition("p") if name.startswith("yuv") else ("gray", "", name[4:-2])
    x, y = {"yuv420": (2, 2), "yuv422": (2, 1), "yuv444": (1, 1), "yuv440": (1, 2), "gray": (1, 1)}[base]
    return int(bits or 8), x, y, 1 if base == "gray" else 3
