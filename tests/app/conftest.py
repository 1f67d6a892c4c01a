"""Fixtures of the window's tests: Qt without a screen, clips without files, and no thread or widget left behind."""

from __future__ import annotations

import os

# On a real screen, if one is named: VECNET_TEST_PLATFORM=xcb xvfb-run pytest ...
os.environ["QT_QPA_PLATFORM"] = os.environ.get("VECNET_TEST_PLATFORM", "offscreen")

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fake_sound import FakeSink, FakeSource
from fakes import FakeSession
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from app.main_window import MainWindow
from app.preferences import Preferences
from app.project.project_room import ProjectPlaces
from app.theme import apply_theme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

FAKE_EXPORT = str(Path(__file__).parent / "fake_export.py")


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    apply_theme(qapp)
    return qapp


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication) -> Iterator[None]:
    """Fails a test that leaves a thread or a visible window."""
    threads = set(threading.enumerate())
    yield
    for widget in QApplication.topLevelWidgets():
        if not widget.isVisible():
            continue
        pytest.fail(f"{widget!r} is still open")
    for thread in set(threading.enumerate()) - threads:
        thread.join(5.0)
        if thread.is_alive():
            pytest.fail(f"thread {thread.name} is still running")


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    return Preferences(QSettings(str(tmp_path / "preferences.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def new_window(qtbot: QtBot, preferences: Preferences, tmp_path: Path) -> Iterator[Callable[..., MainWindow]]:
    """Opens windows on fake clips, and closes them."""
    windows: list[MainWindow] = []

    def make(open_session: Callable[..., object] = FakeSession, **options: object) -> MainWindow:
        options.setdefault("child_command", lambda: [sys.executable, FAKE_EXPORT])
        options.setdefault("memory", lambda: tmp_path / "memory")
        options.setdefault("places", ProjectPlaces(lambda: tmp_path / "projects", lambda: tmp_path / "presets.json"))
        window = MainWindow(open_session, preferences, **options)  # type: ignore[arg-type]
        window.playback.sound.use(lambda: FakeSink(time.monotonic), lambda _: FakeSource())
        windows.append(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in windows:
        # Not one after another: the first that is stopped is the last.
        window.queue_room.queue._is_started = False
        window.exports.stop()
        qtbot.waitUntil(lambda window=window: not window.exports.is_running, timeout=15_000)
        # What a test has changed is not to be asked about.
        window.document.begin()
        window.close()
        window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def window(new_window: Callable[..., MainWindow], qtbot: QtBot) -> MainWindow:
    """A window with a fake clip open, corrected and analysed."""
    made = new_window()
    with qtbot.waitSignal(made.preview.flicker_measured, timeout=10_000, check_params_cb=is_whole):
        made.open_clip(Path("night.mp4"))
    return made


def is_whole(curves: object) -> bool:
    """True when flicker has been measured on the whole fake clip."""
    return getattr(curves, "frames", 0) == FakeSession.FRAMES and getattr(curves, "after_stops", None) is not None
