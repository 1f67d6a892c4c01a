"""The icons: one family, drawn as strokes on a 24 px grid, in the colour of the text beside them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QLabel

from app import theme

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QWidget

_SHAPES: dict[str, str] = {
    "play": '<path d="M8 5v14l11-7z" fill="{c}" stroke-linejoin="round"/>',
    "pause": '<path d="M8.5 5.5v13M15.5 5.5v13" stroke-width="3"/>',
    "step_back": '<path d="M15 6l-7 6 7 6z" fill="{c}"/><path d="M18 6v12"/>',
    "step_forward": '<path d="M9 6l7 6-7 6z" fill="{c}"/><path d="M6 6v12"/>',
    "first": '<path d="M18 6l-9 6 9 6z" fill="{c}"/><path d="M6 6v12"/>',
    "last": '<path d="M6 6l9 6-9 6z" fill="{c}"/><path d="M18 6v12"/>',
    "once": '<path d="M4.5 12h13M13 7.5l4.5 4.5-4.5 4.5M20.5 6.5v11"/>',
    "loop": '<path d="M6 9.5a4 4 0 0 1 4-3h8M15.5 3.5l3 3-3 3M18 14.5a4 4 0 0 1-4 3H6M8.5 14.5l-3 3 3 3"/>',
    "ping-pong": '<path d="M3.5 12h17M7.5 8l-4 4 4 4M16.5 8l4 4-4 4"/>',
    "sound": '<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" fill="{c}" stroke-linejoin="round"/>'
    '<path d="M15 9a4.2 4.2 0 0 1 0 6M17.5 6.5a7.8 7.8 0 0 1 0 11"/>',
    "muted": '<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" fill="{c}" stroke-linejoin="round"/>'
    '<path d="M15.5 9.5l5 5M20.5 9.5l-5 5"/>',
    "side": '<rect x="3.5" y="5.5" width="17" height="13" rx="1.5"/><path d="M12 5.5v13"/>',
    "wipe": '<rect x="3.5" y="5.5" width="17" height="13" rx="1.5"/><path d="M12 3v18"/>'
    '<path d="M9.5 10l-2 2 2 2M14.5 10l2 2-2 2"/>',
    "difference": '<circle cx="9" cy="12" r="5.5"/><circle cx="15" cy="12" r="5.5"/><path d="M12 8v8"/>',
    "onion": '<rect x="3.5" y="4.5" width="12" height="10" rx="1.5"/>'
    '<rect x="8.5" y="9.5" width="12" height="10" rx="1.5" stroke-dasharray="2.2 2.2"/>',
    "toggle": '<path d="M5 9h12l-3.5-3.5M19 15H7l3.5 3.5" stroke-linejoin="round"/>',
    "open": '<path d="M3.5 18.5v-12h6l2 2.5h9v9.5z" stroke-linejoin="round"/>',
    "film": '<rect x="3.5" y="5" width="17" height="14" rx="1.5"/><path d="M7.5 5v14M16.5 5v14M3.5 9.7h4M3.5 14.3h4'
    'M16.5 9.7h4M16.5 14.3h4"/>',
    "close": '<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
    "warning": '<path d="M12 4l9 16H3z" stroke-linejoin="round"/><path d="M12 10v4.5M12 17v.5"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>',
    "done": '<circle cx="12" cy="12" r="8.5"/><path d="M8 12.3l2.8 2.8L16 9.5"/>',
    "plus": '<path d="M12 5.5v13M5.5 12h13"/>',
    "minus": '<path d="M5.5 12h13"/>',
    "more": '<path d="M6 12v.01M12 12v.01M18 12v.01" stroke-width="3"/>',
    "chevron_down": '<path d="M7 10l5 5 5-5"/>',
    "chevron_right": '<path d="M10 7l5 5-5 5"/>',
}


_icons: dict[int, tuple[str, str]] = {}
_pictures: dict[int, tuple[str, int, str, float]] = {}
"""What was drawn, by the key Qt gives it: `retint` draws it anew."""


def icon(name: str, color: str = "text") -> QIcon:
    """The icon called ``name`` in a colour of the theme; drawn at 1x and 2x, so that it stays sharp."""
    made = _icon(name, theme.color(color), theme.FAINT)
    _icons[made.cacheKey()] = (name, color)
    return made


def picture(name: str, pixels: int, color: str = "text", ratio: float = 1.0) -> QPixmap:
    """The icon as a picture of ``pixels`` logical pixels, in a colour of the theme or one that is the same in all."""
    made = _picture(name, pixels, color if color.startswith("#") else theme.color(color), ratio)
    _pictures[made.cacheKey()] = (name, pixels, color, ratio)
    return made


def retint(widgets: Iterable[QWidget]) -> None:
    """Give buttons and labels their icons in the colours of the theme in use."""
    for widget in widgets:
        if isinstance(widget, QAbstractButton):
            drawn = _icons.get(widget.icon().cacheKey())
            if drawn is not None:
                widget.setIcon(icon(*drawn))
        elif isinstance(widget, QLabel):
            sign = _pictures.get(widget.pixmap().cacheKey())
            if sign is not None:
                widget.setPixmap(picture(*sign))


@cache
def _icon(name: str, color: str, disabled: str) -> QIcon:
    made = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, disabled)):
        for pixels in (16, 20, 24, 32, 48, 64, 96):
            made.addPixmap(_drawn(name, tint, pixels), mode)
    return made


@cache
def _picture(name: str, pixels: int, color: str, ratio: float) -> QPixmap:
    drawn = _drawn(name, color, round(pixels * ratio))
    drawn.setDevicePixelRatio(ratio)
    return drawn


def _drawn(name: str, color: str, pixels: int) -> QPixmap:
    shape = _SHAPES[name].replace("{c}", color)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
        f'stroke="{color}" stroke-width="1.6" stroke-linecap="round">{shape}</svg>'
    )
    pixmap = QPixmap(QSize(pixels, pixels))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter)
    painter.end()
    return pixmap
