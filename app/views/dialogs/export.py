"""Exporting: format, folder, split, seed; then progress; then what it holds."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from app.models.export_words import ADAPTERS, DECISION_WORDS, FORMAT_WORDS, IMAGE_WORDS
from app.strings import dialog_words
from app.views.dialogs.parts import DeskDialog, muted, note, selectable
from app.views.fields import spin_box, typed_path

_IMAGES: dict[str, tuple[str, ...]] = {
    "csv": ("none", "shown", "stored"),
    "jsonl": ("none", "shown", "stored"),
}
_IMAGES |= {"imagefolder": ("shown", "stored"), "monai": ("shown", "stored")}
_EACH = ("csv", "jsonl", "dicom", "dicom-sr")
_BY_READER = ("reader",)


class ExportDialog(DeskDialog):
    """Asks for an export and shows how it goes; it stays until closed.

    Attributes:
        start_asked: Export now, with the values of the properties.
        cancel_asked: Stop the export that runs.
    """

    start_asked = Signal()
    cancel_asked = Signal()

    def __init__(
        self, folder: Path, formats: tuple[str, ...], parent: QWidget | None, *, live: str
    ) -> None:
        """Offer formats; `live` is the live version's id, or "" where none is."""
        super().__init__(dialog_words.EXPORT_TITLE, dialog_words.EXPORT, parent)
        self.setMinimumWidth(640)
        self._running = False
        self._finished = False
        self._live = live
        self._format = QComboBox()
        for name in formats:
            self._format.addItem(FORMAT_WORDS.get(name, name), name)
        self._format.currentIndexChanged.connect(self._offer)
        self._folder = QLineEdit(str(folder))
        self._folder.textChanged.connect(self._check)
        self._parts = [spin_box(0, 100, value) for value in (70, 15, 15)]
        self._seed = spin_box(0, 1_000_000)
        self._images = QComboBox()
        self._images.currentIndexChanged.connect(self._check)
        self._decisions = QComboBox()
        self._decisions.currentIndexChanged.connect(self._check)
        self._reader = QLineEdit()
        self._reader.textChanged.connect(self._check)
        self._suggestions = QCheckBox(dialog_words.WITH_SUGGESTIONS)
        self._suggestions.setChecked(True)
        self._checked = QCheckBox(dialog_words.PIXELS_CHECKED)
        self._pixels_note = note(dialog_words.PIXELS_NOTE)
        self._split = QHBoxLayout()
        self._note = note("")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.hide()
        self.result_text = selectable(muted("", role="muted"))
        self.result_text.hide()
        self._form = QWidget()
        self._form.setLayout(self._fields())
        self.body.addWidget(self._form)
        self.body.addWidget(self._progress)
        self.body.addWidget(self.result_text)
        self.ok.clicked.disconnect()
        self.ok.clicked.connect(self._go)
        self._offer()
        self._format.setFocus()

    def _fields(self) -> QFormLayout:
        form = self._rows = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        choose = QPushButton(dialog_words.CHOOSE)
        choose.setAutoDefault(False)
        choose.clicked.connect(self._choose)
        place = QHBoxLayout()
        place.addWidget(self._folder, 1)
        place.addWidget(choose)
        self._split.setSpacing(8)
        place.setSpacing(8)
        for box, name in zip(self._parts, dialog_words.SPLITS, strict=True):
            box.setSuffix(" %")
            box.setPrefix(f"{name} ")
            box.valueChanged.connect(self._check)
            self._split.addWidget(box, 1)
        form.addRow(dialog_words.FORMAT, self._format)
        form.addRow(dialog_words.IMAGES, self._images)
        form.addRow(dialog_words.DECISIONS, self._decisions)
        form.addRow(dialog_words.EXPORT_READER, self._reader)
        form.addRow("", self._suggestions)
        form.addRow(dialog_words.FOLDER, place)
        form.addRow(dialog_words.SPLIT, self._split)
        form.addRow(dialog_words.SEED, self._seed)
        form.addRow("", self._checked)
        form.addRow("", self._pixels_note)
        form.addRow("", self._note)
        return form

    @property
    def format(self) -> str:
        """The format's name."""
        return str(self._format.currentData())

    def choose_format(self, name: str) -> None:
        """Choose a format by its name."""
        self._format.setCurrentIndex(self._format.findData(name))

    @property
    def folder(self) -> Path:
        """Where it goes."""
        return typed_path(self._folder.text())

    @property
    def split(self) -> tuple[float, ...]:
        """Parts of train, validation and test."""
        return tuple(float(box.value()) for box in self._parts)

    @property
    def seed(self) -> int:
        """Of the split."""
        return self._seed.value()

    @property
    def images(self) -> str:
        """What stands for pixels: none, shown, stored; "" for what the format is used to."""
        return str(self._images.currentData() or "")

    @property
    def decisions(self) -> str:
        """How several readers' decisions become one; "" for what the format is used to."""
        return str(self._decisions.currentData() or "")

    @property
    def reader(self) -> str:
        """Whose decisions."""
        return self._reader.text().strip() if self.decisions in _BY_READER else ""

    @property
    def suggestions(self) -> bool:
        """Whether the model's suggestions stand beside the decisions."""
        return self._suggestions.isChecked()

    @property
    def pixels_checked(self) -> bool:
        """Whether the reader says that no image names anyone."""
        return self._checked.isChecked() and self.images != "none"

    def show_progress(self, done: int, total: int) -> None:
        """Show how far it is."""
        self._progress.setRange(0, total)
        self._progress.setValue(done)

    def show_result(self, text: str, *, failed: bool = False) -> None:
        """Show what came of it."""
        self._running = False
        self._progress.hide()
        self.result_text.setProperty("role", "problem" if failed else "muted")
        self.result_text.style().unpolish(self.result_text)
        self.result_text.style().polish(self.result_text)
        self.result_text.setText(text)
        self.result_text.show()
        self._form.setEnabled(failed)
        self._finished = not failed
        self.ok.setEnabled(True)
        self.ok.setText(dialog_words.EXPORT if failed else dialog_words.CLOSE)
        self.refuse.setVisible(failed)
        self.adjustSize()

    def reject(self) -> None:
        """Cancel what runs, else close."""
        if self._running:
            self.cancel_asked.emit()
        else:
            super().reject()

    def _go(self) -> None:
        if self._finished:
            self.accept()
            return
        self._running = True
        self._form.setEnabled(False)
        self.ok.setEnabled(False)
        self.result_text.hide()
        self._progress.setRange(0, 0)
        self._progress.show()
        self.start_asked.emit()

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, dialog_words.FOLDER, str(self.folder.parent)
        )
        if chosen:
            self._folder.setText(chosen)

    def _offer(self) -> None:
        """Offer what the format can hold; what was chosen stays where it can."""
        of_scans = self.format != ADAPTERS
        for row in (self._decisions, self._suggestions, self._split, self._seed):
            self._rows.setRowVisible(row, of_scans)
        words = dialog_words.EXPORT_NOTE
        if not of_scans:
            words = dialog_words.ADAPTERS_NOTE.format(version=self._live) if self._live else ""
        self._note.setText(words)
        kinds = _IMAGES.get(self.format, ())
        self._fill(self._images, {kind: IMAGE_WORDS[kind] for kind in kinds})
        self._rows.setRowVisible(self._images, bool(kinds))
        rules = {
            rule: word
            for rule, word in DECISION_WORDS.items()
            if rule != "all" or self.format in _EACH
        }
        self._fill(self._decisions, rules)
        self._check()

    @staticmethod
    def _fill(box: QComboBox, words: dict[str, str]) -> None:
        chosen = box.currentData()
        box.blockSignals(True)
        box.clear()
        for name, word in words.items():
            box.addItem(word, name)
        box.setCurrentIndex(max(box.findData(chosen), 0))
        box.blockSignals(False)

    def _check(self) -> None:
        of_scans = self.format != ADAPTERS
        self._rows.setRowVisible(self._reader, of_scans and self.decisions in _BY_READER)
        for row in (self._checked, self._pixels_note):
            self._rows.setRowVisible(row, of_scans and self.images != "none")
        problem = ""
        if not of_scans and not self._live:
            problem = dialog_words.NO_ADAPTERS
        elif not self._folder.text().strip():
            problem = dialog_words.EXPORT_NEEDS_FOLDER
        elif not self.folder.name:
            problem = dialog_words.FOLDER_NEEDS_NAME
        elif of_scans and self.decisions in _BY_READER and not self.reader:
            problem = dialog_words.EXPORT_NEEDS_READER
        elif of_scans and sum(self.split) != 100:
            problem = dialog_words.SPLIT_NOT_WHOLE
        self.show_problem(problem)
