"""The page of a running export: how far it is, a pause, and a stop that asks what becomes of what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.widgets.timecode import clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.jobs import ExportStatus

STAGES = {
    "light": "Measuring the light of the clip",
    "export": "Correcting and encoding",
    "join": "Putting the file together",
    "verify": "Checking the file",
}


class ProgressPage(QWidget):
    """The second page of the export dialog.

    Signals:
        pause_asked: Hold the export, or let it go on.
        stop_asked: The person thinks of stopping; `show_kept` answers what would be kept.
        keep_asked: Stop and keep what is done.
        discard_asked: Stop and remove what is done.
        hide_asked: Out of sight; the export goes on.
        another_asked: Choose how the clip at hand is exported, for the queue.
    """

    pause_asked = Signal()
    stop_asked = Signal()
    keep_asked = Signal()
    discard_asked = Signal()
    hide_asked = Signal()
    another_asked = Signal()

    def __init__(self) -> None:
        """Nothing is exported yet."""
        super().__init__()
        self._status: ExportStatus | None = None
        self._is_paused = False
        self._stage = QLabel()
        self._stage.setProperty("role", "heading")
        self._target = QLabel()
        self._target.setProperty("role", "hint")
        self._target.setWordWrap(True)
        self._target.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Export progress")
        self._left = QLabel()
        self._left.setProperty("role", "hint")
        self.stop = _button("Stop…", "Stop the export; it is asked what becomes of what is done", self.ask_to_stop)
        self.pause = _button(
            "Pause", "Hold the export where it is, so that other programs have the machine", self._hold
        )
        self.hide_button = _button(
            "Hide",
            "Go on working; the export goes on and the status bar tells how far it is (Esc)",
            self._put_away,
        )
        self.another = _button("Add another…", "Put the clip at hand into the queue", self._add)
        self.go_on = _button("Go on", "Do not stop (Esc)", self.withdraw)
        self.discard = _button("Stop and discard", "Stop, and remove what is done", self._discard)
        self.keep = _button(
            "Stop and keep what is done",
            "Stop now and finish it later: the frames that are done are not made again",
            self._keep,
        )
        self.keep.setProperty("role", "primary")
        self._question = self._question_card()
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.another)
        row.addStretch()
        for button in (self.stop, self.pause, self.hide_button):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        for widget in (self._stage, self._target, self.bar, self._left):
            layout.addWidget(widget)
        layout.addStretch()
        layout.addWidget(self._question)
        layout.addWidget(self._buttons)

    @property
    def is_asking(self) -> bool:
        """True while it is asked what becomes of what is done."""
        return not self._question.isHidden()

    def show_started(self, output: Path) -> None:
        """A new export."""
        self._status = None
        self._is_paused = False
        self._target.setText(str(output))
        self._stage.setText("Starting")
        self._left.setText("The first figures come in a few seconds.")
        self.bar.setRange(0, 0)
        self.pause.setText("Pause")
        self._question.hide()
        self._buttons.show()
        for button in (self.stop, self.pause):
            button.setEnabled(True)
        # Enter must not stop what took an hour.
        self.hide_button.setFocus()

    def show_progress(self, status: ExportStatus) -> None:
        """Show how far it is and how long it takes."""
        self._status = status
        self.bar.setRange(0, max(1, status.total))
        self.bar.setValue(status.done)
        self._show_stage()

    def show_paused(self, is_paused: bool) -> None:
        """Say whether the export is held."""
        self._is_paused = is_paused
        self.pause.setText("Continue" if is_paused else "Pause")
        self.pause.setToolTip(
            "Let the export go on" if is_paused
            else "Hold the export where it is, so that other programs have the machine"
        )  # fmt: skip
        if is_paused and self.bar.maximum() == 0:
            # A bar that runs to and fro would say that something is done.
            self.bar.setRange(0, 1)
        self._show_stage()

    def show_kept(self, kept: int, total: int) -> None:
        """Say what would be kept; nothing before the first group of pictures is on the disk."""
        self.keep.setVisible(kept > 0)
        self.keep.setText(f"Stop and keep what is done ({kept:,} of {total:,} frames)")
        self.discard.setText("Stop and discard" if kept else "Stop")
        self._words.setText(
            "What is kept lies beside the output; finishing it goes on from there." if kept
            else "Nothing is done yet that could be kept."
        )  # fmt: skip

    def show_stopping(self, *, keeps: bool) -> None:
        """Say that the child has been asked to stop."""
        self._question.hide()
        self._buttons.show()
        for button in (self.stop, self.pause):
            button.setEnabled(False)
        self._stage.setText("Stopping")
        self._left.setText("What is done is being kept." if keeps else "What is done is being removed.")

    def withdraw(self) -> None:
        """Go on as if nobody had asked."""
        self._question.hide()
        self._buttons.show()
        self.hide_button.setFocus()

    def _question_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        title = QLabel("Stop this export?")
        title.setProperty("role", "heading")
        self._words = QLabel()
        self._words.setProperty("role", "hint")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch()
        for button in (self.go_on, self.discard, self.keep):
            row.addWidget(button)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(title)
        layout.addWidget(self._words)
        layout.addSpacing(4)
        layout.addLayout(row)
        card.hide()
        return card

    def _show_stage(self) -> None:
        if not self.stop.isEnabled():
            return
        status = self._status
        stage = "Starting" if status is None else STAGES.get(status.stage, status.stage)
        self._stage.setText(f"Paused: {stage[:1].lower()}{stage[1:]}" if self._is_paused else stage)
        if status is not None:
            self._left.setText(progress_text(status, is_paused=self._is_paused))

    def ask_to_stop(self) -> None:
        """Ask what becomes of what is done."""
        if not self.stop.isEnabled():
            return
        self.keep.hide()
        self.discard.setText("Stop and discard")
        self._words.setText("Looking at what is done.")
        self._buttons.hide()
        self._question.show()
        self.go_on.setFocus()
        self.stop_asked.emit()

    def _add(self) -> None:
        self.another_asked.emit()

    def _put_away(self) -> None:
        self.hide_asked.emit()

    def _hold(self) -> None:
        self.pause_asked.emit()

    def _keep(self) -> None:
        self.keep_asked.emit()

    def _discard(self) -> None:
        self.discard_asked.emit()


def progress_text(status: ExportStatus, *, is_paused: bool = False) -> str:
    """What is done and the time left, such as ``frame 120 of 480 (60 were kept from before), 1:10 left``."""
    done = f"{'step' if status.stage == 'verify' else 'frame'} {status.done:,} of {status.total:,}"
    if status.kept and status.stage == "export":
        done += f" ({status.kept:,} were kept from before)"
    if is_paused or status.seconds_left is None:
        return done
    return f"{done}, {clock(status.seconds_left)} left"


def _button(text: str, tooltip: str, do: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAutoDefault(True)
    button.clicked.connect(do)
    return button
