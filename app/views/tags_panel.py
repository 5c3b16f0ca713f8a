"""The DICOM header beside the scan: searchable, identity hidden until it is asked for."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.tag_table import HIDDEN_ROLE, Column, TagTable
from app.strings import command_words
from app.views import rows, style
from app.views.dialogs.parts import heading, muted
from nearl_core.types import TagLine

_TAG_WIDTH = 94
_NAMES = 0.56
"""Of the rest, for the names: many begin alike, and nearly all values are short or hidden."""


class _Table(QTableView):
    """The table: keys belong to the window, but for arrows once Tab came here."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Move, or pass on."""
        if rows.moves(event):
            super().keyPressEvent(event)
        else:
            event.ignore()


class _Hidden(QStyledItemDelegate):
    """Draws what is hidden fainter than values that are there."""

    def initStyleOption(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """As usual, but for the colour."""
        super().initStyleOption(option, index)
        if index.data(HIDDEN_ROLE):
            palette: QPalette = option.palette
            palette.setColor(QPalette.ColorRole.Text, QColor(style.MUTED))


class TagsPanel(QWidget):
    """The header.

    Attributes:
        identity_asked: Whether to show what may tell who it is.
    """

    identity_asked = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.table = TagTable(self)
        self._search = QLineEdit()
        self._search.setPlaceholderText(strings.TAGS_SEARCH)
        self._search.setAccessibleName(strings.TAGS_SEARCH)
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self.table.search)
        self._identity = QCheckBox(strings.SHOW_IDENTITY)
        self._identity.setToolTip(strings.SHOW_IDENTITY_TIP)
        self._identity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._identity.clicked.connect(self.identity_asked)
        self._notice: QLabel = muted("", role="muted")
        self._notice.hide()
        self._view = _Table()
        self._by_hand = self._sharing = False
        self._build_view()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 8)
        layout.setSpacing(8)
        layout.addWidget(heading(command_words.COMMANDS["tags"]))
        layout.addWidget(self._search)
        layout.addWidget(self._notice, 1, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._identity)
        self.setMinimumWidth(160)

    def _build_view(self) -> None:
        view = self._view
        view.setModel(self.table)
        view.setAccessibleName(command_words.COMMANDS["tags"])
        view.setShowGrid(False)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setObjectName("beside")
        view.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        view.setTabKeyNavigation(False)
        view.setWordWrap(False)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(24)
        header = view.horizontalHeader()
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(Column.TAG, QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(40)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setItemDelegate(_Hidden(view))
        view.setColumnWidth(Column.TAG, _TAG_WIDTH)
        header.sectionResized.connect(self._column_dragged)

    def _column_dragged(self, column: int) -> None:
        self._by_hand |= column == Column.NAME and not self._sharing

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Share the width between names and values, unless that was done by hand."""
        super().resizeEvent(event)
        if not self._by_hand:
            self._sharing = True
            width = self._view.width() - _TAG_WIDTH
            self._view.setColumnWidth(Column.NAME, round(_NAMES * width))
            self._sharing = False

    def show_lines(self, lines: tuple[TagLine, ...]) -> None:
        """Show a header."""
        self.table.fill(lines)

    def show_notice(self, text: str) -> None:
        """Say why there is no header; "" hides it."""
        self._notice.setText(text)
        self._notice.setVisible(bool(text))
        for part in (self._search, self._view, self._identity):
            part.setVisible(not text)

    def show_identity(self, shown: bool) -> None:
        """Show whether identity comes along."""
        self._identity.setChecked(shown)

    @property
    def shows_identity(self) -> bool:
        """Whether identity comes along."""
        return self._identity.isChecked()

    def search(self, text: str) -> None:
        """Search as if it was typed."""
        self._search.setText(text)

    def texts(self) -> str:
        """Everything that can be read here, for tests and assistive tools."""
        lines = (f"{x.tag} {x.name} {x.value}" for x in self.table.lines)
        return "\n".join((self._notice.text(), *lines))
