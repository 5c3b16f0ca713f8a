"""A folder goes while the desk is at work: the reader is told, nothing moves on."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from tests.app.driving import WAIT_MS, Driver, history


@pytest.mark.skipif(sys.platform == "win32", reason="open files can't be moved there")
def test_a_decision_that_has_no_place_is_told_and_waits(desk: Driver, project: Path) -> None:
    scan_id, away = desk.scan_id(), project.with_name("away.nearl")
    project.rename(away)
    desk.press(Qt.Key.Key_1)
    desk.until(lambda: bool(desk.troubles))
    assert "moved, deleted or replaced" in desk.troubles[0].sentence
    assert "back to its place" in desk.troubles[0].remedy
    assert not desk.troubles[0].details  # no bug
    assert desk.scan_id() == scan_id
    away.rename(project)
    desk.decide(Qt.Key.Key_1)
    assert [one.verdict.labels for one in history(project, scan_id)] == [("disc",)]


@pytest.mark.skipif(sys.platform == "win32", reason="open files can't be moved there")
def test_pictures_come_back_with_the_drive_that_holds_them(
    start: Callable[[], Driver], project: Path, scan_folder: Path
) -> None:
    driver, away = start(), scan_folder.with_name("away")
    scan_folder.rename(away)
    with driver.bot.waitSignal(driver.desk.suggestions.loaded, timeout=WAIT_MS):
        driver.desk.asking.open_path(project)
    table = driver.desk.table

    def small(scan_id: int) -> bool | None:
        """Whether there is a thumbnail; None where that is not known yet."""
        pixmap = table.thumbnails.get(scan_id)
        return None if pixmap is None else not pixmap.isNull()

    driver.until(lambda: all(small(scan_id) is False for scan_id in table.scans()))
    away.rename(scan_folder)
    driver.press(Qt.Key.Key_Right)
    driver.until(lambda: driver.desk.window.scan.view.picture is not None)
    driver.until(lambda: all(map(small, table.scans())))
