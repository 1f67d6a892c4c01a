"""Laws of what VECNet is compared with."""

import numpy as np
import pytest
from skimage.exposure import equalize_adapthist

from vecnet_core.baselines import BASELINES, TARGET_LUMA, clahe, ffmpeg_normalize, mean_luma, oracle
from vecnet_core.metrics.exposure import gain_in_light
from vecnet_core.metrics.fidelity import psnr
from vecnet_core.metrics.flicker import flicker


def clip(frames: int = 12, height: int = 48, width: int = 64) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / height
    waves = np.stack([0.4 + 0.3 * np.sin(6 * x + shift / 9) * np.cos(5 * y) for shift in range(frames)])
    return np.stack([waves, 0.9 * waves, 0.7 * waves], axis=-1).astype(np.float32)


def quantised(frames: np.ndarray) -> np.ndarray:
    return (np.round(frames * 255) / 255).astype(np.float32)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("shape", [(12, 48, 64), (1, 48, 64), (3, 33, 47), (2, 5, 7)])
def test_every_baseline_returns_frames_of_the_same_form(name: str, shape: tuple[int, int, int]) -> None:
    frames = clip(*shape)
    corrected = BASELINES[name](frames, np.zeros(shape[0], dtype=np.float32))
    assert (corrected.shape, corrected.dtype) == (frames.shape, np.float32)
    assert corrected.min() >= 0
    assert corrected.max() <= 1


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "input"])
def test_every_baseline_brightens_a_dark_clip(name: str) -> None:
    dark = quantised(gain_in_light(clip(), -2.0))
    corrected = BASELINES[name](dark, np.full(12, -2.0))
    assert corrected.mean() > 1.15 * dark.mean()


def test_the_oracle_takes_back_what_was_done_per_frame_and_per_pixel() -> None:
    frames = clip()
    stops = np.linspace(-1, 0.3, 12)
    bad = np.stack([gain_in_light(frame, stop) for frame, stop in zip(frames, stops, strict=True)])
    assert psnr(oracle(bad, stops), frames) > 60
    field = np.broadcast_to(stops[:, None, None], frames.shape[:3])
    assert np.array_equal(oracle(bad, field), oracle(bad, stops))
    with pytest.raises(ValueError, match="true exposure"):
        oracle(bad, None)


@pytest.mark.parametrize("gain_ev", [-2.0, 0.0, 0.5])
def test_mean_luma_meets_its_target_with_one_value(gain_ev: float) -> None:
    corrected = mean_luma(gain_in_light(clip(), gain_ev))
    assert float((corrected @ np.array([0.2126, 0.7152, 0.0722])).mean()) == pytest.approx(TARGET_LUMA, abs=0.002)


def test_ffmpeg_normalize_stretches_to_black_and_white_and_keeps_hue() -> None:
    corrected = ffmpeg_normalize(quantised(0.2 + 0.3 * clip()))
    assert corrected.min() < 0.02
    assert corrected.max() > 0.98


def test_deflicker_takes_flicker_away() -> None:
    gains = np.where(np.arange(24) % 2, 0.2, -0.2)
    still = np.repeat(clip(1), 24, axis=0) * 0.8
    flickering = quantised(np.stack([gain_in_light(f, g) for f, g in zip(still, gains, strict=True)]))
    from vecnet_core.metrics.exposure import exposures_ev

    before = flicker(exposures_ev(flickering), 24).stops
    after = flicker(exposures_ev(BASELINES["ffmpeg_normalize_deflicker"](flickering, None)), 24).stops
    assert after < 0.5 * before


def test_clahe_is_close_to_scikit_image_on_grey() -> None:
    random = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128] / 128
    grey = np.clip(0.15 + 0.2 * x * y + random.normal(0, 0.02, (128, 128)), 0, 1).astype(np.float32)
    ours = clahe(np.repeat(grey[None, ..., None], 3, axis=-1))[0, ..., 0]
    theirs = equalize_adapthist(grey, kernel_size=16, clip_limit=2 / 256, nbins=256)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.9
    assert np.ptp(ours) < 2.2 * np.ptp(grey)


def test_clahe_keeps_grey_grey() -> None:
    grey = np.repeat(clip()[..., :1], 3, axis=-1)
    assert np.abs(np.diff(clahe(grey), axis=-1)).max() < 1e-6
