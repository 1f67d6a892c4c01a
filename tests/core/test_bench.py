"""The measurement of a machine: every part has a figure, and what it prints is what it measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from vecnet_core import bench
from vecnet_core.checkpoint import save_checkpoint
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure at a size that takes no time."""
    monkeypatch.setattr(bench, "SIZE", (96, 128))


@pytest.mark.usefixtures("small")
def test_every_part_of_the_work_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "untrained.safetensors"
    save_checkpoint(weights, VECNet(VECNetConfig()), {})
    arguments = ["--json", "--frames", "4", "--repeats", "1", "--device", "cpu", "--checkpoint", str(weights)]
    assert bench.main(arguments) == 0
    measured = json.loads(capsys.readouterr().out)
    assert set(measured["frame_cpu_ms"]) == {"reduce", "analyse", "to_rgb", "compose", "from_rgb"}
    assert all(ms >= 0 for ms in measured["frame_cpu_ms"].values())
    assert measured["correct_cpu_ms"] > 0
    assert measured["plain_cpu_ms"] > 0


@pytest.mark.usefixtures("small")
def test_memory_is_watched_over_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "untrained.safetensors"
    save_checkpoint(weights, VECNet(VECNetConfig()), {})
    monkeypatch.setattr(bench, "LONG_SIZE", (96, 128))
    arguments = ["--memory", "0.02", "--json", "--device", "cpu", "--checkpoint", str(weights)]
    assert bench.main(arguments) == 0
    measured = json.loads(capsys.readouterr().out)
    assert set(measured) == {"minutes", "frames", "mean_mb", "growth"}
    assert measured["frames"] >= 1
    assert 50 < measured["mean_mb"] < 5000


def test_missing_weights_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--checkpoint", str(tmp_path / "none.safetensors")]) == 2
    assert "do not exist" in capsys.readouterr().err


@pytest.mark.usefixtures("small")
def test_a_short_clip_is_repeated_until_it_is_long_enough(clip: Path, tmp_path: Path) -> None:
    bench.enlarge(clip, tmp_path / "long.mp4", 30)
    with VideoReader(tmp_path / "long.mp4") as reader:
        assert (reader.info.frame_count, reader.info.height, reader.info.width) == (30, 96, 128)
