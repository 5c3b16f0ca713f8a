"""What stands over the scan: read-outs in the corners, letters at the edges, a sentence."""

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.views import style

_MARGIN = 12
_LINE = 18
_TICK = 5.0
_TOP, _BOTTOM = 2, 3


Measured = tuple[QPointF, QPointF, str]
"""Both ends of a line in the widget, and its length as text."""


@dataclass(frozen=True)
class OverlayText:
    """Lines of the corners.

    Attributes:
        scan: What the scan is: modality, laterality, view.
        notices: Sentences that the reader should see.
        frame: The frame counter, "" for a single frame.
    """

    scan: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    frame: str = ""


class ImageOverlay(QWidget):
    """Text over the scan, on a dark ground of its own so that it reads on white lungs too."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._texts = OverlayText()
        self._reading = ""
        self._letters = ("", "", "", "")
        self._zoom = ""
        self._value = ""
        self._message = ""
        self._measured: tuple[Measured, ...] = ()
        self._ringed = False

    def set_lines(self, lines: tuple["Measured", ...]) -> None:
        """Show measured lines: both ends in this widget, and the length as text."""
        if lines != self._measured:
            self._measured = lines
            self.update()

    def set_texts(self, texts: OverlayText) -> None:
        """Show another scan's texts."""
        self._texts = texts
        self.update()

    def set_reading(self, window: str, letters: tuple[str, str, str, str], zoom: str) -> None:
        """Show window, orientation letters (left, right, top, bottom) and zoom."""
        self._reading, self._letters, self._zoom = window, letters, zoom
        self.update()

    def set_value(self, text: str) -> None:
        """Show the value under the pointer."""
        if text != self._value:
            self._value = text
            self.update()

    def set_message(self, text: str) -> None:
        """Show a sentence in the middle."""
        self._message = text
        self.update()

    def set_ringed(self, ringed: bool) -> None:
        """Show that the keyboard came here."""
        self._ringed = ringed
        self.update()

    def texts(self) -> tuple[str, ...]:
        """Everything that is shown, for tests and for assistive tools."""
        parts = (*self._texts.scan, *self._texts.notices, self._texts.frame, self._reading)
        lengths = (text for _, _, text in self._measured)
        more = (self._value, self._message, *lengths, *self._letters)
        return tuple(part for part in (*parts, *more) if part)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the texts."""
        del event
        painter = QPainter(self)
        painter.setFont(style.font(self.font(), pixels=12))
        area = self.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        upper, lower = self._stacked(area)
        self._lines(painter, area, self._texts.scan, left, top=True)
        self._lines(painter, area, (self._reading, self._zoom), right, top=True, after=upper)
        self._lines(painter, area, (self._value,), left, top=False)
        self._lines(painter, area, (self._texts.frame,), right, top=False, after=lower)
        self._notices(painter, area)
        for start, end, text in self._measured:
            _draw_line(painter, area, start, end, text)
        self._draw_letters(painter, area)
        if self._message:
            painter.setFont(style.font(self.font(), pixels=14))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.setPen(QColor(style.MUTED))
            painter.drawText(area.adjusted(32, 32, -32, -32), int(flags), self._message)
        if self._ringed:
            painter.setPen(QPen(QColor(style.ACCENT), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _lines(
        self,
        painter: QPainter,
        area: QRect,
        lines: tuple[str, ...],
        side: Qt.AlignmentFlag,
        *,
        top: bool,
        after: int = 0,
    ) -> None:
        shown = [line for line in lines if line]
        start = area.top() + _LINE * after if top else area.bottom() - _LINE * (len(shown) + after)
        for number, line in enumerate(shown):
            place = QRect(area.left(), start + number * _LINE, area.width(), _LINE)
            _draw(painter, place, side | Qt.AlignmentFlag.AlignVCenter, line, style.TEXT)

    def _notices(self, painter: QPainter, area: QRect) -> None:
        notices = self._texts.notices[:3]
        for number, notice in enumerate(notices):
            bottom = area.bottom() - 24 - _LINE * (len(notices) - number)
            text = painter.fontMetrics().elidedText(
                notice, Qt.TextElideMode.ElideRight, area.width()
            )
            place = QRect(area.left(), bottom, area.width(), _LINE)
            _draw(painter, place, Qt.AlignmentFlag.AlignLeft, text, style.WARN)

    def _draw_letters(self, painter: QPainter, area: QRect) -> None:
        painter.setFont(style.font(self.font(), pixels=14, bold=True))
        centre = Qt.AlignmentFlag.AlignVCenter
        middle = Qt.AlignmentFlag.AlignHCenter
        places = (
            centre | Qt.AlignmentFlag.AlignLeft,
            centre | Qt.AlignmentFlag.AlignRight,
            middle | Qt.AlignmentFlag.AlignTop,
            middle | Qt.AlignmentFlag.AlignBottom,
        )
        upper, lower = self._stacked(area)
        for number, (letters, place) in enumerate(zip(self._letters, places, strict=True)):
            if letters:
                corners = (*self._texts.scan, self._reading, self._zoom)
                top = self._gives_way(area, *corners, lines=2 + upper) if number == _TOP else 0
                below = (self._value, self._texts.frame)
                lines = 1 + lower
                bottom = self._gives_way(area, *below, lines=lines) if number == _BOTTOM else 0
                _draw(painter, area.adjusted(0, top, 0, -bottom), place, letters, style.TEXT)

    def _stacked(self, area: QRect) -> tuple[int, int]:
        """How many lines the upper right corner stands below the left one, the lower one above.

        In a view that has no room for both side by side.
        """
        metrics = QFontMetrics(style.font(self.font(), pixels=12))

        def lines(left: tuple[str, ...], right: tuple[str, ...]) -> int:
            wide = [max(metrics.horizontalAdvance(one) for one in side) for side in (left, right)]
            beside = not all(wide) or sum(wide) + _LINE <= area.width()
            return 0 if beside else sum(1 for one in left if one)

        upper = lines(("", *self._texts.scan), (self._reading, self._zoom))
        return upper, lines((self._value,), (self._texts.frame,))

    def _gives_way(self, area: QRect, *texts: str, lines: int) -> int:
        """How far the upper or lower letter gives way to the corners' texts in a narrow view."""
        metrics = QFontMetrics(style.font(self.font(), pixels=12))
        widest = max(metrics.horizontalAdvance(text) for text in texts)
        return lines * _LINE if widest > area.width() // 2 - _LINE else 0


def _draw(painter: QPainter, place: QRect, flags: Qt.AlignmentFlag, text: str, colour: str) -> None:
    ground = painter.boundingRect(place, int(flags), text).adjusted(-4, -1, 4, 1)
    painter.fillRect(ground, QColor(0, 0, 0, style.ON_SCAN_OPACITY))
    painter.setPen(QColor(colour))
    painter.drawText(place, int(flags), text)


def _draw_line(painter: QPainter, area: QRect, start: QPointF, end: QPointF, text: str) -> None:
    """A line with a tick at both ends, light on a dark edge so that it shows on any grey."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QLineF(start, end)
    across = line.normalVector().unitVector()
    tick = QPointF(across.dx(), across.dy()) * _TICK
    strokes = [line, QLineF(start - tick, start + tick), QLineF(end - tick, end + tick)]
    for colour, width in ((QColor(0, 0, 0, 170), 4.0), (QColor(style.ACCENT), 1.6)):
        painter.setPen(QPen(colour, width))
        painter.drawLines(strokes)
    painter.restore()
    width = painter.fontMetrics().horizontalAdvance(text) + 8
    left = min(max(round(end.x()) + 10, area.left()), area.right() - width)
    top = min(max(round(end.y()) - _LINE // 2, area.top()), area.bottom() - _LINE)
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    _draw(painter, QRect(left, top, width, _LINE), flags, text, style.TEXT)
