"""The label-set editor: names, prompts, order; ids stay what they are."""

from dataclasses import replace

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.models.keymap import label_key
from app.models.label_drafts import (
    LabelDraft,
    NewId,
    drafts_of,
    label_set_of,
    new_draft,
    problem,
    tree_of,
)
from app.models.label_tree import below, indents
from app.strings import dialog_words, label_words
from app.views import style
from app.views.dialogs.parts import DeskDialog, heading, muted
from nearl_core.types import LabelSet


class LabelEditor(QWidget):
    """Edits drafts in place; also part of the new-project dialog."""

    def __init__(self, drafts: list[LabelDraft], *, multi_label: bool, fixed_kind: bool) -> None:
        super().__init__()
        self.drafts = drafts
        self._fixed = frozenset(draft.id for draft in drafts if draft.id) if fixed_kind else None
        self._list = QListWidget()
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._name = QLineEdit()
        self._prompts = QPlainTextEdit()
        self._prompts.setTabChangesFocus(True)
        self._prompts.setPlaceholderText(dialog_words.PROMPTS_HINT)
        self._code = QLineEdit()
        self._code.setPlaceholderText(dialog_words.CODE_HINT)
        self._parent = QComboBox()
        self._parent.setToolTip(label_words.PARENT_TIP)
        self._multi = QCheckBox(dialog_words.MULTI_LABEL)
        self._multi.setChecked(multi_label)
        self._multi.setEnabled(not fixed_kind)
        self._remove = QPushButton(dialog_words.REMOVE)
        self.changed: list[object] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addLayout(self._left(), 2)
        layout.addLayout(self._right(), 3)
        self._list.currentRowChanged.connect(self._show)
        self._name.textEdited.connect(self._edited)
        self._code.textEdited.connect(self._edited)
        self._prompts.textChanged.connect(self._edited)
        self._parent.activated.connect(self._parent_chosen)
        self._refill(0)

    def _left(self) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(8)
        box.addWidget(heading(dialog_words.LABELS_AND_KEYS))
        box.addWidget(self._list, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for text, act in (
            (dialog_words.ADD, self.add),
            (dialog_words.MOVE_UP, self._up),
            (dialog_words.MOVE_DOWN, self._down),
        ):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            buttons.addWidget(button)
        self._remove.setAutoDefault(False)
        self._remove.clicked.connect(self._remove_current)
        buttons.addWidget(self._remove)
        box.addLayout(buttons)
        return box

    def _right(self) -> QVBoxLayout:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(4)
        form.addRow(heading(dialog_words.NAME), self._name)
        form.addRow(heading(dialog_words.PROMPTS), self._prompts)
        form.addRow(heading(label_words.PARENT), self._parent)
        form.addRow(heading(dialog_words.CODE), self._code)
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

    def on_change(self, receive: QLabel | DeskDialog) -> None:
        """Show problems in a dialog as they arise."""
        self.changed.append(receive)
        self._report()

    def replace_drafts(self, drafts: list[LabelDraft], *, multi_label: bool) -> None:
        """Edit other labels, from a template."""
        self.drafts = drafts
        self._multi.setChecked(multi_label)
        self._refill(0)

    def add(self) -> None:
        """Append a label and let its name be typed."""
        self.drafts.append(new_draft(self.drafts))
        self._refill(len(self.drafts) - 1)
        self._name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _remove_current(self) -> None:
        row = self._list.currentRow()
        if 0 <= row < len(self.drafts):
            del self.drafts[row]
            self._refill(min(row, len(self.drafts) - 1))

    def _up(self) -> None:
        self._move(-1)

    def _down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        row = self._list.currentRow()
        other = row + by
        if 0 <= row < len(self.drafts) and 0 <= other < len(self.drafts):
            self.drafts[row], self.drafts[other] = self.drafts[other], self.drafts[row]
            self._refill(other)

    def _edited(self) -> None:
        row = self._list.currentRow()
        if not 0 <= row < len(self.drafts):
            return
        self.drafts[row] = replace(
            self.drafts[row],
            name=self._name.text(),
            prompts=self._prompts.toPlainText(),
            code=self._code.text(),
        )
        self._write_lines()
        self._report()

    def _parent_chosen(self) -> None:
        row = self._list.currentRow()
        if 0 <= row < len(self.drafts):
            self.drafts[row] = replace(self.drafts[row], parent=self._parent.currentData())
            self._write_lines()

    def _write_lines(self) -> None:
        for place, text in enumerate(_lines(self.drafts)):
            self._list.item(place).setText(text)

    def _refill(self, row: int) -> None:
        with QSignalBlocker(self._list):
            self._list.clear()
            for line in _lines(self.drafts):
                item = QListWidgetItem(line)
                item.setSizeHint(QSize(0, style.BUTTON_HEIGHT))
                self._list.addItem(item)
            self._list.setCurrentRow(row, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._show(row)
        self._report()

    def _show(self, row: int) -> None:
        inside = 0 <= row < len(self.drafts)
        draft = self.drafts[row] if inside else LabelDraft()
        for widget in (self._name, self._prompts, self._parent, self._code, self._remove):
            widget.setEnabled(inside)
        with QSignalBlocker(self._name), QSignalBlocker(self._prompts), QSignalBlocker(self._code):
            self._name.setText(draft.name)
            self._prompts.setPlainText(draft.prompts)
            self._code.setText(draft.code)
        self._offer_parents(draft)

    def _offer_parents(self, draft: LabelDraft) -> None:
        """Every other label but those that have this one for a parent."""
        tree = tree_of(self.drafts)
        never = below(draft.key, tree)
        self._parent.clear()
        self._parent.addItem(label_words.NO_PARENT, "")
        for other in self.drafts:
            if other.key not in never:
                self._parent.addItem(other.name.strip() or dialog_words.UNNAMED, other.key)
        self._parent.setCurrentIndex(max(0, self._parent.findData(dict(tree).get(draft.key, ""))))

    def _report(self) -> None:
        for receive in self.changed:
            if isinstance(receive, DeskDialog):
                receive.show_problem(problem(self.drafts))


def _lines(drafts: list[LabelDraft]) -> list[str]:
    """Each label's key and name, set in below its parent or naming it."""
    tree = tree_of(drafts)
    names = {draft.key: draft.name.strip() or dialog_words.UNNAMED for draft in drafts}
    lines = []
    for place, ((key, parent), indent) in enumerate(zip(tree, indents(tree), strict=True)):
        name = names[key]
        if parent and not indent:
            name = label_words.CHILD.format(parent=names[parent], name=name)
        lines.append(f"{label_key(place):>3}   {'      ' * indent}{name}")
    return lines


class LabelSetDialog(DeskDialog):
    """Edits the label set of a project."""

    def __init__(self, label_set: LabelSet, new_id: NewId, parent: QWidget | None) -> None:
        super().__init__(dialog_words.LABEL_SET_TITLE, dialog_words.SAVE, parent)
        self.resize(680, 480)
        self._before = label_set
        self._new_id = new_id
        self.editor = LabelEditor(
            drafts_of(label_set), multi_label=label_set.multi_label, fixed_kind=True
        )
        self.body.addWidget(self.editor, 1)
        self.body.addWidget(muted(dialog_words.LABEL_SET_NOTE))
        self.editor.on_change(self)

    def label_set(self) -> LabelSet:
        """The label set as edited."""
        return label_set_of(
            self.editor.drafts,
            multi_label=self._before.multi_label,
            revision=self._before.revision,
            new_id=self._new_id,
        )
