"""Makes the bundled sample: a good clip, exposed badly on purpose (dark, then blown, flickering throughout).

Run it by hand when the sample has to change: ``python packaging/make_sample.py GOOD_CLIP resources/sample/sample.mp4``.
The damage is done in linear light behind a camera-like tone curve, as a real camera would do it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

FloatArray = npt.NDArray[np.float32]

MATRIX = np.array([[0.2126, 0.7152, 0.0722], [-0.114572, -0.385428, 0.5], [0.5, -0.454153, -0.045847]], np.float32)
"""R'G'B' to Y'CbCr of BT.709; the inverse is computed from it."""


@dataclass(frozen=True)
class BadExposure:
    """How the clip is spoilt.

    Attributes:
        dark_ev: Exposure of the first part, in stops.
        blown_ev: Exposure of the last part, in stops.
        turn: Where the transition lies, as shares of the clip: start and end.
        flicker_ev: Root mean square of the frame-to-frame exposure error, in stops; half its power is a tone.
        tone_hz: Frequency of that tone.
        headroom_ev: How far the scene reached above the good clip's white, in stops.
        shot_noise: Variance of the noise for a linear value of 1.
        read_noise: Standard deviation of the noise at black, linear.
        seed: Of all that is random.
    """

    dark_ev: float = -3.0
    blown_ev: float = 1.7
    turn: tuple[float, float] = (0.47, 0.58)
    flicker_ev: float = 0.25
    tone_hz: float = 6.0
    headroom_ev: float = 0.5
    shot_noise: float = 3e-4
    read_noise: float = 5e-4
    seed: int = 7


def exposures(how: BadExposure, count: int, rate: float) -> FloatArray:
    """Exposure of each frame in stops: dark, a smooth turn, blown, and flicker on all of it."""
    random = np.random.default_rng(how.seed)
    place = np.linspace(0.0, 1.0, count)
    step = np.clip((place - how.turn[0]) / (how.turn[1] - how.turn[0]), 0.0, 1.0)
    slow = how.dark_ev + (how.blown_ev - how.dark_ev) * step * step * (3.0 - 2.0 * step)
    tone = np.sin(2.0 * np.pi * how.tone_hz * np.arange(count) / rate) * np.sqrt(2.0)
    noise = random.standard_normal(count)
    noise = (noise - noise.mean()) / noise.std()
    flicker = how.flicker_ev * (tone + noise) / np.sqrt(2.0)
    return (slow + flicker).astype(np.float32)


class ToneCurve:
    """A camera's response from linear light to display value, half power curve and half Hill curve."""

    def __init__(self, gamma: float = 2.2, hill: float = 1.2, mix: float = 0.5, mid_grey: float = 0.45) -> None:
        """Tabulate the curve; `mid_grey` is where the Hill part puts a linear 0.18."""
        self._light = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 4096)])
        power = self._light ** (1.0 / gamma)
        half = np.geomspace(0.05, 5.0, 400)
        at_grey = 0.18**hill * (1.0 + half**hill) / (0.18**hill + half**hill)
        knee = half[np.argmin(abs(at_grey - mid_grey))] ** hill
        response = self._light**hill * (1.0 + knee) / (self._light**hill + knee)
        self._value = power ** (1.0 - mix) * response**mix

    def to_display(self, light: FloatArray) -> FloatArray:
        """Display value in [0, 1] of linear light; what exceeds 1 is clipped."""
        return np.interp(light, self._light, self._value).astype(np.float32)

    def to_light(self, value: FloatArray) -> FloatArray:
        """Linear light of a display value in [0, 1]."""
        return np.interp(value, self._value, self._light).astype(np.float32)


def half_size_rgb(frame: VideoFrame) -> FloatArray:
    """R'G'B' in [0, 1] at half size of a BT.709 limited 4:2:0 frame: its chroma is at that size already."""
    if frame.format.name != "yuv420p":
        raise SystemExit(f"this script reads yuv420p, not {frame.format.name}")
    luma, blue, red = (np.asarray(plane, np.float32) for plane in _planes(frame))
    height, width = blue.shape
    luma = luma.reshape(height, 2, width, 2).mean(axis=(1, 3))
    coded = np.stack([(luma - 16.0) / 219.0, (blue - 128.0) / 224.0, (red - 128.0) / 224.0], axis=-1)
    return np.clip(coded @ np.linalg.inv(MATRIX).T, 0.0, 1.0).astype(np.float32)


def _planes(frame: VideoFrame) -> Iterator[npt.NDArray[np.uint8]]:
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        yield rows[:, : plane.width]


def spoil(rgb: FloatArray, ev: float, how: BadExposure, curve: ToneCurve, random: np.random.Generator) -> FloatArray:
    """The frame as the camera would have taken it `ev` stops off, with sensor noise."""
    peak = np.clip((rgb.max(axis=-1, keepdims=True) - 0.75) / 0.25, 0.0, 1.0)
    scene = curve.to_light(rgb) * 2.0 ** (how.headroom_ev * peak * peak)
    light = scene * np.float32(2.0**ev)
    deviation = np.sqrt(how.read_noise**2 + how.shot_noise * light)
    light = light + deviation * random.standard_normal(light.shape, dtype=np.float32)
    return curve.to_display(np.clip(light, 0.0, 1.0))


def to_frame(rgb: FloatArray, random: np.random.Generator) -> VideoFrame:
    """A BT.709 limited yuv420p frame, dithered, chroma sited left as MPEG expects."""
    coded = rgb @ MATRIX.T
    padded = np.pad(coded[..., 1:], ((0, 0), (1, 1), (0, 0)), mode="edge")
    chroma = (padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:])[:, ::2] / 4.0
    chroma = (chroma[::2] + chroma[1::2]) / 2.0
    planes = (16.0 + 219.0 * coded[..., 0], 128.0 + 224.0 * chroma[..., 0], 128.0 + 224.0 * chroma[..., 1])
    codes = [np.clip(p + random.random(p.shape, np.float32), 0.0, 255.0).astype(np.uint8) for p in planes]
    height, width = codes[0].shape
    return VideoFrame.from_ndarray(
        np.concatenate([c.reshape(-1) for c in codes]).reshape(height * 3 // 2, width), "yuv420p"
    )


def _video_out(out: Any, source: VideoStream, crf: int) -> VideoStream:
    stream: VideoStream = out.add_stream(
        "libx264", rate=source.average_rate, options={"crf": str(crf), "preset": "slow"}
    )
    stream.width, stream.height = source.width // 2, source.height // 2
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = stream.time_base = source.time_base or Fraction(1, 30000)
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    return stream


def make_sample(good: Path, sample: Path, how: BadExposure, crf: int) -> None:
    """Write `sample`: the frames of `good` at half size, spoilt, beside its own audio packets."""
    curve = ToneCurve()
    random = np.random.default_rng(how.seed + 1)
    with av.open(str(good)) as source, av.open(str(sample), "w", options={"movflags": "faststart"}) as out:
        video = source.streams.video[0]
        audio: AudioStream = source.streams.audio[0]
        ev = exposures(how, video.frames, float(video.average_rate or 30))
        picture_out = _video_out(out, video, crf)
        sound_out = out.add_stream_from_template(audio)
        index = 0
        for packet in source.demux(video, audio):
            if packet.stream.type == "audio":
                if packet.dts is not None:
                    packet.stream = sound_out
                    out.mux(packet)
                continue
            for decoded in packet.decode():
                if not isinstance(decoded, VideoFrame):
                    continue
                frame = to_frame(spoil(half_size_rgb(decoded), ev[index], how, curve, random), random)
                frame.pts, frame.time_base = decoded.pts, decoded.time_base
                frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
                out.mux(picture_out.encode(frame))
                index += 1
        out.mux(picture_out.encode(None))


def main() -> None:
    """Read the arguments and make the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("good", type=Path, help="a well exposed yuv420p clip with an audio stream")
    parser.add_argument("sample", type=Path, help="the MP4 file to write")
    parser.add_argument("--crf", type=int, default=19, help="x264 quality, lower is better (19)")
    arguments = parser.parse_args()
    make_sample(arguments.good, arguments.sample, BadExposure(), arguments.crf)


if __name__ == "__main__":
    main()
