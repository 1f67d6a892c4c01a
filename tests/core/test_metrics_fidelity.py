"""Laws of closeness, checked against scikit-image."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vecnet_core.metrics.exposure import gain_in_light
from vecnet_core.metrics.fidelity import MAX_PSNR_DB, aligned_fidelity, clipped_bias, psnr, ssim


def scene(height: int = 48, width: int = 64) -> np.ndarray:
    walk = np.cumsum(np.random.default_rng(1).normal(size=(height, width, 3)), axis=1)
    return ((walk - walk.min()) / np.ptp(walk)).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.003, 0.03, 0.3])
@pytest.mark.parametrize("shape", [(48, 64), (11, 11), (31, 45)])
def test_ssim_and_psnr_agree_with_scikit_image(shape: tuple[int, int], sigma: float) -> None:
    reference = scene(*shape)
    output = np.clip(reference + np.random.default_rng(2).normal(0, sigma, reference.shape), 0, 1).astype(np.float32)
    expected = structural_similarity(
        output,
        reference,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=-1,
    )
    assert ssim(output, reference) == pytest.approx(float(expected), abs=1e-4)
    assert psnr(output, reference) == pytest.approx(peak_signal_noise_ratio(reference, output, data_range=1), abs=1e-3)


def test_equal_frames_are_as_close_as_can_be() -> None:
    frame = scene()
    assert psnr(frame, frame) == MAX_PSNR_DB
    assert ssim(frame, frame) == pytest.approx(1.0, abs=1e-5)


def test_unlike_shapes_and_tiny_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="reference is"):
        psnr(scene(48, 64), scene(64, 48))
    with pytest.raises(ValueError, match="at least 11"):
        ssim(scene(10, 64), scene(10, 64))


@pytest.mark.parametrize("gain_ev", [-1.5, -0.3, 0.0, 0.4])
def test_aligned_psnr_takes_one_exposure_value_out(gain_ev: float) -> None:
    reference = (0.1 + 0.5 * scene()).astype(np.float32)
    result = aligned_fidelity(gain_in_light(reference, gain_ev), reference)
    assert result.exposure_error_ev == pytest.approx(abs(gain_ev), abs=0.01)
    assert result.psnr_db > 50


def test_aligned_psnr_is_never_below_psnr_and_still_sees_damage() -> None:
    reference = (0.9 * scene()).astype(np.float32)
    damaged = np.clip(reference + np.random.default_rng(3).normal(0, 0.1, reference.shape), 0, 1).astype(np.float32)
    assert psnr(damaged, reference) <= aligned_fidelity(damaged, reference).psnr_db + 0.01 < 25


def test_a_clip_has_one_exposure_value() -> None:
    frames = np.stack([(0.1 + 0.3 * scene()).astype(np.float32)] * 2)
    pumped = np.stack([gain_in_light(frames[0], 0.5), gain_in_light(frames[1], -0.5)])
    assert aligned_fidelity(pumped, frames).psnr_db < 30


def test_clipped_white_references_say_nothing_about_exposure() -> None:
    white = np.ones((16, 16, 3), dtype=np.float32)
    assert aligned_fidelity(0.5 * white, white).exposure_error_ev == 0.0


def test_grey_and_pink_highlights_are_found() -> None:
    reference = (0.2 + 0.5 * scene()).astype(np.float32)
    source = reference.copy()
    source[:10] = 1.0
    reference[:10] = 0.9
    grey, pink = reference.copy(), reference.copy()
    grey[:10] -= 0.2
    pink[:10, :, 1] -= 0.2
    result = clipped_bias(grey, reference, source)
    assert (result.luma, result.pixels) == (pytest.approx(-0.2, abs=1e-6), 640)
    assert result.chroma == pytest.approx(0.0, abs=1e-6)
    assert clipped_bias(pink, reference, source).chroma > 0.1


def test_where_nothing_is_clipped_there_is_no_bias() -> None:
    frame = (0.2 + 0.5 * scene()).astype(np.float32)
    assert clipped_bias(1 - frame, frame, frame).pixels == 0
