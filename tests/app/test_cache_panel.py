"""The cache as the window shows it: how full it is, how full it may be, and away with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.inspector.cache_panel import CachePanel, size_text, status_text
from app.preferences import Preferences, PreferencesDialog
from vecnet_core.cache import CacheBudget
from vecnet_core.disk_cache import CacheUsage, DiskCache
from vecnet_core.errors import VecnetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow


@pytest.fixture
def panel(qtbot: QtBot, preferences: Preferences, tmp_path: Path) -> Iterator[CachePanel]:
    disk = DiskCache(tmp_path / "cache")
    for number in range(40):
        disk.put(bytes([number]), bytes(100_000))
    made = CachePanel(preferences, disk)
    qtbot.addWidget(made)
    with qtbot.waitSignal(made.usage_changed):
        pass
    yield made
    made.close_errands()


def test_it_is_sized_and_cleared(panel: CachePanel, preferences: Preferences, qtbot: QtBot) -> None:
    assert "4 MB" in panel._held.text()
    with qtbot.waitSignal(panel.usage_changed) as told:
        panel.disk_size.setValue(3)
    assert told.args[0].budget_bytes == 3 << 30
    assert preferences.cache_budget == CacheBudget(disk_bytes=3 << 30)
    panel.memory_size.setValue(2.0)
    assert preferences.cache_budget == CacheBudget(2 << 30, 3 << 30)
    with qtbot.waitSignal(panel.usage_changed) as told:
        panel.clear.click()
        assert not panel.clear.isEnabled()
    assert told.args[0].held_bytes < 100_000
    assert panel.clear.isEnabled()


def test_a_cache_that_cannot_be_cleared_is_told(
    panel: CachePanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise VecnetError("the cache cannot be emptied")

    monkeypatch.setattr(panel._disk, "purge", refuse)
    with qtbot.waitSignal(panel.refused) as told:
        panel.purge()
    assert told.args == ["the cache cannot be emptied."]
    assert panel.clear.isEnabled()


def test_texts() -> None:
    assert status_text(CacheUsage(1_288_490_188, 8 << 30)) == "cache 1.2/8 GB"
    assert status_text(CacheUsage(0, 0)) == ""
    assert (size_text(3 << 30), size_text(5 << 20)) == ("3.0 GB", "5 MB")


def test_it_fits_among_the_preferences(panel: CachePanel, preferences: Preferences, qtbot: QtBot) -> None:
    dialog = PreferencesDialog(preferences, "CPU")
    qtbot.addWidget(dialog)
    dialog.add(panel)
    assert panel.parent() is dialog
    panel.setParent(None)


def test_a_remembered_size_that_makes_no_sense_is_the_usual_one(preferences: Preferences) -> None:
    preferences._settings.setValue("cache/disk_mb", "much")
    preferences._settings.setValue("cache/memory_mb", -5)
    assert preferences.cache_budget == CacheBudget(0, CacheBudget().disk_bytes)


def test_the_window_tells_how_full_it_is_and_lends_the_panel(
    new_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    window = new_window(cache=DiskCache(tmp_path / "cache"))
    watch = window.cache_watch
    assert watch is not None
    with qtbot.waitSignal(watch.told, timeout=5000) as told:
        watch.look()
    assert window.status._cache.text() == told.args[0]
    assert told.args[0].startswith("cache 0.0/")
    for _ in range(2):
        window.status._cache.click()
        dialog = window.findChild(PreferencesDialog)
        assert dialog is not None
        assert watch.panel.isVisible()
        dialog.reject()
        qtbot.waitUntil(lambda: window.findChild(PreferencesDialog) is None, timeout=5000)
        assert watch.panel.parent() is None
