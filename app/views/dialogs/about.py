"""About the desk."""

from PySide6.QtWidgets import QWidget

from app import strings
from app.strings import command_words, dialog_words
from app.views.dialogs.parts import DeskDialog, muted
from app.views.fields import PlainLabel


class AboutDialog(DeskDialog):
    """What it is, what it is not, and under which licence."""

    def __init__(self, version: str, parent: QWidget | None) -> None:
        super().__init__(command_words.COMMANDS["about"], dialog_words.CLOSE, parent)
        self.only_close()
        self.setMinimumWidth(440)
        title = PlainLabel(strings.APP_NAME)
        title.setProperty("role", "title")
        self.body.addWidget(title)
        self.body.addWidget(muted(strings.ABOUT_VERSION.format(version=version), role="muted"))
        self.body.addSpacing(8)
        words = (strings.WHAT_IT_IS, strings.NOT_A_DEVICE, strings.PRIVACY, strings.LICENCE)
        for text in words:
            label = PlainLabel(text)
            label.setWordWrap(True)
            self.body.addWidget(label)
