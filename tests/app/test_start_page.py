"""The keyboard on the start page, and the window's first size."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
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
    reader_field(driver).end(False)
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


_LOOK = """
import json
from PySide6.QtWidgets import QPushButton
from app import bootstrap
from app.views.dialogs.new_project import NewProjectDialog
bootstrap.application()
desk = bootstrap.build()
window = desk.window
window.show_desk("tiny")
window.show()
desk.asking.new_project()
dialog = window.findChildren(NewProjectDialog)[-1]
for _ in range(4):
    app = bootstrap.application()
    app.sendPostedEvents()
def place(widget, of):
    corner = widget.mapTo(of, widget.rect().topLeft())
    return corner.x(), corner.y(), corner.x() + widget.width(), corner.y() + widget.height()
buttons = [b for b in window.ranking.findChildren(QPushButton) if b.text()]
print(json.dumps({
    "screen": window.screen().size().toTuple(),
    "window": window.size().toTuple(),
    "parts": [place(w, window) for w in (window.queue, window.scan, window.status)],
    "side": place(window.ranking, window),
    "buttons": [place(b, window) for b in buttons],
    "dialog": dialog.size().toTuple(),
    "ok": place(dialog.ok, dialog),
    "typing": type(dialog.focusWidget()).__name__,
}))
desk.shut_down()
"""


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (853, 533)])
def test_the_window_and_its_dialogs_fit_a_small_screen(
    tmp_path: Path, width: int, height: int
) -> None:
    screen = {"name": "small", "x": 0, "y": 0, "width": width, "height": height}
    screen |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    (tmp_path / "screens.json").write_text(json.dumps({"screens": [screen]}))
    done = subprocess.run(
        [sys.executable, "-c", _LOOK],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={tmp_path / 'screens.json'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    wide, high = found["window"]
    assert found["screen"] == [width, height]
    assert wide == min(1280, width - 16)
    assert high <= height - 40  # the title bar has room too
    assert all(right <= wide and bottom <= high for _, _, right, bottom in found["parts"])
    assert found["side"][2] <= wide
    buttons = sorted(tuple(one) for one in found["buttons"])
    assert len(buttons) == 7
    for one, other in itertools.combinations(buttons, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, "one button covers another"
    assert found["dialog"][1] <= height - 40
    assert found["ok"][3] <= found["dialog"][1]
    assert found["typing"] == "QLineEdit"
