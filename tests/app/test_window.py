"""Laws of the window: keys, sliders, notices; nothing heavy before a clip; every control named and told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from conftest import is_whole
from fakes import FakeSession
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLabel, QLineEdit, QSpinBox, QWidget

from app import application
from app.inspector.correction_panel import CorrectionPanel
from app.map_pictures import MapKind
from app.notices import LastResort
from app.preview_worker import PreviewWorker
from app.viewer.compare import CompareMode
from vecnet_core.errors import VideoDamageError
from vecnet_core.project import Clip, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from app.jobs import ExportRequest
    from app.main_window import MainWindow
    from app.preview_worker import FlickerCurves
    from vecnet_core.video.decode import DecodeSettings

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
    QTest.keyClick(window, Qt.Key.Key_W)
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


def test_dropped_files_all_join_the_project(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        drop(window, "dusk.mp4", "noon.mp4", "dawn.mp4")
    assert window.windowTitle().startswith("dusk.mp4")
    assert names(window) == ["night.mp4", "dusk.mp4", "noon.mp4", "dawn.mp4"]
    assert window.document.undo_stack.undoText() == "Add 3 clips"
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        drop(window, "broken.mp4", "rain.mp4")
    assert names(window)[-1] == "rain.mp4"
    assert "broken.mp4" not in names(window)
    assert window.notices.sentences == [f"{Path('/clips/broken.mp4')}: this is not a video; choose a video file."]


def names(window: MainWindow) -> list[str]:
    return [clip.path.name for clip in window.document.project.clips]


def test_files_named_at_the_start_all_join_the_project(
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
    assert names(window) == ["dusk.mp4", "noon.mp4"]
    assert not window.document.undo_stack.canUndo()


def test_broken_file_is_a_notice_and_the_clip_stays(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.preview.error_raised, timeout=5000):
        window.open_clip(Path("broken.mp4"))
    assert window.notices.sentences == ["broken.mp4: this is not a video; choose a video file."]
    assert window.stack.currentIndex() == 1
    window.notices.clear()
    assert not window.notices.isVisible()


def test_dark_noisy_footage_starts_with_its_noise_removed_where_that_is_cheap(window: MainWindow, qtbot: QtBot) -> None:
    assert window.document.settings.denoise == 0
    with qtbot.waitSignal(window.preview.denoising_suggested, timeout=5000):
        window.open_clip(Path("noisy.mp4"))
    assert window.document.settings.denoise == 1
    assert window.correction_panel.sliders["denoise"].value == 100
    assert window.notices.sentences == [
        "This footage is dark and noisy: its noise is removed. Noise removal at 0 % keeps it."
    ]
    # There is no step of its own: it came with the clip.
    assert window.document.undo_stack.undoText() == "Add noisy.mp4"


def test_a_suggestion_changes_nothing_that_was_set_by_hand(window: MainWindow) -> None:
    window.document.edit("shadows", 0.5, 1)
    assert not window.document.suggest_denoise()
    window.document.undo_stack.undo()
    assert not window.document.suggest_denoise()
    assert window.document.settings.denoise == 0


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
    told: list[str] = []
    window.preview.pause_background = paused.append  # type: ignore[method-assign]
    window.exports.status_changed.connect(told.append)
    window.exports.show_dialog()
    form = window.exports.dialog.form
    form.path.setText(str(tmp_path / "night_vec.mp4"))
    with qtbot.waitSignal(window.exports.finished, timeout=10_000):
        form.start.click()
    assert window.exports.dialog.page == 2
    assert paused == [True, False]
    assert told[-2:] == ["Checking the file: 100 %, step 2 of 2", ""]
    assert "Checked: 8 frames, times." in window.exports.dialog._done_facts.text()
    assert (tmp_path / "night_vec.mp4").exists()


def test_export_is_of_the_clip_and_the_settings_that_are_seen(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    """Not of those the form was opened with: it stands beside a window that goes on."""
    window.exports.show_dialog()
    form = window.exports.dialog.form
    with qtbot.waitSignal(window.document.clip_changed, timeout=5000):
        window.open_clip(tmp_path / "other.mp4")
    assert Path(form.path.text()).name == "other_vec.mp4"
    window.document.edit("strength", 0.75, 1)
    started: list[ExportRequest] = []
    noted: list[Clip] = []
    window.exports.job_started.connect(started.append)
    window.exports.job_started.connect(lambda request: noted.extend(Project.load(request.file).clips))
    with qtbot.waitSignal(window.exports.finished, timeout=10_000):
        form.start.click()
    (request,) = started
    (exported,) = noted
    assert exported.path == tmp_path / "other.mp4"
    assert exported.settings.strength == 0.75
    assert request.output == tmp_path / "other_vec.mp4"
    assert not request.file.exists()
    window.exports.dialog.again_asked.emit()
    assert Path(form.path.text()).name == "other_vec_2.mp4"
    assert form.start.isEnabled()


def test_enter_in_the_form_exports(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.exports.show_dialog()
    form = window.exports.dialog.form
    form.path.setText(str(tmp_path / "night_vec.mp4"))
    form.path.setFocus()
    with qtbot.waitSignal(window.exports.finished, timeout=10_000):
        QTest.keyClick(form.path, Qt.Key.Key_Return)
    assert (tmp_path / "night_vec.mp4").exists()


def test_an_export_out_of_sight_ends_with_a_notice(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.exports.show_dialog()
    window.exports.dialog.form.path.setText(str(tmp_path / "night_vec.mp4"))
    window.exports.dialog.form.start.click()
    window.exports.dialog.hide()
    qtbot.waitUntil(lambda: not window.exports.is_running, timeout=10_000)
    assert "night_vec.mp4 is written" in window.notices.sentences[-1]


def test_another_clip_is_never_asked_for_a_frame_of_the_one_before(
    new_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    sessions: list[FakeSession] = []

    def open_session(path: Path, decode: DecodeSettings) -> FakeSession:
        sessions.append(FakeSession(path, decode, rotation=90 if sessions else 0))
        return sessions[-1]

    window = new_window(open_session)
    with qtbot.waitSignal(window.preview.frame_shown, timeout=5000):
        window.open_clip(Path("night.mp4"))
    window.document.set_playhead(47)
    qtbot.waitUntil(lambda: not window.preview.is_waiting, timeout=5000)
    window.preview.pause_background(True)
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        window.open_clip(Path("tall.mp4"))
    qtbot.waitUntil(lambda: not window.preview.is_waiting, timeout=5000)
    assert {index for what, index in sessions[1].calls if what in {"original", "render"}} == {0}


def test_a_click_on_the_picture_or_enter_gives_the_keys_back(window: MainWindow) -> None:
    field = window.correction_panel.sliders["shadows"].field
    for give_back in (
        lambda: QTest.mouseClick(window.compare.corrected, Qt.MouseButton.LeftButton),
        lambda: QTest.keyClick(field, Qt.Key.Key_Return),
    ):
        window.activateWindow()
        field.setFocus()
        give_back()
        assert not field.hasFocus()


def test_map_pictures_have_the_shape_of_the_clip(new_window: Callable[..., MainWindow], qtbot: QtBot) -> None:
    """Also where the maps were in sight before the clip."""
    window = new_window()
    window.tabs.setCurrentIndex(1)
    with qtbot.waitSignal(window.preview.thumbnails_shown, timeout=10_000) as caught:
        window.open_clip(Path("night.mp4"))
    height, width = caught.args[0][MapKind.RESULT].shape[:2]
    assert width / height == pytest.approx(640 / 360, rel=0.02)


def test_a_frame_that_cannot_be_read_is_not_taken_for_the_one_before(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: FakeSession, index: int, *_: object) -> None:
        raise VideoDamageError("damaged at frame 9", path=self.path, hint="copy it again")

    # One that was got ready for playing is shown as it was then, and is no stand-in for another.
    monkeypatch.setattr(PreviewWorker, "_show_ready", lambda *_: False)
    monkeypatch.setattr(FakeSession, "render", refuse)
    with qtbot.waitSignal(window.preview.frame_failed, timeout=5000) as caught:
        window.document.set_playhead(9)
    assert caught.args == [9]
    assert window.compare.original.message == "This frame cannot be shown"


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


def test_a_screen_reader_hears_what_is_written(window: MainWindow) -> None:
    """A name takes the place of a label's text, so it has to hold it."""
    window.notices.show_error("The disk is full.")
    said = {label.accessibleName() for label in window.centralWidget().findChildren(QLabel)}
    assert "Error: The disk is full." in said
    assert f"Flicker before and after: {window.timeline.flicker_number.text()}" in said
    assert "Size: 640 × 360" in said


def test_flicker_is_of_frames_measured_under_the_same_settings(
    new_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """Steps between what is measured anew and what is not are no flicker: it never looks worse than before."""
    window = new_window(lambda path, decode: FakeSession(path, decode, seconds=0.03))
    with qtbot.waitSignal(window.preview.flicker_measured, timeout=20_000, check_params_cb=is_whole):
        window.open_clip(Path("night.mp4"))
    told: list[FlickerCurves] = []
    window.preview.flicker_measured.connect(told.append)
    with qtbot.waitSignal(window.preview.flicker_measured, timeout=20_000, check_params_cb=is_whole):
        window.document.edit("strength", 0.9, 1)
    assert len(told) > 1
    assert all(curves.after_stops < 0.2 * curves.before_stops for curves in told if curves.after_stops is not None)


def test_closing_the_window_ends_its_thread(new_window: Callable[..., MainWindow], qtbot: QtBot) -> None:
    sessions: list[FakeSession] = []

    def open_session(path: Path, decode: DecodeSettings) -> FakeSession:
        sessions.append(FakeSession(path, decode))
        return sessions[-1]

    window = new_window(open_session)
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        window.open_clip(Path("night.mp4"))
    window.close()
    assert sessions[0].is_closed
