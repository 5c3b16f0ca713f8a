"""The field that finds a label by its name, for label sets with more labels than keys."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit

from app import strings

_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class FindField(QLineEdit):
    """Takes a part of a name; it is empty again once a label was chosen or it was left.

    Attributes:
        moved: The reader wants the next match (1) or the one before (-1).
        chosen: The match is wanted.
        left: The reader does something else.
    """

    moved = Signal(int)
    chosen = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(strings.FIND_LABEL)
        self.setPlaceholderText(strings.FIND_LABEL)

    def begin(self) -> None:
        """Let the reader type."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter chooses, Escape leaves, up and down go through the matches; the rest is text."""
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
            self.leave()
        elif key is Qt.Key.Key_Escape:
            self.leave()
        elif key in _STEPS:
            self.moved.emit(_STEPS[key])
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """What was typed holds only as long as the reader is at it."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:  # its own menu, to paste
            self.leave()

    def leave(self) -> None:
        """Forget what was typed, and give the keys back."""
        self.clearFocus()
        self.clear()
        self.left.emit()
