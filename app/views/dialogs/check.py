"""Checking a project: what is wrong, what was mended, and the ways back."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.models.check_lines import CheckLine, CheckLines
from app.strings import check_words as words
from app.strings import dialog_words
from app.views.dialogs.parts import DeskDialog, ask_folder, muted, selectable
from app.views.fields import PlainLabel


class CheckDialog(DeskDialog):
    """Shows a check while it runs and what came of it; it stays until closed.

    Attributes:
        find_asked: Look for moved scans in this folder.
        restore_asked: Put the last daily copy back.
    """

    find_asked = Signal(object)
    restore_asked = Signal()

    def __init__(self, parent: QWidget | None, *, can_find: bool) -> None:
        super().__init__(words.TITLE, dialog_words.CLOSE, parent)
        self.only_close()
        self.resize(720, 360)
        self._can_find = can_find
        self.told = selectable(muted("", role="muted"))
        self.told.hide()
        self.summary = selectable(PlainLabel(words.CHECKING))
        self.summary.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.copies = selectable(muted(""))
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 8, 0, 8)
        self._list.setSpacing(4)
        self.find_moved = _button(words.FIND)
        self.find_moved.clicked.connect(self._find)
        self.put_back = _button(words.RESTORE)
        self.put_back.setToolTip(words.RESTORE_NOTE)
        self.put_back.clicked.connect(self._restore)
        self._note = muted(words.RESTORE_NOTE)
        self._lay_out()
        for widget in (self.find_moved, self.put_back, self._note, self._area):
            widget.hide()
        self.show_busy(words.CHECKING)

    def _lay_out(self) -> None:
        self.body.addWidget(self.told)
        self.body.addWidget(self.summary)
        self.body.addWidget(self.progress)
        self.body.addWidget(self._scroller(), 100)
        self.body.addStretch(1)
        self.body.addWidget(self.copies)
        self.body.addWidget(self._note)
        self.buttons.insertWidget(0, self.find_moved)
        self.buttons.insertWidget(1, self.put_back)

    def _scroller(self) -> QScrollArea:
        inner = QWidget()
        inner.setObjectName("plain")
        inner.setLayout(self._list)
        scroller = self._area = QScrollArea()
        scroller.setWidget(inner)
        scroller.setWidgetResizable(True)
        scroller.setFrameShape(QFrame.Shape.NoFrame)
        scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return scroller

    def show_busy(self, text: str, done: int = 0, total: int = 0) -> None:
        """Show what is being done, and how far it is."""
        self.summary.setText(text)
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.show()
        for widget in (self.find_moved, self.put_back):
            widget.setEnabled(False)

    def show_lines(self, lines: CheckLines) -> None:
        """Show what was found."""
        self._rest(lines.summary)
        self.copies.setText(lines.copies)
        self._clear()
        for line in lines.lines:
            self._add(line)
        self._list.addStretch(1)
        self._area.setVisible(bool(lines.lines))
        for widget in (self.put_back, self._note):
            widget.setVisible(lines.damaged)
        self.put_back.setEnabled(lines.damaged)
        self.find_moved.setVisible(self._can_find)
        self.find_moved.setEnabled(True)

    def show_told(self, text: str) -> None:
        """Say what was found again or put back; the check that follows shows below."""
        self.told.setText(text)
        self.told.show()

    def show_failure(self, text: str) -> None:
        """Say why something could not be done."""
        self._rest(text)
        self.find_moved.setEnabled(True)

    def set_can_find(self, can_find: bool) -> None:
        """Whether the project is open for writing by now."""
        self._can_find = can_find

    def _rest(self, text: str) -> None:
        self.progress.hide()
        self.summary.setText(text)

    def _clear(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()

    def _add(self, line: CheckLine) -> None:
        message = selectable(PlainLabel(line.message))
        message.setWordWrap(True)
        self._list.addWidget(message)
        for text in (line.names, line.remedy):
            if text:
                self._list.addWidget(selectable(muted(text)))
        self._list.addSpacing(8)

    def _find(self) -> None:
        chosen = ask_folder(self, words.WHERE)
        if chosen is not None:
            self.find_asked.emit(chosen)

    def _restore(self) -> None:
        self.show_busy(words.RESTORING)
        self.restore_asked.emit()


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    return button
