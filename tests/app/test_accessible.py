"""Who works without a mouse, or without seeing the screen, comes to everything and is told what."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTableView,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.models.commands import Command
from app.models.trust_lines import AgreementLines, Table
from app.views.dialogs.keys import KeysDialog
from app.views.dialogs.new_project import NewProjectDialog
from app.views.dialogs.parts import DeskDialog
from app.views.trust_panel import TrustPanel
from tests.app.driving import Driver, dialog_of

DIALOGS = (
    Command.LABEL_SET,
    Command.IMPORT_LABELS,
    Command.RULES,
    Command.READERS,
    Command.EXPORT,
    Command.CHECK,
    Command.BACKBONES,
    Command.PREFERENCES,
    Command.NEW_PROJECT,
    Command.GRID,
    Command.KEYS,
    Command.GUIDE,
    Command.ABOUT,
)
PANELS = (Command.TAGS, Command.TRUST, Command.LOOK_AGAIN, Command.COMPARE)


def controls(window: QWidget) -> Iterator[QWidget]:
    """Whatever has the keyboard or can get it by Tab."""
    for widget in window.findChildren(QWidget):
        reached = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if reached and widget.isVisible() and widget.isEnabled() and widget.focusProxy() is None:
            yield widget


def nameless(window: QWidget) -> list[str]:
    """Controls of which a screen reader could say nothing."""
    return [
        f"{type(one).__name__} in {type(one.parentWidget()).__name__}"
        for one in controls(window)
        if not QAccessible.queryAccessibleInterface(one).text(QAccessible.Text.Name)
    ]


@pytest.mark.parametrize("command", DIALOGS)
def test_each_control_of_a_dialog_has_a_name(desk: Driver, command: Command) -> None:
    desk.desk.actions.action(command).trigger()
    (dialog,) = (one for one in desk.desk.window.findChildren(DeskDialog) if one.isVisible())
    assert list(controls(dialog))
    assert nameless(dialog) == []
    dialog.close()


@pytest.mark.parametrize("command", DIALOGS)
def test_tab_goes_through_a_dialog_from_top_to_bottom(desk: Driver, command: Command) -> None:
    desk.desk.actions.action(command).trigger()
    (dialog,) = (one for one in desk.desk.window.findChildren(DeskDialog) if one.isVisible())
    shown = set(controls(dialog))
    order: list[QWidget] = []
    widget = dialog.nextInFocusChain()
    while widget is not None and widget is not dialog:
        order += [widget] if widget in shown else []
        widget = widget.nextInFocusChain()
    bottom = max(_lower_edge(one, dialog) for one in order) - 20
    below = [_lower_edge(one, dialog) > bottom for one in order]
    begins = dialog.focusWidget()
    assert begins is not None
    if dialog.refuse.isVisible() and not all(below):
        assert _lower_edge(begins, dialog) <= bottom
    # From the last button Tab goes on to the first field.
    turns = [after for before, after in pairwise([*below, *below]) if before and not after]
    assert len(turns) <= 2
    dialog.close()


def _lower_edge(widget: QWidget, dialog: QWidget) -> int:
    return widget.mapTo(dialog, widget.rect().bottomRight()).y()


def test_each_control_of_the_desk_has_a_name(desk: Driver) -> None:
    assert nameless(desk.desk.window) == []
    for command in PANELS:
        desk.desk.actions.action(command).trigger()
        assert nameless(desk.desk.window) == []


def tab(driver: Driver) -> QWidget:
    """Where the keyboard is after Tab."""
    before = QApplication.focusWidget()
    driver.bot.keyClick(before or driver.desk.window, Qt.Key.Key_Tab)
    now = QApplication.focusWidget()
    assert now is not None
    return now


def test_the_header_is_read_by_keys(tools: Driver) -> None:
    tools.press(Qt.Key.Key_T)
    (table,) = tools.desk.window.scan.tags.findChildren(QTableView)
    tools.until(lambda: table.model().rowCount() > 9)
    tools.desk.window.scan.view.setFocus()
    tools.until(lambda: any(tab(tools) is table for _ in range(40)))
    before = tools.scan_id()
    tools.bot.keyClick(table, Qt.Key.Key_PageDown)
    assert table.currentIndex().row() > 0
    assert tools.scan_id() == before
    tools.bot.keyClick(table, Qt.Key.Key_Right)  # other keys are the window's
    assert tools.scan_id() != before


def test_how_far_to_trust_it_is_read_by_keys(qtbot: QtBot) -> None:
    bootstrap.application()
    panel = TrustPanel()
    qtbot.addWidget(panel)
    names = tuple((f"Label {number}", "1 of 2", "1 of 2") for number in range(40))
    panel.show_agreement(AgreementLines(labels=Table(("Label", "Found", "Right"), names)))
    panel.resize(344, 300)
    panel.show()
    panel.activateWindow()
    assert panel.focusPolicy() & Qt.FocusPolicy.TabFocus
    qtbot.keyClick(panel, Qt.Key.Key_PageDown)
    assert panel.verticalScrollBar().value() > 0


def test_enter_presses_the_button_that_has_the_keyboard(desk: Driver) -> None:
    ranking = desk.desk.window.ranking
    second = ranking.rows()[1]
    second.setFocus()
    desk.decide(Qt.Key.Key_Return)
    (said,) = desk.desk.table.verdict(1).labels
    assert said == second.line.label_id
    box = desk.desk.window.queue.findChild(QCheckBox)
    assert box is not None
    box.setFocus()
    on, decided = box.isChecked(), desk.scan_id()
    desk.bot.keyClick(box, Qt.Key.Key_Return)
    assert (box.isChecked(), desk.scan_id()) == (on, decided)
    desk.desk.library.close()
    start = desk.desk.window.start
    desk.until(start.isVisible)
    start.setFocus()
    desk.bot.keyClick(tab(desk), Qt.Key.Key_Return)
    assert isinstance(dialog_of(desk, NewProjectDialog), NewProjectDialog)


def test_the_field_for_a_key_is_left_by_tab_and_escape(qtbot: QtBot) -> None:
    bootstrap.application()
    dialog = KeysDialog({}, None)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    field = dialog.findChild(QKeySequenceEdit)
    tree = dialog.findChild(QTreeWidget)
    assert field is not None
    assert tree is not None
    assert field.isEnabled()  # for the first one of them
    qtbot.keyClick(tree, Qt.Key.Key_Down)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: not field.hasFocus())
    assert field.keySequence().isEmpty()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: dialog.changes == {"open-project": "Z"}, timeout=3000)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.isVisible())


def test_a_recent_project_opens_whatever_it_is_called(driver: Driver) -> None:
    start, path = driver.desk.window.start, Path("/scans/a <b>b</b>.nearl")
    start.show_recent((path,))
    (button,) = (one for one in start.findChildren(QPushButton) if one.text() == path.stem)
    with driver.bot.waitSignal(start.project_chosen) as chosen:
        button.click()
    assert chosen.args == [path]


def test_recent_projects_come_before_the_field_of_the_reader(desk: Driver, project: Path) -> None:
    desk.desk.library.close()
    start = desk.desk.window.start
    desk.until(start.isVisible)
    start.setFocus()
    reached: list[QWidget] = [tab(desk) for _ in range(5)]
    assert isinstance(reached[3], QPushButton)
    assert reached[3].text() == project.stem
    assert isinstance(reached[4], QLineEdit)
    desk.bot.keyClick(reached[3], Qt.Key.Key_Space)
    desk.until(lambda: desk.desk.window.shows_desk)
