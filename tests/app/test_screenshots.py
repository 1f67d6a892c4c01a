"""The states of the window as pictures: not blank, no text cut. VECNET_SCREENSHOTS names a folder to keep them in."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from conftest import is_whole
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)
from test_exports import begin, leave_unfinished, wait_until_ended

from app.jobs import ExportOutcome
from app.map_pictures import MapKind
from app.viewer.compare_mode import CompareMode
from vecnet_core.project import Clip, Project
from vecnet_core.settings import PRESETS

ROW_TEXT = Qt.ItemDataRole.AccessibleTextRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow


@pytest.fixture
def shoot(tmp_path: Path, qtbot: QtBot) -> Callable[[QWidget, str], QImage]:
    folder = Path(os.environ.get("VECNET_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def take(widget: QWidget, name: str) -> QImage:
        qtbot.wait(60)
        image = widget.grab().toImage()
        assert image.save(str(folder / f"{name}.png"))
        return image

    return take


def is_blank(image: QImage) -> bool:
    rgb = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.width(), 4)[..., :3]
    return bool(pixels.std() < 4.0)


def is_low(widget: QWidget) -> bool:
    """True for a control whose text has no room between its edges."""
    edges = 8 if isinstance(widget, QPushButton | QLineEdit | QAbstractSpinBox) else 0
    return widget.height() < widget.fontMetrics().height() + edges


def cut_texts(root: QWidget) -> list[str]:
    """Texts of visible labels and buttons that have less room than they need."""
    cut: list[str] = []
    for label in root.findChildren(QLabel):
        if not label.isVisible() or not label.text():
            continue
        if label.wordWrap():
            is_cut = label.height() < label.heightForWidth(label.width())
        else:
            is_cut = label.width() < label.fontMetrics().horizontalAdvance(label.text().replace("&", ""))
        if is_cut:
            cut.append(label.text())
    for button in root.findChildren(QAbstractButton):
        needed = button.fontMetrics().horizontalAdvance(button.text().replace("&", ""))
        if button.isVisible() and button.text() and (button.width() < needed or is_low(button)):
            cut.append(button.text())
    fields = [one for one in root.findChildren(QLineEdit) if not isinstance(one.parent(), QAbstractSpinBox | QComboBox)]
    fields += root.findChildren(QAbstractSpinBox)
    cut += [field.text() for field in fields if field.isVisible() and is_low(field)]
    return cut


def test_empty(new_window: Callable[..., MainWindow], shoot: Callable[..., QImage]) -> None:
    window = new_window()
    assert not is_blank(shoot(window, "empty"))
    assert cut_texts(window) == []


def test_clip_open(window: MainWindow, shoot: Callable[..., QImage]) -> None:
    QTest.mouseMove(window.compare.corrected, QPoint(120, 150))
    assert not is_blank(shoot(window, "clip"))
    assert not is_blank(window.compare.original.grab().toImage())
    assert not is_blank(window.compare.corrected.grab().toImage())
    assert not is_blank(window.timeline.lanes.grab().toImage())
    assert cut_texts(window) == []


@pytest.mark.parametrize("kind", [MapKind.GAIN, MapKind.ILLUMINATION_UNDER, MapKind.WEIGHTS])
def test_maps(window: MainWindow, shoot: Callable[..., QImage], qtbot: QtBot, kind: MapKind) -> None:
    window.tabs.setCurrentIndex(1)
    with qtbot.waitSignal(window.preview.thumbnails_shown, timeout=5000):
        window.maps_panel.map_asked.emit(kind)
    QTest.mouseMove(window.compare.corrected, QPoint(200, 160))
    assert not is_blank(shoot(window, f"maps_{kind.name.lower()}"))
    assert not is_blank(window.maps_panel.grab().toImage())
    assert cut_texts(window) == []


def test_wipe(window: MainWindow, shoot: Callable[..., QImage]) -> None:
    QTest.keyClick(window, Qt.Key.Key_W)
    assert not is_blank(shoot(window, "wipe"))
    assert cut_texts(window) == []


def test_exporting(window: MainWindow, shoot: Callable[..., QImage], qtbot: QtBot, tmp_path: Path) -> None:
    window.exports.show_dialog()
    dialog = window.exports.dialog
    shoot(dialog, "export_form")
    assert cut_texts(dialog) == []
    dialog.form.fold.click()
    for codec in ("dnxhr", "png"):
        dialog.form.choose_codec(codec)
        qtbot.wait(50)
        shoot(dialog, f"export_form_{codec}")
        assert cut_texts(dialog) == []
    dialog.form.choose_codec("match")
    dialog.form.fold.click()
    begin(window, qtbot, tmp_path / "long.mp4", frames=20)
    assert not is_blank(shoot(dialog, "exporting"))
    assert cut_texts(dialog) == []
    shoot(window, "exporting_window")
    assert cut_texts(window) == []
    dialog.progress.pause.click()
    shoot(dialog, "export_paused")
    assert cut_texts(dialog) == []
    shoot(window, "export_paused_window")
    dialog.progress.stop.click()
    qtbot.waitUntil(lambda: dialog.progress.keep.isVisible(), timeout=5000)
    shoot(dialog, "export_stop_question")
    assert cut_texts(dialog) == []
    dialog.progress.keep.click()
    wait_until_ended(window, qtbot)
    shoot(window, "export_stopped")
    assert cut_texts(window) == []
    window.exports.show_dialog()
    dialog.form.path.setText(str(tmp_path / "long.mp4"))
    qtbot.waitUntil(lambda: dialog.form.anew.isVisible(), timeout=5000)
    shoot(dialog, "export_unfinished")
    assert cut_texts(dialog) == []
    (tmp_path / "long.mp4").touch()
    dialog.form.look()
    qtbot.waitUntil(lambda: dialog.form.replace.isVisible(), timeout=5000)
    shoot(dialog, "export_unfinished_and_there")
    assert cut_texts(dialog) == []
    dialog.form._look = replace(dialog.form._look, free_bytes=1_000_000, exists=False)
    dialog.form._show_look()
    shoot(dialog, "export_no_space")
    assert cut_texts(dialog) == []
    checks = ("1,440 frames", "times", "picture and tags of 12 frames", "sound equal to the source's")
    warnings = ("the subtitles were left out",)
    dialog.show_done(ExportOutcome(tmp_path / "night_vec.mp4", 1440, 12.3, "CPU", warnings, checks, 412))
    shoot(dialog, "export_done")
    assert cut_texts(dialog) == []


def test_offer_to_finish(window: MainWindow, shoot: Callable[..., QImage], qtbot: QtBot, tmp_path: Path) -> None:
    leave_unfinished(tmp_path / "memory", tmp_path / "long.mp4")
    with qtbot.waitSignal(window.queue_room.queue.stopped_found, timeout=5000):
        window.queue_room.load()
    shoot(window, "offer_to_finish")
    assert cut_texts(window) == []


@pytest.mark.parametrize("name", ["interlaced.mp4", "hdr.mov", "shot_####.png", "double.mkv"])
def test_reading(new_window: Callable[..., MainWindow], shoot: Callable[..., QImage], qtbot: QtBot, name: str) -> None:
    window = new_window()
    window.tabs.setCurrentWidget(window.clip_panel)
    with qtbot.waitSignal(window.preview.flicker_measured, timeout=10_000, check_params_cb=is_whole):
        window.open_clip(Path(name))
    assert not is_blank(shoot(window, f"reading_{Path(name).stem.split('_')[0]}"))
    assert cut_texts(window) == []
    if name == "interlaced.mp4":
        with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
            window.clip_panel.reading.deinterlace.click()
        shoot(window, "reading_deinterlaced")
        assert cut_texts(window) == []


def test_keys_and_notices(window: MainWindow, shoot: Callable[..., QImage], qtbot: QtBot) -> None:
    window.notices.show_error("holiday.mp4: this is not a video; choose a video file.", "details")
    window.notices.show_note("The file is truncated: 31 of 48 frames can be read.")
    shoot(window, "notices")
    assert cut_texts(window) == []
    window.actions_by_name["keys"].trigger()
    sheet = window.findChild(QWidget, "key_sheet")
    assert sheet is not None
    shoot(sheet, "keys")
    assert cut_texts(sheet) == []
    sheet.close()
    window.actions_by_name["preferences"].trigger()
    dialog = window.findChild(QWidget, "preferences")
    assert dialog is not None
    shoot(dialog, "preferences")
    assert cut_texts(dialog) == []
    dialog.close()


def test_queue(window: MainWindow, shoot: Callable[..., QImage], qtbot: QtBot, tmp_path: Path) -> None:
    queue, panel = window.queue_room.queue, window.queue_room.panel
    window.actions_by_name["show_queue"].trigger()
    shoot(window, "queue_empty")
    assert cut_texts(panel) == []
    names = ("done.mp4", "refuse.mp4", "long_night_walk_through_the_old_town_vec.mp4", "holiday_vec.mov", "dog_vec.mp4")
    clip = window.document.clip
    assert clip is not None
    queue._add([(replace(clip, output=tmp_path / name), False) for name in names])
    queue.start()
    qtbot.waitUntil(lambda: queue.running is not None and queue.running.output.name == names[2], timeout=60_000)
    qtbot.waitUntil(lambda: "Exporting 1" in str(panel.list.entries.index(2).data(ROW_TEXT)), timeout=60_000)
    for row in range(5):
        panel.list.select_row(row)
        assert not is_blank(shoot(window, f"queue_{row}"))
        assert cut_texts(panel) == []
    window.exports.show_dialog()
    shoot(window.exports.dialog, "queue_progress")
    assert cut_texts(window.exports.dialog) == []
    window.exports.dialog.hide()
    window.queue_room.when_done.set_wish("close")
    window.queue_room.when_done.begin()
    shoot(window, "queue_countdown")
    assert cut_texts(window) == []
    window.queue_room.when_done.call_off()


@pytest.mark.parametrize("mode", list(CompareMode))
def test_compare_modes(window: MainWindow, shoot: Callable[..., QImage], qtbot: QtBot, mode: CompareMode) -> None:
    window.viewing.set_mode(mode)
    window.viewing.set_gain(8.0)
    window.compare.marks.pin(QPointF(0.3, 0.4))
    window.compare.marks.pin(QPointF(0.95, 0.9))
    window.compare.marks.set_region(QRectF(0.4, 0.1, 0.3, 0.3))
    QTest.mouseMove(window.compare.corrected, QPoint(200, 160))
    qtbot.waitUntil(lambda: all("stops" in pin.text for pin in window.compare.marks.pins), timeout=5000)
    assert not is_blank(shoot(window, f"compare_{mode.name.lower()}"))
    assert not is_blank(window.compare.corrected.grab().toImage())
    assert cut_texts(window) == []


def test_project(
    new_window: Callable[..., MainWindow], shoot: Callable[..., QImage], qtbot: QtBot, tmp_path: Path
) -> None:
    """The list of clips, one that is missing, one whose name is long, and the question before closing."""
    there = [tmp_path / name for name in ("night_walk.mp4", "a_rather_long_name_of_a_clip_from_a_phone_20260131.mp4")]
    for path in there:
        path.touch()
    clips = [Clip(path) for path in (*there, tmp_path / "old" / "broken_dog.mp4")]
    Project(tuple(clips)).save(tmp_path / "holiday.vecnet")
    window = new_window()
    with qtbot.waitSignal(window.preview.flicker_measured, timeout=10_000, check_params_cb=is_whole):
        window.open_clip(tmp_path / "holiday.vecnet")
    window.document.use_settings(PRESETS["night"], "Use preset Night")
    qtbot.waitUntil(lambda: not window.preview.is_waiting, timeout=5000)
    assert not is_blank(shoot(window, "project"))
    assert not is_blank(window.project.clips.panel.grab().toImage())
    assert cut_texts(window) == []
    window.project.clips.panel.list.setCurrentRow(2)
    qtbot.waitUntil(window.project.clips.page.isVisible, timeout=5000)
    qtbot.wait(200)
    shoot(window, "project_missing")
    assert cut_texts(window) == []
    window.close()
    question = window.project.files.question
    assert question is not None
    shoot(question, "project_question")
    assert cut_texts(question) == []
    question.button(QMessageBox.StandardButton.Cancel).click()
