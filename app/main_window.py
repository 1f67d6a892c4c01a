"""The window: places the rooms and connects them; nothing is computed here."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QFileDialog,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.actions import Actions
from app.document import Document
from app.export.exports import ChildCommand, Exports, own_command_line
from app.inspector.clip_panel import ClipPanel
from app.inspector.correction_panel import CorrectionPanel
from app.inspector.maps_panel import THUMBNAIL, MapsPanel
from app.inspector.scopes_panel import ScopesPanel
from app.notices import Answer, NoticeBar
from app.places import exports_folder, log_file, sample_clip
from app.playback import Playback
from app.preferences import Preferences, PreferencesDialog
from app.preview import Preview
from app.sequences import PICTURE_ENDINGS, as_one_sequence, pattern_of
from app.status import Status
from app.timeline.timeline import Timeline
from app.timeline.transport import Transport
from app.viewer.compare import CompareMode, CompareView
from app.viewer.empty_state import EmptyState
from app.viewer.view_bar import ViewBar
from app.widgets.text_dialog import KeySheet, LogDialog
from app.words import for_window
from vecnet_core.errors import VecnetError
from vecnet_core.metrics.scales import Overlay
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.export.remembered import StoppedExport
    from app.map_pictures import MapKind
    from app.preview_worker import CorrectedLight, OpenRequest, PreviewResult
    from app.probe import Probe
    from app.session import OpenSession, Size
    from vecnet_core.frame import VideoInfo

INSPECTOR_PX = 344
USUAL_RATE = Fraction(25)
"""Frames per second of pictures, as the core assumes it."""


class MainWindow(QMainWindow):
    """One clip, seen and corrected."""

    def __init__(
        self,
        open_session: OpenSession,
        preferences: Preferences,
        child_command: ChildCommand = own_command_line,
        memory: Callable[[], Path] = exports_folder,
    ) -> None:
        """An empty window; nothing heavy is loaded before a clip is opened. Exports are noted in ``memory``."""
        super().__init__()
        self.setWindowTitle("VECNet")
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self.preferences = preferences
        self.document = Document(self)
        self.preview = Preview(self.document, open_session, preferences.device, self)
        self.playback = Playback(self.document, self.preview, self)
        self.notices = NoticeBar()
        self.empty = EmptyState()
        self.view_bar = ViewBar()
        self.compare = CompareView()
        self.transport = Transport()
        self.timeline = Timeline()
        self.correction_panel = CorrectionPanel()
        self.maps_panel = MapsPanel()
        self.scopes_panel = ScopesPanel()
        self.clip_panel = ClipPanel()
        self.status = Status()
        self.exports = Exports(self.document, self.preview, preferences, self, memory, child_command)
        self.actions_by_name = Actions(self)
        self._left_out = ""
        self._place()
        self._connect()
        self._connect_actions()
        for button in self.findChildren(QAbstractButton):
            button.installEventFilter(self)
        self.setFocus()

    def open_clip(self, path: Path, *others: Path, decode: DecodeSettings = AS_IT_IS) -> None:
        """Open one clip: a video, a folder or a pattern of pictures; several pictures of a numbered series are one.

        A notice tells when it cannot be opened, and what was given along with it and is left out.
        """
        self._left_out = ""
        sequence = as_one_sequence((path, *others))
        if sequence is not None:
            path = sequence
        elif others:
            files = "1 other file was" if len(others) == 1 else f"{len(others)} other files were"
            self._left_out = f"One clip is open at a time: {path.name} was taken, {files} left out."
        self.preview.open_clip(path, decode)

    def open_sequence(self, picture: Path) -> None:
        """Open the numbered series that one picture belongs to."""
        pattern = pattern_of(picture)
        if pattern is not None:
            self.open_clip(pattern)
        else:
            # A name no pattern can be made of: with a rate the picture stands for its series.
            self.open_clip(picture, decode=DecodeSettings(frame_rate=USUAL_RATE))

    # Place -----------------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.compare, 1)
        column.addWidget(self.transport)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setMinimumWidth(INSPECTOR_PX)
        self.tabs.addTab(self.correction_panel, "Correct")
        self.tabs.addTab(self.maps_panel, "Maps")
        self.tabs.addTab(self.scopes_panel, "Scopes")
        self.tabs.addTab(self.clip_panel, "Clip")
        self.tabs.setTabToolTip(0, "Sliders (Ctrl+1)")
        self.tabs.setTabToolTip(1, "Inside the correction (Ctrl+2)")
        self.tabs.setTabToolTip(2, "Waveform, parade, histogram, vectorscope (S)")
        self.tabs.setTabToolTip(3, "Facts of the file (Ctrl+4)")
        for panel in (self.correction_panel, self.maps_panel, self.scopes_panel, self.clip_panel):
            panel.setProperty("role", "panel")
            panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.across = QSplitter(Qt.Orientation.Horizontal)
        self.across.addWidget(left)
        self.across.addWidget(self.tabs)
        self.down = QSplitter(Qt.Orientation.Vertical)
        self.down.addWidget(self.across)
        self.down.addWidget(self.timeline)
        for splitter, sizes in ((self.across, [1096, INSPECTOR_PX]), (self.down, [600, 240])):
            splitter.setHandleWidth(8)
            splitter.setChildrenCollapsible(False)
            splitter.setStretchFactor(0, 1)
            splitter.setStretchFactor(1, 0)
            splitter.setSizes(sizes)
        self.stack = QStackedWidget()
        workspace = QWidget()
        rows = QVBoxLayout(workspace)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.view_bar)
        rows.addWidget(self.down, 1)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(workspace)
        center = QWidget()
        layout = QVBoxLayout(center)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.notices)
        layout.addWidget(self.stack, 1)
        self.setCentralWidget(center)
        self.setStatusBar(self.status)
        for name, splitter in (("across", self.across), ("down", self.down)):
            shape = self.preferences.shape(name)
            if shape is not None:
                splitter.restoreState(shape)
        shape = self.preferences.shape("window")
        if shape is not None:
            self.restoreGeometry(shape)

    # Connect ---------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        preview, document = self.preview, self.document
        preview.clip_opened.connect(self._use_clip)
        preview.clip_refused.connect(self._show_refusal)
        preview.clip_warned.connect(self._show_warnings)
        preview.frame_shown.connect(self._show_frame)
        preview.frame_failed.connect(self.compare.show_failure)
        preview.thumbnails_shown.connect(self.maps_panel.show_thumbnails)
        preview.source_measured.connect(self.timeline.add_source)
        preview.corrected_measured.connect(self._show_corrected_light)
        preview.flicker_measured.connect(self.timeline.show_flicker)
        preview.device_chosen.connect(self.status.show_device)
        preview.denoising_suggested.connect(self._suggest_denoising)
        preview.activity_changed.connect(self._show_activity)
        preview.error_raised.connect(self._show_error)
        document.settings_changed.connect(self._show_settings)
        document.playhead_changed.connect(self._show_playhead)
        document.decode_changed.connect(self._show_reading)
        self.playback.playing_changed.connect(self.transport.show_playing)
        self.playback.rate_measured.connect(self.transport.show_rate)
        self.empty.open_asked.connect(self._choose_clip)
        self.empty.sample_asked.connect(self._open_sample)
        self.view_bar.open_asked.connect(self._choose_clip)
        self.view_bar.export_asked.connect(self.exports.show_dialog)
        self.view_bar.mode_asked.connect(self.compare.set_mode)
        self.view_bar.zoom_asked.connect(self.compare.view.set_zoom)
        self.compare.view.view_changed.connect(self._show_zoom)
        self.compare.size_changed.connect(self._use_size)
        self.compare.mode_changed.connect(self._show_mode)
        self.compare.probed.connect(self._show_probe)
        self.transport.play_asked.connect(self.playback.toggle)
        self.transport.step_asked.connect(self._step)
        self.transport.seek_asked.connect(self._seek)
        self.timeline.seek_asked.connect(self._seek)
        self.correction_panel.edit_asked.connect(document.edit)
        self.correction_panel.reset_asked.connect(document.reset_settings)
        self.clip_panel.decode_asked.connect(document.edit_decode)
        self.maps_panel.map_asked.connect(self._show_map)
        self.maps_panel.visibility_changed.connect(self._show_thumbnails)
        self.scopes_panel.scopes_asked.connect(preview.set_scopes)
        preview.sound_decoded.connect(self.timeline.show_sound)
        self.exports.status_changed.connect(self.status.show_export)
        self.exports.error_raised.connect(self.notices.show_error)
        self.exports.note_raised.connect(self._show_export_note)
        self.exports.finished_unseen.connect(self.notices.show_done)
        self.exports.stopped_found.connect(self._offer_to_finish)
        self.status.device_asked.connect(self._show_preferences)
        self.status.export_asked.connect(self.exports.show_dialog)
        self.preferences.device_changed.connect(preview.use_device)

    def _connect_actions(self) -> None:
        actions = self.actions_by_name
        edit = actions.menus["&Edit"]
        undo = self.document.undo_stack.createUndoAction(self, "Undo")
        redo = self.document.undo_stack.createRedoAction(self, "Redo")
        undo.setShortcut("Ctrl+Z")
        redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        first = edit.actions()[0]
        edit.insertActions(first, [undo, redo])
        edit.insertSeparator(first)
        actions["side"].setChecked(True)
        wanted = {
            "open": self._choose_clip,
            "open_sequence": self._choose_sequence,
            "open_folder": self._choose_folder,
            "sample": self._open_sample,
            "export": self.exports.show_dialog,
            "preferences": self._show_preferences,
            "quit": self.close,
            "reset": self.document.reset_settings,
            "side": self._compare_side,
            "wipe": self._toggle_wipe,
            "next_mode": self._toggle_wipe,
            "fit": self._zoom_by_action,
            "zoom_1": self._zoom_by_action,
            "zoom_2": self._zoom_by_action,
            "zoom_4": self._zoom_by_action,
            "zoom_8": self._zoom_by_action,
            "next_map": self._next_map,
            "show_correct": self._show_panel,
            "show_maps": self._show_panel,
            "show_clip": self._show_panel,
            "show_scopes": self._show_panel,
            "clipping": self._lay_over,
            "false_colour": self._lay_over,
            "difference": self._lay_over,
            "play": self.playback.toggle,
            "back": self._step_by_action,
            "forward": self._step_by_action,
            "back_second": self._step_by_action,
            "forward_second": self._step_by_action,
            "first": self._step_by_action,
            "last": self._step_by_action,
            "keys": self._show_keys,
            "log": self._show_log,
        }
        for name, do in wanted.items():
            actions[name].setObjectName(name)
            actions[name].triggered.connect(do)

    # What happens ----------------------------------------------------------------------------------------------------

    def _use_clip(self, request: OpenRequest, info: VideoInfo, warnings: tuple[str, ...]) -> None:
        self.notices.clear()
        self.stack.setCurrentIndex(1)
        if not request.is_again:
            self.setFocus()
        self.setWindowTitle(f"{info.path.name} \N{EM DASH} VECNet")
        self.preferences.set_last_folder(info.path.parent)
        self.actions_by_name.enable_clip(True)
        self.view_bar.show_clip(info.path.name)
        self.timeline.use_clip(info)
        self.transport.use_clip(info)
        self.maps_panel.clear()
        self.scopes_panel.clear()
        self.status.show_clip(info)
        # The document first: what asks for a frame from here on asks for one of this clip.
        if request.is_again:
            self.document.use_reading(info, request.decode)
        else:
            self.document.use_clip(info, request.decode)
        self.clip_panel.show_clip(info, self.document.decode)
        self.compare.use_clip(info, keeps_view=request.is_again)
        self._show_thumbnails(self.maps_panel.isVisible())
        self.status.show_size(info, self.compare.wanted_size)
        self._show_warnings(warnings)
        self._show_left_out()

    def _show_warnings(self, warnings: tuple[str, ...]) -> None:
        for warning in warnings:
            sentence = for_window(warning[:1].upper() + warning[1:])
            self.notices.show_note(sentence if sentence.endswith(".") else f"{sentence}.")

    def _suggest_denoising(self) -> None:
        if self.document.suggest_denoise():
            self.notices.show_note(
                "This footage is dark and noisy: its noise is removed. Noise removal at 0 % keeps it."
            )

    def _show_error(self, sentence: str, details: str) -> None:
        self.notices.show_error(for_window(sentence), details)

    def _show_export_note(self, sentence: str) -> None:
        self.notices.show_note(sentence, lasts=True)

    def _offer_to_finish(self, stopped: StoppedExport) -> None:
        self.notices.show_offer(
            stopped.sentence,
            Answer("Finish", "Go on with this export, as it was begun", partial(self.exports.finish, stopped)),
            Answer("Discard", "Remove what it has kept", partial(self.exports.drop, stopped)),
        )

    def _show_reading(self) -> None:
        if self.document.info is not None:
            self.clip_panel.show_reading(self.document.info, self.document.decode)

    def _show_refusal(self) -> None:
        self.document.keep_reading()
        self.empty.show_drop(False)
        self._show_left_out()

    def _show_left_out(self) -> None:
        if self._left_out:
            self.notices.show_note(self._left_out)

    def _show_frame(self, result: PreviewResult) -> None:
        self.compare.show_result(result)
        for traces in result.traces:
            self.scopes_panel.show_traces(traces.scope, traces.before, traces.after)

    def _show_activity(self, text: str) -> None:
        self.status.show_activity(text)
        if text == "Loading the network":
            self.compare.show_note(text)

    def _show_settings(self) -> None:
        self.correction_panel.show_settings(self.document.settings)

    def _show_playhead(self, index: int) -> None:
        self.transport.show_frame(index)
        self.timeline.show_playhead(index)

    def _show_corrected_light(self, light: CorrectedLight) -> None:
        self.timeline.add_corrected(light)
        if self.document.info is not None:
            self.clip_panel.show_analysed(light.analysed, self.document.info.frame_count)

    def _show_probe(self, probe: Probe | None) -> None:
        self.transport.show_probe("" if probe is None else probe.line)
        self.maps_panel.show_probe(probe)

    def _show_zoom(self) -> None:
        self.view_bar.show_zoom(self.compare.view.zoom)

    def _show_mode(self, mode: CompareMode) -> None:
        self.view_bar.show_mode(mode)
        self.actions_by_name["side"].setChecked(mode is CompareMode.SIDE)
        self.actions_by_name["wipe"].setChecked(mode is CompareMode.WIPE)

    def _use_size(self, size: Size | None) -> None:
        self.preview.set_size(size)
        self.status.show_size(self.document.info, size)

    def _show_map(self, kind: MapKind) -> None:
        self.maps_panel.show_kind(kind)
        self.preview.set_map_kind(kind)

    def _next_map(self) -> None:
        order = self.maps_panel.order
        self._show_map(order[(order.index(self.preview.map_kind) + 1) % len(order)])

    def _show_thumbnails(self, is_visible: bool) -> None:
        height = round(THUMBNAIL.height() * 1.5 * self.devicePixelRatioF())
        info = self.document.info
        if not is_visible or info is None:
            self.preview.set_thumbnail_size(None)
            return
        height = min(height, info.height)
        across = info.width * float(info.pixel_aspect)
        self.preview.set_thumbnail_size((height, min(info.width, max(2, round(across * height / info.height)))))

    def _compare_side(self) -> None:
        self.compare.set_mode(CompareMode.SIDE)
        self._show_mode(self.compare.mode)

    def _toggle_wipe(self) -> None:
        is_side = self.compare.mode is CompareMode.SIDE
        self.compare.set_mode(CompareMode.WIPE if is_side else CompareMode.SIDE)
        self._show_mode(self.compare.mode)

    def _zoom_by_action(self) -> None:
        zooms = {"fit": None, "zoom_1": 1.0, "zoom_2": 2.0, "zoom_4": 4.0, "zoom_8": 8.0}
        self.compare.view.set_zoom(zooms[self._sender_name()])

    def _step_by_action(self) -> None:
        info = self.document.info
        if info is None:
            return
        second = max(1, round(info.frame_rate))
        steps = {"back": -1, "forward": 1, "back_second": -second, "forward_second": second}
        name = self._sender_name()
        if name in steps:
            self._step(steps[name])
        else:
            self._seek(0 if name == "first" else info.frame_count - 1)

    def _show_panel(self) -> None:
        self.tabs.setCurrentIndex(["show_correct", "show_maps", "show_scopes", "show_clip"].index(self._sender_name()))

    def _lay_over(self) -> None:
        """One overlay at a time; the key of the one in sight takes it away."""
        kinds = {
            "clipping": Overlay.CLIPPING,
            "false_colour": Overlay.FALSE_COLOUR,
            "difference": Overlay.DIFFERENCE,
        }
        wanted = kinds[self._sender_name()]
        overlay = Overlay.NONE if self.preview.overlay is wanted else wanted
        for name, kind in kinds.items():
            self.actions_by_name[name].setChecked(kind is overlay)
        self.preview.set_overlay(overlay)

    def _sender_name(self) -> str:
        return self.sender().objectName()

    def _step(self, frames: int) -> None:
        self._seek(self.document.playhead + frames)

    def _seek(self, index: int) -> None:
        self.playback.stop()
        self.document.set_playhead(index)

    def _choose_clip(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self,
            "Open clip",
            str(self.preferences.last_folder),
            "Video (*.mp4 *.mov *.mkv *.m4v *.avi *.webm *.mts *.m2ts *.mxf *.mpg *.ts);;All files (*)",
        )
        if chosen:
            self.open_clip(Path(chosen))

    def _choose_sequence(self) -> None:
        endings = " ".join(f"*{ending} *{ending.upper()}" for ending in PICTURE_ENDINGS)
        chosen, _ = QFileDialog.getOpenFileName(
            self,
            "Open image sequence: choose any picture of it",
            str(self.preferences.last_folder),
            f"Pictures ({endings})",
        )
        if chosen:
            self.open_sequence(Path(chosen))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a folder of pictures", str(self.preferences.last_folder))
        if chosen:
            self.open_clip(Path(chosen))

    def _open_sample(self) -> None:
        try:
            self.open_clip(sample_clip())
        except VecnetError as error:
            self.notices.show_error(error.sentence)

    def _show_preferences(self) -> None:
        dialog = PreferencesDialog(self.preferences, self.status.device_label, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.preview.device_chosen.connect(dialog.show_device)
        dialog.open()

    def _show_keys(self) -> None:
        sheet = KeySheet(self.actions_by_name.sheet(), self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def _show_log(self) -> None:
        dialog = LogDialog(log_file(), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # Qt --------------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Space plays; but on a button that was reached by Tab it presses the button, as everywhere.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Space
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backslash and not event.isAutoRepeat():
            self.compare.hold_original(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backslash and not event.isAutoRepeat():
            self.compare.hold_original(False)
        else:
            super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.compare.hold_original(False)
        super().changeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.empty.show_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.empty.show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.empty.show_drop(False)
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.open_clip(*files)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.exports.is_running and not self._may_end_export():
            event.ignore()
            return
        self.preferences.set_shape("window", self.saveGeometry())
        self.preferences.set_shape("across", self.across.saveState())
        self.preferences.set_shape("down", self.down.saveState())
        self.playback.stop()
        # Out of sight at once: the export and the thread may take seconds to end.
        self.hide()
        self.exports.close()
        self.preview.close()
        super().closeEvent(event)

    def _may_end_export(self) -> bool:
        answer = QMessageBox.question(
            self,
            "An export is running",
            "Closing the editor stops the export. What is done is kept, and the next start of the editor offers to "
            "finish it. Close all the same?",
            QMessageBox.StandardButton.Close | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        return answer == QMessageBox.StandardButton.Close
