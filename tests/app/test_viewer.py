"""Laws of the pictures: one zoom for both panes, exact bytes, maps and probe that mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes import FakeSession, fake_info
from PySide6.QtCore import QPointF, QSizeF

from app.map_pictures import GAIN_SCALE, LIGHT_SCALE, MapKind, draw_map, scale_of
from app.preview_worker import PreviewRequest, PreviewResult
from app.probe import Probe, probe_at
from app.qimage import to_bgra, to_qimage, turned
from app.viewer.geometry import display_size
from app.viewer.view_state import ViewState
from app.widgets.clip_facts import clip_facts, status_line
from app.widgets.timecode import clock, timecode
from vecnet_core.settings import CorrectionSettings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PANE = QSizeF(500, 400)


@pytest.fixture
def view(qapp: QApplication) -> ViewState:
    made = ViewState()
    made.use_picture(1920, 1080)
    return made


def test_fit_shows_the_whole_picture_in_the_middle(view: ViewState) -> None:
    rect = view.picture_rect(PANE, 1.0)
    assert rect.width() == pytest.approx(500)
    assert rect.center() == QPointF(250, 200)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_one_to_one_is_in_screen_pixels(view: ViewState, ratio: float) -> None:
    view.set_zoom(1.0)
    assert view.picture_rect(PANE, ratio).width() * ratio == pytest.approx(1920)


def test_zoom_keeps_what_is_under_the_pointer(view: ViewState) -> None:
    at = QPointF(180, 190)
    before = view.picture_rect(PANE, 1.0)
    view.zoom_about(4.0, at, PANE, 1.0)
    after = view.picture_rect(PANE, 1.0)
    assert (at.x() - after.left()) / after.width() == pytest.approx((at.x() - before.left()) / before.width())


def test_zoom_ends_at_800_percent_and_at_fit(view: ViewState) -> None:
    for _ in range(40):
        view.zoom_about(1.25, QPointF(250, 200), PANE, 1.0)
    assert view.zoom == 8.0
    for _ in range(80):
        view.zoom_about(0.8, QPointF(250, 200), PANE, 1.0)
    assert view.zoom is None


def test_pan_never_loses_the_picture(view: ViewState) -> None:
    view.set_zoom(2.0)
    view.pan(QPointF(1e6, 1e6), PANE, 1.0)
    rect = view.picture_rect(PANE, 1.0)
    assert (rect.left(), rect.top()) == (pytest.approx(0), pytest.approx(0))


def test_bytes_round_half_up_and_clip() -> None:
    rgb = np.array([[[0.0, 0.5, 1.0], [-1.0, 2.0, 127.4 / 255]]], np.float32)
    assert to_bgra(rgb).tolist() == [[[255, 128, 0, 255], [127, 255, 0, 255]]]


def test_image_outlives_its_array(qapp: QApplication) -> None:
    image = to_qimage(np.full((3, 5, 4), 200, np.uint8))
    assert (image.width(), image.height(), image.pixelColor(4, 2).red()) == (5, 3, 200)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_four_turns_are_none(degrees: int) -> None:
    picture = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    back = turned(turned(picture, degrees), 360 - degrees)
    assert np.array_equal(back, picture)


def test_quarter_turn_is_counter_clockwise() -> None:
    picture = np.array([[[1], [2]], [[3], [4]]])
    assert turned(picture, 90)[..., 0].tolist() == [[2, 4], [1, 3]]


def test_display_size_follows_rotation() -> None:
    assert display_size(fake_info()) == (640, 360)
    assert display_size(fake_info(rotation=90)) == (360, 640)


def test_gain_scale_is_dark_and_grey_where_nothing_changes() -> None:
    middle = GAIN_SCALE.colors(np.zeros((1, 1), np.float32))[0, 0, :3]
    assert middle.max() < 60
    assert int(middle.max()) - int(middle.min()) <= 4
    warm, cool = (GAIN_SCALE.colors(np.full((1, 1), stops, np.float32))[0, 0] for stops in (2.0, -2.0))
    assert warm[2] > warm[0]
    assert cool[0] > cool[2]


def test_light_scale_rises_evenly() -> None:
    table = LIGHT_SCALE.table(64)[:, :3].astype(float)
    luma = table @ [0.0722, 0.7152, 0.2126]
    assert np.all(np.diff(luma) > 0)


def test_every_map_can_be_drawn() -> None:
    from pathlib import Path

    maps = FakeSession(Path("night.mp4")).maps(0, CorrectionSettings(), (18, 32))
    for kind in MapKind:
        drawn = draw_map(maps, kind)
        assert drawn.bgra.shape == (18, 32, 4)
        assert drawn.bgra.dtype == np.uint8
    assert scale_of(MapKind.GAIN) is GAIN_SCALE
    assert scale_of(MapKind.BRIGHTENED) is None


def test_probe_measures_stops_in_linear_light() -> None:
    # Middle grey and its double in linear light: exactly one stop.
    low = 0.18
    code = [1.055 * (value ** (1 / 2.4)) - 0.055 for value in (low, 2 * low)]
    before, after = (np.full((4, 4, 3), value, np.float32) for value in code)
    request = PreviewRequest(1, 1, 0, CorrectionSettings())
    result = PreviewResult(request, before, to_bgra(before), after, to_bgra(after))
    probe = probe_at(result, 0.99, 0.0, 1920, 1080)
    assert (probe.x, probe.y) == (1900, 0)
    assert probe.gain_stops == pytest.approx(1.0, abs=1e-4)
    assert probe.line.endswith("0.180 → 0.360    +1.00 stops")


def test_probe_of_black_is_finite() -> None:
    assert Probe(0, 0, (0, 0, 0), (0, 0, 0)).gain_stops == 0.0


def test_facts_say_what_is_assumed() -> None:
    facts = dict(clip_facts(fake_info()))
    assert facts["Matrix"] == "BT.709 (assumed)"
    assert facts["Range"] == "limited (assumed)"
    assert "(assumed)" in status_line(fake_info())


def test_times() -> None:
    assert timecode(295, fake_info().frame_rate) == "00:00:12:07"
    assert (clock(69.6), clock(3661)) == ("1:10", "1:01:01")
