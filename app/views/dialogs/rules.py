"""How the project is read: blind first, and how many scans come again."""

from PySide6.QtWidgets import QCheckBox, QFormLayout, QWidget

from app.strings import dialog_words, reading_words
from app.views.dialogs.parts import DeskDialog, note
from app.views.fields import spin_box
from nearl_core.types import ReadingRules
from nearl_core.types.reading import MOST_REPEATS


class RulesDialog(DeskDialog):
    """Shows the rules; they are read from it once it is accepted."""

    def __init__(self, parent: QWidget | None, rules: ReadingRules) -> None:
        super().__init__(reading_words.RULES_TITLE, dialog_words.SAVE, parent)
        self.setMinimumWidth(480)
        self.blind_first = QCheckBox(reading_words.BLIND_FIRST_CHOICE)
        self.blind_first.setChecked(rules.blind_first)
        self._kept = rules.repeats
        self.repeats = spin_box(0, round(100 * MOST_REPEATS), round(100 * rules.repeats))
        self.repeats.setSuffix(" %")
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow(reading_words.SUGGESTIONS, self.blind_first)
        form.addRow("", note(reading_words.BLIND_FIRST_NOTE))
        form.addRow(reading_words.REPEATS, self.repeats)
        form.addRow("", note(reading_words.REPEATS_NOTE))
        self.body.addLayout(form)

    @property
    def rules(self) -> ReadingRules:
        """What was chosen; a part of a percent, which a command can set, stays if not changed."""
        chosen = self.repeats.value()
        same = chosen == round(100 * self._kept)
        return ReadingRules(self.blind_first.isChecked(), self._kept if same else chosen / 100)
