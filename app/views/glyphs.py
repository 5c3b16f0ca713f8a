"""Small drawn signs of states and the flag: no font has to have them, none is colour alone."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from app.views import style
from nearl_core.types import State

_COLOURS = {
    State.UNSEEN: style.MUTED,
    State.LABELLED: style.GOOD,
    State.DEFERRED: style.WARN,
    State.NONE_APPLY: style.ACCENT,
    State.UNASSESSABLE: style.BAD,
}


def _pen(colour: str, width: float = 1.6) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def paint_state(painter: QPainter, place: QRectF, state: State) -> None:
    """Draw a state's sign: ring, tick, clock, struck ring or cross."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(_pen(_COLOURS[state]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = place.adjusted(1.5, 1.5, -1.5, -1.5)
    if state is State.LABELLED:
        paint_tick(painter, place, _COLOURS[state])
    elif state is State.UNASSESSABLE:
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())
    else:
        painter.drawEllipse(inner)
        if state is State.DEFERRED:
            centre = inner.center()
            painter.drawLine(centre, QPointF(centre.x(), inner.top() + 2.0))
            painter.drawLine(centre, QPointF(centre.x() + inner.width() / 4, centre.y()))
        elif state is State.NONE_APPLY:
            reach = inner.width() / 2 * math.sqrt(0.5)
            centre = inner.center()
            offset = QPointF(reach, -reach)
            painter.drawLine(centre - offset, centre + offset)
    painter.restore()


def paint_tick(painter: QPainter, place: QRectF, colour: str, width: float = 2.0) -> None:
    """Draw a tick."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(_pen(colour, width))
    path = QPainterPath(QPointF(place.left() + place.width() * 0.15, place.center().y()))
    path.lineTo(place.left() + place.width() * 0.4, place.bottom() - place.height() * 0.2)
    path.lineTo(place.right() - place.width() * 0.1, place.top() + place.height() * 0.2)
    painter.drawPath(path)
    painter.restore()


def paint_flag(painter: QPainter, place: QRectF) -> None:
    """Draw a flag."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(_pen(style.WARN, 1.4))
    left, top = place.left() + 2, place.top() + 1
    painter.drawLine(QPointF(left, top), QPointF(left, place.bottom() - 1))
    painter.setBrush(QColor(style.WARN))
    cloth = (
        QPointF(left, top + 0.5),
        QPointF(place.right() - 1, top + place.height() * 0.28),
        QPointF(left, top + place.height() * 0.55),
    )
    painter.drawPolygon(QPolygonF(list(cloth)))
    painter.restore()


def paint_unlike(painter: QPainter, place: QRectF) -> None:
    """Draw one dot outside a group: a scan unlike anything decided."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(style.MUTED))
    for across, down in ((0.15, 0.85), (0.45, 0.85), (0.15, 0.55)):
        centre = QPointF(place.left() + place.width() * across, place.top() + place.height() * down)
        painter.drawEllipse(centre, 1.6, 1.6)
    painter.setPen(_pen(style.WARN, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    far = QPointF(place.left() + place.width() * 0.75, place.top() + place.height() * 0.25)
    painter.drawEllipse(far, 2.4, 2.4)
    painter.restore()


def paint_warning(painter: QPainter, place: QRectF) -> None:
    """Draw a triangle with a mark: a scan that can't be shown."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(_pen(style.BAD, 1.4))
    inner = place.adjusted(1, 1.5, -1, -1)
    corners = (
        QPointF(inner.center().x(), inner.top()),
        inner.bottomRight(),
        inner.bottomLeft(),
    )
    painter.drawPolygon(QPolygonF(list(corners)))
    middle = inner.center().x()
    painter.drawLine(
        QPointF(middle, inner.top() + inner.height() * 0.4),
        QPointF(middle, inner.top() + inner.height() * 0.68),
    )
    painter.drawPoint(QPointF(middle, inner.bottom() - 2))
    painter.restore()
