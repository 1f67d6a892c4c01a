"""The queue: exports one after another, each as it was when it was added; what is left comes back at the next start."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.errands import Errands
from app.export.entries import ExportChoice, QueueEntry, QueueSums, State
from app.export.output_look import bytes_of
from app.export.output_name import free_output, key_of, keys_of, output_beside
from app.export.queue_file import QueueFile
from app.export.remembered import discard, file_for, find_stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from app.document import Document
    from app.export.exports import ExportEnd, Exports
    from app.export.remembered import StoppedExport
    from app.jobs import ExportStatus
    from app.preferences import Preferences
    from vecnet_core.project import Clip


class ExportQueue(QObject):
    """Holds the entries in order, has `Exports` run them, and is the only one who writes them.

    Signals:
        entries_changed: There are other entries, or another order.
        entry_changed: Number of an entry that goes on.
        ran_out: The last export has ended by itself, and nothing waits any more.
        note_raised: A sentence on what was done.
        error_raised: A sentence, and details for a report.
        stopped_found: A `QueueEntry` of an earlier session that was interrupted, and a sentence about it.
        waiting_found: How many entries of an earlier session wait.
    """

    entries_changed = Signal()
    entry_changed = Signal(int)
    ran_out = Signal()
    note_raised = Signal(str)
    error_raised = Signal(str, str)
    stopped_found = Signal(object, str)
    waiting_found = Signal(int)

    def __init__(
        self, document: Document, exports: Exports, preferences: Preferences, parent: QObject | None = None
    ) -> None:
        """An empty queue; `load` brings back what earlier sessions left."""
        super().__init__(parent)
        self._document = document
        self._exports = exports
        self._preferences = preferences
        self._errands = Errands(self)
        self._file = QueueFile(exports.folder)
        self._is_loaded = self._is_saving = self._is_dirty = False
        self._entries: tuple[QueueEntry, ...] = ()
        self._numbers = self._saves = 0
        self._is_started = False
        self._is_open = True
        self._device = ""
        exports.begun.connect(self._take_begun)
        exports.progressed.connect(self._take_progress)
        exports.paused.connect(self._take_pause)
        exports.ended.connect(self._take_end)
        exports.settled.connect(self._take_kept)
        exports.dialog.form.queue_asked.connect(self.add_choice)

    # What there is ---------------------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[QueueEntry, ...]:
        """All, in the order they are exported in; what is done stays until it is cleared."""
        return self._entries

    @property
    def sums(self) -> QueueSums:
        """All, in numbers."""
        return QueueSums.of(self._entries)

    @property
    def running(self) -> QueueEntry | None:
        """The one that is being exported."""
        return next((entry for entry in self._entries if entry.state is State.RUNNING), None)

    @property
    def is_started(self) -> bool:
        """True while one export follows another."""
        return self._is_started

    @property
    def starts_by_itself(self) -> bool:
        """What is added, or left by an earlier session, begins unasked."""
        return self._preferences.text("queue_starts", "") == "by itself"

    def entry(self, number: int) -> QueueEntry | None:
        """The entry of that number; None when it is gone."""
        return next((entry for entry in self._entries if entry.number == number), None)

    def set_starts_by_itself(self, does: bool) -> None:
        """Remember the choice; what waits begins at once."""
        self._preferences.set_text("queue_starts", "by itself" if does else "")
        if does:
            self.start()

    def show_device(self, label: str) -> None:
        """Know what to call the device that exports run on, too."""
        self._device = label

    # Add -------------------------------------------------------------------------------------------------------------

    def add_choice(self, choice: ExportChoice) -> None:
        """Add the clip as it is corrected now, as it was chosen in the form."""
        clip = self._document.clip
        if clip is None:
            return
        self._exports.remember(choice.encode)
        self._exports.dialog.hide()
        self._add([(replace(clip, encode=choice.encode, output=choice.output), choice.overwrites)])

    def add_current(self) -> None:
        """Add the clip as it is corrected now, with the form's choices, under a free name."""
        if self._document.clip is not None:
            self._add_under_free_names((self._document.clip,))

    def add_all(self) -> None:
        """Add every clip of the project, with the form's choices, under free names."""
        self._add_under_free_names(self._document.project.clips)

    def _add_under_free_names(self, clips: Sequence[Clip]) -> None:
        form, info = self._exports.dialog.form, self._document.info
        codecs = {} if info is None else {info.path: info.codec}
        wishes = [(replace(clip, encode=form.encode), codecs.get(clip.path, "")) for clip in clips]
        self._errands.send(
            partial(_under_free_names, wishes, form.ending, self.taken()), self._take_named, self._tell_refusal
        )

    def _take_named(self, clips: list[Clip]) -> None:
        """Names have been found; what was added meanwhile may have taken one of them."""
        taken = set(self.taken())
        if any(clip.output is not None and key_of(clip.output) in taken for clip in clips):
            self._errands.send(partial(_renamed, clips, self.taken()), self._take_named, self._tell_refusal)
        else:
            self._add([(clip, False) for clip in clips])

    def _add(self, wanted: Sequence[tuple[Clip, bool]]) -> None:
        added: list[QueueEntry] = []
        for clip, overwrites in wanted:
            self._numbers += 1
            added.append(QueueEntry(self._numbers, clip, overwrites=overwrites))
        self._set_entries((*self._entries, *added))
        if self._exports.is_running or self.starts_by_itself:
            self.start()

    def taken(self) -> frozenset[str]:
        """The files that exports which are not done read or write, as `output_name.key_of` tells them."""
        return frozenset(key for entry in self._entries if entry.is_open for key in keys_of(entry.clip))

    # Order -----------------------------------------------------------------------------------------------------------

    def move(self, number: int, place: int) -> None:
        """Put an entry at a place in the order, 0-based, counted without it."""
        entry = self.entry(number)
        if entry is None:
            return
        others = [one for one in self._entries if one.number != number]
        place = max(0, min(place, len(others)))
        self._set_entries((*others[:place], entry, *others[place:]))

    def move_by(self, number: int, places: int) -> None:
        """Put an entry earlier or later."""
        numbers = [entry.number for entry in self._entries]
        if number in numbers:
            self.move(number, numbers.index(number) + places)

    def remove(self, number: int) -> None:
        """Take an entry out; what is kept of it stays beside its output. One that is running asks first."""
        entry = self.entry(number)
        if entry is None:
            return
        if entry.state is State.RUNNING:
            self._exports.ask_to_stop()
        else:
            self._set_entries(tuple(one for one in self._entries if one.number != number))

    def discard(self, number: int) -> None:
        """Take an entry out, and remove what is kept of it."""
        entry = self.entry(number)
        if entry is None or entry.state is State.RUNNING:
            return
        self.remove(number)
        file = file_for(self._exports.folder, entry.output)
        self._errands.send(
            partial(discard, file, entry.output), partial(self._tell_dropped, entry.output), self._tell_refusal
        )

    def clear_done(self) -> None:
        """Take out what is done; the files stay."""
        self._set_entries(tuple(entry for entry in self._entries if entry.is_open))

    # Run -------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Export what waits, one after another."""
        if self._is_open:
            self._is_started = True
            self._go_on()
            self.entries_changed.emit()

    def toggle(self) -> None:
        """Start, or hold the running export, or let it go on."""
        if self.running is not None:
            self._exports.toggle_pause()
        else:
            self.start()

    def retry(self, number: int) -> None:
        """Let an entry wait again and start: it goes on from what is kept, else under a name that is free by now."""
        entry = self.entry(number)
        if entry is None or entry.state not in {State.FAILED, State.STOPPED}:
            return
        if entry.kept or entry.overwrites:
            self._put(entry.waiting())
            self.start()
        else:
            others = frozenset(self.taken() - keys_of(entry.clip))
            self._errands.send(
                partial(free_output, entry.output, others), partial(self._retry_under, number), self._tell_refusal
            )

    def begin_anew(self, number: int) -> None:
        """Forget what is kept of an entry, and export it from its first frame on."""
        entry = self.entry(number)
        if entry is None or entry.state is State.RUNNING:
            return
        self._put(replace(entry.waiting(), kept=0, total=0))
        file = file_for(self._exports.folder, entry.output)
        self._errands.send(partial(discard, file, entry.output), self._start_again, self._tell_refusal)

    def _start_again(self, _: None) -> None:
        self.start()

    def _retry_under(self, number: int, output: Path) -> None:
        entry = self.entry(number)
        if entry is not None:
            self._put(replace(entry.waiting(), clip=replace(entry.clip, output=output)))
            self.start()

    def _go_on(self) -> None:
        """Begin with the first that waits."""
        if not self._is_started or self._exports.is_running:
            return
        entry = next((entry for entry in self._entries if entry.state is State.WAITING), None)
        if entry is None:
            self._is_started = False
            return
        choice = ExportChoice(entry.output, entry.clip.encode, overwrites=entry.overwrites, resumes=bool(entry.kept))
        self._exports.start_snapshot(entry.clip, choice)

    def _take_begun(self, clip: Clip, choice: ExportChoice) -> None:
        """An export has begun: one of ours, or one that was asked for in the form, which then goes first."""
        entry = self._of(choice.output)
        if entry is None:
            self._numbers += 1
            entry = QueueEntry(self._numbers, clip, overwrites=choice.overwrites)
            self._entries = (entry, *self._entries)
        kept = 0 if choice.restarts else entry.kept
        entry = replace(entry.waiting(), clip=clip, state=State.RUNNING, kept=kept, device=self._device)
        others = [one for one in self._entries if one.number != entry.number]
        behind = [one for one in others if one.state is not State.WAITING]
        # What has had its turn stands above, what waits below.
        self._set_entries((*behind, entry, *(one for one in others if one.state is State.WAITING)))

    def _take_progress(self, status: ExportStatus) -> None:
        entry = self.running
        if entry is not None:
            self._put(replace(entry, status=status), is_lasting=False)

    def _take_pause(self, is_paused: bool) -> None:
        entry = self.running
        if entry is not None:
            self._put(replace(entry, is_paused=is_paused), is_lasting=False)
            self.entries_changed.emit()

    def _take_end(self, end: ExportEnd) -> None:
        entry = self._of(end.output)
        if not self._is_open:
            return
        if entry is not None:
            if end.outcome is not None:
                self._put(replace(entry, state=State.DONE, outcome=end.outcome, status=None, is_paused=False))
                self._errands.send(partial(bytes_of, end.outcome.output), partial(self._take_size, entry.number))
            elif end.discards:
                self._set_entries(tuple(one for one in self._entries if one.number != entry.number))
            else:
                state = State.FAILED if end.sentence else State.STOPPED
                self._put(replace(entry, state=state, sentence=end.sentence, status=None, is_paused=False, device=""))
        self._go_on()
        self.entries_changed.emit()
        # Whoever stops an export is there, and decides what follows.
        is_by_hand = end.outcome is None and not end.sentence
        if not is_by_hand and not self._exports.is_running and not self.sums.waiting:
            self.ran_out.emit()

    def _take_kept(self, output: Path, kept: int, total: int) -> None:
        entry = self._of(output)
        if entry is not None:
            self._put(replace(entry, kept=kept, total=total))

    def _take_size(self, number: int, size_bytes: int) -> None:
        entry = self.entry(number)
        if entry is not None:
            self._put(replace(entry, size_bytes=size_bytes), is_lasting=False)
            self.entries_changed.emit()

    # Remember --------------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Bring back what earlier sessions left: what waits, and what was interrupted. Nothing is started unasked."""
        self._errands.send(partial(_left_over, self._file, self._exports.folder), self._take_left_over, self._tell_loss)

    def close(self) -> None:
        """Stop the running export, keep what is done of it, and remember what is left; the window is closing."""
        self._is_started = self._is_open = False
        self._exports.close()
        if self._is_loaded:
            self._errands.send(self._save_of_now(), _nothing_more, self._tell_refusal)
        self._errands.close()
        self._file.close()

    def _take_left_over(self, found: tuple[tuple[Clip, ...], list[StoppedExport]]) -> None:
        clips, stopped = found
        self._is_loaded = True
        interrupted = {key_of(one.output): one for one in stopped}
        known = self.taken()
        entries: list[QueueEntry] = []
        for clip in (*(one.clip for one in stopped), *clips):
            key = "" if clip.output is None else key_of(clip.output)
            if not key or key in known or any(key == key_of(entry.output) for entry in entries):
                continue
            self._numbers += 1
            one = interrupted.get(key)
            if one is None:
                entries.append(QueueEntry(self._numbers, clip))
            else:
                entries.append(
                    QueueEntry(self._numbers, one.clip, State.STOPPED, one.replaces, kept=one.kept, total=one.total)
                )
        self._set_entries((*self._entries, *entries))
        if self.starts_by_itself and entries:
            for entry in entries:
                # What would replace a file is asked about all the same.
                if not entry.overwrites:
                    self._put(entry.waiting())
            self.start()
        self._offer(entries, interrupted)

    def _offer(self, entries: Sequence[QueueEntry], interrupted: dict[str, StoppedExport]) -> None:
        """Tell of what came back and is not under way."""
        left = [entry for entry in map(self.entry, [one.number for one in entries]) if entry is not None]
        waiting = sum(entry.state is State.WAITING for entry in left)
        if waiting and not self._is_started:
            self.waiting_found.emit(waiting)
        for entry in left:
            if entry.state is State.STOPPED:
                self.stopped_found.emit(entry, interrupted[key_of(entry.output)].sentence)

    def _save_of_now(self) -> Callable[[], None]:
        """Writes down what is left at this moment, unless something newer has been."""
        self._saves += 1
        return partial(self._file.save, self._left(), self._saves)

    def _left(self) -> tuple[Clip, ...]:
        return tuple(entry.clip for entry in self._entries if entry.is_open)

    def _save(self) -> None:
        """Write down what is left, one write after another, the last one last."""
        self._is_dirty = True
        if self._is_loaded and not self._is_saving:
            self._is_saving, self._is_dirty = True, False
            self._errands.send(self._save_of_now(), self._take_saved, self._tell_unsaved)

    def _take_saved(self, _: None) -> None:
        self._is_saving = False
        if self._is_dirty:
            self._save()

    def _tell_unsaved(self, sentence: str) -> None:
        self._is_saving = False
        self._tell_refusal(sentence)

    def _tell_loss(self, sentence: str) -> None:
        self._is_loaded = True
        self._tell_refusal(sentence)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _of(self, output: Path) -> QueueEntry | None:
        """The entry that is to write an output."""
        key = key_of(output)
        return next((entry for entry in self._entries if entry.is_open and key_of(entry.output) == key), None)

    def _put(self, entry: QueueEntry, *, is_lasting: bool = True) -> None:
        """Put an entry in the place of its former self."""
        self._entries = tuple(entry if one.number == entry.number else one for one in self._entries)
        if is_lasting:
            self._tell_form()
            self._save()
        self.entry_changed.emit(entry.number)

    def _set_entries(self, entries: tuple[QueueEntry, ...]) -> None:
        self._entries = entries
        self._tell_form()
        self._save()
        self.entries_changed.emit()

    def _tell_form(self) -> None:
        # A stopped export may be finished from the form under its own name.
        stopped = {State.STOPPED, State.FAILED}
        own = {key_of(entry.output) for entry in self._entries if entry.state in stopped}
        self._exports.dialog.form.use_queue(frozenset(self.taken() - own), is_busy=self._exports.is_running)

    def _tell_dropped(self, output: Path, _: None) -> None:
        self.note_raised.emit(f"The export to {output.name} is out of the queue, and nothing of it is left.")

    def _tell_refusal(self, sentence: str) -> None:
        self.error_raised.emit(sentence, "")


def _under_free_names(wishes: Sequence[tuple[Clip, str]], ending: str, taken: frozenset[str]) -> list[Clip]:
    """The clips with outputs that are free; a source's codec is empty where it is not known."""
    # Found with FFmpeg, which the window does without.
    from vecnet_core.video.encode import choose_encoder
    from vecnet_core.video.footage import is_sequence

    used = set(taken)
    made: list[Clip] = []
    for clip, codec in wishes:
        encoder = choose_encoder(clip.encode, codec)
        output = output_beside(clip.path, encoder.codec, used, ending, is_series=is_sequence(clip.path, clip.decode))
        used.add(key_of(output))
        made.append(replace(clip, output=output))
    return made


def _renamed(clips: Sequence[Clip], taken: frozenset[str]) -> list[Clip]:
    used = set(taken)
    made: list[Clip] = []
    for clip in clips:
        if clip.output is not None:
            output = free_output(clip.output, used)
            used.add(key_of(output))
            made.append(replace(clip, output=output))
    return made


def _left_over(file: QueueFile, folder: Path) -> tuple[tuple[Clip, ...], list[StoppedExport]]:
    return file.load(), find_stopped(folder)


def _nothing_more(_: None) -> None:
    """Nobody waits for this errand."""
