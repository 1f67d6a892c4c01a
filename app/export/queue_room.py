"""The queue's room: joins the queue, its panel, what follows when it is done, and the notices."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.export.entries import State
from app.export.export_dialog import open_folder_of
from app.export.export_queue import ExportQueue
from app.export.queue_panel import QueuePanel
from app.export.when_done import WhenDone
from app.notices import Answer
from app.widgets.timecode import clock
from app.words import for_window

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from app.actions import Actions
    from app.document import Document
    from app.export.entries import QueueEntry
    from app.export.exports import Exports
    from app.jobs import ExportOutcome
    from app.notices import NoticeBar
    from app.preferences import Preferences
    from app.preview import Preview


class QueueRoom(QObject):
    """Made for the window's life.

    Signals:
        comparison_asked: A `Clip`, and the file it was exported to, are to be compared.
    """

    comparison_asked = Signal(object, object)

    def __init__(
        self,
        document: Document,
        preview: Preview,
        exports: Exports,
        preferences: Preferences,
        notices: NoticeBar,
        window: QWidget,
    ) -> None:
        """Nothing is in the queue, and nothing is looked for, before `load`."""
        super().__init__(window)
        self._window = window
        self._exports = exports
        self._notices = notices
        self._shown: QAction | None = None
        self._known = 0
        self.queue = ExportQueue(document, exports, preferences, self)
        self.panel = QueuePanel()
        self.when_done = WhenDone(preferences, notices, self)
        queue, panel, when_done = self.queue, self.panel, self.when_done
        queue.entries_changed.connect(self._show)
        queue.entry_changed.connect(self._show)
        queue.ran_out.connect(self._tell_through)
        queue.ran_out.connect(when_done.begin)
        queue.note_raised.connect(self._tell)
        queue.error_raised.connect(self._tell_error)
        queue.stopped_found.connect(self._offer_to_finish)
        queue.waiting_found.connect(self._offer_to_start)
        preview.device_chosen.connect(queue.show_device)
        panel.start_asked.connect(queue.toggle)
        panel.deed_asked.connect(self.do)
        panel.clear_asked.connect(queue.clear_done)
        panel.list.move_asked.connect(queue.move)
        panel.list.shift_asked.connect(queue.move_by)
        panel.unasked_asked.connect(queue.set_starts_by_itself)
        panel.wish_asked.connect(when_done.set_wish)
        panel.show_unasked(queue.starts_by_itself)
        when_done.wish_changed.connect(self._show_wishes)
        when_done.close_asked.connect(self._close_window)
        when_done.refused.connect(self._tell_error)
        exports.begun.connect(when_done.call_off)
        exports.dialog.comparison_asked.connect(self._compare_outcome)
        exports.error_raised.connect(self._tell_error)
        exports.note_raised.connect(self._tell)
        exports.finished_unseen.connect(notices.show_done)
        self.panel.hide()
        self._show_wishes()

    def use_actions(self, actions: Actions) -> None:
        """Be there for the menus."""
        actions["export"].triggered.connect(self._exports.show_dialog)
        actions["queue"].triggered.connect(self.queue.add_current)
        actions["queue_all"].triggered.connect(self.queue.add_all)
        self._shown = actions["show_queue"]
        self._shown.toggled.connect(self.panel.setVisible)

    def load(self) -> None:
        """Bring back what earlier sessions left, and ask the system what it can do when all is done."""
        self.queue.load()
        self.when_done.look()

    def close(self) -> None:
        """Stop the running export, and remember what is left; for the window that is closing."""
        self.queue.close()
        self.when_done.finish_closing()

    def do(self, deed: str, number: int) -> None:
        """Do something with an entry: a key of what the panel offers."""
        entry = self.queue.entry(number)
        if entry is None:
            return
        match deed:
            case "pause":
                self._exports.toggle_pause()
            case "stop":
                self._exports.ask_to_stop()
            case "remove":
                self.queue.remove(number)
            case "retry" | "finish":
                self.queue.retry(number)
            case "anew":
                self.queue.begin_anew(number)
            case "discard":
                self.queue.discard(number)
            case "earlier" | "later":
                self.queue.move_by(number, -1 if deed == "earlier" else 1)
            case "folder":
                open_folder_of(entry.output)
            case "compare":
                self.comparison_asked.emit(entry.clip, entry.output)
            case _:
                self._show_card(entry)

    def _show_card(self, entry: QueueEntry) -> None:
        if entry.outcome is not None:
            self._exports.show_outcome(entry.outcome)
        elif entry.state is State.RUNNING:
            self._exports.show_dialog()

    def _compare_outcome(self, outcome: ExportOutcome) -> None:
        for entry in self.queue.entries:
            if entry.outcome is outcome:
                self.comparison_asked.emit(entry.clip, entry.output)
                return

    def _show(self) -> None:
        self.panel.show_entries(self.queue.entries, self.queue.sums, is_started=self.queue.is_started)
        count = len(self.queue.entries)
        if count > self._known and self._shown is not None:
            # Something new: it is shown where it went.
            self._shown.setChecked(True)
        self._known = count

    def _tell_through(self) -> None:
        """One sentence about a queue of several; one export alone has told of itself."""
        sums = self.queue.sums
        if sums.done + sums.open > 1 and self.when_done.wish == "nothing":
            files = "1 file is" if sums.done == 1 else f"{sums.done} files are"
            left = f" {sums.open} could not be written." if sums.open else ""
            self._notices.show_done(f"The queue is done: {files} written, in {clock(sums.seconds)}.{left}")

    def _show_wishes(self) -> None:
        self.panel.show_wishes(self.when_done.offered, self.when_done.wish)

    def _close_window(self) -> None:
        if not self._window.close():
            self.when_done.keep_open()

    def _tell(self, sentence: str) -> None:
        self._notices.show_note(sentence, lasts=True)

    def _tell_error(self, sentence: str, details: str = "") -> None:
        self._notices.show_error(for_window(sentence), details)

    def _offer_to_finish(self, entry: QueueEntry, sentence: str) -> None:
        self._notices.show_offer(
            sentence,
            Answer("Finish", "Go on with this export, as it was begun", partial(self.queue.retry, entry.number)),
            Answer("Discard", "Remove what it has kept", partial(self.queue.discard, entry.number)),
        )

    def _offer_to_start(self, waiting: int) -> None:
        exports = (
            "1 export of the last session waits" if waiting == 1 else f"{waiting} exports of the last session wait"
        )
        self._notices.show_offer(
            f"{exports} in the queue.", Answer("Start", "Export them, one after another", self.queue.start)
        )
