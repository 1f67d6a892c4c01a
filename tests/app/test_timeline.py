"""Laws of the lanes: one time axis, numbers that match the curves, a click that seeks."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes import fake_info
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.preview_worker import CorrectedLight, FlickerCurves, SourceLight
from app.timeline.timeline import Timeline, flicker_texts

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def timeline(qtbot: QtBot) -> Timeline:
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(1200, 240)
    made.show()
    made.use_clip(fake_info())
    return made


def light(exposures: np.ndarray) -> SourceLight:
    return SourceLight(1, np.arange(exposures.size), exposures, (20,))


def test_lanes_share_time(timeline: Timeline) -> None:
    timeline.lanes.luma.setXRange(5, 17, padding=0)
    assert timeline.lanes.flicker.viewRange()[0] == pytest.approx([5, 17])


def test_source_is_there_before_any_correction(timeline: Timeline) -> None:
    timeline.add_source(light(np.linspace(-4, -3, 48)))
    x, y = timeline.lanes._source.getData()
    assert (x[0], x[-1], y[0], y[-1]) == (0, 47, -4, -3)
    assert timeline.lanes.mean_luma() is None
    low, high = timeline.lanes.luma.viewRange()[1]
    assert low < -4 < -3 < high


def test_mean_compares_the_same_frames(timeline: Timeline) -> None:
    timeline.add_source(light(np.linspace(-4, -3, 48)))
    timeline.add_corrected(CorrectedLight(1, np.array([0, 47]), np.array([-2.0, -2.0]), np.ones(48, np.bool_)))
    assert timeline.lanes.mean_luma() == (-3.5, -2.0)
    assert timeline.luma_number.text() == "-3.50 → -2.00 stops"


def test_flicker_number(timeline: Timeline) -> None:
    curve = np.full(48, np.nan)
    curve[:10] = 0.1
    timeline.show_flicker(FlickerCurves(1, curve, curve / 10, 0.31, 0.02, 10))
    assert timeline.flicker_number.text() == "0.31 → 0.02 stops"
    assert timeline.flicker_change.text() == "−94 %"


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [(0.31, 0.02, "−94 %"), (0.2, 0.3, "+50 %"), (0.001, 0.002, "steady"), (0.008, 0.014, "steady"), (0.2, None, "")],
)
def test_change(before: float, after: float | None, change: str) -> None:
    assert flicker_texts(before, after)[1] == change


def test_another_clip_starts_empty(timeline: Timeline) -> None:
    items = len(timeline.lanes.luma.items)
    timeline.add_source(light(np.linspace(-4, -3, 48)))
    assert len(timeline.lanes.luma.items) == items + 1
    timeline.use_clip(fake_info(frames=12))
    assert len(timeline.lanes.luma.items) == items
    assert timeline.lanes._source.getData()[0] is None or timeline.lanes._source.getData()[0].size == 0
    assert timeline.lanes._cuts == []
    assert timeline.lanes.luma.viewRange()[0] == pytest.approx([-0.5, 11.5])


def test_click_seeks(timeline: Timeline, qtbot: QtBot) -> None:
    qtbot.wait(50)
    plots = timeline.lanes._plots
    box = timeline.lanes.luma.getViewBox()
    place = plots.mapFromScene(box.mapViewToScene(box.viewRect().center()))
    with qtbot.waitSignal(timeline.seek_asked, timeout=3000) as caught:
        QTest.mouseClick(plots.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    assert abs(caught.args[0] - 24) <= 1


def test_ticks_are_whole_seconds_or_frames(timeline: Timeline) -> None:
    axis = timeline.lanes._time_axis
    axis.rate = Fraction(24)
    spacing, values = axis.tickValues(0, 24 * 60, 1000)[0]
    assert all(value % 24 == 0 for value in values)
    assert axis.tickStrings([0, 240], 1, spacing) == ["0:00", "0:10"]
    spacing, values = axis.tickValues(0, 24, 1000)[0]
    assert axis.tickStrings([18, 24], 1, 6) == ["+18 f", "0:01"]
