"""Everything the window can be asked to do: its name, its keys, its place in the menus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow


@dataclass(frozen=True)
class _Entry:
    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    needs_clip: bool = True
    is_checkable: bool = False
    starts_group: bool = False


_ENTRIES = (
    _Entry("open", "&File", "&Open clip…", ("Ctrl+O",), "Choose a video file", needs_clip=False),
    _Entry(
        "open_sequence",
        "&File",
        "Open image se&quence…",
        ("Ctrl+Shift+O",),
        "Choose any picture of a numbered series: a timelapse, a render",
        needs_clip=False,
    ),
    _Entry("open_folder", "&File", "Open &folder of pictures…", (), "All pictures of a folder", needs_clip=False),
    _Entry("sample", "&File", "Open the &sample clip", (), "A badly exposed clip to try", needs_clip=False),
    _Entry("export", "&File", "&Export…", ("Ctrl+E",), "Write the corrected clip", starts_group=True),
    _Entry("preferences", "&File", "&Preferences…", ("Ctrl+,",), "Compute device", needs_clip=False, starts_group=True),
    _Entry("quit", "&File", "&Quit", ("Ctrl+Q",), "Close the editor", needs_clip=False, starts_group=True),
    _Entry("reset", "&Edit", "&Reset correction", ("Ctrl+R",), "Every slider to its default", starts_group=True),
    _Entry("side", "&View", "&Side by side", (), "Original and corrected beside each other", is_checkable=True),
    _Entry("wipe", "&View", "&Wipe", ("W",), "Both in one pane with a divider to drag", is_checkable=True),
    _Entry("next_mode", "&View", "Next compare &mode", ("V",), "Side by side, then wipe"),
    _Entry("fit", "&View", "&Fit", ("F",), "The whole picture", starts_group=True),
    _Entry("zoom_1", "&View", "Zoom &100 %", ("1",), "One source pixel on one screen pixel"),
    _Entry("zoom_2", "&View", "Zoom &200 %", ("2",)),
    _Entry("zoom_4", "&View", "Zoom &400 %", ("4",)),
    _Entry("zoom_8", "&View", "Zoom &800 %", ("8",)),
    _Entry(
        "clipping",
        "&View",
        "Clip&ping",
        ("Z",),
        "Zebra where detail is lost: in the source, or only by the correction",
        is_checkable=True,
        starts_group=True,
    ),
    _Entry("false_colour", "&View", "Fal&se colour", ("Shift+Z",), "Exposure in bands of stops", is_checkable=True),
    _Entry("difference", "&View", "&Difference", ("D",), "What the correction changed, exaggerated", is_checkable=True),
    _Entry("next_map", "&View", "&Next map", ("M",), "Result, gain, reflectance, illumination…", starts_group=True),
    _Entry("show_correct", "&View", "&Correct panel", ("Ctrl+1",), needs_clip=False),
    _Entry("show_maps", "&View", "Ma&ps panel", ("Ctrl+2",), needs_clip=False),
    _Entry("show_scopes", "&View", "Sc&opes panel", ("S", "Ctrl+3"), "Waveform, parade, histogram", needs_clip=False),
    _Entry("show_clip", "&View", "C&lip panel", ("Ctrl+4",), needs_clip=False),
    _Entry("play", "&Clip", "&Play or pause", ("Space",)),
    _Entry("back", "&Clip", "One frame &back", ("Left",)),
    _Entry("forward", "&Clip", "One frame &on", ("Right",)),
    _Entry("back_second", "&Clip", "One second back", ("Shift+Left",)),
    _Entry("forward_second", "&Clip", "One second on", ("Shift+Right",)),
    _Entry("first", "&Clip", "&First frame", ("Home",), starts_group=True),
    _Entry("last", "&Clip", "&Last frame", ("End",)),
    _Entry("keys", "&Help", "&Keyboard shortcuts", ("?", "F1"), "All keys on one sheet", needs_clip=False),
    _Entry("log", "&Help", "Show &log", (), "The log, for bug reports", needs_clip=False, starts_group=True),
)

MENUS = ("&File", "&Edit", "&View", "&Clip", "&Help")

MOUSE: list[tuple[str, str]] = [
    ("Ctrl + wheel", "Zoom about the pointer"),
    ("Drag", "Pan a zoomed picture"),
    ("Drag divider", "Wipe"),
    ("Double-click", "Fit; on a slider, reset"),
    ("Click a lane", "Go to that frame"),
    ("Wheel on a lane", "Zoom in time"),
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
        for entry in _ENTRIES:
            action = QAction(entry.text, window)
            action.setShortcuts([QKeySequence(key) for key in entry.keys])
            action.setToolTip(entry.tip or entry.text.replace("&", ""))
            action.setStatusTip(action.toolTip())
            action.setCheckable(entry.is_checkable)
            menu = self.menus[entry.menu]
            if entry.starts_group and menu.actions():
                menu.addSeparator()
            menu.addAction(action)
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

    def sheet(self) -> dict[str, list[tuple[str, str]]]:
        """Keys and what they do, in groups."""
        groups: dict[str, list[tuple[str, str]]] = {"Clip": [], "View": [], "File and edit": []}
        homes = {"&Clip": "Clip", "&View": "View"}
        for entry in _ENTRIES:
            if entry.keys:
                text = entry.text.replace("&", "").rstrip("…")
                groups[homes.get(entry.menu, "File and edit")].append((_shown(entry.keys[0]), text))
        groups["View"].append(("\\", "Hold: original instead of corrected"))
        groups["File and edit"] += [("Ctrl + Z", "Undo"), ("Ctrl + Shift + Z", "Redo")]
        groups["Mouse"] = MOUSE
        return groups


def _shown(keys: str) -> str:
    words = {"Left": "←", "Right": "→"}
    return " + ".join(words.get(part, part) for part in keys.split("+"))
