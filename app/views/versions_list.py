"""The versions, the newest first, with their held-out figures and which one is live."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.tips import plain_tip
from app.models.training_state import VersionLine
from app.views.fields import PlainLabel


class _VersionRow(QWidget):
    """One version."""

    activate_asked = Signal(str)

    def __init__(self, line: VersionLine, *, can_change: bool) -> None:
        super().__init__()
        self._id = line.id
        title = PlainLabel(line.title)
        detail = PlainLabel(line.detail)
        detail.setProperty("role", "small")
        self.setToolTip(plain_tip(line.tip))
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        words.addWidget(title)
        words.addWidget(detail)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 2, 0, 2)
        box.setSpacing(8)
        box.addLayout(words, 1)
        if line.live:
            mark = PlainLabel(f"● {strings.LIVE}")
            mark.setProperty("role", "good")
            box.addWidget(mark)
        else:
            button = QPushButton(strings.MAKE_LIVE)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setEnabled(can_change)
            button.setAccessibleName(f"{strings.MAKE_LIVE} {line.id or line.title}")
            button.clicked.connect(self._ask)
            box.addWidget(button)

    def _ask(self) -> None:
        self.activate_asked.emit(self._id)


class VersionsList(QScrollArea):
    """A handful of rows.

    Attributes:
        activate_asked: Id of the version to make live, "" for the frozen backbone.
    """

    activate_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(36)
        self._lines: tuple[VersionLine, ...] = ()
        self._live: QWidget | None = None

    @property
    def lines(self) -> tuple[VersionLine, ...]:
        """What is shown."""
        return self._lines

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for two versions."""
        return QSize(240, 96)

    def show_lines(self, lines: tuple[VersionLine, ...], *, can_change: bool) -> None:
        """Show other versions, the live one in sight."""
        self._lines, self._live = lines, None
        holder = QWidget()
        holder.setObjectName("plain")
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 8, 0)
        box.setSpacing(0)
        box.setAlignment(Qt.AlignmentFlag.AlignTop)
        for line in lines:
            row = _VersionRow(line, can_change=can_change)
            row.activate_asked.connect(self.activate_asked)
            box.addWidget(row)
            if line.live:
                self._live = row
        self.setWidget(holder)
        self._bring_into_sight()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """The live version stays in sight where the room changes."""
        super().resizeEvent(event)
        self._bring_into_sight()

    def _bring_into_sight(self) -> None:
        holder = self.widget()
        layout = None if holder is None else holder.layout()
        if self._live is not None and layout is not None:
            layout.activate()  # a list that is new has no places yet
            self.ensureWidgetVisible(self._live, 0, 0)
