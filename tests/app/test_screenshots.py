"""The states of the window as pictures: not blank, no text cut. VECNET_SCREENSHOTS names a folder to keep them in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from app.jobs import ExportOutcome
from app.map_pictures import MapKind

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
        if button.isVisible() and button.width() < needed:
            cut.append(button.text())
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
    dialog.form.path.setText(str(tmp_path / "long.mp4"))
    dialog.form.start.click()
    qtbot.waitUntil(lambda: dialog.bar.value() > 20, timeout=10_000)
    assert not is_blank(shoot(dialog, "exporting"))
    assert cut_texts(dialog) == []
    shoot(window, "exporting_window")
    assert cut_texts(window) == []
    dialog.show_done(ExportOutcome(tmp_path / "night_vec.mp4", 180, 12.3, "CPU", ("the subtitles were left out",)))
    shoot(dialog, "export_done")
    assert cut_texts(dialog) == []


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
