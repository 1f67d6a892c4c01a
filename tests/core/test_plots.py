"""Plots are written in the asked format, with the numbers in words, and without any global plotting state."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vecnet_core.errors import InputError
from vecnet_core.metrics.flicker import flicker
from vecnet_core.plots import before_after_still, flicker_headline, flicker_plot, strip


def curves(frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    before = -3.0 + 0.3 * (np.arange(frames) % 2)
    return np.arange(frames) / 24.0, before, np.full(frames, -2.5)


@pytest.mark.parametrize("frames", [0, 1, 2, 12, 100])
@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_flicker_plot_is_written_whatever_the_length(tmp_path: Path, frames: int, suffix: str) -> None:
    times, before, after = curves(frames)
    path = flicker_plot(
        tmp_path / f"lanes{suffix}",
        times,
        before,
        after,
        flicker(before, 24, [6]),
        flicker(after, 24, [6]),
        cuts=[6],
    )
    start = path.read_bytes()[:200]
    assert start.startswith(b"\x89PNG") if suffix == ".png" else b"<svg" in start or b"<?xml" in start


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (0.31, 0.02, "Flicker 0.31 → 0.02 stops (−94 %)"),
        (0.02, 0.03, "Flicker 0.020 → 0.030 stops (+50 %)"),
        (0.0, 0.0, "Flicker 0.000 → 0.000 stops"),
        (0.2, 0.2, "Flicker 0.20 → 0.20 stops (±0 %)"),
    ],
)
def test_the_headline_says_the_numbers(before: float, after: float, line: str) -> None:
    assert flicker_headline(before, after) == line


def test_a_still_holds_both_pictures_pixel_for_pixel(tmp_path: Path) -> None:
    original = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    corrected = 255 - original
    path = before_after_still(
        tmp_path / "still.png", original.astype(np.float32) / 255, corrected.astype(np.float32) / 255
    )
    sheet = np.asarray(Image.open(path).convert("RGB"))
    assert sheet.shape[1] == 2 * 64 + 3 * 8
    top = sheet.shape[0] - 48 - 8
    assert np.array_equal(sheet[top : top + 48, 8:72], original)
    assert np.array_equal(sheet[top : top + 48, 80:144], corrected)


def test_a_strip_has_a_row_for_each_frame_and_a_column_for_each_method(tmp_path: Path) -> None:
    picture = np.full((48, 64, 3), 0.5, dtype=np.float32)
    path = strip(tmp_path / "strip.png", [[picture] * 3] * 2, ["input", "vecnet", "reference"], ["a", "b"])
    with Image.open(path) as sheet:
        assert sheet.size == (3 * 64 + 4 * 8, 2 * 48 + 2 * 8 + 30)


def test_other_formats_and_places_are_refused_in_a_sentence(tmp_path: Path) -> None:
    picture = np.zeros((16, 16, 3), dtype=np.float32)
    with pytest.raises(InputError, match=r"ending in \.png or \.svg"):
        before_after_still(tmp_path / "still.bmp", picture, picture)
    with pytest.raises(InputError, match="cannot be written"):
        before_after_still(tmp_path / "missing" / "still.png", picture, picture)
    with pytest.raises(InputError, match="no pictures"):
        strip(tmp_path / "strip.png", [], [])


def test_no_global_plotting_state_is_touched(tmp_path: Path) -> None:
    picture = np.zeros((16, 16, 3), dtype=np.float32)
    was_loaded = "matplotlib.pyplot" in sys.modules
    before_after_still(tmp_path / "still.png", picture, picture)
    assert ("matplotlib.pyplot" in sys.modules) == was_loaded
