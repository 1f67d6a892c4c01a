"""Encodes frames: the plan that every encoder of an output follows, and an encoder for one closed group."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.codec.context import Flags
from av.video.frame import VideoFrame

from vecnet_core.frame import ColorTags, HdrMetadata, PixelLayout, VideoInfo
from vecnet_core.video.color import coded_rgb, convert_layout, limit_range, rescale_alpha, rgb_to_frame
from vecnet_core.video.encode import Encoder, EncodeSettings
from vecnet_core.video.layouts import write_planes, write_rgb
from vecnet_core.video.packets import EncodedPicture
from vecnet_core.video.tags import TagNumbers

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

    from vecnet_core.frame import Frame


@dataclass(frozen=True)
class PicturePlan:
    """How the pictures of an output are encoded.

    Attributes:
        info: The facts of the source.
        encode: What was asked for.
        encoder: The encoder that was chosen.
        layout: The layout of the frames: of pictures that are RGB, what they are read as again.
        pixel_format: FFmpeg's format in which the encoder is given them.
        color: The colour tags that are written.
        numbers: The same as FFmpeg numbers them.
        pixel_aspect: The one that is written; None where neither source nor output states one.
        codec_tag: Four letters for the container; empty for its own choice.
        has_alpha: Transparency is written.
        hdr: HDR's static metadata that are written; None for none.
    """

    info: VideoInfo
    encode: EncodeSettings
    encoder: Encoder
    layout: PixelLayout
    pixel_format: str
    color: ColorTags
    numbers: TagNumbers
    pixel_aspect: Fraction | None
    codec_tag: str = ""
    has_alpha: bool = False
    hdr: HdrMetadata | None = None

    def set_up(self, context: VideoCodecContext) -> None:
        """Give an encoder, that of a stream or a bare one, everything it needs to open."""
        info = self.info
        if self.encoder.codec == "av1":
            os.environ.setdefault("SVT_LOG", "1")  # else the encoder talks on standard error
        context.options = self.encoder.options(self.encode, self.layout, self.hdr)
        context.width, context.height, context.pix_fmt = info.width, info.height, self.pixel_format
        context.time_base, context.framerate = info.time_base, info.frame_rate
        context.bit_rate = 0
        context.thread_count = 0
        if not self.encoder.is_picture:
            # All containers we write keep what describes the stream in one place.
            context.flags |= Flags.global_header
        if self.codec_tag:
            context.codec_tag = self.codec_tag
        if self.pixel_aspect is not None:
            context.sample_aspect_ratio = self.pixel_aspect
        context.colorspace, context.color_range = self.numbers.space, self.numbers.range
        context.color_primaries, context.color_trc = self.numbers.primaries, self.numbers.transfer

    @property
    def is_rgb(self) -> bool:
        """Whether the encoder is given R, G, B, or grey, as pictures hold them, and not Y'CbCr."""
        return self.encoder.is_picture and not self.pixel_format.startswith("yuv")

    def stored(self, frame: Frame) -> Frame:
        """A frame in the layout and range that the encoder is given."""
        if not self.has_alpha:
            frame = replace(frame, alpha=None)
        if self.encoder.is_picture:
            return self._shown(frame)
        stored = convert_layout(frame, self.layout)
        is_limited = frame.color.range == "full" and self.color.range == "limited"
        return limit_range(stored) if is_limited else stored

    def picture(self, stored: Frame) -> VideoFrame:
        """A stored frame as PyAV has it."""
        top = (1 << self.layout.bit_depth) - 1
        if self.is_rgb:
            picture = VideoFrame(stored.width, stored.height, self.pixel_format)
            opacity = None if stored.alpha is None else stored.alpha.astype(np.float32) / np.float32(top)
            write_rgb(picture, coded_rgb(stored), opacity)
        else:
            planes = stored.planes if stored.alpha is None else (*stored.planes, stored.alpha)
            is_repacked = self.pixel_format in self.encoder.repacked.values()
            picture = VideoFrame(stored.width, stored.height, self.layout.name if is_repacked else self.pixel_format)
            write_planes(picture, planes, self.layout.bit_depth)
            if is_repacked:
                picture = picture.reformat(format=self.pixel_format)
        picture.pts, picture.time_base = stored.pts, self.info.time_base
        picture.colorspace, picture.color_range = self.numbers.space, self.numbers.range
        picture.color_primaries, picture.color_trc = self.numbers.primaries, self.numbers.transfer
        return picture

    def _shown(self, frame: Frame) -> Frame:
        """A frame with the matrix and range of pictures, in their bits: as it is read from them again."""
        is_same_matrix = self.layout.planes == 1 or frame.color.matrix == self.color.matrix
        if frame.layout == self.layout and frame.color.range == "full" and is_same_matrix:
            return replace(frame, color=self.color)
        rgb = coded_rgb(frame)
        if self.is_rgb:
            bits = min(16, av.VideoFormat(self.pixel_format, 16, 16).components[0].bits)
            top = np.float32((1 << bits) - 1)
            rgb = (np.floor(rgb * top + np.float32(0.5)) / top).astype(np.float32)
        shown = rgb_to_frame(rgb, replace(frame, color=self.color, alpha=None), self.layout)
        if frame.alpha is None:
            return shown
        return replace(shown, alpha=rescale_alpha(frame.alpha, frame.layout.bit_depth, self.layout.bit_depth))


class PictureEncoder:
    """An encoder for one closed group of pictures.

    Args:
        plan: What it follows.

    Raises:
        FFmpegError: The encoder does not open.
    """

    def __init__(self, plan: PicturePlan) -> None:
        self._plan = plan
        self._context = cast("VideoCodecContext", av.CodecContext.create(plan.encoder.name, "w"))
        plan.set_up(self._context)
        self._context.open()
        self._durations: dict[int, int] = {}

    @property
    def extradata(self) -> bytes:
        """What describes the stream beside its packets; the same for every group of an output."""
        return bytes(self._context.extradata or b"")

    def encode(self, stored: Frame) -> list[EncodedPicture]:
        """Take a stored frame; returns what is ready.

        Raises:
            FFmpegError: The encoder refuses.
        """
        self._durations[stored.pts] = stored.duration
        return self._taken(self._context.encode(self._plan.picture(stored)))

    def finish(self) -> list[EncodedPicture]:
        """The rest; the encoder takes no more."""
        return self._taken(self._context.encode(None))

    def _taken(self, packets: list[Packet[VideoStream]]) -> list[EncodedPicture]:
        return [
            # Encoders do not all hand durations on; without them the last frame of a file has none.
            EncodedPicture(packet.pts, self._durations.pop(packet.pts, 0), packet.is_keyframe, bytes(packet))
            for packet in packets
            if packet.pts is not None
        ]
