"""Laws of exports in the window: paused, stopped, kept, offered to be finished; nothing is lost without being asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from conftest import FAKE_EXPORT
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from app.export.entries import State
from app.export.remembered import file_for, find_stopped
from vecnet_core.project import Clip, Project
from vecnet_core.video.unfinished import Manifest, Unfinished, find_unfinished

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.export.remembered import StoppedExport
    from app.main_window import MainWindow


def begin(window: MainWindow, qtbot: QtBot, output: Path, frames: int = 12) -> None:
    """Export until so many frames are done."""
    window.exports.show_dialog()
    form = window.exports.dialog.form
    form.path.setText(str(output))
    qtbot.waitUntil(lambda: form._look.text == str(output), timeout=5000)
    form.start.click()
    bar = window.exports.dialog.bar
    qtbot.waitUntil(lambda: bar.maximum() == 2000 and bar.value() > frames, timeout=10_000)


def wait_until_ended(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.exports.is_running, timeout=10_000)
    qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in window.exports._errands._threads), timeout=5000)
    qtbot.wait(20)


def leave_unfinished(folder: Path, output: Path, frames: int = 10) -> Path:
    """What an editor that was killed has left: a project file, and an unfinished output."""
    folder.mkdir(exist_ok=True)
    clip = Clip(Path("night.mp4"), output=output)
    job = {"settings": clip.settings.to_dict(), "encode": clip.encode.to_dict()}
    unfinished = Unfinished(output, Manifest(job, 2000))
    unfinished.group_path().write_bytes(b"x" * frames)
    unfinished.add(frames, frames)
    unfinished.close(keep=True)
    Project((clip,)).save(file_for(folder, output))
    return file_for(folder, output)


def test_pause_and_continue(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    told: list[str] = []
    window.exports.status_changed.connect(told.append)
    begin(window, qtbot, tmp_path / "long.mp4")
    page = window.exports.dialog.progress
    page.pause.click()
    assert page.pause.text() == "Continue"
    assert page._stage.text() == "Paused: correcting and encoding"
    assert "left" not in page._left.text()
    qtbot.wait(200)
    done = page.bar.value()
    qtbot.wait(200)
    assert page.bar.value() == done
    assert told[-1] == "Export of long.mp4 is paused"
    page.pause.click()
    assert page.pause.text() == "Pause"
    qtbot.waitUntil(lambda: page.bar.value() > done, timeout=5000)


def test_stop_asks_and_goes_on(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    begin(window, qtbot, tmp_path / "long.mp4")
    page = window.exports.dialog.progress
    page.stop.click()
    assert page.is_asking
    qtbot.waitUntil(lambda: page.keep.isVisible(), timeout=5000)
    assert page.keep.text().startswith("Stop and keep what is done (1")
    assert page.keep.text().endswith(" of 2,000 frames)")
    QTest.keyClick(window.exports.dialog, Qt.Key.Key_Escape)
    assert not page.is_asking
    assert window.exports.dialog.isVisible()
    assert window.exports.is_running


def test_stopped_and_kept_can_be_finished_from_the_form(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    output = tmp_path / "long_finish.mp4"
    begin(window, qtbot, output)
    page = window.exports.dialog.progress
    page.pause.click()
    page.stop.click()
    qtbot.waitUntil(lambda: page.keep.isVisible(), timeout=5000)
    page.keep.click()
    wait_until_ended(window, qtbot)
    kept = find_unfinished(output)
    assert kept is not None
    assert window.notices.sentences[-1] == (
        f"The export is stopped. {kept.frames} of 2,000 frames are kept: export to long_finish.mp4 again to finish it."
    )
    assert file_for(tmp_path / "memory", output).exists()
    window.exports.show_dialog()
    form = window.exports.dialog.form
    form.path.setText(str(output))
    qtbot.waitUntil(lambda: form.start.text() == "Finish it", timeout=5000)
    with qtbot.waitSignal(window.exports.finished, timeout=10_000) as caught:
        form.start.click()
    assert caught.args[0].kept == kept.frames
    assert f"{kept.frames} of them were kept from before" in window.exports.dialog._done_facts.text()
    wait_until_ended(window, qtbot)
    assert not file_for(tmp_path / "memory", output).exists()


def test_stopped_and_discarded_leaves_nothing(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    begin(window, qtbot, tmp_path / "out" / "long.mp4")
    page = window.exports.dialog.progress
    page.stop.click()
    page.discard.click()
    wait_until_ended(window, qtbot)
    assert list((tmp_path / "out").iterdir()) == []
    assert list((tmp_path / "memory").iterdir()) == []
    assert "nothing of it is left" in window.notices.sentences[-1]


def test_other_settings_cannot_finish_it_and_the_form_offers_to_begin_anew(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    output = tmp_path / "long.mp4"
    begin(window, qtbot, output)
    window.exports.stop()
    wait_until_ended(window, qtbot)
    window.document.edit("strength", 0.25, 1)
    window.exports.show_dialog()
    form = window.exports.dialog.form
    form.path.setText(str(output))
    qtbot.waitUntil(lambda: form.start.text() == "Finish it", timeout=5000)
    with qtbot.waitSignal(window.exports.error_raised, timeout=10_000):
        form.start.click()
    wait_until_ended(window, qtbot)
    assert "differs from this one (settings)" in window.notices.sentences[-1]
    assert window.notices.sentences[-1].endswith("or choose Begin anew in the export form.")
    assert window.exports.dialog.isVisible()
    assert "differs from this one" in form._message.text()
    assert form.anew.isVisible()
    form.anew.click()
    qtbot.waitUntil(lambda: window.exports.dialog.bar.value() > 20, timeout=10_000)
    window.exports.discard()
    wait_until_ended(window, qtbot)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_a_killed_child_has_done_is_told(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    begin(window, qtbot, tmp_path / "long.mp4")
    assert window.exports._job is not None
    with qtbot.waitSignal(window.exports.error_raised, timeout=10_000) as caught:
        os.kill(window.exports._job._process.processId(), signal.SIGKILL)
    assert caught.args[0].endswith("of 2,000 frames are kept: export to long.mp4 again to finish it.")


def test_a_killed_editor_is_offered_to_finish_at_the_next_start(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    output = tmp_path / "long_finish.mp4"
    file = leave_unfinished(tmp_path / "memory", output)
    with qtbot.waitSignal(window.queue_room.queue.stopped_found, timeout=5000):
        window.queue_room.load()
    assert window.notices.sentences == [f"The export to {output} stopped after 10 of 2,000 frames."]
    with qtbot.waitSignal(window.exports.finished, timeout=10_000):
        window.notices.button("Finish").click()
    assert window.notices.sentences == []
    assert "--resume" in output.read_text()
    wait_until_ended(window, qtbot)
    assert not file.exists()


def test_an_offer_can_be_discarded(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    output = tmp_path / "long.mp4"
    file = leave_unfinished(tmp_path / "memory", output)
    with qtbot.waitSignal(window.queue_room.queue.stopped_found, timeout=5000):
        window.queue_room.load()
    with qtbot.waitSignal(window.queue_room.queue.note_raised, timeout=5000):
        window.notices.button("Discard").click()
    assert find_unfinished(output) is None
    assert not file.exists()


def test_an_offer_that_replaces_a_file_says_so(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    output = tmp_path / "finish.mp4"
    leave_unfinished(tmp_path / "memory", output)
    output.write_text("precious")
    with qtbot.waitSignal(window.queue_room.queue.stopped_found, timeout=5000):
        window.queue_room.load()
    assert window.notices.sentences[0].endswith("Finishing it replaces the finish.mp4 that is there.")


def test_a_second_export_waits_for_the_first(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    begin(window, qtbot, tmp_path / "long.mp4")
    leave_unfinished(tmp_path / "memory", tmp_path / "other.mp4")
    with qtbot.waitSignal(window.queue_room.queue.stopped_found, timeout=5000):
        window.queue_room.load()
    window.notices.button("Finish").click()
    states = {entry.output.name: entry.state for entry in window.queue_room.queue.entries}
    assert states == {"long.mp4": State.RUNNING, "other.mp4": State.WAITING}


def test_offers_outlast_the_notices_of_a_clip(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    leave_unfinished(tmp_path / "memory", tmp_path / "long.mp4")
    with qtbot.waitSignal(window.queue_room.queue.stopped_found, timeout=5000):
        window.queue_room.load()
    for number in range(4):
        window.notices.show_note(f"Note {number}.")
    assert [sentence[:10] for sentence in window.notices.sentences] == ["The export", "Note 2.", "Note 3."]


def test_what_is_running_here_or_has_nothing_kept_is_not_offered(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    begin(window, qtbot, tmp_path / "long.mp4")
    bare = file_for(tmp_path / "memory", tmp_path / "bare.mp4")
    Project((Clip(Path("night.mp4"), output=tmp_path / "bare.mp4"),)).save(bare)
    assert find_stopped(tmp_path / "memory") == []
    assert not bare.exists()
    assert file_for(tmp_path / "memory", tmp_path / "long.mp4").exists()


def test_hostile_memory_is_passed_over(tmp_path: Path) -> None:
    whole = leave_unfinished(tmp_path, tmp_path / "long.mp4")
    clip = Clip(Path("a.mp4"))
    texts = {
        "text": b"not a project",
        "bytes": bytes(range(256)),
        "empty": b"",
        "newer": b'{"version": 99}',
        "deep": b"[" * 100_000,
        "nul": b'{"version": 2, "clips": [{"path": "a\\u0000b"}]}',
        "none": Project(()).to_json().encode(),
        "two": Project((clip, clip)).to_json().encode(),
        "aimless": Project((clip,)).to_json().encode(),
        "long": Project((Clip(Path("a.mp4"), output=Path("/" + "n" * 5000)),)).to_json().encode(),
    }
    for name, text in texts.items():
        (tmp_path / f"export-{name}.json").write_bytes(text)
    (tmp_path / "export-folder.json").mkdir()
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "export-pipe.json")
    found: list[StoppedExport] = find_stopped(tmp_path)
    assert [one.file for one in found] == [whole]
    assert find_stopped(tmp_path / "missing") == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_paused_child_whose_editor_is_gone_does_not_block_its_output(tmp_path: Path) -> None:
    output = tmp_path / "long.mp4"
    file = file_for(tmp_path, output)
    Project((Clip(Path("night.mp4"), output=output),)).save(file)
    child = subprocess.Popen([sys.executable, FAKE_EXPORT, "export", str(file), "--json"], stdout=subprocess.PIPE)
    try:
        begun = time.monotonic()
        while find_unfinished(output) is None and time.monotonic() - begun < 10:
            time.sleep(0.05)
        psutil.Process(child.pid).suspend()
        (found,) = find_stopped(tmp_path)
        assert found.kept >= 5
        assert not psutil.pid_exists(child.pid)
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("answer", [QMessageBox.StandardButton.Close, QMessageBox.StandardButton.Cancel])
def test_closing_the_window_says_that_what_is_done_is_kept(
    window: MainWindow,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: QMessageBox.StandardButton,
) -> None:
    asked: list[str] = []

    def question(*arguments: object) -> QMessageBox.StandardButton:
        asked.append(str(arguments[2]))
        return answer

    monkeypatch.setattr(QMessageBox, "question", question)
    begin(window, qtbot, tmp_path / "long.mp4")
    window.close()
    assert "What is done is kept" in asked[0]
    is_closed = answer == QMessageBox.StandardButton.Close
    assert window.isVisible() is not is_closed
    if is_closed:
        assert find_unfinished(tmp_path / "long.mp4") is not None
        assert file_for(tmp_path / "memory", tmp_path / "long.mp4").exists()
