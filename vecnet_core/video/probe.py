"""Finds out which encoders work here, by encoding a few frames with each."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from vecnet_core.video.layouts import plan_layout

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from vecnet_core.video.encode import Encoder

_SIDE_PX = 128
_FRAMES = 3


def probe_encoder(encoder: Encoder) -> str:
    """Why an encoder does not work here; empty when it does."""
    from vecnet_core.video.encode import EncodeSettings

    plan = plan_layout(encoder.layouts[0])
    if plan is None:
        return f"unknown layout {encoder.layouts[0]}"
    os.environ.setdefault("SVT_LOG", "1")
    try:
        context = cast("VideoCodecContext", av.CodecContext.create(encoder.name, "w"))
        context.width = context.height = _SIDE_PX
        context.pix_fmt = plan.layout.name
        context.framerate, context.time_base = Fraction(25), Fraction(1, 25)
        context.options = encoder.options(EncodeSettings(), plan.layout)
        size = 0
        for pts in range(_FRAMES):
            frame = VideoFrame(_SIDE_PX, _SIDE_PX, plan.layout.name)
            frame.pts, frame.time_base = pts, Fraction(1, 25)
            size += sum(packet.size for packet in context.encode(frame))
        size += sum(packet.size for packet in context.encode(None))
    except (FFmpegError, ValueError) as error:
        return str(error)
    return "" if size else "it gives no data"
