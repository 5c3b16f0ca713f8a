"""The reader's decisions that are in doubt, beside the scan."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.models.tips import plain_tip
from app.models.trust_lines import DoubtLine
from app.strings import trust_words as words
from app.views import rows, style
from app.views.dialogs.parts import heading, muted

_ROW = 48
_TEXT, _ODDS, _SCAN = (int(Qt.ItemDataRole.UserRole) + place for place in (1, 2, 3))
_MIDDLE = Qt.TextElideMode.ElideMiddle
_Index = QModelIndex | QPersistentModelIndex


class _DoubtDelegate(QStyledItemDelegate):
    """Draws the scan's name above what was decided and what the others say."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: N802
        """One height for all."""
        del option, index
        return QSize(160, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row."""
        painter.save()
        rect: QRect = option.rect
        rows.fill_ground(painter, rect, option.state)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(style.ACCENT))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        inside = rect.adjusted(12, 6, -12, -6)
        font = option.font
        painter.setFont(style.font(font, pixels=13))
        painter.setPen(QColor(style.TEXT))
        upper = QRect(inside.left(), inside.top(), inside.width(), 18)
        lower = upper.translated(0, 19)
        centre = Qt.AlignmentFlag.AlignVCenter
        odds = str(index.data(_ODDS))
        room = upper.width() - painter.fontMetrics().horizontalAdvance(odds) - 12
        name = painter.fontMetrics().elidedText(str(index.data()), _MIDDLE, room)
        painter.drawText(upper, int(centre), name)
        painter.setFont(style.font(font, pixels=12))
        painter.setPen(QColor(style.MUTED))
        painter.drawText(upper, int(centre | Qt.AlignmentFlag.AlignRight), odds)
        text = painter.fontMetrics().elidedText(str(index.data(_TEXT)), _MIDDLE, lower.width())
        painter.drawText(lower, int(centre), text)
        painter.restore()


class _DoubtList(QListWidget):
    """The list: arrows and Enter are its own while it has the focus, other keys the window's."""

    chosen = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Move, open, or pass on."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.chosen.emit(int(item.data(_SCAN)))
        elif rows.moves(event):
            super().keyPressEvent(event)
        else:
            event.ignore()


class LookAgainPanel(QWidget):
    """The list with its explanation.

    Attributes:
        wanted: Whether the reader looks at it.
        scan_chosen: Id of the scan to open.
    """

    wanted = Signal(bool)
    scan_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(160)
        self._notice = muted("", role="muted")
        self.list = _DoubtList()
        self.list.setItemDelegate(_DoubtDelegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName(words.LOOK_AGAIN)
        self.list.chosen.connect(self.scan_chosen)
        self.list.itemClicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.setSpacing(8)
        note = muted(words.LOOK_AGAIN_NOTE)
        for label in (heading(words.LOOK_AGAIN), note, self._notice):
            label.setContentsMargins(12, 0, 12, 0)
            layout.addWidget(label)
        layout.addWidget(self.list, 1)

    def show_lines(self, lines: tuple[DoubtLine, ...]) -> None:
        """Show other doubts; the row that was chosen stays chosen, or the next one."""
        item, row = self.list.currentItem(), max(self.list.currentRow(), 0)
        chosen = None if item is None else item.data(_SCAN)
        self.list.clear()
        for number, line in enumerate(lines):
            entry = QListWidgetItem(line.name)
            entry.setData(_TEXT, line.text)
            entry.setData(_ODDS, line.odds)
            entry.setData(_SCAN, line.scan_id)
            spoken = (line.name, line.text, line.odds)
            entry.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(spoken))
            entry.setToolTip(plain_tip("\n".join(spoken)))
            self.list.addItem(entry)
            if line.scan_id == chosen:
                row = number
        self.list.setCurrentRow(min(row, len(lines) - 1))

    def show_notice(self, text: str) -> None:
        """Say why there are none; "" hides it."""
        self._notice.setText(text)
        self._notice.setVisible(bool(text))

    def select(self, scan_id: int) -> None:
        """Mark the scan that is on screen, where it is on the list."""
        for row in range(self.list.count()):
            if self.list.item(row).data(_SCAN) == scan_id:
                self.list.setCurrentRow(row)

    def _clicked(self, item: QListWidgetItem) -> None:
        self.scan_chosen.emit(int(item.data(_SCAN)))

    def texts(self) -> tuple[str, ...]:
        """Everything that can be read here, for tests and assistive tools."""
        items = [self.list.item(row) for row in range(self.list.count())]
        return (
            self._notice.text(),
            *(f"{item.text()} {item.data(_ODDS)} {item.data(_TEXT)}" for item in items),
        )
