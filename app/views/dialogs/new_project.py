"""A new project: its scans, its labels, its backbone."""

import os
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app import strings
from app.models.label_drafts import Edit, LabelDraft, NewId, drafts_of, label_set_of
from app.strings import dialog_words
from app.views.dialogs.label_editor import LabelEditor
from app.views.dialogs.parts import DeskDialog, ask_folder, heading, note
from app.views.fields import PlainLabel, typed_path
from nearl_core.types import LabelSet, Unit

_ENDING = ".nearl"
_USUAL_NAME = "project"


class Seen(Protocol):
    """What was seen of the folder of scans."""

    @property
    def sentence(self) -> str:
        """Why each series should be one scan."""
        ...


class NewProjectDialog(DeskDialog):
    """Asks for what a project is made from.

    Attributes:
        scans_changed: The folder of scans, or None while there is none.
    """

    scans_changed = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        *,
        templates: tuple[tuple[str, LabelSet], ...],
        backbones: tuple[str, ...],
        new_id: NewId,
        scans: Path | None = None,
    ) -> None:
        super().__init__(dialog_words.NEW_PROJECT_TITLE, dialog_words.CREATE, parent)
        self.resize(720, 672)
        self._templates = templates
        self._new_id = new_id
        self._named = False
        self._labels_begun = False
        self._given: tuple[LabelDraft, ...] = ()
        self._taken = 0
        self._scans = QLineEdit("" if scans is None else str(scans))
        self._scans.textChanged.connect(self._scans_typed)
        self._place = QLineEdit()
        self._place.textEdited.connect(self._place_typed)
        self._template = QComboBox()
        self._template.setAccessibleName(dialog_words.TEMPLATE)
        self._template.addItem(dialog_words.OWN_LABELS)
        for title, _ in templates:
            self._template.addItem(title)
        self._template.activated.connect(self._template_chosen)
        self._backbone = QComboBox()
        self._backbone.addItems(list(backbones))
        self._unit = QComboBox()
        for unit in Unit:
            self._unit.addItem(dialog_words.UNITS[unit.value], unit)
        self._unit.currentIndexChanged.connect(self._show_hint)
        self._seen = ""
        self._hint, self._take_series = note(""), QPushButton(dialog_words.TAKE_SERIES)
        self._take_series.setAutoDefault(False)
        self._take_series.clicked.connect(self._series_taken)
        self._patients = QComboBox()
        for rule, word in dialog_words.PATIENT_RULES.items():
            self._patients.addItem(word, rule)
        self.editor = LabelEditor(Edit(()).added(), multi_label=False, in_project=False)
        self.body.addLayout(self._fields())
        self.body.addSpacing(8)
        self.body.addWidget(heading(strings.LABELS))
        self.body.addWidget(self._template)
        self.body.addWidget(self.editor, 1)
        self.editor.changed.connect(self._labels_changed)
        self.editor.ended.connect(self._labels_ended)
        self._suggest_place()
        self.show_problem("")
        self._show_hint()
        self._scans.setFocus()

    def _fields(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        for title, field, choose in (
            (dialog_words.SCANS_FOLDER, self._scans, self._choose_scans),
            (dialog_words.PROJECT_FOLDER, self._place, self._choose_place),
        ):
            field.setAccessibleName(title)
            button = QPushButton(dialog_words.CHOOSE)
            button.setAccessibleName(f"{title}: {dialog_words.CHOOSE}")
            button.setAutoDefault(False)
            button.clicked.connect(choose)
            line = QHBoxLayout()
            line.setSpacing(8)
            line.addWidget(field, 1)
            line.addWidget(button)
            form.addRow(title, line)
        form.addRow(dialog_words.UNIT, self._unit)
        hint = QHBoxLayout()
        hint.setSpacing(8)
        hint.addWidget(self._hint, 1)
        hint.addWidget(self._take_series)
        form.addRow("", hint)
        self._form, self._hint_row = form, hint
        form.addRow(dialog_words.PATIENTS, self._patients)
        form.addRow(dialog_words.BACKBONE, self._backbone)
        form.addRow("", note(dialog_words.SCANS_STAY))
        return form

    @property
    def hint(self) -> str:
        """The sentence that suggests series, "" while none is shown."""
        return self._seen if self.unit is Unit.IMAGE else ""

    @property
    def scans(self) -> Path | None:
        """The folder to take scans from."""
        text = self._scans.text()
        return typed_path(text) if text.strip() else None

    @property
    def folder(self) -> Path:
        """Where the project will stand; what has no name, such as a drive, stays without one."""
        path = typed_path(self._place.text())
        if not path.name or path.suffix == _ENDING:
            return path
        return path.with_name(path.name + _ENDING)

    @property
    def backbone(self) -> str:
        """The backbone's name."""
        return self._backbone.currentText()

    @property
    def unit(self) -> Unit:
        """What one scan is."""
        return tuple(Unit)[self._unit.currentIndex()]

    @property
    def patients(self) -> str:
        """How folders tell patients apart; "" where the files do."""
        return str(self._patients.currentData())

    def label_set(self) -> LabelSet:
        """The labels as typed."""
        return label_set_of(
            self.editor.drafts,
            multi_label=self.editor.multi_label,
            revision=1,
            new_id=self._new_id,
        )

    def show_problem(self, text: str) -> None:
        """Say what is wrong with folders or, once they were begun, labels, in that order."""
        del text
        labels = self.editor.problem if self._labels_begun else ""
        super().show_problem(self._own_problem() or labels)

    def accept(self) -> None:
        """Make the project, unless something is still wrong."""
        self._labels_changed()
        if self.ok.isEnabled():
            super().accept()
        elif self.editor.problem:
            self.editor.name_field.setFocus()

    def reject(self) -> None:
        """Close the dialog; labels that were typed are not dropped without a question."""
        if self._typed():
            question = self._question(dialog_words.LABELS_LOST, dialog_words.DISCARD)
            question.accepted.connect(self._discard)
        else:
            super().reject()

    def _typed(self) -> bool:
        """Whether there are labels other than a template gave."""
        written = (d for d in self.editor.drafts if d.name.strip() or d.prompts.strip())
        return tuple(written) != self._given

    def _question(self, sentence: str, lose: str) -> DeskDialog:
        """Ask before typed labels are lost; Enter keeps them."""
        question = DeskDialog(dialog_words.NEW_PROJECT_TITLE, lose, self)
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.body.addWidget(PlainLabel(sentence))
        question.refuse.setText(dialog_words.KEEP_TYPING)
        question.refuse.setDefault(True)
        question.refuse.setFocus()
        question.open()
        return question

    def _discard(self) -> None:
        super().reject()

    def _labels_changed(self) -> None:
        self._labels_begun = True
        self.show_problem("")

    def _labels_ended(self) -> None:
        self._labels_changed()
        self.ok.setFocus()

    def _own_problem(self) -> str:
        # By os.path: pathlib raises where a folder on the way may not be looked into.
        if self.scans is not None and not os.path.isdir(self.scans):
            return dialog_words.NO_SUCH_FOLDER
        if not self._place.text().strip():
            return dialog_words.NEEDS_PLACE
        if not self.folder.name:
            return dialog_words.FOLDER_NEEDS_NAME
        if os.path.lexists(self.folder):
            return dialog_words.PROJECT_EXISTS
        return ""

    def _suggest_place(self) -> None:
        if not self._named:
            scans = self.scans
            folder = Path.home() if scans is None else scans.parent
            self._place.setText(str(folder / self._usual_name()))

    def _usual_name(self) -> str:
        """The project is called like its folder of scans."""
        scans = self.scans
        return ((scans.name if scans is not None else "") or _USUAL_NAME) + _ENDING

    def _scans_typed(self) -> None:
        self._suggest_place()
        self.show_problem("")
        self.show_seen(None)
        scans = self.scans
        there = scans is not None and os.path.isdir(scans)
        self.scans_changed.emit(scans if there else None)

    def show_seen(self, seen: Seen | None) -> None:
        """Suggest what one scan should be, where the folder holds series; the reader chooses."""
        self._seen = "" if seen is None else seen.sentence
        self._show_hint()

    def _show_hint(self) -> None:
        self._hint.setText(self.hint)
        self._form.setRowVisible(self._hint_row, bool(self.hint))

    def _series_taken(self) -> None:
        self._unit.setCurrentIndex(tuple(Unit).index(Unit.SERIES))
        self._unit.setFocus()

    def _place_typed(self) -> None:
        self._named = True
        self.show_problem("")

    def _choose_scans(self) -> None:
        chosen = ask_folder(self, dialog_words.SCANS_FOLDER, self.scans)
        if chosen is not None:
            self._scans.setText(str(chosen))

    def _choose_place(self) -> None:
        chosen = ask_folder(self, dialog_words.PROJECT_FOLDER, self.folder.parent)
        if chosen is not None:
            self._named = True
            self._place.setText(str(chosen / self._usual_name()))
            self.show_problem("")

    def _template_chosen(self, row: int) -> None:
        if row > 0 and self._typed():
            question = self._question(dialog_words.LABELS_REPLACED, dialog_words.REPLACE)
            question.accepted.connect(self._take_template)
            question.rejected.connect(self._keep_template)
        else:
            self._take_template()

    def _take_template(self) -> None:
        """Edit the labels of the template that is chosen; for own ones those that are there."""
        self._taken = self._template.currentIndex()
        if self._taken > 0:
            label_set = self._templates[self._taken - 1][1]
            edit = Edit(tuple(drafts_of(label_set)))
            self._given = edit.drafts
            self.editor.replace(edit, multi_label=label_set.multi_label)

    def _keep_template(self) -> None:
        self._template.setCurrentIndex(self._taken)
