"""Laws of the document: one writer, one drag one undo."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from clips import FRAMES, cut_fast_start, make_clip
from fakes import fake_info

from app.document import Document
from app.jobs import ExportRequest
from vecnet_core.command import command_line
from vecnet_core.errors import InputError
from vecnet_core.project import Clip, Project
from vecnet_core.settings import PRESETS, CorrectionSettings
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.reader import VideoReader

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@pytest.fixture
def document(qapp: QApplication) -> Document:
    made = Document()
    made.use_clip(fake_info())
    return made


def test_one_drag_is_one_undo(document: Document) -> None:
    for value in (0.9, 0.7, 0.4):
        document.edit("shadows", value, 7)
    assert document.settings.shadows == 0.4
    assert document.undo_stack.count() == 1
    document.undo_stack.undo()
    assert document.settings == CorrectionSettings()
    document.undo_stack.redo()
    assert document.settings.shadows == 0.4


def test_two_drags_and_two_sliders_are_separate_steps(document: Document) -> None:
    document.edit("shadows", 0.9, 1)
    document.edit("shadows", 0.8, 2)
    document.edit("highlights", 0.8, 2)
    assert document.undo_stack.count() == 3


def test_drag_that_comes_back_leaves_nothing_to_undo(document: Document) -> None:
    document.edit("strength", 0.5, 1)
    document.edit("strength", 1.0, 1)
    assert document.settings == CorrectionSettings()
    assert document.undo_stack.count() == 0


def test_reset_is_undoable(document: Document) -> None:
    document.edit("exposure_ev", 1.5, 1)
    document.reset_settings()
    assert document.settings == CorrectionSettings()
    document.undo_stack.undo()
    assert document.settings.exposure_ev == 1.5


def test_playhead_stays_in_the_clip(document: Document) -> None:
    document.set_playhead(10_000)
    assert document.playhead == 47
    document.set_playhead(-3)
    assert document.playhead == 0


def test_each_clip_keeps_its_settings_and_its_playhead(document: Document) -> None:
    document.edit("strength", 0.5, 1)
    document.set_playhead(5)
    first, info = document.current, document.info
    document.use_clip(fake_info(Path("noon.mp4"), frames=3))
    assert (document.settings, document.playhead) == (CorrectionSettings(), 0)
    assert info is not None
    document.use_clip(info, number=first)
    assert (document.settings.strength, document.playhead) == (0.5, 5)
    assert len(document.project.clips) == 2


def test_the_first_clip_begins_the_project_and_others_can_be_undone(document: Document) -> None:
    assert not document.undo_stack.canUndo()
    document.use_clip(fake_info(Path("noon.mp4")))
    assert document.undo_stack.undoText() == "Add noon.mp4"
    wanted: list[int] = []
    document.clip_wanted.connect(wanted.append)
    document.undo_stack.undo()
    assert [clip.path.name for clip in document.project.clips] == ["night.mp4"]
    assert wanted == [document.order[0]]


def test_a_removed_clip_comes_back_with_its_settings(document: Document) -> None:
    document.edit("shadows", 0.4, 1)
    number = document.order[0]
    document.add_clips([Clip(Path("b.mov")), Clip(Path("c.mov"))])
    document.move_clips(document.order[::-1])
    order = document.order
    document.remove_clips([number, order[0]])
    assert document.order == (order[1],)
    document.undo_stack.undo()
    assert document.order == order
    assert document.clip_of(number).settings.shadows == 0.4
    document.undo_stack.undo()
    assert document.order == order[::-1]
    document.undo_stack.undo()
    assert document.order == (number,)
    assert document.settings.shadows == 0.4


def test_undoing_an_edit_of_another_clip_wants_that_clip(document: Document) -> None:
    document.edit("strength", 0.5, 1)
    first = document.current
    document.use_clip(fake_info(Path("noon.mp4")))
    document.edit("strength", 0.25, 1)
    document.undo_stack.undo()
    document.undo_stack.undo()
    wanted: list[int] = []
    document.clip_wanted.connect(wanted.append)
    document.undo_stack.undo()
    assert wanted == [first]
    assert document.clip_of(first or 0).settings.strength == 1.0


def test_settings_go_to_all_clips_in_one_step(document: Document) -> None:
    others = document.add_clips([Clip(Path("b.mov")), Clip(Path("c.mov"), settings=PRESETS["night"])])
    document.edit("strength", 0.5, 1)
    document.copy_settings_to_all()
    assert {clip.settings.strength for clip in document.project.clips} == {0.5}
    document.undo_stack.undo()
    assert document.clip_of(others[1]).settings == PRESETS["night"]
    assert document.settings.strength == 0.5


def test_what_is_unsaved_is_known(document: Document, tmp_path: Path) -> None:
    assert not document.is_changed  # one clip that was only looked at
    document.edit("strength", 0.5, 1)
    assert document.is_changed
    snapshot = document.snapshot()
    document.edit("strength", 0.4, 2)
    document.use_saved(snapshot, tmp_path / "a.vecnet")
    assert document.is_changed  # while it was being written, work went on
    document.undo_stack.undo()
    assert not document.is_changed
    assert not document.is_clip_changed(document.order[0])
    document.add_clips([Clip(Path("b.mov"))])
    assert document.is_changed


def test_ranges_are_edits_and_a_drag_of_one_is_a_step(document: Document) -> None:
    document.edit_range(0.5, 1.5, "Set out point", 3)
    document.edit_range(0.5, 1.0, "Set out point", 3)
    assert document.clip is not None
    assert (document.clip.start_seconds, document.clip.stop_seconds) == (0.5, 1.0)
    assert document.undo_stack.count() == 1
    with pytest.raises(InputError):
        document.edit_range(2.0, 1.0, "Set in point")
    assert document.undo_stack.count() == 1
    document.undo_stack.undo()
    assert (document.clip.start_seconds, document.clip.stop_seconds) == (0.0, None)


def test_without_a_clip_nothing_can_be_edited(qapp: QApplication) -> None:
    empty = Document()
    empty.edit("strength", 0.5, 1)
    empty.set_playhead(4)
    assert (empty.settings, empty.playhead, empty.clip) == (CorrectionSettings(), 0, None)


def test_of_a_clip_that_is_cut_short_what_it_holds_is_exported(document: Document, tmp_path: Path) -> None:
    make_clip(tmp_path / "whole.mp4")
    cut_fast_start(tmp_path / "whole.mp4", tmp_path / "cut.mp4", 0.6)
    with VideoReader(tmp_path / "cut.mp4") as reader:
        document.use_clip(reader.info)
        readable = reader.info.frame_count
    assert document.clip is not None
    document.edit("strength", 0.0, 1)
    output = tmp_path / "out.mp4"
    Project((replace(document.clip, output=output),)).save(tmp_path / "export.json")
    request = ExportRequest(tmp_path / "export.json", output)
    subprocess.run([*command_line(), *request.arguments()], check=True, capture_output=True)
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert 0 < reader.info.frame_count == readable < FRAMES


def test_reading_is_an_undoable_edit_that_leaves_the_rest(document: Document) -> None:
    document.edit("strength", 0.5, 1)
    document.set_playhead(40)
    document.edit_decode(DecodeSettings(deinterlace=True), "Deinterlace")
    assert document.undo_stack.undoText() == "Deinterlace"
    document.use_reading(fake_info(frames=30), document.decode)
    assert (document.settings.strength, document.playhead) == (0.5, 29)
    assert document.clip is not None
    assert document.clip.decode == DecodeSettings(deinterlace=True)
    document.undo_stack.undo()
    assert document.decode == DecodeSettings()
    assert document.settings.strength == 0.5


def test_a_reading_that_is_refused_leaves_nothing_to_undo(document: Document) -> None:
    document.edit("strength", 0.5, 1)
    document.edit_decode(DecodeSettings(stream=7), "Change Video stream")
    document.keep_reading()
    assert document.decode == DecodeSettings()
    assert document.undo_stack.count() == 1
    document.edit_decode(DecodeSettings(deinterlace=True), "Deinterlace")
    document.use_reading(fake_info(), document.decode)
    document.undo_stack.undo()
    document.keep_reading()
    assert document.decode == DecodeSettings(deinterlace=True)
    assert document.undo_stack.undoText() == "Deinterlace"
