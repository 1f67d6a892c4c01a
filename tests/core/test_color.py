"""Laws of the colour module: what is black, white and grey stays so, and codes survive the way to R'G'B' and back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from clips import make_frame, picture

from vecnet_core.frame import ColorTags
from vecnet_core.video.color import LUMA_WEIGHTS, convert_layout, from_rgb, reduce_to_rgb, to_rgb
from vecnet_core.video.layouts import named_layout

MATRICES = ("bt601", "bt709", "bt2020nc")
RANGES = ("limited", "full")
LAYOUTS = (
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p12le",
    "yuv444p16le",
    "gray",
    "gray10le",
)


def codes(frame):
    return [plane.astype(int) for plane in frame.planes]


def worst(a, b):
    return max(int(np.abs(x - y).max()) for x, y in zip(codes(a), codes(b), strict=True))


@pytest.mark.parametrize(("layout", "matrix", "range_name"), list(itertools.product(LAYOUTS, MATRICES, RANGES)))
def test_black_and_white_are_exact_and_grey_stays_grey(layout, matrix, range_name):
    levels = np.linspace(0, 1, 64, dtype=np.float32)
    ramp = np.repeat(np.tile(levels, (48, 1))[..., None], 3, axis=2)
    frame = make_frame(layout=layout, color=ColorTags(matrix, range_name), rgb=ramp)
    depth = frame.layout.bit_depth
    unit, top = 1 << (depth - 8), (1 << depth) - 1
    assert frame.planes[0].min() == (16 * unit if range_name == "limited" else 0)
    assert frame.planes[0].max() == (235 * unit if range_name == "limited" else top)
    for plane in frame.planes[1:]:
        assert (plane == 128 * unit).all()
    rgb = to_rgb(frame)
    assert rgb.dtype == np.float32
    assert (rgb[:, 0] == 0.0).all()
    assert (rgb[:, -1] == 1.0).all()
    assert (rgb == rgb[..., :1]).all()
    assert worst(from_rgb(rgb, frame), frame) == 0


@pytest.mark.parametrize(("layout", "matrix", "range_name"), list(itertools.product(LAYOUTS, MATRICES, RANGES)))
def test_codes_survive_the_round_trip(layout, matrix, range_name):
    # The filters of 4:2:0 and 4:2:2 undo their interpolation exactly, so this holds for them as well as for 4:4:4.
    noise = np.random.default_rng(1).uniform(0.35, 0.65, (48, 64, 3)).astype(np.float32)
    first = make_frame(layout=layout, color=ColorTags(matrix, range_name), rgb=noise)
    assert worst(from_rgb(to_rgb(first), first), first) <= 1


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("range_name", RANGES)
def test_the_matrix_is_the_standards(matrix, range_name):
    kr, kb = LUMA_WEIGHTS[matrix]
    rgb = np.zeros((4, 4, 3), np.float32)
    rgb[...] = (0.25, 0.5, 0.75)
    frame = make_frame(layout="yuv444p16le", color=ColorTags(matrix, range_name), rgb=rgb)
    luma = kr * 0.25 + (1 - kr - kb) * 0.5 + kb * 0.75
    offset, span, chroma = (4096, 219 * 256, 224 * 256) if range_name == "limited" else (0, 65535, 65535)
    wanted = [
        offset + span * luma,
        32768 + chroma * (0.75 - luma) / (2 - 2 * kb),
        32768 + chroma * (0.25 - luma) / (2 - 2 * kr),
    ]
    assert [plane[0, 0] for plane in frame.planes] == pytest.approx(wanted, abs=0.51)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (48, 64), (47, 63), (49, 66)])
@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_odd_sizes_convert(size, layout):
    frame = make_frame(layout=layout, size=size)
    rgb = to_rgb(frame)
    assert rgb.shape == (*size, 3)
    assert np.isfinite(rgb).all()
    back = from_rgb(rgb, frame)
    assert [plane.shape for plane in back.planes] == [plane.shape for plane in frame.planes]
    assert worst(back, frame) <= (1 if size[0] % 2 == 0 or layout != "yuv420p" else 6)


def test_out_of_range_and_nan_become_legal_codes():
    wild = np.array(
        [[[-5.0, 0.5, 9.0], [np.nan, np.nan, np.nan], [np.inf, -np.inf, 0.0], [2.0, 2.0, 2.0]]] * 4, np.float32
    )
    frame = make_frame(layout="yuv444p", rgb=wild)
    assert frame.planes[0].min() >= 16
    assert frame.planes[0].max() == 235
    assert all(plane.min() >= 16 and plane.max() <= 240 for plane in frame.planes[1:])


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p", "yuv444p", "gray"])
def test_the_reduced_picture_is_the_average_of_the_full_one(layout):
    frame = make_frame(layout=layout, size=(48, 64))
    full = to_rgb(frame)
    small = reduce_to_rgb(frame, 12, 16)
    average = full.reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - average)[1:-1, 1:-1].mean() < 0.004
    assert np.abs(small[..., 0].mean() - full[..., 0].mean()) < 0.002


def test_reducing_to_the_same_size_changes_nothing():
    frame = make_frame()
    assert (reduce_to_rgb(frame, 48, 64) == to_rgb(frame)).all()


@pytest.mark.parametrize("size", [(31, 37), (5, 7), (1, 1), (47, 64)])
def test_a_flat_picture_stays_flat_at_any_reduced_size(size):
    flat = np.full((48, 64, 3), (0.3, 0.5, 0.6), np.float32)
    frame = make_frame(rgb=flat)
    assert np.ptp(reduce_to_rgb(frame, *size), axis=(0, 1)).max() < 1e-5


@pytest.mark.parametrize(
    ("source", "target"),
    [("yuv420p", "yuv422p10le"), ("gray", "yuv420p"), ("yuv422p", "yuv422p10le"), ("yuv420p", "yuv444p")],
)
@pytest.mark.parametrize("range_name", RANGES)
def test_a_roomier_layout_holds_the_same_picture(source, target, range_name):
    frame = make_frame(layout=source, color=ColorTags("bt709", range_name))
    depth = 10 if "10" in target else 8
    layout = named_layout({"0": 2, "2": 2, "4": 1}[target[5]], 2 if "420" in target else 1, depth)
    moved = convert_layout(frame, layout)
    assert moved.layout == layout
    assert np.abs(to_rgb(moved) - to_rgb(frame)).max() < 0.012


def test_made_picture_is_in_gamut():
    assert picture(11).min() >= 0
    assert picture(11).max() <= 1
