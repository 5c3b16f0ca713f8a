"""Two small plots that are drawn here: a course of shares, and claims against outcomes."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.models.tips import plain_tip
from app.strings import trust_words as words
from app.views import style
from nearl_core.types import Reliability

_COURSE = 56
_MARGIN = 40
_COUNTS = 28


def paint_course(painter: QPainter, place: QRectF, course: tuple[float, ...]) -> None:
    """Draw shares from 0 to 1 as a line over a line for a half, its end marked."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(style.EDGE), 1, Qt.PenStyle.DotLine))
    painter.drawLine(
        QPointF(place.left(), place.center().y()), QPointF(place.right(), place.center().y())
    )
    step = place.width() / max(len(course) - 1, 1)
    points = [
        QPointF(place.left() + step * number, place.bottom() - place.height() * value)
        for number, value in enumerate(course)
    ]
    path = QPainterPath(points[0])
    for point in points[1:]:
        path.lineTo(point)
    painter.setPen(QPen(QColor(style.ACCENT), 1.5))
    painter.drawPath(path)
    painter.setBrush(QColor(style.ACCENT))
    painter.drawEllipse(points[-1], 1.5, 1.5)
    painter.restore()


class AgreementStrip(QAbstractButton):
    """How often suggestions were right, in one line with its course; a click asks for more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._course: tuple[float, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_agreement("", (), "")

    def show_agreement(self, short: str, course: tuple[float, ...], tip: str) -> None:
        """Show another figure; "" for none yet."""
        self._course = course
        self.setText(short)
        self.setToolTip(tip)
        self.setAccessibleName(short)
        self.setEnabled(bool(short))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """One line."""
        return QSize(200, 20)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw text and course."""
        del event
        if not self.text():
            return
        painter = QPainter(self)
        area = QRectF(self.rect()).adjusted(16, 0, -16, 0)
        if self.hasFocus():
            painter.setPen(QPen(QColor(style.ACCENT), 1))
            painter.drawRoundedRect(area.adjusted(-4, 0.5, 4, -0.5), 3, 3)
        painter.setFont(style.font(self.font(), pixels=12))
        painter.setPen(QColor(style.ACCENT if self.underMouse() else style.MUTED))
        centre = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(area, centre, self.text())
        if len(self._course) > 1:
            right = QRectF(area.right() - _COURSE, area.top() + 4, _COURSE, area.height() - 8)
            paint_course(painter, right, self._course)
        painter.end()


class CoursePlot(QWidget):
    """The same course, larger."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(48)
        self._course: tuple[float, ...] = ()

    def show_course(self, course: tuple[float, ...]) -> None:
        """Show another course; fewer than two values are none."""
        self._course = course
        self.setVisible(len(course) > 1)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw it with the marks of its scale."""
        del event
        if len(self._course) < 2:
            return
        painter = QPainter(self)
        painter.setFont(style.font(self.font(), pixels=11))
        painter.setPen(QColor(style.MUTED))
        area = QRectF(self.rect()).adjusted(_MARGIN, 6, -4, -6)
        for share, text in ((1.0, "100 %"), (0.5, "50 %"), (0.0, "0 %")):
            middle = area.bottom() - area.height() * share
            place = QRectF(0, middle - 8, _MARGIN - 6, 16)
            painter.drawText(
                place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text
            )
        paint_course(painter, area, self._course)
        painter.end()


class ReliabilityPlot(QWidget):
    """What part of the claims of each probability held, and how many claims there were."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(212)
        self.setAccessibleName(words.PLOT)
        self._found: Reliability | None = None

    @property
    def found(self) -> Reliability | None:
        """What is drawn."""
        return self._found

    def show_reliability(self, found: Reliability | None) -> None:
        """Show another plot, or none."""
        self._found = found
        self.setVisible(found is not None)
        if found is not None:
            self.setToolTip(plain_tip("\n".join(_tips(found))))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the diagonal that true claims would stand on, a bar a bin, and the counts."""
        del event
        found = self._found
        if found is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(style.font(self.font(), pixels=11))
        area = QRectF(self.rect()).adjusted(_MARGIN, 8, -4, -_COUNTS - 24)
        counts = QRectF(area.left(), area.bottom() + 20, area.width(), _COUNTS)
        self._axes(painter, area)
        most = max((entry.count for entry in found.bins), default=0)
        for entry in found.bins:
            if entry.held is None or entry.claimed is None:
                continue
            left = area.left() + area.width() * entry.low + 1
            width = area.width() * (entry.high - entry.low) - 2
            top = area.bottom() - area.height() * entry.held
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(style.BAR))
            painter.drawRect(QRectF(left, top, width, area.bottom() - top))
            part = max(counts.height() * entry.count / most, 1.0)
            painter.setBrush(QColor(style.EDGE))
            painter.drawRect(QRectF(left, counts.top(), width, part))
            painter.setPen(QPen(QColor(style.TEXT), 1.5))
            claimed = area.bottom() - area.height() * entry.claimed
            painter.drawLine(QPointF(left, claimed), QPointF(left + width, claimed))
        painter.setPen(QPen(QColor(style.TEXT), 1, Qt.PenStyle.DotLine))
        painter.drawLine(area.bottomLeft(), area.topRight())
        painter.setPen(QColor(style.MUTED))
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        painter.drawText(QRectF(0, counts.top() - 2, _MARGIN - 6, 16), flags, str(most))
        painter.end()

    def _axes(self, painter: QPainter, area: QRectF) -> None:
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for percent in (0, 50, 100):
            y = area.bottom() - area.height() * percent / 100
            x = area.left() + area.width() * percent / 100
            painter.setPen(QPen(QColor(style.LINE), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(style.MUTED))
            painter.drawText(QRectF(0, y - 8, _MARGIN - 6, 16), right, f"{percent} %")
            side = {0: Qt.AlignmentFlag.AlignLeft, 100: Qt.AlignmentFlag.AlignRight}.get(
                percent, Qt.AlignmentFlag.AlignHCenter
            )
            place = QRectF(x - 24, area.bottom() + 2, 48, 14)
            if percent == 0:
                place.moveLeft(x)
            elif percent == 100:
                place.moveRight(x)
            painter.drawText(place, int(side | Qt.AlignmentFlag.AlignVCenter), f"{percent} %")


def _tips(found: Reliability) -> list[str]:
    return [
        words.BIN.format(
            low=100 * entry.low, high=100 * entry.high, count=entry.count, held=100 * entry.held
        )
        for entry in found.bins
        if entry.held is not None
    ]
