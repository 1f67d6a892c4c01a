"""Laws of the project in the window: clips, its file, presets, missing media, and what outlives a killed editor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from clips import FRAMES, make_clip
from fakes import FakeSession
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog, QMessageBox

from app.project.looks import ClipState
from app.project.preset_file import load_presets
from app.project.recovery import Keeper, find_lost
from app.project.relink import MissingClip, find_missing, is_there
from vecnet_core.errors import SettingsError
from vecnet_core.project import VERSION, Clip, Project, SourceFacts
from vecnet_core.settings import PRESETS, CorrectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow

ROOT = Path(__file__).resolve().parents[2]


def names(window: MainWindow) -> list[str]:
    return [clip.path.name for clip in window.document.project.clips]


def touched(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


@pytest.fixture
def three(new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> MainWindow:
    """A window with three clips, of which the first is at hand."""
    window = new_window()
    with qtbot.waitSignal(window.preview.frame_shown, timeout=5000):
        window.open_clip(*touched(tmp_path / "clips", "a.mp4", "b.mp4", "c.mp4"))
    assert names(window) == ["a.mp4", "b.mp4", "c.mp4"]
    return window


def turn_to(window: MainWindow, qtbot: QtBot, row: int) -> None:
    with qtbot.waitSignal(window.document.clip_changed, timeout=5000):
        window.project.clips.panel.list.setCurrentRow(row)


# Clips ---------------------------------------------------------------------------------------------------------------


def test_turning_to_a_clip_brings_its_settings_and_its_frame(three: MainWindow, qtbot: QtBot) -> None:
    three.document.edit("shadows", 0.3, 1)
    three.document.set_playhead(7)
    turn_to(three, qtbot, 1)
    assert three.windowTitle().startswith("b.mp4")
    assert (three.document.settings.shadows, three.document.playhead) == (1.0, 0)
    turn_to(three, qtbot, 0)
    assert (three.document.settings.shadows, three.document.playhead) == (0.3, 7)
    assert three.correction_panel.sliders["shadows"].value == 30


def test_turning_to_a_clip_that_opens_slowly_does_not_wait(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    def slow(path: Path, decode: object) -> FakeSession:
        time.sleep(0.4)
        return FakeSession(path, decode)  # type: ignore[arg-type]

    window = new_window(slow)
    with qtbot.waitSignal(window.document.clip_changed, timeout=8000):
        window.open_clip(*touched(tmp_path, "a.mp4", "b.mp4", "c.mp4"))
    began = time.monotonic()
    for row in (1, 2, 1, 2):
        window.project.clips.panel.list.setCurrentRow(row)
    assert time.monotonic() - began < 0.3
    qtbot.waitUntil(lambda: window.windowTitle().startswith("c.mp4"), timeout=8000)


def test_clips_are_moved_and_removed_by_key_and_it_can_be_undone(three: MainWindow, qtbot: QtBot) -> None:
    rows = three.project.clips.panel.list
    rows.setFocus()
    QTest.keyClick(rows, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert names(three) == ["b.mp4", "a.mp4", "c.mp4"]
    assert rows.currentItem().text() == "a.mp4"
    QTest.keyClick(rows, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert names(three) == ["b.mp4", "c.mp4", "a.mp4"]
    QTest.keyClick(rows, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    three.document.edit("strength", 0.5, 1)
    with qtbot.waitSignal(three.document.clip_changed, timeout=5000):
        QTest.keyClick(rows, Qt.Key.Key_Delete)
    assert names(three) == ["b.mp4", "c.mp4"]
    with qtbot.waitSignal(three.document.clip_changed, timeout=5000):
        three.document.undo_stack.undo()
    assert names(three) == ["b.mp4", "a.mp4", "c.mp4"]
    assert three.windowTitle().startswith("a.mp4")
    assert three.document.settings.strength == 0.5


def test_keys_stay_with_the_list_while_it_turns_to_clips(three: MainWindow, qtbot: QtBot) -> None:
    rows = three.project.clips.panel.list
    three.activateWindow()
    rows.setFocus(Qt.FocusReason.TabFocusReason)
    for name in ("b.mp4", "c.mp4"):
        with qtbot.waitSignal(three.document.clip_changed, timeout=5000):
            QTest.keyClick(rows, Qt.Key.Key_Down)
        assert three.windowTitle().startswith(name)
        assert rows.hasFocus()


def test_rows_are_moved_to_where_they_are_dropped(three: MainWindow) -> None:
    rows = three.project.clips.panel.list
    rows.move_chosen(3)
    assert names(three) == ["b.mp4", "c.mp4", "a.mp4"]
    rows.item(0).setSelected(True)
    rows.move_chosen(2)
    assert names(three) == ["c.mp4", "b.mp4", "a.mp4"]


def test_files_dropped_on_the_list_join_the_project(three: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(path)) for path in touched(tmp_path, "d.mp4", "e.mp4")])
    event = QDropEvent(
        QPointF(20, 20), Qt.DropAction.CopyAction, dropped, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    with qtbot.waitSignal(three.document.clip_changed, timeout=5000):
        three.project.clips.panel.list.dropEvent(event)
    assert names(three) == ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4"]


def test_the_last_clip_removed_leaves_the_empty_window(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_name["remove_clip"].trigger()
    assert window.stack.currentIndex() == 0
    assert not window.project.clips.panel.isVisible()
    assert not window.actions_by_name["play"].isEnabled()
    with qtbot.waitSignal(window.document.clip_changed, timeout=5000):
        window.document.undo_stack.undo()
    assert window.stack.currentIndex() == 1
    assert window.timeline.isVisible()


def test_settings_are_pasted_and_copied_to_all(three: MainWindow, qtbot: QtBot) -> None:
    actions = three.actions_by_name
    three.document.edit("shadows", 0.3, 1)
    actions["copy_settings"].trigger()
    turn_to(three, qtbot, 2)
    actions["paste_settings"].trigger()
    assert [clip.settings.shadows for clip in three.document.project.clips] == [0.3, 1.0, 0.3]
    actions["copy_to_all"].trigger()
    assert [clip.settings.shadows for clip in three.document.project.clips] == [0.3, 0.3, 0.3]
    three.document.undo_stack.undo()
    three.document.undo_stack.undo()
    assert [clip.settings.shadows for clip in three.document.project.clips] == [0.3, 1.0, 1.0]


# File ----------------------------------------------------------------------------------------------------------------


def save(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    with qtbot.waitSignal(window.document.project_changed, timeout=5000):
        window.project.files.save_to(path)


def test_a_project_comes_back_as_it_was_saved(
    three: MainWindow, qtbot: QtBot, new_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    three.document.edit("strength", 0.25, 1)
    three.document.move_clips(three.document.order[::-1])
    assert three.isWindowModified()
    path = tmp_path / "p.vecnet"
    save(three, qtbot, path)
    assert not three.isWindowModified()
    assert "p" in three.windowTitle()
    values = json.loads(path.read_text())
    assert [clip["path"] for clip in values["clips"]] == ["clips/c.mp4", "clips/b.mp4", "clips/a.mp4"]
    other = new_window()
    with qtbot.waitSignal(other.preview.frame_shown, timeout=5000):
        other.open_clip(path)
    assert names(other) == ["c.mp4", "b.mp4", "a.mp4"]
    assert other.document.project.clips[2].settings.strength == 0.25
    assert not other.document.is_changed
    assert not other.document.undo_stack.canUndo()
    assert path in other.project.files.recent
    assert any(action.text() == "p.vecnet" for action in other.project.opening.recent_menu.actions())


@pytest.mark.parametrize(
    "text",
    ["{", json.dumps({"version": VERSION + 1, "clips": []}), json.dumps({"version": VERSION, "clips": [{"path": 1}]})],
    ids=["damaged", "newer", "hostile"],
)
def test_a_project_that_is_refused_stays_as_it_is(three: MainWindow, qtbot: QtBot, tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.vecnet"
    path.write_text(text)
    with qtbot.waitSignal(three.project.files.error_raised, timeout=5000):
        three.open_clip(path)
    assert "bad.vecnet" in three.notices.sentences[-1]
    assert path.read_text() == text
    assert names(three) == ["a.mp4", "b.mp4", "c.mp4"]


def test_unsaved_changes_are_asked_about_and_nothing_waits(three: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "p.vecnet"
    save(three, qtbot, path)
    three.document.edit("strength", 0.5, 1)
    three.close()
    question = three.project.files.question
    assert question is not None
    assert three.isVisible()
    three.document.set_playhead(9)  # it goes on beneath the question
    qtbot.waitUntil(lambda: not three.preview.is_waiting, timeout=5000)
    question.button(QMessageBox.StandardButton.Cancel).click()
    assert three.isVisible()
    three.close()
    question = three.project.files.question
    assert question is not None
    question.button(QMessageBox.StandardButton.Save).click()
    qtbot.waitUntil(lambda: not three.isVisible(), timeout=5000)
    assert Project.load(path).clips[0].settings.strength == 0.5


def test_a_new_project_may_throw_changes_away(three: MainWindow, qtbot: QtBot) -> None:
    three.actions_by_name["new"].trigger()
    question = three.project.files.question
    assert question is not None
    question.button(QMessageBox.StandardButton.Discard).click()
    assert three.document.order == ()
    assert three.stack.currentIndex() == 0
    assert three.windowTitle() == "VECNet[*]"


def test_a_clip_that_was_only_looked_at_is_not_asked_about(window: MainWindow) -> None:
    window.close()
    assert window.project.files.question is None
    assert not window.isVisible()


# Missing -------------------------------------------------------------------------------------------------------------


def test_missing_clips_are_told_and_found_all_at_once(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    facts = SourceFacts(0, FakeSession.FRAMES / 24)
    clips = tuple(Clip(tmp_path / "old" / name, source=facts) for name in ("a.mp4", "b.mp4"))
    Project((*clips, Clip(touched(tmp_path, "c.mp4")[0]))).save(tmp_path / "p.vecnet")

    def open_session(path: Path, decode: object) -> FakeSession:
        if not path.exists():
            return FakeSession(path.with_name("broken"), decode)  # type: ignore[arg-type]
        return FakeSession(path, decode)  # type: ignore[arg-type]

    window = new_window(open_session)
    with qtbot.waitSignal(window.preview.frame_shown, timeout=5000):
        window.open_clip(tmp_path / "p.vecnet")
    assert window.windowTitle().startswith("c.mp4")
    assert "2 clips of the project are missing: a.mp4, b.mp4." in window.notices.sentences
    panel = window.project.clips.panel
    assert panel.find_button.isVisible()
    panel.list.setCurrentRow(0)
    qtbot.waitUntil(window.project.clips.page.isVisible, timeout=5000)
    assert window.project.clips.page.title.text() == "a.mp4 is missing"
    assert not window.actions_by_name["play"].isEnabled()
    moved = touched(tmp_path / "new" / "deep", "a.mp4", "b.mp4")
    with qtbot.waitSignal(window.document.clip_changed, timeout=5000):
        window.project.clips.find_in(tmp_path / "new")
    assert [clip.path for clip in window.document.project.clips[:2]] == moved
    assert window.document.undo_stack.undoText() == "Find 2 missing clips"
    qtbot.waitUntil(lambda: not panel.find_button.isVisible(), timeout=5000)
    assert any(sentence.startswith("All 2 missing clips were found") for sentence in window.notices.sentences)
    assert not any("are missing" in sentence for sentence in window.notices.sentences)


def test_a_source_is_known_by_name_size_and_length(tmp_path: Path) -> None:
    for name, data in (
        ("x/dog.mp4", b"12345"),
        ("y/dog.mp4", b"123"),
        ("y/renamed.mp4", b"1234567"),
        ("z/cat.mp4", b"9"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    seconds = {"x/dog.mp4": 8.0, "y/dog.mp4": 3.0, "y/renamed.mp4": 7.0, "z/cat.mp4": 2.0}

    def seconds_of(clip: Clip) -> float | None:
        return seconds.get(clip.path.relative_to(tmp_path).as_posix())

    missing = [
        MissingClip(1, Clip(Path("/old/y/dog.mp4"), source=SourceFacts(3, 3.0))),
        MissingClip(2, Clip(Path("/old/gone.mp4"), source=SourceFacts(7, 7.0))),
        MissingClip(3, Clip(Path("/old/cat.mp4"), source=SourceFacts(5, 60.0))),
        MissingClip(4, Clip(Path("/old/x/dog.mp4"))),
    ]
    found = find_missing(tmp_path, missing, seconds_of)
    assert found == {1: tmp_path / "y/dog.mp4", 2: tmp_path / "y/renamed.mp4", 4: tmp_path / "x/dog.mp4"}
    assert find_missing(tmp_path, missing, seconds_of, lambda: False) == {}


def test_pictures_that_have_moved_are_found_by_their_pattern(tmp_path: Path) -> None:
    touched(tmp_path / "deep", "shot_0001.png", "shot_0002.png", "other.png")
    missing = [MissingClip(1, Clip(Path("/old/shot_####.png"))), MissingClip(2, Clip(Path("/old/none_####.png")))]
    assert find_missing(tmp_path, missing, lambda _: 1.0) == {1: tmp_path / "deep" / "shot_####.png"}
    assert is_there(tmp_path / "deep" / "shot_####.png")
    assert not is_there(tmp_path / "shot_####.png")


# Presets -------------------------------------------------------------------------------------------------------------


def test_presets_are_applied_kept_renamed_and_deleted_and_all_of_it_can_be_undone(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    presets, bar = window.project.presets, window.project.preset_bar
    bar.picker.activated.emit(bar.picker.findData("night"))
    assert window.document.settings == PRESETS["night"]
    assert bar.chosen == "night"
    window.document.edit("shadows", 0.5, 1)
    assert bar.picker.currentText() == "Custom"
    mine = window.document.settings
    bar._save.trigger()
    dialog = window.findChild(QInputDialog, "preset_name")
    assert dialog is not None
    dialog.setTextValue("Mine")
    dialog.accept()
    assert bar.chosen == "Mine"
    file = tmp_path / "presets.json"
    qtbot.waitUntil(lambda: file.exists() and load_presets(file) == {"Mine": mine}, timeout=5000)
    presets.rename("Mine", "Ours")
    assert list(presets.own) == ["Ours"]
    presets.delete("Ours")
    assert presets.own == {}
    for expected in ({"Ours": mine}, {"Mine": mine}, {}):
        window.document.undo_stack.undo()
        assert presets.own == expected
    window.document.undo_stack.undo()
    assert window.document.settings == PRESETS["night"]
    window.document.undo_stack.undo()
    assert window.document.settings == CorrectionSettings()
    qtbot.waitUntil(lambda: load_presets(file) == {}, timeout=5000)


@pytest.mark.parametrize(
    "text",
    [
        "[", "[]", '{"version": 2, "presets": {}}', '{"version": 1, "presets": {"x": {"strength": 9}}}',
        '{"version": 1, "presets": {"\\u0000": {}}}', '{"version": 1, "presets": {"night": {}}}',
    ],
)  # fmt: skip
def test_a_file_of_presets_that_is_refused_is_never_written_over(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "presets.json"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"presets\.json"):
        load_presets(file)
    window = new_window()
    qtbot.waitUntil(lambda: bool(window.notices.sentences), timeout=5000)
    assert "presets.json" in window.notices.sentences[0]
    window.project.presets.keep("Mine", CorrectionSettings())
    assert window.project.presets.own == {}
    assert file.read_text() == text


# Crashes -------------------------------------------------------------------------------------------------------------


def test_what_an_open_editor_keeps_is_not_offered_and_goes_when_it_closes(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.keep(Project((Clip(Path("/a.mp4")),)), None)
    assert find_lost(tmp_path) == []
    keeper.forget()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_a_kept_project_is_passed_over_and_stays(tmp_path: Path) -> None:
    for number, text in enumerate(("", "{", "[]", '{"version": 1, "file": 3, "project": "x"}', "[" * 100_000)):
        (tmp_path / f"project-1-{number}.json").write_text(text)
    before = sorted(tmp_path.iterdir())
    assert find_lost(tmp_path) == []
    assert sorted(tmp_path.iterdir()) == before


def test_damage_that_grows_is_one_notice(window: MainWindow) -> None:
    window.preview.clip_warned.emit(("frame 3 is damaged",))
    window.preview.clip_warned.emit(("frame 3 is damaged", "the sound ends early"))
    window.preview.clip_warned.emit(("frames 3 to 9 are damaged", "the sound ends early"))
    assert window.notices.sentences == ["Frames 3 to 9 are damaged.", "The sound ends early."]
    window.notices.dismiss("Frames 3 to 9 are damaged.")
    window.preview.clip_warned.emit(("frames 3 to 12 are damaged", "the sound ends early"))
    assert window.notices.sentences == ["The sound ends early."]


@pytest.mark.skipif(sys.platform == "win32", reason="its processes are not killed by a signal")
def test_after_kill_9_the_next_start_offers_the_project(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    """A real editor in a process of its own, with a real clip, killed while it is at work."""
    make_clip(tmp_path / "real.mp4")
    code = (
        "from PySide6.QtCore import QTimer\n"
        "from PySide6.QtWidgets import QApplication\n"
        "from app import application\n"
        "from app.main_window import MainWindow\n"
        "from app.project import project_files\n"
        "project_files.KEEP_SECONDS = 0.2\n"
        "timer = QTimer()\n"
        "def edit():\n"
        "    for window in QApplication.topLevelWidgets():\n"
        "        if isinstance(window, MainWindow) and window.document.info is not None:\n"
        "            window.document.edit('strength', 0.25, 1)\n"
        "            timer.stop()\n"
        "timer.timeout.connect(edit)\n"
        "build = application.build\n"
        "def build_and_edit(arguments):\n"
        "    built = build(arguments)\n"
        "    timer.start(50)\n"
        "    return built\n"
        "application.build = build_and_edit\n"
        f"application.run(['vecnet', {str(tmp_path / 'real.mp4')!r}])\n"
    )
    home = tmp_path / "home"
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", HOME=str(home))
    environment |= dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(home))
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)

    def is_kept() -> bool:
        assert child.poll() is None
        return any('\\"strength\\": 0.25' in file.read_text() for file in home.rglob("project-*.json"))

    try:
        qtbot.waitUntil(is_kept, timeout=60_000)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    (folder,) = {file.parent for file in home.rglob("project-*.json")}
    from app.project.project_room import ProjectPlaces
    from app.session import Studio

    window = new_window(Studio(), places=ProjectPlaces(lambda: folder, lambda: tmp_path / "presets.json"))
    with qtbot.waitSignal(window.project.files.lost_found, timeout=10_000):
        window.project.files.look_for_lost()
    assert window.notices.sentences == [
        "A project that was not saved (real.mp4) was open when the editor ended unexpectedly."
    ]
    with qtbot.waitSignal(window.document.clip_changed, timeout=30_000, check_params_cb=lambda: True):
        window.notices.button("Restore").click()
    qtbot.waitUntil(lambda: window.document.info is not None, timeout=30_000)
    assert window.document.info is not None
    assert window.document.info.frame_count == FRAMES
    assert window.document.settings.strength == 0.25
    assert window.document.is_changed
    qtbot.waitUntil(lambda: len(list(folder.glob("project-*.json"))) == 1, timeout=5000)


def test_a_lost_project_that_is_not_wanted_is_forgotten(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "projects"
    keeper = Keeper(folder)
    keeper.keep(Project((Clip(Path("/a.mp4")),)), tmp_path / "p.vecnet")
    assert keeper._lock is not None
    keeper._lock.unlock()
    window = new_window()
    with qtbot.waitSignal(window.project.files.lost_found, timeout=5000):
        window.project.files.look_for_lost()
    assert window.notices.sentences == ["The project p.vecnet (a.mp4) was open when the editor ended unexpectedly."]
    window.notices.button("Discard").click()
    qtbot.waitUntil(lambda: list(folder.iterdir()) == [], timeout=5000)
    assert window.project.clips.look.state is ClipState.UNKNOWN
