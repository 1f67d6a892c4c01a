"""The only place where Y'CbCr code values and R'G'B' meet: both ways, at full and at reduced size.

swscale is not used: with its default flags a BT.709 round trip is 1.2 codes too dark, and RGB above 8 bits maps
white to 0.996.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vecnet_core.video.kernels import (
    FromRGB,
    ToRGB,
    area_average,
    grey_to_rgb,
    planes_to_rgb,
    rgb_to_grey,
    rgb_to_planes,
)

if TYPE_CHECKING:
    from vecnet_core.frame import ColorTags, Frame, PixelLayout, PlaneArray, RGBArray

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
        ``(H, W, 3)`` float32 in [0, 1]; reference black is exactly 0.0 and reference white exactly 1.0.
    """
    layout = frame.layout
    factors = _factors_to_rgb(layout.bit_depth, frame.color)
    rgb = np.empty((frame.height, frame.width, 3), np.float32)
    if layout.planes == 1:
        grey_to_rgb(frame.planes[0], rgb, factors)
    else:
        luma, cb, cr = frame.planes
        planes_to_rgb(luma, cb, cr, rgb, layout.chroma_x, layout.chroma_y, factors)
    return rgb


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
    rgb = np.empty((height, width, 3), np.float32)
    luma = _reduce_plane(frame.planes[0], (height, width), (frame.height, frame.width), 0.0)
    if frame.layout.planes == 1:
        grey_to_rgb(luma, rgb, factors)
        return rgb
    cx, cy = frame.layout.chroma_x, frame.layout.chroma_y
    extent = (frame.height / cy, frame.width / cx)
    # A left-sited chroma sample is centred on the even luma column: a quarter sample left of its pair's middle.
    shift = 0.25 if cx == 2 else 0.0
    cb, cr = (_reduce_plane(plane, (height, width), extent, shift) for plane in frame.planes[1:])
    planes_to_rgb(luma, cb, cr, rgb, 1, 1, factors)
    return rgb


def from_rgb(rgb: RGBArray, like: Frame) -> Frame:
    """R'G'B' back to code values in the layout, tags and time of another frame.

    Chroma is reduced with the filters that exactly undo the interpolation of `to_rgb` (the 5/3 and 3/1 biorthogonal
    pairs), so a picture that was not changed keeps its chroma instead of getting softer with every pass.

    Args:
        rgb: ``(H, W, 3)`` float32; clipped to [0, 1], rounded half up.
        like: The frame whose layout, tags, time and index the result takes.
    """
    if rgb.shape != (like.height, like.width, 3):
        raise ValueError(f"the picture is {rgb.shape}, the frame {(like.height, like.width, 3)}")
    layout = like.layout
    factors = _factors_from_rgb(layout.bit_depth, like.color)
    planes = tuple(_new_plane(plane.shape, layout.bit_depth) for plane in like.planes)
    pixels = np.ascontiguousarray(rgb, np.float32)
    if layout.planes == 1:
        rgb_to_grey(pixels, planes[0], factors)
    else:
        luma, cb, cr = planes
        rgb_to_planes(pixels, luma, cb, cr, layout.chroma_x, layout.chroma_y, factors)
    return replace(like, planes=planes)


def convert_layout(frame: Frame, layout: PixelLayout) -> Frame:
    """The frame in a roomier layout (more bits, fuller chroma, neutral chroma for grey); loses nothing.

    Args:
        frame: The frame as decoded.
        layout: A layout with at least its bits and its chroma resolution.
    """
    if layout == frame.layout:
        return frame
    like = replace(frame, planes=_blank_planes(frame, layout), layout=layout)
    same_chroma = (frame.layout.chroma_x, frame.layout.chroma_y) == (layout.chroma_x, layout.chroma_y)
    if frame.layout.planes == 1 or same_chroma:
        moved = [_change_depth(plane, frame, layout, is_chroma=i > 0) for i, plane in enumerate(frame.planes)]
        return replace(like, planes=(*moved, *like.planes[len(moved) :]))
    return from_rgb(to_rgb(frame), like)


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
        rgb: ``(H, W, 3)`` float32 in [0, 1].
        like: A grey frame of the same size, which brings index, time and tags.
        layout: The layout to make.
    """
    return from_rgb(rgb, replace(like, planes=_blank_planes(like, layout), layout=layout))


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


def _blank_planes(frame: Frame, layout: PixelLayout) -> tuple[PlaneArray, ...]:
    """Planes of the layout with neutral chroma; the luma is not filled."""
    chroma = (-(-frame.height // layout.chroma_y), -(-frame.width // layout.chroma_x))
    neutral = 1 << (layout.bit_depth - 1)
    shapes = [(frame.height, frame.width), chroma, chroma][: layout.planes]
    return tuple(_new_plane(shape, layout.bit_depth, neutral) for shape in shapes)


def _change_depth(plane: PlaneArray, frame: Frame, layout: PixelLayout, *, is_chroma: bool) -> PlaneArray:
    """The same levels in more bits: a shift for limited range, the exact ratio of the tops for full range."""
    old, new = frame.layout.bit_depth, layout.bit_depth
    if new == old:
        return plane
    if frame.color.range == "limited":
        return plane.astype(np.uint16) << np.uint16(new - old)
    ratio = ((1 << new) - 1) / ((1 << old) - 1)
    centre_old, centre_new = ((1 << old - 1), (1 << new - 1)) if is_chroma else (0, 0)
    levels = np.floor((plane.astype(np.float64) - centre_old) * ratio + centre_new + 0.5)
    return np.clip(levels, 0, (1 << new) - 1).astype(np.uint16)


def _reduce_plane(plane: PlaneArray, size: tuple[int, int], extent: tuple[float, float], shift: float) -> RGBArray:
    """Area average of a plane, where ``extent`` is how much of it (rows, columns) the picture covers."""
    out = np.empty(size, np.float32)
    area_average(plane, out, extent[0] / size[0], extent[1] / size[1], shift)
    return out
