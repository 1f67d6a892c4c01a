"""Laws of opening and reading: sequences by drop and by name, choices where they apply, each an edit; refusals told."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from test_window import drop

from app.sequences import as_one_sequence, pattern_of
from app.words import for_window
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.series import find_series

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow

ADDED = 1
"""Steps of the undo stack that adding a second clip takes."""


def open_clip(window: MainWindow, qtbot: QtBot, name: str) -> None:
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        window.open_clip(Path(name))
    window.tabs.setCurrentWidget(window.clip_panel)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("shot_0001.png", "shot_0002.png"), "shot_####.png"),
        (("shot_0100.png", "shot_0009.png"), "shot_####.png"),
        (("shot_9.png", "shot_10.png"), "shot_#.png"),
        (("IMG_1002.JPG", "IMG_1001.JPG"), "IMG_#.JPG"),
        (("a_1.png", "b_1.png"), None),
        (("a_1.png", "a_1.tif"), None),
        (("a_1.mp4", "a_2.mp4"), None),
        (("one/a_1.png", "two/a_2.png"), None),
        (("a_1.png",), None),
        (("50%d_1.png", "50%d_2.png"), None),
    ],
)
def test_several_pictures_of_one_series_are_one_sequence(names: tuple[str, ...], pattern: str | None) -> None:
    found = as_one_sequence([Path(name) for name in names])
    assert found == (None if pattern is None else Path(pattern))


@pytest.mark.parametrize("names", [("a_1.png", "a_2.png", "a_10.png"), ("a_08.png", "a_09.png", "a_100.png")])
def test_a_pattern_names_the_whole_series(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).touch()
    for name in names[:2]:
        pattern = pattern_of(tmp_path / name)
        assert pattern is not None
        assert [file.name for file in find_series(pattern).files] == list(names)


def test_dropped_pictures_are_opened_as_a_sequence(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        drop(window, "shot_0002.png", "shot_0001.png", "shot_0003.png")
    assert window.windowTitle().startswith("shot_####.png")
    assert window.notices.sentences == []
    assert window.document.info is not None
    assert window.document.info.files


def test_one_picture_of_a_sequence_stands_for_it(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        window.open_sequence(Path("shot_0007.png"))
    assert window.windowTitle().startswith("shot_####.png")


def test_a_clip_without_choices_shows_none(window: MainWindow) -> None:
    window.tabs.setCurrentWidget(window.clip_panel)
    assert not window.clip_panel.reading.isVisible()


def test_deinterlacing_is_an_edit_that_opens_the_clip_anew(window: MainWindow, qtbot: QtBot) -> None:
    open_clip(window, qtbot, "interlaced.mp4")
    window.document.edit("strength", 0.5, 1)
    window.document.set_playhead(20)
    window.compare.view.set_zoom(2.0)
    box = window.clip_panel.reading.deinterlace
    assert box.isVisible()
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        box.click()
    assert window.document.decode == DecodeSettings(deinterlace=True)
    assert window.document.info is not None
    assert not window.document.info.is_interlaced
    assert (window.document.playhead, window.document.settings.strength) == (20, 0.5)
    assert window.compare.view.zoom == 2.0
    assert window.transport.frame_label.text() == "frame 21 of 48"
    qtbot.waitUntil(lambda: not window.preview.is_waiting, timeout=5000)
    assert box.isVisible()
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not box.isChecked()
    assert window.document.info.is_interlaced


def test_the_rate_of_pictures_can_be_typed(window: MainWindow, qtbot: QtBot) -> None:
    open_clip(window, qtbot, "shot_####.png")
    reading = window.clip_panel.reading
    assert reading.rate.currentText() == "25"
    assert reading._rate_note.text() == "The pictures say no frame rate: 25 per second are assumed."
    field = reading._rate_field
    field.setText("much")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "is not a frame rate" in reading._rate_note.text()
    assert window.document.undo_stack.undoText() == "Add shot_####.png"
    field.setText("23.976")
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.document.decode.frame_rate == Fraction(24000, 1001)
    assert reading.rate.currentText() == "23.976"
    assert window.document.undo_stack.count() == ADDED + 1
    assert "assumed" not in reading._rate_note.text()


def test_hdr_is_kept_or_converted(window: MainWindow, qtbot: QtBot) -> None:
    open_clip(window, qtbot, "hdr.mov")
    reading = window.clip_panel.reading
    assert reading.hdr.isVisible()
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        reading.hdr.choose(1)
    assert window.document.decode == DecodeSettings(hdr="sdr")
    assert window.document.info is not None
    assert not window.document.info.color.is_hdr
    assert reading.hdr.isVisible()


def test_a_stream_that_is_refused_leaves_the_clip_as_it_was(window: MainWindow, qtbot: QtBot) -> None:
    open_clip(window, qtbot, "double.mkv")
    reading = window.clip_panel.reading
    assert reading.stream.count() == 2
    with qtbot.waitSignal(window.preview.clip_opened, timeout=5000):
        reading._ask_stream(1)
    assert reading.stream.currentIndex() == 1
    with qtbot.waitSignal(window.preview.clip_refused, timeout=5000):
        window.document.edit_decode(DecodeSettings(stream=2), "Change Video stream")
    assert window.document.decode == DecodeSettings(stream=1)
    assert window.document.undo_stack.count() == ADDED + 1
    assert reading.stream.currentIndex() == 1
    assert "none with this number" in window.notices.sentences[-1]


def test_reading_does_not_call_back_a_clip_that_is_on_its_way_out(window: MainWindow, qtbot: QtBot) -> None:
    window.open_clip(Path("other.mp4"))
    window.document.edit_decode(DecodeSettings(deinterlace=True), "Deinterlace")
    with qtbot.waitSignal(window.document.clip_changed, timeout=5000):
        pass
    assert window.document.info is not None
    assert window.document.info.path == Path("other.mp4")
    assert window.document.decode == DecodeSettings()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "the video is interlaced; the result is progressive (--deinterlace makes whole pictures of them)",
            "the video is interlaced; the result is progressive (Deinterlace in the Clip panel makes whole pictures of "
            "them)",
        ),
        (
            "pictures say no frame rate: 25 per second are assumed (--frame-rate)",
            "pictures say no frame rate: 25 per second are assumed (Frame rate in the Clip panel)",
        ),
        (
            "this is one of 9 numbered pictures, which their folder or --frame-rate opens as a sequence",
            "this is one of 9 numbered pictures, which Open image sequence in the File menu opens as one",
        ),
        ("it is odd (--novel does it)", "it is odd"),
    ],
)
def test_the_window_names_controls_not_options(said: str, shown: str) -> None:
    assert for_window(said) == shown
