"""The clips of the project in a list: picture, name, whether it was changed or is missing; order by drag or key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.project.looks import THUMBNAIL_PX, ClipLook, ClipState
from app.qimage import to_qimage
from app.widgets.icons import icon, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent

    from vecnet_core.project import Clip

WIDTH_PX = 216
_ROW_PX = 56
_THUMB = QSize(THUMBNAIL_PX, THUMBNAIL_PX * 9 // 16)
_NUMBER, _LOOK, _CHANGED, _PIXMAP = (Qt.ItemDataRole.UserRole + offset for offset in range(4))

_OWN_KEYS = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
    Qt.Key.Key_Delete, Qt.Key.Key_Return, Qt.Key.Key_Enter,
}  # fmt: skip


class _Row(QStyledItemDelegate):
    """Paints one clip."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(WIDTH_PX, _ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        area: QRect = option.rect  # pyright: ignore[reportAttributeAccessIssue]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        font = option.font  # pyright: ignore[reportAttributeAccessIssue]
        look: ClipLook = index.data(_LOOK)
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        has_focus = bool(state & QStyle.StateFlag.State_HasFocus)
        is_broken = look.state in {ClipState.MISSING, ClipState.REFUSED}
        painter.save()
        if is_selected or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, QColor(theme.SELECTED if is_selected else theme.ROW))
        if is_selected:
            painter.fillRect(QRect(area.left(), area.top(), 3, area.height()), QColor(theme.ACCENT))
        if has_focus:
            painter.setPen(QColor(theme.ACCENT))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
        thumb = QRect(area.left() + 10, area.top() + (area.height() - _THUMB.height()) // 2, *_THUMB.toTuple())
        painter.fillRect(thumb, QColor(theme.ON_PICTURE.field))
        pixmap: QPixmap | None = index.data(_PIXMAP)
        if pixmap is not None:
            size = pixmap.size().scaled(thumb.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(thumb.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(0.4 if is_broken else 1.0)
            painter.drawPixmap(place, pixmap)
            painter.setOpacity(1.0)
        if is_broken:
            sign = picture("warning", 20, theme.ON_PICTURE.error, 2.0)
            painter.drawPixmap(thumb.center().x() - 9, thumb.center().y() - 9, sign)
        right = area.right() - 22
        text = QRect(thumb.right() + 10, area.top() + 10, right - thumb.right() - 10, 18)
        painter.setFont(font)
        painter.setPen(QColor(theme.TEXT if not is_broken else theme.MUTED))
        metrics = painter.fontMetrics()
        name = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        small = painter.font()
        small.setPixelSize(11)
        painter.setFont(small)
        painter.setPen(QColor(theme.ERROR if is_broken else theme.MUTED))
        words = look.state.value.capitalize() if is_broken else look.words
        below = text.translated(0, 18).adjusted(0, 0, 20, 0)
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        if index.data(_CHANGED):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ACCENT))
            painter.drawEllipse(area.right() - 15, text.center().y() - 3, 7, 7)
        painter.restore()


class _List(QListWidget):
    """The list itself.

    Signals:
        files_dropped: Paths of files.
        order_asked: Numbers in another order.
        remove_asked: Numbers of the chosen clips.
    """

    files_dropped = Signal(object)
    order_asked = Signal(object)
    remove_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_Row(self))
        self.setAccessibleName("Clips")
        self.setToolTip("Enter or a click opens a clip; Alt and arrows move it, Delete removes it")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        # A click opens a clip and leaves the keys to the timeline; Tab gives them to the list.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setProperty("role", "panel")

    @property
    def numbers(self) -> list[int]:
        """All clips, from top to bottom."""
        return [self.item(row).data(_NUMBER) for row in range(self.count())]

    @property
    def chosen(self) -> list[int]:
        """The clips that are selected, from top to bottom."""
        return [self.item(row).data(_NUMBER) for row in range(self.count()) if self.item(row).isSelected()]

    def move_chosen(self, row: int) -> None:
        """Ask for the chosen clips before the clip in a row; the number of rows is the end."""
        numbers, chosen = self.numbers, set(self.chosen)
        before = [number for number in numbers[:row] if number not in chosen]
        after = [number for number in numbers[row:] if number not in chosen]
        order = [*before, *(number for number in numbers if number in chosen), *after]
        if chosen and order != numbers:
            self.order_asked.emit(order)

    def event(self, event: QEvent) -> bool:
        # While the list has the keys, its arrows choose clips; elsewhere they belong to the timeline.
        if event.type() == QEvent.Type.ShortcutOverride and _key(event) in _OWN_KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows = [row for row in range(self.count()) if self.item(row).isSelected()]
        is_moving = event.modifiers() & Qt.KeyboardModifier.AltModifier and bool(rows)
        if event.key() == Qt.Key.Key_Delete:
            self.remove_asked.emit(self.chosen)
        elif is_moving and event.key() == Qt.Key.Key_Up:
            self.move_chosen(max(0, rows[0] - 1))
        elif is_moving and event.key() == Qt.Key.Key_Down:
            self.move_chosen(min(self.count(), rows[-1] + 2))
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.source() is self or _files(event):
            super().dragEnterEvent(event)
            event.accept()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)
        if event.source() is self or _files(event):
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        if event.source() is self:
            point = event.position().toPoint()
            item = self.itemAt(point)
            row = self.count()
            if item is not None:
                row = self.row(item) + (point.y() > self.visualItemRect(item).center().y())
            # The document moves them, and the list is filled anew: Qt must not take the rows out itself.
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.move_chosen(row)
        elif files := _files(event):
            event.acceptProposedAction()
            self.files_dropped.emit(files)
        self.setState(QAbstractItemView.State.NoState)
        self.viewport().update()


class ClipList(QWidget):
    """The panel of clips; it asks, the document changes.

    Signals:
        select_asked: Number of the clip to open.
        add_asked: Choose clips to add.
        files_dropped: Paths of files to add.
        order_asked: Numbers in another order.
        remove_asked: Numbers of clips to take out.
        find_asked: Look for the missing clips.
    """

    select_asked = Signal(int)
    add_asked = Signal()
    files_dropped = Signal(object)
    order_asked = Signal(object)
    remove_asked = Signal(object)
    find_asked = Signal()

    def __init__(self) -> None:
        """No clips."""
        super().__init__()
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(168)
        heading = QLabel("Clips")
        heading.setProperty("role", "heading")
        self.add = _button("plus", "Add clips", "Add clips to the project (Ctrl+O); files can be dropped here, too")
        self.remove = _button("minus", "Remove clips", "Take the chosen clips out of the project (Delete)")
        self.find_button = QPushButton("Find missing clips…")
        self.find_button.setToolTip("Look for all missing clips in a folder and the folders in it")
        self.find_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.find_button.hide()
        self.list = _List()
        top = QHBoxLayout()
        top.setContentsMargins(12, 8, 8, 8)
        top.setSpacing(0)
        top.addWidget(heading, 1)
        top.addWidget(self.remove)
        top.addWidget(self.add)
        foot = QVBoxLayout()
        foot.setContentsMargins(8, 8, 8, 8)
        foot.addWidget(self.find_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self.add.clicked.connect(self.add_asked)
        self.remove.clicked.connect(self._ask_remove)
        self.find_button.clicked.connect(self.find_asked)
        self.list.files_dropped.connect(self.files_dropped)
        self.list.order_asked.connect(self.order_asked)
        self.list.remove_asked.connect(self.remove_asked)
        self.list.currentItemChanged.connect(self._ask_select)
        self.list.itemActivated.connect(self._ask_select)
        self.list.itemClicked.connect(self._ask_select)

    def show_clips(self, clips: Sequence[tuple[int, Clip, ClipLook, bool]], current: int | None) -> None:
        """Show clips by number, each with what is known of it and whether it was changed; nothing is asked back."""
        kept = {number for number in self.list.chosen if number != self._current()}
        with QSignalBlocker(self.list):
            if [number for number, *_ in clips] != self.list.numbers:
                self.list.clear()
                for number, *_ in clips:
                    item = QListWidgetItem()
                    item.setData(_NUMBER, number)
                    self.list.addItem(item)
                for row, (number, *_) in enumerate(clips):
                    self.list.item(row).setSelected(number in kept)
                self._show_current(current)
            for row, (_, clip, look, is_changed) in enumerate(clips):
                self._show_row(self.list.item(row), clip, look, is_changed)
            if current != self._current():
                self._show_current(current)
        self.find_button.setVisible(any(look.state is ClipState.MISSING for _, _, look, _ in clips))
        self.remove.setEnabled(bool(clips))

    def _current(self) -> int | None:
        row = self.list.currentRow()
        return None if row < 0 else self.list.item(row).data(_NUMBER)

    def _show_current(self, current: int | None) -> None:
        for row in range(self.list.count()):
            if self.list.item(row).data(_NUMBER) == current:
                keeps = self.list.item(row).isSelected()
                flag = QItemSelectionModel.SelectionFlag
                self.list.setCurrentRow(row, flag.NoUpdate if keeps else flag.ClearAndSelect)
                return
        self.list.setCurrentRow(-1)

    def _show_row(self, item: QListWidgetItem, clip: Clip, look: ClipLook, is_changed: bool) -> None:
        before: ClipLook | None = item.data(_LOOK)
        if item.data(_CHANGED) == is_changed and before is look and item.text() == clip.path.name:
            return
        item.setText(clip.path.name)
        item.setData(_CHANGED, is_changed)
        if before is None or before.picture is not look.picture:
            item.setData(_PIXMAP, None if look.picture is None else QPixmap.fromImage(to_qimage(look.picture)))
        item.setData(_LOOK, look)
        change = "; changed since it was added or saved" if is_changed else ""
        item.setToolTip(f"{clip.path}\n{look.words}{change}")
        state = look.state.value if look.state in {ClipState.MISSING, ClipState.REFUSED} else look.words
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{clip.path.name}, {state}{change}")

    def _ask_select(self, item: QListWidgetItem | None, *_: object) -> None:
        if item is not None:
            self.select_asked.emit(item.data(_NUMBER))

    def _ask_remove(self) -> None:
        self.remove_asked.emit(self.list.chosen)


def _button(name: str, text: str, tooltip: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setProperty("role", "flat")
    button.setAccessibleName(text)
    button.setToolTip(tooltip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _key(event: QEvent) -> int | None:
    from PySide6.QtGui import QKeyEvent as KeyEvent

    return event.key() if isinstance(event, KeyEvent) else None


def _files(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
