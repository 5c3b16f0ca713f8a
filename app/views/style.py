"""The desk's look: a dark palette, one grid of 4 pixels, one accent.

Contrast of text on its ground is at least 4.5 to 1 (WCAG 2.1, 1.4.3); a test computes it. Colour is
never the only cue.
"""

from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

RESOURCES = Path(__file__).resolve().parents[2] / "resources"

GROUND = "#14171a"
PANEL = "#1b1f23"
RAISED = "#262b31"
HOVER = "#2e343b"
LINE = "#343b43"
EDGE = "#6a747e"
FIELD = "#101316"
TEXT = "#dce1e6"
MUTED = "#98a2ad"
ACCENT = "#6cb2ee"
ACCENT_GROUND = "#1e3a52"
ACCENT_HOVER = "#86c1f2"
ON_ACCENT = "#0b1319"
DISABLED = "#6f7983"
BAR = "#4d86b4"
GOOD = "#85cf97"
WARN = "#e6bd62"
BAD = "#f0957f"
WARN_GROUND = "#3a3118"
WARN_LINE = "#5a4a1e"
SCAN_GROUND = "#000000"
ON_SCAN_OPACITY = 190
"""Of the black behind text on a scan, of 255: what is left of white bone or paper."""

WINDOW_FRAME = QSize(16, 48)
"""Room for what the system draws around a window: how much, it tells only once one is shown."""
GRID = 8
ROW_HEIGHT = 32
BUTTON_HEIGHT = 28


def text_on_ground() -> tuple[tuple[str, str], ...]:
    """The pairs of text and ground that the desk uses; a test checks their contrast."""
    texts = (TEXT, MUTED, ACCENT, GOOD, WARN, BAD)
    pairs = [(text, ground) for text in texts for ground in (GROUND, PANEL, RAISED, FIELD)]
    pairs += [(WARN, WARN_GROUND), (ON_ACCENT, ACCENT_HOVER)]
    pairs += [(TEXT, ACCENT_GROUND), (TEXT, HOVER), (ON_ACCENT, ACCENT), (TEXT, SCAN_GROUND)]
    pairs += [(TEXT, on_white_scan()), (WARN, on_white_scan()), (MUTED, ACCENT_GROUND)]
    return tuple(pairs)


def on_white_scan() -> str:
    """The ground of text over the whitest part of a scan."""
    return QColor(*[255 - ON_SCAN_OPACITY] * 3).name()


def shapes_on_ground() -> tuple[tuple[str, str], ...]:
    """Edges, bars and signs that tell something, and what they stand on: at least 3 to 1."""
    pairs = [(EDGE, ground) for ground in (GROUND, PANEL, FIELD)]
    pairs += [(TEXT, ground) for ground in (FIELD, ACCENT_GROUND)]  # where the keyboard is
    pairs += [(BAR, ground) for ground in (PANEL, RAISED, FIELD)]
    return (*pairs, (ACCENT, FIELD), (ACCENT, ACCENT_GROUND), (WARN, ACCENT_GROUND))


def palette() -> QPalette:
    """Colours for what the style sheet does not reach."""
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: PANEL,
        QPalette.ColorRole.WindowText: TEXT,
        QPalette.ColorRole.Base: FIELD,
        QPalette.ColorRole.AlternateBase: PANEL,
        QPalette.ColorRole.Text: TEXT,
        QPalette.ColorRole.PlaceholderText: MUTED,
        QPalette.ColorRole.Button: RAISED,
        QPalette.ColorRole.ButtonText: TEXT,
        QPalette.ColorRole.ToolTipBase: RAISED,
        QPalette.ColorRole.ToolTipText: TEXT,
        QPalette.ColorRole.Highlight: ACCENT_GROUND,
        QPalette.ColorRole.HighlightedText: TEXT,
        QPalette.ColorRole.Link: ACCENT,
        QPalette.ColorRole.Accent: ACCENT,
        QPalette.ColorRole.Light: HOVER,
        QPalette.ColorRole.Midlight: RAISED,
        QPalette.ColorRole.Mid: LINE,
        QPalette.ColorRole.Dark: GROUND,
        QPalette.ColorRole.Shadow: GROUND,
        QPalette.ColorRole.BrightText: BAD,
    }
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.ButtonText,
    ):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(DISABLED))
    return result


def style_sheet() -> str:
    """The style sheet with the colours filled in."""
    text = (RESOURCES / "desk.qss").read_text(encoding="utf-8")
    names = {name: value for name, value in globals().items() if name.isupper()}
    for name in sorted(names, key=len, reverse=True):
        if isinstance(names[name], str):
            text = text.replace(f"@{name}@", names[name])
    return text.replace("@ICONS@", (RESOURCES / "icons").as_posix())


def apply(application: QApplication) -> None:
    """Give the application the desk's look."""
    application.setStyle("Fusion")
    application.setPalette(palette())
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(13)
    font.setHintingPreference(QFont.HintingPreference.PreferDefaultHinting)
    application.setFont(font)
    application.setStyleSheet(style_sheet())


def font(base: QFont, *, pixels: int = 13, bold: bool = False) -> QFont:
    """The application's font in another size or weight, with figures of equal width."""
    result = QFont(base)
    result.setPixelSize(pixels)
    result.setBold(bold)
    if hasattr(QFont, "Tag"):
        result.setFeature(QFont.Tag("tnum"), 1)
    return result
