"""The first five minutes of a newcomer, by mouse and keys: the real network, a real clip, exports that are files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from clips import make_clip
from fake_sound import FakeSink, FakeSource
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from test_real_clip import needs_weights

from app.export.entries import State
from app.map_pictures import MapKind
from app.session import Studio
from app.viewer.compare_mode import CompareMode
from vecnet_core.command import command_line
from vecnet_core.metrics.scales import Overlay
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.reader import VideoReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow
    from app.preview_worker import FlickerCurves, PreviewResult
    from vecnet_core.project import Project

FRAMES, SIZE = 20, (96, 128)
Key, Mod = Qt.Key, Qt.KeyboardModifier
LONG_MS = 60_000


def flickering(index: int) -> np.ndarray:
    """R'G'B' of a dark scene whose light goes up and down."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
    light = 0.25 + 0.08 * np.sin(index * 2.1)
    return np.stack([x / SIZE[1], y / SIZE[0], 1 - x / SIZE[1]], axis=-1).astype(np.float32) * np.float32(light)


class Person:
    """Presses keys and moves the mouse, and sees what is shown."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self.qtbot = window, qtbot
        self.frames: list[PreviewResult] = []
        self.flicker: list[FlickerCurves] = []
        window.preview.frame_shown.connect(self.frames.append)
        window.preview.flicker_measured.connect(self.flicker.append)

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
        self.window.activateWindow()
        # Keys are the window's only once it has the dialog's place.
        self.waits_for(self.window.isActiveWindow)
        QTest.keyClick(self.window, key, modifiers)

    def drag(self, widget: QWidget, start: QPoint, stop: QPoint) -> None:
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(widget, left, Mod.NoModifier, start)
        for step in range(1, 5):
            QTest.mouseMove(widget, start + (stop - start) * step / 4)
            self.qtbot.wait(20)
        QTest.mouseRelease(widget, left, Mod.NoModifier, stop)

    def sees(self, what: Callable[[PreviewResult], bool]) -> PreviewResult:
        def is_seen() -> bool:
            return bool(self.frames) and self.frames[-1].corrected is not None and what(self.frames[-1])

        self.qtbot.waitUntil(is_seen, timeout=LONG_MS)
        return self.frames[-1]

    def waits_for(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=LONG_MS)


@needs_weights
def test_first_minutes(new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=FRAMES, size=SIZE, picture=flickering, audio="aac")
    source = clip.read_bytes()
    window = new_window(Studio(), child_command=lambda: list(command_line()))
    window.playback.sound.use(lambda: FakeSink(lambda: 0.0), lambda _: FakeSource())
    person, document, marks = Person(window, qtbot), window.document, window.compare.marks

    # Open: seen, measured as a whole, steadier than before.
    window.open_clip(clip)
    person.waits_for(lambda: bool(person.flicker) and person.flicker[-1].frames == FRAMES)
    curves = person.flicker[-1]
    assert curves.after_stops is not None
    assert curves.after_stops < curves.before_stops
    opened = document.project
    assert not document.undo_stack.canUndo()

    # Compare: every way by its key, closer and back, and the original while a key is held.
    for key, mode in (
        (Key.Key_W, CompareMode.WIPE),
        (Key.Key_D, CompareMode.DIFFERENCE),
        (Key.Key_D, CompareMode.SIDE),
    ):
        person.press(key)
        assert window.compare.mode is mode
    person.sees(lambda result: result.overlay is None)
    person.press(Key.Key_Z)
    person.sees(lambda result: result.overlay is not None and result.overlay.kind is Overlay.CLIPPING)
    person.press(Key.Key_Z)
    for key, zoom in ((Key.Key_8, 8.0), (Key.Key_F, None)):
        person.press(key)
        assert window.compare.view.zoom == zoom
    QTest.keyPress(window, Key.Key_Backslash)
    assert "HELD" in window.compare._left_name.text() + window.compare._right_name.text()
    QTest.keyRelease(window, Key.Key_Backslash)
    person.press(Key.Key_Right)
    person.press(Key.Key_Right)
    assert person.sees(lambda result: result.request.index == 2).overlay is None

    # Tune: one drag is one step, and the picture follows.
    bright = float(np.mean(person.frames[-1].corrected))
    slider = window.correction_panel.sliders["strength"].slider
    middle = slider.height() // 2
    person.drag(slider, QPoint(slider.width() - 8, middle), QPoint(slider.width() // 2, middle))
    tuned = document.settings.strength
    assert 0.2 < tuned < 0.8
    assert document.undo_stack.count() == 1
    seen = person.sees(lambda result: result.request.settings.strength == tuned)
    assert abs(float(np.mean(seen.corrected)) - bright) > 0.002

    # Maps: what the network saw.
    for _ in range(len(window.maps_panel.order)):
        person.press(Key.Key_M)
        kind = window.preview.map_kind
        seen = person.sees(lambda result, kind=kind: result.request.map_kind is kind)
        assert (seen.map is None) == (kind is MapKind.RESULT)
    assert window.preview.map_kind is MapKind.RESULT

    # Region: lanes and flicker are of the rectangle, and Esc clears it.
    person.press(Key.Key_R)
    canvas = window.compare.corrected
    center = canvas.rect().center()
    person.drag(canvas, center - QPoint(40, 30), center + QPoint(30, 20))
    assert marks.region is not None
    assert not marks.is_drawing
    person.flicker.clear()
    person.waits_for(lambda: any(curve.frames == FRAMES for curve in person.flicker))
    assert person.flicker[-1].before_stops != pytest.approx(curves.before_stops, rel=1e-3)
    person.press(Key.Key_Escape)
    assert marks.region is None

    # In and out.
    person.press(Key.Key_I)
    person.press(Key.Key_End)
    person.press(Key.Key_Left)
    person.press(Key.Key_O)
    assert document.undo_stack.count() == 3
    as_tuned = document.project

    # Export.
    person.press(Key.Key_E, Mod.ControlModifier)
    dialog = window.exports.dialog
    assert dialog.isVisible()
    output = tmp_path / "out_vec.mp4"
    dialog.form.path.setText(str(output))
    with qtbot.waitSignal(window.exports.finished, timeout=LONG_MS):
        dialog.form.start.click()
    assert dialog.page == 2
    assert "Checked" in dialog._done_facts.text()
    with VideoReader(output) as reader:
        assert reader.info.frame_count == FRAMES - 1 - 2
    dialog.close()

    # Queue: the same once more, under a name of its own.
    queue = window.queue_room.queue
    person.press(Key.Key_E, Mod.ControlModifier | Mod.ShiftModifier)
    person.waits_for(lambda: queue.sums.waiting == 1)
    with qtbot.waitSignal(queue.ran_out, timeout=LONG_MS):
        window.queue_room.panel.start.click()
    done = [entry.output for entry in queue.entries if entry.state is State.DONE]
    assert len(set(done)) == 2
    assert all(path.stat().st_size > 0 for path in done)
    assert clip.read_bytes() == source

    # Undo to the start; save; reopen: the same. And so once more with everything done again.
    while document.undo_stack.canUndo():
        person.press(Key.Key_Z, Mod.ControlModifier)
    assert document.project == opened
    assert document.settings == CorrectionSettings()
    saved(window, qtbot, tmp_path / "start.vecnet")
    while document.undo_stack.canRedo():
        person.press(Key.Key_Z, Mod.ControlModifier | Mod.ShiftModifier)
    assert document.project == as_tuned
    saved(window, qtbot, tmp_path / "tuned.vecnet")
    assert all(sentence.startswith("The queue is done: 2 files") for sentence in window.notices.sentences)
    for name, wanted in (("start", opened), ("tuned", as_tuned)):
        again = new_window(Studio())
        person = Person(again, qtbot)
        again.open_clip(tmp_path / f"{name}.vecnet")
        person.sees(lambda result, wanted=wanted: result.request.settings == wanted.clips[0].settings)
        assert state_of(again.document.project) == state_of(wanted)
        assert not again.document.is_changed
        assert again.correction_panel.sliders["strength"].value == pytest.approx(
            100 * wanted.clips[0].settings.strength
        )
        again.close()


def saved(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    """Save the project under a name, and wait until it is on the disk."""
    window.project.files.save_to(path)
    qtbot.waitUntil(lambda: path.exists() and not window.document.is_changed, timeout=10_000)


def state_of(project: Project) -> list[tuple[object, ...]]:
    """What a person has set of each clip."""
    return [(clip.path, clip.settings, clip.decode, clip.start_seconds, clip.stop_seconds) for clip in project.clips]


@pytest.mark.slow
@needs_weights
@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="there is no Xvfb to draw on")
def test_first_minutes_on_a_screen() -> None:
    run = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", sys.executable, "-m", "pytest", "-q"]
    done = subprocess.run(
        [*run, f"{__file__}::test_first_minutes"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "VECNET_TEST_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "1 passed" in done.stdout
