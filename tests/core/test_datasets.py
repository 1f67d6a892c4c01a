"""Laws of data sets: DIME's layout is read as it is, made pairs fill it, packed pairs come to training as recorded."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vecnet_core.cli import main
from vecnet_core.data.clips import RECORDED, PackedScenes, pack
from vecnet_core.data.dime import find_pairs
from vecnet_core.data.making import make_pairs
from vecnet_core.data.synthesis import SynthesisConfig, draw_batch
from vecnet_core.errors import DataError

SMALL = SynthesisConfig(sizes=((32, 32),), size_shares=(1.0,), windows=4)


def picture(number: int, scale: float = 1.0) -> Image.Image:
    codes = np.random.default_rng(number).uniform(40, 220, (12, 16, 3))
    smooth = Image.fromarray(codes.astype(np.uint8)).resize((64, 48), Image.Resampling.BICUBIC)
    return Image.fromarray((np.asarray(smooth) * scale).astype(np.uint8))


@pytest.fixture
def dime(tmp_path: Path) -> Path:
    """Two clips of 3 and 4 frames in the data set's own layout; the bad ones at half the code value."""
    root = tmp_path / "DIME"
    for split, clips in (("train", {"001": 3, "002": 4}), ("test", {"003": 2})):
        for name, count in clips.items():
            for side, scale in (("GT", 1.0), ("LQ", 0.5)):
                folder = root / split / side / name
                folder.mkdir(parents=True)
                for frame in range(count):
                    picture(int(name) * 100 + frame, scale).save(folder / f"{frame:05d}.png")
    return root


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2):
        picture(number).save(folder / f"photo_{number}.png")
    return folder


def test_dime_is_read_in_its_own_layout(dime: Path) -> None:
    assert [(pair.name, len(pair.good)) for pair in find_pairs(dime, "train")] == [("001", 3), ("002", 4)]
    assert [pair.name for pair in find_pairs(dime, "test")] == ["003"]
    assert [pair.name for pair in find_pairs(dime / "train", "train")] == ["001", "002"]
    assert find_pairs(dime / "train" / "GT", "train") == []
    assert [path.parent.parent.name for path in find_pairs(dime, "train")[0].bad] == ["LQ"] * 3


def test_frames_are_in_the_order_of_their_numbers_and_hidden_folders_are_passed_over(dime: Path) -> None:
    for side in ("GT", "LQ"):
        folder = dime / "train" / side / "007"
        folder.mkdir()
        for number in (0, 1, 2, 10, 11):
            picture(number).save(folder / f"frame{number}.png")
        (dime / "train" / side / ".008.99.part").mkdir()
    pairs = {pair.name: pair for pair in find_pairs(dime, "train")}
    assert list(pairs) == ["001", "002", "007"]
    assert [path.stem for path in pairs["007"].good] == ["frame0", "frame1", "frame2", "frame10", "frame11"]
    (dime / "train" / "LQ" / "007" / "frame2.png").rename(dime / "train" / "LQ" / "007" / "frame3.png")
    with pytest.raises(DataError, match=r"the frame frame3\.png does not pair with frame2\.png of the reference"):
        find_pairs(dime, "train")


def test_pairs_that_do_not_pair_are_refused(dime: Path) -> None:
    (dime / "train" / "LQ" / "002" / "00003.png").unlink()
    with pytest.raises(DataError, match="3 frames do not pair with the 4 of the reference"):
        find_pairs(dime, "train")
    picture(2, 0.5).save(dime / "train" / "LQ" / "002" / "00003.png")
    assert len(find_pairs(dime, "train")) == 2
    (dime / "train" / "GT" / "004").mkdir()
    with pytest.raises(DataError, match="the clip 004 is missing"):
        find_pairs(dime, "train")


def test_recorded_pairs_reach_training_as_they_were_recorded(dime: Path, tmp_path: Path) -> None:
    scenes_made = list(pack([dime], tmp_path / "packed", short_side=48))
    assert [(scene.name, scene.kind, scene.frames) for scene in scenes_made] == [
        ("001", RECORDED, 3),
        ("002", RECORDED, 4),
    ]
    scenes = PackedScenes(tmp_path / "packed")
    assert len(scenes) == 0
    assert scenes.recording(1).shape == (2, 4, 48, 64, 3)
    seen: set[tuple[bool, int]] = set()
    for step in range(8):
        batch = draw_batch(scenes, SMALL, 0, step)
        assert batch.bad.shape == batch.good.shape
        # Bad frames are half the good ones to rounding: the same crop, nothing graded, flickered or compressed.
        first = slice(0, len(batch.bad) // 2) if batch.is_pair else slice(None)
        assert np.abs(batch.bad[first] - batch.good[first] / 2).max() < 2 / 255
        assert batch.exposure_ev == pytest.approx(np.full(len(batch.bad), -2.2), abs=0.35)
        seen.add((batch.is_pair, batch.bad.shape[1]))
    assert len(seen) > 1


def test_recorded_pairs_are_mixed_with_made_ones(dime: Path, photos: Path, tmp_path: Path) -> None:
    list(pack([photos, dime], tmp_path / "packed", short_side=48))
    scenes = PackedScenes(tmp_path / "packed")
    assert scenes.names == ["photo_1.png", "photo_2.png", "001", "002"]
    config = dataclasses.replace(SMALL, still_share=1.0, recorded_share=0.4)
    recorded = [
        np.abs(bad - good / 2).max() < 2 / 255
        for step in range(25)
        for batch in [draw_batch(scenes, config, 0, step)]
        for bad, good in zip(batch.bad, batch.good, strict=True)
    ]
    assert 0.25 < np.mean(recorded) < 0.55


def test_packed_small_is_nearly_the_same_and_trains(dime: Path, photos: Path, tmp_path: Path) -> None:
    hdr = tmp_path / "hdr"
    hdr.mkdir()
    rgbe = np.full((32, 64, 4), (200, 100, 50, 131), np.uint8)
    (hdr / "sky.hdr").write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 32 +X 64\n" + rgbe.tobytes())
    sources = [photos, dime, hdr]
    list(pack(sources, tmp_path / "whole", short_side=48))
    made = list(pack(sources, tmp_path / "small", short_side=48, quality=95, most_frames=2))
    whole, small = PackedScenes(tmp_path / "whole"), PackedScenes(tmp_path / "small")
    assert [scene.frames for scene in made] == [1, 1, 2, 2, 1]
    assert np.abs(small.frames(0).astype(int) - whole.frames(0)).mean() < 10
    assert small.recording(1).shape == (2, 2, 48, 64, 3)
    assert np.abs(small.recording(1).astype(int) - whole.recording(1)[:, 1:3]).mean() < 10
    assert small.panorama(0) == pytest.approx(whole.panorama(0), rel=0.01)
    assert draw_batch(small, SMALL, 0, 0).bad.shape == draw_batch(whole, SMALL, 0, 0).bad.shape


def test_training_from_packed_data_needs_no_pyav(photos: Path, tmp_path: Path) -> None:
    for part in ("train", "val"):
        list(pack([photos], tmp_path / "packed" / part, short_side=48, quality=90))
    config = tmp_path / "run.toml"
    config.write_text(
        f"""
        train = []
        validate = []
        packed = {str(tmp_path / "packed")!r}
        out = {str(tmp_path / "out")!r}
        steps = 1
        workers = 0
        validation_batches = 1
        network = {{ analysis_short_side = 32, widths = [8, 12, 16], depths = [1, 1, 1], token_channels = 16 }}
        synthesis = {{ sizes = [[32, 32]], size_shares = [1.0], windows = 4 }}
        """,
        encoding="utf-8",
    )
    program = "import sys; sys.modules['av'] = None; from vecnet_core.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "train", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "last.safetensors").is_file()


def test_made_pairs_lie_in_dimes_layout_and_can_be_evaluated(photos: Path, tmp_path: Path) -> None:
    made = list(make_pairs([photos], tmp_path / "set", split="test", seed=3))
    pairs = find_pairs(tmp_path / "set", "test")
    assert [pair.name for pair in pairs] == [pair.name for pair in made] == ["photo_1", "photo_2"]
    for pair, photo in zip(pairs, sorted(photos.iterdir()), strict=True):
        good, bad = (np.asarray(Image.open(side[0])).astype(int) for side in (pair.good, pair.bad))
        assert np.array_equal(good, np.asarray(Image.open(photo)))
        assert bad.shape == good.shape
        assert np.abs(bad - good).mean() > 1
    again = list(make_pairs([photos], tmp_path / "again", split="test", seed=3))
    assert again == made
    one, other = (find_pairs(tmp_path / name, "test")[1].bad[0].read_bytes() for name in ("set", "again"))
    assert one == other
    list(make_pairs([photos], tmp_path / "other", split="test", seed=4))
    assert find_pairs(tmp_path / "other", "test")[1].bad[0].read_bytes() != one


def test_a_made_data_set_replaces_nothing_and_leaves_nothing_unfinished(photos: Path, tmp_path: Path) -> None:
    there = tmp_path / "set" / "train" / "LQ" / "photo_2"
    there.mkdir(parents=True)
    with pytest.raises(DataError, match="this clip is there already"):
        list(make_pairs([photos], tmp_path / "set"))
    assert [path.name for path in (tmp_path / "set" / "train").rglob("*")] == ["LQ", "photo_2"]


def test_the_command_line_makes_and_packs(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "make", str(photos), str(tmp_path / "set"), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["clip", "clip", "done"]
    assert main(["dataset", "pack", str(photos), str(tmp_path / "set"), str(tmp_path / "packed")]) == 0
    assert "Packed 4 scenes" in capsys.readouterr().out
    assert len(PackedScenes(tmp_path / "packed").recorded) == 2
    assert main(["dataset", "pack", str(photos), str(tmp_path / "packed")]) == 2
    assert "packed scenes are here already" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["make", "pack"])
def test_a_source_without_pictures_is_a_sentence(action, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "broken.jpg").write_bytes(b"no picture")
    assert main(["dataset", action, str(tmp_path / "empty"), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "no clip or photo could be read" in error
    assert not (tmp_path / "out").exists()
    assert main(["dataset", action, str(tmp_path / "nowhere"), str(tmp_path / "out")]) == 2
    assert "this is not a folder of clips" in capsys.readouterr().err
