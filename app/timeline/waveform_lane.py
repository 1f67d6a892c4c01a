"""The sound of the clip, on the time axis of the lanes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen

from app import theme
from app.timeline.strip import LEFT_PX, Strip

Samples = npt.NDArray[np.float32]
HEIGHT_PX = 48
_HALF = 0.501
"""Minus six decibels, where a line lies."""


class WaveformLane(Strip):
    """Peaks in dark grey, loudness (RMS) in light grey inside them; nothing where there is no sound."""

    def __init__(self) -> None:
        """Without sound."""
        super().__init__("Sound", HEIGHT_PX)
        self.setToolTip("Sound of the first track: peaks, and loudness inside them; the lines are at −6 dB")
        self._lows = self._highs = self._rms = np.zeros(0, np.float32)
        self._places: npt.NDArray[np.float64] = np.zeros(1)
        self._message = "No sound"
        self._image: QImage | None = None

    def use_count(self, count: int) -> None:
        """Start without sound for a clip of ``count`` frames."""
        super().use_count(count)
        self.show_silence("No sound")

    def show_silence(self, message: str) -> None:
        """Write a line in place of a waveform."""
        self._lows = self._highs = self._rms = np.zeros(0, np.float32)
        self._message = message
        self._view_changed()
        self.update()

    def show_sound(
        self,
        lows: Samples,
        highs: Samples,
        rms: Samples,
        bucket_seconds: float,
        frame_seconds: npt.NDArray[np.float64],
    ) -> None:
        """Show the sound of a clip, or as much of it as has been decoded.

        Args:
            lows: ``(N,)`` lowest sample of each bucket of time, -1 to 1; NaN for no sound.
            highs: ``(N,)`` highest one.
            rms: ``(N,)`` root mean square, from 0.
            bucket_seconds: Length of a bucket; the first begins with the first frame.
            frame_seconds: ``(T + 1,)`` when each frame begins, counted from the first, and when the last one ends.
        """
        self._lows, self._highs, self._rms = lows, highs, rms
        edges = np.arange(lows.size + 1) * bucket_seconds
        # A frame begins half a frame before its number; in clips of variable rate time runs unevenly on this axis.
        self._places = np.interp(edges, frame_seconds, np.arange(frame_seconds.size)) - 0.5
        self._message = "" if lows.size else "No sound"
        self._view_changed()
        self.update()

    def _view_changed(self) -> None:
        """Draw the part in sight: on every move of the playhead it is only painted."""
        self._image = None
        if self._lows.size == 0:
            return
        plot, ratio = self.plot_rect(), self.devicePixelRatioF()
        width, height = max(round(plot.width() * ratio), 1), max(round(plot.height() * ratio), 1)
        edges = self._first + np.arange(width + 1) * (self._last - self._first) / width
        buckets = np.searchsorted(self._places, edges, side="right") - 1
        starts = np.clip(buckets[:-1], 0, self._lows.size - 1)
        stops = np.clip(np.maximum(buckets[1:], starts + 1), 1, self._lows.size)
        pairs = np.stack([starts, stops], axis=1).ravel()
        is_outside = (edges[1:] < self._places[0]) | (edges[:-1] > self._places[-1])

        def in_columns(values: Samples, reduce: np.ufunc) -> Samples:
            # A sentinel, so that the last run may reach the end.
            found = reduce.reduceat(np.append(values, np.float32(np.nan)), pairs)[::2]
            return np.where(is_outside, np.nan, found).astype(np.float32)

        lows, highs = in_columns(self._lows, np.fmin), in_columns(self._highs, np.fmax)
        rms = in_columns(self._rms, np.fmax)
        peaks, body = _coverage(lows, highs, height), _coverage(-rms, rms, height)
        peak, loud = (np.float32(QColor(name).red()) for name in (theme.SOUND_PEAK, theme.SOUND))
        grey = (peaks * (1 - body) * peak + body * loud).astype(np.float32)
        self._image = _grey_image(grey, np.maximum(peaks, body))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.StyleChange:
            self._view_changed()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        plot = self.plot_rect()
        painter.fillRect(plot, QColor(theme.FIELD))
        middle = plot.center().y()
        half = plot.height() / 2 - 1
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        if self._message:
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, self._message)
        else:
            painter.setPen(QPen(QColor(theme.LINE), 1))
            for level in (-_HALF, 0.0, _HALF):
                painter.drawLine(QLineF(plot.left(), middle - level * half, plot.right(), middle - level * half))
            painter.setPen(QColor(theme.MUTED))
            label = QRectF(0, middle - _HALF * half - 8, LEFT_PX - 6, 16)
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "−6 dB")
            if self._image is not None:
                painter.drawImage(plot, self._image)
        self._paint_playhead(painter)


def _coverage(lows: Samples, highs: Samples, height: int) -> Samples:
    """How much of each pixel ``(height, W)`` lies between two levels, 0 to 1; silence too is a line a pixel high."""
    half = height / 2 - 1
    upper = np.minimum(height / 2 - np.clip(highs, -1, 1) * half, height / 2 - 0.5)
    lower = np.maximum(height / 2 - np.clip(lows, -1, 1) * half, height / 2 + 0.5)
    rows = np.arange(height)[:, None]
    covered = np.minimum(lower, rows + 1) - np.maximum(upper, rows)
    return np.nan_to_num(np.clip(covered, 0.0, 1.0)).astype(np.float32)


def _grey_image(grey: Samples, alpha: Samples) -> QImage:
    """Premultiplied grey ``(H, W)`` in [0, 255] and opacity in [0, 1] as an image."""
    height, width = grey.shape
    bgra = np.repeat(grey[..., None].astype(np.uint8), 4, axis=2)
    bgra[..., 3] = alpha * np.float32(255)
    return QImage(bgra.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
