"""Laws of the evaluation's report: what it shows is what was scored, and it comes whole or leaves nothing."""

import errno
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vecnet_core.cli.evaluate as command
from vecnet_core.cli import main
from vecnet_core.errors import InputError
from vecnet_core.evaluation import evaluate, format_table
from vecnet_core.evaluation.clips import PairedClip
from vecnet_core.evaluation.protocol import baseline_methods
from vecnet_core.evaluation.publication import PAGE, SCORES, STRIPS, TABLE, publish, require_place
from vecnet_core.evaluation.scores import ClipJudge, ClipScores, cuts_and_duplicates, summarise
from vecnet_core.evaluation.strips import (
    MAX_BYTES,
    Strip,
    StripPictures,
    StripRow,
    best_baseline,
    compose_strips,
    draw_strip,
    encode_strip,
    reduced,
    telling_clips,
)

NAMES = ("alley", "beach", "cave", "dunes", "éclair")


def scene(name: str, height: int = 48, width: int = 64) -> np.ndarray:
    """A picture (H, W, 3) uint8 that differs from scene to scene."""
    y, x = np.mgrid[:height, :width] / height
    phase = NAMES.index(name)
    waves = [0.45 + 0.3 * np.sin(5 * x + phase + shift) * np.cos(4 * y) for shift in (0.0, 0.4, 0.9)]
    return np.round(np.stack(waves, axis=-1) * 255).astype(np.uint8)


def off_by(stray: float, *worse: str) -> Callable[[PairedClip], np.ndarray]:
    """A method that misses the reference by so much, and by three times as much in some scenes."""

    def answer(clip: PairedClip) -> np.ndarray:
        share = 3 if clip.name in worse else 1 + NAMES.index(clip.name) / 9
        return clip.reference + np.float32(stray * share)

    return answer


METHODS = {
    "input": lambda clip: clip.frames,
    "clahe": off_by(0.08),
    "mean_luma": off_by(0.06),
    "auto_gamma": off_by(0.09),
    "oracle": lambda clip: clip.reference,
    "without_alignment": off_by(0.01),
    "vecnet": off_by(0.05, "cave"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of five scenes, three frames each, and a bracket with both sides."""
    folder = tmp_path_factory.mktemp("data")
    for name in NAMES:
        for kind, gain in (("GT", 1.0), ("LQ", 0.4)):
            (folder / kind / name).mkdir(parents=True)
            for index in range(3):
                Image.fromarray((scene(name) * gain).astype(np.uint8)).save(folder / kind / name / f"{index}.png")
    for side, gain in (("ref", 1.0), ("under", 0.3), ("over", 1.2)):
        codes = np.minimum(scene("beach") * gain, 255).astype(np.uint8)
        Image.fromarray(codes).save(folder / f"beach_{side}.png")
    return folder


@pytest.fixture(scope="module")
def watched(data: Path) -> tuple[dict, StripPictures]:
    pictures = StripPictures()
    return evaluate(data, methods=METHODS, watch=pictures.keep), pictures


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command scores the methods of this file."""

    def score(folders: list[Path], *, corrector: None, **rest) -> dict:
        assert corrector is None
        return evaluate(folders, methods=METHODS, **rest)

    monkeypatch.setattr(command, "corrector_of", lambda options: None)
    monkeypatch.setattr(command, "evaluate", score)


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


WHOLE = {TABLE, PAGE, SCORES, *(f"{STRIPS}/{subset}.jpg" for subset in ("paired", "bracket_under", "bracket_over"))}


def test_a_report_is_the_table_the_page_the_scores_and_the_strips(watched, tmp_path: Path) -> None:
    result, pictures = watched
    written = publish(tmp_path / "new" / "report", result, pictures, "vecnet evaluate --report 'a b'")
    folder = tmp_path / "new" / "report"
    assert names_in(folder) == WHOLE == {str(path.relative_to(folder)) for path in written}
    table = format_table(result, markdown=True, details=False)
    assert (folder / TABLE).read_text(encoding="utf-8") == table + "\n"
    assert json.loads((folder / SCORES).read_text()) == result
    page = (folder / PAGE).read_text(encoding="utf-8")
    assert table in page
    assert "vecnet evaluate --report 'a b'" in page
    for link in re.findall(r"!\[.*?\]\((.*?)\)", page):
        assert (folder / link).is_file()
    for strip in folder.glob(f"{STRIPS}/*"):
        assert strip.stat().st_size < MAX_BYTES
        with Image.open(strip) as picture:
            assert picture.format == "JPEG"


def test_the_page_has_every_score_of_every_subset(watched, tmp_path: Path) -> None:
    result, pictures = watched
    publish(tmp_path, result, pictures, "vecnet evaluate")
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    for row in result["rows"]:
        section = sections[row["subset"]]
        (close,) = [line for line in section.splitlines() if f" {row['method']} " in line and row["worst_clip"] in line]
        for key, form in (("psnr_db", ".2f"), ("psnr_db_median", ".1f"), ("psnr_db_worst", ".1f"), ("ssim", ".3f"),
                          ("psnr_db_low", ".1f"), ("psnr_db_high", ".1f"), ("ssim_low", ".3f"), ("ssim_high", ".3f"),
                          ("ea_psnr_db", ".2f"), ("exposure_error_ev", ".2f")):  # fmt: skip
            assert f"{row[key]:{form}}" in close
        assert "fl. error 4x4" in section
        assert "clip chroma" in section
    ours = sections["paired"].split("<details>")[1]
    for clip in (each for each in result["clips"] if each["method"] == "vecnet" and each["subset"] == "paired"):
        (line,) = [line for line in ours.splitlines() if line.startswith(f"| {clip['clip']} ")]
        assert f"{clip['psnr_db']:.2f}" in line


def test_the_best_baseline_is_the_best_of_those_that_are_told_nothing(watched) -> None:
    rows = watched[0]["rows"]
    scores = {row["method"]: row["psnr_db"] for row in rows if row["subset"] == "paired"}
    best = best_baseline(rows, "paired")
    assert best is not None
    assert best["method"] == "mean_luma"
    assert scores["mean_luma"] == max(scores[name] for name in ("clahe", "mean_luma", "auto_gamma"))
    assert scores["without_alignment"] > scores["vecnet"] > scores["mean_luma"]
    told = [*rows, {"method": "oracle", "subset": "paired", "variant": "recorded", "psnr_db": 99.0}]
    assert best_baseline(told, "paired") == best
    strip = compose_strips(*watched)[-1]
    assert strip.columns == ("input", "vecnet", "mean_luma", "reference")
    worse = [{**row, "psnr_db": 1.0} if row["method"] == "mean_luma" else row for row in rows]
    assert (best_baseline(worse, "paired") or {})["method"] == "clahe"
    assert best_baseline([row for row in rows if row["method"] in {"input", "oracle", "vecnet"}], "paired") is None


def test_a_strip_shows_what_was_scored(watched) -> None:
    result, _ = watched
    (strip,) = [strip for strip in compose_strips(*watched) if strip.subset == "paired"]
    known = {(each["clip"], each["method"]): each["psnr_db"] for each in result["clips"] if each["subset"] == "paired"}
    assert strip.clip_count == 5
    assert strip.rows[0].clip == "cave"
    assert len(strip.rows) == 4
    for row in strip.rows:
        assert row.psnrs_db == (*(known[row.clip, name] for name in ("input", "vecnet", "mean_luma")), None)
        assert np.array_equal(row.pictures[-1], scene(row.clip))
        assert np.abs(row.pictures[0] - scene(row.clip) * 0.4).max() <= 1
    psnrs = [row.psnrs_db[1] for row in strip.rows]
    assert psnrs == sorted(psnrs)


def test_the_clips_that_tell_most() -> None:
    ours = {"a": 10.0, "b": 20.0, "c": 25.0, "d": 30.0, "e": 40.0}
    rival = {"a": 5.0, "b": 26.0, "c": 40.0, "d": 31.0, "e": 1.0}
    assert telling_clips(ours, rival, "clahe") == {
        "a": "worst of vecnet",
        "b": "of the others, furthest behind clahe",
        "c": "median of vecnet",
        "e": "best of vecnet",
    }
    assert telling_clips(ours, dict.fromkeys(ours, 0.0), "clahe")["b"] == "of the others, least ahead of clahe"
    assert list(telling_clips(ours, {}, "")) == ["a", "c", "e"]
    assert list(telling_clips({"b": 2.0, "a": 1.0}, {}, "")) == ["a", "b"]
    assert telling_clips({"a": 1.0}, {"a": 2.0}, "clahe") == {"a": "worst of vecnet"}


def strip_of(clip: str, psnr_db: float = 20.0, width: int = 64) -> Strip:
    picture = np.full((48, width, 3), 128, dtype=np.uint8)
    columns = ("input", "vecnet", "clahe", "reference")
    row = StripRow(clip, "worst of vecnet", (picture,) * 4, (psnr_db, psnr_db, psnr_db, None))
    return Strip("mixed", 1, columns, (1.0, 2.0, 3.0, None), (row,))


def test_names_and_numbers_are_drawn_inside_the_sheet_and_not_over_the_pictures() -> None:
    plain = np.asarray(draw_strip(strip_of("tom")))
    assert not np.array_equal(plain, np.asarray(draw_strip(strip_of("mot"))))  # as wide: nothing beside it moves
    assert not np.array_equal(plain, np.asarray(draw_strip(strip_of("tom", 21.0))))
    long = np.asarray(draw_strip(strip_of("a very long name of a scene " * 20)))
    assert long.shape == plain.shape
    for sheet in (plain, long):
        border = np.concatenate([sheet[:4].reshape(-1, 3), sheet[-4:].reshape(-1, 3), sheet[:, :4].reshape(-1, 3),
                                 sheet[:, -4:].reshape(-1, 3)])  # fmt: skip
        assert len(np.unique(border, axis=0)) == 1
        assert (sheet == 128).all(axis=-1).sum() >= 4 * 48 * 64


def test_a_noisy_strip_is_still_small_enough_to_be_committed() -> None:
    noise = np.clip(np.random.default_rng(0).normal(128, 60, (1200, 1300, 3)), 0, 255).astype(np.uint8)
    data = encode_strip(Image.fromarray(noise))
    assert len(data) <= MAX_BYTES
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (1300, 1200)


def test_pictures_are_copies_of_few_pixels() -> None:
    frames = np.random.default_rng(0).random((5, 400, 900, 3), dtype=np.float32)
    pictures = StripPictures()
    clip = PairedClip("a", "under", "steady", frames, frames, 25.0)
    pictures.keep(clip, "vecnet", frames)
    pictures.keep(clip, "oracle", frames)
    pictures.keep(PairedClip("b", "under", "drift", frames, frames, 25.0), "vecnet", frames)
    assert set(pictures.of("under", "a")) == {"vecnet", "reference"}
    assert pictures.of("under", "b") == {}
    assert all(picture.shape == (142, 320, 3) for picture in pictures.of("under", "a").values())
    assert not any(np.shares_memory(picture, frames) for picture in pictures.of("under", "a").values())
    assert reduced(frames[0, :40, :50]).shape == (40, 50, 3)
    assert reduced(frames[0, :, :100]).shape == (240, 60, 3)


def test_the_command_writes_the_report_over_an_earlier_one(without_network, data, tmp_path, capsys) -> None:
    folder = tmp_path / "report"
    (folder / STRIPS).mkdir(parents=True)
    (folder / PAGE).write_text("of last week")
    (folder / "notes.md").write_text("mine")
    assert main(["evaluate", "--data", str(data), "--report", str(folder)]) == 0
    assert names_in(folder) == {*WHOLE, "notes.md"}
    assert f"vecnet evaluate --data {data} --report {folder}\n" in (folder / PAGE).read_text(encoding="utf-8")
    assert (folder / "notes.md").read_text() == "mine"
    assert capsys.readouterr().out.endswith(f"Wrote {len(WHOLE)} files to {folder}.\n")


def test_the_report_goes_to_out_by_default(without_network, data, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--data", str(data), "--report"]) == 0
    assert names_in(tmp_path / "out" / "evaluation") == WHOLE


def test_two_folders_are_one_evaluation(without_network, data, tmp_path) -> None:
    brackets = tmp_path / "brackets"
    brackets.mkdir()
    for side in ("ref", "under"):
        Image.fromarray(scene("alley")).save(brackets / f"alley_{side}.png")
    target = tmp_path / "rows.json"
    assert main(["evaluate", "--data", str(data), "--brackets", str(brackets), "--json", str(target)]) == 0
    result = json.loads(target.read_text())
    assert result["protocol"]["data"] == [data.name, "brackets"]
    assert {row["clips"] for row in result["rows"] if row["subset"] == "bracket_under"} == {2}


@pytest.mark.parametrize("form", ["file", "below a file", "strips is a file", "page is a folder"])
def test_a_place_that_takes_no_report_is_refused_before_the_run(data, tmp_path, monkeypatch, capsys, form) -> None:
    def too_late(options) -> None:
        raise AssertionError("the evaluation began")

    monkeypatch.setattr(command, "corrector_of", too_late)
    folder = tmp_path / "report"
    if form == "strips is a file":
        folder.mkdir()
    if form == "page is a folder":
        (folder / PAGE).mkdir(parents=True)
    blocked = folder / STRIPS if form == "strips is a file" else folder
    if not blocked.exists():
        blocked.write_text("precious")
    before = set(tmp_path.rglob("*"))
    asked = folder / "deep" / "er" if form == "below a file" else folder
    assert main(["evaluate", "--data", str(data), "--report", str(asked)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(folder) in said
    assert set(tmp_path.rglob("*")) - before <= {folder / STRIPS}
    assert not list(tmp_path.rglob("*.part"))
    assert blocked.is_dir() or blocked.read_text() == "precious"


def test_a_locked_folder_is_refused_before_the_run(locked, data, monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "corrector_of", lambda options: pytest.fail("the evaluation began"))
    assert main(["evaluate", "--data", str(data), "--report", str(locked)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_takes_no_files_is_told_by_trying(tmp_path, monkeypatch) -> None:
    (tmp_path / STRIPS).mkdir()
    require_place(tmp_path)
    assert names_in(tmp_path) == set()

    def refuse(path: Path, **options) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(InputError, match="cannot be written here"):
        require_place(tmp_path)


def test_an_evaluation_that_fails_leaves_no_folder(without_network, tmp_path, capsys) -> None:
    assert main(["evaluate", "--data", str(tmp_path / "typo"), "--report", str(tmp_path / "a" / "report")]) == 2
    assert "typo" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_earlier_report_as_it_was(watched, tmp_path, monkeypatch) -> None:
    result, pictures = watched
    publish(tmp_path, result, pictures, "the first")
    before = {name: (tmp_path / name).read_bytes() for name in names_in(tmp_path)}
    write = Path.write_bytes

    def fill_the_disk(path: Path, content: bytes) -> int:
        if content.startswith(b"\xff\xd8"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    with pytest.raises(InputError, match="No space left"):
        publish(tmp_path, result, pictures, "the second")
    assert {name: (tmp_path / name).read_bytes() for name in names_in(tmp_path)} == before


def test_clips_without_a_clipped_pixel_are_null_in_json(watched) -> None:
    clips = watched[0]["clips"]
    assert any(each["clipped_luma_bias"] is None for each in clips)
    json.dumps(clips, allow_nan=False)
    assert len(clips) == sum(row["clips"] for row in watched[0]["rows"])


def test_the_summary_of_ssim_is_as_full_as_that_of_psnr() -> None:
    ssims = [0.5, 0.9, 0.7, 0.8, 0.6, 0.95]
    summary = summarise([ClipScores(30 * ssim, ssim, *[0.0] * 8) for ssim in ssims])
    assert summary["ssim"] == pytest.approx(np.mean(ssims))
    assert (summary["ssim_median"], summary["ssim_worst"]) == (pytest.approx(0.75), 0.5)
    assert 0.5 < summary["ssim_low"] < summary["ssim"] < summary["ssim_high"] < 0.95
    for end in ("low", "high", "median", "worst"):
        assert summary[f"psnr_db_{end}"] == pytest.approx(30 * summary[f"ssim_{end}"])


def test_flicker_without_reference_leaves_out_cuts_and_repeated_frames() -> None:
    rng = np.random.default_rng(3)
    first, second = (rng.random((6, 6, 3)).repeat(32, 0).repeat(32, 1).astype(np.float32) for _ in range(2))
    second *= np.float32(0.5)
    drift = [np.roll(first if t < 6 else second, 4 * t, axis=1) for t in range(12)]
    drift[3] = drift[2]
    frames = np.stack(drift)
    assert cuts_and_duplicates(frames) == ([6], [3])
    corrected = frames.copy()
    corrected[3] *= np.float32(0.5)  # of a repeated frame nothing is asked
    scores = ClipJudge(PairedClip("a", "paired", "recorded", frames, frames, 24.0)).score(corrected, 0.0)
    assert scores.flicker_stops < 0.02
    assert scores.flicker_error_stops > 0.1


def test_every_baseline_of_the_protocol_is_there() -> None:
    assert set(baseline_methods()) == {
        "input", "auto_gamma", "clahe", "mean_luma", "ffmpeg_normalize", "ffmpeg_normalize_deflicker", "oracle",
    }  # fmt: skip
