"""The reader's note on a scan: one line beside the labels."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from app.strings import reading_words

_LONGEST = 1000


class NoteField(QLineEdit):
    """Takes a note and says when it is done; Enter saves it, Escape forgets what was typed.

    Attributes:
        typed: The text, at each change by the reader.
        finished: It can be saved.
        dropped: It is to stay as it was.
    """

    typed = Signal(str)
    finished = Signal()
    dropped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMaxLength(_LONGEST)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(reading_words.NOTE)
        self.setToolTip(reading_words.NOTE_TIP)
        self.textEdited.connect(self.typed)
        self.editingFinished.connect(self.finished)

    def begin(self) -> None:
        """Let the reader type."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.end(False)

    def show_note(self, text: str) -> None:
        """Show a note; while it is typed, the cursor stays."""
        if text != self.text():
            self.setText(text)
            self.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Escape forgets; everything else is text, Enter too, which also gives the keys back."""
        if event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
            self.clearFocus()
        else:
            super().keyPressEvent(event)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.clearFocus()
