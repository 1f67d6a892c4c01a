"""Laws of cut and duplicate detection: what is in the picture counts, not how bright it is."""

import numpy as np
import pytest

from vecnet_core.cuts import CutDetector
from vecnet_core.metrics.exposure import gain_in_light

HEIGHT, WIDTH = 90, 160


def scene(seed: int, frames: int = 12, speed: int = 1) -> np.ndarray:
    """A made scene of coloured blobs through which the camera pans; (frames, h, w, 3) in 8-bit steps."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, : 2 * WIDTH].astype(np.float64)
    picture = np.full((HEIGHT, 2 * WIDTH, 3), random.uniform(0.1, 0.4, 3))
    for _ in range(25):
        centre_x, centre_y = random.uniform(0, 2 * WIDTH), random.uniform(0, HEIGHT)
        radius = random.uniform(6, 30)
        inside = (x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2
        picture[inside] = random.uniform(0.02, 0.9, 3)
    shifts = [min(index * speed, WIDTH) for index in range(frames)]
    clip = np.stack([picture[:, shift : shift + WIDTH] for shift in shifts])
    return (np.round(clip * 255) / 255).astype(np.float32)


def run(frames: np.ndarray) -> tuple[list[int], list[int]]:
    detector, cuts, duplicates = CutDetector(), [], []
    for index, frame in enumerate(frames):
        if detector.update(frame):
            cuts.append(index)
        if detector.is_duplicate:
            duplicates.append(index)
    return cuts, duplicates


@pytest.mark.parametrize("seed", range(6))
def test_a_splice_of_two_scenes_is_a_cut(seed: int) -> None:
    assert run(np.concatenate([scene(seed), scene(seed + 50)]))[0] == [12]


@pytest.mark.parametrize("seed", range(6))
def test_a_stop_of_flicker_is_no_cut(seed: int) -> None:
    gains = np.random.default_rng(seed).uniform(-1, 1, 12)
    flickering = [np.round(gain_in_light(f, g) * 255) / 255 for f, g in zip(scene(seed), gains, strict=True)]
    assert run(np.stack(flickering).astype(np.float32)) == ([], [])


def test_an_exposure_step_is_no_cut_and_a_splice_to_another_brightness_is() -> None:
    clip = scene(1, frames=24)
    assert run(np.concatenate([clip[:12], gain_in_light(clip[12:], -2.0)]))[0] == []
    assert run(np.concatenate([scene(1), gain_in_light(scene(2), -2.0)]))[0] == [12]


def test_fast_motion_is_no_cut() -> None:
    assert run(scene(3, speed=8))[0] == []


def test_a_cut_inside_flicker_is_still_found_at_its_frame() -> None:
    clip = np.concatenate([scene(4), scene(60)])
    gains = np.tile([0.4, -0.4], 12)
    assert run(np.stack([gain_in_light(f, g) for f, g in zip(clip, gains, strict=True)]))[0] == [12]


def test_black_to_picture_is_a_cut_and_noise_in_black_is_not() -> None:
    random = np.random.default_rng(0)
    black = random.uniform(0, 3 / 255, (12, HEIGHT, WIDTH, 3)).astype(np.float32)
    assert run(np.concatenate([black, scene(5)])) == ([12], [])


def test_repeats_are_duplicates_even_with_coding_noise() -> None:
    clip = np.repeat(scene(6, frames=6), 2, axis=0)
    clip[1::2] += np.random.default_rng(0).normal(0, 0.2 / 255, clip[1::2].shape).astype(np.float32)
    assert run(clip) == ([], [1, 3, 5, 7, 9, 11])


def test_a_small_flicker_on_a_still_scene_is_no_duplicate() -> None:
    still = scene(7, frames=1)[0]
    assert run(np.stack([gain_in_light(still, 0.05 * (index % 2)) for index in range(6)]))[1] == []


@pytest.mark.parametrize("size", [(48, 64), (7, 9), (128, 300)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    assert run(np.zeros((3, *size, 3), dtype=np.float32)) == ([], [1, 2])
