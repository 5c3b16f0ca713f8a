"""One label as a row: key, name, bar, percentage, and whether it was chosen."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from app import strings
from app.models.panel import LabelLine
from app.models.tips import plain_tip
from app.strings import label_words
from app.views import glyphs, style

_KEY_WIDTH = 28
_FIGURE_WIDTH = 44
_TICK_WIDTH = 28
_BAR_HEIGHT = 4
_UNDER_NAME = 8
_INDENT = 14
_DEEPEST = 4
"""Beyond it a name would have no room."""


class LabelRow(QAbstractButton):
    """A row that can be clicked; it draws a value and decides nothing."""

    # Of the class, for Qt also asks a row whose Python half is not made yet, or gone already.
    _height = style.ROW_HEIGHT + 4

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._line = LabelLine("", "", "")
        self._found = False
        self._find_key = ""

    @property
    def line(self) -> LabelLine:
        """What it shows."""
        return self._line

    def show_line(self, line: LabelLine, *, find_key: str = "") -> None:
        """Show another value; where it has no key, the one that finds labels by name."""
        self._line, self._find_key = line, "" if line.key else find_key
        self.setText(line.name)
        kind = label_words.A_KIND_OF.format(parent=line.parent) if line.parent else ""
        parts = [line.name, kind, strings.KEY_NAME.format(key=line.key) if line.key else ""]
        if line.probability is not None:
            parts.append(percent(line.probability))
        if line.suggested:
            parts.append(strings.SUGGESTED)
        if line.decided:
            parts.append(strings.DECIDED)
        if line.pending:
            parts.append(strings.PENDING)
        self.setAccessibleName(", ".join(part for part in parts if part))
        whole = label_words.CHILD.format(parent=line.parent, name=line.name)
        tip = whole if line.parent else line.name
        if self._find_key:
            tip += "\n" + strings.FIND_BY.format(key=self._find_key)
        self.setToolTip(plain_tip(tip))
        self.update()

    def set_found(self, found: bool) -> None:
        """Mark it as the label that Enter takes while one is sought by name."""
        if found is not self._found:
            self._found = found
            self.update()

    def set_dense(self, dense: bool) -> None:
        """Make it lower where there are many labels."""
        self._height = style.ROW_HEIGHT - 4 if dense else style.ROW_HEIGHT + 4
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as it gets, one row high."""
        return QSize(200, self._height)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the row."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(8, 1, -8, -1)
        self._ground(painter, area)
        self._key(painter, QRectF(area.left() + 6, area.center().y() - 10, 22, 20))
        self._name(painter, area)
        self._bar(painter, area)
        self._tick(painter, area)
        painter.end()

    def _ground(self, painter: QPainter, area: QRectF) -> None:
        line = self._line
        painter.setPen(Qt.PenStyle.NoPen)
        if line.decided:
            painter.setBrush(QColor(style.ACCENT_GROUND))
            painter.drawRoundedRect(area, 4, 4)
            painter.setBrush(QColor(style.ACCENT))
            painter.drawRoundedRect(QRectF(area.left(), area.top(), 3, area.height()), 1.5, 1.5)
        elif self.underMouse() and self.isEnabled():
            painter.setBrush(QColor(style.HOVER))
            painter.drawRoundedRect(area, 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if line.pending:
            painter.setPen(QPen(QColor(style.ACCENT), 1.5, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 4, 4)
        if self.hasFocus() or self._found:  # in another colour, for both can be there
            painter.setPen(QPen(QColor(style.TEXT), 1.5))
            inset = 4 if line.pending else 1
            painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), 4, 4)

    def _key(self, painter: QPainter, place: QRectF) -> None:
        key = self._line.key or self._find_key
        if not key:
            return
        painter.setPen(QPen(QColor(style.LINE), 1))
        painter.setBrush(QColor(style.FIELD) if self._line.key else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place, 3, 3)
        painter.setFont(style.font(self.font(), pixels=12))
        painter.setPen(QColor(style.TEXT if self._line.key else style.MUTED))
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), key)

    def _text_place(self, area: QRectF) -> QRectF:
        left = area.left() + _KEY_WIDTH + 8
        right = area.right() - _TICK_WIDTH
        if self._line.probability is not None:
            right -= _FIGURE_WIDTH + 4
        return QRectF(left, area.top(), right - left, area.height())

    def _name(self, painter: QPainter, area: QRectF) -> None:
        line = self._line
        bold = line.decided or line.pending
        painter.setFont(style.font(self.font(), bold=bold))
        painter.setPen(QColor(style.TEXT))
        place = self._text_place(area)
        if line.probability is not None:
            place.setBottom(area.bottom() - _UNDER_NAME)
        place.setLeft(place.left() + _INDENT * min(line.indent, _DEEPEST))
        text = painter.fontMetrics().elidedText(
            line.full_name, Qt.TextElideMode.ElideMiddle, int(place.width())
        )
        painter.drawText(
            place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text
        )

    def _bar(self, painter: QPainter, area: QRectF) -> None:
        line = self._line
        if line.probability is None:
            return
        place = self._text_place(area)
        track = QRectF(place.left(), area.bottom() - _UNDER_NAME, place.width(), _BAR_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(style.FIELD if line.decided else style.RAISED))
        painter.drawRoundedRect(track, 2, 2)
        length = max(track.width() * min(max(line.probability, 0.0), 1.0), 2.0)
        painter.setBrush(QColor(style.ACCENT if line.suggested else style.BAR))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), length, track.height()), 2, 2)
        painter.setFont(style.font(self.font(), bold=line.suggested))
        painter.setPen(QColor(style.TEXT if line.suggested else style.MUTED))
        figure = QRectF(place.right() + 4, area.top(), _FIGURE_WIDTH, area.height())
        painter.drawText(
            figure,
            int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
            percent(line.probability),
        )

    def _tick(self, painter: QPainter, area: QRectF) -> None:
        place = QRectF(area.right() - 20, area.center().y() - 7, 14, 14)
        if self._line.decided:
            glyphs.paint_tick(painter, place, style.TEXT, 2.2)
        elif self._line.enter:
            painter.setPen(QColor(style.ACCENT))
            painter.setFont(style.font(self.font(), pixels=13))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), "↵")


def percent(probability: float) -> str:
    """A probability for people; never 100 % or 0 % where it is not."""
    if 0.995 <= probability < 1.0:
        return ">99 %"
    if 0.0 < probability < 0.005:
        return "<1 %"
    return f"{100 * probability:.0f} %"
