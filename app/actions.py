"""Everything the window can be asked to do: its name, its keys, its place in the menus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow


@dataclass(frozen=True)
class Entry:
    """One thing the window can be asked to do.

    Attributes:
        name: By which code calls it.
        menu: Which menu it hangs in.
        text: In the menu, with its mnemonic.
        keys: By default, as `QKeySequence` writes them; the first is the one that is told.
        tip: What it does, where the text does not say it all.
        needs_clip: Rests while no clip is open.
        is_checkable: Is on or off.
        starts_group: A line goes before it in the menu.
        is_in_menu: False for what only a key makes sense for.
        is_lent: Its action is made elsewhere, and given to `Actions.lend`.
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    needs_clip: bool = True
    is_checkable: bool = False
    starts_group: bool = False
    is_in_menu: bool = True
    is_lent: bool = False

    @property
    def title(self) -> str:
        """The text as it is read."""
        return self.text.replace("&", "").rstrip("…")

    @property
    def group(self) -> str:
        """Where the sheet of keys has it: the menu, as it is read."""
        return self.menu.replace("&", "")


ENTRIES: tuple[Entry, ...] = (
    Entry("new", "&File", "&New project", ("Ctrl+N",), "Begin anew, without clips", needs_clip=False),
    Entry("open", "&File", "&Open clips…", ("Ctrl+O",), "Choose video files; they join the project", needs_clip=False),
    Entry(
        "open_sequence",
        "&File",
        "Open image se&quence…",
        ("Ctrl+Shift+O",),
        "Choose any picture of a numbered series: a timelapse, a render",
        needs_clip=False,
    ),
    Entry("open_folder", "&File", "Open &folder of pictures…", (), "All pictures of a folder", needs_clip=False),
    Entry("sample", "&File", "Open the sa&mple clip", (), "A badly exposed clip to try", needs_clip=False),
    Entry(
        "open_project",
        "&File",
        "Open pro&ject…",
        ("Ctrl+Alt+O",),
        "Choose a project that was saved",
        needs_clip=False,
        starts_group=True,
    ),
    Entry("save", "&File", "&Save project", ("Ctrl+S",), "Clips, sliders, ranges and outputs", needs_clip=False),
    Entry("save_as", "&File", "Save project &as…", ("Ctrl+Shift+S",), "Under another name", needs_clip=False),
    Entry("close_project", "&File", "&Close project", ("Ctrl+W",), "Away with all its clips", needs_clip=False),
    Entry("export", "&File", "&Export…", ("Ctrl+E",), "Write the corrected clip", starts_group=True),
    Entry(
        "queue",
        "&File",
        "Add to &queue",
        ("Ctrl+Shift+E",),
        "Export the clip later as it is corrected now, with the choices of the last export",
    ),
    Entry("queue_all", "&File", "Add a&ll clips to queue", (), "Export every clip of the project, one after another"),
    Entry(
        "preferences", "&File", "&Preferences…", ("Ctrl+,",), "Device, look, cache", needs_clip=False, starts_group=True
    ),
    Entry("quit", "&File", "&Quit", ("Ctrl+Q",), "Close the editor", needs_clip=False, starts_group=True),
    Entry("undo", "&Edit", "&Undo", ("Ctrl+Z",), "The last edit", needs_clip=False, is_lent=True),
    Entry("redo", "&Edit", "Re&do", ("Ctrl+Shift+Z", "Ctrl+Y"), "What was undone", needs_clip=False, is_lent=True),
    Entry("reset", "&Edit", "&Reset correction", ("Ctrl+R",), "Every slider to its default", starts_group=True),
    Entry("copy_settings", "&Edit", "&Copy settings", ("Ctrl+Shift+C",), "How this clip is corrected"),
    Entry("paste_settings", "&Edit", "&Paste settings", ("Ctrl+Shift+V",), "Correct this clip as the one copied from"),
    Entry("copy_to_all", "&Edit", "Copy settings to &all clips", ("Ctrl+Alt+V",), "Correct all clips as this one"),
    Entry("side", "&View", "&Side by side", (), "Original and corrected beside each other", is_checkable=True),
    Entry("wipe", "&View", "&Wipe", ("W",), "Both in one pane with a divider to drag", is_checkable=True),
    Entry("difference", "&View", "&Difference", ("D",), "What the correction changed, exaggerated", is_checkable=True),
    Entry("onion", "&View", "&Onion skin", (), "One over the other, with an opacity to choose", is_checkable=True),
    Entry("toggle", "&View", "&Toggle", (), "One at a time: a click or X shows the other", is_checkable=True),
    Entry("next_mode", "&View", "Next compare &mode", ("V",), "Side, wipe, difference, onion skin, toggle"),
    Entry("swap", "&View", "Swap the pictures", ("X",), "Left and right, over and under, one and the other"),
    Entry("hold", "&View", "Hold: original instead of corrected", ("\\",), needs_clip=False, is_in_menu=False),
    Entry("fit", "&View", "&Fit", ("F",), "The whole picture", starts_group=True),
    Entry("zoom_1", "&View", "Zoom &100 %", ("1",), "One source pixel on one screen pixel"),
    Entry("zoom_2", "&View", "Zoom &200 %", ("2",)),
    Entry("zoom_4", "&View", "Zoom &400 %", ("4",)),
    Entry("zoom_8", "&View", "Zoom &800 %", ("8",)),
    Entry(
        "clipping",
        "&View",
        "Clip&ping",
        ("Z",),
        "Zebra where detail is lost: in the source, or only by the correction",
        is_checkable=True,
        starts_group=True,
    ),
    Entry("false_colour", "&View", "Fal&se colour", ("Shift+Z",), "Exposure in bands of stops", is_checkable=True),
    Entry("pin", "&View", "&Pin the pixel", ("P",), "Watch the pixel under the pointer; on a pin, take it away"),
    Entry("clear_pins", "&View", "Remove all pins", ("Shift+P",)),
    Entry(
        "region",
        "&View",
        "Measure a &region",
        ("R",),
        "Drag a rectangle: lanes and flicker are of what lies in it; R once more takes what is in sight",
    ),
    Entry("cancel", "&View", "Cancel the tool", ("Esc",), "Put the tool away, clear the region, leave full screen"),
    Entry("full_screen", "&View", "F&ull screen", ("F11",), "Nothing but the pictures", is_checkable=True),
    Entry("next_map", "&View", "&Next map", ("M",), "Result, gain, reflectance, illumination…", starts_group=True),
    Entry(
        "show_clips",
        "&View",
        "C&lips list",
        ("Ctrl+L",),
        "The clips of the project, on the left",
        needs_clip=False,
        is_checkable=True,
        starts_group=True,
    ),
    Entry("show_correct", "&View", "&Correct panel", ("Ctrl+1",), needs_clip=False),
    Entry("show_maps", "&View", "Ma&ps panel", ("Ctrl+2",), needs_clip=False),
    Entry("show_scopes", "&View", "Sc&opes panel", ("S", "Ctrl+3"), "Waveform, parade, histogram", needs_clip=False),
    Entry("show_clip", "&View", "C&lip panel", ("Ctrl+4",), needs_clip=False),
    Entry(
        "show_queue",
        "&View",
        "Export &queue",
        ("Ctrl+Alt+E",),
        "What waits to be exported, on the left",
        needs_clip=False,
        is_checkable=True,
    ),
    Entry("play", "&Clip", "&Play or pause", ("Space",)),
    Entry("shuttle_back", "&Clip", "Play &back", ("J",), "Backwards; again for 2, 4 and 8 times the speed"),
    Entry("pause", "&Clip", "Pa&use", ("K",)),
    Entry("shuttle_on", "&Clip", "Play &on", ("L",), "Forwards; again for 2, 4 and 8 times the speed"),
    Entry("around", "&Clip", "Play &around here", (",",), "To and fro over 15 frames on both sides; again ends it"),
    Entry("loop", "&Clip", "Next &loop", ("Shift+L",), "At the end: stop, begin again, or turn round"),
    Entry("mute", "&Clip", "&Mute", ("Shift+M",), "Play without sound", is_checkable=True),
    Entry("mark_in", "&Clip", "Set &in point", ("I",), "What is played and exported begins here", starts_group=True),
    Entry("mark_out", "&Clip", "Set &out point", ("O",), "What is played and exported ends here"),
    Entry("clear_in", "&Clip", "Clear in point", ("Alt+I",)),
    Entry("clear_out", "&Clip", "Clear out point", ("Alt+O",)),
    Entry("back", "&Clip", "One frame back", ("Left",), starts_group=True),
    Entry("forward", "&Clip", "One frame &on", ("Right",)),
    Entry("back_second", "&Clip", "One second back", ("Shift+Left",)),
    Entry("forward_second", "&Clip", "One second on", ("Shift+Right",)),
    Entry("first", "&Clip", "&First frame", ("Home",), starts_group=True),
    Entry("last", "&Clip", "&Last frame", ("End",)),
    Entry("previous_cut", "&Clip", "Pre&vious cut", ("Up",), "Where this scene begins, or the one before"),
    Entry("next_cut", "&Clip", "&Next cut", ("Down",), "Where the next scene begins"),
    Entry("time_in", "&View", "Zoom in on the timeline", ("=", "+"), "About the playhead", starts_group=True),
    Entry("time_out", "&View", "Zoom out of the timeline", ("-",), "About the playhead"),
    Entry("time_all", "&View", "The whole clip on the timeline", ("Shift+F",)),
    Entry("next_clip", "&Clip", "&Next clip", ("Ctrl+PgDown",), "Of the project", needs_clip=False, starts_group=True),
    Entry("previous_clip", "&Clip", "Pre&vious clip", ("Ctrl+PgUp",), "Of the project", needs_clip=False),
    Entry(
        "remove_clip", "&Clip", "&Remove clip", ("Ctrl+Del",), "Out of the project; the file stays", needs_clip=False
    ),
    Entry("find_missing", "&Clip", "Find &missing clips…", (), "Look for them in a folder", needs_clip=False),
    Entry("keys", "&Help", "&Keyboard shortcuts", ("?", "F1"), "All keys on one sheet", needs_clip=False),
    Entry("log", "&Help", "Show &log", (), "The log, for bug reports", needs_clip=False, starts_group=True),
)

MENUS = ("&File", "&Edit", "&View", "&Clip", "&Help")

MOUSE: list[tuple[str, str]] = [
    ("Ctrl + wheel", "Zoom about the pointer"),
    ("Drag", "Pan a zoomed picture"),
    ("Drag divider", "Wipe"),
    ("Drag a pin", "Watch another pixel; right-click removes"),
    ("Double-click", "Fit; on a slider, reset"),
    ("Click a lane", "Go to that frame"),
    ("Wheel on a lane", "Zoom in time"),
    ("Shift + wheel", "Scroll in time"),
    ("Drag ruler ends", "In and out point"),
]


class Actions:
    """The actions of one window, by name, hung into its menus.

    Attributes:
        by_name: Every action.
    """

    def __init__(self, window: QMainWindow) -> None:
        """Make all actions and menus; who does them is connected by the window."""
        self.by_name: dict[str, QAction] = {}
        self._window = window
        self._needing_clip: list[QAction] = []
        self.menus = {title: window.menuBar().addMenu(title) for title in MENUS}
        for entry in ENTRIES:
            if entry.is_lent:
                continue
            action = QAction(entry.text, window)
            action.setShortcuts([QKeySequence(key) for key in entry.keys])
            action.setToolTip(entry.tip or entry.text.replace("&", ""))
            action.setStatusTip(action.toolTip())
            action.setCheckable(entry.is_checkable)
            menu = self.menus[entry.menu]
            if entry.starts_group and menu.actions():
                menu.addSeparator()
            if entry.is_in_menu:
                menu.addAction(action)
            else:
                window.addAction(action)
            self.by_name[entry.name] = action
            if entry.needs_clip:
                self._needing_clip.append(action)
        self.enable_clip(False)

    def __getitem__(self, name: str) -> QAction:
        """The action called ``name``."""
        return self.by_name[name]

    def enable_clip(self, has_clip: bool) -> None:
        """Allow what needs a clip."""
        for action in self._needing_clip:
            action.setEnabled(has_clip)

    def lend(self, name: str, action: QAction) -> None:
        """Put an action that was made elsewhere at the top of its menu, with the keys and the tip of its entry."""
        entry = next(entry for entry in ENTRIES if entry.name == name)
        action.setShortcuts([QKeySequence(key) for key in entry.keys])
        action.setToolTip(entry.tip)
        action.setStatusTip(entry.tip)
        menu = self.menus[entry.menu]
        menu.insertAction(menu.actions()[sum(other.is_lent for other in ENTRIES if other.name in self.by_name)], action)
        self.by_name[name] = action
