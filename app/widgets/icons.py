"""The icons: one family, drawn as strokes on a 24 px grid, in the colour of the text beside them."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app import theme

_SHAPES: dict[str, str] = {
    "play": '<path d="M8 5v14l11-7z" fill="{c}" stroke-linejoin="round"/>',
    "pause": '<path d="M8.5 5.5v13M15.5 5.5v13" stroke-width="3"/>',
    "step_back": '<path d="M15 6l-7 6 7 6z" fill="{c}"/><path d="M18 6v12"/>',
    "step_forward": '<path d="M9 6l7 6-7 6z" fill="{c}"/><path d="M6 6v12"/>',
    "first": '<path d="M18 6l-9 6 9 6z" fill="{c}"/><path d="M6 6v12"/>',
    "last": '<path d="M6 6l9 6-9 6z" fill="{c}"/><path d="M18 6v12"/>',
    "side": '<rect x="3.5" y="5.5" width="17" height="13" rx="1.5"/><path d="M12 5.5v13"/>',
    "wipe": '<rect x="3.5" y="5.5" width="17" height="13" rx="1.5"/><path d="M12 3v18"/>'
    '<path d="M9.5 10l-2 2 2 2M14.5 10l2 2-2 2"/>',
    "open": '<path d="M3.5 18.5v-12h6l2 2.5h9v9.5z" stroke-linejoin="round"/>',
    "film": '<rect x="3.5" y="5" width="17" height="14" rx="1.5"/><path d="M7.5 5v14M16.5 5v14M3.5 9.7h4M3.5 14.3h4'
    'M16.5 9.7h4M16.5 14.3h4"/>',
    "close": '<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
    "warning": '<path d="M12 4l9 16H3z" stroke-linejoin="round"/><path d="M12 10v4.5M12 17v.5"/>',
    "done": '<circle cx="12" cy="12" r="8.5"/><path d="M8 12.3l2.8 2.8L16 9.5"/>',
    "chevron_down": '<path d="M7 10l5 5 5-5"/>',
    "chevron_right": '<path d="M10 7l5 5-5 5"/>',
}


@lru_cache(maxsize=64)
def icon(name: str, color: str = theme.TEXT, disabled: str = theme.FAINT) -> QIcon:
    """The icon called ``name``; drawn at 1x and 2x, so that it stays sharp."""
    made = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, disabled)):
        for pixels in (16, 20, 24, 32, 48, 64, 96):
            made.addPixmap(_drawn(name, tint, pixels), mode)
    return made


def picture(name: str, pixels: int, color: str = theme.TEXT, ratio: float = 1.0) -> QPixmap:
    """The icon as a picture of ``pixels`` logical pixels."""
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
