"""Laws of a project file: what is saved comes back, and a damaged or hostile one is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from vecnet_core.errors import InputError, ProjectError
from vecnet_core.project import VERSION, Clip, Project, SourceFacts
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.parts import hidden_path

CLIP = Clip(
    path=Path("clips/dog.mp4"),
    settings=CorrectionSettings(0.5, 1.5, 0.25, -1.0, 0.75),
    start_seconds=1.5,
    stop_seconds=4.25,
    encode=EncodeSettings("hevc", 22, "slow"),
    output=Path("out/dog.mp4"),
    decode=DecodeSettings(deinterlace=True, frame_rate=Fraction(24000, 1001), hdr="sdr"),
)
FULL = Project((CLIP, Clip(Path("b.mov"))), "cpu")


def one(**values):
    """A project of one clip, as text."""
    return json.dumps({"version": VERSION, "clips": [{"path": "a", **values}]})


@pytest.mark.parametrize(
    "project", [FULL, Project((Clip(Path("a.mp4")),)), Project()], ids=["full", "defaults", "empty"]
)
def test_text_keeps_everything(project):
    assert Project.from_json(project.to_json()) == project


def test_what_is_known_of_a_source_is_kept_and_makes_no_other_clip():
    known = replace(CLIP, source=SourceFacts(12_345, 4.25))
    assert Project.from_json(Project((known,)).to_json()).clips[0].source == SourceFacts(12_345, 4.25)
    assert known == CLIP


def test_a_file_keeps_everything_and_its_paths_are_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("dog.vecnet")
    FULL.save(path)
    first = replace(CLIP, path=tmp_path / "clips/dog.mp4", output=tmp_path / "out/dog.mp4")
    assert Project.load(path) == Project((first, Clip(tmp_path / "b.mov")), "cpu")
    assert [entry.name for entry in tmp_path.iterdir()] == ["dog.vecnet"]


def test_saving_again_replaces_the_file_whole(tmp_path):
    path = tmp_path / "dog.vecnet"
    FULL.save(path)
    replace(FULL, device="cuda").save(path)
    assert Project.load(path).device == "cuda"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        "[" * 100_000,
        "{}",
        '{"version": "1"}',
        json.dumps({"version": VERSION, "clips": 5}),
        json.dumps({"version": VERSION, "clips": [5]}),
        json.dumps({"version": VERSION, "clips": [{}]}),
        json.dumps({"version": VERSION, "clips": [], "device": 1}),
        json.dumps({"version": True, "clips": []}),
        json.dumps({"version": 1}),
        json.dumps({"version": 1, "clip": "a", "surprise": 1}),
        one(path="a\0b"),
        one(surprise=1),
        one(settings={"strength": 9}),
        one(settings={"strength": "1"}),
        one(settings={"code": "x"}),
        one(settings=[]),
        one(encode={"codec": 3}),
        one(encode={"codec": "mpeg7"}),
        one(encode={"crf": True}),
        one(decode={"deinterlace": "yes"}),
        one(decode={"frame_rate": "1/0"}),
        one(start_seconds="0"),
        one(start_seconds=float("nan")),
        *(f'{{"version": 1, "clip": "a", "start_seconds": {"9" * digits}}}' for digits in (400, 5000)),
        *(f'{{"version": 1, "clip": "a", "settings": {{"strength": {"9" * digits}}}}}' for digits in (400, 5000)),
        *(f'{{"version": 1, "clip": "a", "encode": {{"crf": {"9" * digits}}}}}' for digits in (400, 5000)),
        one(start_seconds=3, stop_seconds=2),
        one(source=[]),
        one(source={"size_bytes": 1}),
        one(source={"size_bytes": -1, "seconds": 1}),
        one(source={"size_bytes": 1 << 70, "seconds": 1}),
        one(source={"size_bytes": True, "seconds": 1}),
        one(source={"size_bytes": 1, "seconds": 1, "code": "x"}),
    ],
)
def test_a_damaged_project_is_refused(tmp_path, text):
    path = tmp_path / "bad.vecnet"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        Project.load(path)
    assert "bad.vecnet" in caught.value.sentence
    assert "\n" not in caught.value.sentence


def test_a_project_of_version_1_is_read():
    values = {"clip": "clips/dog.mp4", "start_seconds": 1.5, "device": "cpu", "output": "o.mp4"}
    project = Project.from_json(json.dumps({"version": 1, **values}))
    assert project == Project((Clip(Path("clips/dog.mp4"), start_seconds=1.5, output=Path("o.mp4")),), "cpu")


def test_what_lies_in_the_projects_folder_moves_with_it(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    inside, outside = Clip(old / "a.mp4", output=old / "out" / "a.mp4"), Clip(tmp_path / "b.mp4")
    Project((inside, outside)).save(old / "p.vecnet")
    old.rename(new)
    assert Project.load(new / "p.vecnet").clips == (Clip(new / "a.mp4", output=new / "out" / "a.mp4"), outside)


def test_a_newer_project_says_to_update():
    with pytest.raises(ProjectError, match="newer") as caught:
        Project.from_json(json.dumps({"version": VERSION + 1, "clip": "a"}))
    assert "update" in caught.value.hint


def test_a_missing_or_binary_project_is_refused(tmp_path):
    with pytest.raises(ProjectError):
        Project.load(tmp_path / "none.vecnet")
    (tmp_path / "binary.vecnet").write_bytes(bytes(range(256)))
    with pytest.raises(ProjectError):
        Project.load(tmp_path / "binary.vecnet")


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (2, 2), (3, 1), (float("nan"), None), (0, float("inf"))])
def test_empty_ranges_are_refused(start, stop):
    with pytest.raises(InputError):
        Clip(Path("a.mp4"), start_seconds=start, stop_seconds=stop)


def test_saving_touches_no_other_file(tmp_path):
    path = tmp_path / "dog.vecnet"
    other = hidden_path(path, "part")
    other.write_text("precious")
    FULL.save(path)
    assert other.read_text() == "precious"
    assert sorted(tmp_path.iterdir()) == sorted([path, other])
