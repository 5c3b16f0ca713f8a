"""The editor of labels: names, prompts, parents, order; ids stay what they are."""

from dataclasses import replace

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.models.keymap import label_key
from app.models.label_drafts import Edit, LabelDraft, code_note, problem, tree_of
from app.models.label_tree import below, indents
from app.models.tips import plain_tip
from app.strings import dialog_words, label_words
from app.views import style
from app.views.dialogs.parts import heading, note


class _NameField(QLineEdit):
    """A name; where names are typed one after the other, Enter is not the dialog's.

    Attributes:
        entered: Enter was pressed.
        left: The keyboard went on to another part of the dialog.
    """

    entered = Signal()
    left = Signal()

    def __init__(self, *, one_of_many: bool) -> None:
        super().__init__()
        self._one_of_many = one_of_many
        if one_of_many:
            self.setPlaceholderText(dialog_words.NAME_HINT)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Keep Enter from the dialog's button."""
        if self._one_of_many and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
            event.accept()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Tell that the reader went on; a menu or another window is no going on."""
        super().focusOutEvent(event)
        stays = Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason
        if event.reason() not in stays:
            self.left.emit()


class LabelEditor(QWidget):
    """Edits labels; also part of the new-project dialog.

    Attributes:
        edit: The labels as they are now, and what became of those that were there before.
        changed: What is wrong with them, "" if nothing; also told when a name is left.
        ended: Enter was pressed in an empty name after the last label.
    """

    changed = Signal(str)
    ended = Signal()

    def __init__(self, edit: Edit, *, multi_label: bool, in_project: bool) -> None:
        super().__init__()
        self.edit = edit
        self._in_project = in_project
        self._list = QListWidget()
        self._list.setAccessibleName(dialog_words.LABELS_AND_KEYS)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setSelectionMode(
            QAbstractItemView.SelectionMode.ExtendedSelection
            if in_project
            else QAbstractItemView.SelectionMode.SingleSelection
        )
        self._name = _NameField(one_of_many=not in_project)
        self._prompts = QPlainTextEdit()
        self._prompts.setTabChangesFocus(True)
        self._prompts.setPlaceholderText(dialog_words.PROMPTS_HINT)
        self._code = QLineEdit()
        self._code.setPlaceholderText(dialog_words.CODE_HINT)
        self.code_note = note("")
        self._parent = QComboBox()
        self._parent.setToolTip(label_words.PARENT_TIP)
        self._multi = QCheckBox(dialog_words.MULTI_LABEL)
        self._multi.setChecked(multi_label)
        self._multi.setEnabled(not in_project)
        self._remove = _button(dialog_words.REMOVE, label_words.REMOVE_TIP if in_project else "")
        self._merge = _button(label_words.MERGE, label_words.MERGE_TIP)
        self._split = _button(label_words.SPLIT, label_words.SPLIT_TIP)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addLayout(self._left(in_project), 1)
        layout.addLayout(self._right(), 1)
        self._list.currentRowChanged.connect(self._show)
        self._list.itemSelectionChanged.connect(self._offer)
        self._name.textEdited.connect(self._edited)
        self._name.entered.connect(self._next)
        self._name.left.connect(self._name_left)
        self._code.textEdited.connect(self._edited)
        self._prompts.textChanged.connect(self._edited)
        self._parent.activated.connect(self._parent_chosen)
        self._refill(0)

    def _left(self, in_project: bool) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(8)
        box.addWidget(heading(dialog_words.LABELS_AND_KEYS))
        box.addWidget(self._list, 1)
        add, up, down = (
            _button(text)
            for text in (dialog_words.ADD, dialog_words.MOVE_UP, dialog_words.MOVE_DOWN)
        )
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for column, button in enumerate((add, up, down)):
            buttons.addWidget(button, 0, column)
        changes = (self._remove, self._merge, self._split) if in_project else (self._remove,)
        for column, button in enumerate(changes):
            buttons.addWidget(button, 1, column)
        for button, act in (
            (add, self.add),
            (up, self._up),
            (down, self._down),
            (self._remove, self.remove),
            (self._merge, self.merge),
            (self._split, self.split),
        ):
            button.clicked.connect(act)
        box.addLayout(buttons)
        return box

    def _right(self) -> QVBoxLayout:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(4)
        for title, field in (
            (dialog_words.NAME, self._name),
            (dialog_words.PROMPTS, self._prompts),
            (label_words.PARENT, self._parent),
            (dialog_words.CODE, self._code),
        ):
            field.setAccessibleName(title)
            form.addRow(heading(title), field)
        form.addRow(self.code_note)
        box = QVBoxLayout()
        box.setSpacing(8)
        box.addLayout(form, 1)
        box.addWidget(self._multi)
        return box

    @property
    def multi_label(self) -> bool:
        """Whether several labels can apply."""
        return self._multi.isChecked()

    @property
    def name_field(self) -> QLineEdit:
        """The name of the label that is marked."""
        return self._name

    @property
    def problem(self) -> str:
        """What is wrong with the labels, "" if nothing."""
        return problem(self.drafts)

    @property
    def drafts(self) -> tuple[LabelDraft, ...]:
        """The labels that count: of a new project a last one without a name is none yet."""
        drafts = self.edit.drafts
        unnamed = len(drafts) > 1 and not drafts[-1].name.strip()
        return drafts[:-1] if unnamed and not self._in_project else drafts

    def replace(self, edit: Edit, *, multi_label: bool) -> None:
        """Edit other labels, from a template."""
        self.edit = edit
        self._multi.setChecked(multi_label)
        self._refill(0)

    def mark(self, *rows: int) -> None:
        """Mark some labels; the last one is edited."""
        self._list.setCurrentRow(rows[-1], QItemSelectionModel.SelectionFlag.ClearAndSelect)
        for row in rows:
            self._list.item(row).setSelected(True)

    def add(self) -> None:
        """Append a label and let its name be typed."""
        self.edit = self.edit.added()
        self._refill(len(self.edit.drafts) - 1)
        self._name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _next(self) -> None:
        """Go on to the next name: of the label below, or of a new one."""
        row = self._row()
        if row is None:
            return
        if row + 1 < len(self.edit.drafts):
            self._let_name(row + 1)
        elif self._name.text().strip():
            self.add()
        else:
            self.ended.emit()

    def _name_left(self) -> None:
        if self.problem:
            self.changed.emit(self.problem)

    def merge(self) -> None:
        """Make one label of those that are marked, and let it be named."""
        rows = self._marked()
        if len(rows) > 1 and not self.problem:
            self.edit = self.edit.merged([self.edit.drafts[row].key for row in rows])
            self._let_name(rows[0])

    def split(self) -> None:
        """Put two labels in place of the marked one, and let the first be named."""
        rows = self._marked()
        if len(rows) == 1 and not self.problem:
            self.edit = self.edit.split(self.edit.drafts[rows[0]].key)
            self._let_name(rows[0])

    def _let_name(self, row: int) -> None:
        self._refill(row)
        self._name.setFocus(Qt.FocusReason.OtherFocusReason)
        self._name.selectAll()

    def _marked(self) -> list[int]:
        return sorted(index.row() for index in self._list.selectedIndexes())

    def remove(self) -> None:
        """Take the label that is edited out."""
        row = self._row()
        if row is not None:
            self.edit = self.edit.removed(self.edit.drafts[row].key)
            self._refill(min(row, len(self.edit.drafts) - 1))

    def _up(self) -> None:
        self._move(-1)

    def _down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        row = self._row()
        if row is not None and 0 <= row + by < len(self.edit.drafts):
            self.edit = self.edit.moved(row, by)
            self._refill(row + by)

    def _row(self) -> int | None:
        row = self._list.currentRow()
        return row if 0 <= row < len(self.edit.drafts) else None

    def _edited(self) -> None:
        row = self._row()
        if row is None:
            return
        draft = replace(
            self.edit.drafts[row],
            name=self._name.text(),
            prompts=self._prompts.toPlainText(),
            code=self._code.text(),
        )
        self.edit = self.edit.with_draft(row, draft)
        self._write_lines()
        self._show_note(draft)
        self._offer()

    def _parent_chosen(self) -> None:
        row = self._row()
        if row is not None:
            draft = replace(self.edit.drafts[row], parent=self._parent.currentData())
            self.edit = self.edit.with_draft(row, draft)
            self._write_lines()

    def _write_lines(self) -> None:
        for place, text in enumerate(_lines(self.edit.drafts)):
            self._list.item(place).setText(text)

    def _refill(self, row: int) -> None:
        with QSignalBlocker(self._list):
            self._list.clear()
            for line in _lines(self.edit.drafts):
                item = QListWidgetItem(line)
                item.setToolTip(plain_tip(line.strip()))
                item.setSizeHint(QSize(0, style.BUTTON_HEIGHT))
                self._list.addItem(item)
            self._list.setCurrentRow(row, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._show(row)
        self._offer()

    def _show(self, row: int) -> None:
        inside = 0 <= row < len(self.edit.drafts)
        draft = self.edit.drafts[row] if inside else LabelDraft()
        for widget in (self._name, self._prompts, self._parent, self._code, self._remove):
            widget.setEnabled(inside)
        with QSignalBlocker(self._name), QSignalBlocker(self._prompts), QSignalBlocker(self._code):
            self._name.setText(draft.name)
            self._prompts.setPlainText(draft.prompts)
            self._code.setText(draft.code)
        self._show_note(draft)
        self._offer_parents(draft)

    def _show_note(self, draft: LabelDraft) -> None:
        said = code_note(draft.code)
        self.code_note.setText(said)
        self.code_note.setVisible(bool(said))

    def _offer_parents(self, draft: LabelDraft) -> None:
        """Every other label but those that have this one for a parent."""
        tree = tree_of(self.edit.drafts)
        never = below(draft.key, tree)
        self._parent.clear()
        self._parent.addItem(label_words.NO_PARENT, "")
        for other in self.edit.drafts:
            if other.key not in never:
                self._parent.addItem(other.name.strip() or dialog_words.UNNAMED, other.key)
        self._parent.setCurrentIndex(max(0, self._parent.findData(dict(tree).get(draft.key, ""))))

    def _offer(self) -> None:
        marked, fine = len(self._marked()), not self.problem
        self._merge.setEnabled(marked > 1 and fine)
        self._split.setEnabled(marked == 1 and fine)
        self.changed.emit(self.problem)


def _button(text: str, tip: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button


def _lines(drafts: tuple[LabelDraft, ...]) -> list[str]:
    """Each label's key and name, set in below its parent or naming it."""
    tree = tree_of(drafts)
    names = {draft.key: draft.name.strip() or dialog_words.UNNAMED for draft in drafts}
    lines = []
    for place, ((key, parent), indent) in enumerate(zip(tree, indents(tree), strict=True)):
        name = names[key]
        if parent and not indent:
            name = label_words.CHILD.format(parent=names[parent], name=name)
        lines.append(f"{label_key(place):>3}   {'    ' * indent}{name}")
    return lines
