"""Laws of the window: keys, sliders, notices; nothing heavy before a clip; every control named and told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from fakes import FakeSession
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QSpinBox, QWidget

from app import application
from app.inspector.correction_panel import CorrectionPanel
from app.map_pictures import MapKind
from app.notices import LastResort
from app.viewer.compare import CompareMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_heavy_is_loaded_before_a_clip_is_opened(tmp_path: Path) -> None:
    code = (
        "import sys; from app.application import build; application, window = build(['vecnet']); window.show(); "
        "application.processEvents(); print(sorted({'torch', 'av', 'numba', 'matplotlib'} & set(sys.modules))); "
        "window.close()"
    )
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="its folders are not named by the environment")
def test_home_that_cannot_be_written_is_a_notice(tmp_path: Path) -> None:
    code = (
        "from PySide6.QtWidgets import QApplication; from app.application import run; from app.main_window import "
        "MainWindow\n"
        "def look(*_):\n"
        "    window, = [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)]\n"
        "    window.preferences.set_device('cpu'); window.notices.clear(); print(*window.notices.sentences)\n"
        "    window.close(); return 0\n"
        "QApplication.exec = look; run(['vecnet'])"
    )
    home = tmp_path / "file" / "home"
    home.parent.touch()
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", HOME=str(home), TMPDIR=str(tmp_path))
    environment |= dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), str(home))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.glob("vecnet-*/vecnet.log")
    assert "Python" in log.read_text(encoding="utf-8")
    assert done.stdout.startswith(f"The folder {home}")
    assert done.stdout.strip().endswith(f"cannot be written; the log of this session is {log}.")


def test_keys_move_the_playhead(window: MainWindow) -> None:
    for key, frame in (
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_End, 47),
        (Qt.Key.Key_Left, 46),
        (Qt.Key.Key_Home, 0),
    ):
        QTest.keyClick(window, key)
        assert window.document.playhead == frame
    QTest.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert window.document.playhead == 24
    assert window.transport.timecode.text() == "00:00:01:00"


def test_space_plays_and_pauses(window: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert window.playback.is_playing
    qtbot.waitUntil(lambda: window.document.playhead > 4, timeout=5000)
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert not window.playback.is_playing


def test_playback_ends_on_the_last_frame_and_begins_again(window: MainWindow, qtbot: QtBot) -> None:
    window.document.set_playhead(40)
    window.playback.start()
    qtbot.waitUntil(lambda: not window.playback.is_playing, timeout=5000)
    assert window.document.playhead == 47
    window.playback.start()
    assert window.document.playhead == 0
    window.playback.stop()


def test_wipe_side_and_zoom_by_key(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.compare.mode is CompareMode.WIPE
    assert not window.compare.original.isVisible()
    assert window.view_bar.modes.position == 1
    QTest.keyClick(window, Qt.Key.Key_V)
    assert window.compare.mode is CompareMode.SIDE
    QTest.keyClick(window, Qt.Key.Key_4)
    assert window.compare.view.zoom == 4.0
    assert window.view_bar.zoom.currentText() == "400 %"
    QTest.keyClick(window, Qt.Key.Key_F)
    assert window.compare.view.zoom is None


def test_divider_can_be_dragged(window: MainWindow, qtbot: QtBot) -> None:
    window.compare.set_mode(CompareMode.WIPE)
    qtbot.wait(50)
    canvas = window.compare.corrected
    middle = QPoint(canvas.width() // 2, canvas.height() // 2)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    with qtbot.waitSignal(canvas.wipe_moved, timeout=2000) as caught:
        QTest.mouseMove(canvas, middle - QPoint(80, 0))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle - QPoint(80, 0))
    assert caught.args[0] < 0.5
    assert window.compare.view.zoom is None


def test_holding_backslash_shows_the_original(window: MainWindow) -> None:
    corrected = window.compare.corrected.grab().toImage()
    QTest.keyPress(window, Qt.Key.Key_Backslash)
    assert window.compare.corrected.grab().toImage() == window.compare.original.grab().toImage()
    QTest.keyRelease(window, Qt.Key.Key_Backslash)
    assert window.compare.corrected.grab().toImage() == corrected


def test_maps_cycle_by_key(window: MainWindow) -> None:
    seen = set()
    for _ in MapKind:
        QTest.keyClick(window, Qt.Key.Key_M)
        seen.add(window.preview.map_kind)
    assert seen == set(MapKind)
    assert window.preview.map_kind is MapKind.RESULT


def test_slider_edits_undo_and_reset(window: MainWindow) -> None:
    slider = window.correction_panel.sliders["shadows"]
    slider.slider.sliderPressed.emit()
    slider.slider.setValue(140)
    slider.slider.setValue(160)
    slider.slider.sliderReleased.emit()
    assert window.document.settings.shadows == pytest.approx(1.6)
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.document.settings.shadows == 1.0
    assert slider.value == 100
    slider.field.setValue(30)
    assert window.document.settings.shadows == pytest.approx(0.3)
    QTest.mouseDClick(slider.slider, Qt.MouseButton.LeftButton)
    assert window.document.settings.shadows == 1.0


def test_slider_shows_the_document_without_asking_back(qtbot: QtBot) -> None:
    from vecnet_core.settings import CorrectionSettings

    panel = CorrectionPanel()
    qtbot.addWidget(panel)
    with qtbot.assertNotEmitted(panel.edit_asked):
        panel.show_settings(CorrectionSettings(strength=0.25, exposure_ev=-1.2))
    assert panel.sliders["strength"].value == 25
    assert panel.sliders["exposure_ev"].field.text() == "-1.20 stops"


def drop(window: MainWindow, *names: str) -> None:
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(f"/clips/{name}") for name in names])
    event = QDropEvent(
        QPointF(200, 200),
        Qt.DropAction.CopyAction,
        dropped,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)


def test_dropped_file_is_opened(new_window: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = new_window()
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        drop(window, "night.mp4")
    assert window.windowTitle().startswith("night.mp4")
    assert window.stack.currentIndex() == 1
    assert window.notices.sentences == []


def test_files_dropped_beside_the_one_that_is_opened_are_told(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        drop(window, "dusk.mp4", "noon.mp4", "dawn.mp4")
    assert window.windowTitle().startswith("dusk.mp4")
    assert window.notices.sentences == [
        "One clip is open at a time: dusk.mp4 was taken, 2 other files were left out.",
    ]
    with qtbot.waitSignal(window.preview.error_raised, timeout=5000):
        drop(window, "broken.mp4", "noon.mp4")
    assert window.notices.sentences[-2:] == [
        "One clip is open at a time: broken.mp4 was taken, 1 other file was left out.",
        f"{Path('/clips/broken.mp4')}: this is not a video; choose a video file.",
    ]
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        drop(window, "noon.mp4")
    assert window.notices.sentences == []


def test_files_named_beside_the_one_that_is_opened_are_told(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = new_window()

    def build(arguments: list[str]) -> tuple[SimpleNamespace, MainWindow]:
        return SimpleNamespace(exec=lambda: 0), window

    def leave_as_it_is(*_: object) -> None:
        """This process's cores and log."""

    monkeypatch.setattr(application, "build", build)
    monkeypatch.setattr(application, "log_folder", lambda: tmp_path)
    monkeypatch.setattr(application, "log_file", lambda: tmp_path / "vecnet.log")
    for name in ("share_cores", "start_logging"):
        monkeypatch.setattr(application, name, leave_as_it_is)
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        application.run(["vecnet", "dusk.mp4", "noon.mp4"])
    assert window.windowTitle().startswith("dusk.mp4")
    assert window.notices.sentences == ["One clip is open at a time: dusk.mp4 was taken, 1 other file was left out."]


def test_broken_file_is_a_notice_and_the_clip_stays(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.preview.error_raised, timeout=5000):
        window.open_clip(Path("broken.mp4"))
    assert window.notices.sentences == ["broken.mp4: this is not a video; choose a video file."]
    assert window.stack.currentIndex() == 1
    window.notices.clear()
    assert not window.notices.isVisible()


def test_uncaught_error_is_a_notice(window: MainWindow) -> None:
    last_resort = LastResort()
    last_resort.error_raised.connect(window.notices.show_error)
    error = ValueError("odd")
    last_resort._take(ValueError, error, None)
    assert window.notices.sentences[0].startswith("Something unexpected went wrong (ValueError: odd)")


def test_device_is_shown_and_can_be_changed(window: MainWindow, qtbot: QtBot) -> None:
    assert window.status.device.text() == "Device: CPU"
    with qtbot.waitSignal(window.preview.device_chosen, timeout=5000):
        window.preferences.set_device("cuda")
    assert window.status.device.text() == "Device: CUDA"
    assert window.preferences.device == "cuda"


def test_export_goes_through_the_child_and_analysis_rests(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    window = new_window()
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        window.open_clip(Path("night.mp4"))
    paused: list[bool] = []
    window.preview.pause_background = paused.append  # type: ignore[method-assign]
    window.exports.show_dialog()
    form = window.exports.dialog.form
    form.path.setText(str(tmp_path / "night_vec.mp4"))
    with qtbot.waitSignal(window.exports.finished, timeout=10_000):
        form.start.click()
    assert window.exports.dialog.page == 2
    assert paused == [True, False]
    assert (tmp_path / "night_vec.mp4").exists()


def test_failed_export_is_a_notice(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.exports.show_dialog()
    window.exports.dialog.form.path.setText(str(tmp_path / "refuse.mp4"))
    with qtbot.waitSignal(window.exports.error_raised, timeout=10_000):
        window.exports.dialog.form.start.click()
    assert "its folder is not writable" in window.notices.sentences[0]
    assert not window.exports.dialog.isVisible()


def test_every_control_has_a_name_a_tooltip_and_a_key_way(window: MainWindow) -> None:
    kinds = (QAbstractButton, QAbstractSlider, QComboBox, QSpinBox, QLineEdit)
    roots: list[QWidget] = [window.centralWidget(), window.status, window.exports.dialog]
    missing: list[str] = []
    for root in roots:
        for control in root.findChildren(QWidget):
            inner = type(control).__name__ in {"QScrollBar", "QLineEdit"} and not control.accessibleName()
            if not isinstance(control, kinds) or inner or control.objectName().startswith(("qt_", "Scroll")):
                continue
            named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
            if not named or not control.toolTip():
                missing.append(f"{control!r} {named!r} {control.toolTip()!r}")
            if control.focusPolicy() == Qt.FocusPolicy.NoFocus:
                missing.append(f"{control!r} cannot be reached by key")
    assert missing == []


def test_closing_the_window_ends_its_thread(new_window: Callable[..., MainWindow], qtbot: QtBot) -> None:
    sessions: list[FakeSession] = []

    def open_session(path: Path) -> FakeSession:
        sessions.append(FakeSession(path))
        return sessions[-1]

    window = new_window(open_session)
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        window.open_clip(Path("night.mp4"))
    window.close()
    assert sessions[0].is_closed
