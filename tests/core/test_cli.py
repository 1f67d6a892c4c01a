"""Laws of the command line: what is wrong is one sentence and exit code 2, and nothing is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from clips import FRAMES, cut_fast_start, make_clip, make_sound

from vecnet_core.cli import main
from vecnet_core.cli.parser import make_parser, seconds
from vecnet_core.command import command_line, studio_line
from vecnet_core.video.reader import VideoReader

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
    for command in ("correct", "inspect", "maps", "evaluate", "train", "studio", "doctor"):
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
    with VideoReader(output) as after, VideoReader(clip) as before:
        for old, new in zip(before.frames(), after.frames(), strict=True):
            assert all((x == y).all() for x, y in zip(old.planes, new.planes, strict=True))


def test_json_can_go_to_a_file(clip, tmp_path, capsys):
    report = tmp_path / "told" / "report.json"
    main(["correct", str(clip), str(tmp_path / "out.mp4"), "--strength", "0", "--json", str(report)])
    assert lines(report.read_text())[-1]["event"] == "done"
    assert "Wrote" in capsys.readouterr().out


def test_start_and_end_choose_a_part(clip, tmp_path):
    output = tmp_path / "out.mp4"
    assert main(["correct", str(clip), str(output), "--strength", "0", "--start", "0.12", "--end", "0:00.32"]) == 0
    with VideoReader(output) as reader:
        assert reader.info.frame_count == 5


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
