"""A seeded monkey: random actions, keys and mouse on a window with two clips; nothing raises or is left behind."""

from __future__ import annotations

import gc
import logging
import random
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

import psutil
import pytest
from clips import make_clip
from fakes import FakeSession
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QDialog, QFileDialog, QMenu, QWidget
from pytestqt.exceptions import format_captured_exceptions
from test_real_clip import needs_weights

from app.export import machine
from app.session import Studio
from vecnet_core.command import command_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow

SEED = 20_261_125
QUICK, MANY = 60, 1000
SETTLED = 300
"""Actions after which whatever is made once has been made, and caches are as full as they get."""
MOST_GROWTH = 200 << 20
TOLD = 25
"""How many of the last actions are told of when something went wrong."""

Key, Mod, Button = Qt.Key, Qt.KeyboardModifier, Qt.MouseButton
KEYS = (
    *(Key.Key_Space, Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down, Key.Key_Home, Key.Key_End, Key.Key_Tab),
    *(Key.Key_Return, Key.Key_Escape, Key.Key_Delete, Key.Key_Backslash, Key.Key_5, Key.Key_Minus, Key.Key_W),
)
LEFT_OUT = {"quit"}
"""Closes the window, with which it all would end."""


class Monkey:
    """Does one random thing after another, each told in `done`."""

    def __init__(self, window: MainWindow, clips: list[Path], seed: int) -> None:
        self.window, self.clips = window, clips
        self.random = random.Random(seed)
        self.done: list[str] = []
        # The menus of number fields and of buttons wait in a loop of their own until they are closed.
        self.closer = QTimer(window)
        self.closer.timeout.connect(self.close_popup)
        self.closer.start(200)
        self.deeds = [self.act, self.act, self.press, self.click, self.click, self.drag, self.wheel, self.undo]

    def step(self) -> None:
        """One thing; a dialog or a menu that it brings up is used now and then, and goes again."""
        self.random.choice(self.deeds)()
        QTest.qWait(self.random.choice((0, 0, 1, 10, 40)))
        self.close_popup()
        dialog = QApplication.activeModalWidget()
        if dialog is not None and self.random.random() < 0.4:
            self.note("escape", dialog)
            QTest.keyClick(dialog, Key.Key_Escape)
        if len(self.window.document.order) < 2:
            self.note("open again", self.window)
            self.window.open_clip(*self.clips)
            QTest.qWait(50)

    def close_popup(self) -> None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()

    def note(self, what: str, widget: QWidget, more: object = "") -> None:
        self.done.append(f"{what} {type(widget).__name__} {widget.accessibleName() or widget.objectName()} {more}")

    def act(self) -> None:
        actions = self.window.actions_by_name.by_name
        name = self.random.choice([name for name in actions if name not in LEFT_OUT])
        if QApplication.activeModalWidget() is None:
            self.done.append(f"action {name}")
            actions[name].trigger()

    def undo(self) -> None:
        stack = self.window.document.undo_stack
        if QApplication.activeModalWidget() is None:
            does_undo = self.random.random() < 0.6
            self.done.append("undo" if does_undo else "redo")
            (stack.undo if does_undo else stack.redo)()

    def press(self) -> None:
        target = QApplication.focusWidget() or self.window
        key, modifiers = (
            self.random.choice(KEYS),
            self.random.choice((Mod.NoModifier, Mod.NoModifier, Mod.ShiftModifier)),
        )
        self.note("press", target, key.name)
        QTest.keyClick(target, key, modifiers)

    def click(self) -> None:
        widget = self.pick()
        at, button = (
            self.place_in(widget),
            self.random.choice((Button.LeftButton, Button.LeftButton, Button.RightButton)),
        )
        does_twice = self.random.random() < 0.15
        self.note("double-click" if does_twice else "click", widget, (at.x(), at.y(), button.name))
        (QTest.mouseDClick if does_twice else QTest.mouseClick)(widget, button, Mod.NoModifier, at)

    def drag(self) -> None:
        widget = self.pick()
        if isinstance(widget.parent(), QAbstractItemView):
            # A row that is dragged is the desktop's until it is let go, which a test cannot do.
            return
        begin, end = self.place_in(widget), self.place_in(widget)
        button = self.random.choice((Button.LeftButton, Button.LeftButton, Button.MiddleButton))
        self.note("drag", widget, (begin.x(), begin.y(), end.x(), end.y(), button.name))
        QTest.mousePress(widget, button, Mod.NoModifier, begin)
        QTest.mouseMove(widget, (begin + end) / 2)
        QTest.mouseMove(widget, end)
        QTest.mouseRelease(widget, button, Mod.NoModifier, end)

    def wheel(self) -> None:
        widget = self.pick()
        at, turn = QPointF(self.place_in(widget)), QPoint(0, self.random.choice((-120, 120)))
        held = self.random.choice((Mod.NoModifier, Mod.ControlModifier, Mod.ShiftModifier))
        self.note("wheel", widget, (turn.y(), held.name))
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(at, widget.mapToGlobal(at), QPoint(), turn, Button.NoButton, held, phase, False)
        QApplication.sendEvent(widget, event)

    def pick(self) -> QWidget:
        """Any widget that can be seen and used; no file dialog, in which a monkey would roam the disk."""
        top = QApplication.activeModalWidget() or self.window
        if isinstance(top, QFileDialog):
            QTest.keyClick(top, Key.Key_Escape)
            top = self.window
        seen = [
            widget
            for widget in top.findChildren(QWidget)
            if widget.isVisible() and widget.isEnabled() and widget.window() is top and not isinstance(widget, QMenu)
        ]
        return self.random.choice(seen or [top])

    def place_in(self, widget: QWidget) -> QPoint:
        return QPoint(self.random.randrange(max(widget.width(), 1)), self.random.randrange(max(widget.height(), 1)))


def windows() -> Counter[str]:
    """Windows and dialogs that exist, in sight or not; Qt's own pop-ups are made once for each control that has one."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QApplication.processEvents()
    gc.collect()
    return Counter(
        type(widget).__name__
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, QDialog) or widget.parent() is None
        if not isinstance(widget.parent(), QComboBox)
    )


def settle(window: MainWindow, qtbot: QtBot) -> None:
    """Let everything come to rest: no dialog, no tool, no play, no export, and nothing asked for."""
    for _ in range(20):
        top = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if top is None:
            break
        top.close()
        qtbot.wait(10)
    window.viewing.leave_full_screen()
    window.playback.stop()
    window.comparisons.close()
    window.queue_room.queue._is_started = False
    window.exports.stop()
    qtbot.waitUntil(lambda: not window.exports.is_running, timeout=60_000)
    for entry in window.queue_room.queue.entries:
        window.queue_room.queue.remove(entry.number)
    window.exports.dialog.close()
    qtbot.waitUntil(lambda: not window.preview.is_waiting, timeout=60_000)


def threads() -> Counter[str]:
    """The threads of Python by name; the one of the sound begins with the first play and ends with the window."""
    return Counter(thread.name for thread in threading.enumerate()) | Counter({"vecnet-sound": 1})


def run(
    window: MainWindow, clips: list[Path], count: int, qtbot: QtBot, caplog: pytest.LogCaptureFixture, seed: int = SEED
) -> int:
    """Let the monkey loose; returns by how many bytes the process has grown since it had settled.

    Raises:
        AssertionError: Something was raised or left behind; the seed and the last actions are told.
    """
    with qtbot.waitSignal(window.preview.frame_shown, timeout=60_000):
        window.open_clip(*clips)
    qtbot.waitUntil(lambda: len(window.document.order) == 2, timeout=10_000)
    before, threads_before = windows(), threads()
    monkey, memory, settled = Monkey(window, clips, seed), psutil.Process().memory_info, 0

    def story() -> str:
        last = "\n".join(monkey.done[-TOLD:])
        return f"seed {seed}, after {len(monkey.done)} deeds; the last of them:\n{last}"

    troubles: list[str] = []
    window.preview.error_raised.connect(lambda sentence, details: troubles.append(f"{sentence}\n{details}"))
    with qtbot.captureExceptions() as raised:
        for step in range(count):
            monkey.step()
            assert not raised, f"{format_captured_exceptions(raised)}\n{story()}"
            strange = [trouble for trouble in troubles if "Something went wrong" in trouble]
            assert not strange, f"{strange[0]}\n{story()}"
            if step == min(SETTLED, count // 2):
                gc.collect()
                settled = memory().rss
        settle(window, qtbot)
        monkey.closer.stop()
        assert not raised, f"{format_captured_exceptions(raised)}\n{story()}"
    bad = [record.getMessage() for record in caplog.records if record.levelno >= logging.CRITICAL]
    assert not bad, f"{bad}\n{story()}"
    left = windows() - before
    # The dialog of exports is one and stays; so is the last tooltip.
    for name in ("ExportDialog", "QTipLabel", "QLabel"):
        left[name] = max(left[name] - 1, 0)
    assert not +left, f"left behind: {dict(+left)}\n{story()}"
    new = threads() - threads_before
    assert not new, f"threads left behind: {dict(new)}\n{story()}"
    return memory().rss - settled


@pytest.fixture
def tame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the monkey inside the window: no desktop, no dialogs of files, no machine to shut down."""

    def open_nothing(url: QUrl) -> bool:
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_nothing)
    for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"):
        nothing = {"getOpenFileNames": ([], ""), "getExistingDirectory": ""}.get(name, ("", ""))
        monkeypatch.setattr(QFileDialog, name, lambda *_, nothing=nothing, **__: nothing)
    monkeypatch.setattr(machine, "possible", frozenset)
    monkeypatch.setattr(machine, "do", lambda name: None)


@pytest.mark.usefixtures("tame")
@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_a_few_actions(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    clips = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for clip in clips:
        clip.touch()
    run(new_window(FakeSession), clips, QUICK, qtbot, caplog, seed)


@pytest.mark.usefixtures("tame")
def test_an_exception_of_a_slot_is_noticed_and_told(
    new_window: Callable[..., MainWindow],
    qtbot: QtBot,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clips = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for clip in clips:
        clip.touch()
    window = new_window(FakeSession)

    def fail() -> None:
        raise LookupError("a slot that fails")

    for action in window.actions_by_name.by_name.values():
        action.triggered.connect(fail)
    with pytest.raises(AssertionError, match=rf"(?s)a slot that fails.*seed {SEED}.*action "):
        run(window, clips, QUICK, qtbot, caplog)
    with qtbot.captureExceptions():
        settle(window, qtbot)


@pytest.mark.slow
@needs_weights
@pytest.mark.usefixtures("tame")
def test_a_thousand_actions(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = [
        make_clip(tmp_path / "a.mp4", frames=30, size=(96, 128), audio="aac"),
        make_clip(tmp_path / "b.mp4", frames=24, size=(72, 96)),
    ]
    kept = [clip.read_bytes() for clip in clips]
    window = new_window(Studio(memory_bytes=64 << 20), child_command=lambda: list(command_line()))
    grown = run(window, clips, MANY, qtbot, caplog)
    sys.stdout.write(f"{MANY} actions: {grown / 1e6:+.0f} MB after the first {SETTLED}\n")
    assert grown < MOST_GROWTH
    assert [clip.read_bytes() for clip in clips] == kept
