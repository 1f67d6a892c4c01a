"""Laws of flicker: made flicker is measured right, slow change, cuts and repeats are none."""

import math

import numpy as np
import pytest

from vecnet_core.metrics.flicker import fast_part, flicker, flicker_error, segments, slow_part


def wave(frequency_hz: float, amplitude: float = 0.2, frames: int = 144, rate: float = 24.0) -> np.ndarray:
    return -3.0 + amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(frames) / rate + 0.5)


@pytest.mark.parametrize("frequency_hz", [3.0, 5.5, 8.0, 10.0, 11.5])
@pytest.mark.parametrize("rate", [24.0, 60.0, 240.0])
def test_made_flicker_is_measured_right(frequency_hz: float, rate: float) -> None:
    result = flicker(wave(frequency_hz, 0.2, int(4 * rate), rate), rate)
    assert result.stops == pytest.approx(0.2 / math.sqrt(2), rel=0.03)
    assert result.peak_frequency_hz == pytest.approx(frequency_hz, abs=0.15)
    assert result.amplitude_stops == pytest.approx(0.2, rel=0.06)


def test_flicker_of_every_other_frame() -> None:
    result = flicker(np.tile([0.1, -0.1], 40), 25.0)
    assert result.stops == pytest.approx(0.1, rel=0.02)
    assert result.peak_frequency_hz == 12.5
    assert result.amplitude_stops == pytest.approx(0.1, rel=0.02)


def test_random_flicker_keeps_its_rms() -> None:
    draws = np.random.default_rng(3).normal(0, 0.15, 2000)
    assert flicker(draws, 24.0).stops == pytest.approx(0.15, rel=0.1)


def test_slow_drift_is_not_flicker() -> None:
    assert flicker(wave(0.25, 0.5), 24.0).stops < 0.02 * 0.5
    assert flicker(wave(0.5, 0.5), 24.0).stops < 0.1 * 0.5


@pytest.mark.parametrize("frames", [3, 12, 240])
def test_a_straight_drift_is_slow_up_to_both_ends(frames: int) -> None:
    drift = np.linspace(-5, 2, frames)
    assert np.abs(slow_part(drift, 24.0) - drift).max() < 1e-8


def test_the_slow_part_is_zero_phase() -> None:
    draws = np.random.default_rng(4).normal(size=60)
    assert slow_part(draws[::-1], 24.0)[::-1] == pytest.approx(slow_part(draws, 24.0), abs=1e-9)


def test_the_slow_part_is_whittakers_smoother() -> None:
    draws = np.random.default_rng(5).normal(size=20)
    trust = np.where(np.arange(20) % 5 == 2, 0.0, 1.0)
    second = np.diff(np.eye(20), 2, axis=0)
    stiffness = (2 * math.sin(math.pi / 24)) ** -4
    expected = np.linalg.solve(np.diag(trust) + stiffness * second.T @ second, trust * draws)
    assert slow_part(draws, 24.0, trust) == pytest.approx(expected, abs=1e-9)


def test_curves_are_smoothed_each_for_itself() -> None:
    curves = np.random.default_rng(6).normal(size=(30, 4))
    alone = np.stack([slow_part(curve, 24.0) for curve in curves.T], axis=1)
    assert slow_part(curves, 24.0) == pytest.approx(alone, abs=1e-12)


def test_a_cut_is_not_flicker_but_an_unmarked_one_is() -> None:
    clip = np.concatenate([np.full(30, -2.0), np.full(30, -5.0)])
    assert flicker(clip, 24.0, cuts=[30]).stops < 1e-9
    assert flicker(clip, 24.0).stops > 0.3


def test_nothing_leaks_across_a_cut() -> None:
    quiet, loud = np.full(30, -2.0), wave(8.0, 0.4, 30)
    fast = fast_part(np.concatenate([quiet, loud]), 24.0, cuts=[30])
    assert np.abs(fast[:30]).max() < 1e-9
    assert fast[30:] == pytest.approx(fast_part(loud, 24.0))


def test_duplicates_are_left_out_and_bridged() -> None:
    clip = wave(6.0, 0.2, 100)
    broken = clip.copy()
    repeats = list(range(4, 100, 5))
    broken[repeats] = 40.0
    assert flicker(broken, 24.0, duplicates=repeats).stops == pytest.approx(flicker(clip, 24.0).stops, rel=0.05)
    assert np.isnan(fast_part(broken, 24.0, duplicates=repeats)[repeats]).all()


@pytest.mark.parametrize("exposures", [[], [1.0], [1.0, -4.0], [np.nan, np.nan, np.nan]])
def test_clips_too_short_to_tell_have_no_flicker(exposures: list[float]) -> None:
    result = flicker(exposures, 24.0)
    assert (result.stops, result.peak_frequency_hz, result.amplitude_stops) == (0.0, 0.0, 0.0)


def test_segments_too_short_to_tell_are_not_counted() -> None:
    clip = np.concatenate([np.tile([0.1, -0.1], 20), [3.0, -3.0]])
    assert flicker(clip, 24.0, cuts=[40]).stops == pytest.approx(flicker(clip[:40], 24.0).stops)


def test_a_timelapse_of_one_frame_a_second_is_measured() -> None:
    assert flicker(np.tile([0.1, -0.1], 30), 1.0).stops > 0.09


def test_flicker_error_compares_steps_not_levels() -> None:
    reference = wave(2.0)
    assert flicker_error(reference + 1.5, reference) == pytest.approx(0.0, abs=1e-12)
    assert flicker_error(reference + np.tile([0.1, -0.1], 72), reference) == pytest.approx(0.2)


def test_flicker_error_takes_no_step_over_a_cut() -> None:
    reference = np.zeros(10)
    output = np.where(np.arange(10) < 5, 0.0, 2.0)
    assert flicker_error(output, reference, cuts=[5]) == 0.0
    assert flicker_error(output[:1], reference[:1]) == 0.0


def test_flicker_error_over_a_grid_is_the_mean_of_its_cells() -> None:
    reference = np.zeros((10, 2))
    output = np.stack([np.tile([0.1, -0.1], 5), np.zeros(10)], axis=1)
    assert flicker_error(output, reference) == pytest.approx(0.1)


def test_segments_ignore_cuts_outside_the_clip() -> None:
    assert segments(10, [0, 4, 4, 12]) == [(0, 4), (4, 10)]
    assert segments(0, [3]) == []
