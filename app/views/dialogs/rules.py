"""How the project is read: blind first, how many scans come again, who reads which part."""

from PySide6.QtWidgets import QCheckBox, QFormLayout, QLineEdit, QSpinBox, QWidget

from app.strings import dialog_words, reading_words
from app.views.dialogs.parts import DeskDialog, note
from app.views.fields import spin_box
from nearl_core.errors import UsageError
from nearl_core.types import Division, ReadingRules
from nearl_core.types.reading import MOST_REPEATS


class RulesDialog(DeskDialog):
    """Shows the rules; they are read from it once it is accepted."""

    def __init__(self, parent: QWidget | None, rules: ReadingRules, division: Division) -> None:
        super().__init__(reading_words.RULES_TITLE, dialog_words.SAVE, parent)
        self.setMinimumWidth(480)
        self.blind_first = QCheckBox(reading_words.BLIND_FIRST_CHOICE)
        self.blind_first.setChecked(rules.blind_first)
        self._kept = rules.repeats
        self.repeats = spin_box(0, round(100 * MOST_REPEATS), round(100 * rules.repeats))
        self.repeats.setSuffix(" %")
        self.divided = QLineEdit(", ".join(division.readers))
        self.divided.setPlaceholderText(reading_words.DIVIDED_HINT)
        self.divided.textChanged.connect(self._divided_changed)
        self._kept_shared = division.shared
        self.shared = spin_box(0, 100, round(100 * division.shared))
        self.shared.setSuffix(" %")
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow(reading_words.SUGGESTIONS, self.blind_first)
        form.addRow("", note(reading_words.BLIND_FIRST_NOTE))
        form.addRow(reading_words.REPEATS, self.repeats)
        form.addRow("", note(reading_words.REPEATS_NOTE))
        form.addRow(reading_words.DIVIDED, self.divided)
        form.addRow(reading_words.SHARED, self.shared)
        form.addRow("", note(reading_words.DIVIDED_NOTE))
        self.body.addLayout(form)
        self._divided_changed()

    @property
    def rules(self) -> ReadingRules:
        """What was chosen; a part of a percent, which a command can set, stays if not changed."""
        return ReadingRules(self.blind_first.isChecked(), _share(self.repeats, self._kept))

    @property
    def division(self) -> Division:
        """Among whom the scans are divided, likewise.

        Raises:
            UsageError: If a name stands twice.
        """
        return Division(self._names, _share(self.shared, self._kept_shared))

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(filter(None, map(str.strip, self.divided.text().split(","))))

    def _divided_changed(self) -> None:
        self.shared.setEnabled(len(self._names) > 1)
        problem = ""
        try:
            Division(self._names)
        except UsageError as error:
            problem = str(error)
        self.show_problem(problem)


def _share(field: QSpinBox, kept: float) -> float:
    """What a field of percent says; the share that was kept where it was not changed."""
    return kept if field.value() == round(100 * kept) else field.value() / 100
