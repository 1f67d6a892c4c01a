"""Laws of pairing: known shifts, times and exposures are found, and what cannot be aligned is refused."""

from __future__ import annotations

import cmath
import json
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
import pytest
from clips import make_frame
from PIL import Image

from vecnet_core.cli import main
from vecnet_core.data.capture.pairing import PairReport, PairRequest, pair_recordings
from vecnet_core.data.capture.recordings import open_recording
from vecnet_core.data.capture.registration import Similarity, pyramid, register
from vecnet_core.data.capture.residual import measure_residual
from vecnet_core.data.capture.warping import Crop, common_area, warp_picture, whole_pixels
from vecnet_core.data.dime import find_pairs
from vecnet_core.metrics.exposure import gain_in_light
from vecnet_core.video.layouts import write_planes

HEIGHT, WIDTH = 64, 96
MIDDLE = complex(WIDTH - 1, HEIGHT - 1) / 2
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
GRID = X + 1j * Y
FRAMES = 20


def waves(seed: int, points: np.ndarray, count: int = 28) -> np.ndarray:
    """A texture without a pixel grid: waves of 5 to 40 pixels in all directions, (..., 3)."""
    rng = np.random.default_rng(seed)
    lengths = 5 * 8 ** rng.random(count)
    directions = np.exp(2j * np.pi * rng.random(count)) * 2 * np.pi / lengths
    phases, tints = rng.random(count) * 2 * np.pi, 0.6 + 0.8 * rng.random((count, 3))
    height = lengths**0.5
    along = np.real(points[..., None] * directions.conj()) + phases
    return (np.sin(along) * height) @ tints / np.sqrt((height**2).sum() / 2)


@dataclass(frozen=True)
class World:
    """A textured wall, and (unless it is still) a textured ball that moves before it on a path of no period."""

    seed: int = 1
    path: int = 1
    is_still: bool = False

    def seen(self, time: int, points: np.ndarray) -> np.ndarray:
        """R'G'B' at places of the world."""
        light = waves(self.seed, points)
        return self.with_ball(time, points, light)

    def with_ball(self, time: int, points: np.ndarray, light: np.ndarray) -> np.ndarray:
        """The same, where the wall's light is known already."""
        if not self.is_still:
            steps = np.random.default_rng(self.path).normal(0, 3.0, (200, 2)).cumsum(0)
            ball = MIDDLE + complex(*(18 * np.sin(steps[time + 50] / 9)))
            inside = 1 / (1 + np.exp((np.abs(points - ball) - 14) / 1.5))
            near, light = inside > 1e-3, light.copy()
            light[near] += inside[near][..., None] * (waves(self.seed + 9, points[near] - ball) - light[near])
        return 1 / (1 + np.exp(-(0.9 * light - 0.3)))


@dataclass(frozen=True)
class Camera:
    """Sees the world through a similarity, from a moment on, with an exposure and noise.

    `shake` moves it from picture to picture.
    """

    shift: complex = 0j
    rotation: float = 0.0
    zoom: float = 1.0
    start: int = 0
    ev: float = 0.0
    noise: float = 0.004
    shake: float = 0.0
    size: tuple[int, int] = (HEIGHT, WIDTH)

    def view(self, index: int = 0) -> Similarity:
        """From the world to the picture."""
        turn = cmath.rect(self.zoom, math.radians(self.rotation))
        rng = np.random.default_rng(index + 7)
        moved = self.shift + self.shake * complex(*rng.normal(size=2))
        return Similarity(turn, MIDDLE + moved - turn * MIDDLE)

    def pictures(self, world: World, count: int = FRAMES) -> list[np.ndarray]:
        """8-bit pictures."""
        return list(film(self, world, FRAMES)[:count])

    def film(self, world: World, count: int) -> list[np.ndarray]:
        """The same, without a memory."""
        rng = np.random.default_rng(int(abs(self.ev) * 10) + self.start + 50)
        grid = GRID[: self.size[0], : self.size[1]]
        made: list[np.ndarray] = []
        for index in range(count):
            points = self.view(index).inverse().at(grid)
            if index == 0 or self.shake:
                wall = waves(world.seed, points)
            seen = world.with_ball(self.start + index, points, wall)
            light = gain_in_light(seen.astype(np.float32), self.ev)
            made.append(np.rint(np.clip(light + rng.normal(0, self.noise, light.shape), 0, 1) * 255).astype(np.uint8))
        return made


@cache
def film(camera: Camera, world: World, count: int) -> tuple[np.ndarray, ...]:
    return tuple(camera.film(world, count))


def write_folder(folder, pictures):
    folder.mkdir()
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{index:03d}.png")
    return folder


def write_video(path, pictures, rate=25, pts=None):
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("ffv1", rate=rate)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "yuv444p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        for index, picture in enumerate(pictures):
            made = make_frame(rgb=picture.astype(np.float32) / 255, layout="yuv444p")
            raw = av.VideoFrame(made.width, made.height, "yuv444p")
            write_planes(raw, made.planes, 8)
            raw.pts, raw.time_base = index if pts is None else pts[index], Fraction(1, rate)
            output.mux(stream.encode(raw))
        output.mux(stream.encode(None))
    return path


def read(folder):
    return {int(path.stem): np.asarray(Image.open(path)) for path in sorted(folder.iterdir())}


def pair(bad, good, folder, **options) -> PairReport:
    steps = list(pair_recordings(PairRequest(bad, good, folder, **{"name": "clip", **options})))
    assert isinstance(steps[-1], PairReport)
    return steps[-1]


def found(report: PairReport, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Similarity:
    """The transform as the report tells it."""
    turn = cmath.rect(report.zoom, math.radians(report.rotation_degrees))
    other = complex(size[1] - 1, size[0] - 1) / 2
    return Similarity(turn, other + complex(*report.shift_px) - turn * MIDDLE)


def everything_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


CASES = [
    (Camera(ev=-2, noise=0.006), Camera(start=-7, shift=3.4 - 2.7j)),
    (Camera(ev=1.5, start=-4), Camera(shift=-5.3 + 1.6j)),
    (Camera(ev=-2), Camera(start=3, rotation=0.5, zoom=1.01, shift=1.2 + 0.7j)),
    (Camera(ev=1.5), Camera(rotation=-0.5, zoom=0.99, shift=-2.25j)),
    (Camera(ev=-3, noise=0.008, start=2), Camera(shift=9.5 + 6.25j, rotation=2.5, zoom=1.06)),
]


@pytest.mark.parametrize(("bad", "good"), CASES)
def test_known_shift_time_and_exposure_are_found(tmp_path, bad, good):
    world = World()
    low = bad.pictures(world)
    report = pair(write_video(tmp_path / "a.mkv", low), write_video(tmp_path / "b.mkv", good.pictures(world)), tmp_path)
    assert report.offset_frames == bad.start - good.start
    assert report.offset_seconds == pytest.approx((bad.start - good.start) / 25, abs=1e-3)
    assert (report.offset_from, report.transform) == ("motion", "fixed")
    assert found(report).distance_px(good.view(), HEIGHT, WIDTH) < 0.2
    assert abs(complex(*report.shift_px) - good.shift) < 0.1
    assert report.exposure_ev == pytest.approx(bad.ev, abs=0.2)
    assert len(report.kept) == len(report.pictures) == FRAMES - abs(report.offset_frames)
    assert report.residual_median_px < 0.15
    # What the good camera would have seen from the bad one's place, against what was written.
    crop, written = report.crop, read(tmp_path / "train/GT/clip")
    errors = [
        np.abs(written[fit.bad] / 255 - crop.cut(world.seen(bad.start + fit.bad, GRID))).mean()
        for fit in report.kept[::5]
    ]
    assert np.median(errors) < 0.012
    assert (crop.width % 2, crop.height % 2) == (0, 0)


def test_the_bad_pictures_are_not_touched(tmp_path):
    world = World()
    low = Camera(ev=-2, noise=0.02).pictures(world)
    good = Camera(shift=3.4 - 2.7j, start=-2).pictures(world)
    report = pair(write_folder(tmp_path / "a", low), write_folder(tmp_path / "b", good), tmp_path / "set", split="test")
    written = read(tmp_path / "set/test/LQ/clip")
    assert [fit.bad for fit in report.kept] == list(written) == list(read(tmp_path / "set/test/GT/clip"))
    for index, picture in written.items():
        assert (picture == report.crop.cut(low[index])).all()
    assert (report.offset_frames, "order" in report.notes[0]) == (2, True)
    (clip,) = find_pairs(tmp_path / "set", "test")
    assert (clip.name, len(clip.good)) == ("clip", len(report.kept))


def test_pictures_that_lie_right_by_whole_pixels_stay_as_sharp_as_they_are(tmp_path):
    world = World()
    low, good = Camera(ev=-2).pictures(world), Camera(shift=4 - 3j).pictures(world)
    report = pair(write_video(tmp_path / "a.mkv", low), write_video(tmp_path / "b.mkv", good), tmp_path)
    assert (report.shift_px, report.zoom, report.rotation_degrees) == ((4, -3), 1, 0)
    crop = report.crop
    cut = Crop(crop.left + 4, crop.top - 3, crop.width, crop.height)
    for fit in report.kept:
        difference = read(tmp_path / "train/GT/clip")[fit.bad].astype(int) - cut.cut(good[fit.good])
        assert np.abs(difference).max() <= 2  # of the video's Y'CbCr


def test_a_camera_in_the_hand_is_followed(tmp_path):
    world = World()
    low = Camera(ev=-2).pictures(world)
    good = Camera(shift=2 + 1j, shake=2.0, start=3)
    report = pair(write_video(tmp_path / "a.mkv", low), write_video(tmp_path / "b.mkv", good.pictures(world)), tmp_path)
    assert (report.offset_frames, report.transform) == (-3, "moving")
    assert len(report.kept) == FRAMES - 3
    assert report.residual_median_px < 0.15
    assert max(fit.residual.median_px for fit in report.kept) < 0.3


def test_where_nothing_moves_no_time_is_assumed_and_told(tmp_path):
    world = World(is_still=True)
    low, good = Camera(ev=-2, noise=0.01).pictures(world, 12), Camera(shift=3.4 - 2.7j).pictures(world, 12)
    report = pair(write_video(tmp_path / "a.mkv", low), write_video(tmp_path / "b.mkv", good), tmp_path)
    assert (report.offset_frames, report.offset_from) == (0, "assumed")
    assert "Nothing moves" in report.notes[0]
    assert abs(complex(*report.shift_px) - (3.4 - 2.7j)) < 0.1


def test_one_photo_each_is_a_pair(tmp_path):
    world = World()
    low, good = Camera(ev=-2).pictures(world, 1), Camera(shift=-1.5 + 2.4j).pictures(world, 1)
    report = pair(write_folder(tmp_path / "a", low), write_folder(tmp_path / "b", good), tmp_path)
    assert len(report.kept) == 1
    assert abs(complex(*report.shift_px) - (-1.5 + 2.4j)) < 0.1


def test_a_smaller_recording_of_the_same_pixels_is_found_in_a_larger_one(tmp_path):
    world = World()
    low = Camera(ev=-2).pictures(world, 12)
    good = Camera(shift=-9.3 - 6.4j, size=(52, 76)).pictures(world, 12)
    report = pair(write_video(tmp_path / "a.mkv", low), write_video(tmp_path / "b.mkv", good), tmp_path)
    assert found(report, (52, 76)).distance_px(Camera(shift=-9.3 - 6.4j).view(), HEIGHT, WIDTH) < 0.3
    assert (report.crop.left, report.crop.top) == (10, 7)
    assert (report.crop.width, report.crop.height) == (74, 50)


def test_a_dropped_frame_costs_one_picture_not_all_after_it(tmp_path):
    world = World()
    low, good = Camera(ev=-2).pictures(world), Camera(start=-3).pictures(world)
    there = [index for index in range(FRAMES) if index != 12]
    lossy = write_video(tmp_path / "b.mkv", [good[index] for index in there], pts=there)
    report = pair(write_video(tmp_path / "a.mkv", low), lossy, tmp_path)
    assert [(fit.bad, there[fit.good]) for fit in report.kept] == [(i, i + 3) for i in range(FRAMES - 3) if i != 9]


def test_pictures_that_do_not_fit_are_left_out_and_named(tmp_path, capsys):
    world = World()
    low, good = Camera(ev=-2).pictures(world), Camera(shift=1.5).pictures(world)
    for index, strange in zip((5, 6, 12), Camera().pictures(World(seed=40), 3), strict=True):
        good[index] = strange
    paths = [str(write_video(tmp_path / "a.mkv", low)), str(write_video(tmp_path / "b.mkv", good))]
    assert main(["dataset", "pair", *paths, str(tmp_path / "set")]) == 0
    assert "Left out: 5-6, 12\n" in capsys.readouterr().out
    report = json.loads((tmp_path / "set/train/a.json").read_text())
    assert (report["left_out"], report["kept"]) == ([5, 6, 12], FRAMES - 3)
    assert report["pictures"][5]["residual"]["tiles"] < 3
    assert set(read(tmp_path / "set/train/LQ/a")) == set(range(FRAMES)) - {5, 6, 12}


def test_the_command_tells_what_it_found(tmp_path, capsys):
    world = World()
    paths = [
        str(write_video(tmp_path / "dark.mkv", Camera(ev=-2).pictures(world))),
        str(write_video(tmp_path / "good.mkv", Camera(start=-4, shift=2.5 - 1.25j).pictures(world))),
    ]
    call = ["dataset", "pair", *paths, str(tmp_path / "set")]
    assert main([*call, "--split", "test", "--name", "street", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "set/test/street.json").read_text())
    assert told["offset_frames"] == 4
    assert everything_in(tmp_path / "set/test") >= {"LQ/street/000000.png", "GT/street/000000.png", "street.json"}
    assert main(call) == 0
    said = capsys.readouterr().out
    for words in ("16 of 16 pictures", "+4 frames, +0.160 s, found by motion", "shift +2.5", "stops darker"):
        assert words in said


def test_an_existing_clip_is_replaced_only_when_that_is_wanted(tmp_path, capsys):
    world = World()
    bad = write_folder(tmp_path / "a", Camera(ev=-2).pictures(world, 4))
    good = write_folder(tmp_path / "b", Camera(shift=1).pictures(world, 4))
    other = write_folder(tmp_path / "c", Camera().pictures(World(seed=40), 4))
    for side in ("LQ", "GT"):
        (tmp_path / "set/train" / side / "a").mkdir(parents=True)
        (tmp_path / "set/train" / side / "a/old.png").write_text(side)
    there = everything_in(tmp_path)
    call = ["dataset", "pair", str(bad), str(good), str(tmp_path / "set")]
    assert main(call) == 2
    assert "exists already; add --overwrite" in capsys.readouterr().err
    assert main(["dataset", "pair", str(bad), str(other), str(tmp_path / "set"), "--overwrite"]) == 2
    assert everything_in(tmp_path) == there
    assert main([*call, "--overwrite"]) == 0
    assert everything_in(tmp_path / "set/train/LQ/a") == {f"{index:06d}.png" for index in range(4)}
    assert {path.name for path in (tmp_path / "set/train").iterdir()} == {"LQ", "GT", "a.json"}
    # A clip of the data set is a recording too, and is never replaced by what is made from it.
    clip = tmp_path / "set/train"
    assert main(["dataset", "pair", str(clip / "LQ/a"), str(clip / "GT/a"), str(tmp_path / "set"), "--overwrite"]) == 2
    assert "its own recording" in capsys.readouterr().err


def test_a_failed_move_leaves_the_old_clip(tmp_path, monkeypatch):
    world = World()
    bad = write_folder(tmp_path / "a", Camera(ev=-2).pictures(world, 2))
    good = write_folder(tmp_path / "b", Camera().pictures(world, 2))
    pair(bad, good, tmp_path / "set")
    before = {path: path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file()}
    rename = type(tmp_path).rename

    def full(path, target):
        if path.name == "report":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(type(tmp_path), "rename", full)
    assert main(["dataset", "pair", str(bad), str(good), str(tmp_path / "set"), "--name", "clip", "--overwrite"]) == 2
    assert {path: path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file()} == before


def test_the_place_is_tried_before_any_work(tmp_path, locked, monkeypatch, capsys):
    monkeypatch.setattr("vecnet_core.data.capture.pairing.pair_recordings", lambda _: pytest.fail("it was not"))
    assert main(["dataset", "pair", "a.mkv", "b.mkv", str(locked / "set")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_stopping_leaves_nothing(tmp_path):
    world = World()
    bad = write_folder(tmp_path / "a", Camera(ev=-2).pictures(world, 4))
    good = write_folder(tmp_path / "b", Camera().pictures(world, 4))
    work = pair_recordings(PairRequest(bad, good, tmp_path / "set", "clip"))
    for step in work:
        if not isinstance(step, PairReport) and (step.stage, step.done) == ("Writing", 2):
            break
    assert any(path.suffix == ".png" for path in (tmp_path / "set").rglob("*"))
    work.close()
    assert not any(path.is_file() or "part" in path.name for path in (tmp_path / "set").rglob("*"))


@pytest.fixture
def scenes(tmp_path):
    """Recordings that do not go together, each with a reason."""
    world = World()
    write_video(tmp_path / "bad.mkv", Camera(ev=-2).pictures(world, 16))
    write_video(tmp_path / "elsewhere.mkv", Camera().pictures(World(seed=40), 16))
    write_video(tmp_path / "another_day.mkv", Camera().pictures(World(path=5), 16))
    write_video(tmp_path / "late.mkv", Camera(start=6).pictures(world, 16))
    write_video(tmp_path / "fast.mkv", Camera().pictures(world, 4), rate=30)
    write_video(tmp_path / "corner.mkv", Camera(shift=-30 - 14j, size=(36, 40)).pictures(world, 16))
    near = Camera().pictures(world, 16)
    for picture in near:  # parallax: the right part is three pixels further than the left one
        picture[:, 30:-3] = picture[:, 33:].copy()
    write_video(tmp_path / "beside.mkv", near)
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "mixed", [near[0], near[0][:50]])
    (tmp_path / "text.mp4").write_text("no video")
    return tmp_path


REFUSED = [
    (["bad.mkv", "elsewhere.mkv"], "does not show the same scene as elsewhere.mkv"),
    (["bad.mkv", "another_day.mkv"], "does not move so in another_day.mkv"),
    (["bad.mkv", "late.mkv", "--max-offset", "0.1"], "larger --max-offset"),
    (["bad.mkv", "fast.mkv"], "25.000 frames a second and fast.mkv 30.000"),
    (["bad.mkv", "corner.mkv"], "% of its picture"),
    (["bad.mkv", "beside.mkv"], "parallax"),
    (["bad.mkv", "empty"], "empty: there is no picture"),
    (["mixed", "bad.mkv"], "96 x 50 pixels"),
    (["bad.mkv", "text.mp4"], "text.mp4"),
    (["bad.mkv", "missing.mkv"], "missing.mkv"),
    (["bad.mkv", "bad.mkv"], "given twice"),
    (["bad.mkv", "late.mkv", "--name", "../x"], "plain folder name"),
    (["bad.mkv", "late.mkv", "--max-residual", "-1"], "0 or more"),
    (["bad.mkv", "late.mkv", "--max-offset", "nan"], "0 or more"),
]


def test_what_cannot_be_aligned_is_one_sentence_and_leaves_nothing(scenes, capsys, monkeypatch):
    monkeypatch.chdir(scenes)
    there = everything_in(scenes)
    for arguments, words in REFUSED:
        assert main(["dataset", "pair", *arguments[:2], "set", *arguments[2:]]) == 2, arguments
        said = capsys.readouterr().err
        assert words in said, arguments
        assert (said.count("\n"), said[-2:]) == (1, ".\n")
        assert everything_in(scenes) == there, arguments
    assert main(["dataset", "pair", "bad.mkv", "late.mkv", "set"]) == 0


def test_a_similarity_is_undone_by_its_inverse_and_kept_by_enlarging():
    points = np.array([0, 10 + 3j, 40.5j, -7 + 2j])
    place = Similarity(cmath.rect(1.07, 0.1), 3.3 - 2.1j)
    assert np.allclose(place.inverse().at(place.at(points)), points)
    # A point of a picture four times larger: its block's middle.
    large = place.enlarged(4, 2)
    assert np.allclose(large.at(points * 4 + 1.5 + 1.5j), place.at(points) * 2 + 0.5 + 0.5j)


def test_structure_is_blind_to_exposure():
    world, luma = World(), np.array([0.2126, 0.7152, 0.0722])
    seen = [(world.seen(0, GRID + shift) @ luma).astype(np.float32) for shift in (0, 2.6 + 1.3j)]
    for power in (0.4, 1.0, 1.8):
        place = register(pyramid(0.8 * seen[1] ** power), pyramid(seen[0])).transform
        assert place.distance_px(Similarity(1, 2.6 + 1.3j), HEIGHT, WIDTH) < 0.15
    assert register(pyramid(seen[0]), pyramid((World(seed=40).seen(0, GRID) @ luma).astype(np.float32))).strength < 6


@pytest.mark.parametrize("shift", [0.0, 0.3 - 0.2j, 1.5 + 0.8j, 2.75])
def test_the_residual_is_the_shift_that_is_left(shift):
    world, luma = World(), np.array([0.2126, 0.7152, 0.0722])
    bad, good = ((world.seen(0, points) @ luma).astype(np.float32) for points in (GRID, GRID + shift))
    measured = measure_residual(0.5 * bad, good)
    assert measured.median_px == pytest.approx(abs(shift), abs=0.1)
    assert measured.tiles >= 4


def test_warping_by_nothing_copies_and_by_a_fraction_interpolates():
    picture = Camera(noise=0).pictures(World(), 1)[0]
    whole = Crop(0, 0, WIDTH, HEIGHT)
    assert (warp_picture(picture, Similarity(), whole) == picture).all()
    wanted = World().seen(0, GRID + 0.4 - 0.3j) * 255
    moved = warp_picture(picture, Similarity(1, 0.4 - 0.3j), whole)
    assert np.abs(moved - wanted)[4:-4, 4:-4].max() < 3
    twice = np.repeat(np.repeat(picture, 2, 0), 2, 1)
    assert np.abs(warp_picture(twice, Similarity().enlarged(1, 2), whole).astype(int) - picture).max() <= 1


def test_the_common_area_is_seen_by_all():
    size = (HEIGHT, WIDTH)
    assert common_area([Similarity()], size, size) == Crop(0, 0, WIDTH, HEIGHT)
    moved = [Similarity(1, 3.4 - 2.7j), Similarity(1, -1.0 + 0j)]
    assert common_area(moved, size, size) == Crop(1, 3, 90, 60)
    assert common_area([Similarity(1, 200)], size, size).width == 0
    assert whole_pixels(Similarity(1, 2.03 - 1j), *size) == Similarity(1, 2 - 1j)
    assert whole_pixels(Similarity(1, 2.2 - 1j), *size) == Similarity(1, 2.2 - 1j)


def test_the_rate_of_a_camera_that_drops_frames_or_stumbles_is_that_of_its_clock(tmp_path):
    """A real clip at 24 frames a second had one frame right after another, and one missing later: not 24.96."""
    there = [0, 4, 8, 12, 16, 20, 21, 24, 32, 36, 40]  # in hundredths of a second
    with open_recording(write_video(tmp_path / "a.mkv", Camera().pictures(World(), 11), rate=100, pts=there)) as lossy:
        assert lossy.frame_rate == pytest.approx(25, rel=0.001)
