"""Original and corrected, side by side or wiped, with the pixel under the pointer measured."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSizeF, Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from app.map_pictures import MapKind
from app.preview_worker.instruments import DIFFERENCE_GAIN
from app.probe import Probe, probe_at
from app.qimage import to_qimage
from app.viewer.canvas import Canvas
from app.viewer.overlays import OverlayLegend, clipping_image, difference_image, false_colour_image
from app.viewer.view_state import ViewState
from vecnet_core.metrics.scales import Overlay

if TYPE_CHECKING:
    import numpy.typing as npt
    from PySide6.QtGui import QImage

    from app.preview_worker import OverlayPicture, PreviewResult
    from app.session import Size
    from vecnet_core.frame import VideoInfo

_PENDING_MS = 160
"""A correction that comes sooner than this is not announced: the pane would only flicker."""


class CompareMode(Enum):
    """How the two pictures are set against each other."""

    SIDE = 0
    WIPE = 1


class CompareView(QWidget):
    """Both pictures of the frame under the playhead.

    Signals:
        size_changed: Pictures are wanted at this size before rotation, or None for full size.
        probed: A `Probe` of the pixel under the pointer; None when it is on no picture.
        mode_changed: The `CompareMode` is another.
    """

    size_changed = Signal(object)
    probed = Signal(object)
    mode_changed = Signal(object)

    def __init__(self) -> None:
        """Side by side, without pictures."""
        super().__init__()
        self.view = ViewState()
        self._info: VideoInfo | None = None
        self._result: PreviewResult | None = None
        self._mode = CompareMode.SIDE
        self._holds_original = False
        self._pointer: tuple[float, float] | None = None
        self._asked_size: Size | None = None
        self.original = Canvas(self.view, "Original")
        self.corrected = Canvas(self.view, "Corrected")
        self.legend = OverlayLegend(self.corrected)
        self._original_name = QLabel("ORIGINAL")
        self._corrected_name = QLabel("CORRECTED")
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
        self.corrected.resized.connect(self._place_legend)
        self.view.view_changed.connect(self._measure_soon.start)

    def _lay_out(self) -> None:
        self._original_name.setProperty("role", "pane")
        self._corrected_name.setProperty("role", "pane")
        self._original_name.setBuddy(self.original)
        names = QWidget()
        row = QHBoxLayout(names)
        row.setContentsMargins(0, 0, 0, 0)
        self._wipe_original_name = QLabel("ORIGINAL")
        self._wipe_original_name.setProperty("role", "pane")
        row.addWidget(self._wipe_original_name)
        row.addStretch()
        row.addWidget(self._corrected_name)
        self._names = row
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(8, 0, 8, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(6)
        self._grid.addWidget(self._original_name, 0, 0)
        self._grid.addWidget(names, 0, 1)
        self._grid.addWidget(self.original, 1, 0)
        self._grid.addWidget(self.corrected, 1, 1)
        self._grid.setRowStretch(1, 1)
        self._arrange()

    # What the window tells -------------------------------------------------------------------------------------------

    @property
    def mode(self) -> CompareMode:
        """How the pictures are compared."""
        return self._mode

    @property
    def wanted_size(self) -> Size | None:
        """The size pictures are wanted at; None for full size."""
        return self._asked_size

    def use_clip(self, info: VideoInfo, *, keeps_view: bool = False) -> None:
        """Forget the pictures at hand and get ready for another clip; of the same size, it may keep zoom and pan."""
        keeps_view = keeps_view and self._info is not None and display_size(self._info) == display_size(info)
        self._info = info
        self._result = None
        for canvas in (self.original, self.corrected):
            canvas.show_picture(None)
            canvas.show_behind(None)
            canvas.show_overlay(None)
            canvas.show_message("")
        self.legend.show_nothing()
        if not keeps_view:
            self.view.use_picture(*display_size(info))
        self._tell_size()

    def show_result(self, result: PreviewResult) -> None:
        """Show a frame; one without a correction only announces itself on the right."""
        self._result = result
        self.original.show_message("")
        if result.corrected is None:
            self.original.show_picture(to_qimage(result.original_bgra))
            if not self._pending.isActive():
                self._pending.start()
        else:
            self._pending.stop()
            self.corrected.show_message("")
            self._paint()
        self._probe()

    def set_mode(self, mode: CompareMode) -> None:
        """Compare side by side or wiped."""
        if mode is not self._mode:
            self._mode = mode
            self._arrange()
            self._paint()
            self.mode_changed.emit(mode)

    def set_wipe(self, share: float) -> None:
        """Stand the divider at a share of the picture."""
        self.corrected.set_wipe(share)

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
            self.corrected.show_picture(to_qimage(self._result.original_bgra))
            self.corrected.show_behind(None)
        self.corrected.show_message("Not corrected", is_pending=True)
        if self._result is None or self._result.request.index != index:
            self.original.show_message("This frame cannot be shown", is_pending=True)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        is_side = self._mode is CompareMode.SIDE
        self.original.setVisible(is_side)
        self._original_name.setVisible(is_side)
        self._wipe_original_name.setVisible(not is_side)
        self._names.setAlignment(self._corrected_name, Qt.AlignmentFlag.AlignLeft)
        # Side by side the name stands at the left of its pane; wiped, at the right: the side its picture is on.
        self._names.setStretch(1, 0 if is_side else 1)
        self._names.setStretch(2, 1 if is_side else 0)
        self._grid.setColumnStretch(0, 1 if is_side else 0)
        self._grid.setColumnStretch(1, 1)
        self._grid.setHorizontalSpacing(8 if is_side else 0)

    def _paint(self) -> None:
        result = self._result
        if result is None or result.corrected_bgra is None:
            return
        original = to_qimage(result.original_bgra)
        shown = result.corrected_bgra if result.map is None else result.map.bgra
        self.original.show_picture(original)
        self.corrected.show_picture(original if self._holds_original else to_qimage(shown))
        is_wiped = self._mode is CompareMode.WIPE and not self._holds_original
        self.corrected.show_behind(original if is_wiped else None)
        self._lay_over(result.overlay)
        kind = MapKind.RESULT if result.map is None else result.map.kind
        name = "CORRECTED" if kind is MapKind.RESULT else kind.value.upper()
        self._corrected_name.setText("ORIGINAL (HELD)" if self._holds_original else name)

    def _lay_over(self, overlay: OverlayPicture | None) -> None:
        """Lay the overlay over both panes and say what it means."""
        if overlay is None:
            self.original.show_overlay(None)
            self.corrected.show_overlay(None)
            self.legend.show_nothing()
            return
        left = None if overlay.original is None else self._overlay_image(overlay.kind, overlay.original)
        right = left if self._holds_original else self._overlay_image(overlay.kind, overlay.corrected)
        self.original.show_overlay(left)
        self.corrected.show_overlay(right)
        if overlay.kind is Overlay.CLIPPING:
            self.legend.show_clipping(overlay.shares)
        elif overlay.kind is Overlay.FALSE_COLOUR:
            self.legend.show_false_colour()
        else:
            self.legend.show_difference(DIFFERENCE_GAIN)
        self._place_legend()

    def _overlay_image(self, kind: Overlay, values: npt.NDArray[Any]) -> QImage:
        if kind is Overlay.FALSE_COLOUR:
            return false_colour_image(values)
        if kind is Overlay.DIFFERENCE:
            return difference_image(values)
        ratio = self.corrected.devicePixelRatioF()
        rect = self.view.picture_rect(self.corrected.pane(), ratio)
        return clipping_image(values, rect.width() * ratio / values.shape[1])

    def _place_legend(self) -> None:
        """At the bottom left of the corrected pane."""
        self.legend.move(8, max(self.corrected.height() - self.legend.height() - 8, 0))

    def _show_pending(self) -> None:
        result = self._result
        if result is None or result.corrected is not None:
            return
        self.corrected.show_picture(to_qimage(result.original_bgra))
        self.corrected.show_behind(None)
        self._lay_over(None)
        self.corrected.show_message("Correcting", is_pending=True)

    def _tell_size(self) -> None:
        info = self._info
        if info is None:
            return
        canvas = self.corrected
        ratio = canvas.devicePixelRatioF()
        scale = self.view.scale(QSizeF(canvas.size()), ratio)
        size: Size | None = None
        if scale < 1.0:
            across = min(info.width, round(info.width * float(info.pixel_aspect) * scale))
            size = (max(2, round(info.height * scale)), max(2, across))
        if size != self._asked_size:
            self._asked_size = size
            self.size_changed.emit(size)

    def _take_pointer(self, pointer: tuple[float, float] | None) -> None:
        self._pointer = pointer
        self._probe()

    def _probe(self) -> None:
        if self._pointer is None or self._result is None or self._info is None:
            self.probed.emit(None)
            return
        width, height = display_size(self._info)
        probe: Probe = probe_at(self._result, *self._pointer, round(width), round(height))
        self.probed.emit(probe)


def display_size(info: VideoInfo) -> tuple[float, float]:
    """Width and height of the picture as shown: with its pixel aspect and rotation, in source pixels."""
    width, height = info.width * float(info.pixel_aspect), float(info.height)
    return (height, width) if info.rotation_degrees % 180 else (width, height)
