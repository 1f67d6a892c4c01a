"""Laws of an interrupted export: nothing that was done is lost, and what comes of it is what would have come anyway."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from clips import FRAMES, audio_packets, make_clip

from vecnet_core.checkpoint import Checkpoint
from vecnet_core.cli.main import main
from vecnet_core.correction.corrector import Corrector
from vecnet_core.device import Device
from vecnet_core.errors import InputError, VideoReadError, VideoWriteError
from vecnet_core.export import export_video
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.project import Clip, Project
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video import writer as writing
from vecnet_core.video.damage import Findings
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.packets import PacketFile
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.unfinished import Unfinished, discard_unfinished, find_unfinished, unfinished_folder

NEUTRAL = CorrectionSettings(strength=0.0)
LOSSLESS = EncodeSettings("ffv1")
CODECS = [
    (EncodeSettings("h264", preset="ultrafast"), "mp4"),
    (EncodeSettings("h264"), "mkv"),
    (EncodeSettings("hevc", preset="ultrafast"), "mov"),
    (EncodeSettings("av1", preset="12"), "mp4"),
    (EncodeSettings("prores"), "mov"),
    (LOSSLESS, "mkv"),
]
CHILD = """
import sys
from vecnet_core import export
from vecnet_core.video import writer
writer.GROUP_FRAMES, export._PROGRESS_SECONDS = 8, 0
from vecnet_core.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
KILLED_FRAMES = 96


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(writing, "GROUP_FRAMES", 4)


@pytest.fixture(scope="module")
def corrector():
    import torch

    torch.manual_seed(0)
    network = VECNet(VECNetConfig(analysis_short_side=32, widths=(8, 8, 8), depths=(1, 1, 1), token_channels=8)).eval()
    return Corrector(Checkpoint(network, "0" * 16), Device("cpu", "CPU"))


def frames_of(path):
    """Every decoded frame of a file with its time."""
    with VideoReader(path) as reader:
        return [(frame.pts * frame.time_base, frame.planes) for frame in reader.frames()]


def equal(one, other):
    return len(one) == len(other) and all(
        a == b and all(map(np.array_equal, x, y)) for (a, x), (b, y) in zip(one, other, strict=True)
    )


def stop_after(clip, frames, corrector=None, **options):
    """Export until that many frames are encoded, then stop as if by Ctrl+C."""
    export = export_video(clip, corrector, **options)
    for progress in export:
        if progress.stage == "export" and progress.done >= frames:
            break
    export.close()


@pytest.fixture(autouse=True)
def telling_every_frame(monkeypatch):
    monkeypatch.setattr("vecnet_core.export._PROGRESS_SECONDS", 0)


@pytest.mark.parametrize(("encode", "ending"), CODECS, ids=[f"{encode.codec}-{ending}" for encode, ending in CODECS])
def test_a_resumed_file_equals_an_undisturbed_one(new_clip, tmp_path, encode, ending):
    source = new_clip("source.mkv", codec="ffv1", layout="yuv420p", audio="aac")
    whole, resumed = (Clip(source, NEUTRAL, encode=encode, output=tmp_path / f"{name}.{ending}") for name in "ab")
    list(export_video(whole))
    stop_after(resumed, 10)
    kept = find_unfinished(resumed.output)
    assert kept is not None
    assert kept.frames in {4, 8}
    assert not resumed.output.exists()
    told = list(export_video(resumed, resume=True))
    assert (told[-1].kept, told[-1].done) == (kept.frames, FRAMES)
    assert equal(frames_of(whole.output), frames_of(resumed.output))
    assert audio_packets(whole.output) == audio_packets(resumed.output)
    assert {path.suffix for path in tmp_path.iterdir()} == {".mkv", f".{ending}"}


@pytest.mark.parametrize("settings", [CorrectionSettings(), CorrectionSettings(denoise=0.5)], ids=["light", "denoised"])
@pytest.mark.parametrize("start", [0.0, 0.1])
def test_corrected_frames_are_the_same_to_the_last_bit(new_clip, tmp_path, corrector, settings, start):
    source = new_clip("source.mkv", codec="ffv1", frames=14)
    whole, resumed = (Clip(source, settings, start, encode=LOSSLESS, output=tmp_path / f"{name}.mkv") for name in "ab")
    list(export_video(whole, corrector))
    stop_after(resumed, 9, corrector)
    told = list(export_video(resumed, corrector, resume=True))
    assert told[-1].kept >= 4
    assert "light" not in {each.stage for each in told}  # it was measured before
    assert equal(frames_of(whole.output), frames_of(resumed.output))


def test_times_of_a_variable_rate_survive(new_clip, tmp_path):
    times = [0, 3, 4, 9, 10, 16, 17, 18, 30, 31, 32, 40]
    source = new_clip("source.mp4", pts=times)
    for ending in ("mp4", "mkv"):
        clip = Clip(source, NEUTRAL, encode=EncodeSettings("h264"), output=tmp_path / f"out.{ending}")
        stop_after(clip, 6)
        list(export_video(clip, resume=True))
        seconds = [float(time) for time, _ in frames_of(clip.output)]
        assert np.allclose(seconds, np.array(times) / 25, atol=0.0011 if ending == "mkv" else 1e-9)


def test_nothing_goes_on_unasked_or_with_something_else(new_clip, tmp_path):
    source = new_clip("source.mkv", codec="ffv1")
    clip = Clip(source, NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    stop_after(clip, 9)
    kept = find_unfinished(clip.output)
    with pytest.raises(InputError, match=r"interrupted after [48] of 12 frames.*--resume.*--restart"):
        list(export_video(clip))
    others = [
        Clip(source, NEUTRAL, encode=EncodeSettings("h264"), output=clip.output),
        Clip(source, NEUTRAL, 0.04, encode=LOSSLESS, output=clip.output),
        Clip(new_clip("other.mkv", codec="ffv1"), NEUTRAL, encode=LOSSLESS, output=clip.output),
    ]
    for other, word in zip(others, ("encoder", "range", "source"), strict=True):
        with pytest.raises(InputError, match=f"differs from this one.*{word}"):
            list(export_video(other, resume=True))
    assert find_unfinished(clip.output) == kept
    discard_unfinished(clip.output)
    assert find_unfinished(clip.output) is None
    assert not unfinished_folder(clip.output).exists()
    list(export_video(clip))


def test_a_group_that_is_gone_or_cut_is_made_again(new_clip, tmp_path):
    source = new_clip("source.mkv", codec="ffv1")
    clip = Clip(source, NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    for spoil in (Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-7])):
        stop_after(clip, 12)
        folder = unfinished_folder(clip.output)
        groups = sorted(folder.glob("*.packets"))
        assert len(groups) >= 2
        spoil(groups[1])
        told = list(export_video(clip, resume=True))
        assert told[-1].kept == 4
        assert equal(frames_of(clip.output), frames_of(source))
        clip.output.unlink()


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff\x00", b'{"version": 1, "job": 3}', b"[" * 99_999])
def test_a_damaged_manifest_is_no_reason_to_fail(new_clip, tmp_path, text):
    clip = Clip(new_clip("source.mkv", codec="ffv1"), NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    stop_after(clip, 9)
    (unfinished_folder(clip.output) / "manifest.json").write_bytes(text)
    told = list(export_video(clip, resume=True))
    assert (told[-1].kept, told[-1].done) == (0, FRAMES)


def test_a_manifest_reaches_no_file_outside_its_folder(new_clip, tmp_path):
    clip = Clip(new_clip("source.mkv", codec="ffv1"), NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    stop_after(clip, 9)
    manifest = unfinished_folder(clip.output) / "manifest.json"
    values = json.loads(manifest.read_text())
    values["groups"][0]["name"] = "../source.mkv"
    manifest.write_text(json.dumps(values))
    assert find_unfinished(clip.output) is None


def test_an_older_output_is_replaced_only_by_the_whole_new_one(new_clip, tmp_path, monkeypatch):
    """All was encoded and nothing joined: it was taken for written, and what was encoded was thrown away."""
    source = new_clip("source.mkv", codec="ffv1")
    output = tmp_path / "out.mkv"
    output.write_bytes(b"older")
    clip = Clip(source, NEUTRAL, encode=LOSSLESS, output=output)
    with monkeypatch.context() as patch:
        patch.setattr("vecnet_core.video.muxer.Muxer.add", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            list(export_video(clip))
    for part in unfinished_folder(output).glob("whole*"):
        part.unlink()
    assert find_unfinished(output).frames == FRAMES
    words = ["correct", str(source), str(output), "--strength", "0", "--codec", "ffv1", "--resume"]
    assert main(words) == 2
    assert find_unfinished(output).frames == FRAMES
    assert main([*words, "--overwrite"]) == 0
    assert equal(frames_of(output), frames_of(source))


def test_a_disk_that_goes_away_loses_nothing(new_clip, tmp_path, monkeypatch):
    source = new_clip("source.mkv", codec="ffv1")
    clip = Clip(source, NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    read = VideoReader.frame

    def fail(self, index):
        if index > 9:
            raise VideoReadError("the file cannot be read (Input/output error)", path=source, frame=index)
        return read(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(VideoReader, "frame", fail)
        with pytest.raises(VideoReadError):
            list(export_video(clip))
    assert find_unfinished(clip.output).frames >= 4
    list(export_video(clip, resume=True))
    assert equal(frames_of(clip.output), frames_of(source))


def test_a_link_in_place_of_the_hidden_folder_is_left_alone(new_clip, tmp_path):
    precious = tmp_path / "precious"
    (precious / "sub").mkdir(parents=True)
    (precious / "a.packets").write_text("mine")
    clip = Clip(new_clip("source.mkv", codec="ffv1"), NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    unfinished_folder(clip.output).symlink_to(precious, target_is_directory=True)
    with pytest.raises(VideoWriteError, match="a link stands"):
        list(export_video(clip))
    with pytest.raises(VideoWriteError, match="a link stands"):
        discard_unfinished(clip.output)
    assert sorted(path.name for path in precious.iterdir()) == ["a.packets", "sub"]


def test_what_is_kept_moves_with_its_folder_and_is_one_by_every_way(new_clip, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    source = new_clip("source.mkv", codec="ffv1")
    stop_after(Clip(source, NEUTRAL, encode=LOSSLESS, output=here / "out.mkv"), 9)
    link = tmp_path / "link"
    link.symlink_to(here, target_is_directory=True)
    assert find_unfinished(link / "out.mkv") is not None
    link.unlink()
    here.rename(there)
    told = list(export_video(Clip(source, NEUTRAL, encode=LOSSLESS, output=there / "out.mkv"), resume=True))
    assert told[-1].kept >= 4


@pytest.mark.parametrize("damage", [b"", b"{", b"\x93NUMPY" * 9, bytes(99)])
def test_a_damaged_light_is_measured_again(new_clip, tmp_path, corrector, damage):
    source = new_clip("source.mkv", codec="ffv1")
    clip = Clip(source, encode=LOSSLESS, output=tmp_path / "out.mkv")
    stop_after(clip, 9, corrector)
    folder = unfinished_folder(clip.output)
    (folder / "light.safetensors").write_bytes(damage)
    for sample in folder.glob("*.npz"):
        sample.write_bytes(damage)
    told = list(export_video(clip, corrector, resume=True))
    assert "light" in {each.stage for each in told}
    assert told[-1].kept >= 4


@pytest.mark.parametrize(
    "change", [{"total": 1e999}, {"total": 3}, {"groups": [{"name": "000000.packets", "frames": 1e999, "size": 1}]}]
)
def test_a_manifest_of_nonsense_is_none(new_clip, tmp_path, change):
    clip = Clip(new_clip("source.mkv", codec="ffv1"), NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    stop_after(clip, 9)
    manifest = unfinished_folder(clip.output) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    assert find_unfinished(clip.output) is None


@pytest.mark.parametrize("at", ["group", "manifest", "join"])
def test_a_full_disk_stops_with_a_sentence_and_loses_nothing(new_clip, tmp_path, monkeypatch, at):
    source = new_clip("source.mkv", codec="ffv1", audio="aac")
    clip = Clip(source, NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    add, close_group, calls = PacketFile.add, Unfinished.add, []

    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def add_one(self, frames, size):
        if self.manifest.groups:
            refuse()
        close_group(self, frames, size)

    def add_few(self, picture):
        calls.append(picture)
        if len(calls) > 6:
            refuse()
        add(self, picture)

    with monkeypatch.context() as patch:
        if at == "group":
            patch.setattr(PacketFile, "add", add_few)
        elif at == "manifest":
            patch.setattr(Unfinished, "add", add_one)
        else:
            patch.setattr("vecnet_core.video.muxer.Muxer.add", refuse)
        with pytest.raises(VideoWriteError) as caught:
            list(export_video(clip, resume=True))
    assert "full" in caught.value.message or "No space" in caught.value.message
    assert "space" in caught.value.hint
    assert not clip.output.exists()
    kept = find_unfinished(clip.output)
    assert kept is not None
    assert kept.frames == {"group": 4, "manifest": 4, "join": 12}[at]
    told = list(export_video(clip, resume=True))
    assert told[-1].kept == kept.frames
    assert equal(frames_of(clip.output), frames_of(source))


def test_too_little_space_is_told_before_any_work(new_clip, tmp_path, monkeypatch):
    clip = Clip(new_clip("source.mkv", codec="ffv1"), NEUTRAL, encode=LOSSLESS, output=tmp_path / "out.mkv")
    there = sorted(tmp_path.iterdir())
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("vecnet_core.export.shutil.disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(VideoWriteError, match=r"the disk has 1 MB free, and the export needs about \d+ MB; make space"):
        list(export_video(clip))
    assert sorted(tmp_path.iterdir()) == there


def test_a_small_disk_that_fills_up_is_gone_on_with(new_clip, tmp_path, monkeypatch):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        monkeypatch.setattr("vecnet_core.export._check_space", lambda *_: None)
        noise = np.random.default_rng(0).random((12, 48, 64, 3), dtype=np.float32)
        source = new_clip("source.mkv", codec="ffv1", picture=lambda index: noise[index])
        clip = Clip(source, NEUTRAL, encode=LOSSLESS, output=disk / "out.mkv")
        filler = disk / "filler"
        filler.write_bytes(bytes(530_000))
        with pytest.raises(VideoWriteError, match="the disk is full"):
            list(export_video(clip))
        kept = find_unfinished(clip.output)
        filler.unlink()
        told = list(export_video(clip, resume=True))
        assert told[-1].kept == (kept.frames if kept else 0)
        assert equal(frames_of(clip.output), frames_of(source))
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("killed", ["before it has its name", "after it has its name"])
def test_an_export_killed_at_its_very_end_goes_on(new_clip, tmp_path, monkeypatch, capsys, killed):
    source = new_clip("source.mkv", codec="ffv1")
    output = tmp_path / "out.mkv"
    words = ["correct", str(source), str(output), "--strength", "0", "--codec", "ffv1", "--resume"]
    put = writing.put_in_place

    def die(part, path):
        if killed.startswith("after"):
            put(part, path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "put_in_place", die)
        assert main(words) == 130
    assert unfinished_folder(output).exists()
    assert main(words) == 0
    assert equal(frames_of(output), frames_of(source))
    assert not unfinished_folder(output).exists()
    assert ("nothing to do" in capsys.readouterr().err) == killed.startswith("after")


# Killed


def run_child(*arguments, **options):
    return subprocess.Popen([sys.executable, "-c", CHILD, *map(str, arguments)], stdout=subprocess.PIPE, **options)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A clip, and the frames that its export gives undisturbed."""
    folder = tmp_path_factory.mktemp("killed")
    source = make_clip(folder / "source.mp4", frames=KILLED_FRAMES, size=(96, 128), audio="aac")
    clip = Clip(source, encode=EncodeSettings("h264", preset="veryfast"), output=folder / "whole.mp4")
    Project((clip,), "cpu").save(folder / "whole.vecnet")
    child = run_child("export", folder / "whole.vecnet")
    child.communicate()
    assert child.returncode == 0
    return clip, frames_of(clip.output)


def wait_for_the_moment(child, draw):
    """Wait until an export is somewhere between its start and its end, drawn evenly over its frames."""
    moment = draw.uniform(-8, KILLED_FRAMES + 8)
    if moment < 0:
        time.sleep(draw.uniform(0, 3))
        return
    for line in child.stdout:
        event = json.loads(line)
        is_there = event.get("stage") == "export" and event["done"] >= moment
        if is_there or event.get("stage") in {"join", "verify"} or event["event"] == "done":
            break
    time.sleep(draw.uniform(0, 0.05))


def kill_and_resume(undisturbed, seed, folder):
    """Kill an export at a random moment and go on with it; how many frames were kept."""
    clip, frames = undisturbed
    output = folder / f"out_{seed}.mp4"
    project = folder / f"out_{seed}.vecnet"
    Project((Clip(clip.path, encode=clip.encode, output=output),), "cpu").save(project)
    child = run_child("export", project, "--resume", "--json", stderr=subprocess.PIPE)
    wait_for_the_moment(child, random.Random(seed))
    child.send_signal(signal.SIGKILL)
    child.communicate()
    kept = find_unfinished(output)
    assert not output.exists() or equal(frames_of(output), frames)
    resumed = run_child("export", project, "--resume", stderr=subprocess.PIPE, text=True)
    _, errors = resumed.communicate()
    assert resumed.returncode == 0, errors
    assert equal(frames_of(output), frames)
    assert audio_packets(output) == audio_packets(clip.output)
    assert not unfinished_folder(output).exists()
    return 0 if kept is None else kept.frames


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 20), marks=pytest.mark.slow)], ids=["two", "rest"])
def test_an_export_killed_at_any_moment_goes_on(undisturbed, tmp_path, seeds):
    kept = [kill_and_resume(undisturbed, seed, tmp_path) for seed in seeds]
    print("frames kept at each kill:", kept)
    assert sum(map(bool, kept)) >= len(seeds) // 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_an_interrupted_command_says_what_is_kept(undisturbed, tmp_path):
    clip, frames = undisturbed
    output = tmp_path / "out.mp4"
    words = ["correct", clip.path, output, "--device", "cpu", "--preset", "veryfast", "--json"]
    child = run_child(*words, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and event["stage"] == "export" and event["done"] > 20:
            break
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate()
    assert time.monotonic() - begun < 2
    assert child.returncode == 130
    assert "of 96 frames are kept" in errors
    refused = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    assert subprocess.run([sys.executable, "-c", CHILD, *map(str, words), "--resume"], check=False).returncode == 0
    assert equal(frames_of(output), frames)


def dented(clip):
    """Overwrite a few bytes of frames that are predicted, and of two key frames behind them."""
    with av.open(str(clip)) as given:
        packets = [(packet.pos, packet.size) for packet in given.demux(video=0) if packet.size]
    data = bytearray(clip.read_bytes())
    for number in (7, 15, 16, 20):
        position, size = packets[number]
        data[position + size // 2 : position + size // 2 + 24] = bytes(range(1, 25))
    clip.write_bytes(data)
    return clip


def test_damage_in_what_is_kept_is_told_and_shown_as_if_undisturbed(new_clip, tmp_path):
    source = dented(new_clip("source.mp4", frames=30))
    whole, resumed = (Clip(source, NEUTRAL, encode=LOSSLESS, output=tmp_path / f"{name}.mkv") for name in "ab")
    meant = list(export_video(whole))[-1]
    stop_after(resumed, 18)
    told = list(export_video(resumed, resume=True))[-1]
    assert told.kept >= 12
    assert told.warnings == meant.warnings
    assert [each for each in told.warnings if "damaged" in each]
    assert equal(frames_of(whole.output), frames_of(resumed.output))


@pytest.mark.parametrize("text", ["", "{}", '{"clauses": 3, "lost": [], "reached": []}', "[" * 9999])
def test_findings_that_are_nonsense_are_none(text):
    assert Findings.from_json(text.encode()) is None


def test_findings_survive_their_file():
    found = Findings(("one", "two"), frozenset({3}), frozenset({4, 5}))
    assert Findings.from_json(found.to_json()) == found
