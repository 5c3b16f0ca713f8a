"""Small fields and labels in the desk's measure."""

import os
from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QSizePolicy, QSpinBox, QWidget

from app.models.tips import plain_tip

_INSET = 6
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
"""Names in a script that is written from the right stand where all others do."""


def spin_box(low: int, high: int, value: int | None = None) -> QSpinBox:
    """A field for a whole number, its text set in like that of the other fields.

    The style sheet can't do that: Qt gives the inner field of a spin box no padding.
    """
    box = QSpinBox()
    box.setRange(low, high)
    if value is not None:
        box.setValue(value)
    inner = box.findChild(QLineEdit)
    if inner is not None:
        inner.setTextMargins(_INSET, 0, 0, 0)
    return box


def typed_path(text: str) -> Path:
    """A path as far as it is typed; `~` is the home folder, `~nobody` a name like any other.

    By os.path: pathlib raises where nobody is called so.
    """
    return Path(os.path.expanduser(text.strip()))


class PlainLabel(QLabel):
    """A label that reads no markup in what it shows: names come from files of anyone."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)


class ElidedLabel(PlainLabel):
    """One line that gives way: what has no room is left out of its middle; the tip has it all.

    A sentence, which begins with what matters, is cut at its end instead.
    """

    def __init__(self, parent: QWidget | None = None, *, sentence: bool = False) -> None:
        super().__init__(parent=parent)
        self._whole = ""
        self._cut = Qt.TextElideMode.ElideRight if sentence else Qt.TextElideMode.ElideMiddle
        self.setAlignment(_LEFT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show another text."""
        self._whole = text
        self.setToolTip(plain_tip(text))
        self.setAccessibleName(text)
        self._fit()

    @property
    def whole_width(self) -> int:
        """The room that all of the text needs, in pixels."""
        around = self.width() - self.contentsRect().width()
        return self.fontMetrics().horizontalAdvance(self._whole) + around if self._whole else 0

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out as much as has no room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.contentsRect().width()
        self.setText(self.fontMetrics().elidedText(self._whole, self._cut, room))


class ElidedSentence(PlainLabel):
    """Some lines of words; where they have no room, the last words give way and the tip has all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._whole = self._end = ""
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)

    def show_text(self, text: str, end: str = "") -> None:
        """Show another text, and behind it one that never gives way."""
        self._whole, self._end = text, end
        self.setAccessibleName(" ".join(filter(None, (text, end))))
        self.setText(self.accessibleName())

    def fit(self, width: int, height: int) -> None:
        """Take as much of a height as the words need there; two lines at least."""
        line = self.fontMetrics().lineSpacing()
        words = self._whole.split()
        shown = self.accessibleName()
        while words and self._height(shown, width) > max(height, 2 * line):
            words.pop()
            shown = f"{' '.join(words)}… {self._end}".strip()
        self.setText(shown)
        self.setToolTip(plain_tip(self.accessibleName()) if shown != self.accessibleName() else "")
        self.setFixedHeight(max(self._height(shown, width), line))

    def _height(self, text: str, width: int) -> int:
        around = QRect(0, 0, width, 10_000)
        return self.fontMetrics().boundingRect(around, Qt.TextFlag.TextWordWrap, text).height()
