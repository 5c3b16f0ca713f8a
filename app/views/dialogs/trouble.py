"""The error dialog: a sentence, a remedy, and details that can be copied."""

import re

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QWidget

from app.models.tips import plain_tip
from app.strings import dialog_words
from app.views.dialogs.parts import DeskDialog, muted, selectable
from app.views.fields import PlainLabel

_NO_BREAK = re.compile(r"[^\s/\\.-]{61,}")


def _with_room(sentence: str) -> str:
    """A sentence whose names can be broken into lines, or else lack their middle."""
    return _NO_BREAK.sub(lambda name: f"{name[0][:40]}…{name[0][-19:]}", sentence)


class TroubleDialog(DeskDialog):
    """Says once what went wrong."""

    def __init__(self, sentence: str, remedy: str, details: str, parent: QWidget | None) -> None:
        super().__init__(dialog_words.TROUBLE_TITLE, dialog_words.CLOSE, parent)
        self.setMinimumWidth(480)
        self.only_close()
        self.sentence = selectable(PlainLabel(_with_room(sentence)))
        self.sentence.setWordWrap(True)
        self.sentence.setToolTip(plain_tip(sentence) if self.sentence.text() != sentence else "")
        self.body.addWidget(self.sentence)
        self.remedy = selectable(muted(remedy, role="muted"))
        self.remedy.setVisible(bool(remedy))
        self.body.addWidget(self.remedy)
        self._details = details
        if details:
            text = QPlainTextEdit(details)
            text.setReadOnly(True)
            text.setAccessibleName(dialog_words.DETAILS)
            text.setFixedHeight(140)
            copy = QPushButton(dialog_words.COPY_DETAILS)
            copy.setAutoDefault(False)
            copy.clicked.connect(self._copy)
            self.body.addWidget(text)
            self.buttons.insertWidget(0, copy)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
