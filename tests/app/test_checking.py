"""Checking a project on the desk: what is wrong is said, and the ways back are offered."""

from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel

from app.models.commands import Command
from app.views.dialogs.check import CheckDialog
from nearl_core.store.copies import copy_daily
from nearl_core.store.project import Project
from nearl_core.types import State
from tests.app.driving import WAIT_MS, Driver
from tests.support.projects import decide


def dialog_of(driver: Driver) -> CheckDialog:
    """The dialog, which opens by itself where a project can't be opened."""
    driver.until(lambda: bool(driver.desk.window.findChildren(CheckDialog)))
    return driver.desk.window.findChildren(CheckDialog)[-1]


def texts_of(dialog: CheckDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


def test_scans_that_were_moved_are_found_again(
    driver: Driver,
    project: Path,
    scan_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = driver
    with Project.open(project) as opened:
        opened.set_home()  # the project of the tests was made elsewhere
    desk.open(project)
    desk.decide(Qt.Key.Key_1)
    desk.until(lambda: desk.desk.library.adding.is_hashed)
    scan_folder.rename(tmp_path / "archive")
    problems: list[str] = []
    desk.desk.looking.screen.problem.connect(problems.append)
    desk.desk.review.show(9)
    desk.until(lambda: bool(problems))
    assert "Project, Check…" in problems[0]
    desk.desk.actions.asked.emit(Command.CHECK)
    dialog = dialog_of(desk)
    desk.until(lambda: "1 problem." in dialog.summary.text())
    said = texts_of(dialog)
    assert "9 scan files are not where they were." in said
    assert "disc-0.png" in said
    assert not dialog.put_back.isVisible()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "archive"))
    with desk.bot.waitSignal(desk.desk.library.opened, timeout=WAIT_MS):
        dialog.find_moved.click()
    desk.until(lambda: "all is well" in dialog.summary.text())
    assert "9 moved scans were found again, 0 were not." in texts_of(dialog)
    desk.until(lambda: desk.desk.window.scan.view.picture is not None)
    assert desk.desk.table.verdict(1).state is State.LABELLED


def test_a_damaged_project_comes_back_from_its_copy(driver: Driver, project: Path) -> None:
    with Project.open(project) as opened:
        decide(opened, 1, "disc")
        copy_daily(project)
        decide(opened, 2, "stripes")
    database = project / "project.db"
    database.write_bytes(b"\0" * 100 + database.read_bytes()[100:])
    driver.desk.asking.open_path(project)
    dialog = dialog_of(driver)
    driver.until(lambda: dialog.put_back.isVisible())
    assert "damaged" in dialog.summary.text()
    assert str(date.today()) in dialog.copies.text()
    assert not driver.troubles
    dialog.put_back.click()
    driver.until(lambda: "all is well" in dialog.summary.text())
    assert "was put back, with 0 later decisions; an unknown number are lost." in texts_of(dialog)
    assert not dialog.put_back.isVisible()
    assert driver.desk.library.session is not None
    assert [one.scan_id for one in driver.desk.library.session.to_learn()] == [1]
