"""Small fields and labels in the desk's measure."""

import os
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QSizePolicy, QSpinBox, QWidget

_INSET = 6


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


class ElidedLabel(QLabel):
    """One line that gives way: what has no room is left out of its middle; the tip has it all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show another text."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out as much as has no room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        middle = Qt.TextElideMode.ElideMiddle
        self.setText(self.fontMetrics().elidedText(self._whole, middle, self.width()))
