"""Batch review: a page of scans of one label that the model is sure of, accepted together."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from app import strings
from app.models.tips import plain_tip
from app.strings import dialog_words, grid_words
from app.views.dialogs.parts import DeskDialog, muted
from app.views.fields import PlainLabel, spin_box
from app.views.grid_cells import COLUMNS, ROWS, Cell, GridPage

PAGE = COLUMNS * ROWS
_BAR = 95
_NAME = Qt.ItemDataRole.UserRole + 1


class GridDialog(DeskDialog):
    """Shows a page; what it says comes from outside.

    Attributes:
        wanted: Another label or bar was chosen.
        accepted_page: Ids to accept, and ids that were taken out.
        back_asked: Take the last acceptance back.
    """

    wanted = Signal()
    accepted_page = Signal(object, object)
    back_asked = Signal()

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(grid_words.TITLE, "", parent)
        self.resize(1040, 720)
        self.label = QComboBox()
        self.label.setAccessibleName(strings.SUGGESTED)
        self.label.setMinimumWidth(240)
        self.label.setMaximumWidth(520)
        self.label.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.label.currentIndexChanged.connect(self.wanted)
        self.bar = spin_box(50, 99, _BAR)
        self.bar.setAccessibleName(grid_words.BAR)
        self.bar.setSuffix(" %")
        self.bar.valueChanged.connect(self.wanted)
        self.looked = muted("")
        self.looked.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.page = GridPage()
        self.page.changed.connect(self._count)
        self.empty = muted("", role="muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.back = QPushButton(grid_words.TAKE_BACK)
        self.back.setAutoDefault(False)
        self.back.setEnabled(False)
        self.back.clicked.connect(self.back_asked)
        self.said, self.hint = muted(""), muted(grid_words.HINT)
        self.refuse.setText(dialog_words.CLOSE)
        self.ok.clicked.disconnect()
        self.ok.clicked.connect(self._accept_page)
        self._lay_out()
        self.show_cells((), grid_words.WAITS)

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.label)
        line.addWidget(PlainLabel(grid_words.BAR))
        line.addWidget(self.bar)
        line.addWidget(self.looked, 1)
        self.body.addLayout(line)
        self.body.addWidget(self.page, 1)
        self.body.addWidget(self.empty, 1)
        self.body.addWidget(self.hint)
        self.buttons.insertWidget(0, self.back)
        self.buttons.insertWidget(1, self.said, 1)

    @property
    def label_id(self) -> str:
        """The suggestion whose scans are wanted, by its name for programs; "" for none."""
        return str(self.label.currentData() or "")

    def show_labels(self, counts: Sequence[tuple[str, str, int]], looked: str) -> None:
        """Offer suggestions (name for programs, name, scans); the chosen one stays chosen."""
        chosen = self.label_id
        with QSignalBlocker(self.label):
            self.label.clear()
            for label_id, name, count in counts:
                text = grid_words.of_label(name, count)
                self.label.addItem(text, label_id)
                self.label.setItemData(self.label.count() - 1, name, _NAME)
                tip = plain_tip(name)
                self.label.setItemData(self.label.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
            self.label.setCurrentIndex(max(self.label.findData(chosen), 0))
        self.label.setVisible(bool(counts))
        self.looked.setText(looked)

    def show_cells(self, cells: tuple[Cell, ...], why_none: str, unknown: str = "") -> None:
        """Show a page; `unknown` names labels that the model knows nothing of."""
        notice = grid_words.UNKNOWN.format(notice=unknown) if unknown else ""
        self.hint.setText(f"{grid_words.HINT} {notice}".strip())
        self.page.show_cells(cells)
        self.page.setVisible(bool(cells))
        self.empty.setVisible(not cells)
        self.empty.setText(why_none)
        self._count()
        if cells:
            self.page.cells[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def say(self, text: str, *, can_take_back: bool) -> None:
        """Say what came of it."""
        self.said.setText(text)
        self.back.setEnabled(can_take_back)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter accepts, wherever the focus is; undo takes the last acceptance back."""
        undo = event.key() == Qt.Key.Key_Z and event.modifiers() == (
            Qt.KeyboardModifier.ControlModifier
        )
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self.ok.click()
        elif undo:
            self.back.click()
        else:
            super().keyPressEvent(event)

    def _count(self) -> None:
        ticked = self.page.ids(ticked=True)
        shown = ticked or self.page.ids(ticked=False)
        name = str(self.label.currentData(_NAME) or "")
        text = grid_words.ACCEPT.format(count=len(ticked), label=name)
        if not ticked:
            text = grid_words.SKIP if shown else grid_words.ACCEPT_NONE
        self.ok.setText(text)
        self.ok.setEnabled(bool(shown))

    def _accept_page(self) -> None:
        self.ok.setEnabled(False)  # until the next page is there: one press is one page
        self.accepted_page.emit(self.page.ids(ticked=True), self.page.ids(ticked=False))
