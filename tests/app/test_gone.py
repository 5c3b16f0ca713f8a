"""The project's folder goes while the desk has it open: the reader is told, nothing moves on."""

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from tests.app.driving import Driver, history


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
