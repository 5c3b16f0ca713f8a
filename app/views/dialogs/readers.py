"""The readers: what each decided, how far they agree, where they do not."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.models.reader_lines import DisagreementLine, ReaderLines, Row
from app.models.tips import plain_tip
from app.strings import dialog_words, reading_words
from app.views.dialogs.parts import DeskDialog, heading, muted

_SCAN = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ROW, _MOST_ROWS = 26, 5


class ReadersDialog(DeskDialog):
    """Shows tables; what readers said of scans shows only when it is asked for.

    Attributes:
        adjudicate_asked: Ids of the scans to settle, the chosen one first.
    """

    adjudicate_asked = Signal(object)

    def __init__(self, parent: QWidget | None, *, can_decide: bool) -> None:
        super().__init__(reading_words.READERS_TITLE, dialog_words.CLOSE, parent)
        self.only_close()
        self.resize(960, 680)
        self._can_decide = can_decide
        self.readers = _table(reading_words.READER_COLUMNS, stretched=6, numbers=(1, 2, 3, 4))
        self.agreement = _table(reading_words.AGREEMENT_COLUMNS, stretched=0, numbers=(1, 2))
        self.disagreements = _table(reading_words.DISAGREEMENT_COLUMNS, stretched=1)
        self.readers.setAccessibleName(reading_words.READERS)
        self.agreement.setAccessibleName(reading_words.AGREEMENT)
        self.disagreements.setAccessibleName(reading_words.DISAGREEMENTS)
        self.disagreements.hide()
        self.disagreements.currentItemChanged.connect(self._chosen)
        self.disagreements.itemDoubleClicked.connect(self._adjudicate)
        self.summary = muted(reading_words.COUNTING, role="muted")
        self.show_said = QPushButton(reading_words.SHOW_SAID)
        self.show_said.setAutoDefault(False)
        self.show_said.setEnabled(False)
        self.show_said.clicked.connect(self._show_said)
        self.adjudicate = QPushButton(reading_words.ADJUDICATE_BUTTON)
        self.adjudicate.setAutoDefault(False)
        self.adjudicate.setEnabled(False)
        self.adjudicate.clicked.connect(self._adjudicate)
        self._lay_out()

    def _lay_out(self) -> None:
        body = self.body
        body.addWidget(heading(reading_words.READERS))
        body.addWidget(self.readers)
        body.addWidget(heading(reading_words.AGREEMENT))
        body.addWidget(muted(reading_words.AGREEMENT_NOTE))
        body.addWidget(self.agreement)
        body.addWidget(heading(reading_words.DISAGREEMENTS))
        body.addWidget(self.summary)
        body.addWidget(self.disagreements, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.show_said)
        row.addWidget(self.adjudicate)
        row.addStretch(1)
        body.addLayout(row)
        body.addStretch(0)

    def show_lines(self, lines: ReaderLines) -> None:
        """Show what was counted."""
        _fill(self.readers, lines.readers or (reading_words.NO_READERS,))
        _fill(self.agreement, lines.agreement or (reading_words.NO_PAIRS,))
        for table in (self.readers, self.agreement):
            rows = min(table.topLevelItemCount(), _MOST_ROWS)
            table.setFixedHeight(table.header().sizeHint().height() + rows * _ROW + 2)
        self._fill_disagreements(lines.disagreements)
        self.summary.setText(lines.summary)
        self.show_said.setEnabled(bool(lines.disagreements))

    def _fill_disagreements(self, lines: Sequence[DisagreementLine]) -> None:
        _fill(self.disagreements, [line.cells for line in lines])
        for place, line in enumerate(lines):
            item = self.disagreements.topLevelItem(place)
            if item is not None:
                item.setData(0, _SCAN, line.scan_id)
                for column, text in enumerate(line.cells):
                    item.setToolTip(column, plain_tip(text))

    def _show_said(self) -> None:
        self.disagreements.show()
        self.show_said.setEnabled(False)
        self._offer_adjudication()
        self.disagreements.setFocus()
        first = self.disagreements.topLevelItem(0)
        if first is not None:
            self.disagreements.setCurrentItem(first)

    def _offer_adjudication(self) -> None:
        """Enter in the list adjudicates from there on, as a double click does."""
        if self._can_decide:
            for button, role in ((self.ok, ""), (self.adjudicate, "primary")):
                button.setProperty("role", role)
                button.style().unpolish(button)
                button.style().polish(button)
            self.adjudicate.setDefault(True)

    def _chosen(self) -> None:
        chosen = self.disagreements.currentItem() is not None
        self.adjudicate.setEnabled(self._can_decide and chosen)

    def _adjudicate(self) -> None:
        items = [
            self.disagreements.topLevelItem(place)
            for place in range(self.disagreements.topLevelItemCount())
        ]
        scan_ids = [item.data(0, _SCAN) for item in items if item is not None]
        chosen = self.disagreements.currentItem()
        if self._can_decide and chosen is not None:
            place = scan_ids.index(chosen.data(0, _SCAN))
            self.adjudicate_asked.emit(scan_ids[place:])
            self.accept()


def _table(columns: Sequence[str], *, stretched: int, numbers: Sequence[int] = ()) -> QTreeWidget:
    table = QTreeWidget()
    table.setHeaderLabels(list(columns))
    for column in numbers:
        table.headerItem().setTextAlignment(column, _RIGHT)
    table.setRootIsDecorated(False)
    header = table.header()
    header.setStretchLastSection(False)
    for column in range(len(columns)):
        mode = QHeaderView.ResizeMode.ResizeToContents
        header.setSectionResizeMode(
            column, QHeaderView.ResizeMode.Stretch if column == stretched else mode
        )
    return table


def _fill(table: QTreeWidget, rows: Sequence[Row]) -> None:
    table.clear()
    for row in rows:
        item = QTreeWidgetItem(list(row))
        for column in range(len(row)):
            if table.headerItem().textAlignment(column) == _RIGHT:
                item.setTextAlignment(column, _RIGHT)
        table.addTopLevelItem(item)
