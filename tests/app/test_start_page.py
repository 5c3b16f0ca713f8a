"""The keyboard on the start page, and the window's first size."""

import json
import os
import subprocess
import sys
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


def test_the_window_fits_a_small_screen_at_first(tmp_path: Path) -> None:
    screen = {"name": "small", "x": 0, "y": 0, "width": 1366, "height": 768}
    screen |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    (tmp_path / "screens.json").write_text(json.dumps({"screens": [screen]}))
    code = (
        "from app import bootstrap; bootstrap.application(); d = bootstrap.build(); "
        "d.window.show(); w = d.window; s = w.status; b = s.mapTo(w, s.rect().bottomRight()); "
        "print(w.screen().size().height(), w.width(), w.height(), b.y()); d.shut_down()"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={tmp_path / 'screens.json'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    screen_height, width, height, status_bottom = map(int, found.stdout.split())
    assert (screen_height, width) == (768, 1280)
    assert status_bottom < height <= 768 - 40  # the title bar has room too
