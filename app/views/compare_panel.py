"""A decided scan beside the one that is being decided."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.models.commands import Command
from app.models.picture import Picture
from app.strings import command_words
from app.views.actions import Actions
from app.views.fields import ElidedLabel
from app.views.image_overlay import OverlayText
from app.views.image_view import ImageView


class ComparePanel(QWidget):
    """The second picture, its labels above it; it has no keys and takes no decisions.

    Attributes:
        wanted: Whether the reader compares.
    """

    wanted = Signal(bool)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(160)
        self.view = ImageView()
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._labels, self._place = ElidedLabel(), ElidedLabel()
        self._labels.setProperty("role", "heading")
        self._place.setProperty("role", "small")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._labels)
        words.addWidget(self._place)
        line = QHBoxLayout()
        line.setContentsMargins(12, 8, 8, 8)
        line.setSpacing(4)
        line.addLayout(words, 1)
        self._buttons = [
            self._button(actions, Command.LESS_ALIKE, Qt.ArrowType.LeftArrow),
            self._button(actions, Command.MORE_ALIKE, Qt.ArrowType.RightArrow),
        ]
        for button in self._buttons:
            line.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(self.view, 1)

    def _button(self, actions: Actions, command: Command, arrow: Qt.ArrowType) -> QToolButton:
        button = QToolButton()
        button.setArrowType(arrow)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(actions.tip(command))
        button.setAccessibleName(command_words.COMMANDS[command.value])
        button.clicked.connect(actions.action(command).trigger)
        return button

    def show_words(self, labels: str, place: str, name: str) -> None:
        """Say what was decided of the scan that is shown here, and which one it is."""
        self._labels.show_text(labels)
        self._place.show_text(place)
        self.view.show_picture(None)
        self.view.show_texts(OverlayText((name,) if name else ()))
        self.view.show_message("")
        for button in self._buttons:
            button.setEnabled(bool(name))

    def show_picture(self, picture: Picture) -> None:
        """Show its picture."""
        self.view.show_picture(picture)

    def show_notice(self, text: str) -> None:
        """Say why there is nothing to compare."""
        self.view.show_message(text)

    def texts(self) -> tuple[str, ...]:
        """Everything that can be read here, for tests and assistive tools."""
        return (self._labels.toolTip(), self._place.toolTip(), *self.view.texts())
