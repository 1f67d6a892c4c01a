"""The clip as a row of small pictures on the time axis of the lanes, with a mark at each cut."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen

from app import theme
from app.timeline.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Picture = npt.NDArray[np.uint8]

HEIGHT_PX = 44
MOST_PICTURES = 512
"""Kept at most, about 12 MB; of longer clips every second, fourth, … frame is kept, and the first of each scene."""
_EDGE_PX = 2


class ThumbnailStrip(Strip):
    """As many pictures as fit; each scene begins with its own."""

    def __init__(self) -> None:
        """Without pictures."""
        super().__init__("Pictures of the clip", HEIGHT_PX)
        self.setToolTip("The clip at a glance; dashed lines are cuts. Click to go there, wheel to zoom in time")
        self._pictures: dict[int, QImage] = {}
        self._indices: list[int] = []
        self._cuts: list[int] = []
        self._stride = 1
        self._aspect = 16 / 9
        self._slots: list[tuple[QRectF, QRectF, QImage]] = []

    def use_count(self, count: int) -> None:
        """Start empty for a clip of ``count`` frames."""
        self._pictures, self._indices, self._cuts = {}, [], []
        self._stride = 1
        super().use_count(count)
        self._view_changed()

    def add(self, indices: Iterable[int], pictures: Iterable[Picture], cuts: Sequence[int] = ()) -> None:
        """Take in more pictures.

        Args:
            indices: 0-based frames.
            pictures: Each ``(h, w, 3)`` uint8 R, G, B, turned as it is shown, all of one size.
            cuts: Frames that begin a scene.
        """
        for cut in cuts:
            if cut not in self._cuts:
                insort(self._cuts, cut)
        for index, picture in zip(indices, pictures, strict=True):
            if index in self._pictures or not self._is_kept(index):
                continue
            height, width = picture.shape[:2]
            self._aspect = width / height
            packed = np.ascontiguousarray(picture)
            image = QImage(packed.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            self._pictures[index] = image.convertToFormat(QImage.Format.Format_RGB32)
            insort(self._indices, index)
            self._thin()
        self._view_changed()
        self.update()

    @property
    def kept(self) -> tuple[int, ...]:
        """The frames whose pictures are kept."""
        return tuple(self._indices)

    def _is_kept(self, index: int) -> bool:
        return index % self._stride == 0 or index in self._cuts

    def _thin(self) -> None:
        """Drop every second picture when there are too many."""
        while len(self._indices) > MOST_PICTURES + len(self._cuts):
            self._stride *= 2
            self._indices = [index for index in self._indices if self._is_kept(index)]
            self._pictures = {index: self._pictures[index] for index in self._indices}

    def _nearest(self, wanted: int, first: int, stop: int) -> QImage | None:
        """The picture nearest to a frame among those of its scene, ``first`` to ``stop - 1``."""
        scene = self._indices[bisect_left(self._indices, first) : bisect_left(self._indices, stop)]
        if not scene:
            return None
        place = bisect_right(scene, wanted)
        near = scene[max(place - 1, 0) : place + 1]
        return self._pictures[min(near, key=lambda index: abs(index - wanted))]

    def _view_changed(self) -> None:
        """Where each picture in sight is painted, and which part of it."""
        plot = self.plot_rect()
        height = plot.height() - 2 * _EDGE_PX
        width = max(height * self._aspect, 1.0)
        self._slots = []
        starts = [0, *(cut for cut in self._cuts if 0 < cut < self._count)]
        for first, stop in zip(starts, [*starts[1:], self._count], strict=True):
            # Slots begin with their scene, so that they move with the clip when the view does.
            left, right = self.x_of(first - 0.5), self.x_of(stop - 0.5)
            if right <= plot.left() or left >= plot.right():
                continue
            begin = max(int((plot.left() - left) // width), 0)
            x = left + begin * width
            while x < min(right, plot.right()):
                shown = min(width, right - x)
                wanted = round(self.place_at(x + shown / 2))
                image = self._nearest(min(max(wanted, first), stop - 1), first, stop)
                if image is not None:
                    part = QRectF(0, 0, image.width() * shown / width, image.height())
                    self._slots.append((QRectF(x, _EDGE_PX, shown, height), part, image))
                x += width

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        plot = self.plot_rect()
        painter.fillRect(plot, QColor(theme.FIELD))
        painter.setClipRect(plot)
        for place, part, image in self._slots:
            painter.drawImage(place, image, part)
            painter.setPen(QPen(QColor(theme.FIELD), 1))
            painter.drawLine(QLineF(place.right(), place.top(), place.right(), place.bottom()))
        self._paint_marks(painter)
        self._paint_playhead(painter)

    def _paint_marks(self, painter: QPainter) -> None:
        """A light line with a dark edge at each cut: it shows on any picture."""
        for cut in self._cuts:
            x = self.x_of(cut - 0.5)
            for color, pen_width, style in (
                ("#000000", 3, Qt.PenStyle.SolidLine),
                (theme.ON_PICTURE.text, 1, Qt.PenStyle.DashLine),
            ):
                painter.setPen(QPen(QColor(color), pen_width, style))
                painter.drawLine(QLineF(x, 0, x, self.height()))
