"""Under which name decisions are made: taken, refused with the reason, and always in sight."""

from itertools import pairwise
from unicodedata import normalize

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit

from app.models.commands import Command
from app.views.dialogs.preferences import PreferencesDialog
from tests.app.driving import Driver, dialog_of

RULE = "Letters, digits, blanks, dots and hyphens only."


def preferences(driver: Driver) -> PreferencesDialog:
    driver.desk.actions.asked.emit(Command.PREFERENCES)
    found = dialog_of(driver, PreferencesDialog)
    assert isinstance(found, PreferencesDialog)
    return found


def field_of(driver: Driver) -> QLineEdit:
    found = driver.desk.window.start.findChild(QLineEdit)
    assert isinstance(found, QLineEdit)
    return found


def test_a_name_that_cannot_be_taken_does_not_stay_on_the_start_page(driver: Driver) -> None:
    """Else a reader would think that decisions go under it, and they go under another's."""
    start, before = driver.desk.window.start, driver.desk.keeper.settings.reader
    field = field_of(driver)
    field.setText("O/Neill")
    driver.bot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == before == driver.desk.keeper.settings.reader
    said = [label.text() for label in start.findChildren(QLabel)]
    assert f"{RULE} {before} stays the reader." in said
    field.setText("Neill 2")
    driver.bot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == driver.desk.keeper.settings.reader == "Neill 2"
    assert not any(RULE in label.text() for label in start.findChildren(QLabel))


def test_preferences_say_why_a_name_cannot_be_taken_and_stay_open(desk: Driver) -> None:
    dialog = preferences(desk)
    field = dialog.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    field.setText("")
    assert (dialog.problem, dialog.ok.isEnabled()) == ("Give a pseudonym.", False)
    field.setText("O/Neill")
    assert (dialog.problem, dialog.ok.isEnabled()) == (RULE, False)
    field.setText("O-Neill")
    assert (dialog.problem, dialog.ok.isEnabled()) == ("", True)
    dialog.reject()


@pytest.mark.parametrize("name", ["डॉक्टर २", "แพทย์ 1", "دکتر ۳", "ד״ר כהן".replace("״", "")])
def test_names_of_every_script_are_taken(driver: Driver, name: str) -> None:
    driver.desk.asking.change_reader(name)
    assert driver.desk.keeper.settings.reader == name


def test_a_long_name_is_not_cut_by_the_start_page(driver: Driver) -> None:
    name = "reader " * 9  # the longest that there can be, but for one
    driver.desk.asking.change_reader(name)
    driver.bot.keyClick(field_of(driver), Qt.Key.Key_Return)
    assert driver.desk.keeper.settings.reader == name.strip()


def test_a_name_is_one_however_its_marks_are_typed(driver: Driver) -> None:
    driver.desk.asking.change_reader(normalize("NFD", "Müller"))
    assert driver.desk.keeper.settings.reader == normalize("NFC", "Müller")


def test_the_status_bar_says_who_decides(desk: Driver) -> None:
    reader = desk.desk.keeper.settings.reader
    assert f"{reader}  0 of" in desk.status()
    bar = desk.desk.window.status
    shown = [one for one in bar.findChildren(QLabel) if one.isVisible() and one.text()]
    assert next(one for one in shown if one.text() == reader).toolTip().startswith(reader)
    assert all(one.width() >= one.sizeHint().width() for one in shown)  # none is cut
    shown.sort(key=lambda one: one.x())
    assert all(one.geometry().right() < two.x() for one, two in pairwise(shown))  # nor overlaid
    with desk.bot.waitSignal(desk.desk.library.opened, timeout=20_000):
        desk.desk.asking.change_reader("second")
    desk.until(lambda: "second  0 of" in desk.status())
    assert reader not in desk.status()
    desk.press(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: not desk.desk.window.shows_desk)
    assert "second" not in desk.status()
