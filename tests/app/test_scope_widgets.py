"""Laws of the scopes, overlays and strips on screen: what is painted lies where it is meant, and can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.inspector.scopes_panel import ScopesPanel
from app.timeline.cache_bar import CacheBar, FrameState
from app.timeline.lanes import Lanes
from app.timeline.thumbnails import MOST_PICTURES, ThumbnailStrip
from app.timeline.waveform_lane import WaveformLane
from app.viewer.overlays import (
    CLIPPING_NAMES,
    OverlayLegend,
    clipping_image,
    difference_image,
    false_colour_image,
)
from app.widgets.scope_view import ScopeView
from vecnet_core.metrics import scopes
from vecnet_core.metrics.scales import Clipping, Overlay, Scope, color_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from app.timeline.strip import Strip

FRAMES = 48


@pytest.fixture
def shown(qapp: QApplication) -> Iterator[Callable[..., QWidget]]:
    """Shows a widget at a size, and deletes it afterwards."""
    widgets: list[QWidget] = []

    def show(widget: QWidget, width: int, height: int) -> QWidget:
        widgets.append(widget)
        widget.resize(width, height)
        widget.show()
        QApplication.processEvents()
        return widget

    yield show
    for widget in widgets:
        widget.close()
        widget.deleteLater()
    QApplication.processEvents()


def pixels(picture: QWidget | QImage) -> np.ndarray:
    """R, G, B (H, W, 3) as integers."""
    image = picture.grab().toImage() if isinstance(picture, QWidget) else picture
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)[..., 2::-1].astype(int)


def inside(widget: ScopeView) -> np.ndarray:
    rect = widget.plot_rect().toAlignedRect()
    return pixels(widget)[rect.top() : rect.bottom(), rect.left() : rect.right()]


def ramp(gain: float = 1.0) -> np.ndarray:
    line = np.tile(np.linspace(0, gain, 256, dtype=np.float32), (64, 1))
    return np.repeat(line[..., None], 3, axis=2)


def flat(*rgb: float) -> np.ndarray:
    return np.broadcast_to(np.array(rgb, np.float32), (16, 32, 3)).copy()


def noise() -> np.ndarray:
    return np.random.default_rng(5).uniform(0.1, 0.8, (64, 96, 3)).astype(np.float32)


# Scopes ---------------------------------------------------------------------------------------------------------------


def test_the_waveform_of_a_ramp_is_a_diagonal(shown: Callable[..., QWidget]) -> None:
    view = shown(ScopeView(Scope.WAVEFORM), 312, 176)
    view.show_traces(None, scopes.waveform(ramp()))
    light = inside(view).sum(axis=2)
    height, width = light.shape
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        row = int(light[:, int(share * width)].argmax())
        assert row / height == pytest.approx(1 - share, abs=0.03)


def test_the_parade_shows_each_channel_in_its_third_and_colour(shown: Callable[..., QWidget]) -> None:
    view = shown(ScopeView(Scope.PARADE), 312, 176)
    view.show_traces(None, scopes.parade(flat(0.8, 0.5, 0.2)))
    picture = inside(view)
    height, width = picture.shape[:2]
    for place, level in enumerate((0.8, 0.5, 0.2)):
        part = picture[:, place * width // 3 + 20 : (place + 1) * width // 3 - 8]
        row = int(part.sum(axis=(1, 2)).argmax())
        assert row / height == pytest.approx(1 - level, abs=0.03)
        assert part[row].mean(axis=0).argmax() == place


def test_the_histogram_stands_over_its_level(shown: Callable[..., QWidget]) -> None:
    view = shown(ScopeView(Scope.HISTOGRAM), 312, 152)
    view.show_traces(None, scopes.histogram(flat(0.7, 0.7, 0.7)))
    filled = (inside(view).sum(axis=2) > 3 * 60).sum(axis=0)
    assert int(filled.argmax()) / filled.size == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("name", ["R", "B", "Cy", "Yl"])
def test_colour_bars_land_in_their_boxes(shown: Callable[..., QWidget], name: str) -> None:
    view = shown(ScopeView(Scope.VECTORSCOPE), 312, 272)
    bars = {"R": (0.75, 0, 0), "B": (0, 0, 0.75), "Cy": (0, 0.75, 0.75), "Yl": (0.75, 0.75, 0)}
    empty = pixels(view)
    view.show_traces(None, scopes.vectorscope(flat(*bars[name])))
    rows, columns = np.nonzero((pixels(view) - empty).sum(axis=2) > 100)
    plot, target = view.plot_rect(), color_targets()[name]
    assert columns.mean() == pytest.approx(plot.center().x() + target.cb * plot.width(), abs=2.5)
    assert rows.mean() == pytest.approx(plot.center().y() - target.cr * plot.height(), abs=2.5)


@pytest.mark.parametrize("scope", list(Scope))
def test_the_ghost_is_there_and_fainter_and_can_be_left_out(shown: Callable[..., QWidget], scope: Scope) -> None:
    view = shown(ScopeView(scope), 312, 200)
    trace = scopes.scope_traces(scope, noise(), None).before
    empty = inside(view).mean()
    view.show_traces(None, trace)
    after = inside(view).mean() - empty
    view.show_traces(trace, None)
    ghost = inside(view).mean() - empty
    assert 0.15 * after < ghost < 0.8 * after
    view.set_ghost(False)
    assert inside(view).mean() == empty


def test_the_ghost_lies_behind(shown: Callable[..., QWidget]) -> None:
    view = shown(ScopeView(Scope.WAVEFORM), 312, 176)
    view.show_traces(scopes.waveform(ramp(0.5)), scopes.waveform(ramp(1.0)))
    light = inside(view).sum(axis=2)
    height, width = light.shape
    before, after = int(0.6 * height), int(0.2 * height)  # levels 0.4 and 0.8, both at 80 % of the width
    window = slice(int(0.78 * width), int(0.82 * width))
    assert light[after - 3 : after + 4, window].max() > 1.5 * light[before - 3 : before + 4, window].max()
    assert light[before - 3 : before + 4, window].max() > 1.5 * light[int(0.4 * height) - 3, window].max()


@pytest.mark.parametrize("scope", list(Scope))
def test_the_logarithmic_scale_brings_out_the_few(shown: Callable[..., QWidget], scope: Scope) -> None:
    view = shown(ScopeView(scope), 312, 200)
    rgb = np.concatenate([np.repeat(flat(0.5, 0.5, 0.5), 40, axis=0), noise()[:2, :32]])
    view.show_traces(None, scopes.scope_traces(scope, rgb, None).before)
    linear = inside(view)
    view.set_logarithmic(True)
    assert (inside(view) - linear).max() > 10


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("in_stops", [False, True])
@pytest.mark.parametrize("size", [(312, 200), (200, 130)])
def test_no_label_is_cut(shown: Callable[..., QWidget], scope: Scope, in_stops: bool, size: tuple[int, int]) -> None:
    view = shown(ScopeView(scope), *size)
    view.set_stops(in_stops)
    picture = pixels(view)
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (border == picture[0, 0]).all()
    assert (picture.sum(axis=2) > 300).any()


def test_stops_and_percent_are_different_lines(shown: Callable[..., QWidget]) -> None:
    view = shown(ScopeView(Scope.WAVEFORM), 312, 176)
    percent = inside(view)
    view.set_stops(True)
    assert not np.array_equal(percent, inside(view))


def test_the_panel_asks_for_what_is_in_sight(shown: Callable[..., QWidget]) -> None:
    panel = ScopesPanel()
    asked: list[tuple[Scope, ...]] = []
    panel.scopes_asked.connect(asked.append)
    shown(panel, 344, 600)
    panel.unfold([Scope.VECTORSCOPE])
    panel.hide()
    assert asked[0] == (Scope.WAVEFORM, Scope.HISTOGRAM)
    assert asked[-2:] == [(Scope.VECTORSCOPE,), ()]
    assert panel.open_scopes == (Scope.VECTORSCOPE,)


def test_the_panels_switches_reach_every_scope(shown: Callable[..., QWidget], qtbot: QtBot) -> None:
    panel = shown(ScopesPanel(), 344, 1000)
    panel.unfold(list(Scope))
    qtbot.waitUntil(lambda: all(view.height() == view.sizeHint().height() for view in panel.views.values()))
    for scope in Scope:
        traces = scopes.scope_traces(scope, noise() * np.float32(0.4), noise())
        panel.show_traces(scope, traces.before, traces.after)
    for switch in (panel.before, panel.logarithmic, panel.stops):
        was = {scope: pixels(view) for scope, view in panel.views.items()}
        switch.toggle()
        unchanged = {scope for scope, view in panel.views.items() if np.array_equal(was[scope], pixels(view))}
        assert unchanged == ({Scope.VECTORSCOPE} if switch is panel.stops else set())
        assert switch.toolTip()


def test_the_panel_keeps_its_scopes_whole(shown: Callable[..., QWidget]) -> None:
    panel = shown(ScopesPanel(), 344, 700)
    for view in panel.views.values():
        in_sight = view.visibleRegion().boundingRect().size()
        if view.scope in panel.open_scopes:
            assert view.height() == view.sizeHint().height()
            assert in_sight == view.size()
        else:
            assert in_sight.isEmpty()


# Overlays -------------------------------------------------------------------------------------------------------------


def alpha_of(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)[..., 3].astype(int)


def zebra(kind: Clipping, zoom: float = 1.0) -> QImage:
    return clipping_image(np.full((32, 48), kind, np.uint8), zoom)


def test_what_is_not_clipped_stays_clear() -> None:
    codes = np.zeros((32, 48), np.uint8)
    codes[:, 24:] = Clipping.ADDED_HIGH
    alpha = alpha_of(clipping_image(codes))
    assert (alpha[:, :24] == 0).all()
    assert (alpha[:, 24:] > 0).all()


def test_kinds_of_clipping_are_told_apart_without_colour() -> None:
    grey = {kind: pixels(zebra(kind)).max(axis=2) for kind in CLIPPING_NAMES}
    for kind, picture in grey.items():
        is_high = kind in {Clipping.SOURCE_HIGH, Clipping.ADDED_HIGH}
        assert np.array_equal(picture[1:, :-1], picture[:-1, 1:]) == is_high  # stripes rise to the right
        assert np.array_equal(picture[1:, 1:], picture[:-1, :-1]) != is_high  # stripes fall
    covered = {kind: (alpha_of(zebra(kind)) > 0).mean() for kind in CLIPPING_NAMES}
    assert max(covered[Clipping.SOURCE_HIGH], covered[Clipping.SOURCE_LOW]) < 0.5
    assert min(covered[Clipping.ADDED_HIGH], covered[Clipping.ADDED_LOW]) == 1.0


def test_stripes_keep_their_width_on_the_screen() -> None:
    def period(zoom: float) -> int:
        line = alpha_of(zebra(Clipping.SOURCE_HIGH, zoom))[0]
        return next(step for step in range(1, 20) if np.array_equal(line[step:], line[:-step]))

    assert (period(1.0), period(2.0), period(8.0)) == (8, 4, 4)
    assert period(0.25) == 8


def test_false_colour_and_difference_keep_their_colours() -> None:
    colors = (noise() * 255).astype(np.uint8)
    assert np.array_equal(pixels(false_colour_image(colors)), colors)
    change = scopes.difference(flat(0.2, 0.5, 0.5), flat(0.3, 0.5, 0.4))
    assert pixels(difference_image(change))[3, 4].tolist() == [51, 0, 51]


def show_each(legend: OverlayLegend) -> Iterator[Overlay]:
    legend.show_clipping({kind: 0.1234 * kind for kind in Clipping})
    yield legend.overlay
    legend.show_false_colour()
    yield legend.overlay
    legend.show_difference(4.0)
    yield legend.overlay


def test_the_legend_holds_all_of_its_text(shown: Callable[..., QWidget]) -> None:
    legend = shown(OverlayLegend(), 10, 10)
    seen = []
    for overlay in show_each(legend):
        seen.append(overlay)
        picture = pixels(legend)
        edge = 6
        frame = np.ones(picture.shape[:2], bool)
        frame[edge:-edge, edge:-edge] = False
        assert (picture[frame].sum(axis=1) < 300).all()  # no text in the margin
        assert (picture[edge:-edge, edge:-edge].sum(axis=2) > 400).any()
        assert legend.accessibleDescription()
    assert seen == [Overlay.CLIPPING, Overlay.FALSE_COLOUR, Overlay.DIFFERENCE]
    legend.show_nothing()
    assert not legend.isVisible()


def test_the_legend_says_how_much_is_clipped(shown: Callable[..., QWidget]) -> None:
    legend = shown(OverlayLegend(), 10, 10)
    legend.show_clipping({Clipping.SOURCE_HIGH: 0.034, Clipping.ADDED_LOW: 0.0002})
    said = legend.accessibleDescription()
    assert "White lost in the source 3.4 %" in said
    assert "White lost by the correction none" in said
    assert "Black lost by the correction under 0.1 %" in said


# Strips ---------------------------------------------------------------------------------------------------------------


def make_strips() -> list[Strip]:
    strips = [CacheBar(), ThumbnailStrip(), WaveformLane()]
    for strip in strips:
        strip.use_count(FRAMES)
    return strips


def test_strips_lie_on_the_time_axis_of_the_lanes(shown: Callable[..., QWidget]) -> None:
    host, lanes, strips = QWidget(), Lanes(), make_strips()
    column = QVBoxLayout(host)
    column.setContentsMargins(0, 0, 0, 0)
    for widget in (lanes, *strips):
        column.addWidget(widget)
    lanes.use_clip(FRAMES)
    box = lanes.luma.getViewBox()
    for strip in strips:
        box.sigXRangeChanged.connect(lambda _box, part, strip=strip: strip.show_range(*part))
    shown(host, 900, 400)
    for part in ((-0.5, 47.5), (10.25, 31.75)):
        lanes.luma.setXRange(*part, padding=0)
        QApplication.processEvents()
        for frame in (11, 20, 31):
            wanted = box.mapViewToScene(QPointF(frame, 0)).x()
            assert [strip.x_of(frame) for strip in strips] == pytest.approx([wanted] * 3, abs=0.01)


def test_a_click_on_a_strip_seeks_and_the_ends_hold(shown: Callable[..., QWidget]) -> None:
    for strip in make_strips():
        shown(strip, 800, strip.sizeHint().height())
        asked: list[int] = []
        strip.seek_asked.connect(asked.append)
        for x in (strip.x_of(20.3), 2, 799):
            QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(round(x), 5))
        assert asked == [20, 0, FRAMES - 1]


def test_the_wheel_zooms_about_the_pointer_and_stays_in_the_clip(shown: Callable[..., QWidget]) -> None:
    strip = shown(CacheBar(), 800, 12)
    strip.use_count(FRAMES)
    parts: list[tuple[float, float]] = []
    strip.range_asked.connect(lambda first, last: parts.append((first, last)))
    strip.range_asked.connect(strip.show_range)

    def turn(steps: int, x: float) -> None:
        at = QPointF(x, 5)
        event = QWheelEvent(
            at,
            QPointF(strip.mapToGlobal(at.toPoint())),
            QPoint(),
            QPoint(0, 120 * steps),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(strip, event)

    place = strip.place_at(300)
    turn(1, 300)
    assert strip.place_at(300) == pytest.approx(place)
    assert parts[0][1] - parts[0][0] == pytest.approx(FRAMES * 1.02**-15)
    for _ in range(20):
        turn(1, 300)
    assert parts[-1][1] - parts[-1][0] == pytest.approx(8.0)
    for _ in range(40):
        turn(-1, 700)
    assert parts[-1] == pytest.approx((-0.5, FRAMES - 0.5))
    assert all(first >= -0.5 and last <= FRAMES - 0.5 for first, last in parts)


def test_the_cache_bar_tells_by_pattern_what_it_tells_by_colour(shown: Callable[..., QWidget]) -> None:
    bar = shown(CacheBar(), 800, 12)
    bar.use_count(FRAMES)
    states = np.repeat([FrameState.NONE, FrameState.ANALYSED, FrameState.CACHED], FRAMES // 3).astype(np.uint8)
    bar.show_states(states)
    picture = pixels(bar)[4:8].sum(axis=2)

    def columns(first: int, last: int) -> np.ndarray:
        return picture[:, round(bar.x_of(first)) : round(bar.x_of(last))]

    assert columns(2, 14).std() == 0.0  # empty
    assert columns(18, 30).std() > 50.0  # striped
    assert columns(34, 46).std() == 0.0  # filled
    assert columns(34, 46).mean() > columns(18, 30).mean() > columns(2, 14).mean() + 20
    assert bar.accessibleDescription() == "32 of 48 frames analysed, 16 of them ready to play"


def test_one_missing_frame_shows_however_long_the_clip(shown: Callable[..., QWidget]) -> None:
    bar = shown(CacheBar(), 800, 12)
    bar.use_count(20_000)
    states = np.full(20_000, FrameState.CACHED, np.uint8)
    states[9_000] = FrameState.NONE
    bar.show_states(states)
    line = pixels(bar)[6].sum(axis=1)
    dark = np.flatnonzero(line[60:785] < 300) + 60
    assert dark.size in {1, 2}
    assert dark.mean() == pytest.approx(bar.x_of(9_000), abs=1.5)


def sound(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (-levels).astype(np.float32), levels.astype(np.float32), (levels / 2).astype(np.float32)


def heights(lane: WaveformLane, first: float, last: float) -> np.ndarray:
    """How many pixels of each column between two places are lit by sound."""
    picture = pixels(lane).sum(axis=2)[:, round(lane.x_of(first)) + 2 : round(lane.x_of(last)) - 2]
    return (picture > 3 * 90).sum(axis=0)


def test_the_waveform_is_as_high_as_the_sound_and_absent_where_there_is_none(
    shown: Callable[..., QWidget],
) -> None:
    lane = shown(WaveformLane(), 800, 48)
    lane.use_count(FRAMES)
    levels = np.repeat([0.8, 0.0, np.nan, 0.4], 100)
    lane.show_sound(*sound(levels), 2.0 / 400, np.arange(FRAMES + 1) / 24)
    assert heights(lane, 1, 11) == pytest.approx(np.full(heights(lane, 1, 11).size, 0.8 * 46), abs=2)
    assert set(heights(lane, 13, 23)) <= {1, 2}
    assert set(heights(lane, 25, 35)) == {0}
    assert heights(lane, 37, 47) == pytest.approx(np.full(heights(lane, 37, 47).size, 0.4 * 46), abs=2)


def test_sound_follows_frames_of_uneven_length(shown: Callable[..., QWidget]) -> None:
    """The first half of the frames lasts three quarters of the time: so does the sound over them."""
    lane = shown(WaveformLane(), 800, 48)
    lane.use_count(FRAMES)
    starts = np.concatenate([[0.0], np.cumsum(np.repeat([3.0, 1.0], FRAMES // 2))]) / 24
    levels = np.where(np.arange(400) < 300, 0.8, 0.1)
    lane.show_sound(*sound(levels), starts[-1] / 400, starts)
    assert heights(lane, 0, 23).min() > 30
    assert heights(lane, 25, 47).max() < 10


def test_a_short_click_is_seen_at_any_zoom(shown: Callable[..., QWidget]) -> None:
    lane = shown(WaveformLane(), 800, 48)
    lane.use_count(20_000)
    levels = np.zeros(100_000)
    levels[50_000] = 0.9
    lane.show_sound(*sound(levels), 1 / 120, np.arange(20_001) / 24)
    assert heights(lane, 9_000, 11_000).max() > 35
    lane.show_range(9_990, 10_010)
    tall = np.flatnonzero(heights(lane, 9_990, 10_010) > 35) + round(lane.x_of(9_990)) + 2
    assert tall.mean() == pytest.approx(lane.x_of(9_999.6), abs=3)


def test_a_clip_without_sound_says_so(shown: Callable[..., QWidget]) -> None:
    lane = shown(WaveformLane(), 800, 48)
    lane.use_count(FRAMES)
    lane.show_silence("No sound")
    text = pixels(lane)[:, 380:480].sum(axis=2)
    assert 20 < np.count_nonzero(text > 3 * 60) < 800


def tile(grey: int) -> np.ndarray:
    return np.full((48, 84, 3), grey, np.uint8)


def test_pictures_stand_at_their_frames_and_scenes_begin_with_their_own(shown: Callable[..., QWidget]) -> None:
    strip = shown(ThumbnailStrip(), 800, 44)
    strip.use_count(FRAMES)
    frames = range(FRAMES)
    strip.add(frames, [tile(60 if frame < 19 else 200) for frame in frames], cuts=[19])
    line = pixels(strip)[22].mean(axis=1)
    cut = strip.x_of(18.5)
    assert line[round(cut) - 10 : round(cut) - 4] == pytest.approx(np.full(6, 60))
    assert line[round(cut) + 4 : round(cut) + 40] == pytest.approx(np.full(36, 200))


def test_more_frames_are_seen_when_zoomed_in(shown: Callable[..., QWidget]) -> None:
    strip = shown(ThumbnailStrip(), 800, 44)
    strip.use_count(200)
    strip.add(range(200), [tile(50 + frame) for frame in range(200)])

    def seen() -> set[int]:
        line = pixels(strip)[22, 60:780].mean(axis=1)
        return {round(value) - 50 for value in line if value >= 50}

    assert len(seen()) == pytest.approx(11, abs=1)
    assert max(seen()) - min(seen()) > 170
    strip.show_range(100, 110)
    assert set(range(101, 110)) <= seen() <= set(range(99, 112))


def test_a_long_clip_keeps_some_pictures_and_the_first_of_each_scene(shown: Callable[..., QWidget]) -> None:
    strip = shown(ThumbnailStrip(), 800, 44)
    strip.use_count(3000)
    for frame in range(3000):
        strip.add([frame], [tile(frame % 200 + 20)], cuts=[frame] if frame in {1001, 2003} else [])
    assert MOST_PICTURES / 2 <= len(strip.kept) <= MOST_PICTURES + 2
    assert {0, 1001, 2003} <= set(strip.kept)
    assert np.diff(strip.kept).max() <= 8


def test_no_strip_paints_beyond_its_axis(shown: Callable[..., QWidget]) -> None:
    for strip in make_strips():
        shown(strip, 800, strip.sizeHint().height())
        if isinstance(strip, ThumbnailStrip):
            strip.add(range(FRAMES), [tile(220)] * FRAMES, cuts=[10])
        elif isinstance(strip, WaveformLane):
            strip.show_sound(*sound(np.full(400, 1.5)), 0.005, np.arange(FRAMES + 1) / 24)
        elif isinstance(strip, CacheBar):
            strip.show_states(np.full(FRAMES, FrameState.CACHED, np.uint8))
        strip.show_range(10.3, 20.7)
        plot = strip.plot_rect()
        right = pixels(strip)[:, round(plot.right()) + 1 :]
        assert (right == right[0, -1]).all()
        assert QRectF(strip.rect()).contains(plot)
