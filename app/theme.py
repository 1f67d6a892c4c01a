"""The look: a neutral dark palette, one accent, an 8 px grid, one font for controls and one for headings."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

WINDOW = "#1f1f1f"
PANEL = "#262626"
SURROUND = "#303030"
RAISED = "#333333"
LINE = "#3a3a3a"
TEXT = "#dedede"
MUTED = "#9a9a9a"
FAINT = "#6a6a6a"
ACCENT = "#e0a03c"
ACCENT_HOVER = "#ecb45a"
ACCENT_TEXT = "#1b1508"
ERROR = "#e5705f"
SOURCE_TRACE = "#8c8c8c"
CORRECTED_TRACE = "#f0f0f0"
CONTROL_PX = 13
HEADING_PX = 15

_FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans"]

_STYLE_SHEET = f"""
QMainWindow::separator {{ background: {WINDOW}; }}
QToolTip {{ background: #111111; color: {TEXT}; border: 1px solid {LINE}; padding: 4px 6px; }}
QLabel[role="heading"] {{ font-size: {HEADING_PX}px; font-weight: 600; }}
QLabel[role="title"] {{ font-size: 24px; font-weight: 600; }}
QLabel[role="hint"] {{ color: {MUTED}; }}
QLabel[role="pane"] {{ color: {MUTED}; font-size: 11px; font-weight: 600; letter-spacing: 1px; }}
QLabel[role="number"] {{ color: {TEXT}; }}
QFrame[role="panel"], QWidget[role="panel"] {{ background: {PANEL}; }}
QFrame[role="card"] {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; }}
QPushButton, QToolButton {{
    background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; border-radius: 4px; padding: 5px 12px; }}
QComboBox QAbstractItemView {{ background: {PANEL}; border: 1px solid {LINE}; selection-background-color: #4a4a4a; }}
QPushButton:hover, QToolButton:hover {{ background: #3d3d3d; border-color: #4a4a4a; }}
QPushButton:pressed, QToolButton:pressed {{ background: #2b2b2b; }}
QPushButton:focus, QToolButton:focus {{ border-color: {ACCENT}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {FAINT}; background: #2a2a2a; }}
QPushButton[role="primary"] {{ background: {ACCENT}; color: {ACCENT_TEXT}; border-color: {ACCENT}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {ACCENT_HOVER}; border-color: {ACCENT_HOVER}; }}
QPushButton[role="primary"]:focus {{ border-color: #ffffff; }}
QPushButton[role="primary"]:disabled {{ background: #3a352b; color: #7d7566; border-color: #3a352b; }}
QToolButton[role="flat"], QPushButton[role="flat"] {{
    background: transparent; border: 1px solid transparent; padding: 5px; }}
QToolButton[role="flat"]:hover, QPushButton[role="flat"]:hover {{ background: {RAISED}; }}
QToolButton[role="flat"]:focus, QPushButton[role="flat"]:focus {{ border-color: {ACCENT}; }}
QToolButton[role="segment"] {{ border-radius: 0; padding: 5px 14px; min-width: 40px; }}
QToolButton[role="segment"][place="first"] {{ border-top-left-radius: 4px; border-bottom-left-radius: 4px; }}
QToolButton[role="segment"][place="last"] {{
    border-top-right-radius: 4px; border-bottom-right-radius: 4px; border-left: none; }}
QToolButton[role="segment"]:checked {{ background: #505050; color: #ffffff; }}
QLineEdit, QAbstractSpinBox {{
    background: #1b1b1b; border: 1px solid {LINE}; border-radius: 4px; padding: 4px 8px;
    selection-background-color: {ACCENT}; selection-color: {ACCENT_TEXT}; }}
QLineEdit:focus, QAbstractSpinBox:focus {{ border-color: {ACCENT}; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; }}
QCheckBox::indicator:unchecked {{
    width: 13px; height: 13px; background: #1b1b1b; border: 1px solid {FAINT}; border-radius: 2px; }}
QTabWidget::pane {{ border: none; background: {PANEL}; }}
QTabBar {{ background: {WINDOW}; }}
QTabBar::tab {{ background: {WINDOW}; color: {MUTED}; padding: 9px 20px; border-top: 2px solid transparent; }}
QTabBar::tab:selected {{ background: {PANEL}; color: {TEXT}; border-top-color: {ACCENT}; }}
QTabBar::tab:hover:!selected {{ color: {TEXT}; }}
QMenuBar {{ background: {WINDOW}; padding: 2px 8px; }}
QMenuBar::item {{ padding: 5px 10px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {RAISED}; }}
QMenu {{ background: {PANEL}; border: 1px solid {LINE}; padding: 6px; }}
QMenu::item {{ padding: 6px 28px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: #444444; }}
QMenu::item:disabled {{ color: {FAINT}; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 6px 8px; }}
QStatusBar {{ background: {WINDOW}; color: {MUTED}; }}
QStatusBar::item {{ border: none; }}
QSplitter::handle {{ background: {WINDOW}; }}
QSplitter::handle:hover {{ background: {LINE}; }}
QProgressBar {{ background: #1b1b1b; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 3px; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: #4a4a4a; border-radius: 4px; min-height: 32px; margin: 1px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
"""


def control_font() -> QFont:
    """The one font of controls: a humanist sans with tabular figures where the font has both kinds."""
    present = set(QFontDatabase.families())
    font = QFont([name for name in _FAMILIES if name in present] or [QApplication.font().family()])
    font.setPixelSize(CONTROL_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def palette() -> QPalette:
    """The Fusion palette of the dark theme; without tint, so that a picture is not tinted by its surroundings."""
    roles = QPalette.ColorRole
    colors = {
        roles.Window: WINDOW,
        roles.WindowText: TEXT,
        roles.Base: "#1b1b1b",
        roles.AlternateBase: PANEL,
        roles.Text: TEXT,
        roles.Button: RAISED,
        roles.ButtonText: TEXT,
        roles.BrightText: "#ffffff",
        roles.ToolTipBase: "#111111",
        roles.ToolTipText: TEXT,
        roles.PlaceholderText: FAINT,
        roles.Highlight: ACCENT,
        roles.HighlightedText: ACCENT_TEXT,
        roles.Accent: ACCENT,
        roles.Link: ACCENT,
        roles.Light: "#4a4a4a",
        roles.Midlight: "#404040",
        roles.Mid: LINE,
        roles.Dark: "#181818",
        roles.Shadow: "#0f0f0f",
    }
    made = QPalette()
    for role, color in colors.items():
        made.setColor(role, QColor(color))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(FAINT))
    return made


def apply_theme(application: QApplication) -> None:
    """Give the whole application its look."""
    application.setStyle(QStyleFactory.create("Fusion"))
    application.setPalette(palette())
    application.setFont(control_font())
    application.setStyleSheet(_STYLE_SHEET)
