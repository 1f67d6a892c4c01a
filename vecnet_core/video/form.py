"""A picture FFmpeg decoded as a frame of ours: what all pictures of a clip have in common, and each one's samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av.filter
import numpy as np
from av.error import FFmpegError

from vecnet_core.errors import VideoOpenError
from vecnet_core.frame import ColorTags, Frame, HdrMetadata
from vecnet_core.video.color import rescale_alpha, rgb_to_frame, sdr_color, tone_map
from vecnet_core.video.layouts import LayoutPlan, named_layout, plan_layout, read_alpha, read_planes, read_rgb, repack
from vecnet_core.video.mastering import dynamic_kinds, is_dolby_profile_5, read_hdr_metadata
from vecnet_core.video.orientation import Orientation, read_orientation
from vecnet_core.video.tags import TagNumbers, read_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.sidedata.sidedata import SideData
    from av.video.frame import VideoFrame


_EXIF = 31
"""AV_FRAME_DATA_EXIF of FFmpeg 8, which PyAV 18.1 does not know."""


@dataclass(frozen=True)
class PictureForm:
    """What all pictures of a clip have in common.

    Attributes:
        width: In pixels.
        height: In pixels.
        plan: How their pixel format is taken.
        color: How their code values are meant once they are decoded.
        warnings: What was converted or decided, as clauses.
        tone_mapped: The tags of the HDR pictures that `frame` makes SDR; None when it leaves them as they are.
        hdr: Static metadata of HDR pictures that stay HDR; None without any.
    """

    width: int
    height: int
    plan: LayoutPlan
    color: ColorTags
    warnings: tuple[str, ...]
    tone_mapped: ColorTags | None = None
    hdr: HdrMetadata | None = None

    @classmethod
    def of(cls, first: VideoFrame, path: Path, hdr: str = "keep", stated: TagNumbers | None = None) -> PictureForm:
        """The form of a clip, from its first picture.

        Args:
            first: The picture, decoded.
            path: Its file.
            hdr: What becomes of HDR, as in `DecodeSettings`.
            stated: Tags that hold where the picture itself says nothing.

        Raises:
            VideoOpenError: Its pixel format or its colour matrix is not one we read.
        """
        plan = plan_layout(first.format.name)
        if plan is None:
            raise VideoOpenError(
                f"its pixel format {first.format.name} is not supported",
                path=path,
                hint="convert it to an ordinary video format first",
            )
        numbers = TagNumbers.of(first)
        if stated is not None:
            numbers = numbers.or_else(stated)
        if plan.is_rgb:
            numbers = numbers._replace(space=1, range=2)
        is_grey = plan.layout.planes == 1
        reading = read_tags(numbers, first.height, is_full_format=plan.is_full_format, is_grey=is_grey)
        if reading.refusal:
            raise VideoOpenError(
                f"its colour matrix {reading.refusal} is not supported",
                path=path,
                hint="convert it to BT.709 or BT.2020 first",
            )
        side_data = _side_data(first)
        if is_dolby_profile_5(side_data):
            raise VideoOpenError(
                "it is Dolby Vision of profile 5, whose colours only a Dolby Vision device can show",
                path=path,
                hint="convert it to HDR10 or HLG first",
            )
        color = replace(reading.color, transfer="iec61966-2-1") if plan.is_float else reading.color
        clauses = [clause for clause in (plan.warning, reading.warning) if clause]
        if not color.is_hdr:
            return cls(first.width, first.height, plan, color, tuple(clauses))
        clauses += _hdr_clauses(color, plan.layout.bit_depth, dynamic_kinds(side_data), hdr)
        form = cls(first.width, first.height, plan, color, tuple(clauses), hdr=read_hdr_metadata(side_data))
        return replace(form, color=sdr_color(color), tone_mapped=color, hdr=None) if hdr == "sdr" else form

    def change(self, decoded: VideoFrame) -> str:
        """How a picture differs from this form, as a clause; empty when it does not."""
        if (decoded.width, decoded.height, decoded.format.name) == (self.width, self.height, self.plan.source_format):
            return ""
        return (
            f"the picture changes from {self.width}x{self.height} {self.plan.source_format} to "
            f"{decoded.width}x{decoded.height} {decoded.format.name}"
        )

    def frame(self, decoded: VideoFrame, index: int, pts: int, time_base: Fraction, duration: int) -> Frame:
        """A decoded picture of this form as a frame.

        Args:
            decoded: As the decoder gave it, or in the format that the plan goes through.
            index: 0-based number in presentation order.
            pts: Presentation time in units of ``time_base``.
            time_base: Seconds of one pts unit.
            duration: In units of ``time_base``.
        """
        plan, layout = self.plan, self.plan.layout
        picture = repack(decoded, plan)
        color = self.tone_mapped or self.color
        if plan.is_rgb:
            grey = np.empty((self.height, self.width), np.uint8)
            like = Frame(index, pts, time_base, duration, (grey,), named_layout(1, 1, 8, 1), color)
            frame = rgb_to_frame(read_rgb(picture, plan), like, layout)
        else:
            frame = Frame(index, pts, time_base, duration, read_planes(picture, plan), layout, color)
        if self.tone_mapped is not None:
            frame = tone_map(frame)
        opacity = read_alpha(picture, plan)
        if opacity is None:
            return frame
        return replace(frame, alpha=rescale_alpha(*opacity, layout.bit_depth))


def orientation_of(frame: VideoFrame) -> Orientation:
    """How a decoded picture is to be shown."""
    return read_orientation(_side_data(frame).get("DISPLAYMATRIX"))


def _side_data(frame: VideoFrame) -> dict[str, bytes]:
    """What a decoder says beside the picture, by PyAV's name of its kind."""
    try:
        return _known_side_data(frame)
    except ValueError:
        pass
    try:
        return _known_side_data(_without_exif(frame))
    except (ValueError, FFmpegError):
        return {}


def _known_side_data(frame: VideoFrame) -> dict[str, bytes]:
    """The side data of a frame; PyAV 18.1 gives none of it where one kind is unknown to it."""
    kinds = cast("Iterable[SideData]", frame.side_data)
    return {kind.type.name: bytes(kind) for kind in kinds}


def _without_exif(frame: VideoFrame) -> VideoFrame:
    """The frame, its samples shared, without the EXIF data of photographs."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("sidedata", f"mode=delete:type={_EXIF}"), graph.add("buffersink")).configure()
    graph.push(frame)
    return cast("VideoFrame", graph.pull())


def _hdr_clauses(color: ColorTags, bit_depth: int, dynamic: tuple[str, ...], hdr: str) -> Iterator[str]:
    """What is said of an HDR clip."""
    name = {"smpte2084": "PQ", "arib-std-b67": "HLG"}[color.transfer]
    if hdr == "sdr":
        yield f"the video is HDR ({name}) and is tone-mapped to SDR (BT.709)"
    else:
        yield (
            f"the video is HDR ({name}): it is shown and corrected as an SDR-like picture that keeps its highlights, "
            f"and written as {name} again (--hdr sdr makes an SDR video of it)"
        )
    if color.primaries != "bt2020":
        yield f"HDR with {color.primaries} primaries instead of bt2020 is unusual; they are kept as they are"
    if bit_depth < 10:
        yield f"{name} in {bit_depth} bits is too coarse and may show bands, which a correction can make plainer"
    if dynamic:
        yield f"its dynamic metadata ({' and '.join(dynamic)}) are not used and not written"
