"""Training and versions, below the labels."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.commands import Command
from app.models.training_state import Phase, TrainingState, VersionLine
from app.views.actions import Actions
from app.views.fields import ElidedSentence, PlainLabel, spin_box
from app.views.loss_plot import LossPlot
from app.views.versions_list import VersionsList

_MARGINS = (16, 8, 16, 6)
_ROOMY, _LOW = 300, 244
"""From the first height on the losses of the last training stay beside the versions; below the
second one there is no room for those of a running one either, and the bar alone tells of it."""


class TrainingPanel(QWidget):
    """Shows a TrainingState and the versions.

    Attributes:
        automatic_changed: Whether it trains by itself, and every how many decisions.
        activate_asked: Id of the version to make live, "" for the frozen backbone.
    """

    automatic_changed = Signal(bool, int)
    activate_asked = Signal(str)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._state = TrainingState()
        self._text = ElidedSentence()
        self._text.setProperty("role", "small")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self.plot = LossPlot()
        self._train = QPushButton(strings.TRAIN)
        self._cancel = QPushButton(strings.CANCEL)
        self._automatic = QCheckBox(strings.AUTO_TRAIN)
        self._every = spin_box(5, 1000)
        self.versions = VersionsList()
        self.versions.activate_asked.connect(self.activate_asked)
        self._connect(actions)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*_MARGINS)
        layout.setSpacing(4)
        layout.addLayout(self._head())
        layout.addWidget(self._text)
        layout.addWidget(self._progress)
        layout.addWidget(self.plot)
        layout.addLayout(self._automatic_line())
        layout.addLayout(_versions_line())
        layout.addWidget(self.versions, 1)
        self.show_state(TrainingState())

    def _connect(self, actions: Actions) -> None:
        for button, command in (
            (self._train, Command.TRAIN),
            (self._cancel, Command.CANCEL_TRAINING),
        ):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(actions.action(command).trigger)
            button.setToolTip(actions.tip(command))
        self._automatic.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._every.setFixedWidth(72)
        self._every.setAccessibleName(strings.AUTO_TRAIN)
        self._every.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._automatic.clicked.connect(self._emit_automatic)
        self._every.editingFinished.connect(self._emit_automatic)

    def _head(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        title = PlainLabel(strings.TRAINING)
        title.setProperty("role", "heading")
        line.addWidget(title)
        line.addStretch(1)
        line.addWidget(self._cancel)
        line.addWidget(self._train)
        return line

    def _automatic_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._automatic)
        line.addWidget(self._every)
        after = PlainLabel(strings.NEW_DECISIONS)
        line.addWidget(after)
        line.addStretch(1)
        return line

    @property
    def state(self) -> TrainingState:
        """What is shown."""
        return self._state

    def show_state(self, state: TrainingState) -> None:
        """Show where training stands."""
        self._state = state
        busy = state.phase in (Phase.WAITING, Phase.RUNNING, Phase.STOPPING)
        self._train.setVisible(not busy)
        self._train.setEnabled(state.phase is Phase.IDLE)
        self._cancel.setVisible(busy)
        self._cancel.setEnabled(busy and state.phase is not Phase.STOPPING)
        self._progress.setVisible(busy)
        self._progress.setRange(0, state.total)
        self._progress.setValue(state.done)
        counted = state.phase is Phase.IDLE and state.waiting_decisions
        waiting = strings.new_since(state.waiting_decisions) if counted else ""
        self._text.show_text(state.text, waiting)
        self._text.setVisible(bool(state.text or waiting))
        self._give_room()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """A low panel shows the versions, and the losses at most while they come."""
        super().resizeEvent(event)
        self._give_room()

    def _give_room(self) -> None:
        busy = self._cancel.isVisibleTo(self)
        roomy = self.height() >= (_LOW if busy else _ROOMY)
        self.plot.setVisible(len(self.plot.losses) > 1 and roomy)
        layout = self.layout()
        if layout is not None and self._text.isVisibleTo(self):
            self._text.setFixedHeight(0)
            left, _, right, _ = _MARGINS
            room = self.height() - layout.minimumSize().height()
            self._text.fit(self.width() - left - right, room)

    def show_versions(self, lines: tuple[VersionLine, ...], *, can_change: bool) -> None:
        """Show the versions."""
        self.versions.show_lines(lines, can_change=can_change)

    def show_automatic(self, *, on: bool, every: int) -> None:
        """Show the setting."""
        self._automatic.setChecked(on)
        self._every.blockSignals(True)
        self._every.setValue(every)
        self._every.blockSignals(False)

    def _emit_automatic(self) -> None:
        self.automatic_changed.emit(self._automatic.isChecked(), self._every.value())


def _versions_line() -> QHBoxLayout:
    """The heading of the list, and what its figures are."""
    line = QHBoxLayout()
    title = PlainLabel(strings.VERSIONS)
    title.setProperty("role", "heading")
    figures = PlainLabel(strings.HELD_OUT_FIGURES)
    figures.setProperty("role", "small")
    line.addWidget(title)
    line.addStretch(1)
    line.addWidget(figures)
    return line
