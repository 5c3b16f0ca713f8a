"""A page of scans to accept together: pictures that can be taken out, by click or key."""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QSizePolicy, QWidget

from app.models.tips import plain_tip
from app.strings import grid_words
from app.views import glyphs, style
from app.views.label_row import percent

COLUMNS, ROWS = 5, 3
_LINE = 24
_STEPS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Up: -COLUMNS,
    Qt.Key.Key_Down: COLUMNS,
}


@dataclass(frozen=True)
class Cell:
    """One scan: its name, and how sure the model is of it."""

    scan_id: int
    name: str
    probability: float


class GridCell(QAbstractButton):
    """Draws a scan; ticked until it is taken out.

    Attributes:
        stepped: The reader wants to go so many cells on.
    """

    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.toggled.connect(self._name)
        self._cell: Cell | None = None
        self._picture = QPixmap()

    @property
    def cell(self) -> Cell | None:
        """The scan."""
        return self._cell

    def show_cell(self, cell: Cell | None) -> None:
        """Show another scan, ticked; its picture comes later."""
        self._cell, self._picture = cell, QPixmap()
        self.setChecked(cell is not None)
        self.setEnabled(cell is not None)
        self._name()
        self.update()

    def show_picture(self, picture: QPixmap) -> None:
        """Show its picture."""
        self._picture = picture
        self.update()

    def _name(self) -> None:
        cell = self._cell
        if cell is not None:
            name = grid_words.CELL.format(name=cell.name, percent=percent(cell.probability))
            out = "" if self.isChecked() else f", {grid_words.CELL_OUT}"
            self.setAccessibleName(name + out)
            self.setToolTip(plain_tip(cell.name))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Small enough for a small screen; it takes the room that there is."""
        return QSize(140, 140 + _LINE)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Arrows go from cell to cell; Space ticks, as with any button."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw picture, name, figure and tick; a scan that is out is dim and struck through."""
        del event
        if self._cell is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        frame = self.rect().adjusted(2, 2, -2, -_LINE - 2)
        painter.fillRect(frame, QColor(style.SCAN_GROUND))
        painter.setOpacity(1.0 if self.isChecked() else 0.3)
        if not self._picture.isNull():
            size = self._picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(frame.center())
            painter.drawPixmap(place, self._picture)
        painter.setOpacity(1.0)
        self._words(painter, QRect(frame.left(), frame.bottom() + 2, frame.width(), _LINE))
        self._edge(painter, QRectF(frame))
        painter.end()

    def _words(self, painter: QPainter, place: QRect) -> None:
        assert self._cell is not None
        font = style.font(self.font(), pixels=12)
        font.setStrikeOut(not self.isChecked())
        painter.setFont(font)
        painter.setPen(QColor(style.TEXT if self.isChecked() else style.MUTED))
        figure = percent(self._cell.probability)
        width = painter.fontMetrics().horizontalAdvance(figure) + 8
        text = painter.fontMetrics().elidedText(
            self._cell.name, Qt.TextElideMode.ElideMiddle, place.width() - width
        )
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(place, middle | int(Qt.AlignmentFlag.AlignLeft), text)
        painter.drawText(place, middle | int(Qt.AlignmentFlag.AlignRight), figure)

    def _edge(self, painter: QPainter, frame: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked():
            sign = QRectF(frame.right() - 26, frame.top() + 6, 20, 20)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(style.ACCENT_GROUND))
            painter.drawRoundedRect(sign, 4, 4)
            glyphs.paint_tick(painter, sign.adjusted(4, 4, -4, -4), style.TEXT, 2.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.hasFocus():
            painter.setPen(QPen(QColor(style.ACCENT), 2))
            painter.drawRect(frame)
        elif self.underMouse():
            painter.setPen(QPen(QColor(style.LINE), 2))
            painter.drawRect(frame)


class GridPage(QWidget):
    """Fifteen cells.

    Attributes:
        changed: A scan was taken out or put back.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        self.cells = [GridCell() for _ in range(COLUMNS * ROWS)]
        for place, cell in enumerate(self.cells):
            layout.addWidget(cell, place // COLUMNS, place % COLUMNS)
            cell.toggled.connect(self.changed)
            cell.stepped.connect(self._step)
        for column in range(COLUMNS):
            layout.setColumnStretch(column, 1)
        for row in range(ROWS):
            layout.setRowStretch(row, 1)

    def show_cells(self, cells: tuple[Cell, ...]) -> None:
        """Show a page, all ticked."""
        for place, widget in enumerate(self.cells):
            widget.show_cell(cells[place] if place < len(cells) else None)

    def show_picture(self, scan_id: int, picture: QPixmap) -> None:
        """Show a scan's picture, if it is on the page."""
        for widget in self.cells:
            if widget.cell is not None and widget.cell.scan_id == scan_id:
                widget.show_picture(picture)

    def ids(self, *, ticked: bool) -> list[int]:
        """Scans on the page that are ticked, or that were taken out."""
        return [
            widget.cell.scan_id
            for widget in self.cells
            if widget.cell is not None and widget.isChecked() is ticked
        ]

    def _step(self, cells: int) -> None:
        widget = self.sender()
        if isinstance(widget, GridCell):
            place = self.cells.index(widget) + cells
            if 0 <= place < len(self.cells) and self.cells[place].isEnabled():
                self.cells[place].setFocus(Qt.FocusReason.OtherFocusReason)
