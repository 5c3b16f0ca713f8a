"""Input fields in the desk's measure."""

from PySide6.QtWidgets import QLineEdit, QSpinBox

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
