"""What lists beside the scan have in common: the ground of a row, the keys that move in them."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QStyle

from app.views import style

_MOVING = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
)


def moves(event: QKeyEvent) -> bool:
    """Whether a key is the list's own while it has the keyboard; the others are the window's."""
    return event.key() in _MOVING and not event.modifiers()


def fill_ground(painter: QPainter, row: QRect, state: QStyle.StateFlag) -> None:
    """Show a row as chosen, as under the pointer, or as neither."""
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(row, QColor(style.ACCENT_GROUND))
        painter.fillRect(QRect(row.left(), row.top(), 3, row.height()), QColor(style.ACCENT))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(row, QColor(style.HOVER))
