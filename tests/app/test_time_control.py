"""Laws of time in the window: keys mark, jump, loop and shuttle; the range is an edit, the playhead is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from conftest import is_whole
from fakes import FakeSample, FakeScan, FakeSession
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.playback import Loop
from app.session import Studio
from vecnet_core.video.decode import AS_IT_IS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow

Key = Qt.Key
SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier


class CutScan(FakeScan):
    def __iter__(self) -> Iterator[FakeSample]:
        for sample in super().__iter__():
            yield FakeSample(sample.index, sample.exposure_ev, is_cut=sample.index in {12, 30})


class CutSession(FakeSession):
    timecode = "01:00:00:00"

    def scan_light(self) -> FakeScan:
        return CutScan(self.exposures_ev)


@pytest.fixture
def cut_window(new_window: Callable[..., MainWindow], qtbot: QtBot) -> MainWindow:
    made = new_window(CutSession)
    with qtbot.waitSignal(made.preview.flicker_measured, timeout=10_000, check_params_cb=is_whole):
        made.open_clip(Path("night.mp4"))
    return made


def marks(window: MainWindow) -> tuple[int, int]:
    return window.timeline.ruler.marks


def seconds(window: MainWindow) -> tuple[float, float | None]:
    clip = window.document.clip
    assert clip is not None
    return clip.start_seconds, clip.stop_seconds


def test_in_and_out_points_are_edits_of_what_is_exported(window: MainWindow) -> None:
    window.document.set_playhead(12)
    QTest.keyClick(window, Key.Key_I)
    window.document.set_playhead(23)
    QTest.keyClick(window, Key.Key_O)
    assert marks(window) == (12, 23)
    assert seconds(window) == pytest.approx((0.5, 1.0))
    QTest.keyClick(window, Key.Key_Z, CTRL)
    assert marks(window) == (12, 47)
    assert seconds(window) == (0.5, None)
    QTest.keyClick(window, Key.Key_Z, CTRL | SHIFT)
    assert marks(window) == (12, 23)
    QTest.keyClick(window, Key.Key_I, ALT)
    assert marks(window) == (0, 23)
    QTest.keyClick(window, Key.Key_O, ALT)
    assert marks(window) == (0, 47)
    assert seconds(window) == (0.0, None)
    assert window.document.playhead == 23


def test_an_out_point_before_the_in_point_moves_that_out_of_the_way(window: MainWindow) -> None:
    window.document.set_playhead(30)
    QTest.keyClick(window, Key.Key_I)
    window.document.set_playhead(5)
    QTest.keyClick(window, Key.Key_O)
    assert marks(window) == (0, 5)
    window.document.set_playhead(40)
    QTest.keyClick(window, Key.Key_I)
    assert marks(window) == (40, 47)


def test_one_drag_of_an_end_is_one_step_back(window: MainWindow) -> None:
    ruler = window.timeline.ruler
    low = ruler.height() - 3
    steps = window.document.undo_stack.count()
    QTest.mousePress(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(-0.5)), low))
    for place in (3.5, 6.5, 9.5):
        QTest.mouseMove(ruler, QPoint(round(ruler.x_of(place)), low))
    QTest.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(9.5)), low))
    assert marks(window) == (10, 47)
    assert window.document.undo_stack.count() == steps + 1
    window.document.undo_stack.undo()
    assert marks(window) == (0, 47)


def test_up_and_down_go_from_cut_to_cut(cut_window: MainWindow) -> None:
    visited = []
    for key in (Key.Key_Down, Key.Key_Down, Key.Key_Down, Key.Key_Up, Key.Key_Up, Key.Key_Up, Key.Key_Up):
        QTest.keyClick(cut_window, key)
        visited.append(cut_window.document.playhead)
    assert visited == [12, 30, 47, 30, 12, 0, 0]
    assert not cut_window.playback.is_playing


def test_up_and_down_belong_to_a_field_that_has_the_focus(cut_window: MainWindow, qtbot: QtBot) -> None:
    field = cut_window.correction_panel.sliders["shadows"].field
    cut_window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus, timeout=3000)
    assert not cut_window.actions_by_name["next_cut"].isEnabled()
    cut_window.setFocus()
    qtbot.waitUntil(lambda: not field.hasFocus(), timeout=3000)
    assert cut_window.actions_by_name["next_cut"].isEnabled()


def test_the_file_s_timecode_is_told(cut_window: MainWindow) -> None:
    cut_window.document.set_playhead(25)
    assert cut_window.transport.timecode.text() == "01:00:01:01"
    assert cut_window.timeline.ruler.named[0].timecode == "01:00:00:00"


def test_shuttle_keys(window: MainWindow) -> None:
    QTest.keyClick(window, Key.Key_L)
    QTest.keyClick(window, Key.Key_L)
    assert window.playback.speed == 2
    assert window.transport.speed_label.text() == "2×"
    QTest.keyClick(window, Key.Key_J)
    assert window.transport.speed_label.text() == "−1×"
    QTest.keyClick(window, Key.Key_K)
    assert not window.playback.is_playing
    assert not window.transport.speed_label.isVisible()


def test_a_click_in_time_seeks_and_does_not_play(window: MainWindow) -> None:
    QTest.keyClick(window, Key.Key_Space)
    ruler = window.timeline.ruler
    QTest.mouseClick(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(20)), 5))
    assert window.document.playhead == 20
    assert not window.playback.is_playing


def test_comma_plays_to_and_fro_about_the_playhead(window: MainWindow, qtbot: QtBot) -> None:
    window.document.set_playhead(24)
    QTest.keyClick(window, Key.Key_Comma)
    qtbot.waitUntil(lambda: window.document.playhead > 30, timeout=5000)
    QTest.keyClick(window, Key.Key_Comma)
    assert window.document.playhead == 24
    assert not window.playback.is_playing


def test_loop_and_sound_are_shown_and_sound_is_remembered(window: MainWindow) -> None:
    seen = []
    for _ in range(3):
        QTest.keyClick(window, Key.Key_L, SHIFT)
        seen.append(window.playback.loop)
    assert seen == [Loop.LOOP, Loop.PING_PONG, Loop.ONCE]
    QTest.keyClick(window, Key.Key_M, SHIFT)
    assert window.playback.sound.is_muted
    assert window.preferences.text("sound/muted", "") == "yes"
    window.transport.volume.setValue(40)
    assert (window.playback.sound.volume, window.playback.sound.is_muted) == (0.4, False)
    assert window.preferences.text("sound/volume", "") == "40"


def test_what_is_dropped_and_half_is_said(window: MainWindow) -> None:
    window.playback.dropped_changed.emit(12)
    window.playback.half_changed.emit(True)
    assert (window.transport.dropped_label.text(), window.transport.half_label.text()) == ("12 dropped", "1/2 res")
    assert window.transport.half_label.isVisible()


def test_timeline_zooms_by_key(window: MainWindow) -> None:
    QTest.keyClick(window, Key.Key_Equal)
    first, last = window.timeline.lanes.luma.viewRange()[0]
    assert last - first == pytest.approx(24)
    QTest.keyClick(window, Key.Key_Minus)
    assert np.ptp(window.timeline.lanes.luma.viewRange()[0]) == pytest.approx(48)
    QTest.keyClick(window, Key.Key_Equal)
    QTest.keyClick(window, Key.Key_F, SHIFT)
    assert np.ptp(window.timeline.lanes.luma.viewRange()[0]) == pytest.approx(48)


def test_a_session_tells_the_timecode_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "take.mov"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["timecode"] = "10:11:12:13"
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24")))
        output.mux(stream.encode())
    session = Studio()(path, AS_IT_IS)
    try:
        assert session.timecode == "10:11:12:13"
        assert 0 < session.ready_bytes < Studio().memory_bytes
        assert session.frame_seconds() == pytest.approx(np.arange(4) / 24, abs=1e-3)
    finally:
        session.close()
