"""Laws of noise: its measure is its deviation, whatever the picture; dark and noisy footage is told from others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from vecnet_core.cli import main
from vecnet_core.device import Device
from vecnet_core.metrics.exposure import gain_in_light
from vecnet_core.metrics.noise import noise_deviation
from vecnet_core.rendering import is_dark_and_noisy
from vecnet_core.video.reader import VideoReader

CAT = data.chelsea()[:288, :448].astype(np.float32) / 255


@pytest.mark.parametrize("deviation", [0.01, 0.03, 0.1])
def test_noise_is_measured_as_it_was_added(deviation: float) -> None:
    """Luma of independent channels has less of it; on a plain wall it is exact, in a picture a little is texture."""
    rng = np.random.default_rng(0)
    noise = np.repeat(rng.normal(0, deviation, (*CAT.shape[:2], 1)), 3, axis=2).astype(np.float32)
    assert noise_deviation(np.full_like(CAT, 0.5) + noise) == pytest.approx(deviation, rel=0.15)
    assert noise_deviation(CAT + noise) == pytest.approx(deviation, rel=0.3)


def test_a_clean_picture_has_hardly_any() -> None:
    assert noise_deviation(CAT) < 0.012
    assert noise_deviation(np.full((32, 32, 3), 0.3, np.float32)) == 0
    assert noise_deviation(np.zeros((2, 2, 3), np.float32)) == 0


def test_black_bars_say_nothing_of_the_noise() -> None:
    noisy = np.random.default_rng(0).normal(0.3, 0.03, (96, 96, 3)).astype(np.float32)
    boxed = np.pad(noisy, ((0, 0), (96, 96), (0, 0)))
    assert noise_deviation(boxed) == pytest.approx(noise_deviation(noisy), rel=0.1)


@pytest.fixture
def filmed(new_clip: Callable[..., Path]) -> Callable[..., Path]:
    """The cat, so many stops off and so noisy."""

    def film(name: str, ev: float, deviation: float) -> Path:
        rng = np.random.default_rng(1)

        def shown(index: int) -> np.ndarray:
            noise = rng.normal(0, deviation, CAT.shape).astype(np.float32)
            return np.clip(gain_in_light(CAT, ev) + noise, 0, 1)

        return new_clip(name, frames=5, size=CAT.shape[:2], picture=shown)

    return film


@pytest.mark.parametrize(
    ("ev", "deviation", "expected"),
    [(-4.0, 0.015, True), (-4.0, 0.0, False), (0.0, 0.015, False), (-1.0, 0.02, False)],
)
def test_dark_and_noisy_is_both(filmed: Callable[..., Path], ev: float, deviation: float, expected: bool) -> None:
    with VideoReader(filmed("cat.mp4", ev, deviation)) as reader:
        assert is_dark_and_noisy(reader) == expected


@pytest.mark.parametrize(
    ("deviation", "options", "denoised"),
    [(0.015, [], True), (0.0, [], False), (0.015, ["--denoise", "0"], False), (0.015, ["--strength", "0"], False)],
)
def test_on_a_gpu_noise_is_removed_where_it_disturbs(
    filmed, deviation, options, denoised, tmp_path, monkeypatch, capsys
):
    class FakeGpu(Device):
        is_gpu = True

    monkeypatch.setattr("vecnet_core.device.choose_device", lambda wish: FakeGpu("cpu", "GPU"))
    asked: list[float] = []

    def export(clip, corrector, **options):
        asked.append(clip.settings.denoise)
        yield from ()

    monkeypatch.setattr("vecnet_core.export.export_video", export)
    assert main(["correct", str(filmed("cat.mp4", -4.0, deviation)), str(tmp_path / "out.mp4"), *options]) == 0
    assert asked == [1.0 if denoised else 0.0]
    assert ("dark and noisy" in capsys.readouterr().err) == denoised


def test_without_a_gpu_it_waits_to_be_asked(filmed, tmp_path, capsys):
    source = filmed("cat.mp4", -4.0, 0.015)
    assert main(["correct", str(source), str(tmp_path / "auto.mp4"), "--device", "cpu"]) == 0
    assert main(["correct", str(source), str(tmp_path / "none.mp4"), "--device", "cpu", "--denoise", "0"]) == 0
    assert (tmp_path / "auto.mp4").read_bytes() == (tmp_path / "none.mp4").read_bytes()
    assert "noisy" not in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["correct", str(source), str(tmp_path / "x.mp4"), "--denoise", "much"])
    assert "'much' is no number" in capsys.readouterr().err
