"""Original and corrected under one zoom, set against each other in one of five ways, with pixels measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, QSizeF, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.map_pictures import MapKind
from app.probe import pin_text, probe_at
from app.qimage import to_qimage
from app.viewer.canvas import Canvas, Layers
from app.viewer.compare_mode import CompareMode
from app.viewer.geometry import WHOLE, display_size, extent_of, part_around, pixel_at
from app.viewer.marks import Marks
from app.viewer.overlays import OverlayLegend, clipping_image, difference_image, false_colour_image
from app.viewer.view_state import ViewState
from vecnet_core.metrics.scales import Overlay

if TYPE_CHECKING:
    import numpy.typing as npt
    from PySide6.QtGui import QImage

    from app.preview_worker import Detail, OverlayPicture, PreviewResult
    from app.session import Size
    from vecnet_core.frame import Part, VideoInfo

_PENDING_MS = 160
"""A correction that comes sooner than this is not announced: the pane would only flicker."""
_NEARLY_ALL = 0.8
"""When so much of the picture is in sight, all of it is made at full size, and panning asks for nothing."""


class CompareView(QWidget):
    """Both pictures of the frame under the playhead.

    Signals:
        size_changed: Pictures are wanted at this size before rotation, None for full size; and a `Part` at full size.
        probed: A `Probe` of the pixel under the pointer; None when it is on no picture.
        mode_changed: The `CompareMode` is another.
        fineness_changed: How fine the pictures in sight are, in words.
    """

    size_changed = Signal(object, object)
    probed = Signal(object)
    mode_changed = Signal(object)
    fineness_changed = Signal(str)

    def __init__(self) -> None:
        """Side by side, without pictures."""
        super().__init__()
        self.view = ViewState()
        self.marks = Marks()
        self._info: VideoInfo | None = None
        self._result: PreviewResult | None = None
        self._mode = CompareMode.SIDE
        self._is_swapped = False
        self._mix = 0.5
        self._holds_original = False
        self._pointer: tuple[float, float] | None = None
        self._asked: tuple[Size | None, Part | None] = (None, None)
        self._fineness = ""
        self.original = Canvas(self.view, self.marks, "Original")
        self.corrected = Canvas(self.view, self.marks, "Corrected")
        self.legend = OverlayLegend(self.corrected)
        self._original_name, self._left_name, self._right_name = QLabel(), QLabel(), QLabel()
        self.probe_line = QLabel()
        self._pending = QTimer(self)
        self._pending.setSingleShot(True)
        self._pending.setInterval(_PENDING_MS)
        self._pending.timeout.connect(self._show_pending)
        self._measure_soon = QTimer(self)
        self._measure_soon.setSingleShot(True)
        self._measure_soon.setInterval(40)
        self._measure_soon.timeout.connect(self._tell_size)
        self._lay_out()
        for canvas in (self.original, self.corrected):
            canvas.pointed_at.connect(self._take_pointer)
            canvas.resized.connect(self._measure_soon.start)
            canvas.wipe_moved.connect(self.set_wipe)
            canvas.clicked.connect(self._flip)
        self.corrected.resized.connect(self._place_legend)
        self.view.view_changed.connect(self._measure_soon.start)
        self.view.view_changed.connect(self._tell_fineness)

    def _lay_out(self) -> None:
        for label in (self._original_name, self._left_name, self._right_name):
            label.setProperty("role", "pane")
        self._original_name.setText("ORIGINAL")
        self._names = QWidget()
        row = QHBoxLayout(self._names)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._left_name)
        row.addStretch()
        row.addWidget(self._right_name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(8, 0, 8, 0)
        self._grid.setVerticalSpacing(6)
        self._grid.setRowStretch(1, 1)
        self.probe_line.setToolTip(
            "Pixel under the pointer: place, linear luma before and after, gain in stops; P pins it"
        )
        # The line must not make the window wider: what has no room is cut.
        self.probe_line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.probe_line.setMinimumHeight(self.probe_line.fontMetrics().height())
        self._grid.addWidget(self.probe_line, 2, 0, 1, 2)
        self._arrange()

    # What the window tells -------------------------------------------------------------------------------------------

    @property
    def mode(self) -> CompareMode:
        """How the pictures are compared."""
        return self._mode

    @property
    def is_swapped(self) -> bool:
        """True while the two pictures have changed places."""
        return self._is_swapped

    @property
    def info(self) -> VideoInfo | None:
        """The facts of the clip in sight."""
        return self._info

    @property
    def fineness(self) -> str:
        """How fine the pictures in sight are, in words."""
        return self._fineness

    @property
    def pointer(self) -> QPointF | None:
        """The place of the picture under the pointer, in shares; None when it is on no picture."""
        return None if self._pointer is None else QPointF(*self._pointer)

    def use_clip(self, info: VideoInfo, *, keeps_view: bool = False) -> None:
        """Forget the pictures at hand and get ready for another clip; of the same size, it may keep zoom and pan."""
        keeps_view = keeps_view and self._info is not None and display_size(self._info) == display_size(info)
        self._info = info
        self._result = None
        for canvas in (self.original, self.corrected):
            canvas.show_picture(())
            canvas.show_behind(())
            canvas.show_overlay(())
            canvas.show_message("")
        self.legend.show_nothing()
        if not keeps_view:
            self.marks.clear()
            self.view.use_picture(*display_size(info))
        self._tell_size()
        self._tell_fineness()

    def show_result(self, result: PreviewResult) -> None:
        """Show a frame; one without a correction only announces itself on the right."""
        self._result = result
        self.original.show_message("")
        if result.corrected is None:
            self.original.show_picture(self._original_layers())
            if not self._pending.isActive():
                self._pending.start()
        else:
            self._pending.stop()
            self.corrected.show_message("")
            self._paint()
        self._tell_fineness()
        self.read_pins()
        self._probe()

    def set_mode(self, mode: CompareMode) -> None:
        """Compare in another way."""
        if mode is not self._mode:
            self._mode = mode
            self._arrange()
            self._paint()
            self.mode_changed.emit(mode)

    def swap(self) -> None:
        """Let the two pictures change places: left and right, over and under, or the one in sight and the other."""
        self._is_swapped = not self._is_swapped
        self._arrange()
        self._paint()

    def set_wipe(self, share: float) -> None:
        """Stand the divider at a share of the picture."""
        self.corrected.set_wipe(share)

    def set_mix(self, share: float) -> None:
        """Show so much of the upper picture in the onion skin, 0 to 1."""
        self._mix = min(max(share, 0.0), 1.0)
        if self._mode is CompareMode.ONION:
            self._paint()

    def hold_original(self, holds: bool) -> None:
        """Show the original in the corrected pane for as long as a key is held."""
        if holds != self._holds_original:
            self._holds_original = holds
            self._paint()

    def show_note(self, message: str) -> None:
        """Write a line on the corrected pane while there is no corrected frame to show."""
        if self._result is None or self._result.corrected is None:
            self.corrected.show_message(message, is_pending=True)

    def show_failure(self, index: int) -> None:
        """Say that frame ``index`` stays as it is, or that what is seen is another frame."""
        self._pending.stop()
        if self._result is not None and self._result.corrected is None:
            self.corrected.show_picture(self._original_layers())
            self.corrected.show_behind(())
        self.corrected.show_message("Not corrected", is_pending=True)
        if self._result is None or self._result.request.index != index:
            self.original.show_message("This frame cannot be shown", is_pending=True)

    def read_pins(self) -> None:
        """Write beside each pin what was read of its pixel; nothing until that is known."""
        info, result = self._info, self._result
        if info is None or result is None:
            return
        readings = (result.pins.get(pixel_at(pin.at, info)) for pin in self.marks.pins)
        self.marks.write(["" if one is None else pin_text(one.before, one.after) for one in readings])

    # Inside ----------------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        is_side = self._mode is CompareMode.SIDE
        first = 1 if is_side and self._is_swapped else 0
        for row, (left, right) in enumerate(((self._original_name, self._names), (self.original, self.corrected))):
            self._grid.addWidget(left, row, first)
            self._grid.addWidget(right, row, 1 - first)
        self.original.setVisible(is_side)
        self._original_name.setVisible(is_side)
        for column in (0, 1):
            self._grid.setColumnStretch(column, 1 if is_side or column == 1 - first else 0)
        self._grid.setHorizontalSpacing(8 if is_side else 0)
        self.original.show_values(False)
        self._name_panes()

    def _name_panes(self) -> None:
        kind = MapKind.RESULT if self._result is None or self._result.map is None else self._result.map.kind
        corrected = "CORRECTED" if kind is MapKind.RESULT else kind.value.upper()
        left, right = corrected, ""
        if self._holds_original:
            left = "ORIGINAL (HELD)"
        elif self._mode is CompareMode.WIPE:
            left, right = (corrected, "ORIGINAL") if self._is_swapped else ("ORIGINAL", corrected)
        elif self._mode is CompareMode.DIFFERENCE:
            left = "DIFFERENCE"
        elif self._mode is CompareMode.ONION:
            under, over = (corrected, "ORIGINAL") if self._is_swapped else ("ORIGINAL", corrected)
            left = f"{over} {100 * self._mix:.0f} % OVER {under}"
        elif self._mode is CompareMode.TOGGLE:
            left = "ORIGINAL" if self._is_swapped else corrected
        self._left_name.setText(left)
        self._right_name.setText(right)

    def _original_layers(self) -> Layers:
        result = self._result
        if result is None:
            return ()
        whole = (to_qimage(result.original_bgra), WHOLE)
        detail = result.detail
        return (whole,) if detail is None else (whole, (to_qimage(detail.original_bgra), self._extent(detail)))

    def _corrected_layers(self) -> Layers:
        result = self._result
        if result is None or result.corrected_bgra is None:
            return ()
        whole = (to_qimage(result.corrected_bgra if result.map is None else result.map.bgra), WHOLE)
        detail = result.detail
        if detail is None or detail.corrected_bgra is None:
            return (whole,)
        shown = detail.corrected_bgra if detail.map is None else detail.map.bgra
        return whole, (to_qimage(shown), self._extent(detail))

    def _extent(self, detail: Detail) -> QRectF:
        return WHOLE if self._info is None else extent_of(detail.part, self._info)

    def _paint(self) -> None:
        result = self._result
        if result is None or result.corrected_bgra is None:
            self._name_panes()
            return
        original, corrected = self._original_layers(), self._corrected_layers()
        self.original.show_picture(original)
        over, under = (original, corrected) if self._is_swapped else (corrected, original)
        mix: float | None = None
        if self._mode not in {CompareMode.WIPE, CompareMode.ONION} or self._holds_original:
            under = ()
        elif self._mode is CompareMode.ONION:
            mix = self._mix
        if self._mode in {CompareMode.SIDE, CompareMode.DIFFERENCE}:
            over = corrected
        self.corrected.show_picture(original if self._holds_original else over)
        self.corrected.show_behind(under, mix)
        self._lay_over(result, under)
        self._name_panes()

    def _lay_over(self, result: PreviewResult, under: Layers) -> None:
        """Lay the overlay over the pictures, also ``under`` the divider's other side, and say what it means."""
        overlay = result.overlay
        if overlay is None or (overlay.kind is Overlay.DIFFERENCE and self._holds_original):
            self._lay_nothing_over()
            return
        left = self._overlay_layers(result, is_original=True)
        right = self._overlay_layers(result, is_original=False)
        one_pane = {CompareMode.WIPE, CompareMode.ONION, CompareMode.TOGGLE}
        shows_original = self._holds_original or (self._is_swapped and self._mode in one_pane)
        self.original.show_overlay(left)
        self.corrected.show_overlay(left if shows_original else right)
        if under and self._mode is CompareMode.WIPE:
            self.corrected.show_behind((*under, *(right if shows_original else left)))
        if overlay.kind is Overlay.CLIPPING:
            self.legend.show_clipping(overlay.shares)
        elif overlay.kind is Overlay.FALSE_COLOUR:
            self.legend.show_false_colour()
        else:
            self.legend.show_difference(result.request.difference_gain)
        self._place_legend()

    def _lay_nothing_over(self) -> None:
        self.original.show_overlay(())
        self.corrected.show_overlay(())
        self.legend.show_nothing()

    def _overlay_layers(self, result: PreviewResult, *, is_original: bool) -> Layers:
        parts: list[tuple[OverlayPicture | None, QRectF]] = [(result.overlay, WHOLE)]
        if result.detail is not None:
            parts.append((result.detail.overlay, self._extent(result.detail)))
        layers: list[tuple[QImage, QRectF]] = []
        for overlay, extent in parts:
            values = None if overlay is None else overlay.original if is_original else overlay.corrected
            if overlay is None or values is None:
                continue
            # A zebra is clear between its stripes: below the one of a detail there must be no other.
            if overlay.kind is Overlay.CLIPPING:
                layers.clear()
            layers.append((self._overlay_image(overlay.kind, values, extent), extent))
        return tuple(layers)

    def _overlay_image(self, kind: Overlay, values: npt.NDArray[Any], extent: QRectF) -> QImage:
        if kind is Overlay.FALSE_COLOUR:
            return false_colour_image(values)
        if kind is Overlay.DIFFERENCE:
            return difference_image(values)
        ratio = self.corrected.devicePixelRatioF()
        rect = self.view.picture_rect(self.corrected.pane(), ratio)
        return clipping_image(values, rect.width() * extent.width() * ratio / values.shape[1])

    def _place_legend(self) -> None:
        """At the bottom left of the corrected pane."""
        self.legend.move(8, max(self.corrected.height() - self.legend.height() - 8, 0))

    def _show_pending(self) -> None:
        result = self._result
        if result is None or result.corrected is not None:
            return
        self.corrected.show_picture(self._original_layers())
        self.corrected.show_behind(())
        self._lay_nothing_over()
        self.corrected.show_message("Correcting", is_pending=True)

    def _flip(self) -> None:
        """A click on the one picture of the toggle shows the other."""
        if self._mode is CompareMode.TOGGLE:
            self.swap()

    def _tell_size(self) -> None:
        info = self._info
        if info is None:
            return
        pane, ratio = QSizeF(self.corrected.size()), self.corrected.devicePixelRatioF()
        scale, part = self.view.scale(pane, ratio), None
        if scale >= 1.0:
            seen = self.view.seen_part(pane, ratio)
            if seen.width() * seen.height() < _NEARLY_ALL:
                # What is in sight is made pixel by pixel; the whole, for scopes and playback, as it fits the pane.
                scale, part = self.view.fit_scale(pane, ratio), part_around(seen, info)
        size: Size | None = None
        if scale < 1.0:
            across = min(info.width, round(info.width * float(info.pixel_aspect) * scale))
            size = (max(2, round(info.height * scale)), max(2, across))
        else:
            part = None
        if (size, part) != self._asked:
            self._asked = size, part
            self.size_changed.emit(size, part)

    def _tell_fineness(self) -> None:
        """Say how fine what is seen is; that of a detail only where it covers all that is in sight."""
        info, result = self._info, self._result
        text = ""
        if info is not None and result is not None:
            share, detail = _share_of_size(result, info), result.detail
            seen = self.view.seen_part(self.corrected.pane(), self.corrected.devicePixelRatioF())
            if share >= 1.0:
                text = "Preview at full size"
            elif detail is not None and self._extent(detail).adjusted(-1e-6, -1e-6, 1e-6, 1e-6).contains(seen):
                text = "Preview at full size (part in sight)"
            else:
                text = f"Preview reduced to {100 * share:.0f} %"
        if text != self._fineness:
            self._fineness = text
            self.fineness_changed.emit(text)

    def _take_pointer(self, pointer: tuple[float, float] | None) -> None:
        self._pointer = pointer
        self._probe()

    def _probe(self) -> None:
        result, info = self._result, self._info
        if self._pointer is None or result is None or info is None:
            self.probe_line.clear()
            self.probed.emit(None)
            return
        width, height = display_size(info)
        extent = None if result.detail is None else self._extent(result.detail)
        is_reduced = _share_of_size(result, info) < 1.0
        probe = probe_at(result, *self._pointer, round(width), round(height), extent, is_reduced=is_reduced)
        self.probe_line.setText(probe.line)
        self.probed.emit(probe)


def _share_of_size(result: PreviewResult, info: VideoInfo) -> float:
    """How large the picture is beside its source: what is played may be smaller than what was asked for."""
    rows = result.original.shape[1 if info.rotation_degrees % 180 else 0]
    return rows / info.height
