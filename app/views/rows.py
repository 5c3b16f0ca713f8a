"""The ground of a row in the lists of scans."""

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle

from app.views import style


def fill_ground(painter: QPainter, row: QRect, state: QStyle.StateFlag) -> None:
    """Show a row as chosen, as under the pointer, or as neither."""
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(row, QColor(style.ACCENT_GROUND))
        painter.fillRect(QRect(row.left(), row.top(), 3, row.height()), QColor(style.ACCENT))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(row, QColor(style.HOVER))
