"""Laws of the keys: one table, no key twice, changed only to what makes sense, told everywhere as they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QTreeWidget, QTreeWidgetItem
from shiboken6 import isValid

from app.actions import ENTRIES, MENUS
from app.keys.key_sheet import KeySheet
from app.viewer.compare import CompareMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow
    from app.preferences import Preferences

ASKED = {
    "play": "Space", "shuttle_back": "J", "pause": "K", "shuttle_on": "L", "back": "Left", "forward": "Right",
    "back_second": "Shift+Left", "forward_second": "Shift+Right", "first": "Home", "last": "End", "mark_in": "I",
    "mark_out": "O", "clear_in": "Alt+I", "clear_out": "Alt+O", "previous_cut": "Up", "next_cut": "Down",
    "around": ",", "hold": "\\", "next_mode": "V", "wipe": "W", "difference": "D", "swap": "X", "next_map": "M",
    "show_scopes": "S", "clipping": "Z", "pin": "P", "region": "R", "fit": "F", "zoom_1": "1", "zoom_2": "2",
    "zoom_4": "4", "zoom_8": "8", "undo": "Ctrl+Z", "redo": "Ctrl+Shift+Z", "save": "Ctrl+S", "export": "Ctrl+E",
    "queue": "Ctrl+Shift+E", "keys": "?", "cancel": "Esc",
}  # fmt: skip


@pytest.fixture
def sheet(window: MainWindow) -> Iterator[KeySheet]:
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_F1)
    found = window.findChild(KeySheet)
    assert found is not None
    yield found
    if isValid(found):
        found.close()


def top_rows(sheet: KeySheet) -> list[QTreeWidgetItem]:
    rows = [sheet.tree.topLevelItem(place) for place in range(sheet.tree.topLevelItemCount())]
    return [row for row in rows if row is not None]


def test_keys_are_those_that_were_asked_for() -> None:
    assert {entry.name: entry.keys[0] for entry in ENTRIES if entry.name in ASKED} == ASKED


def test_no_key_is_twice_in_the_table_and_every_key_is_one(window: MainWindow) -> None:
    counts = Counter(keys for entry in ENTRIES for keys in entry.keys)
    assert {keys for keys, count in counts.items() if count > 1} == set()
    for entry in ENTRIES:
        for keys in entry.keys:
            assert entry.name == "cancel" or window.shortcuts.obstacle(keys) is None, keys


def test_every_shortcut_of_the_window_is_in_the_table(window: MainWindow) -> None:
    """A key that the sheet does not know could be given away twice."""
    known = {keys for entry in ENTRIES for keys in entry.keys}
    portable = QKeySequence.SequenceFormat.PortableText
    for action in (
        *window.actions(),
        *(action for menu in window.actions_by_name.menus.values() for action in menu.actions()),
    ):
        for keys in action.shortcuts():
            assert keys.toString(portable) in known, action.text()
    edit = window.actions_by_name.menus["&Edit"].actions()
    assert edit[0] is window.actions_by_name["undo"]
    assert edit[1] is window.actions_by_name["redo"]
    assert edit[2].isSeparator()


def test_the_sheet_shows_the_whole_table(sheet: KeySheet, window: MainWindow) -> None:
    groups = [group.text(0) for group in top_rows(sheet)]
    assert groups == [*dict.fromkeys(entry.menu.replace("&", "") for entry in ENTRIES), "Mouse"]
    assert {group for group in groups if group != "Mouse"} == {menu.replace("&", "") for menu in MENUS}
    for entry in ENTRIES:
        row = sheet.rows[entry.name]
        assert row.text(0) == entry.title
        for keys in entry.keys:
            assert QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) in row.text(1)


@pytest.mark.parametrize(("text", "name", "hidden"), [("wipe", "wipe", "fit"), ("ctrl+e", "export", "save")])
def test_the_sheet_can_be_searched(sheet: KeySheet, text: str, name: str, hidden: str) -> None:
    assert sheet.search.hasFocus()
    QTest.keyClicks(sheet.search, text)
    assert not sheet.rows[name].isHidden()
    assert sheet.rows[hidden].isHidden()
    assert [group for group in top_rows(sheet) if not group.isHidden()]
    sheet.search.setText("no such thing")
    assert all(group.isHidden() for group in top_rows(sheet))
    sheet.search.clear()
    assert not sheet.rows[hidden].isHidden()


def press(
    sheet: KeySheet, name: str, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Click a row and press its new key."""
    sheet.tree.scrollToItem(sheet.rows[name])
    place = sheet.tree.visualItemRect(sheet.rows[name]).center()
    QTest.mouseClick(sheet.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert sheet.field.isVisible()
    QTest.keyClick(sheet.field, key, modifiers)


def test_a_key_is_changed_at_once_told_and_remembered(
    sheet: KeySheet, window: MainWindow, new_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    press(sheet, "wipe", Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert window.shortcuts.keys("wipe") == ("Ctrl+G",)
    assert sheet.rows["wipe"].text(1) == "Ctrl+G"
    assert sheet.rows["wipe"].font(1).bold()
    assert "“Wipe” has Ctrl+G now." in sheet.message.text()
    assert sheet.field.isHidden()
    sheet.close()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    window.setFocus()
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.compare.mode is CompareMode.SIDE
    QTest.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert window.compare.mode is CompareMode.WIPE
    assert new_window().shortcuts.keys("wipe") == ("Ctrl+G",)


def test_a_row_is_reached_and_changed_by_key_alone(sheet: KeySheet, window: MainWindow) -> None:
    QTest.keyClick(sheet.search, Qt.Key.Key_Tab)
    assert isinstance(sheet.focusWidget(), QTreeWidget)
    sheet.tree.setCurrentItem(sheet.rows["fit"])
    QTest.keyClick(sheet.tree, Qt.Key.Key_Return)
    assert sheet.field.hasFocus()
    QTest.keyClick(sheet.field, Qt.Key.Key_Y)
    assert window.shortcuts.keys("fit") == ("Y",)
    assert sheet.isVisible()


def test_esc_leaves_the_key_and_then_the_sheet(sheet: KeySheet, window: MainWindow) -> None:
    press(sheet, "wipe", Qt.Key.Key_Escape)
    assert window.shortcuts.keys("wipe") == ("W",)
    assert sheet.isVisible()
    assert sheet.field.isHidden()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_a_key_that_another_has_is_told_and_can_be_swapped(sheet: KeySheet, window: MainWindow) -> None:
    press(sheet, "wipe", Qt.Key.Key_Z)
    assert window.shortcuts.keys("wipe") == ("W",)
    assert sheet.message.text() == "Z is the key of “Clipping”."
    sheet.swap.click()
    assert window.shortcuts.keys("wipe") == ("Z",)
    assert window.shortcuts.keys("clipping") == ("W",)
    sheet.tree.setCurrentItem(sheet.rows["wipe"])
    sheet.reset.click()
    assert "“Clipping”" in sheet.message.text()
    assert window.shortcuts.keys("wipe") == ("Z",)
    sheet.reset_all.click()
    assert window.shortcuts.keys("wipe") == ("W",)
    assert window.shortcuts.keys("clipping") == ("Z",)
    assert not sheet.reset_all.isEnabled()


def test_one_row_can_be_reset(sheet: KeySheet, window: MainWindow) -> None:
    press(sheet, "redo", Qt.Key.Key_U)
    assert window.shortcuts.keys("redo") == ("U",)
    sheet.tree.setCurrentItem(sheet.rows["redo"])
    sheet.reset.click()
    assert window.shortcuts.keys("redo") == ("Ctrl+Shift+Z", "Ctrl+Y")
    assert not sheet.reset.isEnabled()


@pytest.mark.parametrize(
    ("key", "modifiers", "words"),
    [
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "cannot be given away"),
        (Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier, "opens a menu"),
    ],
)
def test_keys_that_are_needed_elsewhere_are_refused(
    sheet: KeySheet, window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier, words: str
) -> None:
    press(sheet, "wipe", key, modifiers)
    assert words in sheet.message.text()
    assert window.shortcuts.keys("wipe") == ("W",)


def test_esc_stays_esc(sheet: KeySheet, window: MainWindow) -> None:
    sheet.begin("cancel")
    assert sheet.field.isHidden()
    with pytest.raises(ValueError, match="cancel"):
        window.shortcuts.give("cancel", "Q")


def test_holding_another_key_shows_the_original(window: MainWindow) -> None:
    window.shortcuts.give("hold", "Q")
    corrected = window.compare.corrected.grab().toImage()
    QTest.keyPress(window, Qt.Key.Key_Q)
    assert window.compare.corrected.grab().toImage() == window.compare.original.grab().toImage()
    QTest.keyRelease(window, Qt.Key.Key_Q)
    assert window.compare.corrected.grab().toImage() == corrected


def test_tooltips_tell_the_keys_that_hold_now(window: MainWindow) -> None:
    tip = window.transport.play.toolTip()
    assert tip == "Play or pause (Space)"
    window.shortcuts.give("play", "Ctrl+P")
    window.shortcuts.give("loop", "Y")
    window.shortcuts.give("mute", "N")
    window.shortcuts.give("show_correct", "F2")
    assert window.transport.play.toolTip() == "Play or pause (Ctrl+P)"
    assert "(Y for the next way)" in window.transport.loop.toolTip()
    assert "(F2)" in window.tabs.tabToolTip(0)
    # Also what is written later.
    window.actions_by_name["mute"].trigger()
    assert window.transport.mute.toolTip() == "Sound on (N)"
    # What is no key of the table stays: Esc of a dialog, Enter of a form.
    assert window.exports.dialog.form.start.toolTip() == "Write the corrected clip (Enter)"
    window.shortcuts.reset_all()
    assert window.transport.play.toolTip() == tip
    assert window.transport.mute.toolTip() == "Sound on (Shift+M)"


def test_every_key_a_tooltip_tells_is_a_key_of_the_table_or_of_a_dialog(window: MainWindow) -> None:
    known = {keys for entry in ENTRIES for keys in entry.keys} | {"Enter", "Esc", "Delete", "Alt+Up", "Alt+Down"}
    for button in window.findChildren(QAbstractButton):
        for keys in re.findall(r"\(([A-Z][\w+,]*)\)$", button.toolTip()):
            assert keys in known, button.toolTip()


HOSTILE = [
    "", "null", "[]", "{", "[" * 100_000, '{"wipe": "Q"}', '{"wipe": [5]}', '{"wipe": ["Tab"]}', '{"wipe": ["Esc"]}',
    '{"wipe": ["Ctrl+K, Ctrl+W"]}', '{"wipe": ["nonsense"]}', '{"wipe": ["Z"]}', '{"cancel": ["Q"]}',
    '{"unknown": ["Q"]}', '{"wipe": ["Alt+F"]}', '{"wipe": ["q"]}', '{"wipe": ["Q", "Y", "G", "H", "N"]}',
    '{"wipe": ["Shift"]}', '{"wipe": ["\\u0000"]}', json.dumps({"wipe": ["Q" * 10_000]}),
]  # fmt: skip


@pytest.mark.parametrize("kept", HOSTILE, ids=range(len(HOSTILE)))
def test_what_cannot_be_meant_is_not_taken_from_the_preferences(
    new_window: Callable[..., MainWindow], preferences: Preferences, kept: str
) -> None:
    preferences.set_text("keys", kept)
    shortcuts = new_window().shortcuts
    assert all(shortcuts.keys(entry.name) == entry.keys for entry in ENTRIES)


def test_of_remembered_keys_that_are_doubled_only_one_is_taken(
    new_window: Callable[..., MainWindow], preferences: Preferences
) -> None:
    preferences.set_text("keys", json.dumps({"wipe": ["Q"], "difference": ["Q"], "fit": ["Y"], "swap": ["F"]}))
    window = new_window()
    keys = [one for entry in ENTRIES for one in window.shortcuts.keys(entry.name)]
    assert len(keys) == len(set(keys))
    assert window.shortcuts.keys("fit") == ("Y",)
    assert window.shortcuts.keys("swap") == ("F",)


def test_an_action_may_be_without_keys(new_window: Callable[..., MainWindow], preferences: Preferences) -> None:
    preferences.set_text("keys", json.dumps({"play": []}))
    window = new_window()
    assert window.actions_by_name["play"].shortcuts() == []
    assert window.transport.play.toolTip() == "Play or pause"


def test_every_control_of_the_sheet_has_a_name_and_a_tooltip(sheet: KeySheet) -> None:
    for control in (sheet.search, sheet.field, sheet.tree, *sheet.findChildren(QAbstractButton)):
        if control.objectName() or isinstance(control.parent(), QLineEdit):
            continue
        named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
        assert named, control
        assert control.toolTip(), control
        assert control.focusPolicy() != Qt.FocusPolicy.NoFocus
