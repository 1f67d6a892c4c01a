"""Decides how the pictures of an output are encoded: the one place where source, settings and output's name meet."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import av

from vecnet_core.errors import VideoWriteError
from vecnet_core.frame import ColorTags
from vecnet_core.video.containers import QUICKTIME, can_hold
from vecnet_core.video.encode import CONTAINERS, ENCODERS, bits_of, check_hdr, check_size, choose_encoder, choose_layout
from vecnet_core.video.layouts import plan_layout
from vecnet_core.video.numbering import PictureNames, numbered_name
from vecnet_core.video.opening import open_video
from vecnet_core.video.pictures import PicturePlan
from vecnet_core.video.probe import find_hardware
from vecnet_core.video.tags import TagNumbers, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vecnet_core.frame import HdrMetadata, PixelLayout, VideoInfo
    from vecnet_core.video.encode import Encoder, EncodeSettings

_HOLD_NO_ASPECT = {"matroska", "webm"}
"""PyAV hands Matroska no pixel aspect, so that there the codec's data must say it."""

_NEED_ALL_TAGS = {"ffv1", "dnxhr"}
"""Codecs whose colours only the container tells; FFmpeg writes MP4's and MOV's tags when it has all of them."""

_ORDINARY = {"unknown", "bt709", "smpte170m", "bt470bg", "iec61966-2-1", "gamma22", "bt2020-10", "bt2020-12"}
"""Primaries and transfers that pictures without tags are shown with, or nearly."""


class Planned(NamedTuple):
    """How the pictures are encoded, and what is to be said about it.

    Attributes:
        plan: How.
        names: Those of the pictures, where each is a file; None for a video file.
        pixel_aspect: The one that the output says; 1 where it cannot hold the source's.
        warnings: Sentences on what could not be kept or is done otherwise than asked.
    """

    plan: PicturePlan
    names: PictureNames | None
    pixel_aspect: Fraction
    warnings: tuple[str, ...]


def plan_pictures(
    path: Path,
    info: VideoInfo,
    encode: EncodeSettings,
    copy_from: Path | None,
    video_stream: int = 0,
    hdr: HdrMetadata | None = None,
) -> Planned:
    """Decide how a clip is encoded into an output.

    Args:
        path: The output; its ending chooses the container, or the kind of pictures.
        info: The facts of the source.
        encode: What was asked for.
        copy_from: The source as a file with tags of its own; None where only ``info`` counts.
        video_stream: Which of its video streams the frames are from.
        hdr: HDR's static metadata that are true of the frames.

    Raises:
        SettingsError: A setting does not fit the codec that ``match`` came to.
        VideoWriteError: Container or codec cannot hold the pictures.
    """
    names = _names(path)
    suffix = path.suffix.lower()
    warnings: list[str] = []
    encoder = choose_encoder(encode, info.codec, suffix)
    if encoder.is_picture and names is None:
        raise VideoWriteError(
            f"{encoder.codec} pictures are no {suffix} file",
            path=path,
            hint=f"choose another codec, or give a name such as {numbered_name(path, encoder.codec)}",
        )
    if names is not None and not encoder.is_picture:
        raise VideoWriteError(
            f"a {suffix} file cannot hold {encoder.codec} video",
            path=path,
            hint=f"choose another codec, or give the output a name that ends in {' or '.join(CONTAINERS)}",
        )
    has_alpha = info.has_alpha and encode.alpha == "keep"
    if names is None and encode.codec == "match":
        encoder, why = _stand_in(encoder, suffix, has_alpha=has_alpha)
        encoder.check(encode)
        warnings += why
    bits = _rgb_bits(info.files[0] if info.files else copy_from, 0 if info.files else video_stream)
    layout_name = choose_layout(encoder, info.layout, encode, has_alpha=has_alpha, rgb_bits=bits)
    layout = _layout_named(layout_name)
    check_size(encoder, layout, info.width, info.height)
    if encode.hardware:
        found = find_hardware(encoder, encode, layout, info.width, info.height, has_alpha=has_alpha)
        encoder = found.encoder
        warnings += found.warnings
    source_numbers, stated = None, info.pixel_aspect if info.pixel_aspect != 1 else None
    if copy_from is not None:
        source_numbers, stated = source_tags(copy_from, video_stream)
    color = _color(encoder, info.color, layout)
    is_half_tagged = "unknown" in {color.primaries, color.transfer}
    if is_half_tagged and CONTAINERS.get(suffix) in QUICKTIME and encoder.codec in _NEED_ALL_TAGS:
        color = _color_without_tags(color, encoder, path)
    numbers = numbers_of(color, source_numbers)
    if encoder.is_picture and encoder.codec != "jpeg":
        numbers = numbers._replace(space=0)
    holds_aspect = encoder.keeps_aspect or CONTAINERS.get(suffix) not in _HOLD_NO_ASPECT
    # Apple's players take HEVC by no other name.
    codec_tag = "hvc1" if encoder.codec == "hevc" and CONTAINERS.get(suffix) in QUICKTIME else ""
    pixel_format = encoder.pixel_format(layout_name, has_alpha=has_alpha)
    plan = PicturePlan(info, encode, encoder, layout, pixel_format, color, numbers, stated, codec_tag, has_alpha, hdr)
    aspect = info.pixel_aspect if holds_aspect else Fraction(1)
    written_bits, source_bits = bits_of(layout_name), bits if encoder.is_picture and bits else info.layout.bit_depth
    if written_bits < source_bits:
        warnings.append(f"samples of {source_bits} bits are rounded to {written_bits}")
    warnings += _limits(plan, suffix, aspect)
    warnings += check_hdr(encoder, hdr, info)
    if names is not None:
        warnings += _limits_of_pictures(plan, suffix)
    return Planned(plan, names, aspect, tuple(warnings))


def source_tags(source: Path, video_stream: int = 0) -> tuple[TagNumbers, Fraction | None]:
    """The colour tags of a file as FFmpeg numbers them, and the pixel aspect it states."""
    container, stream = open_video(source, 1, video_stream)
    with container:
        return TagNumbers.of(stream.codec_context), stream.sample_aspect_ratio or None


def _names(path: Path) -> PictureNames | None:
    """The names of the pictures, or None for a video file.

    Raises:
        VideoWriteError: The ending is neither's.
    """
    names = PictureNames.of(path)
    if names is None and path.suffix.lower() not in CONTAINERS:
        raise VideoWriteError(
            f"no video is written with the ending {path.suffix!r}",
            path=path,
            hint=f"end the name in {', '.join(CONTAINERS)}, or for pictures in _%05d.png",
        )
    return names


def _stand_in(encoder: Encoder, suffix: str, *, has_alpha: bool) -> tuple[Encoder, list[str]]:
    """What ``match`` comes to where the source's codec does not go into the container, or holds no transparency."""

    def first_that_fits(*codecs: str) -> Encoder | None:
        return next((ENCODERS[each] for each in codecs if can_hold(CONTAINERS[suffix], ENCODERS[each].family)), None)

    if has_alpha and not encoder.alpha_layouts:
        other = first_that_fits("prores")
        if other is not None:
            return other, [f"{other.codec} is written, since {encoder.codec} holds no transparency"]
    if not can_hold(CONTAINERS[suffix], encoder.family):
        other = first_that_fits("h264", "av1")
        if other is not None:
            return other, [f"{other.codec} is written, since a {suffix} file cannot hold {encoder.codec} video"]
    return encoder, []


def _rgb_bits(source: Path | None, video_stream: int) -> int:
    """Bits of the samples of a source that is RGB itself, at most 16; 0 for others."""
    if source is None:
        return 0
    container, stream = open_video(source, 1, video_stream)
    with container:
        name = stream.codec_context.pix_fmt
        form = None if name is None else av.VideoFormat(name, 16, 16)
        if form is None or not (form.is_rgb or form.has_palette):
            return 0
        return min(16, max(8, *(component.bits for component in form.components)))


def _layout_named(name: str) -> PixelLayout:
    """The layout of the planes that come out of one of FFmpeg's formats."""
    plan = plan_layout(name)
    if plan is None:
        raise ValueError(f"no such layout {name!r}")
    return plan.layout


def _color(encoder: Encoder, source: ColorTags, layout: PixelLayout) -> ColorTags:
    """The tags of what an encoder writes."""
    if not encoder.is_picture:
        if source.range == "limited" or encoder.keeps_full_range:
            return source
        return replace(source, range="limited", assumed=tuple(name for name in source.assumed if name != "range"))
    matrix = "bt601" if encoder.codec == "jpeg" else "bt709"
    if encoder.keeps_tags:
        return ColorTags(matrix, "full", source.primaries, source.transfer)
    # FFmpeg reads floats as linear light, which is shown through the sRGB curve, and the grey of TIFF as of gamma 2.2.
    is_grey_tiff = encoder.codec == "tiff" and layout.planes == 1
    transfer = "iec61966-2-1" if encoder.codec == "exr" else "gamma22" if is_grey_tiff else "unknown"
    return ColorTags(matrix, "full", transfer=transfer)


def _color_without_tags(color: ColorTags, encoder: Encoder, path: Path) -> ColorTags:
    """What is left of tags that MP4 and MOV hold whole or not at all, in codecs whose own data hold few.

    Raises:
        VideoWriteError: Without them the colours would be taken for others.
    """
    if encoder.codec == "ffv1" and (color.range == "full" or "matrix" not in color.assumed):
        raise VideoWriteError(
            f"a {path.suffix} file cannot say the {color.range}-range {color.matrix} colours of this clip with ffv1",
            path=path,
            hint="give the output a name that ends in .mkv",
        )
    return replace(color, primaries="unknown", transfer="unknown")


def _limits(plan: PicturePlan, suffix: str, aspect: Fraction) -> Iterator[str]:
    """A sentence for everything that codec and container cannot hold."""
    codec = plan.encoder.codec
    if aspect != plan.info.pixel_aspect:
        yield f"the pixel aspect {plan.info.pixel_aspect} is left out, since {codec} in a {suffix} file cannot hold it"
    if plan.color.range != plan.info.color.range and plan.color.range == "limited":
        yield f"the full-range colours are written as limited range, since {codec} holds no other"


def _limits_of_pictures(plan: PicturePlan, suffix: str) -> Iterator[str]:
    """A sentence for everything of a clip that pictures have no place for."""
    info = plan.info
    lost = [name for name in (info.color.primaries, info.color.transfer) if name not in _ORDINARY]
    if lost and not plan.encoder.keeps_tags:
        remedy = "map the HDR (--hdr sdr), or write .png" if info.color.is_hdr else "write .png"
        if plan.encoder.codec == "exr":
            raise VideoWriteError(
                f"EXR pictures are written of ordinary footage only, not of {' and '.join(lost)}", hint=remedy
            )
        yield f"nothing in a {suffix} file says that its colours are {' and '.join(lost)}; .png does"
    if info.audio_codecs:
        yield "the sound is left out, since pictures hold none"
    if info.rotation_degrees:
        yield f"the rotation of {info.rotation_degrees} degrees is left out, since pictures hold none"
    if info.is_mirrored:
        yield "the mark that the picture is shown mirrored is left out, since pictures hold none"
    if info.is_variable_rate:
        yield "the varying times of the frames are left out, since pictures hold none"
