"""Laws of the lanes: one time axis, numbers that match the curves, a click that seeks."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes import fake_info
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.preview_worker import ClipTimes, CorrectedLight, FlickerCurves, SourceLight
from app.timeline.ruler import _seconds_of, ticks
from app.timeline.timeline import Timeline, flicker_texts

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
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


def times_of(timecode: str, rate: Fraction, count: int) -> ClipTimes:
    return ClipTimes(1, np.arange(count + 1) / float(rate), rate, timecode)


def test_ticks_are_whole_seconds_or_frames_of_the_file_s_timecode() -> None:
    times = times_of("01:00:00:20", Fraction(24), 24 * 60)
    assert [(tick.index, tick.timecode) for tick in ticks(times, -0.5, 1439.5, 8)][:2] == [
        (220, "01:00:10:00"),
        (460, "01:00:20:00"),
    ]
    named = ticks(times, 0, 23, 8)
    assert [tick.timecode for tick in named][:3] == ["01:00:00:21", "01:00:01:00", "01:00:01:03"]
    assert [tick.index for tick in named] == [1, 4, 7, 10, 13, 16, 19, 22]


@pytest.mark.parametrize("most", [3, 8, 20])
def test_ticks_of_dropped_numbers_begin_their_second(most: int) -> None:
    """At 29.97 minute 1 begins with ;02 and minute 10 with ;00, and no tick is left out however long the clip."""
    times = times_of("00:00:00;00", Fraction(30000, 1001), 4 * 3600 * 30)
    named = ticks(times, 0, times.count - 1, most)
    assert 0 < len(named) <= most + 1
    steps = np.diff([_seconds_of(tick.timecode) for tick in named])
    assert len(set(steps.tolist())) <= 1
    assert all(tick.timecode == times.timecode_of(tick.index) for tick in named)
    near = ticks(times, 1700, 1900, 8)
    assert (1800, "00:01:00;02") in [(tick.index, tick.timecode) for tick in near]


def test_the_ruler_and_all_strips_show_what_the_lanes_show(timeline: Timeline) -> None:
    timeline.use_times(times_of("", Fraction(24), 48))
    timeline.zoom(0.5)
    shown = timeline.lanes.luma.viewRange()[0]
    assert shown[1] - shown[0] == pytest.approx(24)
    for strip in timeline._strips:
        assert (strip._first, strip._last) == pytest.approx(tuple(shown))
    for _ in range(9):
        timeline.zoom(0.5)
    assert timeline.ruler.plot_rect().width() / (timeline.ruler._last - timeline.ruler._first) > 100
    timeline.show_whole()
    assert timeline.lanes.luma.viewRange()[0] == pytest.approx([-0.5, 47.5])


def test_a_frame_that_is_played_is_kept_in_sight(timeline: Timeline) -> None:
    timeline._show_range(-0.5, 11.5)
    timeline.keep_in_sight(11)
    assert timeline.lanes.luma.viewRange()[0] == pytest.approx([-0.5, 11.5])
    timeline.keep_in_sight(12)
    assert timeline.lanes.luma.viewRange()[0] == pytest.approx([11.5, 23.5])
    timeline.keep_in_sight(47)
    assert timeline.lanes.luma.viewRange()[0] == pytest.approx([35.5, 47.5])


def test_the_ends_of_the_range_are_dragged_and_a_click_beside_them_seeks(timeline: Timeline, qtbot: QtBot) -> None:
    ruler = timeline.ruler
    timeline.show_marks(10, 30)
    low = ruler.height() - 3
    told: list[tuple[int, int, int]] = []
    ruler.range_dragged.connect(lambda *values: told.append(values))
    QTest.mousePress(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(9.5)), low))
    for place in (11.5, 13.5):
        QTest.mouseMove(ruler, QPoint(round(ruler.x_of(place)), low))
    QTest.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(13.5)), low))
    assert [values[:2] for values in told] == [(12, 30), (14, 30)]
    assert len({values[2] for values in told}) == 1
    with qtbot.waitSignal(timeline.seek_asked, timeout=2000) as caught:
        QTest.mouseClick(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(20)), 5))
    assert caught.args == [20]


def test_what_is_outside_the_range_is_darker(timeline: Timeline) -> None:
    timeline.add_source(light(np.full(48, -3.0)))
    before = timeline.thumbnails.grab().toImage()
    timeline.show_marks(10, 30)
    after = timeline.thumbnails.grab().toImage()
    ratio = timeline.devicePixelRatioF()

    def grey(image: QImage, place: float) -> int:
        return image.pixelColor(round(timeline.thumbnails.x_of(place) * ratio), image.height() // 2).value()

    timeline.lanes.show_marks(10, 30)
    assert [shade.isVisible() for shade in timeline.lanes._outside] == [True] * 4
    assert grey(after, 20) == grey(before, 20)
    assert grey(after, 5) <= grey(before, 5)
    assert after != before


def test_the_bar_shows_what_is_ready_over_what_is_analysed(timeline: Timeline) -> None:
    is_analysed = np.zeros(48, np.bool_)
    is_analysed[:20] = True
    timeline.add_corrected(CorrectedLight(1, np.array([0]), np.array([-2.0]), is_analysed))
    is_ready = np.zeros(48, np.bool_)
    is_ready[:5] = True
    timeline.show_ready(is_ready)
    assert timeline.cache_bar.accessibleDescription() == "20 of 48 frames analysed, 5 of them ready to play"
