"""Laws of training: made pairs are what they say, a batch depends on its step alone, a resumed run is the same run."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from vecnet_core.checkpoint import load_checkpoint, read_config, save_checkpoint
from vecnet_core.data.clips import PackedScenes, pack
from vecnet_core.data.synthesis import (
    ROOM_EV,
    Camera,
    SynthesisConfig,
    ToneCurve,
    collage,
    draw_batch,
    draw_light,
    flatten,
    grade,
)
from vecnet_core.errors import CheckpointError, DataError
from vecnet_core.metrics.exposure import gain_in_light
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.training import Trainer, TrainingConfig, train, windows

SMALL_NETWORK = VECNetConfig(analysis_short_side=32, widths=(8, 12, 16), depths=(1, 1, 1), token_channels=16)
SMALL_PAIRS = SynthesisConfig(sizes=((32, 32), (32, 48)), size_shares=(0.5, 0.5), windows=4)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def scenes(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> PackedScenes:
    folder = tmp_path_factory.mktemp("packed")
    assert [scene.name for scene in pack([photos], folder, short_side=96)] == ["astronaut.png", "coffee.png"]
    return PackedScenes(folder)


def config(photos: Path, folder: Path, steps: int) -> TrainingConfig:
    return TrainingConfig(
        train=(str(photos),),
        validate=(str(photos),),
        packed=str(folder / "packed"),
        out=str(folder / "run"),
        steps=steps,
        decay_steps=5,
        warmup_steps=5,
        workers=0,
        checkpoint_every=10,
        validation_batches=2,
        network=SMALL_NETWORK,
        synthesis=SMALL_PAIRS,
    )


def test_resumed_equals_uninterrupted_over_20_steps(photos: Path, tmp_path: Path) -> None:
    whole = config(photos, tmp_path / "whole", 20)
    losses = [step.loss for step in train(whole)]
    halves = config(photos, tmp_path / "halves", 20)
    again: list[float] = []
    for step in train(halves):
        again.append(step.loss)
        if step.step == 10:
            break
    again += [step.loss for step in train(halves, resume=True)]
    assert again == losses
    weights = [load_checkpoint(Path(run.out) / "last.safetensors").network.state_dict() for run in (whole, halves)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    log = (Path(halves.out) / "loss.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in log] == ["step", *map(str, range(1, 21))]


def test_a_run_is_never_replaced_by_another(photos: Path, tmp_path: Path) -> None:
    first = config(photos, tmp_path, 10)
    assert len(list(train(first))) == 10
    out = Path(first.out)
    there = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(DataError, match=r"a run is here already; add --resume .*, or choose another out\.$"):
        next(train(dataclasses.replace(first, seed=1, packed=str(tmp_path / "not packed"))))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == there
    assert not (tmp_path / "not packed").exists()


def test_training_lowers_the_loss(photos: Path, tmp_path: Path) -> None:
    run = dataclasses.replace(config(photos, tmp_path, 80), learning_rate=4e-3, checkpoint_every=80)
    losses = [step.loss for step in train(run)]
    assert np.mean(losses[-15:]) < 0.7 * np.mean(losses[:10])
    provenance = load_checkpoint(Path(run.out) / "best.safetensors").provenance
    assert provenance["step"] == 80
    assert provenance["data"] == ["astronaut.png", "coffee.png"]


def test_a_batch_depends_on_seed_and_step_alone(scenes: PackedScenes) -> None:
    one, same, other = (draw_batch(scenes, SMALL_PAIRS, 5, step) for step in (3, 3, 4))
    assert np.array_equal(one.bad, same.bad)
    assert one.bad.shape != other.bad.shape or not np.array_equal(one.bad, other.bad)
    assert one.bad.dtype == np.float32
    assert one.bad.min() >= 0
    assert one.bad.max() <= 1


def test_a_pair_batch_shows_the_same_scenes_under_another_light(scenes: PackedScenes) -> None:
    noisy_pairs = dataclasses.replace(SMALL_PAIRS, still_share=0.0, pair_share=1.0, plain_share=0.0)
    batch = draw_batch(scenes, noisy_pairs, 0, 0)
    assert batch.is_pair
    half = len(batch.good) // 2
    assert np.array_equal(batch.good[:half], batch.good[half:])
    assert not np.array_equal(batch.bad[:half], batch.bad[half:])


def test_stills_are_windows_of_one_frame(scenes: PackedScenes) -> None:
    batch = draw_batch(scenes, dataclasses.replace(SMALL_PAIRS, still_share=1.0), 0, 0)
    assert batch.bad.shape[:2] == (4, 1)
    window, good, count = windows(batch, 5, torch.device("cpu"))
    assert window.shape[:2] == (4, 1)
    assert np.array_equal(good.numpy(), batch.good[:, 0])
    assert count == 1


def test_a_graded_reference_keeps_black_white_and_the_order_of_greys() -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    greys = np.repeat(ramp[None, None, :, None], 3, axis=3)
    for seed in range(20):
        graded = grade(np.random.default_rng(seed), greys)
        assert graded.dtype == np.float32
        assert graded.min() >= 0
        assert graded.max() <= 1
        assert np.allclose(graded[0, 0, [0, -1]], [[0, 0, 0], [1, 1, 1]], atol=1e-5)
        assert np.all(np.diff(graded, axis=2) >= 0)
        assert 0.01 < np.abs(graded - greys).max() < 0.3


def test_a_flat_reference_is_metered_for_the_middle_and_need_not_reach_white() -> None:
    highest: list[float] = []
    for seed in range(20):
        bright = np.random.default_rng(seed).uniform(0.3, 1.0, (1, 16, 16, 3)).astype(np.float32)
        flat = flatten(np.random.default_rng(seed), bright)
        assert flat.dtype == np.float32
        assert 0.25 < flat.mean() < 0.65
        assert flat.max() <= 1
        highest.append(float(flat.max()))
    assert min(highest) < 0.8
    assert max(highest) > 0.9


def test_a_collage_shows_two_scenes_side_by_side_or_stacked() -> None:
    first, second = np.zeros((5, 32, 48, 3), np.float32), np.ones((5, 32, 48, 3), np.float32)
    directions: set[int] = set()
    for seed in range(20):
        picture = collage(np.random.default_rng(seed), first, second)
        assert picture.shape == first.shape
        assert 0.25 < picture.mean() < 0.75
        directions |= {axis for axis in (1, 2) if np.all(np.ptp(picture, axis=axis) == 1)}
        assert np.abs(np.diff(picture, axis=0)).max() == 0
    assert directions == {1, 2}


def test_a_plain_recording_is_a_gain_in_linear_light() -> None:
    """Neither noise nor head-room: the sRGB curve alone, to a code value."""
    always_plain = SynthesisConfig(dark_share=1, bright_share=0, mixed_share=0, plain_share=1, jpeg_share=0)
    camera = Camera.draw(np.random.default_rng(3), always_plain, (16, 16))
    reference = np.linspace(0.02, 1.0, 16 * 16 * 3, dtype=np.float32).reshape(1, 16, 16, 3)
    filmed = camera.film(reference, np.zeros(1, np.float32), np.random.default_rng(0))
    assert camera.ev < 0
    assert filmed == pytest.approx(gain_in_light(reference, camera.ev), abs=1.5 / 255)


@pytest.mark.parametrize("seed", range(8))
def test_tone_curves_rise_put_grey_where_cameras_do_and_invert(seed: int) -> None:
    curve = ToneCurve.draw(np.random.default_rng(seed))
    assert (np.diff(curve.forward) >= 0).all()
    assert (np.diff(curve.inverse) >= 0).all()
    darkest, brightest = (0.18 * 2.0**-room for room in reversed(ROOM_EV))
    codes = np.interp(np.array([darkest, brightest]) ** 0.25, np.linspace(0, 1.5, curve.forward.size), curve.forward)
    assert codes[0] < 0.53
    assert codes[1] > 0.35
    assert curve.inverse[-1] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("ev", [-3.0, -1.0, 0.0, 1.0, 2.5])
def test_a_camera_exposes_by_what_it_says(ev: float) -> None:
    curve = ToneCurve.draw(np.random.default_rng(1))
    plain = Camera(curve, ev, np.zeros((16, 16), np.float32), np.zeros(3, np.float32), 0.0, 0.0, 1e-9, 1e-9, 0.0, 0)
    reference = np.full((1, 16, 16, 3), 0.45, np.float32)
    code = plain.film(reference, np.zeros(1, np.float32), np.random.default_rng(0))[0, 8, 8, 0]
    if code < 1:
        light = curve.inverse[round(code * 4095)] - curve.inverse[round(0.45 * 4095)]
        assert light == pytest.approx(ev, abs=0.15)
    else:
        assert ev > 0


def test_light_varies_around_nothing() -> None:
    rng = np.random.default_rng(0)
    lights = np.stack([draw_light(rng, 6) for _ in range(400)])
    assert abs(lights.mean()) < 0.05
    assert 0.3 < np.mean(np.ptp(lights, axis=1) < 1e-6) < 0.4


def test_state_and_weights_of_another_network_are_refused(photos: Path, tmp_path: Path) -> None:
    small = config(photos, tmp_path, 1)
    trainer = Trainer(small)
    trainer.save(tmp_path / "state.safetensors")
    other = Trainer(dataclasses.replace(small, network=dataclasses.replace(SMALL_NETWORK, widths=(8, 12, 24))))
    with pytest.raises(CheckpointError, match="another network"):
        other.load(tmp_path / "state.safetensors")


def test_checkpoints_return_what_was_saved(tmp_path: Path) -> None:
    network = VECNet(SMALL_NETWORK).eval()
    path = tmp_path / "w.safetensors"
    save_checkpoint(path, network, {"step": 7})
    loaded = load_checkpoint(path)
    window = torch.rand(1, 5, 3, 32, 32)
    assert torch.equal(loaded.network(window).corrected, network(window).corrected)
    assert loaded.provenance == {"step": 7}
    assert loaded.network.config == SMALL_NETWORK


@pytest.mark.parametrize("damage", ["missing", "text", "truncated", "foreign"])
def test_damaged_weights_are_refused_with_a_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "w.safetensors"
    if damage == "text":
        path.write_text("weights")
    if damage == "truncated":
        save_checkpoint(path, VECNet(SMALL_NETWORK), {})
        path.write_bytes(path.read_bytes()[:-100])
    if damage == "foreign":
        from safetensors.torch import save_file

        save_file({"a": torch.zeros(3)}, str(path))
    with pytest.raises(CheckpointError, match=r"w\.safetensors"):
        load_checkpoint(path)


def test_a_checkpoint_cannot_ask_for_a_gigantic_network() -> None:
    for wrong in ({"widths": [32, 64, 10**9]}, {"window": 4}, {"hook": "import os"}):
        with pytest.raises(ValueError, match="network s"):
            read_config(wrong)


@pytest.mark.parametrize("text", ["train = [", "train = ['a']\nvalidate = ['b']\nspeed = 3", "steps = 5"])
def test_a_wrong_config_is_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=r"c\.toml"):
        TrainingConfig.load(path)


def test_a_config_file_fills_every_room(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'train = ["a"]\nvalidate = ["b"]\nsteps = 9\n[network]\nwidths = [8, 8, 8]\n[losses]\namplitude = 0.0\n'
        "[synthesis]\nsizes = [[32, 32]]\nsize_shares = [1.0]\n"
    )
    loaded = TrainingConfig.load(path)
    assert loaded.network.widths == (8, 8, 8)
    assert loaded.losses.amplitude == 0.0
    assert loaded.synthesis.sizes == ((32, 32),)


def test_an_empty_folder_of_clips_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        list(pack([tmp_path], tmp_path / "packed"))
    with pytest.raises(DataError):
        list(pack([tmp_path / "missing"], tmp_path / "packed"))
