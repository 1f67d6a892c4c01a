"""Laws of the evaluation, on tiny made clips and without a network: it measures what it says, the same every time."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from vecnet_core.errors import DataError
from vecnet_core.evaluation import evaluate, format_table
from vecnet_core.evaluation.clips import PairedClip, find_scenes
from vecnet_core.evaluation.degradation import SUBSETS, VARIANTS, degrade, light_over_time, mixed_field
from vecnet_core.evaluation.protocol import applies, baseline_methods
from vecnet_core.evaluation.responses import RESPONSES, response
from vecnet_core.metrics.exposure import exposures_ev
from vecnet_core.metrics.fidelity import psnr
from vecnet_core.metrics.flicker import flicker


def good_frames(frames: int = 12, height: int = 48, width: int = 64) -> np.ndarray:
    """A well exposed clip (T, H, W, 3) uint8: soft coloured waves that move."""
    y, x = np.mgrid[:height, :width] / height
    clip = [
        np.stack([0.45 + 0.3 * np.sin(5 * x + phase + t / 9) * np.cos(4 * y) for phase in (0.0, 0.4, 0.9)], axis=-1)
        for t in range(frames)
    ]
    return np.round(np.stack(clip) * 255).astype(np.uint8)


def write_video(path: Path, frames: np.ndarray) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.time_base = Fraction(1, 24)
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def write_images(folder: Path, frames: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:04d}.png")


def identity(clip: PairedClip) -> np.ndarray:
    return clip.frames


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "waves.mp4", good_frames())
    (folder / "photo.jpg").write_bytes(b"not looked at")
    return folder


def by_key(result: dict) -> dict:
    return {(row["method"], row["subset"], row["variant"]): row for row in result["rows"]}


def test_videos_give_every_subset_and_variant(videos: Path) -> None:
    seen = []
    methods = {**baseline_methods(), "vecnet": identity}
    result = evaluate(
        videos, methods=methods, frames_per_clip=6, progress=lambda done, total, _: seen.append((done, total))
    )
    rows = by_key(result)
    count = len(SUBSETS) * len(VARIANTS)
    assert seen == [(index + 1, count) for index in range(count)]
    assert {key[1:] for key in rows if key[0] == "vecnet"} == {(s, v) for s in SUBSETS for v in VARIANTS}
    assert {key[2] for key in rows if key[0] == "clahe"} == {"steady"}
    for subset in SUBSETS:
        ours, unchanged = rows["vecnet", subset, "flicker"], rows["input", subset, "flicker"]
        assert ours["psnr_db"] == unchanged["psnr_db"]
        assert rows["oracle", subset, "steady"]["psnr_db"] > rows["input", subset, "steady"]["psnr_db"] - 1e-9
    assert result["protocol"]["scenes"] == ["waves"]


def test_the_same_inputs_give_the_same_numbers(videos: Path) -> None:
    methods = {"input": identity}
    first, second = (evaluate(videos, methods=methods, frames_per_clip=4)["rows"] for _ in range(2))
    for row in (*first, *second):
        row.pop("cpu_ms_per_frame")
    assert first == second


def test_the_input_row_is_the_plain_metric(tmp_path: Path) -> None:
    good, bad = good_frames(6), (good_frames(6) // 2).astype(np.uint8)
    write_images(tmp_path / "test" / "GT" / "a", good)
    write_images(tmp_path / "test" / "LQ" / "a", bad)
    (row,) = evaluate(tmp_path, methods={"input": identity})["rows"]
    pairs = [(good[i] / np.float32(255), bad[i] / np.float32(255)) for i in (0, 3)]
    assert row["psnr_db"] == pytest.approx(np.mean([psnr(b, g) for g, b in pairs]), abs=1e-6)
    assert (row["subset"], row["variant"], row["clips"]) == ("paired", "recorded", 1)
    assert row["psnr_db_low"] == row["psnr_db_high"] == row["psnr_db_worst"] == pytest.approx(row["psnr_db"])


def test_brackets_are_single_frames_without_a_known_exposure(tmp_path: Path) -> None:
    good = good_frames(1)[0]
    for name, picture in (("ref", good), ("under", good // 3), ("over", np.minimum(good * 1.5, 255).astype(np.uint8))):
        Image.fromarray(picture).save(tmp_path / f"001_{name}.png")
    Image.fromarray(good).save(tmp_path / "002_ref.png")
    rows = evaluate(tmp_path, methods=baseline_methods())["rows"]
    assert {row["subset"] for row in rows} == {"bracket_under", "bracket_over"}
    assert "oracle" not in {row["method"] for row in rows}
    assert all(row["flicker_stops"] == 0 for row in rows)


@pytest.mark.parametrize("form", ["missing", "empty", "unpaired", "unlike"])
def test_what_cannot_be_evaluated_is_said_in_a_sentence(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "data"
    if form != "missing":
        folder.mkdir()
    if form in {"unpaired", "unlike"}:
        write_images(folder / "GT" / "a", good_frames(2))
        write_images(folder / "LQ" / ("b" if form == "unpaired" else "a"), good_frames(1))
    with pytest.raises(DataError) as raised:
        evaluate(folder, methods={"input": identity})
    assert str(folder) in raised.value.sentence


@pytest.mark.parametrize("subset", SUBSETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_bad_clip_is_in_8_bit_steps_and_follows_from_its_seed(subset: str, variant: str) -> None:
    good = good_frames(4)
    bad = degrade(good, "waves", subset, variant)
    assert bad.frames.shape == good.shape
    assert np.abs(bad.frames * 255 - np.round(bad.frames * 255)).max() < 1e-3
    assert np.array_equal(bad.frames, degrade(good, "waves", subset, variant).frames)
    assert bad.camera == degrade(good, "waves", subset, "steady").camera


def test_subsets_are_as_dark_and_bright_as_they_say() -> None:
    good = good_frames(4)
    level = exposures_ev(good / np.float32(255)).mean()
    for subset, low, high in (
        ("under", -2.05, -1.95),
        ("over", 0.9, 1.5),
        ("camera_dark", -9, -3),
        ("camera_under", -4, -1),
    ):
        stops = exposures_ev(degrade(good, "waves", subset, "steady").frames).mean() - level
        assert low < stops < high, subset


def test_variants_change_the_light_as_they_say() -> None:
    draw = np.random.default_rng(0)
    assert not light_over_time("steady", 12, draw).any()
    assert np.ptp(light_over_time("drift", 12, draw)) == pytest.approx(0.6)
    assert flicker(light_over_time("flicker", 400, draw), 24).stops == pytest.approx(0.15, rel=0.15)
    step = light_over_time("step", 12, draw)
    assert sorted(np.abs(np.diff(step)))[-2:] == [0.0, pytest.approx(0.7)]
    with pytest.raises(ValueError, match="unknown variant"):
        light_over_time("strobe", 12, draw)


def test_the_mixed_field_is_smooth_and_has_its_range() -> None:
    field = mixed_field(90, 160, np.random.default_rng(1))
    assert (field.min(), field.max()) == (pytest.approx(-2.0), pytest.approx(1.5))
    assert max(np.abs(np.diff(field, axis=0)).max(), np.abs(np.diff(field, axis=1)).max()) < 0.15


@pytest.mark.parametrize("number", range(len(RESPONSES)))
def test_responses_are_plausible_cameras(number: int) -> None:
    camera, codes = response(number), np.arange(256, dtype=np.uint8)
    assert np.abs(camera.code_of(camera.light_of(codes)) * 255 - codes).max() < 0.05
    ramp = camera.code_of(np.linspace(0, 1, 1000, dtype=np.float32))
    assert np.all(np.diff(ramp) >= 0)
    assert (ramp[0], ramp[-1]) == (0, 1)
    assert 0.38 <= float(camera.code_of(np.array([0.18], dtype=np.float32))[0]) <= 0.51


def test_a_darkened_white_has_no_flat_ceiling() -> None:
    ramp = np.broadcast_to(np.linspace(190, 255, 64).astype(np.uint8)[None, None, :, None], (1, 48, 64, 3))
    frames = [degrade(ramp, name, "camera_dark", "steady").frames[0] for name in "abcd"]
    slopes = [frame[:, -8:].mean() / frame[:, :8].mean() for frame in frames]
    assert max(slopes) > 1.3


def test_methods_apply_where_the_protocol_says() -> None:
    frames = np.zeros((1, 16, 16, 3), dtype=np.float32)
    still = PairedClip("a", "bracket_under", "still", frames, frames, 25.0)
    moving = PairedClip("a", "under", "flicker", frames, frames, 25.0, np.zeros(1, dtype=np.float32))
    assert [applies(name, still) for name in ("vecnet", "clahe", "oracle")] == [True, True, False]
    assert [applies(name, moving) for name in ("vecnet", "clahe", "input", "without_mpa")] == [True, False, True, True]


def test_scenes_take_the_middle_frames(videos: Path) -> None:
    (scene,) = find_scenes(videos, 4)
    clip = next(scene.clips())
    assert (scene.count, len(clip.frames)) == (28, 4)
    assert psnr(clip.reference[0], good_frames()[4] / np.float32(255)) > 30


@pytest.mark.parametrize("markdown", [False, True])
def test_the_table_has_a_line_for_every_row_and_even_columns(videos: Path, markdown: bool) -> None:
    methods = {name: method for name, method in baseline_methods().items() if name in {"input", "oracle"}}
    result = evaluate(videos, methods=methods, frames_per_clip=3)
    text = format_table(result, markdown=markdown)
    lines = text.splitlines()
    assert sum("oracle" in line for line in lines) >= len(SUBSETS) + 1
    if markdown:
        widths = {line.count("|") for line in lines if line.startswith("|") and "steady" in line}
        assert len(widths) == 1
    assert format_table(result, markdown=markdown, details=False) in text
