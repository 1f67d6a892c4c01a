"""Laws of the correction: one arithmetic in torch and numba, exact sliders, windows that respect cuts, steady light."""

import dataclasses

import numpy as np
import pytest
import torch

from vecnet_core.cache import ByteCache
from vecnet_core.checkpoint import Checkpoint
from vecnet_core.correction.analysis import analysis_size
from vecnet_core.correction.compose import compose, compose_maps, relight
from vecnet_core.correction.corrector import Corrector, correct_frames
from vecnet_core.correction.stabilise import block_light, light_step, steady_gains
from vecnet_core.correction.windows import window_indices
from vecnet_core.device import Device
from vecnet_core.errors import InputError, SettingsError
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.settings import CorrectionSettings

TINY = VECNetConfig(analysis_short_side=32, widths=(8, 12, 16), depths=(1, 1, 1), token_channels=16)


def lively_network() -> VECNet:
    """A tiny network whose heads have been stirred, so that every field matters."""
    torch.manual_seed(3)
    network = VECNet(TINY).eval().requires_grad_(requires_grad=False)
    for name, value in network.named_parameters():
        if any(part in name for part in ("curve.", "grid.head", "illumination.head")):
            value.add_(0.15 * torch.randn_like(value))
    return network


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    return Corrector(Checkpoint(lively_network(), "test"), Device("cpu", "CPU"))


@pytest.fixture
def window() -> np.ndarray:
    return np.random.default_rng(0).random((5, 32, 48, 3), dtype=np.float32)


@pytest.mark.parametrize("size", [(32, 48), (61, 97), (200, 300), (5, 3)])
def test_compose_is_the_networks_render(corrector: Corrector, window: np.ndarray, size: tuple[int, int]) -> None:
    frame = np.random.default_rng(1).random((*size, 3), dtype=np.float32)
    fields = lively_network().analyse(torch.from_numpy(window).permute(0, 3, 1, 2)[None])
    wanted = lively_network().render(torch.from_numpy(frame).permute(2, 0, 1)[None], fields)
    got = compose_maps(frame, corrector.analyse(window))
    pairs = (
        (wanted.corrected, got.corrected),
        (wanted.relit, got.relit),
        (wanted.brightened, got.brightened),
        (wanted.darkened, got.darkened),
        (wanted.synthesised, got.synthesised),
        (wanted.weights, got.weights),
        (wanted.illumination_under, got.illumination_under),
        (wanted.illumination_over, got.illumination_over),
    )
    for torch_picture, picture in pairs:
        assert np.abs(torch_picture[0].permute(1, 2, 0).numpy() - picture).max() < 0.25 / 255


def test_maps_recompose_to_what_compose_gives(corrector: Corrector, window: np.ndarray) -> None:
    settings = CorrectionSettings(strength=0.7, shadows=1.5, highlights=0.4)
    analysis = corrector.analyse(window)
    maps = compose_maps(window[2], analysis, settings, gain_ev=0.2)
    assert np.array_equal(maps.corrected, compose(window[2], analysis, settings, gain_ev=0.2))
    x, w = maps.relit, maps.weights
    made = maps.synthesised - x
    total = 1.5 * w[..., :1] * (maps.brightened - x) + 0.4 * w[..., 1:2] * (maps.darkened - x)
    total += w[..., 2:] * made * np.where(made > 0, 1.5, 0.4)
    assert np.abs(np.clip(x + 0.7 * total, 0, 1) - maps.corrected).max() < 1 / 255
    assert maps.gain_stops.shape == window.shape[1:3]


def test_neutral_settings_return_the_frame_itself(corrector: Corrector, window: np.ndarray) -> None:
    analysis = corrector.analyse(window)
    frame = window[2]
    assert compose(frame, analysis, CorrectionSettings(strength=0.0), gain_ev=0.5) is frame


def test_sliders_at_zero_change_nothing_and_trim_changes_light(corrector: Corrector, window: np.ndarray) -> None:
    analysis = dataclasses.replace(corrector.analyse(window), gain_ev=0.0)
    still = CorrectionSettings(shadows=0.0, highlights=0.0)
    assert np.allclose(compose(window[2], analysis, still), window[2], atol=1e-6)
    brighter = compose(window[2], analysis, dataclasses.replace(still, exposure_ev=1.0))
    dark = window[2] < 0.6
    assert np.allclose(brighter[dark], window[2][dark] * 2 ** (1 / 2.2), atol=1e-5)


def test_analysis_is_small(corrector: Corrector) -> None:
    full = Corrector(Checkpoint(VECNet().eval(), "full"), Device("cpu", "CPU"))
    size = full.analysis_size(1080, 1920)
    frames = np.random.default_rng(0).random((5, *size, 3), dtype=np.float32)
    assert full.analyse(frames).nbytes <= 300_000


@pytest.mark.parametrize(
    ("height", "width", "wanted"),
    [(1080, 1920, (128, 224)), (1920, 1080, (224, 128)), (480, 640, (128, 176)), (100, 1000, (128, 320))],
)
def test_analysis_sizes(height: int, width: int, wanted: tuple[int, int]) -> None:
    assert analysis_size(height, width, 128) == wanted


def test_no_window_crosses_a_cut_or_an_end() -> None:
    for index in range(12):
        frames = window_indices(index, 12, cuts=(4, 5, 9))
        scenes = {sum(frame >= cut for cut in (4, 5, 9)) for frame in frames}
        assert len(scenes) == 1
        assert frames[2] == index
        assert list(frames) == sorted(frames)
        assert all(0 <= frame < 12 for frame in frames)


def test_flicker_goes_and_a_sunset_stays() -> None:
    rng = np.random.default_rng(0)
    seconds = np.arange(120) / 24
    sunset = -0.4 * seconds
    flicker = rng.normal(0, 0.15, 120)
    light = sunset + flicker
    gains = steady_gains(np.diff(light, prepend=light[0]), 24.0)
    left = light + gains - sunset
    assert np.std(np.diff(left)) < 0.1 * np.std(np.diff(light))
    assert np.std(left) < 0.5 * np.std(flicker)
    assert np.abs(steady_gains(np.diff(sunset, prepend=0.0), 24.0)).max() < 1e-6


def test_light_is_not_smoothed_across_a_cut() -> None:
    steps = np.zeros(48)
    gains = steady_gains(steps, 24.0, cuts=(24,))
    assert np.array_equal(gains, np.zeros(48))
    light = np.where(np.arange(48) % 2, 0.2, -0.2)
    alone = steady_gains(np.diff(light[:24], prepend=light[0]), 24.0)
    both = steady_gains(np.diff(light, prepend=light[0]), 24.0, cuts=(24,))
    assert np.allclose(alone, both[:24])


def test_light_step_ignores_what_moves_and_what_clips() -> None:
    rng = np.random.default_rng(0)
    frame = (0.2 + 0.4 * rng.random((64, 64, 3))).astype(np.float32)
    brighter = frame * np.float32(2 ** (0.3 / 2.2))
    brighter[:16, :16] = 0.9
    frame[:, 48:] = 1.0
    brighter[:, 48:] = 1.0
    assert light_step(block_light(frame), block_light(brighter)) == pytest.approx(0.3, abs=0.02)
    assert light_step(block_light(0 * frame), block_light(frame)) == 0.0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_correct_frames_keeps_shape_and_dtype(corrector: Corrector, dtype: type) -> None:
    top = 1 if dtype is np.float32 else np.iinfo(dtype).max
    frames = (np.random.default_rng(0).random((3, 40, 60, 3)) * top).astype(dtype)
    out = correct_frames(frames, corrector=corrector)
    assert out.shape == frames.shape
    assert out.dtype == frames.dtype
    assert not np.array_equal(out, frames)
    same = correct_frames(frames, corrector=corrector, settings=CorrectionSettings(strength=0.0))
    assert np.array_equal(same, frames)


@pytest.mark.parametrize("shape", [(3, 40, 60), (2, 40, 60, 4), (0, 40, 60, 3)])
def test_correct_frames_refuses_other_arrays(corrector: Corrector, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        correct_frames(np.zeros(shape, np.float32), corrector=corrector)


def test_relight_is_its_own_inverse_in_the_middle() -> None:
    frame = np.full((4, 4, 3), 0.4, np.float32)
    assert np.allclose(relight(relight(frame, 0.5), -0.5), frame, atol=1e-6)
    assert relight(frame, 0.0) is frame


def test_settings_refuse_what_no_slider_can_mean() -> None:
    for wrong in ({"strength": 1.5}, {"shadows": float("nan")}, {"exposure_ev": -9.0}, {"steadiness": "full"}):
        with pytest.raises(SettingsError):
            CorrectionSettings.from_dict(wrong)
    with pytest.raises(SettingsError):
        CorrectionSettings.from_dict({"brightness": 1.0})
    settings = CorrectionSettings(strength=0.5, exposure_ev=-1.0)
    assert CorrectionSettings.from_dict(settings.to_dict()) == settings


def test_the_cache_stays_below_its_budget_and_forgets_the_oldest() -> None:
    cache: ByteCache[np.ndarray] = ByteCache(1000)
    for key in range(10):
        cache.put(key, np.zeros(200, np.uint8))
        assert cache.get(0) is not None or key > 4
    assert cache.held_bytes <= 1000
    assert 9 in cache
    assert 1 not in cache
    cache.put("large", np.zeros(5000, np.uint8))
    assert "large" not in cache
    cache.clear()
    assert len(cache) == 0
    assert cache.held_bytes == 0
