"""The look: neutral greys, dark or light, one accent, an 8 px grid, one font for controls and one for headings.

A colour of the theme in use is an attribute of this module: ``theme.TEXT`` is `Colors.text` of that theme. What asks
for it while it paints follows the theme by itself; what keeps it takes it anew at `QEvent.StyleChange`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

CONTROL_PX = 13
HEADING_PX = 15
FIGURE_PX = 20

SURROUND = "#303030"
"""Around the picture: the same neutral grey in every theme, so that a picture is judged the same in every theme."""


@dataclass(frozen=True)
class Colors:
    """The colours of a theme, ``#rrggbb`` or ``#aarrggbb``; none has a tint but what has a meaning.

    Attributes:
        window: Behind everything.
        panel: Of the panels and lists.
        raised: Of a button.
        hover: Of a button under the pointer.
        pressed: Of a button that is down.
        selected: Of what is chosen: a row, an entry of a menu, a segment.
        row: Of a row under the pointer.
        field: Of what is written or drawn into: fields, strips, wells.
        groove: Of the track of a slider.
        tip: Of a tooltip.
        notice: Of a notice.
        lit: Of the drop target under a file.
        line: Between things, and about them.
        edge: Of what is under the pointer.
        shade: Over what is not played.
        text: What is read.
        strong: What is read where it is chosen; the playhead.
        muted: What is read second.
        faint: What cannot be chosen now, and lines that are not read.
        accent: The one accent.
        accent_hover: Under the pointer.
        accent_text: On the accent.
        error: What went wrong.
        source_trace: Before.
        corrected_trace: After.
        sound_peak: Of the waveform.
        sound: Its loudness.
    """

    window: str
    panel: str
    raised: str
    hover: str
    pressed: str
    selected: str
    row: str
    field: str
    groove: str
    tip: str
    notice: str
    lit: str
    line: str
    edge: str
    shade: str
    text: str
    strong: str
    muted: str
    faint: str
    accent: str
    accent_hover: str
    accent_text: str
    error: str
    source_trace: str
    corrected_trace: str
    sound_peak: str
    sound: str


DARK = Colors(
    window="#1f1f1f",
    panel="#262626",
    raised="#333333",
    hover="#3d3d3d",
    pressed="#2b2b2b",
    selected="#404040",
    row="#2e2e2e",
    field="#1b1b1b",
    groove="#151515",
    tip="#111111",
    notice="#2e2a29",
    lit="#2c2a26",
    line="#3a3a3a",
    edge="#4a4a4a",
    shade="#960c0c0c",
    text="#dedede",
    strong="#ffffff",
    muted="#b0b0b0",
    faint="#6a6a6a",
    accent="#e0a03c",
    accent_hover="#ecb45a",
    accent_text="#1b1508",
    error="#f39a8b",
    source_trace="#8c8c8c",
    corrected_trace="#f0f0f0",
    sound_peak="#7c7c7c",
    sound="#c4c4c4",
)
LIGHT = Colors(
    window="#e2e2e2",
    panel="#efefef",
    raised="#fafafa",
    hover="#ffffff",
    pressed="#d6d6d6",
    selected="#cfcfcf",
    row="#e4e4e4",
    field="#ffffff",
    groove="#c4c4c4",
    tip="#ffffff",
    notice="#f8f4ee",
    lit="#f5eede",
    line="#c6c6c6",
    edge="#9c9c9c",
    shade="#58808080",
    text="#1e1e1e",
    strong="#000000",
    muted="#505050",
    faint="#8c8c8c",
    accent="#7d4d00",
    accent_hover="#643d00",
    accent_text="#ffffff",
    error="#a3160f",
    source_trace="#858585",
    corrected_trace="#141414",
    sound_peak="#a8a8a8",
    sound="#4a4a4a",
)
THEMES = {"dark": DARK, "light": LIGHT}

ON_PICTURE = DARK
"""What is written over a picture, or in a scope, stands on black in every theme."""

SURFACES = ("window", "panel", "raised", "hover", "pressed", "selected", "row", "field", "tip", "notice", "lit")
"""What may be written on, in each of `INKS`."""

INKS = ("text", "strong", "muted", "accent", "error")
"""What may be written with."""

_FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans"]

_STYLE_SHEET = """
QMainWindow::separator { background: %(window)s; }
QToolTip { background: %(tip)s; color: %(text)s; border: 1px solid %(line)s; padding: 4px 6px; }
QLabel[role="heading"] { font-size: %(heading_px)spx; font-weight: 600; }
QLabel[role="title"] { font-size: 24px; font-weight: 600; }
QLabel[role="hint"] { color: %(muted)s; }
QLabel[role="pane"] { color: %(muted)s; font-size: 11px; font-weight: 600; letter-spacing: 1px; }
QLabel[role="number"] { color: %(text)s; }
QLabel[role="small"] { color: %(muted)s; font-size: 11px; }
QLabel[role="error"] { color: %(error)s; }
QLabel[role="accent"] { color: %(accent)s; }
QLabel[role="figure"] { color: %(accent)s; font-size: %(figure_px)spx; font-weight: 600; }
QFrame[role="panel"], QWidget[role="panel"] { background: %(panel)s; }
QFrame[role="card"] { background: %(panel)s; border: 1px solid %(line)s; border-radius: 6px; }
QPushButton, QToolButton {
    background: %(raised)s; color: %(text)s; border: 1px solid %(line)s; border-radius: 4px; padding: 5px 12px; }
QComboBox QAbstractItemView { background: %(panel)s; border: 1px solid %(line)s;
    selection-background-color: %(selected)s; selection-color: %(strong)s; }
QPushButton:hover, QToolButton:hover { background: %(hover)s; border-color: %(edge)s; }
QPushButton:pressed, QToolButton:pressed { background: %(pressed)s; }
QPushButton:focus, QToolButton:focus { border-color: %(accent)s; }
QPushButton:disabled, QToolButton:disabled { color: %(faint)s; background: %(panel)s; }
QPushButton[role="primary"] {
    background: %(accent)s; color: %(accent_text)s; border-color: %(accent)s; font-weight: 600; }
QPushButton[role="primary"]:hover { background: %(accent_hover)s; border-color: %(accent_hover)s; }
QPushButton[role="primary"]:focus { border-color: %(strong)s; }
QPushButton[role="primary"]:disabled { background: %(raised)s; color: %(faint)s; border-color: %(line)s; }
QToolButton[role="flat"], QPushButton[role="flat"] {
    background: transparent; border: 1px solid transparent; padding: 5px; }
QToolButton[role="flat"]:hover, QPushButton[role="flat"]:hover { background: %(raised)s; }
QToolButton[role="flat"]:focus, QPushButton[role="flat"]:focus { border-color: %(accent)s; }
QPushButton[role="section"] { text-align: left; border: none; background: transparent; padding: 6px 0;
    font-size: %(heading_px)spx; font-weight: 600; }
QPushButton[role="section"]:hover { color: %(strong)s; }
QPushButton[role="section"]:focus { color: %(accent)s; }
QFrame[role="notice"] { background: %(notice)s; border: 1px solid %(line)s; border-left: 3px solid %(accent)s;
    border-radius: 4px; }
QFrame[role="notice"][kind="error"] { border-left-color: %(error)s; }
QTreeView { show-decoration-selected: 1; }
QTreeView[role="panel"] { background: %(panel)s; border: 1px solid %(line)s; }
QTreeView::item { padding: 3px 4px; }
QTreeView::item:hover { background: %(row)s; }
QTreeView::item:selected { background: %(selected)s; color: %(strong)s; }
QHeaderView::section { background: %(panel)s; color: %(muted)s; border: none; padding: 4px 8px; }
QListView[role="panel"] { background: %(panel)s; border: none; outline: none; }
QToolButton[role="segment"] { border-radius: 0; padding: 5px 14px; min-width: 40px; }
QToolButton[role="segment"][place="first"] { border-top-left-radius: 4px; border-bottom-left-radius: 4px; }
QToolButton[role="segment"][place="last"] {
    border-top-right-radius: 4px; border-bottom-right-radius: 4px; border-left: none; }
QToolButton[role="segment"]:checked { background: %(selected)s; color: %(strong)s; }
QLineEdit, QAbstractSpinBox {
    background: %(field)s; border: 1px solid %(line)s; border-radius: 4px; padding: 4px 8px;
    selection-background-color: %(accent)s; selection-color: %(accent_text)s; }
QLineEdit:focus, QAbstractSpinBox:focus { border-color: %(accent)s; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QCheckBox::indicator:unchecked {
    width: 13px; height: 13px; background: %(field)s; border: 1px solid %(faint)s; border-radius: 2px; }
QTabWidget::pane { border: none; background: %(panel)s; }
QTabBar { background: %(window)s; }
QTabBar::tab { background: %(window)s; color: %(muted)s; padding: 9px 20px; border-top: 2px solid transparent; }
QTabBar::tab:selected { background: %(panel)s; color: %(text)s; border-top-color: %(accent)s; }
QTabBar::tab:hover:!selected { color: %(text)s; }
QMenuBar { background: %(window)s; padding: 2px 8px; }
QMenuBar::item { padding: 5px 10px; border-radius: 4px; }
QMenuBar::item:selected { background: %(raised)s; }
QMenu { background: %(panel)s; border: 1px solid %(line)s; padding: 6px; }
QMenu::item { padding: 6px 28px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: %(selected)s; color: %(strong)s; }
QMenu::item:disabled { color: %(faint)s; }
QMenu::separator { height: 1px; background: %(line)s; margin: 6px 8px; }
QStatusBar { background: %(window)s; color: %(muted)s; }
QStatusBar::item { border: none; }
QSplitter::handle { background: %(window)s; }
QSplitter::handle:hover { background: %(line)s; }
QProgressBar { background: %(field)s; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: %(accent)s; border-radius: 3px; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: %(edge)s; border-radius: 4px; min-height: 32px; margin: 1px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
"""

_colors = DARK


def __getattr__(name: str) -> str:
    """A colour of the theme in use."""
    if name.isupper() and name.lower() in Colors.__dataclass_fields__:
        return getattr(_colors, name.lower())
    raise AttributeError(f"the theme has no colour {name!r}")


def color(name: str) -> str:
    """A colour of the theme in use by its name in `Colors`, such as ``accent_text``."""
    return getattr(_colors, name)


def control_font() -> QFont:
    """The one font of controls: a humanist sans with tabular figures where the font has both kinds."""
    present = set(QFontDatabase.families())
    font = QFont([name for name in _FAMILIES if name in present] or [QApplication.font().family()])
    font.setPixelSize(CONTROL_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def palette(colors: Colors) -> QPalette:
    """The Fusion palette of a theme."""
    roles = QPalette.ColorRole
    by_role = {
        roles.Window: colors.window,
        roles.WindowText: colors.text,
        roles.Base: colors.field,
        roles.AlternateBase: colors.panel,
        roles.Text: colors.text,
        roles.Button: colors.raised,
        roles.ButtonText: colors.text,
        roles.BrightText: colors.strong,
        roles.ToolTipBase: colors.tip,
        roles.ToolTipText: colors.text,
        roles.PlaceholderText: colors.muted,
        roles.Highlight: colors.accent,
        roles.HighlightedText: colors.accent_text,
        roles.Accent: colors.accent,
        roles.Link: colors.accent,
        roles.Light: colors.edge,
        roles.Midlight: colors.hover,
        roles.Mid: colors.line,
        roles.Dark: colors.groove,
        roles.Shadow: colors.groove,
    }
    made = QPalette()
    for role, name in by_role.items():
        made.setColor(role, QColor(name))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(colors.faint))
    return made


def apply_theme(application: QApplication, name: str = "dark") -> None:
    """Give the whole application the look of a theme of `THEMES`, at once."""
    global _colors
    _colors = THEMES[name]
    application.setStyle(QStyleFactory.create("Fusion"))
    application.setPalette(palette(_colors))
    application.setFont(control_font())
    sizes = {"heading_px": HEADING_PX, "figure_px": FIGURE_PX}
    application.setStyleSheet(_STYLE_SHEET % (asdict(_colors) | sizes))


def give_role(widget: QWidget, role: str) -> None:
    """Have the style sheet treat a widget as one of another role."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
