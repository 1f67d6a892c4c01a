"""Laws of the queue: one after another, as it was added; nothing is replaced, begun or forgotten unasked."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QWidget
from test_exports import begin, leave_unfinished, wait_until_ended

from app.export import machine
from app.export.entries import QueueEntry, QueueSums, State, settings_words, state_words
from app.export.output_name import free_output, key_of, output_beside
from app.export.queue_file import QueueFile
from app.export.queue_panel import deeds_of
from app.export.remembered import file_for
from app.export.when_done import COUNT_SECONDS
from app.jobs import ExportOutcome, ExportStatus
from vecnet_core.errors import InputError
from vecnet_core.project import Clip, Project
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.encode import EncodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from app.export.export_queue import ExportQueue
    from app.main_window import MainWindow

Above, Below, Viewport = (
    QAbstractItemView.DropIndicatorPosition.AboveItem,
    QAbstractItemView.DropIndicatorPosition.BelowItem,
    QAbstractItemView.DropIndicatorPosition.OnViewport,
)


def put(window: MainWindow, *outputs: Path) -> ExportQueue:
    """Clips in the queue, each with an output of its own."""
    queue = window.queue_room.queue
    clip = window.document.clip or Clip(Path("night.mp4"))
    queue._add([(replace(clip, output=output), False) for output in outputs])
    return queue


def names(queue: ExportQueue, *states: State) -> list[str]:
    return [entry.output.name for entry in queue.entries if not states or entry.state in states]


def finish_all(queue: ExportQueue, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not queue.sums.waiting and queue.running is None, timeout=20_000)


def test_one_after_another_in_order(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    queue = put(window, tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.mp4")
    done: list[str] = []
    window.exports.finished.connect(lambda outcome: done.append(outcome.output.name))
    assert not window.exports.is_running
    queue.move(queue.entries[2].number, 0)
    with qtbot.waitSignal(queue.ran_out, timeout=20_000):
        window.queue_room.panel.start.click()
    assert done == ["c.mp4", "a.mp4", "b.mp4"]
    assert names(queue, State.DONE) == done
    qtbot.waitUntil(lambda: all(entry.size_bytes for entry in queue.entries), timeout=5000)
    sums = queue.sums
    assert sums.size_bytes == sum((tmp_path / name).stat().st_size for name in done)
    assert sums.words.startswith("3 of 3 done: ")
    assert not queue.is_started
    window.queue_room.panel.clear.trigger()
    assert queue.entries == ()
    assert all((tmp_path / name).exists() for name in done)


def test_a_waiting_entry_keeps_the_settings_it_was_added_with(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.document.edit("strength", 0.25, 1)
    queue = put(window, tmp_path / "long.mp4")
    window.document.edit("strength", 0.75, 2)
    assert "strength 0.25" in state_words(queue.entries[0])
    queue.start()
    qtbot.waitUntil(lambda: window.exports._job is not None, timeout=5000)
    saved = Project.load(file_for(tmp_path / "memory", tmp_path / "long.mp4"))
    assert saved.clips[0].settings == CorrectionSettings(strength=0.25)


def test_what_is_added_while_one_runs_follows_it(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    begin(window, qtbot, tmp_path / "long.mp4")
    queue = put(window, tmp_path / "next.mp4")
    assert names(queue) == ["long.mp4", "next.mp4"]
    assert queue.running is not None
    with qtbot.waitSignal(window.exports.finished, timeout=20_000) as caught:
        window.exports.stop()
    assert caught.args[0].output == tmp_path / "next.mp4"
    assert names(queue, State.STOPPED) == ["long.mp4"]


def test_a_failure_is_told_and_the_next_goes_on(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    queue = put(window, tmp_path / "refuse.mp4", tmp_path / "good.mp4")
    queue.start()
    finish_all(queue, qtbot)
    wait_until_ended(window, qtbot)
    assert names(queue, State.FAILED) == ["refuse.mp4"]
    assert names(queue, State.DONE) == ["good.mp4"]
    assert any("not writable" in sentence for sentence in window.notices.sentences)
    (failed,) = [entry for entry in queue.entries if entry.state is State.FAILED]
    assert "not writable" in state_words(failed)


def test_the_background_rests_until_the_queue_is_through(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    queue = put(window, tmp_path / "a.mp4", tmp_path / "b.mp4")
    with qtbot.waitSignal(queue.ran_out, timeout=20_000):
        queue.start()
        assert window.preview._worker._inbox.is_paused
        with qtbot.waitSignal(window.exports.finished, timeout=20_000):
            pass
        assert queue.running is not None
        assert window.preview._worker._inbox.is_paused
    assert not window.preview._worker._inbox.is_paused


def test_outputs_never_collide(new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> None:
    window = new_window()
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        window.open_clip(tmp_path / "night.mp4")
    (tmp_path / "night_vec.mp4").write_text("precious")
    queue = window.queue_room.queue
    for _ in range(3):
        window.actions_by_name["queue"].trigger()
    qtbot.waitUntil(lambda: len(queue.entries) == 3, timeout=5000)
    assert names(queue) == ["night_vec_2.mp4", "night_vec_3.mp4", "night_vec_4.mp4"]
    window.exports.show_dialog()
    form = window.exports.dialog.form
    assert Path(form.path.text()).name == "night_vec_5.mp4"
    form._take_own_path()
    form.path.setText(str(tmp_path / "night_vec_3.mp4"))
    qtbot.waitUntil(lambda: form._look.text == form.path.text(), timeout=5000)
    assert "night_vec_5.mp4 is free" in form._message.text()
    assert not form.start.isEnabled()
    assert not form.queue.isEnabled()
    window.exports.dialog.hide()


def test_all_clips_are_added_each_with_its_own_settings(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    window = new_window()
    for name, strength in (("one.mp4", 0.25), ("two.mov", 0.5)):
        with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
            window.preview.open_clip(tmp_path / name)
        window.document.edit("strength", strength, 1)
    queue = window.queue_room.queue
    window.actions_by_name["queue_all"].trigger()
    qtbot.waitUntil(lambda: len(queue.entries) == 2, timeout=5000)
    assert names(queue) == ["one_vec.mp4", "two_vec.mov"]
    assert [entry.clip.settings.strength for entry in queue.entries] == [0.25, 0.5]
    assert [entry.clip.path.name for entry in queue.entries] == ["one.mp4", "two.mov"]


def test_the_form_adds_with_its_choices(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.exports.show_dialog()
    form = window.exports.dialog.form
    form.choose_recipe("prores-hq")
    assert Path(form.path.text()).suffix == ".mov"
    form._take_own_path()
    form.path.setText(str(tmp_path / "mine.mov"))
    qtbot.waitUntil(lambda: form._look.text == str(tmp_path / "mine.mov"), timeout=5000)
    form.queue.click()
    (entry,) = window.queue_room.queue.entries
    assert entry.output == tmp_path / "mine.mov"
    assert (entry.clip.encode.codec, entry.clip.encode.preset) == ("prores", "hq")
    assert window.exports.dialog.isHidden()
    assert window.queue_room.panel.isVisible()


def test_choices_of_the_last_export_are_remembered(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    window = new_window()
    window.exports.remember(EncodeSettings("hevc", crf=21, preset="slow", bit_depth=10))
    other = new_window()
    assert other.exports.dialog.form.encode == EncodeSettings("hevc", crf=21, preset="slow", bit_depth=10)
    assert other.exports.dialog.form.recipe.currentText() == "As chosen in the details"
    other.preferences.set_text("export_encode", '{"codec": "nonsense"}')
    assert new_window().exports.dialog.form.encode.codec == "match"


def test_retry_never_replaces_what_has_appeared_meanwhile(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    queue = put(window, tmp_path / "a.mp4")
    (tmp_path / "a.mp4").write_text("precious")
    queue.start()
    finish_all(queue, qtbot)
    assert names(queue, State.FAILED) == ["a.mp4"]
    with qtbot.waitSignal(window.exports.finished, timeout=10_000):
        window.queue_room.do("retry", queue.entries[0].number)
    assert names(queue, State.DONE) == ["a_2.mp4"]
    assert (tmp_path / "a.mp4").read_text() == "precious"


def test_pause_continue_stop_and_finish(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    queue = put(window, tmp_path / "long_finish.mp4")
    panel = window.queue_room.panel
    panel.start.click()
    qtbot.waitUntil(
        lambda: queue.running is not None and (queue.running.status or ExportStatus("", 0, 0, None)).done > 12,
        timeout=10_000,
    )
    panel.start.click()
    assert queue.running is not None
    assert queue.running.is_paused
    assert panel.start.text() == "Continue"
    assert "Paused" in state_words(queue.running)
    panel.start.click()
    panel.list.select_row(0)
    panel.button("stop").click()
    assert window.exports.dialog.progress.is_asking
    qtbot.waitUntil(lambda: window.exports.dialog.progress.keep.isVisible(), timeout=5000)
    window.exports.dialog.progress.keep.click()
    qtbot.waitUntil(lambda: bool(queue.entries[0].kept), timeout=10_000)
    assert queue.entries[0].state is State.STOPPED
    assert deeds_of(queue.entries[0])[0] == "finish"
    kept = queue.entries[0].kept
    with qtbot.waitSignal(window.exports.finished, timeout=10_000) as caught:
        panel.button("finish").click()
    assert caught.args[0].kept == kept


def test_stopped_and_discarded_is_out_of_the_queue(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    begin(window, qtbot, tmp_path / "long.mp4")
    window.exports.discard()
    wait_until_ended(window, qtbot)
    assert window.queue_room.queue.entries == ()


def test_order_by_keys_and_drag(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    queue = put(window, *(tmp_path / f"{name}.mp4" for name in "abc"))
    rows = window.queue_room.panel.list
    rows.select_row(0)
    QTest.keyClick(rows, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert names(queue) == ["b.mp4", "a.mp4", "c.mp4"]
    assert rows.selected is not None
    assert rows.selected.output.name == "a.mp4"
    QTest.keyClick(rows, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert names(queue) == ["a.mp4", "b.mp4", "c.mp4"]
    first = queue.entries[0].number
    rows.drop_at(first, rows.entries.index(1), Below)
    assert names(queue) == ["b.mp4", "a.mp4", "c.mp4"]
    rows.drop_at(first, QModelIndex(), Viewport)
    assert names(queue) == ["b.mp4", "c.mp4", "a.mp4"]
    rows.drop_at(first, rows.entries.index(0), Above)
    assert names(queue) == ["a.mp4", "b.mp4", "c.mp4"]
    rows.select_row(1)
    playhead = window.document.playhead
    QTest.keyClick(rows, Qt.Key.Key_Down)
    QTest.keyClick(rows, Qt.Key.Key_Delete)
    assert names(queue) == ["a.mp4", "b.mp4"]
    assert window.document.playhead == playhead


def test_a_restart_brings_back_what_waits_and_starts_nothing(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    first = new_window()
    with qtbot.waitSignal(first.queue_room.queue.entries_changed, timeout=5000):
        first.queue_room.load()
    clip = Clip(tmp_path / "night.mp4", CorrectionSettings(shadows=0.5), encode=EncodeSettings("ffv1"))
    first.queue_room.queue._add([(replace(clip, output=tmp_path / f"{name}.mkv"), True) for name in "abc"])
    first.queue_room.queue.move_by(first.queue_room.queue.entries[2].number, -2)
    leave_unfinished(tmp_path / "memory", tmp_path / "long_finish.mp4")
    first.close()
    (tmp_path / "a.mkv").write_text("precious")
    second = new_window()
    queue = second.queue_room.queue
    with qtbot.waitSignal(queue.waiting_found, timeout=5000):
        second.queue_room.load()
    assert names(queue, State.WAITING) == ["c.mkv", "a.mkv", "b.mkv"]
    assert names(queue, State.STOPPED) == ["long_finish.mp4"]
    assert {entry.clip.settings for entry in queue.entries if entry.clip.settings.shadows == 0.5}
    assert "3 exports of the last session wait in the queue." in second.notices.sentences
    qtbot.wait(100)
    assert not second.exports.is_running
    second.notices.button("Start").click()
    finish_all(queue, qtbot)
    assert names(queue, State.DONE) == ["c.mkv", "b.mkv"]
    # What a person agreed to replace is asked about anew.
    assert names(queue, State.FAILED) == ["a.mkv"]
    assert (tmp_path / "a.mkv").read_text() == "precious"


def test_it_starts_by_itself_only_where_that_was_chosen(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    first = new_window()
    with qtbot.waitSignal(first.queue_room.queue.entries_changed, timeout=5000):
        first.queue_room.load()
    put(first, tmp_path / "a.mp4")
    first.close()
    first.preferences.set_text("queue_starts", "by itself")
    second = new_window()
    assert second.queue_room.panel.unasked.isChecked()
    with qtbot.waitSignal(second.exports.finished, timeout=10_000):
        second.queue_room.load()
    assert (tmp_path / "a.mp4").exists()


def test_two_editors_have_a_queue_each_and_nothing_is_lost(tmp_path: Path) -> None:
    clips = [Clip(Path(f"/{name}.mp4"), output=Path(f"/{name}_vec.mp4")) for name in "abc"]
    one, two = QueueFile(tmp_path), QueueFile(tmp_path)
    assert one.load() == two.load() == ()
    one.save((clips[0],))
    two.save((clips[1], clips[2]))
    one.close()
    two.close()
    heir, other = QueueFile(tmp_path), QueueFile(tmp_path)
    assert heir.load() == tuple(clips)
    assert other.load() == ()
    heir.close()
    other.close()
    assert QueueFile(tmp_path).load() == tuple(clips)


def test_of_two_saves_the_newer_one_stays(tmp_path: Path) -> None:
    one, two = (Clip(Path(f"/{name}.mp4"), output=Path(f"/{name}_vec.mp4")) for name in "ab")
    queue = QueueFile(tmp_path)
    queue.load()
    queue.save((two,), 2)
    queue.save((one,), 1)
    threads = [threading.Thread(target=queue.save, args=((one, two), number)) for number in range(3, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.save((one,), 2)
    queue.close()
    assert QueueFile(tmp_path).load() == (one, two)


def test_a_damaged_queue_is_passed_over_and_stays(tmp_path: Path) -> None:
    texts = {1: b"not a project", 2: b'{"version": 99}', 3: b"\x00\xff", 4: Project((Clip(Path("/a.mp4")),)).to_json()}
    for number, text in texts.items():
        file = tmp_path / f"queue-{number}.json"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    queue = QueueFile(tmp_path)
    assert queue.load() == ()
    assert (tmp_path / "queue-1.json").read_bytes() == b"not a project"
    assert (tmp_path / "queue-2.json").read_bytes() == b'{"version": 99}'
    queue.close()


def test_when_done_counts_down_and_can_be_cancelled(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    when_done = window.queue_room.when_done
    closed: list[bool] = []
    when_done.close_asked.connect(lambda: closed.append(True))
    when_done.set_wish("close")
    queue = put(window, tmp_path / "a.mp4")
    with qtbot.waitSignal(queue.ran_out, timeout=20_000):
        queue.start()
    assert when_done.seconds_left == COUNT_SECONDS
    when_done.count()
    assert window.notices.sentences[-1] == f"The queue is done: the editor closes in {COUNT_SECONDS - 1} s."
    window.notices.button("Cancel").click()
    assert when_done.seconds_left == 0
    assert not any("closes in" in sentence for sentence in window.notices.sentences)
    assert closed == []
    assert window.preferences.text("queue_when_done", "") == "close"


def test_a_dismissed_countdown_is_called_off(window: MainWindow) -> None:
    when_done = window.queue_room.when_done
    when_done.set_wish("close")
    when_done.begin()
    window.notices.dismiss(window.notices.sentences[-1])
    when_done.count()
    assert when_done.seconds_left == 0
    assert window.isVisible()


def test_when_the_countdown_is_through_the_editor_closes(
    new_window: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(machine, "do", told.append)
    window = new_window()
    when_done = window.queue_room.when_done
    when_done._offer(frozenset({"sleep", "off"}))
    assert when_done.offered == ("nothing", "close", "sleep", "off")
    when_done.set_wish("off")
    when_done.begin()
    for _ in range(COUNT_SECONDS):
        when_done.count()
    assert not window.isVisible()
    assert told == ["off"]
    # Not tomorrow, too.
    assert window.preferences.text("queue_when_done", "") == "nothing"


@pytest.mark.skipif(sys.platform != "linux", reason="logind")
def test_the_machine_is_only_offered_where_the_system_says_yes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.possible() == frozenset()
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho it is inhibited >&2; exit 1\n")
    (tmp_path / "busctl").write_text(
        """#!/bin/sh\ncase "$*" in *CanSuspend) echo 's "yes"';; *) echo 's "challenge"';; esac\n"""
    )
    for name in ("systemctl", "busctl"):
        (tmp_path / name).chmod(0o755)
    assert machine.possible() == {"sleep"}
    with pytest.raises(InputError, match="it is inhibited"):
        machine.do("sleep")


def test_names(tmp_path: Path) -> None:
    taken = {key_of(tmp_path / "night_vec.mp4")}
    assert output_beside(tmp_path / "night.mp4", "h264", taken).name == "night_vec_2.mp4"
    assert output_beside(tmp_path / "night.mp4", "av1", taken, ".mkv").name == "night_vec.mkv"
    assert free_output(tmp_path / "a.mp4") == tmp_path / "a.mp4"
    assert free_output(tmp_path / "a_2.mp4", {key_of(tmp_path / "a_2.mp4")}) == tmp_path / "a_3.mp4"
    pictures = tmp_path / "x_vec" / "x_%05d.png"
    assert free_output(pictures, {key_of(pictures)}) == tmp_path / "x_vec_2" / "x_%05d.png"
    assert key_of(tmp_path / "a" / ".." / "b.mp4") == key_of(tmp_path / "b.mp4")


def test_words() -> None:
    clip = Clip(Path("a.mp4"), CorrectionSettings(strength=0.5), 1.0, 2.5, EncodeSettings("hevc", 20), Path("b.mp4"))
    entry = QueueEntry(1, clip)
    assert settings_words(entry) == "H.265 (HEVC) CRF 20; 1.00 s to 2.50 s; correction: strength 0.5"
    running = replace(entry, state=State.RUNNING, device="CPU", status=ExportStatus("export", 30, 120, 70.0))
    assert state_words(running) == "Exporting 25 %, 1:10 left on CPU"
    assert state_words(replace(running, is_paused=True)) == "Paused: exporting 25 %"
    stopped = replace(entry, state=State.STOPPED, kept=10, total=120)
    assert state_words(stopped) == "Stopped: 10 of 120 frames are kept"
    assert state_words(replace(entry, state=State.STOPPED)) == "Stopped"
    failed = replace(stopped, state=State.FAILED, sentence="It broke.")
    assert state_words(failed) == "Failed: It broke; 10 of 120 frames are kept"
    outcome = ExportOutcome(Path("b.mp4"), 120, 62.0, "CPU", checks=("120 frames",))
    done = replace(entry, state=State.DONE, outcome=outcome, size_bytes=12_000_000)
    assert state_words(done) == "Done, checked: 12 MB in 1:02 on CPU"
    assert QueueSums.of((done, entry)).words == "1 of 2 done: 12 MB in 1:02"


def test_every_deed_is_named_for_everybody(window: MainWindow, tmp_path: Path) -> None:
    put(window, tmp_path / "a.mp4")
    panel = window.queue_room.panel
    for widget in panel.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            assert widget.toolTip(), widget
