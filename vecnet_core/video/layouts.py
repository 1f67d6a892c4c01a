"""FFmpeg pixel formats taken apart: held as they are or converted; planes in and out of PyAV frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from vecnet_core.frame import PixelLayout, PlaneArray

if TYPE_CHECKING:
    import numpy.typing as npt
    from av.video.frame import VideoFrame

    from vecnet_core.frame import RGBArray


@dataclass(frozen=True)
class LayoutPlan:
    """How frames of one pixel format become planes of ours.

    Attributes:
        layout: The layout of the planes we hand out.
        source_format: FFmpeg's name of the decoded format.
        via_format: FFmpeg format the frame is repacked to first; empty when its planes are taken as they are.
        is_rgb: The source is RGB, converted by `color`.
        is_full_format: The format's name says full range (``yuvj420p``).
        warning: What was converted, as a clause; empty when nothing was.
    """

    layout: PixelLayout
    source_format: str
    via_format: str = ""
    is_rgb: bool = False
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
    if format_name in {"nv12", "p010le", "p012le", "p016le"}:
        depth = {"nv12": 8, "p010le": 10, "p012le": 12, "p016le": 16}[format_name]
        return LayoutPlan(named_layout(2, 2, depth), format_name)
    if pixel_format.is_bayer or not pixel_format.components:
        return None
    has_alpha = any(component.is_alpha for component in pixel_format.components)
    alpha = "transparency is dropped" if has_alpha else ""
    depth = max(component.bits for component in pixel_format.components)
    if pixel_format.is_rgb or pixel_format.has_palette:
        return _plan_rgb(format_name, depth, alpha)
    # PyAV's `is_chroma` is true for subsampled chroma only.
    chroma = [component for component in pixel_format.components[1:] if not component.is_alpha]
    if not chroma:
        return _plan_grey(format_name, depth, alpha)
    chroma_x, chroma_y = 64 // chroma[0].width, 64 // chroma[0].height
    is_known = pixel_format.is_planar and len({c.plane for c in pixel_format.components}) == len(
        pixel_format.components
    )
    if is_known and chroma_x <= 2 and chroma_y <= 2 and depth >= 8 and not pixel_format.is_big_endian:
        layout = named_layout(chroma_x, chroma_y, depth)
        return LayoutPlan(layout, format_name, is_full_format="yuvj" in format_name, warning=alpha)
    wanted = named_layout(2 if chroma_x == 2 else 1, 1, 8 if depth <= 8 else 16)
    if (chroma_x, chroma_y) == (2, 2):
        wanted = named_layout(2, 2, wanted.bit_depth)
    note = f"the pixel format {format_name} is repacked as {wanted.name}"
    return LayoutPlan(
        wanted, format_name, wanted.name, is_full_format="yuvj" in format_name, warning=_join(note, alpha)
    )


def read_planes(frame: VideoFrame, plan: LayoutPlan) -> tuple[PlaneArray, ...]:
    """Copies of a decoded frame's planes in the plan's layout (not for RGB sources)."""
    if plan.via_format:
        frame = frame.reformat(format=plan.via_format)
    layout = plan.layout
    if frame.format.name in {"nv12", "p010le", "p012le", "p016le"}:
        return _read_interleaved(frame, layout)
    return tuple(_plane_view(frame, i, layout.bit_depth).copy() for i in range(layout.planes))


def read_rgb(frame: VideoFrame, plan: LayoutPlan) -> RGBArray:
    """A decoded RGB frame as ``(H, W, 3)`` float32 in [0, 1]."""
    packed = frame if frame.format.name == plan.via_format else frame.reformat(format=plan.via_format)
    depth = packed.format.components[0].bits
    green, blue, red = (_plane_view(packed, i, depth) for i in range(3))
    rgb = np.stack([red, green, blue], axis=-1).astype(np.float32)
    return rgb / np.float32((1 << depth) - 1)


def write_planes(frame: VideoFrame, planes: tuple[PlaneArray, ...], bit_depth: int) -> None:
    """Copy planes into a new PyAV frame of a planar format."""
    for index, plane in enumerate(planes):
        _plane_view(frame, index, bit_depth)[:] = plane


def _plan_rgb(format_name: str, depth: int, alpha: str) -> LayoutPlan:
    """RGB becomes full-range 4:4:4 with enough bits that every RGB code survives the matrix and back."""
    via_depth = 8 if depth <= 8 else 10 if depth <= 10 else 16
    via = "gbrp" if via_depth == 8 else f"gbrp{via_depth}le"
    layout = named_layout(1, 1, {8: 10, 10: 12, 16: 16}[via_depth])
    note = f"the RGB pixel format {format_name} is converted to {layout.name} with the bt709 matrix, full range"
    return LayoutPlan(layout, format_name, via, is_rgb=True, is_full_format=True, warning=_join(note, alpha))


def _plan_grey(format_name: str, depth: int, alpha: str) -> LayoutPlan:
    """Grey is held as it is, or as grey of the next common depth."""
    if format_name in {"gray", "gray10le", "gray12le", "gray14le", "gray16le"}:
        return LayoutPlan(named_layout(1, 1, depth, 1), format_name)
    layout = named_layout(1, 1, 8 if depth <= 8 else 16, 1)
    note = f"the pixel format {format_name} is repacked as {layout.name}"
    return LayoutPlan(layout, format_name, layout.name, warning=_join(note, alpha))


def _read_interleaved(frame: VideoFrame, layout: PixelLayout) -> tuple[PlaneArray, ...]:
    """Y and interleaved UV, as hardware decoders give; above 8 bits the samples lie in the high bits."""
    height, width = frame.height, frame.width
    rows, columns = -(-height // 2), -(-width // 2)
    dtype = np.dtype(np.uint8 if layout.bit_depth == 8 else np.uint16)
    shift = 0 if layout.bit_depth == 8 else 16 - layout.bit_depth
    luma, pairs = (
        np.frombuffer(memoryview(plane), dtype).reshape(-1, plane.line_size // dtype.itemsize) for plane in frame.planes
    )
    pairs = pairs[:rows, : 2 * columns]
    views = (luma[:height, :width], pairs[:, 0::2], pairs[:, 1::2])
    return tuple(cast("PlaneArray", np.ascontiguousarray(view >> shift)) for view in views)


def _plane_view(frame: VideoFrame, index: int, bit_depth: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """One plane of a PyAV frame, without copying and without the padding at the end of lines."""
    plane = frame.planes[index]
    if bit_depth == 8:
        samples = np.frombuffer(memoryview(plane), np.uint8, plane.line_size * plane.height)
        return samples.reshape(plane.height, plane.line_size)[:, : plane.width]
    stride = plane.line_size // 2
    return np.frombuffer(memoryview(plane), np.uint16, stride * plane.height).reshape(plane.height, stride)[
        :, : plane.width
    ]


def _join(first: str, second: str) -> str:
    """Two clauses in one."""
    return f"{first}, {second}" if second else first
