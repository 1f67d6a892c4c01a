"""The only place where Y'CbCr code values and R'G'B' meet: both ways, at full and at reduced size.

R'G'B' is display-referred like graded SDR, also of HDR frames: those go through the invertible curve of `hdr`.

swscale is not used: with its default flags a BT.709 round trip is 1.2 codes too dark, and RGB above 8 bits maps
white to 0.996.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from vecnet_core.frame import ColorTags
from vecnet_core.video import kernels
from vecnet_core.video.hdr import BT2020_TO_BT709, KNEE, MONITOR_GAMMA, TABLE_SIZE, curves, highlight_tables
from vecnet_core.video.kernels import (
    NO_CURVE,
    FromRGB,
    ToRGB,
    area_average,
    grey_to_rgb,
    planes_to_rgb,
    rgb_to_grey,
    rgb_to_planes,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from vecnet_core.frame import Frame, PixelLayout, PlaneArray, RGBArray

LUMA_WEIGHTS: dict[str, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020nc": (0.2627, 0.0593),
}
"""Kr and Kb of each matrix; everything else follows from them (ITU-R BT.601, BT.709, BT.2020)."""


def to_rgb(frame: Frame) -> RGBArray:
    """The frame as R'G'B' at full size.

    Chroma is interpolated bilinearly; 4:2:0 and 4:2:2 chroma is taken as left-sited, the MPEG-2 and H.264 default.

    Returns:
        ``(H, W, 3)`` float32 in [0, 1]; the codes of reference black are exactly 0.0, and those of reference white (of
        HDR: of the highest light) exactly 1.0. Of HDR frames these are the working values of `hdr`.
    """
    return _decoded(frame, _curve_to_working(frame.color))


def coded_rgb(frame: Frame) -> RGBArray:
    """The frame as R'G'B' at full size, ``(H, W, 3)`` float32 in [0, 1], as its tags mean it, also of HDR."""
    return _decoded(frame, NO_CURVE)


def reduce_to_rgb(frame: Frame, height: int, width: int) -> RGBArray:
    """The frame as R'G'B' at a smaller size: planes are averaged over the area of each output pixel, then converted.

    Args:
        frame: The decoded frame.
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        ``(height, width, 3)`` float32 in [0, 1].
    """
    if (height, width) == (frame.height, frame.width):
        return to_rgb(frame)
    factors = _factors_to_rgb(frame.layout.bit_depth, frame.color)
    curve = _curve_to_working(frame.color)
    rgb = np.empty((height, width, 3), np.float32)
    luma = _reduce_plane(frame.planes[0], (height, width), (frame.height, frame.width), 0.0)
    if frame.layout.planes == 1:
        grey_to_rgb(luma, rgb, factors, curve)
        return rgb
    cx, cy = frame.layout.chroma_x, frame.layout.chroma_y
    extent = (frame.height / cy, frame.width / cx)
    # A left-sited chroma sample is centred on the even luma column: a quarter sample left of its pair's middle.
    shift = 0.25 if cx == 2 else 0.0
    cb, cr = (_reduce_plane(plane, (height, width), extent, shift) for plane in frame.planes[1:])
    planes_to_rgb(luma, cb, cr, rgb, 1, 1, factors, curve)
    return rgb


def from_rgb(rgb: RGBArray, like: Frame) -> Frame:
    """R'G'B' back to code values in the layout, tags and time of another frame.

    Chroma is reduced with the filters that exactly undo the interpolation of `to_rgb` (the 5/3 and 3/1 biorthogonal
    pairs), so a picture that was not changed keeps its chroma instead of getting softer with every pass.

    Args:
        rgb: ``(H, W, 3)`` float32 as from `to_rgb`; clipped to [0, 1], rounded half up.
        like: The frame whose layout, tags, time and index the result takes.
    """
    return _encoded(rgb, like, _curve_to_code(like.color))


def regain_highlights(corrected: RGBArray, source: RGBArray, color: ColorTags) -> RGBArray:
    """A corrected HDR picture with the highlights of its source: no others, and none lost.

    Near 1 the shoulder of `hdr` holds much light in little: a dark pixel corrected to SDR's white, 1, would shine with
    the highest light of the format, and one that turns from 0.99 to 0.97 would lose two thirds of its light. So the
    correction is taken as what it is for SDR, a gain, and applied to the tone, which has no shoulder: ``tone of source
    * corrected / source``. What is made white of something dark is then diffuse white (203 nits), and a highlight
    stays as far above the rest as it was.

    Args:
        corrected: ``(H, W, 3)`` float32 working values.
        source: The picture it was made from, as from `to_rgb`, of the same size.
        color: Tags of the frame.

    Returns:
        ``(H, W, 3)`` float32 in [0, 1]; of SDR ``corrected`` itself.
    """
    if not color.is_hdr:
        return corrected
    top, headroom, to_shoulder = highlight_tables(color.transfer)
    out = np.empty_like(corrected)
    kernels.regain_highlights(source, corrected, out, np.float32(KNEE), np.float32(top), headroom, to_shoulder)
    return out


def to_bt709(rgb: RGBArray) -> RGBArray:
    """A picture with BT.2020 primaries in those of BT.709, for a display or an SDR file.

    Linear light of a BT.1886 monitor is converted; colours outside the smaller gamut are drawn in softly from just
    inside its border, and what is too bright for their hue turns paler at the same luminance. Greys do not change.

    Args:
        rgb: ``(H, W, 3)`` float32 in [0, 1], as from `to_rgb` of an HDR frame.

    Returns:
        ``(H, W, 3)`` float32 in [0, 1].
    """
    out = np.empty_like(rgb)
    kernels.change_primaries(rgb, out, BT2020_TO_BT709, *_monitor_tables())
    return out


def sdr_color(color: ColorTags) -> ColorTags:
    """The tags of an HDR picture once `tone_map` has made it SDR."""
    return ColorTags("bt709", color.range, "bt709", "bt709")


def tone_map(frame: Frame) -> Frame:
    """An HDR frame as an ordinary one of BT.709 in the same layout and range: its working picture, for any display."""
    rgb = to_rgb(frame)
    if frame.color.primaries == "bt2020":
        rgb = to_bt709(rgb)
    return from_rgb(rgb, replace(frame, color=sdr_color(frame.color)))


def convert_layout(frame: Frame, layout: PixelLayout) -> Frame:
    """The frame in another layout: of more bits, fuller chroma, neutral chroma for grey, or of fewer bits.

    Args:
        frame: The frame as decoded.
        layout: A layout with at least its chroma resolution; to fewer bits, codes are rounded half up.
    """
    if layout == frame.layout:
        return frame
    alpha = None if frame.alpha is None else rescale_alpha(frame.alpha, frame.layout.bit_depth, layout.bit_depth)
    like = replace(frame, planes=_blank_planes(frame, layout), layout=layout, alpha=alpha)
    same_chroma = (frame.layout.chroma_x, frame.layout.chroma_y) == (layout.chroma_x, layout.chroma_y)
    if frame.layout.planes == 1 or same_chroma:
        moved = [_change_depth(plane, frame, layout, is_chroma=i > 0) for i, plane in enumerate(frame.planes)]
        return replace(like, planes=(*moved, *like.planes[len(moved) :]))
    # The same tags on both sides: an HDR curve would be undone at once.
    return _encoded(_decoded(frame, NO_CURVE), like, NO_CURVE)


def rescale_alpha(alpha: PlaneArray, old_depth: int, new_depth: int) -> PlaneArray:
    """Opacity in another number of bits: clear stays 0 and opaque the highest code, the rest is rounded half up."""
    if new_depth == old_depth:
        return alpha
    ratio = ((1 << new_depth) - 1) / ((1 << old_depth) - 1)
    codes = np.floor(np.arange(1 << old_depth) * ratio + 0.5)
    return cast("PlaneArray", codes.astype(np.uint8 if new_depth == 8 else np.uint16)[alpha])


def limit_range(frame: Frame) -> Frame:
    """A full-range frame as limited range in the same layout, each code rounded half up."""
    if frame.color.range == "limited":
        return frame
    depth = frame.layout.bit_depth
    full, limited = _code_scale(depth, "full"), _code_scale(depth, "limited")
    codes = np.arange(1 << depth, dtype=np.float64)
    luma = limited.black + codes * (limited.white - limited.black) / full.white
    chroma = limited.neutral + (codes - full.neutral) * limited.chroma_span / full.chroma_span
    tables = [np.floor(levels + 0.5).astype(frame.planes[0].dtype) for levels in (luma, chroma, chroma)]
    planes = tuple(table[plane] for table, plane in zip(tables, frame.planes, strict=False))
    return replace(frame, planes=planes, color=replace(frame.color, range="limited"))


def rgb_to_frame(rgb: RGBArray, like: Frame, layout: PixelLayout) -> Frame:
    """R'G'B' samples as a frame of another layout, for sources that are stored as RGB.

    Args:
        rgb: ``(H, W, 3)`` float32 in [0, 1], the samples as they are coded, also of HDR.
        like: A grey frame of the same size, which brings index, time and tags.
        layout: The layout to make.
    """
    return _encoded(rgb, replace(like, planes=_blank_planes(like, layout), layout=layout), NO_CURVE)


def _decoded(frame: Frame, curve: RGBArray) -> RGBArray:
    """R'G'B' of a frame's codes, through a curve."""
    layout = frame.layout
    factors = _factors_to_rgb(layout.bit_depth, frame.color)
    rgb = np.empty((frame.height, frame.width, 3), np.float32)
    if layout.planes == 1:
        grey_to_rgb(frame.planes[0], rgb, factors, curve)
    else:
        luma, cb, cr = frame.planes
        planes_to_rgb(luma, cb, cr, rgb, layout.chroma_x, layout.chroma_y, factors, curve)
    return rgb


def _encoded(rgb: RGBArray, like: Frame, curve: RGBArray) -> Frame:
    """Codes of R'G'B' after a curve, as a frame like another."""
    if rgb.shape != (like.height, like.width, 3):
        raise ValueError(f"the picture is {rgb.shape}, the frame {(like.height, like.width, 3)}")
    layout = like.layout
    factors = _factors_from_rgb(layout.bit_depth, like.color)
    planes = tuple(_new_plane(plane.shape, layout.bit_depth) for plane in like.planes)
    pixels = np.ascontiguousarray(rgb, np.float32)
    if layout.planes == 1:
        rgb_to_grey(pixels, planes[0], factors, curve)
    else:
        luma, cb, cr = planes
        rgb_to_planes(pixels, luma, cb, cr, layout.chroma_x, layout.chroma_y, factors, curve)
    return replace(like, planes=planes)


def _curve_to_working(color: ColorTags) -> RGBArray:
    """From the signal of a transfer to working values."""
    return curves(color.transfer).to_working if color.is_hdr else NO_CURVE


def _curve_to_code(color: ColorTags) -> RGBArray:
    """From working values to the signal of a transfer."""
    return curves(color.transfer).to_code if color.is_hdr else NO_CURVE


@cache
def _monitor_tables() -> tuple[RGBArray, RGBArray]:
    """Light of a monitor over even steps of the signal, and the signal over the square root of light."""
    steps = np.linspace(0.0, 1.0, TABLE_SIZE)
    return (steps**MONITOR_GAMMA).astype(np.float32), (steps ** (2 / MONITOR_GAMMA)).astype(np.float32)


class _CodeScale(NamedTuple):
    """Where black, white and neutral lie among the code values, and how many codes chroma spans."""

    black: float
    white: float
    neutral: float
    chroma_span: float


def _code_scale(bit_depth: int, range_name: str) -> _CodeScale:
    """The scale of ITU-R BT.709 and BT.2100 for a bit depth and range."""
    unit = float(1 << (bit_depth - 8))
    top = float((1 << bit_depth) - 1)
    if range_name == "limited":
        return _CodeScale(16 * unit, 235 * unit, 128 * unit, 224 * unit)
    return _CodeScale(0.0, top, 128 * unit, top)


def _factors_to_rgb(bit_depth: int, color: ColorTags) -> ToRGB:
    """Offsets and factors of the inverse matrix, computed from Kr and Kb."""
    scale = _code_scale(bit_depth, color.range)
    kr, kb = LUMA_WEIGHTS[color.matrix]
    cr_to_r, cb_to_b = 2 * (1 - kr), 2 * (1 - kb)
    kg = 1 - kr - kb
    # Rounded up, so that white reaches 1.0 and is clipped to exactly that.
    luma_gain = np.nextafter(np.float32(1 / (scale.white - scale.black)), np.float32(1))
    return ToRGB(
        black=np.float32(scale.black),
        luma_gain=luma_gain,
        neutral=np.float32(scale.neutral),
        chroma_gain=np.float32(1 / scale.chroma_span),
        cr_to_r=np.float32(cr_to_r),
        cb_to_g=np.float32(-cb_to_b * kb / kg),
        cr_to_g=np.float32(-cr_to_r * kr / kg),
        cb_to_b=np.float32(cb_to_b),
    )


def _factors_from_rgb(bit_depth: int, color: ColorTags) -> FromRGB:
    """Offsets and factors of the forward matrix, computed from Kr and Kb."""
    scale = _code_scale(bit_depth, color.range)
    kr, kb = LUMA_WEIGHTS[color.matrix]
    return FromRGB(
        kr=np.float32(kr),
        kg=np.float32(1 - kr - kb),
        kb=np.float32(kb),
        blue_gain=np.float32(0.5 / (1 - kb)),
        red_gain=np.float32(0.5 / (1 - kr)),
        black=np.float32(scale.black),
        luma_span=np.float32(scale.white - scale.black),
        neutral=np.float32(scale.neutral),
        chroma_span=np.float32(scale.chroma_span),
        lowest=np.float32(max(np.ceil(scale.neutral - scale.chroma_span / 2), 0)),
        highest=np.float32(np.floor(scale.neutral + scale.chroma_span / 2)),
    )


def _new_plane(shape: tuple[int, ...], bit_depth: int, value: int = 0) -> PlaneArray:
    """A plane of the sample type of a bit depth."""
    if bit_depth == 8:
        return np.full(shape, value, np.uint8)
    return np.full(shape, value, np.uint16)


def _typed(codes: npt.NDArray[Any], bit_depth: int) -> PlaneArray:
    """Codes in the sample type of a bit depth."""
    return codes.astype(np.uint8) if bit_depth == 8 else codes.astype(np.uint16)


def _blank_planes(frame: Frame, layout: PixelLayout) -> tuple[PlaneArray, ...]:
    """Planes of the layout with neutral chroma; the luma is not filled."""
    chroma = (-(-frame.height // layout.chroma_y), -(-frame.width // layout.chroma_x))
    neutral = 1 << (layout.bit_depth - 1)
    shapes = [(frame.height, frame.width), chroma, chroma][: layout.planes]
    return tuple(_new_plane(shape, layout.bit_depth, neutral) for shape in shapes)


def _change_depth(plane: PlaneArray, frame: Frame, layout: PixelLayout, *, is_chroma: bool) -> PlaneArray:
    """The same levels in other bits: a shift for limited range, the exact ratio of the tops for full range."""
    old, new = frame.layout.bit_depth, layout.bit_depth
    if new == old:
        return plane
    if frame.color.range == "limited":
        if new > old:
            return plane.astype(np.uint16) << np.uint16(new - old)
        codes = (plane.astype(np.uint32) + (1 << (old - new - 1))) >> (old - new)
        return _typed(np.minimum(codes, (1 << new) - 1), new)
    ratio = ((1 << new) - 1) / ((1 << old) - 1)
    centre_old, centre_new = ((1 << old - 1), (1 << new - 1)) if is_chroma else (0, 0)
    levels = np.floor((plane.astype(np.float64) - centre_old) * ratio + centre_new + 0.5)
    return _typed(np.clip(levels, 0, (1 << new) - 1), new)


def _reduce_plane(plane: PlaneArray, size: tuple[int, int], extent: tuple[float, float], shift: float) -> RGBArray:
    """Area average of a plane, where ``extent`` is how much of it (rows, columns) the picture covers."""
    out = np.empty(size, np.float32)
    area_average(plane, out, extent[0] / size[0], extent[1] / size[1], shift)
    return out
