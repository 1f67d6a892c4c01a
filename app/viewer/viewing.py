"""How the clip is looked at: compare modes, overlays, zoom, pins, region, full screen; and what of it is remembered."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar

from PySide6.QtCore import QObject, QPointF, QSizeF, Qt, Signal
from PySide6.QtWidgets import QSplitterHandle, QWidget

from app.preview_worker.pictures import is_remapped
from app.viewer.compare_mode import CompareMode
from app.viewer.geometry import pixel_at, region_of
from vecnet_core.metrics.scales import Overlay, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from PySide6.QtWidgets import QMainWindow

    from app.actions import Actions
    from app.preferences import Preferences
    from app.preview import Preview
    from app.session import Size
    from app.viewer.compare import CompareView
    from app.viewer.view_bar import ViewBar
    from vecnet_core.frame import Part

Kind = TypeVar("Kind", bound=Enum)

_OVERLAYS: dict[str, Overlay] = {"clipping": Overlay.CLIPPING, "false_colour": Overlay.FALSE_COLOUR}
_MODES: dict[str, CompareMode] = {
    "side": CompareMode.SIDE,
    "wipe": CompareMode.WIPE,
    "difference": CompareMode.DIFFERENCE,
    "onion": CompareMode.ONION,
    "toggle": CompareMode.TOGGLE,
}
_ZOOMS: dict[str, float | None] = {"fit": None, "zoom_1": 1.0, "zoom_2": 2.0, "zoom_4": 4.0, "zoom_8": 8.0}


class ScopeSections(Protocol):
    """The panel of scopes, as far as it is remembered."""

    @property
    def open_scopes(self) -> tuple[Scope, ...]: ...
    def unfold(self, scopes: Collection[Scope]) -> None: ...


class Viewing(QObject):
    """Connects the pictures with the preview, the view bar, the actions and what is remembered.

    Signals:
        fineness_changed: How fine the pictures in sight are, in words.
        region_set: Whether the light is measured in a region, or of whole frames.
    """

    fineness_changed = Signal(str)
    region_set = Signal(bool)

    def __init__(
        self,
        window: QMainWindow,
        compare: CompareView,
        view_bar: ViewBar,
        preview: Preview,
        actions: Actions,
        preferences: Preferences,
        lasting: QWidget,
    ) -> None:
        """Look at clips as they were looked at last; ``lasting`` stays in sight in full screen."""
        super().__init__(window)
        self._window = window
        self._compare = compare
        self._view_bar = view_bar
        self._preview = preview
        self._actions = actions
        self._preferences = preferences
        self._lasting = lasting
        self._overlay = Overlay.NONE
        self._scopes: ScopeSections | None = None
        self._screen: list[QWidget] = []
        view_bar.mode_asked.connect(self.set_mode)
        view_bar.zoom_asked.connect(compare.view.set_zoom)
        view_bar.gain_asked.connect(self.set_gain)
        view_bar.mix_asked.connect(self.set_mix)
        compare.view.view_changed.connect(self._show_zoom)
        compare.size_changed.connect(self._use_size)
        compare.fineness_changed.connect(self._tell_fineness)
        compare.marks.pins_changed.connect(self._use_pins)
        compare.marks.region_changed.connect(self._use_region)
        wanted: dict[str, Callable[[], None]] = {
            **dict.fromkeys(_MODES, self._choose_mode),
            **dict.fromkeys(_OVERLAYS, self._lay_over),
            **dict.fromkeys(_ZOOMS, self._zoom),
            "next_mode": self._go_on,
            "swap": compare.swap,
            "pin": self._pin,
            "clear_pins": compare.marks.remove_all,
            "region": self._draw_region,
            "full_screen": self.toggle_full_screen,
            "cancel": self.cancel,
        }
        for name, do in wanted.items():
            actions[name].setObjectName(name)
            actions[name].triggered.connect(do)
        # Shortcuts of a menu bar that is hidden are dead; those of the window are not.
        window.addActions(list(actions.by_name.values()))
        self._recall()

    def remember_scopes(self, scopes: ScopeSections) -> None:
        """Unfold the scopes of last time, and keep in mind which are unfolded from now on."""
        self._scopes = scopes
        names = self._preferences.text("view/scopes", "?").split(",")
        if names != ["?"]:
            scopes.unfold([scope for scope in Scope if scope.name in names])

    def note_scopes(self) -> None:
        """Other scopes are asked for: keep in mind which are unfolded."""
        if self._scopes is not None:
            self._preferences.set_text("view/scopes", ",".join(scope.name for scope in self._scopes.open_scopes))

    @property
    def is_full_screen(self) -> bool:
        """True while there is nothing but pictures."""
        return self._window.isFullScreen()

    def set_mode(self, mode: CompareMode) -> None:
        """Compare in this way from now on."""
        self._compare.set_mode(mode)
        self._view_bar.show_mode(mode)
        for name, each in _MODES.items():
            self._actions[name].setChecked(each is mode)
        self._preferences.set_text("view/compare", mode.name)
        self._use_overlay()

    def set_gain(self, gain: float) -> None:
        """Exaggerate differences by this."""
        self._view_bar.show_gain(gain)
        self._preview.set_difference_gain(gain)
        self._preferences.set_text("view/gain", f"{gain:g}")

    def set_mix(self, share: float) -> None:
        """Show so much of the upper picture of the onion skin, 0 to 1."""
        self._view_bar.show_mix(share)
        self._compare.set_mix(share)
        self._preferences.set_text("view/mix", f"{share:.2f}")

    def set_overlay(self, overlay: Overlay) -> None:
        """Lay something over the pictures; nothing of its kind lies over a difference."""
        self._overlay = overlay
        for name, each in _OVERLAYS.items():
            self._actions[name].setChecked(each is overlay)
        self._preferences.set_text("view/overlay", overlay.name)
        if overlay is not Overlay.NONE and self._compare.mode is CompareMode.DIFFERENCE:
            self.set_mode(CompareMode.SIDE)
        self._use_overlay()

    def toggle_full_screen(self) -> None:
        """Nothing but pictures, or the whole window again."""
        if self.is_full_screen:
            self.leave_full_screen()
            return
        self._screen = [widget for widget in self._beside_pictures() if not widget.isHidden()]
        for widget in self._screen:
            widget.hide()
        self._actions["full_screen"].setChecked(True)
        self._window.setWindowState(self._window.windowState() | Qt.WindowState.WindowFullScreen)

    def leave_full_screen(self) -> None:
        """Show the whole window again."""
        self._actions["full_screen"].setChecked(False)
        if self.is_full_screen:
            self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowFullScreen)
            for widget in self._screen:
                widget.show()
            self._screen = []

    def cancel(self) -> None:
        """Put the tool away; without one clear the region; without that leave the full screen. Never stops a job."""
        marks = self._compare.marks
        if marks.is_drawing:
            marks.stop_drawing()
        elif marks.region is not None:
            marks.set_region(None)
        else:
            self.leave_full_screen()

    def _beside_pictures(self) -> list[QWidget]:
        """The bars of the window, and all that lies beside the pictures on the way up to the window."""
        around: list[QWidget] = [self._window.menuBar(), self._window.statusBar()]
        inner: QWidget = self._compare
        outer = inner.parentWidget()
        while outer is not None and inner is not self._window:
            around += [
                widget
                for widget in outer.children()
                if isinstance(widget, QWidget)
                and not isinstance(widget, QSplitterHandle)
                and not widget.isWindow()
                and widget not in (inner, self._lasting)
                and widget not in around
            ]
            inner, outer = outer, outer.parentWidget()
        return around

    def _recall(self) -> None:
        text = self._preferences.text
        self._overlay = _named(Overlay, text("view/overlay", ""), Overlay.NONE)
        self.set_gain(_number(text("view/gain", ""), 4.0, 1.0, 64.0))
        self.set_mix(_number(text("view/mix", ""), 0.5, 0.0, 1.0))
        self.set_mode(_named(CompareMode, text("view/compare", ""), CompareMode.SIDE))
        for name, each in _OVERLAYS.items():
            self._actions[name].setChecked(each is self._overlay)

    def _use_overlay(self) -> None:
        is_difference = self._compare.mode is CompareMode.DIFFERENCE
        self._preview.set_overlay(Overlay.DIFFERENCE if is_difference else self._overlay)

    def _choose_mode(self) -> None:
        """A mode by its key; the key of the one in use goes back to both side by side."""
        mode = _MODES[self.sender().objectName()]
        self.set_mode(CompareMode.SIDE if mode is self._compare.mode else mode)

    def _go_on(self) -> None:
        self.set_mode(self._compare.mode.next)

    def _lay_over(self) -> None:
        """One overlay at a time; the key of the one in sight takes it away."""
        overlay = _OVERLAYS[self.sender().objectName()]
        is_seen = overlay is self._overlay and self._compare.mode is not CompareMode.DIFFERENCE
        self.set_overlay(Overlay.NONE if is_seen else overlay)

    def _zoom(self) -> None:
        self._compare.view.set_zoom(_ZOOMS[self.sender().objectName()])

    def _show_zoom(self) -> None:
        self._view_bar.show_zoom(self._compare.view.zoom)

    def _use_size(self, size: Size | None, part: Part | None) -> None:
        self._preview.set_size(size, part)

    def _pin(self) -> None:
        """Pin the pixel under the pointer, or the one in the middle; a pin that is there already is taken away."""
        marks, compare = self._compare.marks, self._compare
        canvas = compare.corrected
        pane, ratio = QSizeF(canvas.size()), canvas.devicePixelRatioF()
        seen, at = compare.view.seen_part(pane, ratio), compare.pointer or QPointF()
        if compare.pointer is None:
            at = seen.center()
        rect = compare.view.painted_rect(pane, ratio)
        place = QPointF(rect.left() + at.x() * rect.width(), rect.top() + at.y() * rect.height())
        near = marks.pin_near(place, rect)
        if near is None:
            marks.pin(at)
        else:
            marks.remove(near.number)

    def _use_pins(self) -> None:
        info = self._compare.info
        pins = self._compare.marks.pins
        self._preview.set_pins(() if info is None else tuple(pixel_at(pin.at, info) for pin in pins))
        self._compare.read_pins()

    def _draw_region(self) -> None:
        """Take the tool; asked for again before anything was drawn, the region is what is in sight."""
        compare = self._compare
        if compare.marks.is_drawing:
            canvas = compare.corrected
            compare.marks.stop_drawing()
            compare.marks.set_region(compare.view.seen_part(QSizeF(canvas.size()), canvas.devicePixelRatioF()))
        else:
            compare.marks.start_region()

    def _use_region(self) -> None:
        info, region = self._compare.info, self._compare.marks.region
        self._preview.set_region(None if info is None or region is None else region_of(region, info))
        self.region_set.emit(region is not None)

    def _tell_fineness(self) -> None:
        text, info = self._compare.fineness, self._compare.info
        if text and info is not None and is_remapped(info.color):
            text += ", HDR shown in BT.709"
        self.fineness_changed.emit(f"{text}   " if text else "")


def _named(kind: type[Kind], name: str, usual: Kind) -> Kind:
    """The member that was remembered by its name."""
    return kind.__members__.get(name, usual)


def _number(text: str, usual: float, low: float, high: float) -> float:
    """A remembered number, as far as it is one."""
    try:
        value = float(text)
    except ValueError:
        return usual
    return min(max(value, low), high) if math.isfinite(value) else usual
