"""Preferences: the reader's pseudonym, and what the engine does by itself."""

from collections.abc import Callable

from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from app import strings
from app.strings import dialog_words
from app.views.dialogs.parts import DeskDialog, note
from app.views.fields import spin_box


class PreferencesDialog(DeskDialog):
    """Shows the values; they are read from its properties once it is accepted."""

    def __init__(
        self,
        parent: QWidget | None,
        *,
        reader: str,
        auto_train: bool,
        every: int,
        survey: bool,
        device: str,
        devices: tuple[str, ...],
        problem_of: Callable[[str], str],
    ) -> None:
        """Show them; `problem_of` says why a name can't be the reader's, or ""."""
        super().__init__(dialog_words.PREFERENCES_TITLE, dialog_words.SAVE, parent)
        self.setMinimumWidth(480)
        self._problem_of = problem_of
        self._reader = QLineEdit(reader)
        self._reader.setMaxLength(64)
        self._reader.setCursorPosition(0)
        self._reader.textChanged.connect(self._check)
        self._auto = QCheckBox(strings.AUTO_TRAIN)
        self._auto.setChecked(auto_train)
        self._every = spin_box(5, 1000, every)
        self._every.setAccessibleName(strings.AUTO_TRAIN)
        self._every.setSuffix(f" {strings.NEW_DECISIONS}")
        self._survey = QCheckBox(strings.SURVEY_ALL)
        self._survey.setChecked(survey)
        self._device = QComboBox()
        for name in devices:
            self._device.addItem(dialog_words.DEVICE_WORDS.get(name, name), name)
        self._device.setCurrentIndex(max(self._device.findData(device), 0))
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow(strings.READER, self._reader)
        form.addRow("", note(strings.READER_RULE))
        form.addRow(strings.TRAINING, self._automatic())
        form.addRow(strings.QUEUE, self._survey)
        form.addRow("", note(strings.SURVEY_HINT))
        form.addRow(strings.DEVICE, self._device)
        form.addRow("", note(dialog_words.DEVICE_HINT))
        self.body.addLayout(form)
        self._auto.setFocus()  # what is typed by mistake must not become the pseudonym

    def _automatic(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._auto)
        line.addWidget(self._every, 1)
        return line

    @property
    def reader(self) -> str:
        """The pseudonym."""
        return self._reader.text().strip()

    @property
    def auto_train(self) -> bool:
        """Whether training starts by itself."""
        return self._auto.isChecked()

    @property
    def every(self) -> int:
        """After so many new decisions."""
        return self._every.value()

    @property
    def survey(self) -> bool:
        """Whether the engine looks at all scans."""
        return self._survey.isChecked()

    @property
    def device(self) -> str:
        """Where the model runs."""
        return str(self._device.currentData())

    def _check(self) -> None:
        self.show_problem(self._problem_of(self.reader))
