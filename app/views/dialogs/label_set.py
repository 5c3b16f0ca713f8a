"""The labels of a project: edited, then shown what that comes to, then saved."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHeaderView,
    QPushButton,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.models.label_drafts import Edit, NewId, drafts_of
from app.models.label_effects import effect_cells, effect_summary
from app.models.tips import plain_tip
from app.strings import dialog_words, label_words
from app.views.dialogs.label_editor import LabelEditor
from app.views.dialogs.parts import DeskDialog, heading, muted
from nearl_core.types import Effect, LabelSet, Revision

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LabelSetDialog(DeskDialog):
    """Edits the label set of a project, on two pages: the labels, and what a change comes to.

    Attributes:
        review_asked: The Revision whose effects are to be shown; it is wanted once accepted.
    """

    review_asked = Signal(object)

    def __init__(
        self,
        label_set: LabelSet,
        new_id: NewId,
        parent: QWidget | None,
        *,
        undone: Revision | None = None,
    ) -> None:
        super().__init__(dialog_words.LABEL_SET_TITLE, dialog_words.SAVE, parent)
        self.resize(760, 520)
        self._before, self._new_id, self._undone = label_set, new_id, undone
        self.wanted = Revision(label_set)
        self.editor = LabelEditor(
            Edit(tuple(drafts_of(label_set))), multi_label=label_set.multi_label, in_project=True
        )
        self.effects = QTreeWidget()
        self._summary = muted("")
        self.undo_change = QPushButton(label_words.UNDO_CHANGE)
        self.undo_change.setToolTip(label_words.UNDO_CHANGE_TIP)
        self.undo_change.setAutoDefault(False)
        self.undo_change.setEnabled(undone is not None)
        self.undo_change.clicked.connect(self._undo_change)
        self._back = QPushButton(label_words.BACK)
        self._back.setAutoDefault(False)
        self._back.clicked.connect(self.show_editor)
        self.buttons.insertWidget(0, self.undo_change)
        self.buttons.insertWidget(self.buttons.count() - 1, self._back)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._editing())
        self._pages.addWidget(self._review())
        self.body.addWidget(self._pages, 1)
        self.editor.changed.connect(self.show_problem)
        self.show_editor()

    def _editing(self) -> QWidget:
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.editor, 1)
        box.addWidget(muted(dialog_words.LABEL_SET_NOTE))
        return page

    def _review(self) -> QWidget:
        tree = self.effects
        tree.setHeaderLabels(list(label_words.REVIEW_COLUMNS))
        tree.headerItem().setTextAlignment(1, _RIGHT)
        tree.setRootIsDecorated(False)
        tree.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        tree.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        for column in (2, 3):
            tree.header().setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        tree.setColumnWidth(1, 88)
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(heading(label_words.REVIEW_TITLE))
        box.addWidget(self._summary)
        box.addWidget(tree, 1)
        box.addWidget(muted(label_words.REVIEW_NOTE))
        return page

    @property
    def reviewing(self) -> bool:
        """Whether the second page is shown."""
        return self._pages.currentIndex() == 1

    def accept(self) -> None:
        """Show what the change comes to; what was shown is saved."""
        if self.reviewing:
            super().accept()
        elif not self.editor.problem:
            self._ask(self.editor.edit.revision(self._before, self._new_id))

    def _undo_change(self) -> None:
        if self._undone is not None:
            self._ask(self._undone)

    def _ask(self, wanted: Revision) -> None:
        self.wanted = wanted
        self.show_problem(label_words.LOOKING)
        self.review_asked.emit(wanted)

    def show_effects(self, effects: Sequence[Effect]) -> None:
        """Show what becomes of decisions; where nothing does, there is nothing to ask."""
        self.show_problem("")
        if not effects and self.wanted.restores is None:
            super().accept()
            return
        self.effects.clear()
        for effect in effects:
            item = QTreeWidgetItem(effect_cells(effect))
            item.setTextAlignment(1, _RIGHT)
            for column, text in enumerate(effect_cells(effect)):
                item.setToolTip(column, plain_tip(text))
            self.effects.addTopLevelItem(item)
        self._summary.setText(effect_summary(effects, self._before, self.wanted.label_set))
        self._turn(1, label_words.APPLY)

    def show_editor(self) -> None:
        """Go back to the labels."""
        self._turn(0, dialog_words.SAVE)
        self.show_problem(self.editor.problem)

    def _turn(self, page: int, accept_text: str) -> None:
        self._pages.setCurrentIndex(page)
        self.ok.setText(accept_text)
        self.undo_change.setVisible(page == 0)
        self._back.setVisible(page == 1)
