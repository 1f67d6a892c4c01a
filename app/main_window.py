"""The window: places the rooms and connects them; nothing is computed here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.actions import Actions
from app.cache_watch import CacheWatch
from app.comparison.compare_window import Comparisons
from app.document import Document
from app.export.exports import ChildCommand, Exports, own_command_line
from app.export.queue_room import QueueRoom
from app.inspector.clip_panel import ClipPanel
from app.inspector.correction_panel import CorrectionPanel
from app.inspector.maps_panel import THUMBNAIL, MapsPanel
from app.inspector.scopes_panel import ScopesPanel
from app.keys.key_sheet import KeySheet
from app.keys.shortcuts import Shortcuts
from app.notices import NoticeBar
from app.places import exports_folder, log_file
from app.playback import Playback, SoundPlayer
from app.preferences import Preferences, PreferencesDialog
from app.preview import Preview
from app.project.clip_warnings import ClipWarnings
from app.project.project_room import ProjectPlaces, ProjectRoom
from app.status import Status
from app.timeline.time_control import TimeControl
from app.timeline.timeline import Timeline
from app.timeline.transport import Transport
from app.viewer.compare import CompareView
from app.viewer.empty_state import EmptyState
from app.viewer.view_bar import ViewBar
from app.viewer.viewing import Viewing
from app.widgets.side import Side
from app.widgets.text_dialog import LogDialog
from app.window_shape import WindowShape
from app.words import for_window
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.map_pictures import MapKind
    from app.preview_worker import CorrectedLight, OpenRequest, PreviewResult
    from app.session import OpenSession
    from vecnet_core.disk_cache import DiskCache
    from vecnet_core.frame import VideoInfo

INSPECTOR_PX = 344
SIDE_PX = 264


class MainWindow(QMainWindow):
    """One clip, seen and corrected."""

    def __init__(
        self,
        open_session: OpenSession,
        preferences: Preferences,
        child_command: ChildCommand = own_command_line,
        memory: Callable[[], Path] = exports_folder,
        cache: DiskCache | None = None,
        places: ProjectPlaces = ProjectPlaces(),  # noqa: B008 - frozen
    ) -> None:
        """An empty window; nothing heavy is loaded before a clip is opened.

        Exports are noted in ``memory``; ``cache`` is the window's own, to be shown and cleared.
        """
        super().__init__()
        self.setWindowTitle("VECNet")
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self.preferences = preferences
        self.document = Document(self)
        self.preview = Preview(self.document, open_session, preferences.device, self)
        self.playback = Playback(self.document, self.preview, SoundPlayer(self), self)
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
        self.side = Side()
        self.exports = Exports(self.document, self.preview, preferences, self, memory, child_command)
        self.queue_room = QueueRoom(self.document, self.preview, self.exports, preferences, self.notices, self)
        self.comparisons = Comparisons(self)
        self.cache_watch = None if cache is None else CacheWatch(preferences, cache, self)
        self.actions_by_name = Actions(self)
        self.viewing = Viewing(
            self, self.compare, self.view_bar, self.preview, self.actions_by_name, preferences, self.notices
        )
        self.project = ProjectRoom(
            self.document, self.preview, preferences, open_session, self.notices, self.actions_by_name, places, self
        )
        self._warnings = ClipWarnings(self.notices)
        self._may_close = False
        self.time_control = TimeControl(
            self.document, self.preview, self.playback, self.timeline, self.transport, self.notices, preferences, self
        )
        self._place()
        self._connect()
        self._connect_actions()
        for button in self.findChildren(QAbstractButton):
            button.installEventFilter(self)
        self.setFocus()

    def open_clip(self, *paths: Path, decode: DecodeSettings = AS_IT_IS) -> None:
        """Open clips that join the project, or a project; a notice tells what cannot be opened.

        A clip is a video, a folder or a pattern of pictures; several pictures of a numbered series are one.
        """
        self.project.opening.open(*paths, decode=decode)

    def open_sequence(self, picture: Path) -> None:
        """Open the numbered series that one picture belongs to."""
        self.project.opening.open_sequence(picture)

    # Place -----------------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.project.around(self.compare), 1)
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
        self.side.place(self.project.clips.panel)
        self.side.place(self.queue_room.panel)
        self.across.addWidget(self.side)
        self.across.addWidget(left)
        self.across.addWidget(self.tabs)
        self.down = QSplitter(Qt.Orientation.Vertical)
        self.down.addWidget(self.across)
        self.down.addWidget(self.timeline)
        for splitter, sizes in ((self.across, [SIDE_PX, 1096 - SIDE_PX, INSPECTOR_PX]), (self.down, [496, 344])):
            splitter.setHandleWidth(8)
            splitter.setChildrenCollapsible(False)
            for place in range(splitter.count()):
                splitter.setStretchFactor(place, int(splitter.widget(place) in {left, self.across}))
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
        splitters = {"rooms": self.across, "down": self.down, "side": self.side}
        self.shape = WindowShape(self, splitters, self.tabs, self.preferences)
        self.shape.restore()

    # Connect ---------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        preview, document = self.preview, self.document
        preview.clip_opened.connect(self._use_clip)
        preview.clip_refused.connect(self._show_refusal)
        preview.clip_warned.connect(self._warnings.show)
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
        document.decode_changed.connect(self._show_reading)
        self.project.emptied.connect(self._show_nothing)
        self.project.close_agreed.connect(self._close_agreed)
        self.project.activity_changed.connect(self._show_activity)
        self.exports.job_started.connect(self.project.files.keep)
        self.correction_panel.place_on_top(self.project.preset_bar)
        self.empty.open_asked.connect(self.project.opening.choose_clips)
        self.empty.sample_asked.connect(self.project.opening.open_sample)
        self.view_bar.open_asked.connect(self.project.opening.choose_clips)
        self.view_bar.export_asked.connect(self.exports.show_dialog)
        self.viewing.fineness_changed.connect(self.status.show_fineness)
        self.viewing.region_set.connect(self.timeline.show_region)
        self.compare.probed.connect(self.maps_panel.show_probe)
        self.correction_panel.edit_asked.connect(document.edit)
        self.correction_panel.reset_asked.connect(document.reset_settings)
        self.clip_panel.decode_asked.connect(document.edit_decode)
        self.maps_panel.map_asked.connect(self._show_map)
        self.maps_panel.visibility_changed.connect(self._show_thumbnails)
        self.viewing.remember_scopes(self.scopes_panel)
        self.scopes_panel.scopes_asked.connect(preview.set_scopes)
        self.scopes_panel.scopes_asked.connect(self.viewing.note_scopes)
        preview.sound_decoded.connect(self.timeline.show_sound)
        self.exports.status_changed.connect(self.status.show_export)
        self.queue_room.comparison_asked.connect(self.comparisons.show)
        self.queue_room.use_actions(self.actions_by_name)
        if self.cache_watch is not None:
            self.cache_watch.told.connect(self.status.show_cache)
            self.cache_watch.refused.connect(self.notices.show_error)
            self.status.cache_asked.connect(self._show_preferences)
            preview.clip_opened.connect(self.cache_watch.look)
            self.exports.ended.connect(self.cache_watch.look)
        self.status.device_asked.connect(self._show_preferences)
        self.status.export_asked.connect(self.exports.show_dialog)
        self.preferences.device_changed.connect(preview.use_device)

    def _connect_actions(self) -> None:
        actions = self.actions_by_name
        actions.lend("undo", self.document.undo_stack.createUndoAction(self, "Undo"))
        actions.lend("redo", self.document.undo_stack.createRedoAction(self, "Redo"))
        actions.menus["&Edit"].insertSeparator(actions["reset"])
        actions["hold"].setAutoRepeat(False)
        actions["hold"].triggered.connect(self._hold_original)
        wanted = {
            "preferences": self._show_preferences,
            "quit": self.close,
            "reset": self.document.reset_settings,
            "next_map": self._next_map,
            "show_correct": self._show_panel,
            "show_maps": self._show_panel,
            "show_clip": self._show_panel,
            "show_scopes": self._show_panel,
            "keys": self._show_keys,
            "log": self._show_log,
        }
        for name, do in wanted.items():
            actions[name].setObjectName(name)
            actions[name].triggered.connect(do)
        self.time_control.connect_actions(actions)
        self.shortcuts = Shortcuts(actions, self.preferences, self)

    # What happens ----------------------------------------------------------------------------------------------------

    def _use_clip(self, request: OpenRequest, info: VideoInfo, warnings: tuple[str, ...]) -> None:
        if request.number is not None and request.number not in self.document.order:
            return  # Removed while it was being opened.
        self.notices.clear()
        self._warnings.begin()
        self.stack.setCurrentIndex(1)
        self._show_clip_rooms(True)
        if not request.is_again and request.number is None:
            self.setFocus()
        self.preferences.set_last_folder(info.path.parent)
        self.actions_by_name.enable_clip(True)
        self.view_bar.show_clip(info.path.name)
        self.time_control.use_clip(info)
        self.maps_panel.clear()
        self.scopes_panel.clear()
        self.status.show_clip(info)
        # The document first: what asks for a frame from here on asks for one of this clip.
        if request.is_again:
            self.document.use_reading(info, request.decode)
        else:
            self.document.use_clip(info, request.decode, request.number)
        self.clip_panel.show_clip(info, self.document.decode)
        self.compare.use_clip(info, keeps_view=request.is_again)
        self._show_thumbnails(self.maps_panel.isVisible())
        self._warnings.show(warnings)

    def _show_nothing(self, has_clips: bool) -> None:
        """No clip is at hand: what needs one rests."""
        self.playback.stop()
        self.actions_by_name.enable_clip(False)
        self.stack.setCurrentIndex(int(has_clips))
        self.view_bar.show_clip("")
        self.status.clear_clip()
        self._show_clip_rooms(False)

    def _show_clip_rooms(self, has_clip: bool) -> None:
        """What is only of use with a clip at hand."""
        for room in (self.timeline, self.transport):
            room.setVisible(has_clip)
        for panel in (self.correction_panel, self.maps_panel, self.scopes_panel, self.clip_panel):
            panel.setEnabled(has_clip)

    def _suggest_denoising(self) -> None:
        if self.document.suggest_denoise():
            self.notices.show_note(
                "This footage is dark and noisy: its noise is removed. Noise removal at 0 % keeps it."
            )

    def _show_error(self, sentence: str, details: str) -> None:
        self.notices.show_error(for_window(sentence), details)

    def _show_reading(self) -> None:
        if self.document.info is not None:
            self.clip_panel.show_reading(self.document.info, self.document.decode)

    def _show_refusal(self) -> None:
        self.document.keep_reading()
        self.empty.show_drop(False)

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

    def _show_corrected_light(self, light: CorrectedLight) -> None:
        self.timeline.add_corrected(light)
        if self.document.info is not None:
            self.clip_panel.show_analysed(light.analysed, self.document.info.frame_count)

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

    def _show_panel(self) -> None:
        self.tabs.setCurrentIndex(["show_correct", "show_maps", "show_scopes", "show_clip"].index(self._sender_name()))

    def _sender_name(self) -> str:
        return self.sender().objectName()

    def _show_preferences(self) -> None:
        dialog = PreferencesDialog(self.preferences, self.status.device_label, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.preview.device_chosen.connect(dialog.show_device)
        if self.cache_watch is not None:
            self.cache_watch.lend(dialog)
        dialog.open()

    def _show_keys(self) -> None:
        sheet = KeySheet(self.shortcuts, self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def _hold_original(self) -> None:
        self.compare.hold_original(True)

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

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if self.shortcuts.has_key("hold", event.key()) and not event.isAutoRepeat():
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
        if not self._may_close and not self.project.may_close():
            event.ignore()
            return
        if self.exports.is_running and not self._may_end_export():
            event.ignore()
            return
        self.viewing.leave_full_screen()
        self.shape.keep()
        self.playback.stop()
        # Out of sight at once: the export and the thread may take seconds to end.
        self.hide()
        self.time_control.close()
        self.comparisons.close()
        self.queue_room.close()
        self.project.close()
        if self.cache_watch is not None:
            self.cache_watch.close()
        self.preview.close()
        super().closeEvent(event)

    def _close_agreed(self) -> None:
        self._may_close = True
        self.close()
        self._may_close = False

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
