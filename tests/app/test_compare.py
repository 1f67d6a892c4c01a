"""Laws of the viewer: what each way to compare shows, pixels that are the frame's own, pins, region, and the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes import FakeSession, fake_info
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from test_preview import Stage

from app.preview_worker import PreviewRequest, PreviewResult
from app.preview_worker.instruments import overlay_of
from app.preview_worker.pictures import corrected_of, for_screen, original_of
from app.probe import probe_at
from app.qimage import to_bgra, turned
from app.session import Studio
from app.viewer.compare import CompareView
from app.viewer.compare_mode import CompareMode
from app.viewer.geometry import as_shown, as_stored, extent_of, part_around, pixel_at, region_of
from app.viewer.marks import Marks
from app.viewer.view_state import ViewState
from vecnet_core.frame import ColorTags, Part, Region
from vecnet_core.metrics.scales import Overlay, Scope
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.decode import AS_IT_IS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow
    from app.preferences import Preferences

BEFORE, AFTER = (40, 60, 80), (200, 180, 160)


def session_for(rotation: int = 0, name: str = "night.mp4") -> FakeSession:
    session = FakeSession(Path(name), rotation=rotation)
    session.load_network("cpu")
    return session


def flat_result(before: tuple[int, ...] = BEFORE, after: tuple[int, ...] = AFTER, **request: object) -> PreviewResult:
    """A frame of one colour before and after, in code values."""
    pictures = [np.full((36, 64, 3), color, np.float32) / np.float32(255) for color in (before, after)]
    asked = PreviewRequest(1, 1, 0, CorrectionSettings(), **request)  # type: ignore[arg-type]
    return PreviewResult(
        asked,
        pictures[0],
        to_bgra(pictures[0]),
        pictures[1],
        to_bgra(pictures[1]),
        overlay=overlay_of(asked.overlay, *pictures, fake_info(), asked.difference_gain),
    )


@pytest.fixture
def compare(qtbot: QtBot) -> Iterator[CompareView]:
    made = CompareView()
    made.resize(900, 500)
    made.show()
    qtbot.waitExposed(made)
    made.use_clip(fake_info())
    yield made
    made.close()
    made.deleteLater()


def pixels(widget: QWidget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def color_at(compare: CompareView, x: float, y: float = 0.25) -> list[int]:
    """The colour painted in the corrected pane at shares of the picture."""
    canvas = compare.corrected
    rect = compare.view.painted_rect(canvas.pane(), 1.0)
    return pixels(canvas)[int(rect.top() + y * rect.height()), int(rect.left() + x * rect.width())].tolist()


# Ways to compare ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("is_swapped", [False, True])
def test_a_wipe_shows_before_on_one_side_and_after_on_the_other(
    compare: CompareView, share: float, is_swapped: bool
) -> None:
    compare.set_mode(CompareMode.WIPE)
    compare.set_wipe(share)
    compare.show_result(flat_result())
    if is_swapped:
        compare.swap()
    left, right = (AFTER, BEFORE) if is_swapped else (BEFORE, AFTER)
    assert color_at(compare, share - 0.03) == list(left)
    assert color_at(compare, share + 0.03) == list(right)


@pytest.mark.parametrize("is_swapped", [False, True])
def test_each_side_of_a_wipe_has_its_own_false_colours(compare: CompareView, is_swapped: bool) -> None:
    compare.set_mode(CompareMode.WIPE)
    result = flat_result((2, 2, 2), (120, 120, 120), overlay=Overlay.FALSE_COLOUR)
    compare.show_result(result)
    if is_swapped:
        compare.swap()
    assert result.overlay is not None
    assert result.overlay.original is not None
    black, grey = (overlay[0, 0].tolist() for overlay in (result.overlay.original, result.overlay.corrected))
    assert black != grey
    assert [color_at(compare, 0.4), color_at(compare, 0.6)] == ([grey, black] if is_swapped else [black, grey])


def test_a_difference_of_equal_pictures_is_black(compare: CompareView) -> None:
    compare.set_mode(CompareMode.DIFFERENCE)
    compare.show_result(flat_result(BEFORE, BEFORE, overlay=Overlay.DIFFERENCE, difference_gain=64.0))
    assert color_at(compare, 0.5) == [0, 0, 0]


@pytest.mark.parametrize(("gain", "shown"), [(1.0, [10, 0, 5]), (4.0, [40, 0, 20]), (32.0, [255, 0, 160])])
def test_a_difference_grows_with_its_gain(compare: CompareView, gain: float, shown: list[int]) -> None:
    compare.set_mode(CompareMode.DIFFERENCE)
    compare.show_result(flat_result((100, 100, 100), (110, 100, 95), overlay=Overlay.DIFFERENCE, difference_gain=gain))
    assert color_at(compare, 0.5) == pytest.approx(shown, abs=1)
    compare.hold_original(True)
    assert color_at(compare, 0.5) == [100, 100, 100]


@pytest.mark.parametrize("mix", [0.0, 0.25, 1.0])
def test_the_onion_skin_mixes_by_its_opacity(compare: CompareView, mix: float) -> None:
    compare.set_mode(CompareMode.ONION)
    compare.set_mix(mix)
    compare.show_result(flat_result())
    wanted = [before + mix * (after - before) for before, after in zip(BEFORE, AFTER, strict=True)]
    assert color_at(compare, 0.5) == pytest.approx(wanted, abs=2)
    compare.swap()
    assert color_at(compare, 0.5) == pytest.approx(
        [b + a - w for b, a, w in zip(BEFORE, AFTER, wanted, strict=True)], abs=2
    )


def test_toggle_shows_one_and_a_click_the_other(compare: CompareView) -> None:
    compare.set_mode(CompareMode.TOGGLE)
    compare.show_result(flat_result())
    assert color_at(compare, 0.5) == list(AFTER)
    QTest.mouseClick(compare.corrected, Qt.MouseButton.LeftButton)
    assert color_at(compare, 0.5) == list(BEFORE)
    compare.swap()
    assert color_at(compare, 0.5) == list(AFTER)


def test_swapped_panes_change_places(compare: CompareView, qtbot: QtBot) -> None:
    compare.show_result(flat_result())
    assert compare.original.x() < compare.corrected.x()
    compare.swap()
    qtbot.waitUntil(lambda: compare.original.x() > compare.corrected.x(), timeout=1000)
    assert compare.original.width() == pytest.approx(compare.corrected.width(), abs=1)
    assert color_at(compare, 0.5) == list(AFTER)


def test_the_surround_is_neutral(compare: CompareView) -> None:
    compare.show_result(flat_result())
    red, green, blue = pixels(compare.corrected)[1, 1]
    assert red == green == blue


# Pixels that are the frame's own --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_part_has_the_pixels_of_the_whole_frame(rotation: int) -> None:
    session = session_for(rotation)
    part = Part(128, 64, 96, 200)
    request = PreviewRequest(1, 1, 3, CorrectionSettings(strength=0.7), (90, 160), part=part)
    result = corrected_of(session, request)
    assert result.detail is not None
    assert result.original.size == 90 * 160 * 3
    whole = session.render(3, request.settings, None)
    for seen, full in ((result.detail.original, whole.original), (result.detail.corrected, whole.corrected)):
        assert np.array_equal(seen, turned(full[part.slices], rotation))
    before = original_of(session, request)
    assert before.detail is not None
    assert before.detail.corrected is None
    assert np.array_equal(before.detail.original, result.detail.original)


def test_at_800_percent_every_pixel_is_a_square_of_its_own_colour(compare: CompareView) -> None:
    session, asked = session_for(), []
    compare.size_changed.connect(lambda size, part: asked.append((size, part)))
    compare.view.zoom_about(100.0, QPointF(150, 120), compare.corrected.pane(), 1.0)
    assert compare.view.zoom == 8.0
    QTest.qWait(80)
    size, part = asked[-1]
    assert part is not None
    assert size[0] < session.info.height
    assert part.height * part.width < 0.5 * session.info.height * session.info.width
    settings = CorrectionSettings()
    compare.show_result(corrected_of(session, PreviewRequest(1, 1, 0, settings, size, part=part)))
    full = to_bgra(session.render(0, settings, None).corrected)[..., 2::-1]
    rect = compare.view.painted_rect(compare.corrected.pane(), 1.0)
    shown = pixels(compare.corrected)
    height, width = shown.shape[:2]
    rows = ((np.arange(height) + 0.5 - rect.top()) // 8).astype(int)
    columns = ((np.arange(width) + 0.5 - rect.left()) // 8).astype(int)
    assert np.array_equal(shown, full[rows][:, columns])


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
@pytest.mark.parametrize("zoom", [None, 1.0, 2.0, 8.0])
def test_a_picture_begins_and_ends_on_pixels_of_the_screen(qapp: object, ratio: float, zoom: float | None) -> None:
    view, pane = ViewState(), QSizeF(501, 333)
    view.use_picture(1920, 1080)
    view.set_zoom(zoom)
    view.pan(QPointF(3.3, 7.7), pane, ratio)
    rect = view.painted_rect(pane, ratio)
    for edge in (rect.left(), rect.top(), rect.right(), rect.bottom()):
        assert edge * ratio == pytest.approx(round(edge * ratio), abs=1e-6)
    if zoom is not None:
        assert rect.width() * ratio == pytest.approx(1920 * zoom)


def test_both_panes_show_the_same_part(compare: CompareView) -> None:
    compare.show_result(flat_result())
    compare.view.set_zoom(4.0)
    rects = [compare.view.painted_rect(canvas.pane(), 1.0) for canvas in (compare.original, compare.corrected)]
    assert rects[0] == rects[1]


def test_reduced_is_said_until_what_is_in_sight_is_not(compare: CompareView, qtbot: QtBot) -> None:
    session, settings = session_for(), CorrectionSettings()
    told: list[str] = []
    compare.fineness_changed.connect(told.append)
    compare.show_result(corrected_of(session, PreviewRequest(1, 1, 0, settings, (180, 320))))
    assert told[-1] == "Preview reduced to 50 %"
    compare.view.set_zoom(8.0)
    with qtbot.waitSignal(compare.size_changed, timeout=1000) as caught:
        pass
    size, part = caught.args
    compare.show_result(corrected_of(session, PreviewRequest(1, 2, 0, settings, size, part=part)))
    assert told[-1] == "Preview at full size (part in sight)"
    compare.view.pan(QPointF(900, 900), compare.corrected.pane(), 1.0)
    assert told[-1].startswith("Preview reduced")
    compare.show_result(corrected_of(session, PreviewRequest(1, 3, 0, settings, None)))
    assert told[-1] == "Preview at full size"
    # While it plays, half the size may stand for the whole.
    halved = corrected_of(session, PreviewRequest(1, 4, 0, settings, (180, 320)))
    compare.show_result(replace(halved, request=replace(halved.request, size=None)))
    assert told[-1] == "Preview reduced to 50 %"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_places_follow_the_rotation(degrees: int) -> None:
    info = fake_info(rotation=degrees)
    frame = np.zeros((info.height, info.width, 1), np.float32)
    frame[100:140, 200:210] = 1
    shown = turned(frame, degrees)[..., 0]
    rows, columns = np.nonzero(shown)
    at = QPointF((columns[0] + 0.5) / shown.shape[1], (rows[0] + 0.5) / shown.shape[0])
    row, column = pixel_at(at, info)
    assert frame[row, column, 0] == 1
    back = as_shown(as_stored(at, degrees), degrees)
    assert (back.x(), back.y()) == (pytest.approx(at.x()), pytest.approx(at.y()))
    extent = extent_of(Part(100, 200, 40, 10), info)
    assert extent.top() * shown.shape[0] == pytest.approx(rows.min())
    assert extent.right() * shown.shape[1] == pytest.approx(columns.max() + 1)
    region = region_of(extent, info)
    assert region == pytest.approx((200 / 640, 100 / 360, 210 / 640, 140 / 360))
    part = part_around(extent, info)
    assert part.top <= 100
    assert part.left <= 200
    assert part.top + part.height >= 140
    assert part.left + part.width >= 210
    assert part == part.within(info.height, info.width)


def test_the_probe_of_a_part_is_of_its_pixels() -> None:
    session, part = session_for(), Part(64, 64, 128, 128)
    result = corrected_of(session, PreviewRequest(1, 1, 0, CorrectionSettings(), (90, 160), part=part))
    full, extent = session.render(0, CorrectionSettings(), None), extent_of(part, session.info)
    probe = probe_at(result, 100.5 / 640, 90.5 / 360, 640, 360, extent, is_reduced=True)
    assert (probe.x, probe.y, probe.is_reduced) == (100, 90, False)
    assert probe.after == pytest.approx(tuple(full.corrected[90, 100]))
    outside = probe_at(result, 0.9, 0.9, 640, 360, extent, is_reduced=True)
    assert outside.is_reduced
    assert "(reduced)" in outside.line
    assert "reduced" not in probe.line


def test_a_part_of_a_real_clip_is_there_before_the_network(clip: Path) -> None:
    session, part = Studio()(clip, AS_IT_IS), Part(7, 9, 20, 31)
    try:
        whole, seen = session.original(3, None), session.original(3, None, part)
    finally:
        session.close()
    assert np.array_equal(seen, whole[part.slices])
    assert seen.flags.c_contiguous


# HDR ------------------------------------------------------------------------------------------------------------------


def test_hdr_is_shown_in_the_colours_of_the_screen() -> None:
    from vecnet_core.video.color import to_bt709

    session = session_for(name="hdr.mov")
    result = corrected_of(session, PreviewRequest(1, 1, 0, CorrectionSettings(), (90, 160)))
    assert result.corrected is not None
    assert np.array_equal(result.corrected_bgra, to_bgra(to_bt709(result.corrected)))
    assert not np.array_equal(result.corrected_bgra, to_bgra(result.corrected))
    plain = ColorTags("bt709", "limited", "bt709", "bt709")
    assert np.array_equal(for_screen(result.corrected, plain), to_bgra(result.corrected))


# Pins and region ------------------------------------------------------------------------------------------------------


@pytest.fixture
def new_stage(qtbot: QtBot) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def make(**options: object) -> Stage:
        stages.append(Stage(qtbot, **options))
        return stages[-1]

    yield make
    for stage in stages:
        stage.preview.close()


def test_pins_are_of_the_exported_pixel_and_follow_frame_and_sliders(
    new_stage: Callable[..., Stage], qtbot: QtBot
) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.preview.set_size((18, 32))
    stage.preview.set_pins(((90, 100), (5, 600)))
    judge = session_for()

    def wait_for(index: int, settings: CorrectionSettings) -> None:
        def is_there() -> bool:
            last = stage.shown[-1] if stage.shown else None
            asked = None if last is None else last.request
            return (
                last is not None
                and last.corrected is not None
                and (asked.index, asked.settings, len(last.pins)) == (index, settings, 2)
            )

        qtbot.waitUntil(is_there, timeout=5000)
        full = judge.render(index, settings, None)
        for (row, column), reading in stage.shown[-1].pins.items():
            assert reading.before == pytest.approx(tuple(full.original[row, column]))
            assert reading.after == pytest.approx(tuple(full.corrected[row, column]))

    wait_for(0, CorrectionSettings())
    stage.document.set_playhead(20)
    wait_for(20, CorrectionSettings())
    stage.document.edit("strength", 0.5, 1)
    wait_for(20, CorrectionSettings(strength=0.5))


def test_pins_are_numbered_moved_and_removed(qapp: object) -> None:
    marks = Marks()
    for x in (0.1, 0.5, 0.9):
        marks.pin(QPointF(x, 0.5))
    assert [pin.number for pin in marks.pins] == [1, 2, 3]
    marks.remove(2)
    marks.move(3, QPointF(1.7, -0.2))
    assert [(pin.number, pin.at.x(), pin.at.y()) for pin in marks.pins] == [(1, 0.1, 0.5), (3, 1.0, 0.0)]
    marks.pin(QPointF(0.3, 0.3))
    assert [pin.number for pin in marks.pins] == [1, 3, 2]
    marks.clear()
    assert marks.pins == ()


def test_a_pin_is_dragged_and_right_clicked_away(compare: CompareView) -> None:
    compare.show_result(flat_result())
    compare.marks.pin(QPointF(0.5, 0.5))
    canvas = compare.original
    rect = compare.view.painted_rect(canvas.pane(), 1.0)
    middle = rect.center().toPoint()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(canvas, middle + QPoint(60, 0))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(60, 0))
    (pin,) = compare.marks.pins
    assert pin.at.x() == pytest.approx(0.5 + 60 / rect.width(), abs=0.01)
    assert compare.view.zoom is None
    QTest.mouseClick(canvas, Qt.MouseButton.RightButton, pos=middle + QPoint(60, 0))
    assert compare.marks.pins == ()


def test_a_region_is_drawn_on_either_pane(compare: CompareView) -> None:
    compare.show_result(flat_result())
    for canvas in (compare.original, compare.corrected):
        compare.marks.start_region()
        rect = compare.view.painted_rect(canvas.pane(), 1.0)
        start = rect.center().toPoint()
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(canvas, start + QPoint(50, 20))
        QTest.mouseMove(canvas, start + QPoint(5000, 40))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(5000, 40))
        region = compare.marks.region
        assert region is not None
        assert (region.left(), region.right()) == (pytest.approx(0.5, abs=0.01), 1.0)
        assert region.height() == pytest.approx(40 / rect.height(), abs=0.01)
        assert not compare.marks.is_drawing
    compare.marks.start_region()
    QTest.mouseClick(compare.corrected, Qt.MouseButton.LeftButton, pos=start)
    assert compare.marks.region == region


def test_lanes_are_measured_anew_inside_a_region(new_stage: Callable[..., Stage], qtbot: QtBot) -> None:
    stage = new_stage()
    source, corrected = np.full(FakeSession.FRAMES, np.nan), np.full(FakeSession.FRAMES, np.nan)

    def draw(curve: np.ndarray, light: object) -> None:
        curve[light.indices] = light.exposures_ev

    stage.preview.source_measured.connect(lambda light: draw(source, light))
    stage.preview.corrected_measured.connect(lambda light: draw(corrected, light))
    stage.open_clip()
    stage.wait_analysed()
    qtbot.waitUntil(lambda: bool(np.isfinite(corrected).all()), timeout=5000)
    whole = source.copy(), corrected.copy()
    stage.preview.set_region(Region(0.1, 0.1, 0.3, 0.4))
    qtbot.waitUntil(lambda: np.allclose(source, whole[0] - 1.0) and np.allclose(corrected, whole[1] - 1.0))
    assert len(stage.frames_of("measure region")) == FakeSession.FRAMES
    stage.preview.set_region(None)
    qtbot.waitUntil(lambda: np.allclose(source, whole[0]) and np.allclose(corrected, whole[1]))


def test_a_part_and_pins_of_another_clip_are_left_out() -> None:
    session = session_for()
    request = PreviewRequest(1, 1, 0, CorrectionSettings(), part=Part(2000, 3000, 64, 64), pins=((4000, 1),))
    result = corrected_of(session, request)
    assert result.detail is None
    assert result.pins == {}


def test_region_in_shares_is_within_the_picture(qapp: object) -> None:
    marks = Marks()
    marks.draw_region(QPointF(-0.5, 0.2), QPointF(0.4, 3.0))
    marks.finish_region()
    assert marks.region == QRectF(0.0, 0.2, 0.4, 0.8)


# In the window --------------------------------------------------------------------------------------------------------


def test_keys_choose_the_way_to_compare(window: MainWindow) -> None:
    seen = [window.compare.mode]
    for _ in CompareMode:
        QTest.keyClick(window, Qt.Key.Key_V)
        seen.append(window.compare.mode)
    assert seen == [*CompareMode, CompareMode.SIDE]
    for key, mode in ((Qt.Key.Key_W, CompareMode.WIPE), (Qt.Key.Key_D, CompareMode.DIFFERENCE)):
        QTest.keyClick(window, key)
        assert window.compare.mode is mode
        assert window.view_bar.modes.position == mode.value
        QTest.keyClick(window, key)
        assert window.compare.mode is CompareMode.SIDE
    QTest.keyClick(window, Qt.Key.Key_X)
    assert window.compare.is_swapped


def test_a_difference_is_asked_for_with_its_gain(window: MainWindow, qtbot: QtBot) -> None:
    results: list[PreviewResult] = []
    window.preview.frame_shown.connect(results.append)
    QTest.keyClick(window, Qt.Key.Key_Z)
    QTest.keyClick(window, Qt.Key.Key_D)
    assert window.view_bar.gain.isVisible()
    window.view_bar.gain.setValue(4.0)

    def is_shown() -> bool:
        overlay = results[-1].overlay if results else None
        return overlay is not None and overlay.kind is Overlay.DIFFERENCE

    qtbot.waitUntil(lambda: is_shown() and results[-1].request.difference_gain == 16.0, timeout=5000)
    # The overlay that was chosen before is there again.
    QTest.keyClick(window, Qt.Key.Key_D)
    assert window.preview.overlay is Overlay.CLIPPING


def test_ways_to_look_are_remembered(window: MainWindow, new_window: Callable[..., MainWindow]) -> None:
    window.viewing.set_overlay(Overlay.FALSE_COLOUR)
    window.viewing.set_mode(CompareMode.ONION)
    window.viewing.set_mix(0.3)
    window.viewing.set_gain(16.0)
    window.tabs.setCurrentWidget(window.scopes_panel)
    window.scopes_panel.unfold([Scope.VECTORSCOPE])
    again = new_window()
    assert again.compare.mode is CompareMode.ONION
    assert again.view_bar.modes.position == CompareMode.ONION.value
    assert again.preview.overlay is Overlay.FALSE_COLOUR
    assert again.actions_by_name["false_colour"].isChecked()
    assert (again.view_bar.mix.value(), again.view_bar.gain.value()) == (pytest.approx(0.3), 4.0)
    assert again.scopes_panel.open_scopes == (Scope.VECTORSCOPE,)


@pytest.mark.parametrize(("name", "value"), [("compare", "MAGIC"), ("overlay", "7"), ("gain", "nan"), ("mix", "ü")])
def test_a_remembered_way_that_makes_no_sense_is_the_usual_one(
    new_window: Callable[..., MainWindow], preferences: Preferences, name: str, value: str
) -> None:
    preferences.set_text(f"view/{name}", value)
    window = new_window()
    assert window.compare.mode is CompareMode.SIDE
    assert window.preview.overlay is Overlay.NONE
    assert (window.view_bar.mix.value(), window.view_bar.gain.value()) == (0.5, 2.0)


def test_full_screen_is_pictures_only_and_keys_go_on(window: MainWindow) -> None:
    beside = (window.menuBar(), window.status, window.view_bar, window.tabs, window.timeline, window.transport)
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    assert not any(widget.isVisible() for widget in beside)
    assert window.compare.isVisible()
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert window.document.playhead == 1
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.compare.mode is CompareMode.WIPE
    window.notices.show_error("The disk is full.")
    assert window.notices.isVisible()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert all(widget.isVisible() for widget in beside)


def test_pins_and_region_by_key(window: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClick(window, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: "stops" in window.compare.marks.pins[0].text, timeout=5000)
    QTest.keyClick(window, Qt.Key.Key_P)
    assert window.compare.marks.pins == ()
    window.compare.view.set_zoom(4.0)
    with qtbot.waitSignal(window.preview.source_measured, timeout=5000):
        QTest.keyClick(window, Qt.Key.Key_R)
        assert window.compare.marks.is_drawing
        QTest.keyClick(window, Qt.Key.Key_R)
    region = window.compare.marks.region
    assert region is not None
    assert region.width() < 0.7
    assert "Luma in region" in [label.text() for label in window.timeline.findChildren(QLabel)]
    QTest.keyClick(window, Qt.Key.Key_R)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.compare.marks.region == region
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.compare.marks.region is None
    assert "Luma" in [label.text() for label in window.timeline.findChildren(QLabel)]
