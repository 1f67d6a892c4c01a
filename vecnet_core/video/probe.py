"""Finds out which encoders work here, by encoding a few frames with each."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, cast

import av
import av.logging
from av.error import FFmpegError
from av.video.frame import VideoFrame

from vecnet_core.video.encode import HARDWARE, EncodeSettings
from vecnet_core.video.layouts import plan_layout

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from vecnet_core.frame import PixelLayout
    from vecnet_core.video.encode import Encoder

_SIDE_PX = 256
_FRAMES = 5


class FoundEncoder(NamedTuple):
    """The encoder that takes the place of another.

    Attributes:
        encoder: It, or the software encoder where no hardware works.
        warnings: Why it is software all the same.
    """

    encoder: Encoder
    warnings: tuple[str, ...] = ()


def find_hardware(
    encoder: Encoder, encode: EncodeSettings, layout: PixelLayout, width: int, height: int, *, has_alpha: bool = False
) -> FoundEncoder:
    """The first hardware encoder of a codec that encodes five frames of this size and layout.

    Args:
        encoder: The software encoder of the codec.
        encode: What was asked for.
        layout: The layout of the pictures.
        width: In pixels.
        height: In pixels.
        has_alpha: They have transparency, which no hardware holds.
    """
    reasons: list[str] = []
    for candidate in HARDWARE.get(encoder.codec, ()):
        if has_alpha or layout.name not in candidate.layouts:
            reason = f"it takes no {layout.bit_depth}-bit {layout.chroma} pictures"
        else:
            reason = probe_encoder(candidate, encode, layout, width, height)
        if not reason:
            return FoundEncoder(candidate)
        reasons.append(f"{candidate.name}: {reason}")
    why = "; ".join(reasons) if reasons else "there are none for it"
    return FoundEncoder(encoder, (f"{encoder.codec} is encoded in software, since no hardware does here ({why})",))


def probe_encoder(
    encoder: Encoder,
    encode: EncodeSettings | None = None,
    layout: PixelLayout | None = None,
    width: int = _SIDE_PX,
    height: int = _SIDE_PX,
) -> str:
    """Why an encoder does not work here, as a clause; empty when it does.

    Args:
        encoder: The one to try.
        encode: How; None for its defaults.
        layout: The pictures' layout; None for its first one.
        width: In pixels.
        height: In pixels.
    """
    name = encoder.layouts[0] if layout is None else layout.name
    plan = plan_layout(name)
    if plan is None:
        return f"unknown layout {name}"
    os.environ.setdefault("SVT_LOG", "1")
    pixel_format = encoder.pixel_format(name, has_alpha=False)
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        # What FFmpeg's error does not say stands in its log: that a driver is missing.
        with av.logging.Capture() as log:
            try:
                context = cast("VideoCodecContext", av.CodecContext.create(encoder.name, "w"))
                context.width, context.height, context.pix_fmt = width, height, pixel_format
                context.framerate, context.time_base = Fraction(25), Fraction(1, 25)
                context.bit_rate = 0
                context.options = encoder.options(encode or EncodeSettings(), plan.layout)
                size = 0
                for pts in range(_FRAMES):
                    frame = VideoFrame(width, height, pixel_format)
                    for plane in frame.planes:
                        # What lies in new memory may be no sample of the format: x264 ends the process over it.
                        plane.update(bytes(plane.buffer_size))
                    frame.pts, frame.time_base = pts, Fraction(1, 25)
                    size += sum(packet.size for packet in context.encode(frame))
                size += sum(packet.size for packet in context.encode(None))
            except (FFmpegError, ValueError) as error:
                return _reason(error, [message for _, _, message in log])
    finally:
        av.logging.set_level(level)
    return "" if size else "it gives no data"


def _reason(error: FFmpegError | ValueError, log: list[str]) -> str:
    """Why an encoder failed, in the plainest words there are."""
    if log:
        return log[0].strip().rstrip(".")
    if isinstance(error, FFmpegError) and error.strerror:
        return error.strerror
    return "it is not in this build of FFmpeg"
