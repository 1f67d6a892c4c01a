"""Laws of pixel formats: every code and all transparency arrive, whatever the packing, byte order, depth and size."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import FRAMES, make_frame, number_of

from vecnet_core.frame import ColorTags, PixelLayout
from vecnet_core.video.color import convert_layout, from_rgb, limit_range, rescale_alpha, to_rgb
from vecnet_core.video.form import PictureForm
from vecnet_core.video.layouts import plan_layout
from vecnet_core.video.reader import VideoReader

HEIGHT, WIDTH = 48, 64


def sample_type(name):
    """The type of a format's samples, as they lie in memory."""
    pixel_format = av.VideoFormat(name)
    code = {8: "u1", 32: "f4"}.get(pixel_format.components[0].bits, "f2" if "f16" in name else "u2")
    return np.dtype((">" if pixel_format.is_big_endian else "<") + code)


def filled(name, samples, size=(HEIGHT, WIDTH)):
    """A picture of FFmpeg whose planes hold the given samples (flattened lines where they are packed)."""
    frame = av.VideoFrame(size[1], size[0], name)
    dtype = sample_type(name)
    for plane, values in zip(frame.planes, samples, strict=True):
        lines = np.frombuffer(memoryview(plane), dtype).reshape(-1, plane.line_size // dtype.itemsize)
        lines[: values.shape[0], : values.shape[1]] = values
    return frame


def codes(depth, shape, seed=0):
    return np.random.default_rng(seed).integers(0, 1 << depth, shape)


def read(picture):
    return PictureForm.of(picture, Path("picture")).frame(picture, 0, 0, Fraction(1, 25), 1)


PLANAR = [
    *(f"yuv420p{depth}{order}" for depth in (9, 10, 12, 14, 16) for order in ("le", "be")),
    *("yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv422p10be", "yuv444p16be", "yuv440p12be"),
    *("gray", "gray9le", "gray10be", "gray12be", "gray14le", "gray16be"),
    *("yuva420p", "yuva422p", "yuva444p", "yuva420p9be", "yuva422p10le", "yuva444p12be", "yuva444p16le"),
]


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (49, 65)], ids=["even", "odd"])
@pytest.mark.parametrize("name", PLANAR)
def test_planar_formats_are_taken_as_they_are(name, size):
    components = av.VideoFormat(name, *size[::-1]).components
    samples = [codes(part.bits, (part.height, part.width), i) for i, part in enumerate(components)]
    frame = read(filled(name, samples, size))
    assert frame.layout.name == name.replace("be", "le").replace("yuva", "yuv")
    arrived = [*frame.planes, *([] if frame.alpha is None else [frame.alpha])]
    assert len(arrived) == len(samples)
    assert all((plane == wanted).all() for plane, wanted in zip(arrived, samples, strict=True))


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (49, 65)], ids=["even", "odd"])
@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("nv12", "yuv420p"),
        ("nv21", "yuv420p"),
        ("nv16", "yuv422p"),
        ("nv24", "yuv444p"),
        ("nv42", "yuv444p"),
        ("p010le", "yuv420p10le"),
        ("p012be", "yuv420p12le"),
        ("p016le", "yuv420p16le"),
        ("p210le", "yuv422p10le"),
        ("p412be", "yuv444p12le"),
    ],
)
def test_semi_planar_formats_are_taken_apart(name, layout, size):
    components = av.VideoFormat(name, *size[::-1]).components
    luma, chroma = components[0], components[1]
    samples = [codes(part.bits, (part.height, part.width), i) for i, part in enumerate(components)]
    shift = 0 if luma.bits == 8 else 16 - luma.bits
    pairs = samples[:0:-1] if name in {"nv21", "nv42"} else samples[1:]
    pairs = np.stack(pairs, axis=-1).reshape(chroma.height, 2 * chroma.width)
    frame = read(filled(name, [samples[0] << shift, pairs << shift], size))
    assert frame.layout.name == layout
    assert all((plane == wanted).all() for plane, wanted in zip(frame.planes, samples, strict=True))


@pytest.mark.parametrize(("name", "order"), [("uyvy422", "uavb"), ("yuyv422", "aubv"), ("yvyu422", "avbu")])
@pytest.mark.parametrize("width", [64, 65])
def test_packed_video_is_taken_apart(name, order, width):
    columns = -(-width // 2)
    luma = codes(8, (HEIGHT, 2 * columns))
    parts = {"a": luma[:, 0::2], "b": luma[:, 1::2]}
    parts |= {"u": codes(8, (HEIGHT, columns), 1), "v": codes(8, (HEIGHT, columns), 2)}
    packed = np.stack([parts[letter] for letter in order], axis=-1).reshape(HEIGHT, 4 * columns)
    frame = read(filled(name, [packed], (HEIGHT, width)))
    assert frame.layout.name == "yuv422p"
    wanted = (luma[:, :width], parts["u"], parts["v"])
    assert all((plane == part).all() for plane, part in zip(frame.planes, wanted, strict=True))


RGB = ("rgb24", "bgr24", "0rgb", "rgb48le", "rgb48be")
RGBA = ("rgba", "bgra", "argb", "abgr", "rgba64le", "rgba64be", "bgra64be")
PLANAR_RGB = ("gbrp", "gbrp9be", "gbrp10le", "gbrp12be", "gbrp14le", "gbrp16be", "gbrap", "gbrap10be", "gbrap12le")


@pytest.mark.parametrize("name", [*RGB, *RGBA, *PLANAR_RGB])
def test_every_rgb_code_arrives(name):
    depth = av.VideoFormat(name).components[0].bits
    parts = {letter: codes(depth, (HEIGHT, WIDTH), i) for i, letter in enumerate("rgba")}
    parts["0"] = np.zeros((HEIGHT, WIDTH), np.int64)
    order = re.match("0?[rgba]+", name)[0]
    if name.startswith("gbr"):
        picture = filled(name, [parts[letter] for letter in order])
    else:
        picture = filled(name, [np.stack([parts[letter] for letter in order], axis=-1).reshape(HEIGHT, -1)])
    frame = read(picture)
    top = (1 << depth) - 1
    rgb = to_rgb(frame) * top
    wanted = np.stack([parts[letter] for letter in "rgb"], axis=-1)
    # From 14 bits on the matrix has no bits left over: half a code of it is lost on the way.
    assert np.abs(rgb - wanted).max() < (0.5 if depth < 14 else 3)
    if "a" not in order:
        assert frame.alpha is None
    else:
        back = np.rint(frame.alpha / ((1 << frame.layout.bit_depth) - 1) * top)
        assert (back == parts["a"]).all()


@pytest.mark.parametrize("name", ["ya8", "ya16le", "ya16be"])
def test_grey_with_alpha_is_taken_apart(name):
    depth = av.VideoFormat(name).components[0].bits
    grey, alpha = codes(depth, (HEIGHT, WIDTH)), codes(depth, (HEIGHT, WIDTH), 1)
    frame = read(filled(name, [np.stack([grey, alpha], axis=-1).reshape(HEIGHT, -1)]))
    assert (frame.planes[0] == grey).all()
    assert (frame.alpha == alpha).all()
    assert frame.color.range == "full"


@pytest.mark.parametrize("name", ["gbrpf32le", "gbrapf32le", "gbrpf16le", "rgbf32le", "grayf32le", "gbrpf32be"])
def test_linear_floats_are_shown_through_the_srgb_curve(name):
    light = np.random.default_rng(0).random((HEIGHT, WIDTH, 4)) * 1.2
    light[0, :4] = np.array([np.nan, np.inf, -np.inf, -1.0])[:, None]
    channels = len(av.VideoFormat(name).components)
    if name.startswith("gbr"):
        samples = [light[..., i] for i in (1, 2, 0, 3)[:channels]]
    elif channels == 1:
        samples = [light[..., 0]]
    else:
        samples = [light[..., :3].reshape(HEIGHT, -1)]
    frame = read(filled(name, samples))
    held = light.astype(np.float16 if "f16" in name else np.float32).astype(np.float64)
    clipped = np.clip(np.nan_to_num(held, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    curve = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    wanted = curve[..., :3] if channels > 1 else curve[..., :1].repeat(3, -1)
    assert np.abs(to_rgb(frame) - wanted).max() < 1e-4
    assert frame.layout.bit_depth == 16
    assert frame.color.transfer == "iec61966-2-1"
    if channels == 4:
        assert np.abs(frame.alpha / 65535 - clipped[..., 3]).max() < 1e-5


def test_every_format_is_planned_or_refused_but_none_breaks():
    for name in av.video.format.names:
        plan = plan_layout(name)
        if plan is not None:
            assert plan.layout.bit_depth in range(8, 17)
            assert plan.has_alpha == any(part.is_alpha for part in av.VideoFormat(name, 64, 64).components)


@pytest.mark.parametrize(
    ("codec", "source", "ending"),
    [
        ("ffv1", "yuva420p", "mkv"),
        ("ffv1", "yuva444p10le", "mkv"),
        ("ffv1", "gbrap12le", "mkv"),
        ("png", "rgba", "mov"),
        ("png", "rgba64be", "mov"),
        ("png", "ya8", "mov"),
        ("qtrle", "argb", "mov"),
        ("rawvideo", "bgra", "avi"),
    ],
)
def test_transparency_is_read_from_files(tmp_path, codec, source, ending):
    path = tmp_path / f"clip.{ending}"
    ramp = np.linspace(0, 255, WIDTH).round().astype(np.uint8)[None].repeat(HEIGHT, 0)
    rgba = np.dstack([np.full((HEIGHT, WIDTH, 3), 128, np.uint8), ramp])
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, source
        for pts in range(3):
            frame = av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format=source)
            frame.pts, frame.time_base = pts, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with VideoReader(path) as reader:
        assert reader.info.has_alpha
        assert not any("transparency" in text for text in reader.warnings)
        for frame in reader.frames():
            top = (1 << frame.layout.bit_depth) - 1
            # Making the clip costs up to one code of 8 bits.
            assert np.abs(frame.alpha / top * 255 - ramp).max() < 1.01
            assert frame.alpha.dtype == frame.planes[0].dtype


def test_transparency_that_is_not_read_is_told(tmp_path):
    path = tmp_path / "clip.webm"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libvpx-vp9", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuva420p"
        frame = filled("yuva420p", [np.full((HEIGHT // n, WIDTH // n), 128) for n in (1, 2, 2, 1)])
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        output.mux([*stream.encode(frame), *stream.encode(None)])
    with VideoReader(path) as reader:
        assert not reader.info.has_alpha
        assert any("transparency" in text and "left out" in text for text in reader.warnings)


def test_opaque_footage_has_no_alpha(clip):
    with VideoReader(clip) as reader:
        assert not reader.info.has_alpha
        assert reader.frame(0).alpha is None


def test_what_is_made_like_a_frame_keeps_its_transparency():
    alpha = codes(8, (HEIGHT, WIDTH)).astype(np.uint8)
    frame = replace(make_frame(color=ColorTags("bt709", "full")), alpha=alpha)
    assert from_rgb(to_rgb(frame), frame).alpha is alpha
    assert limit_range(frame).alpha is alpha
    roomy = convert_layout(frame, PixelLayout("yuv444p10le", 10, 1, 1))
    assert roomy.alpha is not None
    assert roomy.alpha.dtype == np.uint16
    assert (np.rint(roomy.alpha / 1023 * 255) == alpha).all()


@pytest.mark.parametrize(("old", "new"), [(8, 10), (10, 12), (12, 8), (16, 10), (8, 16)])
def test_opacity_in_other_bits_keeps_clear_and_opaque(old, new):
    every = np.arange(1 << old, dtype=np.uint8 if old == 8 else np.uint16)
    moved = rescale_alpha(every, old, new)
    assert (moved[0], moved[-1]) == (0, (1 << new) - 1)
    assert np.abs(moved / ((1 << new) - 1) - every / ((1 << old) - 1)).max() <= 0.5 / ((1 << new) - 1) + 1e-9


@pytest.mark.parametrize("alpha", [np.zeros((HEIGHT, WIDTH - 1), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint16)])
def test_a_frame_refuses_an_alpha_that_does_not_fit(alpha):
    with pytest.raises(ValueError, match="alpha"):
        replace(make_frame(), alpha=alpha)


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p10le", "yuv444p12le", "gray16le"])
@pytest.mark.parametrize("size", [(49, 65), (31, 47)], ids=str)
def test_odd_sizes_are_read(new_clip, layout, size):
    with VideoReader(new_clip("odd.mkv", codec="ffv1", layout=layout, size=size)) as reader:
        assert (reader.info.height, reader.info.width) == size
        if layout != "gray16le":
            assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))
        assert reader.info.layout.name == layout
        assert reader.warnings == ()
