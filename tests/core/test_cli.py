"""Laws of the command line: what is wrong is one sentence and exit code 2, and nothing is left behind."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import FRAMES, cut_fast_start, make_clip, make_sound
from PIL import Image

from vecnet_core.checkpoint import save_checkpoint
from vecnet_core.cli import main
from vecnet_core.cli.parser import make_parser, seconds
from vecnet_core.command import command_line, studio_line
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.project import Clip, Project
from vecnet_core.settings import CorrectionSettings
from vecnet_core.training import train
from vecnet_core.video.color import to_rgb
from vecnet_core.video.reader import VideoReader

SMALL_NETWORK = VECNetConfig(analysis_short_side=32, widths=(8, 12, 16), depths=(1, 1, 1), token_channels=16)
HEAVY = {"torch", "av", "PySide6", "numba", "matplotlib"}


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_help_and_the_package_load_nothing_heavy():
    code = "import vecnet_core.command, vecnet_core.cli.parser as parser\nparser.make_parser().format_help()"
    assert not loaded_by(code) & (HEAVY | {"numpy"})
    assert not loaded_by("import vecnet_core.cli\nimport vecnet_core.project") & HEAVY


def test_every_public_name_is_there():
    import vecnet_core

    assert set(vecnet_core.__all__) <= set(dir(vecnet_core))
    for name in vecnet_core.__all__:
        assert getattr(vecnet_core, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = vecnet_core.nonsense


def test_every_command_has_help(capsys):
    parser = make_parser()
    text = parser.format_help()
    assert "examples:" in text
    for command in ("correct", "inspect", "maps", "evaluate", "train", "studio", "doctor", "bench"):
        assert command in text
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert len(capsys.readouterr().out) > 100


def test_correct_writes_the_clip_and_makes_its_folder(clip, tmp_path, capsys):
    output = tmp_path / "new" / "deep" / "out.mkv"
    code = main(["correct", str(clip), str(output), "--strength", "0", "--codec", "ffv1", "--json"])
    assert code == 0
    told = lines(capsys.readouterr().out)
    assert {"event", "stage", "done", "total", "seconds_left"} <= set(told[0])
    assert told[-1]["event"] == "done"
    assert told[-1]["output"] == str(output)
    assert told[-1]["frames"] == FRAMES
    assert [line["done"] for line in told if line.get("stage") == "verify"] == list(range(8))
    assert {"name": "frames", "ok": True, "words": f"{FRAMES} frames"} in told[-1]["checks"]
    with VideoReader(output) as after, VideoReader(clip) as before:
        for old, new in zip(before.frames(), after.frames(), strict=True):
            assert all((x == y).all() for x, y in zip(old.planes, new.planes, strict=True))


def test_json_can_go_to_a_file(clip, tmp_path, capsys):
    report = tmp_path / "told" / "report.json"
    main(["correct", str(clip), str(tmp_path / "out.mp4"), "--strength", "0", "--json", str(report)])
    assert lines(report.read_text())[-1]["event"] == "done"
    text = capsys.readouterr().out
    assert "Wrote" in text
    assert f"Checked: the file opens, {FRAMES} frames, times, duration, size, colour tags, " in text


@pytest.fixture
def two_clips(tmp_path, monkeypatch):
    """Two clips in the working folder, and their bytes."""
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    return (tmp_path / "a.mp4").read_bytes()


@pytest.mark.parametrize("command", ["inspect", "correct", "maps", "evaluate", "train", "studio", "doctor"])
@pytest.mark.parametrize("name", ["a.mp4", "a", "new.mov", "folder"])
def test_json_never_takes_a_clip_for_its_target(two_clips, tmp_path, capsys, command, name):
    (tmp_path / "a").write_bytes(b"a clip without an ending")
    (tmp_path / "folder").mkdir()
    there = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(SystemExit) as ended:
        main([command, "--json", name, "b.mp4"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{name!r} is no JSON file" in said
    assert {path.name for path in tmp_path.iterdir()} == there
    assert (tmp_path / "a.mp4").read_bytes() == two_clips
    assert (tmp_path / "a").read_bytes() == b"a clip without an ending"


@pytest.mark.parametrize("name", ["a.json", "./a.json", "link.json", "hard.json"])
def test_json_never_replaces_a_file_of_its_command(two_clips, tmp_path, capsys, name):
    clip = tmp_path / "a.json"
    (tmp_path / "a.mp4").rename(clip)
    (tmp_path / "link.json").symlink_to(clip)
    (tmp_path / "hard.json").hardlink_to(clip)
    assert main(["inspect", "a.json", "--json", name]) == 2
    assert main(["studio", "b.mp4", "a.json", "--json", name]) == 2
    assert capsys.readouterr().err.count("this very command; choose another place.\n") == 2
    assert clip.read_bytes() == two_clips


def test_a_refused_command_keeps_an_earlier_json_file(clip, tmp_path, capsys):
    earlier = tmp_path / "eval.json"
    earlier.write_text("precious")
    for arguments in (
        ["evaluate", "--data", str(tmp_path / "typo")],
        ["inspect", str(tmp_path / "typo.mp4")],
        ["correct", str(clip), str(clip)],
    ):
        assert main([*arguments, "--json", str(earlier)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
        assert earlier.read_text() == "precious"
    fresh = tmp_path / "fresh.json"
    assert main(["inspect", str(tmp_path / "typo.mp4"), "--json", str(fresh)]) == 2
    assert json.loads(fresh.read_text())["event"] == "error"


def test_a_json_document_comes_whole_or_not_at_all(clip, tmp_path, monkeypatch, capsys):
    report = tmp_path / "report.json"
    report.write_text("precious")
    with monkeypatch.context() as full:

        def fill_the_disk(path, target):
            assert path.read_text().endswith("}\n")
            raise OSError(errno.ENOSPC, "No space left on device")

        full.setattr(Path, "replace", fill_the_disk)
        assert main(["inspect", str(clip), "--json", str(report)]) == 2
    assert "No space left" in capsys.readouterr().err
    assert report.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {clip.name, "report.json"}
    assert main(["inspect", str(clip), "--json", str(report)]) == 0
    assert json.loads(report.read_text())["frame_count"] == FRAMES


def test_an_unwritable_json_file_is_one_sentence(clip, locked, tmp_path, capsys):
    output = tmp_path / "out.mp4"
    for arguments in (["inspect", str(clip)], ["inspect", "missing.mp4"], ["correct", str(clip), str(output)]):
        neutral = ["--strength", "0"] if arguments[0] == "correct" else []
        assert main([*arguments, *neutral, "--json", str(locked / "new" / "a.json")]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not output.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@pytest.mark.parametrize("command", ["inspect", "correct"])
def test_a_full_disk_under_the_json_is_one_sentence(clip, tmp_path, capsys, command):
    more = [str(tmp_path / "out.mp4"), "--strength", "0"] if command == "correct" else []
    assert main([command, str(clip), *more, "--json", "/dev/full"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "No space left" in said
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="/dev is Unix's")
@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/fd/1"])
def test_json_can_go_to_a_device_even_where_that_leads_to_a_file(clip, tmp_path, target):
    told = tmp_path / "told.txt"
    call = [*command_line(), "inspect", str(clip), "--json", target]
    with told.open("a") as file:
        subprocess.run(call, stdout=file, check=True)
    assert f'"frame_count": {FRAMES},' in told.read_text()
    assert ("Flicker:" in told.read_text()) == (target != "/dev/stdout")


def test_start_and_end_choose_a_part(clip, tmp_path):
    output = tmp_path / "out.mp4"
    assert main(["correct", str(clip), str(output), "--strength", "0", "--start", "0.12", "--end", "0:00.32"]) == 0
    with VideoReader(output) as reader:
        assert reader.info.frame_count == 5


def export_project(tmp_path, *names):
    """A project of clips at strength 0, exported beside them; its path."""
    path = tmp_path / "job.vecnet"
    neutral = CorrectionSettings(strength=0)
    clips = (Clip(tmp_path / name, neutral, output=tmp_path / f"out_{name}") for name in names)
    Project(tuple(clips), "cpu").save(path)
    return path


@pytest.mark.usefixtures("two_clips")
def test_a_project_is_exported_clip_by_clip(tmp_path, capsys):
    project = export_project(tmp_path, "a.mp4", "b.mp4")
    assert main(["export", str(project), "--json"]) == 0
    events = lines(capsys.readouterr().out)
    assert [event["number"] for event in events if event["event"] == "clip"] == [1, 2]
    written = [Path(event["output"]) for event in events if event["event"] == "done"]
    assert written == [tmp_path / "out_a.mp4", tmp_path / "out_b.mp4"]
    assert [VideoReader(path).info.frame_count for path in written] == [FRAMES, FRAMES]
    assert main(["export", str(project)]) == 2
    assert capsys.readouterr().err.count("exists already") == 2
    assert main(["export", str(project), "--resume"]) == 0
    assert capsys.readouterr().err.count("nothing to do") == 2
    assert main(["export", str(project), "--overwrite"]) == 0


@pytest.mark.usefixtures("two_clips")
def test_a_clip_that_fails_keeps_no_other_from_being_exported(tmp_path, capsys):
    project = export_project(tmp_path, "missing.mp4", "a.mp4")
    assert main(["export", str(project), "--json"]) == 2
    told = capsys.readouterr()
    assert [event["event"] for event in lines(told.out) if event["event"] in {"error", "done"}] == ["error", "done"]
    assert "missing.mp4" in told.err
    assert "Traceback" not in told.err
    assert (tmp_path / "out_a.mp4").exists()


@pytest.mark.usefixtures("two_clips")
def test_outputs_of_a_project_never_collide(tmp_path, capsys):
    neutral = CorrectionSettings(strength=0)
    a, b = tmp_path / "a.mp4", tmp_path / "b.mp4"
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    for first, second, words in (
        (tmp_path / "x.mp4", tmp_path / "link" / "x.mp4", "output of two clips"),
        (tmp_path / "x.mp4", a, "source of a clip"),
    ):
        path = tmp_path / "job.vecnet"
        Project((Clip(a, neutral, output=first), Clip(b, neutral, output=second)), "cpu").save(path)
        whole = a.read_bytes()
        assert main(["export", str(path), "--overwrite"]) == 2
        assert words in capsys.readouterr().err
        assert a.read_bytes() == whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"version": 2, "clips": [{"path": "a.mp4", "output": "x\\ud800.mp4"}]}', "must be a text"),
        ("", "not a project"),
        ('{"version": 99}', "newer version"),
        ('{"version": 2, "clips": []}', "no clips"),
        ('{"version": 2, "clips": [{"path": "a.mp4"}]}', "no output"),
    ],
)
def test_a_project_that_cannot_be_exported_is_one_sentence(tmp_path, capsys, text, words):
    path = tmp_path / "bad.vecnet"
    path.write_text(text)
    assert main(["export", str(path)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("12.5", 12.5), ("1:02.5", 62.5), ("1:00:01", 3601.0), ("00:00:00.04", 0.04)]
)
def test_times_are_read(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.fixture
def bad(tmp_path):
    """A folder with one of each file that is no video, a good clip, and an output that exists."""
    (tmp_path / "text.mp4").write_text("this is no video\n" * 99)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    make_sound(tmp_path / "sound.mp4")
    whole = make_clip(tmp_path / "good.mp4", audio="aac").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    cut_fast_start(tmp_path / "good.mp4", tmp_path / "torn.mp4", 0.7)
    (tmp_path / "old.mp4").write_bytes(b"precious")
    return tmp_path


BAD_CALLS = [
    (["text.mp4", "new/out.mp4"], "text.mp4", "not a video"),
    (["empty.mp4", "new/out.mp4"], "empty.mp4", "empty"),
    (["folder.mp4", "new/out.mp4"], "folder.mp4", "folder"),
    (["sound.mp4", "new/out.mp4"], "sound.mp4", "only sound"),
    (["cut.mp4", "new/out.mp4"], "cut.mp4", "cut short"),
    (["torn.mp4", "new/out.mp4"], "torn.mp4", "--end 0."),
    (["missing.mp4", "new/out.mp4"], "missing.mp4", "no such file"),
    (["good.mp4", "good.mp4", "--overwrite"], "good.mp4", "source itself"),
    (["good.mp4", "old.mp4"], "old.mp4", "exists already"),
    (["text.mp4", "old.mp4", "--overwrite"], "text.mp4", "not a video"),
    (["good.mp4", "folder.mp4"], "folder.mp4", "folder"),
    (["good.mp4", "new/out.xyz"], "out.xyz", "ending"),
    (["good.mp4", "new/out.avi"], "out.avi", "ending"),
    (["good.mp4", "n" * 300 + ".mp4"], "nnn", "too long"),
    (["good.mp4", "text.mp4/out.mp4"], "text.mp4", "folder"),
    (["good.mp4", "new/out.mp4", "--strength", "9"], "strength", "0 to 1"),
    (["good.mp4", "new/out.mp4", "--codec", "mpeg7"], "mpeg7", "h264"),
    (["good.mp4", "new/out.mp4", "--crf", "99"], "crf", "0 to 51"),
    (["good.mp4", "new/out.mp4", "--start", "99"], "good.mp4", "after the clip's end"),
    (["good.mp4", "new/out.mp4", "--start", "2", "--end", "1"], "range", "empty"),
    (["good.mp4", "new/out.webm", "--codec", "av1"], "out.webm", "aac"),
    (["good.mp4", "new/out.mp4", "--strength", "1", "--checkpoint", "missing.safetensors"], "missing", "weights"),
    (["good.mp4", "new/out.mp4", "--strength", "1", "--checkpoint", "text.mp4"], "text.mp4", "safetensors"),
]


@pytest.mark.parametrize(("arguments", "name", "words"), BAD_CALLS, ids=[" ".join(call[0]) for call in BAD_CALLS])
def test_bad_input_is_one_sentence_and_leaves_nothing(bad, capsys, monkeypatch, arguments, name, words):
    monkeypatch.chdir(bad)
    there = {path.name: path.stat().st_mtime_ns for path in bad.iterdir()}
    neutral = [] if "--strength" in arguments else ["--strength", "0"]
    assert main(["correct", *arguments, *neutral, "--json"]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert name in said.err
    assert words in said.err
    assert said.err.rstrip().endswith(".")
    assert lines(said.out)[-1] == {"event": "error", "message": said.err.rstrip("\n")}
    assert {path.name: path.stat().st_mtime_ns for path in bad.iterdir()} == there
    assert (bad / "old.mp4").read_bytes() == b"precious"


def test_an_unwritable_folder_is_one_sentence(bad, locked, capsys):
    for target in (locked / "out.mp4", locked / "new" / "out.mp4"):
        assert main(["correct", str(bad / "good.mp4"), str(target), "--strength", "0"]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_may_not_be_entered_is_one_sentence(bad, closed, capsys):
    good, inside, output = str(bad / "good.mp4"), str(closed / "a.mp4"), str(bad / "out.mp4")
    for arguments in ([good, inside], [inside, output], [good, output, "--checkpoint", inside, "--strength", "1"]):
        assert main(["correct", *arguments]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "a.mp4" in said
        assert "Permission denied" in said
    assert not Path(output).exists()


def test_overwrite_replaces(bad):
    old = bad / "old.mp4"
    assert main(["correct", str(bad / "good.mp4"), str(old), "--strength", "0", "--overwrite"]) == 0
    with VideoReader(old) as reader:
        assert reader.info.frame_count == FRAMES


@pytest.mark.parametrize(
    "arguments", [[], ["correct"], ["correct", "a"], ["dance"], ["correct", "a", "b", "--crf", "x"]]
)
def test_a_wrong_call_is_one_sentence(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--help" in said


@pytest.mark.parametrize("command", [["inspect"], ["maps"]])
@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4", "sound.mp4", "cut.mp4", "missing.mp4"])
def test_other_commands_refuse_bad_input_too(bad, capsys, command, name):
    arguments = [*command, str(bad / name), *([str(bad / "maps")] if command == ["maps"] else [])]
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (bad / "maps").exists()


def test_inspect_tells_the_facts(clip, capsys):
    assert main(["inspect", str(clip), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["width"], facts["height"], facts["frame_count"]) == (64, 48, FRAMES)
    assert facts["color"]["assumed"] == []
    assert set(facts["flicker"]) == {"stops", "peak_frequency_hz", "amplitude_stops"}
    assert len(facts["exposure"]["frames_ev"]) == FRAMES
    assert main(["inspect", str(clip)]) == 0
    assert "Flicker:" in capsys.readouterr().out


@pytest.fixture
def weights(tmp_path):
    """A tiny network, so that maps take no time."""
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, VECNet(SMALL_NETWORK), {})
    return ["--checkpoint", str(path), "--device", "cpu"]


def test_maps_replace_pictures_only_when_that_is_wanted(clip, tmp_path, weights, capsys):
    folder = tmp_path / "new" / "maps"
    call = ["maps", str(clip), str(folder), *weights]
    assert main([*call, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["maps"]
    assert {Path(path) for path in told.values()} == set(folder.iterdir())
    (folder / "weights.png").write_bytes(b"precious")
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(call) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "source.png: the output exists already; add --overwrite" in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == there
    assert main([*call, "--overwrite"]) == 0
    assert (folder / "weights.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("options", "size"), [({"rotation": 90}, (48, 64)), ({"rotation": 90, "pixel_aspect": Fraction(3, 2)}, (48, 96))]
)
def test_maps_are_as_players_show_the_clip(new_clip, tmp_path, weights, options, size):
    clip = new_clip("turned.mp4", **options)
    assert main(["maps", str(clip), str(tmp_path / "maps"), *weights]) == 0
    for path in (tmp_path / "maps").iterdir():
        with Image.open(path) as picture:
            assert picture.size == size
    with VideoReader(clip) as reader:
        wanted = np.rot90(to_rgb(reader.frame(0)))
    with Image.open(tmp_path / "maps" / "source.png") as picture:
        found = np.asarray(picture.resize((48, 64)))
    assert np.abs(found / 255 - wanted).mean() < 0.02


def test_maps_try_their_folder_before_any_work(clip, locked, tmp_path, monkeypatch, capsys):
    def work(*_):
        raise AssertionError("the folder was not tried first")

    monkeypatch.setattr("vecnet_core.cli.maps.corrector_of", work)
    monkeypatch.setattr("vecnet_core.cli.maps.LightScan", work)
    (tmp_path / "file").touch()
    for folder in (locked, locked / "new", tmp_path / "file", tmp_path / "file" / "new", tmp_path / ("n" * 300)):
        assert main(["maps", str(clip), str(folder)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} - {"locked"} == {clip.name, "file"}


def test_maps_never_replace_their_source(clip, tmp_path, weights, capsys):
    assert main(["maps", str(clip), str(tmp_path), *weights]) == 0
    source = tmp_path / "source.png"
    before = source.read_bytes()
    assert main(["maps", str(source), str(tmp_path), "--overwrite", *weights]) == 2
    assert "source itself" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_studio_tells_its_end_as_json(tmp_path, monkeypatch, capsys):
    code = "import sys; sys.exit(len(sys.argv))"
    monkeypatch.setattr("vecnet_core.cli.studio.studio_line", lambda: (sys.executable, "-c", code))
    assert main(["studio", "a.mp4", "b.mp4", "--json"]) == 3
    assert lines(capsys.readouterr().out) == [{"event": "done", "files": ["a.mp4", "b.mp4"], "exit_code": 3}]
    report = tmp_path / "told.jsonl"
    assert main(["studio", "--json", str(report)]) == 1
    assert lines(report.read_text()) == [{"event": "done", "files": [], "exit_code": 1}]
    monkeypatch.setattr("vecnet_core.cli.studio.studio_line", lambda: (str(tmp_path / "missing"),))
    assert main(["studio", "--json"]) == 2
    assert lines(capsys.readouterr().out)[-1]["event"] == "error"


@pytest.fixture
def interrupt_training_at(tmp_path, monkeypatch):
    """Makes `vecnet train`, with a checkpoint every 2 steps, be interrupted when a step has been done."""
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)).save(tmp_path / "photo.png")
    (tmp_path / "run.toml").write_text(
        f"train = ['{tmp_path}']\nvalidate = ['{tmp_path}']\npacked = '{tmp_path / 'packed'}'\n"
        f"out = '{tmp_path / 'run'}'\nsteps = 9\nworkers = 0\ncheckpoint_every = 2\nvalidation_batches = 1\n"
        "[network]\nanalysis_short_side = 32\nwidths = [8, 12, 16]\ndepths = [1, 1, 1]\ntoken_channels = 16\n"
        "[synthesis]\nsizes = [[32, 32]]\nsize_shares = [1.0]\nwindows = 4\n"
    )

    def run(step, *options):
        def interrupted(config, *, resume):
            for each in train(config, resume=resume):
                if each.step > step:
                    raise KeyboardInterrupt
                yield each
                if each.step == step:
                    raise KeyboardInterrupt

        monkeypatch.setattr("vecnet_core.cli.train.train", interrupted)
        return main(["train", str(tmp_path / "run.toml"), *options])

    return run


def test_interrupted_training_says_what_is_kept_and_how_to_go_on(interrupt_training_at, tmp_path, capsys):
    assert interrupt_training_at(1) == 130
    assert capsys.readouterr().err == "Interrupted at step 1, before the first checkpoint; start again.\n"
    assert interrupt_training_at(3) == 130
    assert capsys.readouterr().err == "Interrupted at step 3; go on with --resume from step 2.\n"
    kept = (tmp_path / "run" / "state_0000002.safetensors").read_bytes()
    assert interrupt_training_at(9) == 2
    assert "a run is here already; add --resume" in capsys.readouterr().err
    assert (tmp_path / "run" / "state_0000002.safetensors").read_bytes() == kept
    assert interrupt_training_at(0, "--resume") == 130
    assert capsys.readouterr().err == "Interrupted at step 2; go on with --resume from step 2.\n"
    assert interrupt_training_at(5, "--resume", "--json") == 130
    told = lines(capsys.readouterr().out)
    assert [each.get("step") for each in told] == [3, 4, 5, None]
    assert told[-1] == {"event": "interrupted", "message": "Interrupted at step 5; go on with --resume from step 4."}


def test_the_command_line_is_called_as_a_module_and_interrupts_cleanly(new_clip, tmp_path):
    source = new_clip("clip.mp4", frames=60, size=(360, 640))
    folder = tmp_path / "out"
    child = subprocess.Popen(
        [
            *command_line(),
            "correct",
            str(source),
            str(folder / "out.mp4"),
            "--strength",
            "0",
            "--preset",
            "placebo",
            "--json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert json.loads(child.stdout.readline())["event"] == "progress"
    if sys.platform == "win32":
        child.kill()
        child.communicate()
        return
    child.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, said = child.communicate(timeout=60)
    assert child.returncode in {0, 130}
    if child.returncode == 130:
        assert said.count("\n") == 1
        assert not folder.exists()
    assert time.monotonic() - begun < 60


def test_commands_are_called_as_siblings_in_a_bundle(monkeypatch):
    assert command_line() == (sys.executable, "-m", "vecnet_core.cli")
    assert studio_line() == (sys.executable, "-m", "app")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/vecnet/vecnet-studio")
    assert command_line() == ("/opt/vecnet/vecnet",)
    assert studio_line() == ("/opt/vecnet/vecnet-studio",)
