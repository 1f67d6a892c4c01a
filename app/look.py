"""How the editor looks: the theme a person chose, or the system's, put on at once; and how large it is drawn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication

from app.theme import apply_theme
from app.widgets.icons import retint

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.preferences import Preferences

_SCALE = "QT_SCALE_FACTOR"


def take_scale(preferences: Preferences) -> None:
    """Have Qt draw everything as large as is wanted; it reads that only before the application is made.

    The factor scales pictures, fonts and the 8 px grid alike, which fonts alone would not. One that is set from
    outside is left as it is.
    """
    if preferences.scale_percent != 100:
        os.environ.setdefault(_SCALE, f"{preferences.scale_percent / 100:g}")


def system_scheme() -> Qt.ColorScheme:
    """Dark or light, as the system is; unknown where it does not say."""
    return QGuiApplication.styleHints().colorScheme()


class Look(QObject):
    """Keeps the theme of the application to what is wanted."""

    def __init__(self, application: QApplication, preferences: Preferences) -> None:
        """Put the theme on that is remembered."""
        super().__init__(application)
        self._application = application
        self._preferences = preferences
        self._name = ""
        preferences.theme_changed.connect(self._choose)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)
        self._choose()

    @property
    def name(self) -> str:
        """The theme that is on, a key of `theme.THEMES`."""
        return self._name

    def _choose(self) -> None:
        schemes = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
        # Title bars and the system's own dialogs go along; without a scheme of ours Qt tells the system's.
        QGuiApplication.styleHints().setColorScheme(schemes.get(self._preferences.theme, Qt.ColorScheme.Unknown))
        self._apply()

    def _apply(self) -> None:
        wanted = self._preferences.theme
        if wanted == "system":
            wanted = "light" if system_scheme() == Qt.ColorScheme.Light else "dark"
        if wanted != self._name:
            self._name = wanted
            apply_theme(self._application, wanted)
            retint(self._application.allWidgets())
