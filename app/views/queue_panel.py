"""The queue on the left: search, filter, order, and the scans with thumbnail, name and state."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QScrollBar,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.commands import Command
from app.models.scan_table import QueueCounts, Role, ScanTable, Show
from app.strings import command_words
from app.views import glyphs, rows, style
from app.views.actions import Actions
from app.views.fields import PlainLabel
from nearl_core.types import Verdict

_ROW = 56
_THUMBNAIL = 40
_Index = QModelIndex | QPersistentModelIndex


class _ScanDelegate(QStyledItemDelegate):
    """Draws a row: uniform, so that a hundred thousand of them cost nothing."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: N802
        """One height for all."""
        del option, index
        return QSize(160, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw thumbnail, name, state sign and word."""
        painter.save()
        rect: QRect = option.rect
        rows.fill_ground(painter, rect, option.state)
        self._thumbnail(painter, rect, index.data(Role.THUMBNAIL))
        left = rect.left() + 16 + _THUMBNAIL + 12
        width = rect.right() - 12 - left
        name = QRect(left, rect.top() + 8, width, 20)
        painter.setPen(QColor(style.TEXT))
        font = option.font
        painter.setFont(style.font(font, pixels=13))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        text = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideMiddle, width
        )
        painter.drawText(name, flags, text)
        self._state_line(painter, QRect(left, rect.top() + 28, width, 20), index)
        painter.restore()

    @staticmethod
    def _thumbnail(painter: QPainter, rect: QRect, pixmap: object) -> None:
        frame = QRect(rect.left() + 16, rect.top() + 8, _THUMBNAIL, _THUMBNAIL)
        painter.fillRect(frame, QColor(style.SCAN_GROUND))
        if isinstance(pixmap, QPixmap) and not pixmap.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = pixmap.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(frame.center())
            painter.drawPixmap(place, pixmap)

    @staticmethod
    def _state_line(painter: QPainter, place: QRect, index: _Index) -> None:
        verdict = index.data(Role.VERDICT)
        if not isinstance(verdict, Verdict):
            return
        sign = QRectF(place.left(), place.top() + 4, 12, 12)
        if index.data(Role.PROBLEM):
            glyphs.paint_warning(painter, sign)
        else:
            glyphs.paint_state(painter, sign, verdict.state)
        right = place.right()
        if index.data(Role.UNLIKE):
            right -= 16
            glyphs.paint_unlike(painter, QRectF(right + 2, place.top() + 4, 12, 12))
        if verdict.flagged:
            right -= 16
            glyphs.paint_flag(painter, QRectF(right + 2, place.top() + 4, 12, 12))
        painter.setFont(style.font(painter.font(), pixels=12))
        decided = verdict.state.is_decided
        painter.setPen(QColor(style.TEXT if decided else style.MUTED))
        words = QRect(place.left() + 18, place.top(), right - place.left() - 20, place.height())
        text = painter.fontMetrics().elidedText(
            str(index.data(Role.DETAIL)), Qt.TextElideMode.ElideMiddle, words.width()
        )
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), text)


class _ScanList(QTableView):
    """The list; keys belong to the window.

    A table of one column and not a QListView, which walks through every row at each reset: 1.6 s
    for a million of them.
    """

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(_ROW)
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Pass every key on."""
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Say that other rows are visible."""
        super().resizeEvent(event)
        self.resized.emit()


class QueuePanel(QWidget):
    """The queue.

    Attributes:
        scan_chosen: Id of a scan that the reader clicked.
        filter_changed: A Show and the text of the search.
        visible_changed: Ids of the scans on screen, for their thumbnails.
    """

    scan_chosen = Signal(int)
    filter_changed = Signal(object, str)
    visible_changed = Signal(object)

    def __init__(self, table: ScanTable, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._table = table
        self._adding = False
        self._search = QLineEdit()
        self._show = QComboBox()
        self._counts = PlainLabel()
        self._order = QCheckBox(strings.INSTRUCTIVE_FIRST)
        self._again = QToolButton()
        self._empty = PlainLabel()
        self._add = QPushButton(command_words.COMMANDS[Command.ADD_SCANS.value])
        self._list = _ScanList()
        self._build_controls(actions)
        self._build_list(table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._controls())
        layout.addWidget(self._empty)
        layout.addLayout(_inset(self._add))
        layout.addWidget(self._list, 1)
        table.counts_changed.connect(self._show_counts)
        table.modelReset.connect(self._rows_reset)
        table.rowsInserted.connect(self._rows_changed)
        self._show_counts()

    def _build_controls(self, actions: Actions) -> None:
        self._search.setPlaceholderText(f"{strings.SEARCH}  {actions.first_key(Command.SEARCH)}")
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName(strings.SEARCH)
        self._search.textChanged.connect(self._emit_filter)
        self._search.returnPressed.connect(self._leave_search)
        for show in Show:
            if show is not Show.OTHERS:
                self._show.addItem(strings.SHOW_WORDS[show.value], show)
        self._show.setAccessibleName(strings.FILTER)
        self._show.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._show.currentIndexChanged.connect(self._emit_filter)
        action = actions.action(Command.INSTRUCTIVE)
        self._order.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._order.setToolTip(strings.INSTRUCTIVE_TIP)
        self._order.clicked.connect(action.trigger)
        action.toggled.connect(self._order.setChecked)
        again = actions.action(Command.LOOK_AGAIN)
        self._again.setIcon(QIcon(str(style.RESOURCES / "icons" / "look-again.svg")))
        self._again.setIconSize(QSize(18, 18))
        self._again.setCheckable(True)
        self._again.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._again.setToolTip(actions.tip(Command.LOOK_AGAIN))
        self._again.setAccessibleName(command_words.COMMANDS[Command.LOOK_AGAIN.value])
        self._again.clicked.connect(again.trigger)
        again.toggled.connect(self._again.setChecked)
        self._counts.setProperty("role", "small")
        self._add.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._add.setToolTip(actions.tip(Command.ADD_SCANS))
        self._add.clicked.connect(actions.action(Command.ADD_SCANS).trigger)

    def _build_list(self, table: ScanTable) -> None:
        self._empty.setProperty("role", "muted")
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(16, 8, 16, 8)
        self._list.setModel(table)
        self._list.setItemDelegate(_ScanDelegate(self._list))
        self._list.setMouseTracking(True)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._list.setAccessibleName(strings.QUEUE)
        self._list.clicked.connect(self._clicked)
        self._list.verticalScrollBar().valueChanged.connect(self._rows_changed)
        self._list.resized.connect(self._rows_changed)

    def _controls(self) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setContentsMargins(16, 0, 12, 0)
        box.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._show, 1)
        line.addWidget(self._counts)
        box.addWidget(self._search)
        box.addLayout(line)
        order = QHBoxLayout()
        order.addWidget(self._order, 1)
        order.addWidget(self._again)
        box.addLayout(order)
        return box

    def focus_search(self) -> None:
        """Let the reader type a search."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def clear_filter(self) -> None:
        """Show every scan."""
        self._search.clear()
        self._show.setCurrentIndex(0)

    def show_adding(self, adding: bool) -> None:
        """Tell a queue that is being filled from one that is empty."""
        self._adding = adding
        self._show_counts()

    def select(self, scan_id: int | None) -> None:
        """Mark the scan on screen and bring its row into view."""
        row = None if scan_id is None else self._table.row_of(scan_id)
        if row is None:
            self._list.clearSelection()
            return
        index = self._table.index(row, 0)
        self._list.setCurrentIndex(index)
        self._list.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    @property
    def marked(self) -> int | None:
        """Id of the scan whose row is marked."""
        rows = self._list.selectionModel().selectedRows()
        return self._table.id_at(rows[0].row()) if rows else None

    @property
    def scroll_bar(self) -> QScrollBar:
        """The list's own."""
        return self._list.verticalScrollBar()

    def visible_ids(self) -> list[int]:
        """Scans on screen, and one screenful below."""
        top = self._list.indexAt(self._list.viewport().rect().topLeft())
        first = top.row() if top.isValid() else 0
        count = self._list.viewport().height() // _ROW + 2
        found = (self._table.id_at(row) for row in range(first, first + 2 * count))
        return [scan_id for scan_id in found if scan_id is not None]

    def _clicked(self, index: QModelIndex) -> None:
        scan_id = index.data(Role.SCAN_ID)
        if isinstance(scan_id, int):
            self.scan_chosen.emit(scan_id)

    def _leave_search(self) -> None:
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _emit_filter(self) -> None:
        self.filter_changed.emit(Show(self._show.currentData()), self._search.text())

    def _rows_reset(self) -> None:
        """Qt forgets which row was marked."""
        self.select(self._table.current)
        self._rows_changed()

    def _rows_changed(self) -> None:
        self.visible_changed.emit(self.visible_ids())

    def _show_counts(self) -> None:
        counts: QueueCounts = self._table.counts()
        self._offer_others(counts.others > 0)
        self._counts.setText(strings.of_total(counts.visible, counts.total))
        empty = ""
        if counts.total == 0:
            empty = strings.QUEUE_FILLS if self._adding else strings.QUEUE_EMPTY
        elif counts.visible == 0:
            empty = strings.QUEUE_NO_MATCH
        self._empty.setText(empty)
        self._empty.setVisible(bool(empty))
        self._add.setVisible(counts.total == 0 and not self._adding)

    def _offer_others(self, divided: bool) -> None:
        """Let other readers' parts be looked at where the scans are divided."""
        word = strings.MY_PART if divided else strings.SHOW_WORDS[Show.ALL.value]
        self._show.setItemText(0, word)
        at = self._show.findData(Show.OTHERS)
        if divided and at < 0:
            self._show.addItem(strings.SHOW_WORDS[Show.OTHERS.value], Show.OTHERS)
        elif not divided and at >= 0:
            if self._show.currentIndex() == at:  # Qt would go to the filter above it
                self._show.setCurrentIndex(0)
            self._show.removeItem(at)


def _inset(button: QPushButton) -> QHBoxLayout:
    """A button under the sentence that asks for it."""
    line = QHBoxLayout()
    line.setContentsMargins(16, 0, 12, 0)
    line.addWidget(button)
    line.addStretch(1)
    return line
