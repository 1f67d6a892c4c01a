"""FFmpeg pixel formats taken apart: held as they are or converted; planes in and out of PyAV frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import av
import numpy as np

from vecnet_core.frame import PixelLayout, PlaneArray
from vecnet_core.metrics.exposure import linear_to_srgb, srgb_to_linear

if TYPE_CHECKING:
    import numpy.typing as npt
    from av.video.frame import VideoFrame

    from vecnet_core.frame import RGBArray

_SEMI_PLANAR = {
    "nv12": (2, 2, 8), "nv21": (2, 2, 8), "nv16": (2, 1, 8), "nv24": (1, 1, 8), "nv42": (1, 1, 8),
    **{f"p0{bits}{order}": (2, 2, bits) for bits in (10, 12, 16) for order in ("le", "be")},
    **{f"p2{bits}{order}": (2, 1, bits) for bits in (10, 12, 16) for order in ("le", "be")},
    **{f"p4{bits}{order}": (1, 1, bits) for bits in (10, 12, 16) for order in ("le", "be")},
}  # fmt: skip
"""Formats of hardware decoders, Y, then U and V side by side: chroma subsampling and bits, which are the high ones."""

_SWAPPED_CHROMA = {"nv21", "nv42"}

_GREY_ALPHA = {"ya8", "ya16le", "ya16be"}

_FLOAT_DTYPE = {"f16le": np.float16, "f16be": np.float16, "f32le": np.float32, "f32be": np.float32}
"""The sample type by the last letters of a float format's name."""


@dataclass(frozen=True)
class LayoutPlan:
    """How frames of one pixel format become planes of ours.

    Attributes:
        layout: The layout of the planes we hand out.
        source_format: FFmpeg's name of the decoded format.
        via_format: FFmpeg format the frame is repacked to first; empty when its planes are taken as they are.
        is_rgb: The source is RGB, converted by `color`.
        is_float: The source holds linear light, shown through the sRGB curve.
        has_alpha: The source has a plane of transparency.
        is_full_format: The format's name says full range (``yuvj420p``).
        warning: What was converted, as a clause; empty when nothing was.
    """

    layout: PixelLayout
    source_format: str
    via_format: str = ""
    is_rgb: bool = False
    is_float: bool = False
    has_alpha: bool = False
    is_full_format: bool = False
    warning: str = ""


def named_layout(chroma_x: int, chroma_y: int, bit_depth: int, planes: int = 3) -> PixelLayout:
    """The layout with FFmpeg's name for it."""
    suffix = "" if bit_depth == 8 else f"{bit_depth}le"
    if planes == 1:
        return PixelLayout(f"gray{suffix}", bit_depth, 1, 1, 1)
    chroma = {(2, 2): "420", (2, 1): "422", (1, 1): "444", (1, 2): "440"}[chroma_x, chroma_y]
    return PixelLayout(f"yuv{chroma}p{suffix}", bit_depth, chroma_x, chroma_y)


def plan_layout(format_name: str) -> LayoutPlan | None:
    """How to take frames of a pixel format; None when FFmpeg's format is one we cannot read at all."""
    pixel_format = av.VideoFormat(format_name, 64, 64)
    components = pixel_format.components
    if format_name in _SEMI_PLANAR:
        return LayoutPlan(named_layout(*_SEMI_PLANAR[format_name]), format_name)
    if pixel_format.is_bayer or not components:
        return None
    has_alpha = any(component.is_alpha for component in components)
    depth = max(component.bits for component in components)
    if _FLOAT_DTYPE.keys() & {format_name[-5:]}:
        return _plan_float(format_name, is_rgb=pixel_format.is_rgb, has_alpha=has_alpha)
    if depth > 16:
        return None
    if pixel_format.is_rgb or pixel_format.has_palette:
        return _plan_rgb(format_name, depth, has_alpha=has_alpha)
    # PyAV's `is_chroma` is true for subsampled chroma only.
    chroma = [component for component in components[1:] if not component.is_alpha]
    if not chroma:
        return _plan_grey(format_name, depth, has_alpha=has_alpha)
    chroma_x, chroma_y = 64 // chroma[0].width, 64 // chroma[0].height
    is_planar = pixel_format.is_planar and len({component.plane for component in components}) == len(components)
    is_full = "yuvj" in format_name
    if is_planar and chroma_x <= 2 and chroma_y <= 2 and depth >= 8:
        layout = named_layout(chroma_x, chroma_y, depth)
        return LayoutPlan(layout, format_name, has_alpha=has_alpha, is_full_format=is_full)
    wanted = named_layout(2 if chroma_x == 2 else 1, 1, 8 if depth <= 8 else 16)
    if (chroma_x, chroma_y) == (2, 2):
        wanted = named_layout(2, 2, wanted.bit_depth)
    via = wanted.name.replace("yuv", "yuva") if has_alpha else wanted.name
    note = f"the pixel format {format_name} is repacked as {via}"
    return LayoutPlan(wanted, format_name, via, has_alpha=has_alpha, is_full_format=is_full, warning=note)


def read_planes(frame: VideoFrame, plan: LayoutPlan) -> tuple[PlaneArray, ...]:
    """Copies of a decoded frame's planes in the plan's layout (not for RGB sources), after `repack`."""
    layout = plan.layout
    if plan.is_float:
        return (np.rint(_linear_to_display(frame)[..., 0] * np.float32(65535)).astype(np.uint16),)
    if frame.format.name in _SEMI_PLANAR:
        return _read_interleaved(frame, layout)
    if frame.format.name in _GREY_ALPHA:
        return (_grey_and_alpha(frame, layout.bit_depth)[0],)
    return tuple(_plane_copy(frame, i, layout.bit_depth) for i in range(layout.planes))


def read_rgb(frame: VideoFrame, plan: LayoutPlan) -> RGBArray:
    """A decoded RGB frame as ``(H, W, 3)`` float32 in [0, 1], after `repack`."""
    if plan.is_float:
        return _linear_to_display(frame)[..., :3]
    depth = frame.format.components[0].bits
    rgb = np.empty((frame.height, frame.width, 3), np.float32)
    for plane, channel in enumerate((1, 2, 0)):
        np.divide(_plane_samples(frame, plane, depth), np.float32((1 << depth) - 1), out=rgb[..., channel])
    return rgb


def read_alpha(frame: VideoFrame, plan: LayoutPlan) -> tuple[PlaneArray, int] | None:
    """A copy of a decoded frame's transparency and its bits, after `repack`; None when it has none."""
    if not plan.has_alpha:
        return None
    if plan.is_float:
        opacity = np.clip(np.nan_to_num(_float_samples(frame)[..., -1]), 0, 1)
        return np.rint(opacity * np.float32(65535)).astype(np.uint16), 16
    depth = frame.format.components[0].bits
    if frame.format.name in _GREY_ALPHA:
        return _grey_and_alpha(frame, depth)[1], depth
    return _plane_copy(frame, 3, depth), depth


def repack(frame: VideoFrame, plan: LayoutPlan) -> VideoFrame:
    """The frame in the format the plan goes through, itself where that is its own."""
    if not plan.via_format or frame.format.name == plan.via_format:
        return frame
    return frame.reformat(format=plan.via_format)


def write_planes(frame: VideoFrame, planes: tuple[PlaneArray, ...], bit_depth: int) -> None:
    """Copy planes into a new PyAV frame of a planar format."""
    for index, plane in enumerate(planes):
        _plane_view(frame, index, bit_depth)[:] = plane


def write_rgb(frame: VideoFrame, rgb: RGBArray, alpha: RGBArray | None) -> None:
    """Fill a new PyAV frame of R, G, B, of grey, or of floats, which are taken as linear light.

    Args:
        frame: Of a packed format, or of floats in planes.
        rgb: ``(h, w, 3)`` float32 in [0, 1], R'G'B' as coded; of grey, three equal channels.
        alpha: ``(h, w)`` float32 in [0, 1] for formats with transparency.
    """
    channels = len(frame.format.components)
    float_dtype = _FLOAT_DTYPE.get(frame.format.name[-5:])
    samples = rgb if channels >= 3 else rgb[..., :1]
    samples = samples if float_dtype is None else srgb_to_linear(samples)
    if alpha is not None:
        samples = np.concatenate([samples, alpha[..., None]], axis=-1)
    if float_dtype is None:
        bits = frame.format.components[0].bits
        codes = np.floor(samples * np.float32((1 << bits) - 1) + np.float32(0.5))
        _packed(frame, channels, np.dtype(_dtype(bits)))[:] = codes
        return
    planes = (2, 0, 1, 3)[:channels] if channels > 1 else (0,)
    for channel, plane in enumerate(planes):
        _rows(frame, plane, np.dtype(float_dtype), frame.width)[:] = samples[..., channel]


def _plan_rgb(format_name: str, depth: int, *, has_alpha: bool) -> LayoutPlan:
    """RGB becomes full-range 4:4:4 with enough bits that every RGB code survives the matrix and back."""
    via_depth = 8 if depth <= 8 else 10 if depth <= 10 else 16
    layout = named_layout(1, 1, {8: 10, 10: 12, 16: 16}[via_depth])
    via = ("gbrap" if has_alpha else "gbrp") + ("" if via_depth == 8 else f"{via_depth}le")
    if format_name.startswith("gbr"):
        via = ""  # Planes are read as they are: FFmpeg makes 16 bits of 12 by a shift, which darkens white.
    note = f"the RGB pixel format {format_name} is converted to {layout.name} with the bt709 matrix, full range"
    return LayoutPlan(layout, format_name, via, is_rgb=True, has_alpha=has_alpha, is_full_format=True, warning=note)


def _plan_float(format_name: str, *, is_rgb: bool, has_alpha: bool) -> LayoutPlan:
    """Floats, as in EXR and some TIFF files, are linear light; 16 bits hold it once it is coded for a display."""
    layout = named_layout(1, 1, 16, 3 if is_rgb else 1)
    note = f"the linear light of {format_name} is shown through the sRGB curve, and what is brighter than 1 is clipped"
    return LayoutPlan(
        layout, format_name, is_rgb=is_rgb, is_float=True, has_alpha=has_alpha, is_full_format=True, warning=note
    )


def _plan_grey(format_name: str, depth: int, *, has_alpha: bool) -> LayoutPlan:
    """Grey is held as it is; single bits become codes."""
    if depth >= 8:
        return LayoutPlan(named_layout(1, 1, depth, 1), format_name, has_alpha=has_alpha)
    layout = named_layout(1, 1, 8, 1)
    note = f"the pixel format {format_name} is repacked as {layout.name}"
    return LayoutPlan(layout, format_name, layout.name, warning=note)


def _read_interleaved(frame: VideoFrame, layout: PixelLayout) -> tuple[PlaneArray, ...]:
    """The planes of a semi-planar format."""
    columns = -(-frame.width // layout.chroma_x)
    dtype = np.dtype(_dtype(layout.bit_depth))
    shift = 0 if layout.bit_depth == 8 else 16 - layout.bit_depth
    luma, pairs = _rows(frame, 0, dtype, frame.width), _rows(frame, 1, dtype, 2 * columns)
    first, second = pairs[:, 0::2], pairs[:, 1::2]
    views = (luma, second, first) if frame.format.name in _SWAPPED_CHROMA else (luma, first, second)
    return tuple(cast("PlaneArray", np.ascontiguousarray(view >> shift, dtype)) for view in views)


def _grey_and_alpha(frame: VideoFrame, bit_depth: int) -> tuple[PlaneArray, PlaneArray]:
    """The two channels of packed grey with alpha, copied."""
    pairs = _packed(frame, 2, np.dtype(_dtype(bit_depth))).astype(_dtype(bit_depth))
    grey, alpha = (cast("PlaneArray", np.ascontiguousarray(pairs[..., channel])) for channel in range(2))
    return grey, alpha


def _plane_view(frame: VideoFrame, index: int, bit_depth: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """One plane of a PyAV frame, without copying."""
    return _rows(frame, index, np.dtype(_dtype(bit_depth)), frame.planes[index].width)


def _plane_samples(frame: VideoFrame, index: int, bit_depth: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """One plane of a PyAV frame with its samples in the low bits, in whatever byte order."""
    view = _plane_view(frame, index, bit_depth)
    return cast("PlaneArray", view >> (16 - bit_depth)) if "msb" in frame.format.name else view


def _plane_copy(frame: VideoFrame, index: int, bit_depth: int) -> PlaneArray:
    """One plane of a PyAV frame, copied, in native byte order."""
    return cast("PlaneArray", _plane_samples(frame, index, bit_depth).astype(_dtype(bit_depth)))


def _packed(frame: VideoFrame, channels: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The samples of a packed format, ``(h, w, channels)``, without copying."""
    return _rows(frame, 0, dtype, frame.width * channels).reshape(frame.height, frame.width, channels)


def _rows(frame: VideoFrame, index: int, dtype: np.dtype[Any], length: int) -> npt.NDArray[Any]:
    """The samples of a plane in the frame's byte order, without copying and without the padding at the end of lines."""
    plane = frame.planes[index]
    stride = plane.line_size // dtype.itemsize
    samples = np.frombuffer(memoryview(plane), dtype.newbyteorder(_byte_order(frame)), stride * plane.height)
    return samples.reshape(plane.height, stride)[:, :length]


def _byte_order(frame: VideoFrame) -> Literal["<", ">"]:
    """NumPy's letter for the byte order of a frame's samples."""
    return ">" if frame.format.is_big_endian else "<"


def _float_samples(frame: VideoFrame) -> npt.NDArray[np.float32]:
    """A float picture as ``(h, w, channels)`` float32: R, G, B or Y, then alpha where it has it."""
    name, channels = frame.format.name, len(frame.format.components)
    dtype = np.dtype(_FLOAT_DTYPE[name[-5:]])
    if not name.startswith(("gbr", "gray")):
        return _packed(frame, channels, dtype).astype(np.float32)
    order = (2, 0, 1, 3)[:channels] if channels > 1 else (0,)
    return np.stack([_rows(frame, plane, dtype, frame.width).astype(np.float32) for plane in order], axis=-1)


def _linear_to_display(frame: VideoFrame) -> RGBArray:
    """A float picture's colours or grey coded for a display, in [0, 1]; what is no number is black."""
    samples = _float_samples(frame)
    colors = samples[..., :3] if samples.shape[-1] >= 3 else samples[..., :1]
    return linear_to_srgb(np.nan_to_num(colors, nan=0.0, posinf=1.0, neginf=0.0))


def _dtype(bit_depth: int) -> type[np.uint8] | type[np.uint16]:
    """The sample type of a bit depth."""
    return np.uint8 if bit_depth == 8 else np.uint16
