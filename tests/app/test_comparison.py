"""An exported file against its source: the same frames of both, as they are on the disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from clips import make_clip
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.comparison.compare_window import Comparisons
from app.comparison.pair import PairSession
from app.viewer.compare_mode import CompareMode
from vecnet_core.errors import VecnetError
from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "source.mp4")


def test_the_same_frames_of_both(source: Path) -> None:
    clip = Clip(source, start_seconds=4 / 25, stop_seconds=8 / 25)
    whole = PairSession(Clip(source), source)
    assert whole.info.frame_count == 12
    picture = whole.render(5, CorrectionSettings(), None)
    assert np.array_equal(picture.original, picture.corrected)
    whole.close()
    part = PairSession(clip, source)
    # The file is the whole clip here: its first frames are set against the range, and that is said.
    assert part.info.frame_count == 4
    assert part.warnings == ("the file has 12 frames and its source 4; 4 are compared",)
    shifted = part.render(1, CorrectionSettings(), None)
    # The patch at top left tells the frame's number: four later in the source.
    patches = [float(each[2:14, 2:19].mean()) for each in (shifted.original, shifted.corrected)]
    assert patches[0] - patches[1] == pytest.approx(4 * 0.06, abs=0.02)
    part.close()


def test_a_missing_file_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(VecnetError):
        PairSession(Clip(source), tmp_path / "gone.mp4")
    with pytest.raises(VecnetError):
        PairSession(Clip(tmp_path / "gone.mp4"), source)


def test_the_window(source: Path, qtbot: QtBot) -> None:
    comparisons = Comparisons(None)  # type: ignore[arg-type]
    comparisons.show(replace(Clip(source)), source)
    (window,) = comparisons.open
    with qtbot.waitSignal(
        window.preview.frame_shown, timeout=10_000, check_params_cb=lambda result: result.corrected is not None
    ):
        pass
    assert window.scrub.maximum() == 11
    with qtbot.waitSignal(window.preview.frame_shown, timeout=10_000):
        QTest.keyClick(window, Qt.Key.Key_End)
    assert window.document.playhead == 11
    assert window._where.text().endswith("12 / 12")
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.compare.mode is CompareMode.WIPE
    QTest.keyClick(window, Qt.Key.Key_D)
    assert window.mode.currentText() == "Difference"
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert comparisons.open == []
    assert not window.isVisible()


def test_a_file_that_is_gone_is_told(source: Path, tmp_path: Path, qtbot: QtBot) -> None:
    comparisons = Comparisons(None)  # type: ignore[arg-type]
    comparisons.show(Clip(source), tmp_path / "gone.mp4")
    (window,) = comparisons.open
    with qtbot.waitSignal(window.preview.error_raised, timeout=10_000):
        pass
    assert window.notices.sentences
    comparisons.close()
