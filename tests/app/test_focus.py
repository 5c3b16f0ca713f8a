"""Where the keyboard is shows, without anything being pressed."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTextBrowser,
    QToolButton,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.models.panel import LabelLine
from app.models.trust_lines import DoubtLine
from app.views.image_view import ImageView
from app.views.label_row import LabelRow
from app.views.look_again_panel import LookAgainPanel


def _changes(qtbot: QtBot, widget: QWidget) -> bool:
    """Whether a widget looks otherwise once the keyboard comes to it from another one."""
    window = QDialog()
    qtbot.addWidget(window)
    other = QWidget(window)
    other.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.setParent(window)
    widget.resize(200, 36)
    window.show()
    window.activateWindow()
    looks: list[QImage] = []
    for one in (other, widget):
        one.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(one.hasFocus)
        looks.append(widget.grab().toImage())
    return looks[0] != looks[1]


def test_lists_show_that_they_have_the_keyboard(qtbot: QtBot) -> None:
    bootstrap.application()
    labels = QListWidget()
    labels.addItem("Effusion")
    labels.setCurrentRow(0)
    assert _changes(qtbot, labels)
    assert _changes(qtbot, QTreeWidget())


def test_a_doubtful_decision_shows_that_enter_opens_it(qtbot: QtBot) -> None:
    bootstrap.application()
    panel = LookAgainPanel()
    panel.show_lines((DoubtLine(1, "1.png", "Disc, or Dots?", "9 to 1"),))
    assert _changes(qtbot, panel.list)


@pytest.mark.parametrize("pending", [False, True])
def test_a_label_shows_that_it_has_the_keyboard_chosen_or_not(qtbot: QtBot, pending: bool) -> None:
    bootstrap.application()
    row = LabelRow()
    row.show_line(LabelLine("effusion", "Effusion", "1", pending=pending))
    assert _changes(qtbot, row)


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize("kind", [QCheckBox, QPushButton, QToolButton])
def test_a_switch_shows_that_it_has_the_keyboard_on_or_off(
    qtbot: QtBot, kind: type[QCheckBox | QPushButton | QToolButton], checked: bool
) -> None:
    bootstrap.application()
    switch = kind()
    switch.setText("Most instructive first")
    switch.setCheckable(True)
    switch.setChecked(checked)
    assert _changes(qtbot, switch)


@pytest.mark.parametrize(
    "kind", [QComboBox, QLineEdit, QPlainTextEdit, QSpinBox, QTextBrowser, ImageView]
)
def test_a_field_shows_that_it_has_the_keyboard(qtbot: QtBot, kind: type[QWidget]) -> None:
    bootstrap.application()
    field = kind()
    field.setCursor(Qt.CursorShape.ArrowCursor)
    assert _changes(qtbot, field)


@pytest.mark.parametrize("role", ["", "primary", "verdict", "link"])
def test_a_button_shows_that_it_has_the_keyboard(qtbot: QtBot, role: str) -> None:
    bootstrap.application()
    button = QPushButton("Train")
    button.setProperty("role", role)
    assert _changes(qtbot, button)
