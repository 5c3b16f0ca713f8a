"""The labels on the right: fixed keys, bars that move, the decision unmistakable."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.commands import Command
from app.models.finding import matches
from app.models.panel import Panel
from app.strings import command_words, reading_words
from app.views import glyphs, style
from app.views.actions import Actions
from app.views.fields import ElidedLabel, ElidedSentence, PlainLabel
from app.views.find_field import FindField
from app.views.label_row import LabelRow
from app.views.note_field import NoteField
from app.views.trust_plots import AgreementStrip
from nearl_core.types import Confidence, State

_MANY = 6
"""Labels that have room in the window that the desk opens with; more of them stand closer."""
_MARGIN = 16
_SENTENCE = 56
"""Height of a sentence of two lines, as far as it needs room at all times."""
_SURENESS = {Command.PROBABLE: Confidence.PROBABLE, Command.UNSURE: Confidence.POSSIBLE}
_SWITCHES = (*_SURENESS, Command.FLAG)


class _StateSign(QWidget):
    """The sign of a state, 16 points."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(16, 16)
        self._state: State | None = State.UNSEEN

    def show_state(self, state: State | None) -> None:
        """Draw another state, or nothing."""
        self._state = state
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the sign."""
        del event
        if self._state is None:
            return
        painter = QPainter(self)
        glyphs.paint_state(painter, self.rect().toRectF().adjusted(1, 1, -1, -1), self._state)
        painter.end()


class RankingPanel(QWidget):
    """Shows a Panel.

    Attributes:
        label_pressed: The place of the label that was clicked.
        room_wanted: It shows more labels, or fewer.
        note: The field of the note.
        finder: The field that finds a label by its name; in sight while it is asked for.
    """

    label_pressed = Signal(int)
    room_wanted = Signal()

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._actions = actions
        self._panel = Panel()
        self._rows: list[LabelRow] = []
        self._sign = _StateSign()
        self._state = PlainLabel()
        self._eye = QToolButton()
        self._source = ElidedLabel(sentence=True)  # one line, so that no row moves
        self._source.setProperty("role", "small")
        self.agreement = AgreementStrip()
        self.agreement.clicked.connect(actions.action(Command.TRUST).trigger)
        self._notice = _label("notice")
        self._told = _inset(self._notice)
        self._hint = ElidedSentence()
        self._hint.setProperty("role", "small")
        self.note = NoteField()
        self.finder = FindField()
        self._finding = _inset(self.finder)
        self._finding.hide()
        self._matches: list[int] | None = None
        self._found = 0
        self._rows_box = QVBoxLayout()
        self._scroller = self._make_scroller()
        self._buttons: dict[Command, QPushButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 8)
        layout.setSpacing(4)
        layout.addLayout(self._head())
        # Sentences come and go below the rows, so that no row ever moves under the eye.
        layout.addWidget(_inset(self._source, right=8))
        layout.addWidget(self.agreement)
        layout.addWidget(self._scroller, 1)
        layout.addWidget(self._finding)
        layout.addWidget(self._told)
        layout.addWidget(_inset(self._hint))
        layout.addWidget(_inset(self.note))
        layout.addLayout(self._verdict_buttons())
        self.finder.textChanged.connect(self._look_for)
        self.finder.moved.connect(self._move)
        self.finder.chosen.connect(self._choose)
        self.finder.left.connect(self._show_all)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 8, 0)
        head.setSpacing(8)
        title = PlainLabel(strings.LABELS)
        title.setProperty("role", "heading")
        self._eye.setIcon(QIcon(str(style.RESOURCES / "icons" / "eye.svg")))
        self._eye.setIconSize(QSize(16, 16))
        self._eye.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._eye.setCheckable(True)
        self._eye.setToolTip(self._actions.tip(Command.SUGGESTIONS))
        self._eye.setAccessibleName(command_words.COMMANDS[Command.SUGGESTIONS.value])
        action = self._actions.action(Command.SUGGESTIONS)
        self._eye.clicked.connect(action.trigger)
        action.toggled.connect(self._eye.setChecked)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self._sign)
        head.addWidget(self._state)
        head.addSpacing(8)
        head.addWidget(self._eye)
        return head

    def _make_scroller(self) -> QScrollArea:
        holder = QWidget()
        holder.setObjectName("plain")
        self._rows_box.setContentsMargins(0, 0, 0, 0)
        self._rows_box.setSpacing(0)
        self._rows_box.setAlignment(Qt.AlignmentFlag.AlignTop)
        holder.setLayout(self._rows_box)
        scroller = QScrollArea()
        scroller.setWidgetResizable(True)
        scroller.setFrameShape(QFrame.Shape.NoFrame)
        scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroller.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroller.setWidget(holder)
        return scroller

    def _verdict_buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(16, 4, 16, 0)
        grid.setSpacing(4)
        places = (
            (Command.DEFER, 0, 0, 3),
            (Command.NONE_APPLY, 0, 3, 3),
            (Command.UNASSESSABLE, 1, 0, 3),
            (Command.UNDO, 1, 3, 3),
            (Command.PROBABLE, 2, 0, 2),
            (Command.UNSURE, 2, 2, 2),
            (Command.FLAG, 2, 4, 2),
        )
        for command, row, column, span in places:
            button = QPushButton()
            button.setProperty("role", "verdict")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setCheckable(command in _SWITCHES)
            button.clicked.connect(self._actions.action(command).trigger)
            self._buttons[command] = button
            grid.addWidget(button, row, column, 1, span)
        self.refresh_keys()
        return grid

    def refresh_keys(self) -> None:
        """Write the keys as they are bound now."""
        for command, button in self._buttons.items():
            button.setText(self._button_text(command))
            button.setToolTip(self._actions.tip(command))
        self._show_lines()
        key = self._actions.first_key(Command.NOTE)
        self.note.setPlaceholderText(reading_words.NOTE_HINT.format(key=key))

    def _button_text(self, command: Command) -> str:
        word = command_words.SHORT_COMMANDS[command.value]
        enter = "   ↵" if command is Command.NONE_APPLY and self._panel.enter_none else ""
        return f"{word}   {self._actions.first_key(command)}{enter}"

    @property
    def panel(self) -> Panel:
        """What is shown."""
        return self._panel

    def rows(self) -> tuple[LabelRow, ...]:
        """The label rows in the order of their keys."""
        return tuple(self._rows[: len(self._panel.lines)])

    @property
    def full_height(self) -> int:
        """How high it stands with every label in sight and a sentence of two lines below them.

        A sentence that is longer has the room of its lines.
        """
        around = self.minimumSizeHint().height() - self._scroller.minimumSizeHint().height()
        if self._panel.notice:
            around -= self._told.minimumSizeHint().height()
        return around + self._sentence_height + self._rows_box.sizeHint().height()

    @property
    def _sentence_height(self) -> int:
        if not self._panel.notice:
            return _SENTENCE
        return max(_SENTENCE, self._told.heightForWidth(self.width()))

    def show_panel(self, panel: Panel) -> None:
        """Show another value."""
        before, room = self._panel, self._sentence_height
        self._panel = panel
        if _names(before) != _names(panel):
            self._find(self.finder.text())
        self._match_rows(len(panel.lines))
        self._show_lines()
        self._sign.show_state(panel.state)
        self._state.setText(_state_text(panel))
        self._source.show_text(panel.source or " ")
        self._hint.show_text(panel.hint or " ")
        self._notice.setText(panel.notice)
        self._told.setVisible(bool(panel.notice))
        self._told.updateGeometry()  # at once, since its height is asked for below
        self._keep_whole()
        for command, confidence in _SURENESS.items():
            self._buttons[command].setChecked(panel.confidence is confidence)
        self._buttons[Command.FLAG].setChecked(panel.flagged)
        self._buttons[Command.NONE_APPLY].setText(self._button_text(Command.NONE_APPLY))
        for button in self._buttons.values():
            button.setEnabled(panel.can_decide)
        self.note.show_note(panel.note)
        self.note.setEnabled(panel.can_decide)
        self.finder.setEnabled(panel.can_decide)
        if (len(before.lines), room) != (len(panel.lines), self._sentence_height):
            self.room_wanted.emit()
        if _marked(before) != _marked(panel):
            self._bring_into_sight()

    def _show_lines(self) -> None:
        find_key = self._actions.first_key(Command.FIND_LABEL)
        for row, line in zip(self._rows, self._panel.lines, strict=False):
            row.show_line(line, find_key=find_key)
            row.setEnabled(self._panel.can_decide)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Another width gives the sentences another height."""
        super().resizeEvent(event)
        self._keep_whole()

    def _keep_whole(self) -> None:
        """A splitter knows nothing of sentences that wrap: they would push into the buttons."""
        self._hint.fit(self.width() - 2 * _MARGIN, 0)
        layout = self.layout()
        if layout is not None:
            layout.invalidate()
            self.setMinimumHeight(layout.minimumHeightForWidth(self.width()))

    def _bring_into_sight(self) -> None:
        """Scroll to what Enter takes or was decided, but never under the pointer."""
        place = next(iter(_marked(self._panel)), None)
        if place is not None and not self._scroller.underMouse():
            self._scroller.ensureWidgetVisible(self._rows[place], 0, 0)

    def _match_rows(self, count: int) -> None:
        while len(self._rows) < count:
            row = LabelRow()
            row.clicked.connect(self._row_clicked)
            self._rows_box.addWidget(row)
            # Tab comes to the rows where they are seen, not last because they were made last.
            QWidget.setTabOrder(self._rows[-1] if self._rows else self.agreement, row)
            self._rows.append(row)
        for row in self._rows:
            row.set_dense(count > _MANY)
        self._show_matches()

    # --- finding a label -------------------------------------------------------------------

    def find_label(self) -> None:
        """Let the reader type a part of a label's name."""
        self._finding.show()
        self._keep_whole()
        self.finder.begin()

    def _look_for(self, text: str) -> None:
        self._find(text)
        self._show_matches()

    def _find(self, text: str) -> None:
        self._matches, self._found = matches(_names(self._panel), text) if text.strip() else None, 0

    def _move(self, step: int) -> None:
        if self._matches:
            self._found = (self._found + step) % len(self._matches)
            self._show_matches()

    def _choose(self) -> None:
        if self._match is not None and self._panel.can_decide:
            self.label_pressed.emit(self._match)

    @property
    def _match(self) -> int | None:
        return self._matches[self._found] if self._matches else None

    def _show_all(self) -> None:
        self._finding.hide()
        self._keep_whole()
        self._matches = None
        self._show_matches()

    def _show_matches(self) -> None:
        """Show the rows that match what is typed, the one that Enter takes marked."""
        count, sought, match = len(self._panel.lines), self._matches, self._match
        for place, row in enumerate(self._rows):
            row.setVisible(place < count and (sought is None or place in sought))
            row.set_found(place == match)
        self.finder.setAccessibleDescription("" if match is None else _names(self._panel)[match])
        if match is not None:
            self._scroller.ensureWidgetVisible(self._rows[match], 0, 0)

    def _row_clicked(self) -> None:
        row = self.sender()
        if isinstance(row, LabelRow):
            self.label_pressed.emit(self._rows.index(row))
            if self._finding.isVisible():
                self.finder.leave()


def _state_text(panel: Panel) -> str:
    if panel.state is None:
        return ""
    parts = [strings.STATE_WORDS[panel.state], reading_words.CONFIDENCE_WORDS.get(panel.confidence)]
    if panel.frame is not None:
        parts.append(reading_words.NAMED_FRAME.format(number=panel.frame + 1))
    return ", ".join(part for part in parts if part)


def _names(panel: Panel) -> list[str]:
    return [line.full_name for line in panel.lines]


def _marked(panel: Panel) -> list[int]:
    """Places of the labels that are decided or that Enter takes."""
    return [place for place, line in enumerate(panel.lines) if line.enter or line.decided]


def _label(role: str) -> QLabel:
    label = PlainLabel()
    label.setProperty("role", role)
    label.setWordWrap(True)
    return label


def _inset(label: QWidget, *, right: int = _MARGIN) -> QWidget:
    """A label or field in the panel's margins; hidden together with them."""
    holder = QWidget()
    box = QVBoxLayout(holder)
    box.setContentsMargins(_MARGIN, 2, right, 2)
    box.addWidget(label)
    return holder
