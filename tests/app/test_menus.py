"""The menus hold every command and fit every window."""

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.models.commands import Command
from app.strings import command_words
from nearl_core.settings import PRESETS
from tests.app.driving import Driver


def _entries(menu: QMenu) -> list[QAction]:
    return [one for one in menu.actions() if not one.isSeparator()]


def test_no_menu_is_as_high_as_a_small_window(desk: Driver) -> None:
    for action in desk.desk.window.menuBar().actions():
        menu = action.menu()
        assert isinstance(menu, QMenu)
        assert len(_entries(menu)) <= 17
        assert menu.sizeHint().height() <= 440


def test_each_command_stands_once_in_the_menus(desk: Driver) -> None:
    def within(menu: QMenu) -> Iterator[str]:
        for action in _entries(menu):
            inner = action.menu()
            if isinstance(inner, QMenu):
                yield from within(inner)
            else:
                yield str(action.data())

    menus = [action.menu() for action in desk.desk.window.menuBar().actions()]
    found = [name for menu in menus if isinstance(menu, QMenu) for name in within(menu)]
    assert sorted(found) == sorted(Command)


def test_window_presets_are_called_by_their_names(desk: Driver) -> None:
    text = desk.desk.actions.action(Command.PRESET_2).text()
    assert text == f"{command_words.COMMANDS['preset-2']}: {PRESETS[1].name}\tAlt+2"
    desk.desk.keeper.change(replace(desk.desk.keeper.settings, presets=PRESETS[:2]))
    assert desk.desk.actions.action(Command.PRESET_2).isVisible()
    assert not desk.desk.actions.action(Command.PRESET_3).isVisible()
