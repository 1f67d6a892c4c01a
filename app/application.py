"""Builds the application: its look, its log, its last exception hook, its window."""

from __future__ import annotations

import logging
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo
from PySide6.QtWidgets import QApplication

from app.look import Look, take_scale
from app.main_window import MainWindow
from app.notices import LastResort, start_logging
from app.places import exports_folder, log_file, log_folder
from app.preferences import Preferences
from app.project.project_room import ProjectPlaces
from app.session import Studio
from vecnet_core.device import share_cores
from vecnet_core.disk_cache import DiskCache, cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)


def build(
    arguments: Sequence[str],
    preferences: Preferences | None = None,
    memory: Callable[[], Path] = exports_folder,
    places: ProjectPlaces = ProjectPlaces(),  # noqa: B008 - frozen
) -> tuple[QApplication, MainWindow]:
    """The application and its window, ready to show; it remembers what it does where this user's editor does."""
    preferences = preferences or Preferences()
    take_scale(preferences)
    made = QApplication.instance()
    application = made if isinstance(made, QApplication) else QApplication(list(arguments))
    application.setApplicationName("VECNet")
    application.setApplicationDisplayName("VECNet")
    Look(application, preferences)
    budget = preferences.cache_budget
    studio = Studio(DiskCache(cache_folder(), budget.disk_bytes), budget.memory_bytes)
    preferences.cache_budget_changed.connect(studio.use_budget)
    cache = DiskCache(cache_folder(), budget.disk_bytes)
    return application, MainWindow(studio, preferences, memory=memory, cache=cache, places=places)


def run(arguments: Sequence[str]) -> int:
    """Show the window, open the clip named in ``arguments``, and return when it is closed."""
    share_cores()
    start_logging(log_file())
    log.info("Python %s on %s, Qt %s", sys.version.split()[0], platform.platform(), QLibraryInfo.version().toString())
    application, window = build(arguments)
    last_resort = LastResort()
    last_resort.error_raised.connect(window.notices.show_error)
    last_resort.install()
    window.shape.fit(window.screen().availableSize())
    window.show()
    window.queue_room.load()
    window.project.files.look_for_lost()
    clips = [Path(argument) for argument in arguments[1:] if not argument.startswith("-")]
    if clips:
        window.open_clip(*clips)
    if log_file().parent != log_folder():
        window.notices.show_note(
            f"The folder {log_folder()} cannot be written; the log of this session is {log_file()}.", lasts=True
        )
    try:
        return application.exec()
    finally:
        last_resort.remove()
