"""Laws of the exposure of a frame."""

import math

import numpy as np
import pytest

from vecnet_core.metrics.exposure import (
    exposure_ev,
    exposure_grid_ev,
    exposures_ev,
    gain_in_light,
    linear_luma,
    linear_to_srgb,
    srgb_to_linear,
)


def noise(height: int = 48, width: int = 64, low: float = 0.05, high: float = 0.6) -> np.ndarray:
    return np.random.default_rng(7).uniform(low, high, (height, width, 3)).astype(np.float32)


def test_the_curve_and_its_inverse_cancel() -> None:
    codes = np.linspace(0, 1, 1001, dtype=np.float32)
    assert np.abs(linear_to_srgb(srgb_to_linear(codes)) - codes).max() < 2e-6


def test_known_points_of_the_curve() -> None:
    codes = np.array([0.0, 0.04045, 0.5, 1.0], dtype=np.float32)
    assert srgb_to_linear(codes) == pytest.approx([0.0, 0.0031308, 0.2140411, 1.0], abs=1e-6)


@pytest.mark.parametrize(("level", "stops"), [(1.0, 0.0), (0.46135613, math.log2(0.18)), (0.0, -16.0)])
def test_exposure_of_flat_frames(level: float, stops: float) -> None:
    assert exposure_ev(np.full((5, 7, 3), level, dtype=np.float32)) == pytest.approx(stops, abs=1e-4)


def test_exposure_is_the_log_of_mean_linear_luma() -> None:
    rgb = noise(low=0.0, high=1.0)
    assert exposure_ev(rgb) == pytest.approx(math.log2(float(linear_luma(rgb).astype(np.float64).mean())), abs=1e-5)


@pytest.mark.parametrize("gain_ev", [-3.0, -0.5, 0.0, 0.7])
def test_a_gain_in_light_is_a_difference_in_stops(gain_ev: float) -> None:
    rgb = noise()
    assert exposure_ev(gain_in_light(rgb, gain_ev)) - exposure_ev(rgb) == pytest.approx(gain_ev, abs=1e-4)


def test_out_of_range_and_uncontiguous_values_are_clipped_not_read_past() -> None:
    rgb = np.full((6, 6, 3), 3.0, dtype=np.float32)[::2, ::-1]
    rgb[0] = -1.0
    assert exposure_ev(rgb) == pytest.approx(math.log2(2 / 3), abs=1e-5)


def test_the_grid_sees_where_the_light_is() -> None:
    rgb = np.zeros((48, 64, 3), dtype=np.float32)
    rgb[:12, 48:] = 1.0
    grid = exposure_grid_ev(rgb, 4)
    assert grid.shape == (4, 4)
    assert grid[0, 3] == pytest.approx(0.0, abs=1e-6)
    assert np.count_nonzero(grid == -16.0) == 15


def test_the_grid_shrinks_to_tiny_frames() -> None:
    assert exposure_grid_ev(noise(2, 3), 4).shape == (2, 3)


def test_a_clip_has_one_value_a_frame() -> None:
    clip = np.stack([noise(), gain_in_light(noise(), 1.0)])
    assert exposures_ev(clip) == pytest.approx([exposure_ev(clip[0]), exposure_ev(clip[1])])
