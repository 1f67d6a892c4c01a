"""Measures how soon the window answers: from the event to the painted picture, in the real window on a real clip."""

from __future__ import annotations

import argparse
import json
import logging
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionSlider, QWidget

from app.application import build
from app.export.entries import ExportChoice
from app.preferences import Preferences
from app.project.project_room import ProjectPlaces
from vecnet_core.device import share_cores
from vecnet_core.video.encode import EncodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.main_window import MainWindow
    from app.preview_worker import CorrectedLight, PreviewResult, SourceLight
    from app.widgets.value_slider import Track

log = logging.getLogger(__name__)

PULSE_SECONDS = 0.01
"""How often the main thread is asked whether it is free."""
BETWEEN_SECONDS = 0.3
"""From one answer to the next seek, as a hand needs: what the thread does in the background goes on."""
WAIT_SECONDS = 300.0
"""For analyses and exports, on the slowest machine."""
PICTURE_SECONDS = 20.0

Figures = dict[str, Any]


def run(arguments: Sequence[str]) -> int:
    """Measure, write the figures as JSON, and end."""
    parser = argparse.ArgumentParser(prog="--latency", description="How soon the window answers.")
    parser.add_argument("report", type=Path)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--starts", action="store_true", help="only how soon the window is shown")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--began", type=float, default=time.time(), help="when the process was started, in Unix time")
    wish = parser.parse_args(arguments)
    share_cores()
    with tempfile.TemporaryDirectory(prefix="vecnet-latency-") as name:
        folder = Path(name)
        preferences = Preferences(QSettings(str(folder / "latency.ini"), QSettings.Format.IniFormat))
        preferences.set_device(wish.device)
        places = ProjectPlaces(lambda: folder / "projects", lambda: folder / "presets.json")
        _, window = build([], preferences, memory=lambda: folder / "exports", places=places)
        try:
            figures = first_shown(window, wish.began)
            if wish.clip is not None and not wish.starts:
                figures |= Hand(window, wish.repeats).measure(wish.clip, folder / "out.mp4")
        except TimeoutError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        finally:
            window.document.begin()
            window.close()
    wish.report.write_text(json.dumps(figures), encoding="utf-8")
    return 0


def first_shown(window: MainWindow, began: float) -> Figures:
    """How long the window took from the start of the process to its first painted picture of itself."""
    watch = PaintWatch(window)
    watch.expect()
    window.show()
    painted = watch.wait(PICTURE_SECONDS)
    # The clocks of two processes are compared: that of the wall is the only one they share everywhere.
    shown = time.time() - (time.perf_counter() - painted) - began
    return {
        "window_shown_ms": round(1000 * shown, 1),
        "window_shown_cpu_ms": round(1000 * time.process_time(), 1),
        "torch_loaded_when_shown": "torch" in sys.modules,
    }


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Let the event loop run until something is so.

    Raises:
        TimeoutError: It did not come about.
    """
    loop = QEventLoop()
    looks, end = QTimer(), QTimer()
    looks.timeout.connect(lambda: loop.quit() if condition() else None)
    end.setSingleShot(True)
    end.timeout.connect(loop.quit)
    looks.start(1)
    end.start(round(1000 * seconds))
    if not condition():
        loop.exec()
    looks.stop()
    if not condition():
        raise TimeoutError(f"{what} did not come within {seconds:g} seconds")


class PaintWatch(QObject):
    """Notes when a widget has been painted after something was expected of it."""

    def __init__(self, widget: QWidget) -> None:
        """Watch a widget."""
        super().__init__(widget)
        self._is_expected = False
        self._painted = 0.0
        widget.installEventFilter(self)

    def expect(self) -> None:
        """What is painted next counts."""
        self._is_expected, self._painted = True, 0.0

    def wait(self, seconds: float) -> float:
        """When it was painted, by `time.perf_counter`."""
        wait_until(lambda: self._painted > 0, seconds, "a painted picture")
        return self._painted

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._is_expected and event.type() == QEvent.Type.Paint:
            self._is_expected = False
            # The filter comes before the painting; the next turn of the loop, after everything is on the screen.
            QTimer.singleShot(0, self, self._note)
        return super().eventFilter(watched, event)

    def _note(self) -> None:
        self._painted = time.perf_counter()


class Pulse(QObject):
    """Asks the main thread again and again, from another one, and notes how long each answer took."""

    asked = Signal(float)

    def __init__(self) -> None:
        """Not asking yet."""
        super().__init__()
        self.delays: list[float] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="vecnet-pulse", daemon=True)
        self.asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._is_over.set()

    def stop(self) -> None:
        """Ask no more, and wait for the thread."""
        self.end()
        self._thread.join()

    def _ask(self) -> None:
        while not self._is_over.wait(PULSE_SECONDS):
            self.asked.emit(time.perf_counter())

    def _answer(self, asked: float) -> None:
        self.delays.append(time.perf_counter() - asked)


class Hand(QObject):
    """Does what a person does with the window, and measures what comes of it."""

    def __init__(self, window: MainWindow, repeats: int) -> None:
        """A hand for a window that is shown."""
        super().__init__(window)
        self._window = window
        self._repeats = repeats
        self._random = random.Random(1)
        self._watch = PaintWatch(window.compare.corrected)
        self._wanted: Callable[[PreviewResult], bool] | None = None
        self._measured = np.empty(0, np.bool_)
        self._analysed = np.empty(0, np.bool_)
        self._ready = np.empty(0, np.bool_)
        preview = window.preview
        preview.frame_shown.connect(self._look_at)
        preview.source_measured.connect(self._take_source)
        preview.corrected_measured.connect(self._take_corrected)
        preview.frames_ready.connect(self._take_ready)

    def measure(self, clip: Path, output: Path) -> Figures:
        """Open the clip, seek where nothing is known, then where all is, drag a slider, and all that beside an export.

        Raises:
            TimeoutError: The window does not answer.
        """
        window, document = self._window, self._window.document
        window.open_clip(clip)
        wait_until(lambda: document.info is not None, WAIT_SECONDS, "the clip")
        count = document.info.frame_count if document.info is not None else 0
        self._measured = np.zeros(count, np.bool_)
        self._analysed = np.zeros(count, np.bool_)
        self._ready = np.zeros(count, np.bool_)
        wait_until(self._is_scanned, WAIT_SECONDS, "the light of the clip")
        uncached: list[float] = []
        while len(uncached) < self._repeats and (unknown := np.flatnonzero(~self._analysed)).size:
            uncached.append(self._seek(int(self._random.choice(unknown))))
            self._rest(BETWEEN_SECONDS)
        wait_until(lambda: bool(self._ready.all()), WAIT_SECONDS, "the analysis of the whole clip")
        cached = self._seeks()
        drag = self._drag()
        wait_until(lambda: bool(self._ready.all()), WAIT_SECONDS, "the frames that are ready")
        holds, beside = self._beside_export(output)
        return {
            "slider_ms_median": _milliseconds(drag),
            "slider_ms_p95": _milliseconds(drag, 95),
            "seek_cached_ms_median": _milliseconds(cached),
            "seek_cached_ms_p95": _milliseconds(cached, 95),
            "seek_uncached_ms_median": _milliseconds(uncached),
            "seek_uncached_ms_p95": _milliseconds(uncached, 95),
            "main_thread_hold_ms_p99": _milliseconds(holds, 99),
            "main_thread_hold_ms_max": _milliseconds(holds, 100),
            "slider_beside_export_ms_median": _milliseconds(beside),
            "counts": {
                "slider": len(drag),
                "seek_cached": len(cached),
                "seek_uncached": len(uncached),
                "main_thread_hold": len(holds),
                "slider_beside_export": len(beside),
            },
            "pane": [window.compare.corrected.width(), window.compare.corrected.height()],
            "device": window.status.device_label,
            "platform": QGuiApplication.platformName(),
        }

    def _seeks(self) -> list[float]:
        """Seeks to frames that are ready, each after the thread has made the last one exact."""
        times: list[float] = []
        for _ in range(self._repeats):
            here = self._window.document.playhead
            places = [int(place) for place in np.flatnonzero(self._ready) if place != here]
            times.append(self._seek(self._random.choice(places)))
            self._rest(BETWEEN_SECONDS)
        return times

    def _seek(self, index: int) -> float:
        """Seconds from a click on the timeline to the corrected picture of that frame."""
        return self._timed(
            lambda: self._window.timeline.seek_asked.emit(index), lambda result: result.request.index == index
        )

    def _drag(self) -> list[float]:
        """Seconds from each move of a mouse that drags a slider to the picture with it."""
        track, document = self._window.correction_panel.sliders["strength"].slider, self._window.document
        places = [_place(track, float(value)) for value in np.linspace(100, 20, self._repeats + 1)]
        _mouse(track, QEvent.Type.MouseButtonPress, places[0])
        times: list[float] = []
        for place in places[1:]:
            before = document.settings.strength
            times.append(
                self._timed(
                    lambda place=place: _mouse(track, QEvent.Type.MouseMove, place),
                    lambda result, before=before: (
                        result.request.settings.strength == document.settings.strength != before
                    ),
                )
            )
            self._rest(0.05)
        _mouse(track, QEvent.Type.MouseButtonRelease, places[-1])
        document.undo_stack.undo()
        return times

    def _beside_export(self, output: Path) -> tuple[list[float], list[float]]:
        """How long the main thread is held while an export runs and the window is used, and the slider beside it."""
        exports = self._window.exports
        seen: list[object] = []
        exports.progressed.connect(seen.append)
        pulse = Pulse()
        exports.start(ExportChoice(output, EncodeSettings(codec="h264")))
        exports.dialog.hide()
        wait_until(lambda: bool(seen) or not exports.is_running, WAIT_SECONDS, "the export")
        if not exports.is_running:
            raise TimeoutError("the export ended before anything was measured")
        # What is measured once the export has ended does not count.
        exports.ended.connect(pulse.end)
        pulse.start()
        try:
            beside = self._drag()
            self._seeks()
            self._rest(3.0)
        finally:
            pulse.stop()
        exports.discard()
        wait_until(lambda: not exports.is_running, WAIT_SECONDS, "the end of the export")
        return pulse.delays, beside

    def _timed(self, act: Callable[[], None], wanted: Callable[[PreviewResult], bool]) -> float:
        self._wanted = wanted
        began = time.perf_counter()
        act()
        try:
            wait_until(lambda: self._wanted is None, PICTURE_SECONDS, "the corrected picture")
            return self._watch.wait(PICTURE_SECONDS) - began
        finally:
            self._wanted = None

    def _look_at(self, result: PreviewResult) -> None:
        if self._wanted is not None and result.corrected is not None and self._wanted(result):
            self._wanted = None
            self._watch.expect()

    def _rest(self, seconds: float) -> None:
        until = time.perf_counter() + seconds
        wait_until(lambda: time.perf_counter() >= until, seconds + PICTURE_SECONDS, "rest")

    def _is_scanned(self) -> bool:
        return bool(self._measured.all()) and not self._window.preview.is_waiting

    def _take_source(self, light: SourceLight) -> None:
        self._measured[light.indices] = True

    def _take_corrected(self, light: CorrectedLight) -> None:
        self._analysed = light.is_analysed

    def _take_ready(self, is_ready: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
        self._ready = is_ready


def _place(track: Track, value: float) -> QPointF:
    """Where the middle of the handle is at a value."""
    option = QStyleOptionSlider()
    track.initStyleOption(option)
    handle = track.style().subControlRect(
        QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, track
    )
    span = track.width() - handle.width()
    share = (value - track.minimum()) / (track.maximum() - track.minimum())
    return QPointF(handle.width() / 2 + share * span, track.height() / 2)


def _mouse(widget: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    """A mouse event with the left button, as Qt would send it."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def _milliseconds(seconds: Sequence[float], percentile: float | None = None) -> float:
    """The median, or a percentile, in milliseconds."""
    if not seconds:
        raise TimeoutError("there was nothing to measure: the clip is too short")
    middle = statistics.median(seconds) if percentile is None else float(np.percentile(seconds, percentile))
    return round(1000 * middle, 1)
