"""The keyboard on the start page."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from app.views.dialogs.new_project import NewProjectDialog
from tests.app.driving import Driver

CONTROL = Qt.KeyboardModifier.ControlModifier


def reader_field(driver: Driver) -> QLineEdit:
    field = driver.desk.window.start.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    return field


def focus(driver: Driver) -> QWidget:
    """Where keys go, once the window has the keyboard."""
    driver.desk.window.activateWindow()
    driver.until(lambda: QApplication.focusWidget() is not None)
    found = QApplication.focusWidget()
    assert found is not None
    return found


def test_what_is_typed_is_no_pseudonym_until_its_field_is_chosen(
    driver: Driver, project: Path
) -> None:
    before = reader_field(driver).text()
    driver.bot.keyClicks(focus(driver), "x1")
    driver.open(project)
    driver.press(Qt.Key.Key_W, CONTROL)
    driver.until(lambda: not driver.desk.window.shows_desk)
    assert focus(driver) is driver.desk.window.start  # no field, and no button either
    driver.bot.keyClicks(focus(driver), "x1 ")
    assert not driver.desk.window.shows_desk
    assert reader_field(driver).text() == before
    reader_field(driver).setFocus()
    driver.bot.keyClicks(focus(driver), "x1")
    assert reader_field(driver).text() == f"{before}x1"
    reader_field(driver).setText(before)


def test_a_project_is_begun_by_key_from_the_field_of_the_reader(driver: Driver) -> None:
    field = reader_field(driver)
    field.setFocus()
    driver.until(field.hasFocus)
    before = field.text()
    driver.bot.keyClick(field, Qt.Key.Key_N, CONTROL)
    (dialog,) = driver.desk.window.findChildren(NewProjectDialog)
    assert dialog.isVisible()
    dialog.reject()
    assert field.text() == before


def test_escape_leaves_the_field_of_the_reader(driver: Driver) -> None:
    field = reader_field(driver)
    field.setFocus()
    driver.until(field.hasFocus)
    driver.bot.keyClick(field, Qt.Key.Key_Escape)
    assert focus(driver) is driver.desk.window.start
