"""Inside the correction: every map of the frame, what its colours mean, and the pixel under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.inspector.section import scrolling
from app.map_pictures import MAP_HINTS, WEIGHT_COLORS, ColorScale, MapKind, scale_of
from app.qimage import BGRAArray, to_qimage
from app.widgets.color_bar import ColorBar
from app.widgets.map_tile import MapTile

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from app.probe import Probe

THUMBNAIL = QSize(96, 54)

_CAPTIONS: dict[MapKind, str] = {
    MapKind.RESULT: "Result",
    MapKind.GAIN: "Gain",
    MapKind.REFLECTANCE: "Reflectance",
    MapKind.ILLUMINATION_UNDER: "Illum. under",
    MapKind.ILLUMINATION_OVER: "Illum. over",
    MapKind.WEIGHTS: "Weights",
    MapKind.BRIGHTENED: "Brightened",
    MapKind.DARKENED: "Darkened",
    MapKind.SYNTHESISED: "Synthesised",
}
"""Short names for the tiles, in their order."""


class MapsPanel(QWidget):
    """A wall of small maps, and the chosen one explained.

    Signals:
        map_asked: The `MapKind` to show in the right-hand pane.
        visibility_changed: True while the panel is in sight and its pictures are worth drawing.
    """

    map_asked = Signal(object)
    visibility_changed = Signal(bool)

    def __init__(self) -> None:
        """The plain result is chosen."""
        super().__init__()
        self._tiles: dict[MapKind, MapTile] = {}
        self._group = QButtonGroup(self)
        wall = QGridLayout()
        wall.setHorizontalSpacing(8)
        wall.setVerticalSpacing(2)
        kinds = list(MapKind)
        for place, (kind, caption) in enumerate(_CAPTIONS.items()):
            tile = MapTile(caption, kind.value, MAP_HINTS[kind])
            self._tiles[kind] = tile
            self._group.addButton(tile, kinds.index(kind))
            wall.addWidget(tile, place // 3, place % 3)
        self._tiles[MapKind.RESULT].setChecked(True)
        self._group.idClicked.connect(self._ask)

        self._name = QLabel()
        self._name.setProperty("role", "heading")
        self._unit = QLabel()
        self._unit.setProperty("role", "hint")
        self._hint = QLabel()
        self._hint.setProperty("role", "hint")
        self._hint.setWordWrap(True)
        self._hint.setMinimumHeight(2 * self._hint.fontMetrics().lineSpacing() + 2)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.color_bar = ColorBar()
        self._legend = self._make_legend()
        self._probe_rows = _ProbeTable()

        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 12, 16, 8)
        column.setSpacing(6)
        column.addLayout(wall)
        column.addSpacing(4)
        title = QHBoxLayout()
        title.addWidget(self._name)
        title.addStretch()
        title.addWidget(self._unit)
        column.addLayout(title)
        column.addWidget(self._hint)
        column.addWidget(self.color_bar)
        column.addWidget(self._legend)
        column.addSpacing(4)
        column.addWidget(self._probe_rows)
        column.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(body))
        self.show_kind(MapKind.RESULT)

    @property
    def order(self) -> list[MapKind]:
        """The maps in the order of the tiles."""
        return list(_CAPTIONS)

    def show_kind(self, kind: MapKind) -> None:
        """Mark and explain the map in sight."""
        self._tiles[kind].setChecked(True)
        self._name.setText(kind.value)
        self._hint.setText(MAP_HINTS[kind])
        scale = scale_of(kind)
        self._unit.setText("" if scale is None else scale.unit)
        self.color_bar.setVisible(scale is not None)
        self._legend.setVisible(kind is MapKind.WEIGHTS)
        if scale is not None:
            self.color_bar.show_ramp(to_qimage(scale.table(256)[None]), _ticks(scale), scale.unit)

    def show_thumbnails(self, pictures: dict[MapKind, BGRAArray]) -> None:
        """Show the small pictures of another frame."""
        for kind, bgra in pictures.items():
            self._tiles[kind].show_picture(to_qimage(bgra))

    def clear(self) -> None:
        """Forget the small pictures."""
        for tile in self._tiles.values():
            tile.show_picture(None)

    def show_probe(self, probe: Probe | None) -> None:
        """Show the pixel under the pointer."""
        self._probe_rows.show_probe(probe)

    def showEvent(self, event: QShowEvent) -> None:
        self.visibility_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        self.visibility_changed.emit(False)

    def _ask(self, place: int) -> None:
        self.map_asked.emit(list(MapKind)[place])

    def _make_legend(self) -> QWidget:
        legend = QWidget()
        row = QHBoxLayout(legend)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for name, (red, green, blue) in WEIGHT_COLORS.items():
            patch = QLabel()
            patch.setFixedSize(12, 12)
            patch.setStyleSheet(f"background: rgb({red}, {green}, {blue}); border-radius: 2px;")
            text = QLabel(name)
            text.setProperty("role", "small")
            pair = QHBoxLayout()
            pair.setSpacing(5)
            pair.addWidget(patch)
            pair.addWidget(text)
            row.addLayout(pair)
        row.addStretch()
        return legend


class _ProbeTable(QWidget):
    """Before, after and gain of one pixel, as numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Pixel probe")
        heading = QLabel("Probe")
        heading.setProperty("role", "heading")
        self._place = QLabel()
        self._place.setProperty("role", "hint")
        self._cells: dict[str, QLabel] = {}
        top = QHBoxLayout()
        top.addWidget(heading)
        top.addStretch()
        top.addWidget(self._place)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 2)
        for column, text in enumerate(("R", "G", "B", "Luma"), start=1):
            self._add(grid, 0, column, text, is_hint=True)
            grid.setColumnStretch(column, 1)
        for row, text in enumerate(("Before", "After"), start=1):
            self._add(grid, row, 0, text, is_hint=True)
            for column in range(1, 5):
                self._cells[f"{text}{column}"] = self._add(grid, row, column, "")
        self._add(grid, 3, 0, "Gain", is_hint=True)
        self._cells["gain"] = self._add(grid, 3, 1, "", across=4)
        self._map_name = self._add(grid, 4, 0, "", is_hint=True)
        self._cells["map"] = self._add(grid, 4, 1, "", across=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addLayout(grid)
        self.setToolTip("R, G, B are display values from 0 to 1; luma is linear light; gain is log2 of after by before")
        self.show_probe(None)

    def show_probe(self, probe: Probe | None) -> None:
        """Fill the table, or empty it."""
        dash = "\N{EN DASH}"
        self._place.setText("point at a picture" if probe is None else f"x {probe.x}, y {probe.y}")
        for column in range(1, 4):
            self._cells[f"Before{column}"].setText(dash if probe is None else f"{probe.before[column - 1]:.3f}")
            after = None if probe is None or probe.after is None else probe.after
            self._cells[f"After{column}"].setText(dash if after is None else f"{after[column - 1]:.3f}")
        self._cells["Before4"].setText(dash if probe is None else f"{probe.before_luma:.3f}")
        luma = None if probe is None else probe.after_luma
        self._cells["After4"].setText(dash if luma is None else f"{luma:.3f}")
        gain = None if probe is None else probe.gain_stops
        self._cells["gain"].setText(dash if gain is None else f"{gain:+.2f} stops")
        has_map = probe is not None and bool(probe.map_name)
        self._map_name.setText("Map" if has_map else "")
        numbers = "   ".join(f"{value:.3f}" for value in probe.map_values) if probe is not None else ""
        self._cells["map"].setText(numbers if has_map else "")

    def _add(
        self, grid: QGridLayout, row: int, column: int, text: str, *, across: int = 1, is_hint: bool = False
    ) -> QLabel:
        label = QLabel(text)
        if is_hint:
            label.setProperty("role", "hint")
        if column:
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(label, row, column, 1, across)
        return label


def _ticks(scale: ColorScale) -> list[str]:
    values = [scale.low + (scale.high - scale.low) * part / 4 for part in range(5)]
    return [f"{value:+g}" if scale.low < 0 and value else f"{value:g}" for value in values]
