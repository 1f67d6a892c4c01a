"""Small video clips made in code: 64x48, 12 frames, with whatever layout, tags, times and sound a test needs."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.filter import Graph

from vecnet_core.frame import ColorTags, Frame
from vecnet_core.video.color import from_rgb
from vecnet_core.video.layouts import plan_layout, write_planes
from vecnet_core.video.tags import numbers_of

WIDTH, HEIGHT, FRAMES = 64, 48, 12


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """R'G'B' of frame `index`: a coloured gradient, and a patch at top left whose grey tells the frame's number."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    rgb = np.stack([0.2 + 0.5 * x / width, 0.2 + 0.5 * y / height, 0.6 - 0.4 * x / width], axis=-1)
    rgb[: height // 3, : width // 3] = 0.1 + 0.06 * index
    return rgb.astype(np.float32)


def number_of(frame: Frame) -> int:
    """The frame number read back from the patch of `picture`."""
    from vecnet_core.video.color import to_rgb

    patch = to_rgb(frame)[2 : frame.height // 3 - 2, 2 : frame.width // 3 - 2]
    return round((float(patch.mean()) - 0.1) / 0.06)


def make_frame(
    index: int = 0,
    *,
    layout: str = "yuv420p",
    color: ColorTags | None = None,
    rgb: np.ndarray | None = None,
    size: tuple[int, int] = (HEIGHT, WIDTH),
) -> Frame:
    """One frame of a layout, from `picture` or the given R'G'B'."""
    plan = plan_layout(layout)
    assert plan is not None
    shape = plan.layout
    height, width = size if rgb is None else rgb.shape[:2]
    chroma = (-(-height // shape.chroma_y), -(-width // shape.chroma_x))
    dtype = np.uint8 if shape.bit_depth == 8 else np.uint16
    planes = tuple(np.zeros(s, dtype) for s in [(height, width), chroma, chroma][: shape.planes])
    tags = color or ColorTags("bt709", "limited", "bt709", "bt709")
    blank = Frame(index, index, Fraction(1, 25), 1, planes, shape, tags)
    return from_rgb(picture(index, width, height) if rgb is None else rgb, blank)


def make_clip(
    path: Path,
    *,
    frames: int = FRAMES,
    layout: str = "yuv420p",
    color: ColorTags | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    rate: Fraction = Fraction(25),
    time_base: Fraction | None = None,
    pts: list[int] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    pixel_aspect: Fraction | None = None,
    audio: str | None = None,
    metadata: dict[str, str] | None = None,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    picture: Callable[[int], np.ndarray] | None = None,
    field_order: str = "",
) -> Path:
    """Write a clip, of frame numbers or of a `picture` by frame.

    Two B-frames and a key frame every five frames unless `options` say otherwise. With a `field_order` (``tff`` or
    ``bff``) the frames are flagged as interlaced.
    """
    if options is None:
        options = {"libx264": {"crf": "6", "bf": "2", "g": "5", "sc_threshold": "0"}}.get(codec, {})
    base = time_base or 1 / rate
    times = pts or [round(i / rate / base) for i in range(frames)]
    tags = color or ColorTags("bt709", "limited", "bt709", "bt709")
    with av.open(str(path), "w") as output:
        output.metadata.update(metadata or {})
        stream: Any = output.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = size[1], size[0], layout
        stream.time_base = stream.codec_context.time_base = base
        numbers = numbers_of(tags)
        context = stream.codec_context
        context.colorspace, context.color_range = numbers.space, numbers.range
        context.color_primaries, context.color_trc = numbers.primaries, numbers.transfer
        context.thread_count = 1
        if pixel_aspect:
            context.sample_aspect_ratio = pixel_aspect
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        sound: Any = output.add_stream(audio, rate=48000, layout="mono") if audio else None
        for index, time in enumerate(times):
            frame = make_frame(index, layout=layout, color=tags, size=size, rgb=picture(index) if picture else None)
            raw = av.VideoFrame(size[1], size[0], layout)
            write_planes(raw, frame.planes, frame.layout.bit_depth)
            raw.pts, raw.time_base = time, base
            if field_order:
                raw = _flagged(raw, field_order)
            for packet in stream.encode(raw):
                # Without it the last frame of a file has no duration.
                packet.duration = packet.duration or round(1 / rate / base)
                output.mux(packet)
        for packet in stream.encode(None):
            packet.duration = packet.duration or round(1 / rate / base)
            output.mux(packet)
        if sound is not None:
            _write_tone(output, sound, float((times[-1] - times[0]) * base + 1 / rate))
    return path


def _flagged(frame: av.VideoFrame, field_order: str) -> av.VideoFrame:
    """The frame, flagged as interlaced: PyAV's frames cannot be told so themselves."""
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    mark, sink = graph.add("setfield", f"mode={field_order}"), graph.add("buffersink")
    source.link_to(mark)
    mark.link_to(sink)
    graph.configure()
    source.push(frame)
    return cast("av.VideoFrame", sink.pull())


def make_sound(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as output:
        sound: Any = output.add_stream("aac", rate=48000, layout="mono")
        _write_tone(output, sound, 0.5)
    return path


def audio_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Times in seconds and contents of a file's audio packets."""
    with av.open(str(path)) as container:
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(container.streams.audio[0])
            if packet.size and packet.pts is not None
        ]


def _write_tone(output: Any, stream: Any, seconds: float) -> None:
    """A quiet 440 Hz tone."""
    for start in range(0, round(seconds * 48000), 1024):
        wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(start, start + 1024) / 48000)
        if stream.codec_context.name.startswith("pcm"):
            frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], "s16", "mono")
        else:
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def cut_fast_start(source: Path, target: Path, share: float) -> None:
    """Copy the pictures of an MP4 into one with its table in front, and cut that after a share of its data."""
    with av.open(str(source)) as given, av.open(str(target), "w", options={"movflags": "+faststart"}) as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    whole = target.read_bytes()
    begin = whole.index(b"mdat")
    target.write_bytes(whole[: begin + int(share * (len(whole) - begin))])
