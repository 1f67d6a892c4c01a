"""Laws of training: made pairs are what they say, a batch depends on its step alone, a resumed run is the same run."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from vecnet_core.checkpoint import load_checkpoint, read_config, save_checkpoint
from vecnet_core.data.camera import ROOM_EV, Camera, ToneCurve
from vecnet_core.data.clips import PackedScenes, pack
from vecnet_core.data.panorama import draw_view, meter, read_panorama
from vecnet_core.data.synthesis import (
    Batch,
    SynthesisConfig,
    Take,
    collage,
    draw_batch,
    draw_camera,
    draw_light,
    flatten,
    grade,
    low_key,
    misalign,
)
from vecnet_core.errors import CheckpointError, DataError
from vecnet_core.metrics.exposure import gain_in_light
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.training import Trainer, TrainingConfig, saved_step, train, windows

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


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_is_never_replaced_by_another(photos: Path, tmp_path: Path) -> None:
    first = config(photos, tmp_path, 10)
    assert len(list(train(first))) == 10
    out = Path(first.out)
    there = files(out)
    with pytest.raises(DataError, match=r"a run is here already; add --resume .*, or choose another out\.$"):
        next(train(dataclasses.replace(first, seed=1, packed=str(tmp_path / "not packed"))))
    assert files(out) == there
    assert not (tmp_path / "not packed").exists()


def test_a_state_half_written_is_passed_over_for_the_one_before(photos: Path, tmp_path: Path) -> None:
    trainer = Trainer(config(photos, tmp_path, 4))
    trainer.save(tmp_path)
    assert saved_step(tmp_path) == 0
    (tmp_path / "state_0000002.safetensors").write_bytes(b"power cut before its optimiser was written")
    assert saved_step(tmp_path) == 0
    trainer.load(tmp_path)
    trainer.done = 3
    trainer.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "optimiser_0000003.safetensors",
        "state_0000003.safetensors",
    ]


def test_a_leg_ends_with_a_checkpoint_and_the_next_goes_on(photos: Path, tmp_path: Path) -> None:
    run = dataclasses.replace(config(photos, tmp_path, 4), leg_minutes=1e-6, checkpoint_every=100)
    assert [step.step for step in train(run)] == [1]
    assert [step.step for step in train(run, resume=True)] == [2]
    assert saved_step(Path(run.out)) == 2
    rest = [step.step for step in train(dataclasses.replace(run, leg_minutes=0.0), resume=True)]
    assert rest == [3, 4]


def test_every_checkpoint_leaves_a_strip_of_the_same_frames(photos: Path, tmp_path: Path) -> None:
    run = config(photos, tmp_path, 20)
    list(train(run))
    first, second = (Image.open(Path(run.out) / "strips" / name) for name in ("0000010.jpg", "0000020.jpg"))
    assert first.size == second.size == (8 * 128, 8 * 128)
    one, other = (np.asarray(picture, dtype=float) for picture in (first, second))
    for column, is_given in ((0, True), (6, False), (7, True)):  # input, result, reference
        change = np.abs(one - other)[:, column * 128 + 4 : column * 128 + 124].mean()
        assert (change < 0.5) == is_given


def test_mixed_precision_learns_like_full_precision(photos: Path, tmp_path: Path) -> None:
    full = dataclasses.replace(config(photos, tmp_path / "full", 8), checkpoint_every=8)
    mixed = dataclasses.replace(full, precision="bfloat16", out=str(tmp_path / "mixed"))
    losses = [[step.loss for step in train(run)] for run in (full, mixed)]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    state = load_checkpoint(Path(mixed.out) / "last.safetensors").network.state_dict()
    assert all(value.dtype == torch.float32 for value in state.values())


@pytest.mark.slow
def test_two_processes_train_like_one_with_the_same_total_batch(photos: Path, tmp_path: Path) -> None:
    """``torchrun`` on the CPU: the curves differ only by what a mean over masks differs from the mean of its halves."""
    curves: list[list[float]] = []
    for count in (1, 2):
        run = tmp_path / str(count)
        run.mkdir()
        toml = run / "run.toml"
        toml.write_text(
            f"""
            train = [{str(photos)!r}]
            validate = [{str(photos)!r}]
            packed = {str(tmp_path / "packed")!r}
            out = {str(run / "out")!r}
            steps = 24
            decay_steps = 4
            warmup_steps = 4
            workers = 0
            checkpoint_every = 24
            validation_batches = 1
            network = {{ analysis_short_side = 32, widths = [8, 12, 16], depths = [1, 1, 1], token_channels = 16 }}
            synthesis = {{ sizes = [[32, 32]], size_shares = [1.0], windows = 8 }}
            """,
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
        command += ["-m", "vecnet_core.cli", "train", str(toml), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        curves.append([event["loss"] for event in events if event["event"] == "step"])
        assert len(curves[-1]) == 24  # the first process alone speaks
    # Means over masks of four windows each are not quite the mean over the mask of eight.
    assert curves[0][0] == pytest.approx(curves[1][0], rel=0.05)
    assert curves[0] == pytest.approx(curves[1], rel=0.1)
    assert np.mean(curves[0][-6:]) == pytest.approx(np.mean(curves[1][-6:]), rel=0.03)


def test_a_run_whose_state_is_gone_is_not_written_over(photos: Path, tmp_path: Path) -> None:
    run = config(photos, tmp_path, 10)
    list(train(run))
    for path in Path(run.out).glob("state_*"):
        path.unlink()
    there = files(Path(run.out))
    for resume in (False, True):
        with pytest.raises(DataError, match="a run is here whose state is gone"):
            next(train(run, resume=resume))
    assert files(Path(run.out)) == there


def test_a_run_that_is_longer_already_is_a_sentence(photos: Path, tmp_path: Path) -> None:
    list(train(config(photos, tmp_path, 10)))
    with pytest.raises(DataError, match="10 steps done already, of 5"):
        next(train(config(photos, tmp_path, 5), resume=True))


def test_a_checkpoint_that_was_cut_off_is_made_again(photos: Path, tmp_path: Path, monkeypatch) -> None:
    whole, cut = (config(photos, tmp_path / name, 20) for name in ("whole", "cut"))
    list(train(whole))
    real = Trainer.save

    def fail(trainer: Trainer, folder: Path) -> None:
        if trainer.done == 20:
            raise KeyboardInterrupt
        real(trainer, folder)

    monkeypatch.setattr(Trainer, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        list(train(cut))
    monkeypatch.setattr(Trainer, "save", real)
    list(train(cut, resume=True))
    for name in ("last", "best"):
        one, other = (load_checkpoint(Path(run.out) / f"{name}.safetensors") for run in (whole, cut))
        assert one.provenance["step"] == other.provenance["step"]
        weights, others = one.network.state_dict(), other.network.state_dict()
        assert all(torch.equal(weights[key], others[key]) for key in weights)
    logs = [(Path(run.out) / "loss.csv").read_text(encoding="utf-8") for run in (whole, cut)]
    assert logs[0] == logs[1]


@pytest.mark.parametrize("name", ["cpu", "gpu", "detail"])
def test_the_shipped_recipes_are_of_the_shipped_network(name: str) -> None:
    recipe = TrainingConfig.load(Path(__file__).parents[2] / "resources" / "training" / f"{name}.toml")
    assert recipe.network == VECNetConfig()
    assert recipe.synthesis.windows % 4 == 0
    assert recipe.decay_steps < recipe.steps
    assert 0 <= recipe.leg_minutes < 9


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_gpu_learns_like_the_processor(photos: Path, tmp_path: Path, precision: str) -> None:
    here = dataclasses.replace(config(photos, tmp_path / "cpu", 8), checkpoint_every=8)
    there = dataclasses.replace(here, device="cuda", precision=precision, out=str(tmp_path / "cuda"))
    losses = [[step.loss for step in train(run)] for run in (here, there)]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_training_lowers_the_loss(photos: Path, tmp_path: Path) -> None:
    run = dataclasses.replace(config(photos, tmp_path, 80), learning_rate=4e-3, checkpoint_every=80)
    fresh = Trainer(run)
    assert len(list(train(run))) == 80
    trained = Trainer(run)
    trained.load(Path(run.out))
    scenes = PackedScenes(Path(run.packed) / "train")
    batches = [trained.task.draw(scenes, 1, number) for number in range(12)]
    with torch.no_grad():
        before, after = (
            np.mean([float(each.task.losses(each.network, batch, each.device)[0]) for batch in batches])
            for each in (fresh, trained)
        )
    assert after < 0.7 * before
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


def test_a_low_key_reference_is_darker_and_keeps_its_order() -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    greys = np.repeat(ramp[None, None, :, None], 3, axis=3)
    means: list[float] = []
    for seed in range(40):
        dark = low_key(np.random.default_rng(seed), greys)
        assert dark.dtype == np.float32
        assert np.all(np.diff(dark, axis=2) >= 0)
        assert np.all(dark <= greys)
        means.append(float(dark.mean()))
    assert 0.1 < min(means) < 0.25
    assert max(means) > 0.35


def test_what_a_window_shows_does_not_hang_on_what_the_batch_is(scenes: PackedScenes, monkeypatch) -> None:
    """The stream that chose a batch's size and kind once drew its first camera as well (2026-11)."""
    config = dataclasses.replace(SMALL_PAIRS, still_share=0.5, pair_share=0.0)
    first: dict[bool, list[float]] = {True: [], False: []}
    monkeypatch.setattr(
        "vecnet_core.data.synthesis.draw_take", lambda *_: Take(np.zeros((1, 4, 4, 3), np.float32), GREY)
    )
    monkeypatch.setattr(Camera, "film", lambda *_, **__: GREY)
    for step in range(400):
        batch = draw_batch(scenes, config, 0, step)
        rng = np.random.default_rng((0, step))
        rng.choice(2, p=(0.5, 0.5))
        first[bool(rng.random() < 0.5)].append(float(batch.exposure_ev[0]))
    for seen in first.values():
        exposures = np.array(seen)
        shares = (exposures < -0.3).mean(), (exposures > 0.3).mean()
        assert shares == pytest.approx((0.29, 0.26), abs=0.1)


GREY = np.full((1, 4, 4, 3), 0.5, np.float32)


def test_the_shares_of_several_processes_make_up_the_batch_of_one(scenes: PackedScenes) -> None:
    config = dataclasses.replace(SMALL_PAIRS, windows=8, still_share=0.4, pair_share=0.5)
    kinds: set[tuple[bool, int]] = set()
    for step in range(6):
        whole = draw_batch(scenes, config, 0, step)
        parts = [draw_batch(scenes, config, 0, step, part=part, parts=2) for part in range(2)]
        halves = 2 if whole.is_pair else 1  # the second half of a batch of pairs shows the first half again

        def rows(batch: Batch, half: int, halves: int = halves) -> np.ndarray:
            return np.split(batch.bad, halves)[half]

        for half in range(halves):
            together = np.concatenate([rows(part, half) for part in parts])
            assert np.array_equal(together, rows(whole, half))
        kinds.add((whole.is_pair, whole.bad.shape[1]))
    assert len(kinds) == 3
    with pytest.raises(DataError, match=r"8 windows a batch cannot be shared by 3 processes"):
        draw_batch(scenes, config, 0, 0, part=0, parts=3)


@pytest.fixture(scope="module")
def panorama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Radiance picture: grey 0.5 all around with a red lamp of 64 straight ahead, and a blue floor."""
    light = np.full((64, 128, 3), 0.5, np.float32)
    light[44:] = (0.1, 0.1, 0.4)
    light[30:34, 62:66] = (64.0, 8.0, 8.0)
    mantissa, exponent = np.frexp(light.max(axis=2))
    rgbe = np.dstack((light * (mantissa * 256 / light.max(axis=2))[..., None], exponent + 128)).astype(np.uint8)
    path = tmp_path_factory.mktemp("hdr") / "room.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 64 +X 128\n" + rgbe.tobytes())
    return path


def test_a_panorama_is_read_as_linear_light(panorama: Path, tmp_path: Path) -> None:
    light = read_panorama(panorama)
    assert light.shape == (64, 128, 3)
    assert light[10, 10] == pytest.approx([0.5, 0.5, 0.5], rel=0.01)
    assert light[32, 64] == pytest.approx([64, 8, 8], rel=0.02)
    assert light[60, 5] == pytest.approx([0.1, 0.1, 0.4], rel=0.02)
    damaged = tmp_path / "damaged.hdr"
    damaged.write_bytes(panorama.read_bytes()[:30])
    with pytest.raises(DataError, match=r"this panorama cannot be read|no equirectangular"):
        read_panorama(damaged)


def test_a_view_of_a_panorama_looks_level_and_pans() -> None:
    """Light that says where it comes from: its latitude in red, its longitude in green and blue."""
    latitude = np.radians(np.linspace(89.5, -89.5, 180))[:, None].repeat(360, 1)
    longitude = np.radians(np.linspace(-179.5, 179.5, 360))[None].repeat(180, 0)
    light = np.dstack([latitude / 4 + 1, np.sin(longitude) / 4 + 1, np.cos(longitude) / 4 + 1]).astype(np.float32)
    moved = 0
    for seed in range(12):
        view = np.exp2(draw_view(np.random.default_rng(seed), light, (48, 64), 3))
        latitudes = np.degrees((view[..., 0] - 1) * 4)
        assert np.all(np.diff(latitudes[0, :, 32]) < 0)  # up is up
        assert 33 < np.ptp(latitudes[0, :, 32]) < 82
        assert -32 < latitudes[0, 24, 32] < 27
        longitudes = np.unwrap(np.arctan2(view[:, 24, :, 1] - 1, view[:, 24, :, 2] - 1), axis=1)
        steps = np.diff(longitudes, axis=1)
        assert np.all(steps > 0) or np.all(steps < 0)  # the latter where the picture is mirrored
        moved += int(np.abs(longitudes[2] - longitudes[0]).max() > 0.002)
    assert 4 < moved < 12


def test_a_view_is_metered_as_a_photographer_would(panorama: Path) -> None:
    light = read_panorama(panorama)
    curve = ToneCurve.draw(np.random.default_rng(4))
    for seed in range(6):
        rng = np.random.default_rng(seed)
        view = draw_view(rng, light, (64, 64), 1)
        code = curve.code_of(view + np.float32(meter(rng, view, curve)))
        assert 0.2 < code.mean() < 0.8
        assert np.mean(code.max(axis=-1) >= 0.999) < 0.13
    night = np.full((1, 64, 64, 3), -9.0, np.float32)
    night[:, :16] = 2.0
    dark = curve.code_of(night + np.float32(meter(np.random.default_rng(0), night, curve)))
    assert dark[:, 16:].mean() < 0.2  # a quarter of the frame may not be sacrificed to lift the rest


def test_panoramas_are_packed_beside_photos_and_filmed(photos: Path, panorama: Path, tmp_path: Path) -> None:
    list(pack([photos, panorama.parent], tmp_path, short_side=96))
    scenes = PackedScenes(tmp_path)
    assert len(scenes) == 2
    assert scenes.names == ["astronaut.png", "coffee.png", "room.hdr"]
    assert scenes.panorama(0)[32, 64] == pytest.approx([64, 8, 8], rel=0.02)
    always = dataclasses.replace(SMALL_PAIRS, panorama_share=1.0, still_share=1.0)
    batch = draw_batch(scenes, always, 0, 0)
    assert np.isfinite(batch.good).all()
    assert 0 <= batch.good.min() < batch.good.max() <= 1
    without = draw_batch(scenes, dataclasses.replace(always, panorama_share=0.0), 0, 0)
    assert not np.array_equal(without.good, batch.good)


@pytest.mark.parametrize("distance", [0.5, 1.0, 4.0])
def test_a_misaligned_reference_is_off_by_so_much(distance: float) -> None:
    y, x = np.mgrid[0:32, 0:40].astype(np.float32) / 64
    frames = np.stack([x, y, x + y])[None]
    moved = misalign(np.random.default_rng(3), frames, distance)
    inside = (slice(None), slice(None), slice(5, -5), slice(5, -5))
    across, down = ((moved - frames)[inside] * 64)[0, :2].mean(axis=(1, 2))
    assert np.hypot(across, down) == pytest.approx(distance, rel=1e-3)
    assert min(abs(across), abs(down)) > 0.05 * distance
    assert moved.dtype == np.float32


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
    always_plain = SynthesisConfig(
        dark_share=1, bright_share=0, mixed_share=0, plain_share=1, plain_right_share=0, jpeg_share=0
    )
    camera = draw_camera(np.random.default_rng(3), always_plain, (16, 16))
    reference = np.linspace(0.02, 1.0, 16 * 16 * 3, dtype=np.float32).reshape(1, 16, 16, 3)
    filmed = camera.film(camera.light_of(reference), np.zeros(1, np.float32), np.random.default_rng(0))
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
    plain = Camera.plain(curve, ev, np.zeros((16, 16), np.float32))
    reference = np.full((1, 16, 16, 3), 0.45, np.float32)
    code = plain.film(plain.light_of(reference), np.zeros(1, np.float32), np.random.default_rng(0))[0, 8, 8, 0]
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
    trainer.save(tmp_path)
    other = Trainer(dataclasses.replace(small, network=dataclasses.replace(SMALL_NETWORK, widths=(8, 12, 24))))
    with pytest.raises(CheckpointError, match="another network"):
        other.load(tmp_path)


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
