"""Laws of the detail head: it starts by changing nothing, has no seams, and shows what is exported."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from vecnet_core.checkpoint import (
    Checkpoint,
    DetailCheckpoint,
    load_checkpoint,
    load_detail,
    save_checkpoint,
    write_tensors,
)
from vecnet_core.correction.corrector import Corrector, correct_frames
from vecnet_core.correction.detail import Denoiser
from vecnet_core.correction.stabilise import ClipLight
from vecnet_core.data.clips import PackedScenes, pack
from vecnet_core.data.noise import NoiseConfig, draw_noisy_batch
from vecnet_core.device import Device
from vecnet_core.errors import CheckpointError, DataError
from vecnet_core.network.detail import DetailConfig, DetailHead
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.rendering import ClipRenderer
from vecnet_core.resources import resource
from vecnet_core.settings import CorrectionSettings
from vecnet_core.training import TrainingConfig, train
from vecnet_core.video.color import from_rgb
from vecnet_core.video.reader import VideoReader

SMALL = DetailConfig(channels=8, blocks=1)
CPU = torch.device("cpu")


def head(config: DetailConfig = SMALL) -> DetailHead:
    """One that does something."""
    torch.manual_seed(0)
    made = DetailHead(config).requires_grad_(requires_grad=False)
    made.leave.weight.normal_(std=0.1)
    return made


def denoiser(tile_px: int = 480, config: DetailConfig = SMALL) -> Denoiser:
    return Denoiser(DetailCheckpoint(head(config), "test"), CPU, tile_px)


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    torch.manual_seed(3)
    config = VECNetConfig(analysis_short_side=32, widths=(8, 12, 16), depths=(1, 1, 1), token_channels=16)
    network = VECNet(config).eval().requires_grad_(requires_grad=False)
    for name, value in network.named_parameters():
        if any(part in name for part in ("curve.", "grid.head", "illumination.head")):
            value.add_(0.1 * torch.randn_like(value))
    made = Corrector(Checkpoint(network, "test"), Device("cpu", "CPU"))
    made._denoiser = denoiser()
    return made


@pytest.fixture
def reader(clip: Path) -> Iterator[VideoReader]:
    with VideoReader(clip) as opened:
        yield opened


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 1, (4, *shape, 3)).astype(np.float32)


def test_it_starts_by_removing_nothing() -> None:
    fresh = DetailHead()
    window = torch.rand(2, 3, 3, 16, 24)
    assert fresh(window, torch.rand(2, 3, 16, 24)).abs().max() == 0


@pytest.mark.parametrize("size", [(70, 101), (64, 64), (33, 130)])
@pytest.mark.parametrize("config", [SMALL, DetailConfig()])
def test_tiles_leave_no_seam(size: tuple[int, int], config: DetailConfig) -> None:
    """Well below a code value: what differs is the order of sums."""
    *frames, source = pictures(*size)
    whole = denoiser(480, config).clean(frames, source, 1.0)
    tiled = denoiser(32, config).clean(frames, source, 1.0)
    assert np.abs(whole - frames[1]).max() > 0.1
    assert np.abs(whole - tiled).max() < 1e-4
    assert whole.shape == (*size, 3)


def test_a_part_of_a_picture_gives_the_same_result_as_the_picture() -> None:
    """No statistics of the whole frame: what lies further away than the reach does not matter."""
    *frames, source = pictures(96, 128)
    reach = SMALL.reach_px
    assert reach == 16
    part = denoiser().clean([frame[:, :64] for frame in frames], source[:, :64], 1.0)
    whole = denoiser().clean(frames, source, 1.0)
    assert np.abs(part[:, : 64 - reach] - whole[:, : 64 - reach]).max() < 1e-5
    assert np.abs(part[:, 64 - 4 :] - whole[:, 60:64]).max() > 1e-3


def test_strength_is_the_share_that_is_taken_away() -> None:
    *frames, source = (0.5 + 0.1 * (each - 0.5) for each in pictures(32, 32))
    whole, half, none = (denoiser().clean(frames, source, strength) for strength in (1.0, 0.5, 0.0))
    assert np.array_equal(none, frames[1])
    assert half - frames[1] == pytest.approx((whole - frames[1]) / 2, abs=1e-6)
    assert np.abs(whole - frames[1]).max() > 0.01


def test_the_clean_preview_is_the_clean_export(reader: VideoReader, corrector: Corrector) -> None:
    count = reader.info.frame_count
    light = ClipLight(np.zeros(count), np.zeros(count), (5,), ())
    settings = CorrectionSettings(denoise=0.8)
    exported = list(ClipRenderer(reader, corrector, light).corrected_frames(settings))
    noisy = list(ClipRenderer(reader, corrector, light).corrected_frames(CorrectionSettings()))
    assert [frame.index for frame in exported] == list(range(count))
    renderer = ClipRenderer(reader, corrector, light)
    for index in (4, 0, count - 1, 5, 7):
        shown = from_rgb(renderer.render(index, settings).corrected, reader.frame(index))
        for ours, theirs in zip(shown.planes, exported[index].planes, strict=True):
            assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1
        assert np.abs(exported[index].planes[0].astype(int) - noisy[index].planes[0]).mean() > 1
    part = list(ClipRenderer(reader, corrector, light).corrected_frames(settings, 3, 9))
    assert [frame.index for frame in part] == list(range(3, 9))
    for frame in part:
        assert np.abs(frame.planes[0].astype(int) - exported[frame.index].planes[0].astype(int)).max() <= 1


def test_the_noise_slider_composes_nothing_anew(reader: VideoReader, corrector: Corrector, monkeypatch) -> None:
    composed: list[int] = []
    renderer = ClipRenderer(reader, corrector)
    original = renderer._composed
    monkeypatch.setattr(renderer, "_composed", lambda index, *rest: composed.append(index) or original(index, *rest))
    first = renderer.render(5, CorrectionSettings(denoise=0.5))
    assert sorted(composed) == [4, 5, 6]
    second = renderer.render(5, CorrectionSettings(denoise=1.0))
    renderer.render(6, CorrectionSettings(denoise=1.0))
    assert sorted(composed) == [4, 5, 6, 7]
    assert not np.array_equal(first.corrected, second.corrected)
    renderer.render(5, CorrectionSettings(denoise=1.0, exposure_ev=0.5))
    assert sorted(composed) == [4, 4, 5, 5, 6, 6, 7]


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 4), (0, 2), (11, 12)])
def test_short_ranges_are_exported_whole(reader: VideoReader, corrector: Corrector, start: int, stop: int) -> None:
    frames = ClipRenderer(reader, corrector).corrected_frames(CorrectionSettings(denoise=1.0), start, stop)
    assert [frame.index for frame in frames] == list(range(start, stop))


def test_neighbours_across_a_cut_are_not_seen(reader: VideoReader, corrector: Corrector) -> None:
    count = reader.info.frame_count
    seen: list[list[np.ndarray]] = []

    class Watching(Denoiser):
        def clean(self, corrected, source, strength):
            seen.append([frame.copy() for frame in corrected])
            return corrected[1]

    corrector = Corrector(corrector.checkpoint, corrector.device)
    corrector._denoiser = Watching(DetailCheckpoint(head(), "test"), CPU)
    light = ClipLight(np.zeros(count), np.zeros(count), (5,), ())
    list(ClipRenderer(reader, corrector, light).corrected_frames(CorrectionSettings(denoise=1.0)))
    assert len(seen) == count
    for index, (before, middle, after) in enumerate(seen):
        assert np.array_equal(before, middle) == (index in {0, 5})
        assert np.array_equal(after, middle) == (index in {4, count - 1})


def test_frames_in_memory_are_cleaned_as_well(corrector: Corrector) -> None:
    frames = (pictures(48, 64) * 255).astype(np.uint8)
    noisy, clean = (
        correct_frames(frames, corrector=corrector, settings=CorrectionSettings(denoise=denoise))
        for denoise in (0.0, 1.0)
    )
    assert clean.shape == frames.shape
    expected = denoiser().clean([each / np.float32(255) for each in noisy[:3]], frames[1] / np.float32(255), 1.0)
    assert np.abs(clean[1] - expected * 255).max() < 2.5
    assert np.abs(clean[1].astype(int) - noisy[1]).mean() > 1


def test_a_head_returns_as_it_was_saved_and_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "detail.safetensors"
    save_checkpoint(path, head(), {"step": 3})
    loaded = load_detail(path)
    assert loaded.provenance == {"step": 3}
    assert loaded.head.config == SMALL
    window, source = torch.rand(1, 3, 3, 16, 16), torch.rand(1, 3, 16, 16)
    assert torch.equal(loaded.head(window, source), head()(window, source))
    with pytest.raises(CheckpointError, match="wanted vecnet-1"):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="wanted vecnet-detail-1"):
        load_detail(resource("weights/vecnet.safetensors"))


@pytest.mark.parametrize("values", [{"channels": 10**9, "blocks": 1}, {"channels": 8.0, "blocks": 1}, {"magic": 1}])
def test_a_checkpoint_cannot_ask_for_a_gigantic_head(values: dict[str, float], tmp_path: Path) -> None:
    path = tmp_path / "detail.safetensors"
    write_tensors(path, {"x": torch.zeros(1)}, {"format": "vecnet-detail-1", "config": json.dumps(values)})
    with pytest.raises(CheckpointError, match="do not fit the network"):
        load_detail(path)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> PackedScenes:
    from PIL import Image
    from skimage import data

    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee", "chelsea"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    list(pack([folder], folder / "packed"))
    return PackedScenes(folder / "packed")


def test_noisy_batches_are_exposed_right_and_share_out(scenes: PackedScenes) -> None:
    config = NoiseConfig(crops=12, crop_px=64, clean_share=0.0)
    batch = draw_noisy_batch(scenes, config, 0, 1)
    error = batch.corrected[:, 1] - batch.good
    assert np.abs(error.mean(axis=(1, 2, 3))).mean() < 0.03
    assert 0.005 < np.abs(error).mean() < 0.2
    assert batch.source.mean() < 0.8 * batch.good.mean()
    halves = [draw_noisy_batch(scenes, config, 0, 1, part=part, parts=2) for part in range(2)]
    assert np.array_equal(np.concatenate([half.corrected for half in halves]), batch.corrected)
    with pytest.raises(DataError, match="12 crops a batch cannot be shared by 5 processes"):
        draw_noisy_batch(scenes, config, 0, 1, parts=5)


def test_the_head_learns_to_remove_noise(scenes: PackedScenes, tmp_path: Path) -> None:
    config = TrainingConfig(
        train=(),
        validate=(),
        packed=str(tmp_path / "packed"),
        out=str(tmp_path / "run"),
        task="detail",
        steps=120,
        decay_steps=60,
        warmup_steps=5,
        learning_rate=4e-3,
        ema=0.95,
        workers=0,
        checkpoint_every=120,
        validation_batches=2,
        head=DetailConfig(channels=16, blocks=1),
        noise=NoiseConfig(crops=4, crop_px=64, exposure_ev=(-5.0, -3.0), clean_share=0.0),
    )
    for part in ("train", "val"):
        (tmp_path / "packed").mkdir(exist_ok=True)
        (tmp_path / "packed" / part).symlink_to(scenes.folder)
    last = list(train(config))[-1]
    assert last.validation is not None
    assert last.validation["mean"] > last.validation["noisy"] + 1.5
    assert load_detail(Path(config.out) / "best.safetensors").provenance["config"]["task"] == "detail"
    with pytest.raises(ValueError, match="task 'magic' is none of"):
        dataclasses.replace(config, task="magic")
