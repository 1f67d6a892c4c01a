"""Laws of the scopes: where a level, a colour or a lost detail is found, and that nothing is counted twice."""

from itertools import pairwise

import numpy as np
import pytest

from vecnet_core.metrics import scopes
from vecnet_core.metrics.exposure import linear_luma, linear_to_srgb
from vecnet_core.metrics.scales import (
    CHROMA_SPAN,
    FALSE_COLOUR,
    MIDDLE_GREY,
    SKIN_TONE_DEGREES,
    Clipping,
    Scope,
    chroma_of,
    color_targets,
    signal_of_stops,
    skin_tone_end,
)

LUMA = np.array([0.2126, 0.7152, 0.0722])


def noise(height: int = 45, width: int = 70) -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 1, (height, width, 3)).astype(np.float32)


def flat(*rgb: float, height: int = 6, width: int = 9) -> np.ndarray:
    return np.broadcast_to(np.array(rgb, np.float32), (height, width, 3)).copy()


def ramp(width: int = 256, height: int = 8) -> np.ndarray:
    return np.repeat(np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))[..., None], 3, axis=2)


@pytest.mark.parametrize("size", [(45, 70), (1, 1), (7, 1001)])
def test_no_pixel_is_lost_and_none_is_counted_twice(size: tuple[int, int]) -> None:
    rgb = noise(*size)
    assert scopes.histogram(rgb).sum(axis=1) == pytest.approx(np.ones(4), abs=1e-4)
    assert scopes.waveform(rgb).sum(axis=0) == pytest.approx(np.ones(min(size[1], 480)), abs=1e-4)
    assert scopes.parade(rgb).sum(axis=1) == pytest.approx(np.ones((3, min(size[1], 192))), abs=1e-4)
    assert scopes.vectorscope(rgb).sum() == pytest.approx(1.0, abs=1e-4)


def test_each_8_bit_code_has_its_own_bin() -> None:
    counts = scopes.histogram(ramp(256))
    assert counts == pytest.approx(np.full((4, 256), 1 / 256), abs=1e-6)


def test_the_waveform_of_a_ramp_is_a_diagonal() -> None:
    trace = scopes.waveform(ramp(256), columns=256)
    assert np.array_equal(trace.argmax(axis=0), np.arange(256))
    assert trace.max(axis=0) == pytest.approx(np.ones(256))


def test_the_waveform_keeps_left_and_right() -> None:
    rgb = flat(0, 0, 0, width=100)
    rgb[:, 75:] = 1.0
    trace = scopes.waveform(rgb, columns=8)
    assert trace[0] == pytest.approx([1, 1, 1, 1, 1, 1, 0, 0])
    assert trace[255] == pytest.approx([0, 0, 0, 0, 0, 0, 1, 1])


def test_the_parade_adds_up_to_the_histogram() -> None:
    rgb = noise(40, 96)
    assert scopes.parade(rgb, columns=48).mean(axis=2) == pytest.approx(scopes.histogram(rgb)[1:], abs=1e-6)


def test_the_waveform_adds_up_to_the_luma_of_the_histogram() -> None:
    rgb = noise(40, 96)
    assert scopes.waveform(rgb, columns=48).mean(axis=1) == pytest.approx(scopes.histogram(rgb)[0], abs=1e-6)


def test_the_histogram_agrees_with_numpy() -> None:
    rgb = noise()
    edges = (np.arange(257) - 0.5) / 255
    for channel in range(3):
        wanted = np.histogram(rgb[..., channel].astype(np.float64), edges)[0] / rgb[..., 0].size
        assert scopes.histogram(rgb)[channel + 1] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.18, 0.5, 1.0])
def test_greys_have_no_colour(level: float) -> None:
    assert scopes.vectorscope(flat(level, level, level))[128, 128] == 1.0


@pytest.mark.parametrize(
    ("name", "bar"),
    [("B", (0, 0, 1)), ("Mg", (1, 0, 1)), ("R", (1, 0, 0)), ("Yl", (1, 1, 0)), ("G", (0, 1, 0)), ("Cy", (0, 1, 1))],
)
def test_colour_bars_hit_their_targets(name: str, bar: tuple[int, int, int]) -> None:
    plane = scopes.vectorscope(flat(*(0.75 * channel for channel in bar)))
    row, column = np.unravel_index(plane.argmax(), plane.shape)
    target = color_targets()[name]
    assert (column - 128) / CHROMA_SPAN == pytest.approx(target.cb, abs=0.5 / CHROMA_SPAN)
    assert (row - 128) / CHROMA_SPAN == pytest.approx(target.cr, abs=0.5 / CHROMA_SPAN)


def test_targets_are_those_of_bt709() -> None:
    # ITU-R BT.709: Cb and Cr of full blue and full red are exactly one half.
    targets = color_targets(1.0)
    assert targets["B"].cb == pytest.approx(0.5)
    assert targets["R"].cr == pytest.approx(0.5)
    assert targets["R"].cb == pytest.approx(-0.2126 / 1.8556)
    for one, other in (("B", "Yl"), ("R", "Cy"), ("G", "Mg")):
        assert np.array(targets[one]) == pytest.approx(-np.array(targets[other]))


@pytest.mark.parametrize("skin", [(0.93, 0.78, 0.69), (0.78, 0.57, 0.45), (0.55, 0.37, 0.28), (0.30, 0.19, 0.14)])
def test_skin_of_any_shade_lies_near_the_skin_tone_line(skin: tuple[float, float, float]) -> None:
    chroma = chroma_of(*skin)
    assert np.degrees(np.arctan2(chroma.cr, chroma.cb)) == pytest.approx(SKIN_TONE_DEGREES, abs=9)
    end = skin_tone_end(0.3)
    assert np.hypot(end.cb, end.cr) == pytest.approx(0.3)


@pytest.mark.parametrize("scope", list(Scope))
def test_both_traces_are_measured_alike(scope: Scope) -> None:
    before, after = noise(), noise() ** np.float32(0.5)
    traces = scopes.scope_traces(scope, before, after)
    assert traces.after is not None
    assert traces.before.shape == traces.after.shape
    assert not np.array_equal(traces.before, traces.after)
    assert np.array_equal(traces.after, scopes.scope_traces(scope, after, None).before)
    assert scopes.scope_traces(scope, before, None).after is None


def test_what_lies_outside_is_counted_at_the_ends_and_nothing_is_read_past() -> None:
    rgb = flat(0.5, 0.5, 0.5, height=4, width=4)
    rgb[0], rgb[1], rgb[2] = -3.0, 7.0, np.nan
    rgb = rgb[:, ::-1]
    counts = scopes.histogram(rgb)
    assert counts[:, 0] == pytest.approx(np.full(4, 0.5))
    assert counts[:, 255] == pytest.approx(np.full(4, 0.25))
    assert scopes.vectorscope(rgb).sum() == pytest.approx(1.0)
    assert np.isfinite(scopes.gain_stops(rgb, rgb[:, ::-1])).all()
    assert scopes.false_colour(rgb).shape == (4, 4, 3)


# Clipping


@pytest.mark.parametrize(
    ("source", "result", "kind"),
    [
        ((0.5, 0.5, 0.5), (0.6, 0.6, 0.6), Clipping.NONE),
        ((1.0, 0.4, 0.4), (0.9, 0.4, 0.4), Clipping.SOURCE_HIGH),
        ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), Clipping.SOURCE_HIGH),
        ((0.0, 0.0, 0.0), (0.2, 0.2, 0.2), Clipping.SOURCE_LOW),
        ((0.0, 0.0, 0.6), (0.0, 0.0, 0.8), Clipping.NONE),
        ((0.9, 0.5, 0.5), (1.0, 0.6, 0.6), Clipping.ADDED_HIGH),
        ((0.1, 0.1, 0.1), (0.0, 0.0, 0.0), Clipping.ADDED_LOW),
        ((0.99, 0.5, 0.5), (0.99, 0.5, 0.5), Clipping.NONE),
    ],
)
def test_what_the_source_lost_is_told_from_what_the_correction_clips(
    source: tuple[float, ...], result: tuple[float, ...], kind: Clipping
) -> None:
    codes = scopes.clipping_masks(flat(*source), flat(*result))
    assert np.array_equal(codes, np.full((6, 9), kind))
    assert scopes.clipping_shares(codes)[kind] == 1.0


def test_the_limit_is_half_a_code_of_the_clip() -> None:
    step = scopes.code_step(10, "limited")
    assert step == pytest.approx(1 / 876)
    assert scopes.code_step(8, "full") == pytest.approx(1 / 255)
    near, past = flat(*3 * [1 - 0.4 * step]), flat(*3 * [1 - 0.6 * step])
    assert (scopes.clipping_masks(near, near, step) == Clipping.SOURCE_HIGH).all()
    assert (scopes.clipping_masks(past, past, step) == Clipping.NONE).all()


def test_shares_are_of_all_pixels() -> None:
    source = flat(0.5, 0.5, 0.5, height=4, width=10)
    source[:, :1], source[:, 9:] = 1.0, 0.0
    result = source.copy()
    result[:, 1:4] = 1.0
    shares = scopes.clipping_shares(scopes.clipping_masks(source, result))
    assert list(shares.values()) == pytest.approx([0.5, 0.1, 0.1, 0.3, 0.0])


# False colour, difference, gain


@pytest.mark.parametrize("stops", [-8.0, -6.0, -2.0, -0.5, 0.0, 1.0, 2.4, 3.0])
def test_stops_on_the_signal_are_the_srgb_curve(stops: float) -> None:
    wanted = linear_to_srgb(np.array([MIDDLE_GREY * 2.0**stops], np.float32))[0]
    assert signal_of_stops(stops) == pytest.approx(float(wanted), abs=1e-6)


def test_the_bands_do_not_overlap_and_end_in_black_and_white() -> None:
    assert FALSE_COLOUR[0].low_percent == 0.0
    assert FALSE_COLOUR[-1].high_percent == pytest.approx(100.0)
    assert all(band.low_stops < band.high_stops for band in FALSE_COLOUR)
    assert all(lower.high_stops <= upper.low_stops for lower, upper in pairwise(FALSE_COLOUR))
    assert len({band.rgb for band in FALSE_COLOUR}) == len(FALSE_COLOUR)


@pytest.mark.parametrize(
    ("stops", "place"), [(-9.0, 0), (-6.0, 1), (0.0, 2), (0.2, 2), (1.0, 3), (2.2, 4), (2.46, 5), (5.0, 5)]
)
def test_a_grey_is_painted_in_its_band(stops: float, place: int) -> None:
    level = signal_of_stops(stops)
    assert tuple(scopes.false_colour(flat(level, level, level))[0, 0]) == FALSE_COLOUR[place].rgb


@pytest.mark.parametrize("stops", [-4.0, -1.0, 0.5, 1.6])
def test_between_the_bands_the_picture_is_grey(stops: float) -> None:
    level = signal_of_stops(stops)
    painted = scopes.false_colour(flat(level, level, level))[0, 0]
    assert painted.tolist() == pytest.approx([round(255 * level)] * 3, abs=1)


def test_a_difference_is_black_where_nothing_changed_and_grows_with_its_gain() -> None:
    before = flat(0.2, 0.5, 0.6)
    after = flat(0.3, 0.5, 0.5)
    assert not scopes.difference(before, before).any()
    assert scopes.difference(before, after, gain=4.0)[0, 0] == pytest.approx([0.4, 0.0, 0.4], abs=1e-6)
    assert scopes.difference(before, after, gain=1.0)[0, 0] == pytest.approx([0.1, 0.0, 0.1], abs=1e-6)
    assert scopes.difference(before, after, gain=100.0)[0, 0] == pytest.approx([1.0, 0.0, 1.0], abs=1e-6)


def test_the_gain_is_the_ratio_of_linear_luma() -> None:
    before, after = noise(), noise()[::-1]
    wanted = np.log2(linear_luma(after) / linear_luma(before))
    assert scopes.gain_stops(before, after) == pytest.approx(wanted, abs=0.01)
    assert scopes.gain_stops(flat(0, 0, 0), flat(1, 1, 1)) == pytest.approx(np.full((6, 9), 12.0))


@pytest.mark.parametrize("measure", [scopes.clipping_masks, scopes.difference, scopes.gain_stops])
def test_two_pictures_of_different_size_are_refused(measure: object) -> None:
    with pytest.raises(ValueError, match=r"\(6, 9, 3\)"):
        measure(flat(0, 0, 0), flat(0, 0, 0, width=8))  # type: ignore[operator]
