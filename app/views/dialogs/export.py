"""Exporting: format, folder, split, seed; then progress; then what it holds."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from app import strings
from app.strings import dialog_words
from app.strings.export_words import ADAPTERS, DECISION_WORDS, FORMAT_WORDS, IMAGE_WORDS
from app.views.dialogs.parts import DeskDialog, ask_folder, muted, note, selectable
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
        open_asked: Show the folder that it wrote.
    """

    start_asked = Signal()
    cancel_asked = Signal()
    open_asked = Signal()

    def __init__(
        self,
        folder: Path,
        formats: tuple[str, ...],
        parent: QWidget | None,
        *,
        live: str,
        readers: Sequence[tuple[str, str]] = (),
        refused: frozenset[str] = frozenset(),
    ) -> None:
        """Offer formats.

        Args:
            folder: The first suggestion.
            formats: Their names.
            parent: The window.
            live: The live version's id, or "" where none is.
            readers: Whose decisions there are, and what they are called here.
            refused: Formats that hold one label a scan, where scans can have several.
        """
        super().__init__(dialog_words.EXPORT_TITLE, dialog_words.EXPORT, parent)
        self.setMinimumWidth(640)
        self._running = False
        self._finished = False
        self._live, self._refused = live, refused
        self._rule = ""
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
        self._decisions.activated.connect(self._rule_chosen)
        self._reader = QComboBox()
        for name, word in readers:
            self._reader.addItem(word, name)
        self._suggestions = QCheckBox(dialog_words.WITH_SUGGESTIONS)
        self._suggestions.setChecked(True)
        self._checked = QCheckBox(dialog_words.PIXELS_CHECKED)
        self._pixels_note = note(dialog_words.PIXELS_NOTE)
        self._split = QHBoxLayout()
        self._note = note("")
        self._progress = QProgressBar()
        self.result_text = selectable(muted("", role="muted"))
        self._form = QWidget()
        self._open = QPushButton(dialog_words.OPEN_FOLDER)
        self._lay_out()
        self._offer()
        self._format.setFocus()

    def _lay_out(self) -> None:
        self._form.setLayout(self._fields())
        self._progress.setTextVisible(False)
        for widget in (self._form, self._progress, self.result_text):
            self.body.addWidget(widget)
        self.ok.clicked.disconnect()
        self.ok.clicked.connect(self._go)
        self._open.setAutoDefault(False)
        self._open.clicked.connect(self.open_asked)
        self.buttons.insertWidget(self.buttons.count() - 1, self._open)
        for later in (self._progress, self.result_text, self._open):
            later.hide()

    def _fields(self) -> QFormLayout:
        form = self._rows = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        self._folder.setAccessibleName(dialog_words.FOLDER)
        choose = QPushButton(dialog_words.CHOOSE)
        choose.setAccessibleName(f"{dialog_words.FOLDER}: {dialog_words.CHOOSE}")
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
            box.setAccessibleName(f"{dialog_words.SPLIT}: {name}")
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
        """How several readers' decisions become one."""
        return str(self._decisions.currentData() or "")

    @property
    def reader(self) -> str:
        """Whose decisions."""
        return str(self._reader.currentData() or "") if self.decisions in _BY_READER else ""

    @property
    def suggestions(self) -> bool:
        """Whether the model's suggestions stand beside the decisions."""
        return self._suggestions.isChecked()

    @property
    def pixels_checked(self) -> bool:
        """Whether the reader says that no image names anyone."""
        return self._checked.isChecked() and self.images != "none"

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show what is being done and how far it is."""
        self._progress.setRange(0, total)
        self._progress.setValue(done)
        step = strings.STEP_OF.format(text=text, done=done, total=total) if total else text
        self._say(step, role="muted")

    def show_result(self, text: str, *, failed: bool = False) -> None:
        """Show what came of it."""
        self._running = False
        self._progress.hide()
        self._say(text, role="problem" if failed else "muted")
        self._open.setVisible(not failed)
        self._form.setEnabled(failed)
        self._finished = not failed
        self.ok.setEnabled(True)
        self.ok.setText(dialog_words.EXPORT if failed else dialog_words.CLOSE)
        self.refuse.setVisible(failed)
        (self._format if failed else self.ok).setFocus()
        self.adjustSize()
        self._give_room()
        self.bring_into_sight(self.result_text)

    def _say(self, text: str, *, role: str) -> None:
        if self.result_text.property("role") != role:
            self.result_text.setProperty("role", role)
            self.result_text.style().unpolish(self.result_text)
            self.result_text.style().polish(self.result_text)
        self.result_text.setText(text)
        self.result_text.show()

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
        self._say(" ", role="muted")
        self.refuse.setFocus()  # what has the keyboard rests, and Escape still stops it
        self._progress.setRange(0, 0)
        self._progress.show()
        self._give_room()
        self.start_asked.emit()

    def _choose(self) -> None:
        chosen = ask_folder(self, dialog_words.FOLDER, self.folder.parent)
        if chosen is not None:
            self._folder.setText(str(chosen))

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
        self._fill(self._images, {kind: IMAGE_WORDS[kind] for kind in kinds}, chosen=self.images)
        self._rows.setRowVisible(self._images, bool(kinds))
        rules = {
            rule: word
            for rule, word in DECISION_WORDS.items()
            if rule != "all" or self.format in _EACH
        }
        self._fill(self._decisions, rules, chosen=self._rule)
        self._check()

    def _rule_chosen(self) -> None:
        """What was not chosen by hand goes by the format: all where each has a place."""
        self._rule = self.decisions

    @staticmethod
    def _fill(box: QComboBox, words: dict[str, str], *, chosen: str) -> None:
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
        elif self.format in self._refused:
            problem = dialog_words.ONE_LABEL_A_SCAN
        elif not self._folder.text().strip():
            problem = dialog_words.EXPORT_NEEDS_FOLDER
        elif not self.folder.name:
            problem = dialog_words.FOLDER_NEEDS_NAME
        elif of_scans and self.decisions in _BY_READER and not self.reader:
            problem = dialog_words.EXPORT_NEEDS_READER
        elif of_scans and sum(self.split) != 100:
            problem = dialog_words.SPLIT_NOT_WHOLE
        self.show_problem(problem)
        self._give_room()

    def _give_room(self) -> None:
        """Qt squeezes the rows of a dialog in which more is said than there was room for."""
        layout = self.layout()
        if layout is not None and layout.hasHeightForWidth():
            layout.activate()
            needed = layout.totalHeightForWidth(max(self.width(), self.minimumWidth()))
            self.resize(self.width(), max(self.height(), needed))
            if self.isVisible():
                self.stay_on_screen(needed)
