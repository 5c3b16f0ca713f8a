"""What the dialogs share: margins, headings, the row of buttons, a place for a problem."""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.views import style
from app.views.fields import PlainLabel


class DeskDialog(QDialog):
    """A dialog with one column, a sentence for what is wrong, and buttons at the lower right.

    It is gone once it is closed. On a screen that is lower than it the column scrolls, so that the
    buttons are always in sight.
    """

    def __init__(self, title: str, accept_text: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._scrolling: QScrollArea | None = None
        self._asks = True
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        self._problem = muted("", role="problem")
        self.ok = QPushButton(accept_text)
        self.ok.setProperty("role", "primary")
        self.ok.setDefault(True)
        self.ok.clicked.connect(self.accept)
        self.refuse = QPushButton(strings.CANCEL)
        self.refuse.setAutoDefault(False)
        self.refuse.clicked.connect(self.reject)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.buttons.addWidget(self._problem, 1)
        self.buttons.addWidget(self.refuse)
        self.buttons.addWidget(self.ok)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addLayout(self.body, 1)
        layout.addLayout(self.buttons)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Stay within the screen, and begin where something is asked."""
        self.stay_on_screen(self.minimumSizeHint().height())
        self._begin()
        super().showEvent(event)

    def _begin(self) -> None:
        """Give the keyboard to what is asked first; Qt gives it to a button below."""
        begins = self.focusWidget()
        if self._asks and (begins is None or begins in (self.ok, self.refuse)):
            above = (one for one in _reached(self) if self.buttons.indexOf(one) < 0)
            asked = next(above, None)
            if asked is not None:
                asked.setFocus()

    def stay_on_screen(self, needed: int) -> None:
        """Be no larger than the screen; the column scrolls where it has less than is needed."""
        screen = self.screen().availableGeometry()
        room = screen.size() - style.WINDOW_FRAME
        layout = self.layout()
        if isinstance(layout, QVBoxLayout) and self._scrolling is None and needed > room.height():
            focus = self.focusWidget()
            layout.removeItem(self.body)
            self._scrolling = _scrolled(self.body)
            layout.insertWidget(0, self._scrolling, 1)
            layout.activate()  # what it holds now can be lower
            if focus is not None:
                focus.setFocus()
        self.resize(self.size().boundedTo(room))
        below = self.frameGeometry().bottom() - screen.bottom()
        if self.isVisible() and below > 0:
            self.move(self.x(), max(self.y() - below, screen.top()))

    def bring_into_sight(self, widget: QWidget) -> None:
        """Scroll to a part of the column, where it scrolls."""
        if self._scrolling is not None:
            self._scrolling.ensureWidgetVisible(widget, 0, 0)

    @property
    def problem(self) -> str:
        """The sentence on what is wrong."""
        return self._problem.text()

    def show_problem(self, text: str) -> None:
        """Say what is wrong; while something is, the dialog can't be accepted."""
        self._problem.setText(text)
        self.ok.setEnabled(not text)
        layout = self.layout()
        if text and layout is not None and self.isVisible():
            layout.activate()
            wrapped = [one for one in self.findChildren(PlainLabel) if one.wordWrap()]
            lacking = sum(_lacks(one) for one in wrapped if one.isVisible())
            if lacking:
                needed = self.height() + lacking
                self.resize(self.width(), needed)
                self.stay_on_screen(needed)

    def only_close(self) -> None:
        """A dialog that asks for nothing."""
        self._asks = False
        self.refuse.hide()


def _scrolled(column: QVBoxLayout) -> QScrollArea:
    area, inner = QScrollArea(), QWidget()
    inner.setObjectName("plain")
    inner.setLayout(column)
    area.setWidget(inner)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setMinimumSize(inner.minimumSizeHint().width() + 12, 120)  # with the bar beside it
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def _reached(dialog: QDialog) -> Iterator[QWidget]:
    """What Tab comes to in a dialog, in this order."""
    widget = dialog.nextInFocusChain()
    while widget is not None and widget is not dialog:
        by_tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
        if by_tab and widget.isVisibleTo(dialog) and widget.isEnabled():
            yield widget
        widget = widget.nextInFocusChain()


def _lacks(label: QLabel) -> int:
    """The height that the lines of a sentence have too little, in pixels."""
    return max(label.heightForWidth(label.width()) - label.height(), 0)


def heading(text: str) -> QLabel:
    """A small heading."""
    label = PlainLabel(text)
    label.setProperty("role", "heading")
    return label


def muted(text: str, *, role: str = "small") -> QLabel:
    """A quiet sentence that wraps."""
    label = PlainLabel(text)
    label.setProperty("role", role)
    label.setWordWrap(True)
    return label


class _Note(PlainLabel):
    """A sentence that asks for the height that it needs at the width that it has.

    Qt's label asks for that of a column half as wide, and a form gives it: the lines that are not
    needed then stand empty below it.
    """

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """The width that Qt takes, and the height at the present one."""
        hint = super().sizeHint()
        width = max(self.width(), hint.width()) if self.isVisible() else hint.width()
        return QSize(hint.width(), self.heightForWidth(width))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Another width may need another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


def note(text: str) -> QLabel:
    """A quiet sentence close under the field that it is about."""
    label = _Note(text)
    label.setProperty("role", "small")
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return label


def ask_folder(parent: QWidget | None, title: str, start: Path | None = None) -> Path | None:
    """A folder that the reader chose, or None.

    `start` is where the choice begins: at home without it, for where the desk was started from is
    no place that a reader knows.
    """
    begin = start if start is not None and start.is_dir() else Path.home()
    chosen = QFileDialog.getExistingDirectory(parent, title.rstrip("…"), str(begin))
    return Path(chosen) if chosen else None


def selectable(label: QLabel) -> QLabel:
    """Let a label's text be marked and copied."""
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
