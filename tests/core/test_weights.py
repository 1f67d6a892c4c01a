"""What the shipped weights promise: maps that mean what they are called, no casts, good footage nearly untouched."""

import csv

import numpy as np
import pytest
from skimage import data

from vecnet_core.checkpoint import load_detail
from vecnet_core.correction.compose import CorrectionMaps, compose_maps
from vecnet_core.correction.corrector import Corrector, correct_frames, load_corrector, reduce_rgb
from vecnet_core.metrics.exposure import exposure_ev, gain_in_light
from vecnet_core.resources import resource

PHOTOS = ("coffee", "chelsea", "rocket", "astronaut")


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    return load_corrector(device="cpu")


def photo(name: str) -> np.ndarray:
    """A real photograph that training never saw, at a quarter of a megapixel at most."""
    image = getattr(data, name)().astype(np.float32) / 255
    height, width = image.shape[:2]
    return reduce_rgb(image, (256, round(256 * width / height)))


def maps_of(corrector: Corrector, frame: np.ndarray) -> CorrectionMaps:
    small = reduce_rgb(frame, corrector.analysis_size(*frame.shape[:2]))
    return compose_maps(frame, corrector.analyse(np.stack([small] * corrector.window)))


def expose(frame: np.ndarray, ev: float) -> np.ndarray:
    """The frame ``ev`` stops off on the sRGB curve, in 8 bit."""
    return np.rint(gain_in_light(frame, ev) * 255).astype(np.float32) / 255


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


def test_under_stream_is_alive_on_dark_frames(corrector: Corrector) -> None:
    """Its candidate alone recovers most of what the correction gains, on average over photos."""
    gained, alone = 0.0, 0.0
    for good in map(photo, PHOTOS):
        bad = expose(good, -2.5)
        maps = maps_of(corrector, bad)
        assert np.median(maps.illumination_under) < 0.75
        gained += psnr(maps.corrected, good) - psnr(bad, good)
        alone += psnr(maps.brightened, good) - psnr(bad, good)
    assert gained > 0
    assert alone > 0.5 * gained


def test_over_stream_is_alive_on_bright_frames(corrector: Corrector) -> None:
    """Where the frame is not clipped: division cannot bring back what is gone, which is the third candidate's part."""
    gained, alone = 0.0, 0.0
    for good in map(photo, PHOTOS):
        bad = expose(good, 1.5)
        maps = maps_of(corrector, bad)
        open_pixels = bad.max(axis=2) < 0.97
        assert np.median(maps.illumination_over) < 0.9
        reference, before = good[open_pixels], bad[open_pixels]
        gained += psnr(maps.corrected[open_pixels], reference) - psnr(before, reference)
        alone += psnr(maps.darkened[open_pixels], reference) - psnr(before, reference)
    assert gained > 0
    assert alone > 0.5 * gained


@pytest.mark.parametrize("ev", [-2.5, 0.0, 1.5])
def test_no_candidate_adds_a_cast_to_grey(corrector: Corrector, ev: float) -> None:
    """A picture with all colour taken out stays without it: within 12 code values of 255 in every candidate."""
    good = photo("coffee")
    grey = np.repeat(good.mean(axis=2, keepdims=True), 3, axis=2)
    maps = maps_of(corrector, expose(grey, ev))
    for picture in (maps.corrected, maps.brightened, maps.darkened, maps.synthesised):
        mean = picture.mean(axis=(0, 1))
        assert np.ptp(mean) < 12 / 255


def test_clipped_white_stays_neutral(corrector: Corrector) -> None:
    bad = expose(photo("coffee"), 2.0)
    corrected = maps_of(corrector, bad).corrected
    clipped = (bad >= 1.0).all(axis=2)
    assert clipped.mean() > 0.05
    assert np.ptp(corrected[clipped].mean(axis=0)) < 0.06


@pytest.mark.parametrize("ev", [-2.5, 2.0])
def test_a_wrong_exposure_comes_nearer(corrector: Corrector, ev: float) -> None:
    """On average over photos: how bright a single one was meant to be (the rocket is at dusk) nobody can know."""
    gained: list[float] = []
    errors: list[float] = []
    for good in map(photo, PHOTOS):
        bad = expose(good, ev)
        corrected = maps_of(corrector, bad).corrected
        gained.append(psnr(corrected, good) - psnr(bad, good))
        errors.append(abs(exposure_ev(corrected) - exposure_ev(good)) / abs(exposure_ev(bad) - exposure_ev(good)))
    assert np.mean(gained) > 4
    assert np.mean(errors) < 0.5


@pytest.mark.parametrize("name", PHOTOS)
def test_a_right_exposure_stays(corrector: Corrector, name: str) -> None:
    good = photo(name)
    assert abs(exposure_ev(maps_of(corrector, good).corrected) - exposure_ev(good)) < 0.7


def test_flicker_of_a_quarter_stop_goes(corrector: Corrector) -> None:
    """0.25 EV of random flicker, 12 frames: the frame-to-frame change falls to a fifth, sliders at their defaults."""
    good = photo("coffee")
    flicker = np.random.default_rng(0).normal(0, 0.25, 12)
    frames = np.stack([expose(good, -1.5 + ev) for ev in flicker])
    corrected = correct_frames(frames, corrector=corrector)
    before = np.diff([exposure_ev(frame) for frame in frames])
    after = np.diff([exposure_ev(frame) for frame in corrected])
    assert np.abs(after).mean() < 0.2 * np.abs(before).mean()


def test_the_weights_say_where_they_come_from(corrector: Corrector) -> None:
    path = resource("weights/vecnet.safetensors")
    assert path.stat().st_size < 10_000_000
    provenance = corrector.checkpoint.provenance
    assert provenance["step"] >= 8000
    assert len(provenance["data"]) > 300
    assert provenance["validation_psnr_db"]["mean"] > 20
    assert provenance["config"]["synthesis"]["windows"] == 8
    assert provenance["commit"] != "unknown"
    with resource("weights/loss.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert int(rows[-1]["step"]) == provenance["config"]["steps"]
    assert np.mean([float(row["loss"]) for row in rows[-200:]]) < np.mean([float(row["loss"]) for row in rows[:200]])


def test_the_denoiser_takes_out_most_of_the_noise_that_brightening_reveals(corrector: Corrector) -> None:
    """Four stops dark, photon and read noise, 8 bit, brought back: three frames in which nothing moves."""
    rng = np.random.default_rng(0)
    gained: list[float] = []
    for good in map(photo, PHOTOS):
        light = gain_in_light(good, -4.0) ** 2.2
        frames: list[np.ndarray] = []
        for _ in range(3):
            noisy = light + rng.normal(size=light.shape) * np.sqrt(3e-4 * light + 1e-6)
            frames.append(np.rint(np.clip(noisy, 0, 1) ** (1 / 2.2) * 255).astype(np.float32) / 255)
        lifted = [gain_in_light(frame, 4.0).astype(np.float32) for frame in frames]
        clean = corrector.denoiser.clean(lifted, frames[1], 1.0)
        gained.append(psnr(clean, good) - psnr(lifted[1], good))
    assert np.mean(gained) > 3.0
    assert min(gained) > 1.0


def test_the_denoiser_leaves_a_clean_picture_alone(corrector: Corrector) -> None:
    for good in map(photo, PHOTOS):
        assert psnr(corrector.denoiser.clean([good] * 3, good, 1.0), good) > 33


def test_the_denoiser_carries_its_provenance() -> None:
    path = resource("weights/detail.safetensors")
    checkpoint = load_detail(path)
    provenance = checkpoint.provenance
    assert path.stat().st_size < 2_000_000
    assert provenance["config"]["task"] == "detail"
    assert provenance["step"] == provenance["config"]["steps"] >= 4000
    assert len(provenance["data"]) > 300
    assert provenance["commit"] != "unknown"
    assert provenance["validation_psnr_db"]["mean"] > provenance["validation_psnr_db"]["noisy"] + 1
