"""The backbones: which there are, fetching, adding, choosing one for the project."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.models.backbone_lines import BackboneLine, ask_fetch
from app.strings import backbone_words as words
from app.strings import dialog_words
from app.views.dialogs.parts import DeskDialog, ask_folder, muted

_NAME = Qt.ItemDataRole.UserRole


class BackbonesDialog(DeskDialog):
    """Shows the list; what needs a yes is asked below it, and said before it is done.

    Attributes:
        fetch_asked: Name of the backbone to fetch; the reader has confirmed it.
        add_asked: The folder to add.
        use_asked: Name of the backbone for the open project; the reader has confirmed it.
        stop_asked: Stop what runs.
    """

    fetch_asked = Signal(str)
    add_asked = Signal(str)
    use_asked = Signal(str)
    stop_asked = Signal()

    def __init__(self, parent: QWidget | None, *, used: str, decisions: int, can_use: bool) -> None:
        super().__init__(words.TITLE, dialog_words.CLOSE, parent)
        self.only_close()
        self.resize(880, 480)
        self._used, self._decisions, self._can_use = used, decisions, can_use
        self._lines: dict[str, BackboneLine] = {}
        self._running = False
        self._confirmed = ""
        self.list = QTreeWidget()
        self.list.setAccessibleName(words.TITLE)
        self.list.setHeaderLabels(list(words.COLUMNS))
        self.list.setRootIsDecorated(False)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.list.header().setStretchLastSection(False)
        for column, width in ((0, 160), (2, 80), (3, 112), (4, 136)):
            self.list.setColumnWidth(column, width)
        self.list.currentItemChanged.connect(self._choose)
        self.fetch, self.add, self.use, self.yes, self.no, self.stop = (
            _button(text)
            for text in (words.FETCH, words.ADD, words.USE, "", words.NOT_NOW, words.STOP)
        )
        self.text = muted("", role="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self._lay_out()
        self.fetch.clicked.connect(self._ask_fetch)
        self.use.clicked.connect(self._ask_use)
        self.add.clicked.connect(self._ask_folder)
        self.yes.clicked.connect(self._say_yes)
        self.no.clicked.connect(self._choose)
        self.stop.clicked.connect(self.stop_asked)
        self._choose()

    def _lay_out(self) -> None:
        self.body.addWidget(muted(words.NOTE))
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.text)
        self.body.addWidget(self.bar)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.fetch, self.add, self.use):
            row.addWidget(button)
        row.addStretch(1)
        for button in (self.yes, self.no, self.stop):
            row.addWidget(button)
        self.body.addLayout(row)

    # --- what is shown ---------------------------------------------------------------------

    def show_lines(self, lines: Sequence[BackboneLine]) -> None:
        """Show the backbones; the chosen one stays chosen."""
        chosen = self._name() or self._used
        self._lines = {line.name: line for line in lines}
        self.list.blockSignals(True)  # nobody chose: what is said below stays
        self.list.clear()
        for line in lines:
            cells = (line.learned_from, line.size(), line.licence, line.state(self._used))
            item = QTreeWidgetItem([line.name, *cells])
            item.setData(0, _NAME, line.name)
            item.setToolTip(1, line.learned_from)
            self.list.addTopLevelItem(item)
            if line.name == chosen:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self._show_buttons()

    def show_progress(self, text: str, done: float, total: float) -> None:
        """Show what runs and how far it is, in thousandths."""
        self._running = True
        self.text.setText(text)
        self.bar.setRange(0, 1000 if total else 0)
        self.bar.setValue(round(1000 * done / total) if total else 0)
        self._show_buttons()

    def show_result(self, text: str) -> None:
        """Show what came of it."""
        self._running, self._confirmed = False, ""
        self._show_buttons()
        self.text.setText(text)

    # --- what the reader does --------------------------------------------------------------

    def _name(self) -> str:
        item = self.list.currentItem()
        return "" if item is None else str(item.data(0, _NAME))

    def _choose(self) -> None:
        self._confirmed = ""
        if not self._running:
            self.text.setText("")
        self._show_buttons()

    def _show_buttons(self) -> None:
        line, asking = self._lines.get(self._name()), bool(self._confirmed)
        free = not self._running and not asking
        self.fetch.setEnabled(free and line is not None and line.can_be_fetched)
        can_use = self._can_use and line is not None and line.here and line.name != self._used
        self.use.setEnabled(free and can_use)
        self.add.setEnabled(free)
        self.list.setEnabled(not asking)
        self.yes.setVisible(asking and not self._running)
        self.no.setVisible(asking and not self._running)
        self.stop.setVisible(self._running)
        self.bar.setVisible(self._running)

    def _ask_fetch(self) -> None:
        self._ask("fetch", ask_fetch(self._lines[self._name()]), words.FETCH_NOW)

    def _ask_use(self) -> None:
        text = words.ASK_USE.format(name=self._name(), used=self._used, decisions=self._decisions)
        self._ask("use", text, words.USE_NOW)

    def _ask(self, what: str, text: str, yes: str) -> None:
        self._confirmed = what
        self.yes.setText(yes)
        self.text.setText(text)
        self._show_buttons()
        self.no.setFocus()

    def _say_yes(self) -> None:
        what, name = self._confirmed, self._name()
        self._confirmed = ""
        if what == "use":
            self.use_asked.emit(name)
            self.accept()
        else:
            self.fetch_asked.emit(name)
            self._show_buttons()

    def _ask_folder(self) -> None:
        chosen = ask_folder(self, words.FOLDER)
        if chosen is not None:
            self.add_asked.emit(str(chosen))


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    return button
