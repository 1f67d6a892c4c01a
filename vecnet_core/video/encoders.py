"""The encoders: what each accepts, and its options for what a person chose (loads no FFmpeg)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from llvmlite.binding import get_host_cpu_features

from vecnet_core.errors import SettingsError

if TYPE_CHECKING:
    from vecnet_core.frame import HdrMetadata, PixelLayout
    from vecnet_core.video.encode import EncodeSettings

_X26X_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip
_ALL_CHROMA_8_10 = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")

_FFV1_LAYOUTS = (
    *(f"yuv{chroma}p{bits}le" for bits in (9, 12, 14, 16) for chroma in ("420", "422", "444")),
    *("yuv440p", "yuv440p10le", "yuv440p12le", "gray", "gray10le", "gray12le", "gray14le", "gray16le"),
)

_FF_LAMBDA = 118
"""FFmpeg's unit of quality in encoders that have none of their own (FF_QP2LAMBDA)."""

_FAMILIES = {"dnxhr": "dnxhd", "jpeg": "mjpeg"}

_FIXED_OPTIONS = {
    "ffv1": {"level": "3", "slicecrc": "1", "g": "1"},
    "png": {},
    "tiff": {"compression_algo": "deflate"},
    "exr": {"format": "half", "compression": "zip16"},
}


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
        keeps_hdr_metadata: Its own data hold HDR's static metadata; the tags of HDR are kept by all.
        alpha_layouts: Those of `layouts` that it also accepts with transparency.
        profiles: For presets that are profiles, the layouts of each.
        rounds: Its samples are what they are: deeper ones are rounded, which is told, instead of refused.
        smallest: Least width and height in pixels.
        is_picture: It writes a picture a frame, and no file that a container holds.
        keeps_tags: False when nothing in its pictures says primaries and transfer.
        repacked: FFmpeg's formats that it wants instead of some layouts: the same samples, otherwise packed.
        quality_options: Its options for a crf, in which ``{crf}`` stands for it; None for those of software encoders.
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
    keeps_hdr_metadata: bool = False
    alpha_layouts: tuple[str, ...] = ()
    profiles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rounds: bool = False
    smallest: tuple[int, int] = (1, 1)
    is_picture: bool = False
    keeps_tags: bool = True
    repacked: dict[str, str] = field(default_factory=dict)
    quality_options: dict[str, str] | None = None

    @property
    def family(self) -> str:
        """FFmpeg's name of the codec."""
        return _FAMILIES.get(self.codec, self.codec)

    def layouts_for(self, encode: EncodeSettings) -> tuple[str, ...]:
        """The layouts that are left when a profile and a bit depth are chosen."""
        layouts = self.profiles.get(encode.preset or "", self.layouts)
        return tuple(name for name in layouts if encode.bit_depth in {None, parts_of(name)[0]})

    def pixel_format(self, layout: str, *, has_alpha: bool) -> str:
        """FFmpeg's format in which the encoder is given one of its layouts."""
        return alpha_twin(layout) if has_alpha else self.repacked.get(layout, layout)

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
        if not self.layouts_for(encode):
            depths = sorted({parts_of(name)[0] for name in self.layouts_for(replace(encode, bit_depth=None))})
            named = " or ".join(str(depth) for depth in depths)
            raise SettingsError(f"{self.codec} has no {encode.bit_depth}-bit samples", hint=f"choose {named} bits")

    def coarseness(self, encode: EncodeSettings) -> int:
        """Steps of crf above the default; 0 for finer settings, and for codecs without a crf."""
        if encode.crf is None or self.default_crf is None:
            return 0
        return max(0, encode.crf - self.default_crf)

    def usual_bits(self, encode: EncodeSettings, layout: PixelLayout) -> float:
        """Bits of an encoded pixel, for a first guess at the size of a file: twice what ordinary footage takes."""
        samples = layout.planes if layout.planes == 1 else 1 + 2 / (layout.chroma_x * layout.chroma_y)
        if self.is_lossless or (self.is_picture and self.crf_range is None):
            return 0.6 * samples * layout.bit_depth
        if self.crf_range is None:
            return 2.2 * samples
        crf = encode.crf if encode.crf is not None else self.default_crf or 0
        return min(8.0, 0.15 * samples * 2 ** (((self.default_crf or 0) - crf) / 6))

    def options(self, encode: EncodeSettings, layout: PixelLayout, hdr: HdrMetadata | None = None) -> dict[str, str]:
        """FFmpeg's options for the settings.

        Args:
            encode: What was asked for.
            layout: The layout that is encoded.
            hdr: Static metadata to write; left out by encoders that hold none.
        """
        preset = encode.preset or self.default_preset
        if self.codec in _FIXED_OPTIONS:
            return dict(_FIXED_OPTIONS[self.codec])
        if self.profiles:
            profile = encode.preset or next(name for name in self.profiles if layout.name in self.profiles[name])
            return {"profile": f"dnxhr_{profile}"} if self.codec == "dnxhr" else {"profile": profile, "vendor": "apl0"}
        crf = self.default_crf if encode.crf is None else encode.crf
        if self.quality_options is not None:
            level = crf or 0
            values = {"crf": level, "q_index": 4 * level, "percent": _FF_LAMBDA * max(1, 100 - 2 * level)}
            return {name: text.format(**values) for name, text in self.quality_options.items()}
        options = {"crf": str(crf), "preset": preset}
        named = [] if hdr is None else _metadata_options(self.codec, hdr)
        if self.codec == "hevc":
            named.insert(0, "log-level=none")
        if self.codec == "h264" and _has_avx512():
            named.append(_SAME_EACH_TIME)
        if named:
            options[_OPTION_LISTS[self.codec]] = ":".join(named)
        return options


class _Maker(NamedTuple):
    """The hardware encoders of one maker.

    Attributes:
        suffix: Of FFmpeg's names for them.
        quality: Options in which ``{crf}`` is about as fine as the software encoder's.
        formats: The format in which each layout is given; a layout that is not there cannot be.
    """

    suffix: str
    quality: dict[str, str]
    formats: dict[str, str]


_TEN_BITS = {"yuv420p10le": "p010le"}
_MAKERS = (
    _Maker(
        "nvenc",
        {"rc": "vbr", "cq": "{crf}", "preset": "p5", "tune": "hq"},
        {"yuv420p": "yuv420p", "yuv444p": "yuv444p", **_TEN_BITS},
    ),
    _Maker("qsv", {"global_quality": "{crf}", "preset": "slower"}, {"yuv420p": "nv12", **_TEN_BITS}),
    _Maker(
        "amf",
        {"rc": "cqp", "qp_i": "{crf}", "qp_p": "{crf}", "quality": "quality"},
        {"yuv420p": "yuv420p", **_TEN_BITS},
    ),
    # From 1 to 100, higher is better: 64 where x264 has 18.
    _Maker("videotoolbox", {"global_quality": "{percent}", "flags": "+qscale"}, {"yuv420p": "nv12", **_TEN_BITS}),
)


def _hardware(software: Encoder, maker: _Maker) -> Encoder:
    """A maker's encoder of a codec, with the crf of the software encoder."""
    formats = maker.formats
    if (software.codec, maker.suffix) in {("h264", "qsv"), ("h264", "videotoolbox")}:
        formats = {layout: name for layout, name in formats.items() if layout not in _TEN_BITS}
    quality = maker.quality
    if (software.codec, maker.suffix) == ("av1", "amf"):
        # It counts as the bitstream does, from 0 to 255.
        quality = {name: text.replace("{crf}", "{q_index}") for name, text in quality.items()}
    return Encoder(
        software.codec,
        f"{software.codec}_{maker.suffix}",
        tuple(formats),
        software.crf_range,
        software.default_crf,
        software.presets,
        takes_odd_sizes=False,
        keeps_aspect=software.keeps_aspect,
        repacked=formats,
        quality_options=quality,
    )


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
        keeps_hdr_metadata=True,
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
        keeps_hdr_metadata=True,
    ),
    "av1": Encoder(
        "av1",
        "libsvtav1",
        ("yuv420p", "yuv420p10le"),
        (1, 63),
        22,
        tuple(str(n) for n in range(14)),
        "8",
        keeps_hdr_metadata=True,
    ),
    "ffv1": Encoder(
        "ffv1",
        "ffv1",
        (*_ALL_CHROMA_8_10, *_FFV1_LAYOUTS),
        is_lossless=True,
        alpha_layouts=(
            *_ALL_CHROMA_8_10,
            *(f"yuv{chroma}p{bits}le" for bits in (9, 16) for chroma in ("420", "422", "444")),
            *("yuv422p12le", "yuv444p12le"),
        ),
    ),
    "prores": Encoder(
        "prores",
        "prores_ks",
        ("yuv422p10le", "yuv444p10le"),
        presets=("proxy", "lt", "standard", "hq", "4444", "4444xq"),
        keeps_full_range=False,
        alpha_layouts=("yuv444p10le",),
        profiles={
            "hq": ("yuv422p10le",),
            "4444": ("yuv444p10le",),
            **dict.fromkeys(("proxy", "lt", "standard"), ("yuv422p10le",)),
            "4444xq": ("yuv444p10le",),
        },
        rounds=True,
    ),
    "dnxhr": Encoder(
        "dnxhr",
        "dnxhd",
        ("yuv422p", "yuv422p10le", "yuv444p10le"),
        presets=("lb", "sq", "hq", "hqx", "444"),
        profiles={
            "hq": ("yuv422p",),
            "hqx": ("yuv422p10le",),
            "444": ("yuv444p10le",),
            **dict.fromkeys(("lb", "sq"), ("yuv422p",)),
        },
        rounds=True,
        smallest=(256, 120),
    ),
    "png": Encoder(
        "png",
        "png",
        ("gray", "gray16be", "rgb24", "rgb48be"),
        alpha_layouts=("gray", "gray16be", "rgb24", "rgb48be"),
        is_picture=True,
    ),
    "tiff": Encoder(
        "tiff",
        "tiff",
        ("gray", "gray16le", "rgb24", "rgb48le"),
        alpha_layouts=("gray", "gray16le", "rgb24", "rgb48le"),
        is_picture=True,
        keeps_tags=False,
    ),
    "jpeg": Encoder(
        "jpeg",
        "mjpeg",
        ("yuvj420p", "yuvj422p", "yuvj444p"),
        (1, 31),
        2,
        rounds=True,
        is_picture=True,
        keeps_tags=False,
        quality_options={"qmin": "{crf}", "qmax": "{crf}"},
    ),
    "exr": Encoder(
        "exr",
        "exr",
        ("grayf32le", "gbrpf32le"),
        alpha_layouts=("gbrpf32le",),
        is_picture=True,
        keeps_tags=False,
    ),
}
"""The encoders by codec."""


HARDWARE: dict[str, tuple[Encoder, ...]] = {
    codec: tuple(
        _hardware(ENCODERS[codec], maker) for maker in _MAKERS if codec != "av1" or maker.suffix != "videotoolbox"
    )
    for codec in ("h264", "hevc", "av1")
}
"""Hardware encoders by codec, in the order they are tried; which of them work is found out by `probe`."""


def alpha_twin(layout: str) -> str:
    """FFmpeg's format that is a layout and has transparency besides."""
    twins = {"rgb24": "rgba", "rgb48be": "rgba64be", "rgb48le": "rgba64le", "gbrpf32le": "gbrapf32le"}
    greys = {"gray": "ya8", "gray16be": "ya16be", "gray16le": "ya16le"}
    return (twins | greys).get(layout) or layout.replace("yuv", "yuva")


def bits_of(layout: str) -> int:
    """Bits of a sample of one of the encoders' layouts; 16 for floats."""
    return parts_of(layout)[0]


def holds(name: str, layout: PixelLayout, bit_depth: int) -> bool:
    """True when a named layout has at least some bits, and the chroma and planes of another."""
    bits, x, y, planes = parts_of(name)
    return (
        bits >= bit_depth
        and planes >= layout.planes
        and (layout.planes == 1 or (x <= layout.chroma_x and y <= layout.chroma_y))
    )


_OPTION_LISTS = {"h264": "x264-params", "hevc": "x265-params", "av1": "svtav1-params"}
"""FFmpeg's options that take an encoder's own."""


_SAME_EACH_TIME = "asm=FMA3,BMI2,AVX2"
"""Without AVX-512, with which macroblock-tree rate control of x264 (core 165) reads memory that nothing has filled,
where a row of macroblocks is no multiple of 16: the same frames give now this file, now that. 5 to 10 %
more processor time of the encoder at 1080p, 3 % at 960x540, preset medium, AMD EPYC, 2026-11-25."""


@cache
def _has_avx512() -> bool:
    """Whether x264 would use AVX-512. Where it would not, it must find out itself what there is."""
    try:
        return bool(get_host_cpu_features().get("avx512f"))
    except RuntimeError:  # a processor of which LLVM knows nothing
        return False


def _metadata_options(codec: str, hdr: HdrMetadata) -> list[str]:
    """Static HDR metadata as an encoder's own options."""
    named: list[str] = []
    display = hdr.mastering
    if display is not None:
        # x264 and x265 count in the units of the bitstream: 0.00002, and 0.0001 nits.
        scales = (1.0, 1.0) if codec == "av1" else (50_000.0, 10_000.0)
        points = (("G", display.green), ("B", display.blue), ("R", display.red), ("WP", display.white))
        text = "".join(f"{name}({_scaled(x, scales[0])},{_scaled(y, scales[0])})" for name, (x, y) in points)
        text += f"L({_scaled(display.max_nits, scales[1])},{_scaled(display.min_nits, scales[1])})"
        named.append(f"{'master-display' if codec == 'hevc' else 'mastering-display'}={text}")
    if hdr.max_cll or hdr.max_fall:
        light = {"h264": "cll", "hevc": "max-cll", "av1": "content-light"}[codec]
        named.append(f"{light}={hdr.max_cll},{hdr.max_fall}")
    if codec == "hevc" and named:
        # In front of every key frame, so that a file that was cut still has them.
        named += ["hdr10=1", "repeat-headers=1"]
    return named


def _scaled(value: float, scale: float) -> str:
    """A number in an encoder's unit, whole unless the unit is 1."""
    return f"{value:.6f}" if scale == 1.0 else str(round(value * scale))


def parts_of(name: str) -> tuple[int, int, int, int]:
    """Bit depth, horizontal and vertical chroma subsampling and planes of a layout's name."""
    if name in _RGB_BITS:
        return _RGB_BITS[name], 1, 1, 3
    if name.startswith("gray"):
        # Half floats of linear light are as fine as 16 bits of what a display is given.
        return 16 if "f32" in name else int(name[4:].rstrip("lbe") or 8), 1, 1, 1
    base, _, bits = name.replace("yuvj", "yuv").removesuffix("le").partition("p")
    x, y = {"yuv420": (2, 2), "yuv422": (2, 1), "yuv444": (1, 1), "yuv440": (1, 2)}[base]
    return int(bits or 8), x, y, 3


_RGB_BITS = {"rgb24": 8, "rgb48le": 16, "rgb48be": 16, "gbrpf32le": 16}
