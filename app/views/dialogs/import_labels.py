"""Labels that exist already: where they are, what they come to, what each value means."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.models.import_lines import ImportAsked, ImportPreview
from app.models.tips import plain_tip
from app.strings import dialog_words, label_words
from app.views.dialogs.parts import DeskDialog, ask_folder, heading, muted, note
from app.views.fields import PlainLabel

_COLUMNS = (label_words.FILE_COLUMN, label_words.LABEL_COLUMN)
_TAG = "dicom-tags"
_FOLDER = "imagefolder"
_VALUES_SEEN, _VALUE_ROW = 6, 34
"""How many values are in sight at the least, the header one of them, and a row's height, px."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ImportLabelsDialog(DeskDialog):
    """Asks for a source, shows what it says, and lets each value be mapped to a label.

    Attributes:
        look_asked: An ImportAsked: read it.
        plan_asked: What the values mean now, the name, and whether a row that means several scans
            labels each of them: work it out again.
        take_asked: Take in what is shown.
        columns: Which column of a table names the file, and which its label, by their words; in
            sight once the table was looked at.
    """

    look_asked = Signal(object)
    plan_asked = Signal(object, str, bool)
    take_asked = Signal()

    def __init__(self, targets: Sequence[tuple[str, str]], parent: QWidget | None) -> None:
        super().__init__(label_words.IMPORT_TITLE, label_words.IMPORT, parent)
        self.resize(760, 560)
        self._targets = tuple(targets)
        self._mapping: dict[str, str] = {}
        self._listed: tuple[str, ...] = ()
        self._named = False
        self._looked_at: ImportAsked | None = None
        self.kind = QComboBox()
        for value, word in label_words.IMPORT_KINDS.items():
            self.kind.addItem(word, value)
        self.path = QLineEdit()
        self.tag = QComboBox()
        self.tag.setEditable(True)
        self.tag.addItems(list(label_words.IMPORT_TAGS))
        self.columns = {word: QComboBox() for word in _COLUMNS}
        self.match = QComboBox()
        for value, word in label_words.MATCHES.items():
            self.match.addItem(word, value)
        self.each = QCheckBox(label_words.EACH)
        self.name = QLineEdit()
        self.name.setToolTip(label_words.IMPORT_NAME_TIP)
        self.look = _button(label_words.LOOK)
        self._choose = _button(dialog_words.CHOOSE)
        self._source_word = PlainLabel()
        self._form = QFormLayout()
        self._sources = QStackedWidget()
        self._sources.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._hint, self.summary = note(""), muted("")
        self.values = QTreeWidget()
        self._lay_out()
        self.kind.activated.connect(self._kind_chosen)
        self.path.textEdited.connect(self._source_changed)
        self.tag.editTextChanged.connect(self._source_changed)
        for column in self.columns.values():
            column.activated.connect(self._look)
        self.match.activated.connect(self._look)
        self.each.clicked.connect(self._plan)
        self.name.textEdited.connect(self._name_typed)
        self.look.clicked.connect(self._look)
        self._choose.clicked.connect(self._choose_source)
        self._kind_chosen()
        self.path.setFocus()

    def _lay_out(self) -> None:
        row = QWidget()
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.path, 1)
        box.addWidget(self._choose)
        self._sources.addWidget(row)
        self._sources.addWidget(self.tag)
        form = self._form
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow(label_words.IMPORT_KIND, self.kind)
        form.addRow(self._source_word, self._sources)
        form.addRow("", self._hint)
        for word, column in self.columns.items():
            form.addRow(word, column)
            if word == label_words.FILE_COLUMN:
                form.addRow(label_words.MATCH, self.match)
        form.addRow(label_words.IMPORT_NAME, self.name)
        self.body.addLayout(form)
        head = QHBoxLayout()
        head.addWidget(heading(label_words.REVIEW_TITLE), 1)
        head.addWidget(self.look)
        self.body.addLayout(head)
        tree = self.values
        tree.setAccessibleName(label_words.REVIEW_TITLE)
        tree.setHeaderLabels(list(label_words.VALUE_COLUMNS))
        tree.headerItem().setTextAlignment(1, _RIGHT)
        tree.setRootIsDecorated(False)
        tree.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.setColumnWidth(1, 80)
        tree.setColumnWidth(2, 280)
        tree.setMinimumHeight(_VALUES_SEEN * _VALUE_ROW)
        self.body.addWidget(tree, 1)
        self.body.addWidget(self.summary)
        self.body.addWidget(self.each)
        self.body.addWidget(muted(label_words.IMPORT_NOTE))

    # --- what is asked for -----------------------------------------------------------------

    @property
    def source(self) -> str:
        """The file, the folder, or the tag."""
        field = self.tag.currentText() if self._is_tag else self.path.text()
        return field.strip()

    @property
    def _asked(self) -> ImportAsked:
        of_file, of_label = (column.currentData() or "" for column in self.columns.values())
        return ImportAsked(
            *(self.kind.currentData(), self.source, self.name.text()),
            *(of_file, of_label, self.match.currentData()),
        )

    @property
    def _is_tag(self) -> bool:
        return bool(self.kind.currentData() == _TAG)

    def _kind_chosen(self) -> None:
        kind = self.kind.currentData()
        self._sources.setCurrentIndex(1 if self._is_tag else 0)
        word = label_words.IMPORT_TAG if self._is_tag else label_words.IMPORT_SOURCE
        self._source_word.setText(word)
        for field in (self.path, self.tag):
            field.setAccessibleName(word)
        self._hint.setText(label_words.IMPORT_HINTS[kind])
        if not self._named:
            self.name.setText(f"imported-{kind}")
        self._source_changed()

    def _choose_source(self) -> None:
        kind = self.kind.currentData()
        if kind == _FOLDER:
            chosen = str(ask_folder(self, label_words.IMPORT_TITLE) or "")
        else:
            filters = label_words.IMPORT_FILES[kind]
            chosen, _ = QFileDialog.getOpenFileName(
                self, label_words.IMPORT_TITLE, str(Path.home()), filters
            )
        if chosen:
            self.path.setText(chosen)
            self._source_changed()
            self._look()

    def _name_typed(self) -> None:
        self._named = True
        self._changed()

    def _source_changed(self) -> None:
        self._list_columns(())
        self._changed()

    def _changed(self) -> None:
        """What is shown is no longer what is asked for."""
        self._mapping = {}
        self.each.setChecked(False)
        self.each.hide()
        self.values.clear()
        self.summary.setText(label_words.NOT_LOOKED)
        self.look.setEnabled(bool(self.source and self.name.text().strip()))
        self._allow(False)

    def _allow(self, allowed: bool) -> None:
        self.show_problem("")
        self.ok.setEnabled(allowed)
        self.ok.setDefault(allowed)
        self.look.setDefault(not allowed)

    def _look(self) -> None:
        if self.look.isEnabled():
            self._changed()
            self.summary.setText(label_words.READING_SOURCE)
            self._looked_at = self._asked
            self.look_asked.emit(self._asked)

    def accept(self) -> None:
        """Take in what is shown; the dialog is closed once that is done."""
        if self.ok.isEnabled():
            self._lock(True)
            self.take_asked.emit()

    def _lock(self, locked: bool) -> None:
        fields = (self.kind, self._sources, *self.columns.values(), self.match, self.name)
        for widget in (*fields, self.each, self.look, self.values, self.ok):
            widget.setEnabled(not locked)

    # --- what came back --------------------------------------------------------------------

    def show_columns(self, names: Sequence[str]) -> None:
        """Let columns of the table be chosen; those that are chosen stay."""
        if self._looked_at == self._asked and self._listed != tuple(names):
            self._list_columns(names)

    def _list_columns(self, names: Sequence[str]) -> None:
        self._listed = tuple(names)
        for column in self.columns.values():
            chosen = column.currentData()
            column.clear()
            column.addItem(label_words.BY_NAME, "")
            for name in names:
                column.addItem(name, name)
            column.setCurrentIndex(max(0, column.findData(chosen)))
            self._form.setRowVisible(column, bool(names))
        if not names:
            self.match.setCurrentIndex(0)
        self._form.setRowVisible(self.match, bool(names))

    def show_preview(self, shown: ImportPreview) -> None:
        """Show what would be taken in, unless something else is asked for by now."""
        if self._looked_at != self._asked:
            return
        if self.values.topLevelItemCount() != len(shown.rows):
            self.values.clear()
            for value, count, target in shown.rows:
                self._add_row(value, count, target)
        self.summary.setText(shown.summary)
        self.each.setVisible(shown.several)
        self._allow(shown.decisions > 0)

    def _add_row(self, value: str, count: int, target: str) -> None:
        item = QTreeWidgetItem([value, str(count)])
        item.setToolTip(0, plain_tip(value))
        item.setTextAlignment(1, _RIGHT)
        means = QComboBox()
        for meaning, word in self._targets:
            means.addItem(word, meaning)
        means.setCurrentIndex(max(0, means.findData(target)))
        means.setAccessibleName(f"{value}: {label_words.VALUE_COLUMNS[2]}")
        means.activated.connect(lambda _row: self._map(value, means.currentData()))
        self.values.addTopLevelItem(item)
        cell = QWidget()
        box = QHBoxLayout(cell)
        box.setContentsMargins(0, 3, 0, 3)
        box.addWidget(means)
        self.values.setItemWidget(item, 2, cell)

    def _map(self, value: str, target: str) -> None:
        self._mapping[value] = target
        self._plan()

    def _plan(self) -> None:
        self._allow(False)
        self.plan_asked.emit(dict(self._mapping), self.name.text(), self.each.isChecked())

    def show_progress(self, text: str) -> None:
        """Say how far it is."""
        self.summary.setText(text)

    def show_failure(self, text: str) -> None:
        """Say why the source can't be used."""
        self._lock(False)
        self.summary.setText("")
        self._allow(False)
        self.show_problem(text)
        if self._listed:
            self.columns[label_words.FILE_COLUMN].setFocus()

    def finish(self) -> None:
        """It is done."""
        super().accept()


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    return button
