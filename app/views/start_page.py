"""What stands in the window while no project is open."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.commands import Command
from app.models.tips import plain_tip
from app.strings import command_words
from app.views import style
from app.views.actions import Actions
from app.views.fields import ElidedLabel, PlainLabel

_SHOWN = 6
_NAME_WIDTH = 180
_HINT_WIDTH = 360


class StartPage(QWidget):
    """New, open, demo, recent projects, and the reader's pseudonym.

    Attributes:
        project_chosen: Path of a recent project.
        reader_changed: The pseudonym that was typed.
    """

    project_chosen = Signal(object)
    reader_changed = Signal(str)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ground")
        self.setAccessibleName(strings.APP_NAME)
        # It has the keyboard until a field is chosen: what is typed must not become the pseudonym.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._recent_box = QVBoxLayout()
        self._no_recent = PlainLabel(strings.NO_RECENT)
        self._no_recent.setProperty("role", "muted")
        self._reader = QLineEdit()
        self._reader.setMaximumWidth(220)
        self._reader.setMaxLength(64)
        self._reader.setAccessibleName(strings.READER)
        self._reader.editingFinished.connect(self._emit_reader)
        self._hint = PlainLabel(strings.READER_HINT)
        self._hint.setWordWrap(True)
        self._hint.setMinimumWidth(_HINT_WIDTH)
        self._choices = QWidget()
        self._busy = PlainLabel(" ")
        self._busy.setProperty("role", "muted")
        column = QWidget()
        column.setFixedWidth(640)
        box = QVBoxLayout(column)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        self._fill(box, actions)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(column)
        outer.addStretch(1)

    def _fill(self, box: QVBoxLayout, actions: Actions) -> None:
        box.addStretch(2)
        box.addLayout(_title())
        box.addSpacing(32)
        columns = QGridLayout(self._choices)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setHorizontalSpacing(48)
        columns.setColumnStretch(0, 1)
        columns.setColumnStretch(1, 1)
        columns.addWidget(_heading(strings.BEGIN), 0, 0)
        columns.addWidget(_heading(strings.RECENT), 0, 1)
        columns.addLayout(self._buttons(actions), 1, 0, Qt.AlignmentFlag.AlignTop)
        self._recent_box.setSpacing(0)
        self._recent_box.addWidget(self._no_recent)
        columns.addLayout(self._recent_box, 1, 1, Qt.AlignmentFlag.AlignTop)
        box.addWidget(self._choices)
        box.addSpacing(8)
        box.addWidget(self._busy)
        box.addSpacing(16)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(PlainLabel(strings.READER))
        line.addWidget(self._reader)
        line.addWidget(self._hint, 1)
        box.addLayout(line)
        box.addStretch(3)
        notice = PlainLabel(strings.NOT_A_DEVICE)
        notice.setProperty("role", "muted")
        box.addWidget(notice)
        box.addSpacing(16)

    def _buttons(self, actions: Actions) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(8)
        for command in (Command.NEW_PROJECT, Command.OPEN_PROJECT, Command.OPEN_DEMO):
            button = self._last_button = QPushButton(command_words.COMMANDS[command.value])
            button.setMinimumHeight(style.ROW_HEIGHT)
            button.clicked.connect(actions.action(command).trigger)
            if command is Command.NEW_PROJECT:
                button.setProperty("role", "primary")
            box.addWidget(button)
        note = PlainLabel(strings.DEMO_NOTE)
        note.setProperty("role", "small")
        note.setWordWrap(True)
        box.addWidget(note)
        return box

    def show_reader(self, name: str, *, problem: str = "") -> None:
        """Show the pseudonym that holds, and why another one does not."""
        self._reader.setText(name)
        if not self._reader.hasFocus():
            self._reader.setCursorPosition(0)
        self._hint.setProperty("role", "problem" if problem else "small")
        self._hint.style().unpolish(self._hint)
        self._hint.style().polish(self._hint)
        self._hint.setText(problem or strings.READER_HINT)

    def show_busy(self, text: str) -> None:
        """Show what is being done, and let nothing else begin; "" when it is done."""
        self._busy.setText(text)
        if text and self.isVisible():
            self.setFocus()  # Qt would hand it from a button that rests to the next field
        self._choices.setEnabled(not text)

    def show_recent(self, paths: tuple[Path, ...]) -> None:
        """Show the projects that were open before; Tab comes to them before the reader's field."""
        before: QWidget = self._last_button
        while self._recent_box.count() > 1:
            item = self._recent_box.takeAt(1)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        self._no_recent.setVisible(not paths)
        for path in paths[:_SHOWN]:
            button = QPushButton()
            self._recent_box.addWidget(self._recent(path, button))
            QWidget.setTabOrder(before, button)
            before = button
        QWidget.setTabOrder(before, self._reader)

    def _recent(self, path: Path, button: QPushButton) -> QWidget:
        middle = Qt.TextElideMode.ElideMiddle
        button.setText(button.fontMetrics().elidedText(path.stem, middle, _NAME_WIDTH))
        button.setAccessibleName(path.stem)
        button.setProperty("role", "link")
        button.setToolTip(plain_tip(str(path)))
        button.setFixedHeight(style.ROW_HEIGHT)
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        button.setProperty("path", str(path))
        button.clicked.connect(self._recent_clicked)
        folder = ElidedLabel()
        folder.setProperty("role", "small")
        folder.show_text(str(path.parent))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(button)
        line.addWidget(folder, 1)
        return row

    def _recent_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, QPushButton):
            self.project_chosen.emit(Path(str(button.property("path"))))

    def _emit_reader(self) -> None:
        self.reader_changed.emit(self._reader.text().strip())


def _title() -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(16)
    picture = PlainLabel()
    icon = QPixmap(str(style.RESOURCES / "icons" / "desk.svg"))
    picture.setPixmap(icon.scaled(56, 56, mode=Qt.TransformationMode.SmoothTransformation))
    words = QVBoxLayout()
    words.setSpacing(2)
    name = PlainLabel(strings.APP_NAME)
    name.setProperty("role", "title")
    what = PlainLabel(strings.WHAT_IT_IS)
    what.setProperty("role", "muted")
    words.addWidget(name)
    words.addWidget(what)
    line.addWidget(picture)
    line.addLayout(words, 1)
    return line


def _heading(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(0, 0, 0, 4)
    return label
