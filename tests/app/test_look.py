"""Laws of the look: texts can be read in every theme, themes are put on at once, and the window fits a laptop."""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import is_whole
from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QApplication, QComboBox, QLabel

from app import look, theme
from app.inspector.section import Section
from app.look import Look
from app.preferences import SCALES, Preferences, PreferencesDialog
from app.widgets.icons import icon, picture
from vecnet_core.project import Clip, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow

APP = Path(theme.__file__).parent


@pytest.fixture
def worn(qapp: QApplication, preferences: Preferences) -> Iterator[Look]:
    """The look of the application, which is dark again afterwards."""
    made = Look(qapp, preferences)
    yield made
    preferences.set_theme("dark")
    made.deleteLater()


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21: W3C, WCAG 2.2, relative luminance."""

    def luminance(color: str) -> float:
        parts = (QColor(color).redF(), QColor(color).greenF(), QColor(color).blueF())
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", theme.THEMES)
def test_every_text_can_be_read_on_all_it_may_stand_on(name: str) -> None:
    colors = theme.THEMES[name]
    pairs = [*product(theme.INKS, theme.SURFACES), ("accent_text", "accent"), ("accent_text", "accent_hover")]
    poor = {
        f"{ink} on {surface}": round(contrast(getattr(colors, ink), getattr(colors, surface)), 2)
        for ink, surface in pairs
        if contrast(getattr(colors, ink), getattr(colors, surface)) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("name", theme.THEMES)
def test_every_rule_of_the_style_sheet_and_every_role_of_the_palette_can_be_read(name: str) -> None:
    """Only what cannot be chosen now may be faint."""
    colors = theme.THEMES[name]
    poor: list[str] = []
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", theme._STYLE_SHEET):
        ink = re.search(r"(?<![-\w])color: %\((\w+)\)s", body)
        ground = re.search(r"(?<![-\w])background: %\((\w+)\)s", body)
        chosen = re.search(r"selection-color: %\((\w+)\)s", body)
        chosen_on = re.search(r"selection-background-color: %\((\w+)\)s", body)
        for text, on in ((ink, ground), (chosen, chosen_on)):
            if text is None or ":disabled" in selector:
                continue
            surfaces = theme.SURFACES if on is None else (on[1],)
            poor += [
                f"{selector.strip()}: {text[1]} on {surface}"
                for surface in surfaces
                if contrast(getattr(colors, text[1]), getattr(colors, surface)) < 4.5
            ]
    assert poor == []
    roles = QPalette.ColorRole
    for ink, ground in (
        (roles.WindowText, roles.Window),
        (roles.Text, roles.Base),
        (roles.Text, roles.AlternateBase),
        (roles.ButtonText, roles.Button),
        (roles.ToolTipText, roles.ToolTipBase),
        (roles.PlaceholderText, roles.Base),
        (roles.HighlightedText, roles.Highlight),
        (roles.Link, roles.Base),
    ):
        made = theme.palette(colors)
        assert contrast(made.color(ink).name(), made.color(ground).name()) >= 4.5, (ink, ground)


@pytest.mark.parametrize("name", theme.THEMES)
def test_lines_that_tell_something_can_be_told_from_what_they_are_drawn_on(name: str) -> None:
    colors = theme.THEMES[name]
    for trace in ("source_trace", "corrected_trace", "accent", "strong"):
        assert contrast(getattr(colors, trace), colors.panel) >= 3
    assert contrast(colors.sound, colors.field) >= 3


def test_themes_have_no_tint_but_where_it_means_something() -> None:
    meaning = {"accent", "accent_hover", "accent_text", "error", "notice", "lit"}
    for colors in theme.THEMES.values():
        for field in fields(colors):
            color = QColor(getattr(colors, field.name))
            assert field.name in meaning or color.red() == color.green() == color.blue(), field.name


def test_no_colour_is_asked_for_that_no_theme_has() -> None:
    names = {name for path in APP.rglob("*.py") for name in re.findall(r"\btheme\.([A-Z][A-Z_]*)\b", path.read_text())}
    assert {name for name in names if not hasattr(theme, name)} == set()
    assert {"TEXT", "MUTED", "ACCENT"} <= names


def grey(image: QImage) -> float:
    return sum(QColor(image.pixel(x, y)).lightness() for x, y in ((2, 2), (5, 3), (9, 2))) / 3


def test_a_theme_is_put_on_at_once_and_the_picture_keeps_its_surround(window: MainWindow, worn: Look) -> None:
    surround = window.compare.original.grab().toImage().pixel(1, 1)
    assert QColor(surround).name() == theme.SURROUND
    assert grey(window.timeline.lanes.grab().toImage()) < 60
    play = window.transport.play.icon().cacheKey()
    window.preferences.set_theme("light")
    assert theme.LIGHT.text == theme.TEXT
    assert worn.name == "light"
    for room in (window.timeline.lanes, window.timeline.ruler, window.status, window.tabs.currentWidget()):
        assert grey(room.grab().toImage()) > 190, room
    assert window.compare.original.grab().toImage().pixel(1, 1) == surround
    pen: Any = window.timeline.lanes._corrected.opts["pen"]
    assert pen.color().name() == theme.LIGHT.corrected_trace
    assert window.transport.play.icon().cacheKey() == icon("play").cacheKey() != play
    assert window.notices.isHidden()
    window.preferences.set_theme("dark")
    assert grey(window.timeline.lanes.grab().toImage()) < 60
    assert window.transport.play.icon().cacheKey() == play


def test_signs_that_are_shown_follow_the_theme(qtbot: QtBot, preferences: Preferences, worn: Look) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    label.setPixmap(picture("warning", 20, "error"))
    before = label.pixmap().toImage()
    preferences.set_theme("light")
    assert label.pixmap().toImage() != before
    assert label.pixmap().toImage() == picture("warning", 20, "error").toImage()


@pytest.mark.parametrize(("scheme", "name"), [(Qt.ColorScheme.Light, "light"), (Qt.ColorScheme.Dark, "dark")])
def test_the_theme_may_be_the_systems(
    qapp: QApplication,
    preferences: Preferences,
    worn: Look,
    scheme: Qt.ColorScheme,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    systems = [Qt.ColorScheme.Dark if name == "light" else Qt.ColorScheme.Light]
    # The platform of these tests has no scheme of its own.
    monkeypatch.setattr(look, "system_scheme", lambda: systems[-1])
    preferences.set_theme("system")
    assert worn.name != name
    systems.append(scheme)
    qapp.styleHints().colorSchemeChanged.emit(scheme)
    assert worn.name == name
    preferences.set_theme("dark")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert worn.name == "dark"


def test_what_is_remembered_of_the_look_is_taken_only_where_it_makes_sense(tmp_path: Path) -> None:
    settings = QSettings(str(tmp_path / "hostile.ini"), QSettings.Format.IniFormat)
    preferences = Preferences(settings)
    for theme_name, scale in (("../light", "1e9"), ("", "-100"), ("LIGHT", "nan"), ([1, 2], [])):
        settings.setValue("theme", theme_name)
        settings.setValue("scale_percent", scale)
        assert (preferences.theme, preferences.scale_percent) == ("dark", 100)
    with pytest.raises(ValueError, match="theme"):
        preferences.set_theme("pink")
    with pytest.raises(ValueError, match="scale"):
        preferences.set_scale_percent(1000)


def test_the_size_of_the_editor_is_for_the_next_start(
    preferences: Preferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QT_SCALE_FACTOR", raising=False)
    look.take_scale(preferences)
    assert "QT_SCALE_FACTOR" not in look.os.environ
    preferences.set_scale_percent(125)
    look.take_scale(preferences)
    assert look.os.environ["QT_SCALE_FACTOR"] == "1.25"
    monkeypatch.setenv("QT_SCALE_FACTOR", "2")
    look.take_scale(preferences)
    assert look.os.environ["QT_SCALE_FACTOR"] == "2"
    monkeypatch.delenv("QT_SCALE_FACTOR")


def test_the_look_is_chosen_in_the_preferences(qtbot: QtBot, preferences: Preferences, worn: Look) -> None:
    dialog = PreferencesDialog(preferences, "CPU")
    qtbot.addWidget(dialog)
    choose(dialog.theme_picker, "Light")
    assert worn.name == "light"
    choose(dialog.scale_picker, "125 %")
    assert preferences.scale_percent == 125
    assert [dialog.scale_picker.itemData(place) for place in range(dialog.scale_picker.count())] == list(SCALES)
    for picker in (dialog.theme_picker, dialog.scale_picker):
        assert picker.accessibleName()
        assert picker.toolTip()


def choose(picker: QComboBox, text: str) -> None:
    picker.setCurrentIndex(picker.findText(text))
    picker.activated.emit(picker.currentIndex())


def test_the_window_fits_a_laptop(new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> None:
    """1366 x 768 less a task bar and a title bar: with everything open, a clip that is missing, and a notice."""
    clips = [Clip(tmp_path / "gone.mp4"), Clip(tmp_path / "night.mp4")]
    clips[1].path.touch()
    Project(tuple(clips)).save(tmp_path / "holiday.vecnet")
    window = new_window()
    with qtbot.waitSignal(window.preview.flicker_measured, timeout=10_000, check_params_cb=is_whole):
        window.open_clip(tmp_path / "holiday.vecnet")
    window.actions_by_name["show_queue"].setChecked(True)
    window.notices.clear()
    for place in range(window.tabs.count()):
        window.tabs.setCurrentIndex(place)
        window.resize(1366, 700)
        qtbot.wait(20)
        assert window.minimumSizeHint().height() <= 700
        assert window.minimumSizeHint().width() <= 1366
        assert window.size().toTuple() == (1366, 700)
    assert window.compare.height() >= 130
    assert window.timeline.lanes.height() >= 120


def test_the_shape_of_the_window_is_remembered(new_window: Callable[..., MainWindow], qtbot: QtBot) -> None:
    first = new_window()
    # The screen of these tests is 800 pixels high.
    first.resize(1300, 740)
    with qtbot.waitSignal(first.preview.clip_opened, timeout=5000):
        first.open_clip(Path("night.mp4"))
    first.tabs.setCurrentIndex(2)
    sections = first.findChildren(Section)
    assert sections
    was_open = {section.text(): section.isExpanded() for section in sections}
    for section in sections:
        section.collapse(animate=False) if section.isExpanded() else section.expand(animate=False)
    first.across.setSizes([300, 640, 360])
    first.down.setSizes([320, 380])
    qtbot.wait(20)
    sizes, rooms = first.down.sizes(), first.across.saveState()
    first.document.begin()
    first.close()
    # The screen of these tests is 800 pixels wide, and the splitter across is squeezed on it.
    assert first.preferences.shape("rooms") == rooms
    second = new_window()
    assert second.height() == first.height() == 740
    assert second.tabs.currentIndex() == 2
    assert {section.text(): not section.isExpanded() for section in second.findChildren(Section)} == was_open
    with qtbot.waitSignal(second.preview.clip_opened, timeout=5000):
        second.open_clip(Path("night.mp4"))
    qtbot.wait(20)
    assert second.down.sizes() == sizes


def test_a_first_window_is_no_larger_than_the_screen(new_window: Callable[..., MainWindow]) -> None:
    window = new_window()
    window.shape.fit(QSize(1366, 728))
    assert window.size().toTuple() == (1366, 688)
    window.close()
    again = new_window()
    size = again.size()
    again.shape.fit(QSize(700, 600))
    assert again.size() == size


def test_a_shape_that_makes_no_sense_is_left_out(
    new_window: Callable[..., MainWindow], preferences: Preferences
) -> None:
    for name in ("window", "rooms", "down", "side"):
        preferences.set_shape(name, QByteArray(b"\xff\x00garbage" * 40))
    preferences.set_text("panel", "Nowhere")
    preferences.set_text("folded", "Nothing\n\n\x00")
    window = new_window()
    assert window.size().toTuple() == (1440, 900)
    assert window.tabs.currentIndex() == 0


def test_a_maximised_window_is_maximised_again(new_window: Callable[..., MainWindow]) -> None:
    first = new_window()
    first.showMaximized()
    first.close()
    assert new_window().isMaximized()
