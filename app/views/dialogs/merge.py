"""A copy of the project: what would be taken over from it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from app.strings import reading_words
from app.views.dialogs.parts import DeskDialog, muted
from app.views.fields import PlainLabel


class MergeDialog(DeskDialog):
    """Shows a copy while it is compared, what it holds, and how far the taking over is.

    Attributes:
        take_asked: Take over what is shown.
    """

    take_asked = Signal()

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(reading_words.MERGE_TITLE, reading_words.MERGE, parent)
        self.setMinimumWidth(520)
        self.summary = PlainLabel(reading_words.MERGE_LOOKING)
        self.summary.setWordWrap(True)
        self.left_out = muted("")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 0)
        for widget in (self.summary, self.progress, self.left_out):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self.body.addWidget(muted(reading_words.MERGE_NOTE))
        self.ok.setEnabled(False)

    def accept(self) -> None:
        """Take over what is shown; the dialog is closed once that is done."""
        if self.ok.isEnabled():
            self.ok.setEnabled(False)
            self.take_asked.emit()

    def finish(self) -> None:
        """It is done."""
        super().accept()

    def show_found(self, summary: str, left_out: Sequence[str], *, can_take: bool) -> None:
        """Show what would be taken over, and what would not."""
        self.progress.hide()
        self.summary.setText(summary)
        self.left_out.setText("\n".join(left_out))
        self.ok.setEnabled(can_take)
        (self.ok if can_take else self.refuse).setFocus()

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Say how far it is."""
        self.summary.setText(text)
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.show()

    def show_failure(self, text: str) -> None:
        """Say why the copy can't be merged."""
        self.progress.hide()
        self.summary.setText("")
        self.show_problem(text)
