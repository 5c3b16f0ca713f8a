"""A decision of a stack can name the frame that shows what was decided."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.controllers.library import NewProject
from app.models.commands import Command
from nearl_core.store.project import Project
from nearl_core.types import LabelSet, State, Unit
from tests.app.driving import WAIT_MS, Driver
from tests.support.scans import write_dicom

FRAMES = 6


@pytest.fixture
def stacks(driver: Driver, tmp_path: Path, label_set: LabelSet) -> Driver:
    """Two series of six frames, and one file by itself."""
    for series, frames in ((1, FRAMES), (2, FRAMES), (3, 1)):
        for k in range(frames):
            place = {"ImagePositionPatient": ["0", "0", str(k)], "SeriesInstanceUID": f"1.{series}"}
            place |= {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]}
            path = tmp_path / "in" / str(series) / f"{k}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_dicom(path, np.full((8, 8), k, np.uint16), **place)
    wanted = NewProject(tmp_path / "s.nearl", label_set, "starter", tmp_path / "in", Unit.SERIES)
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
        driver.desk.library.create(wanted)
    driver.desk.actions.asked.emit(Command.INSTRUCTIVE)
    driver.until(lambda: driver.desk.window.scan.view.picture is not None)
    return driver


def _go_down(desk: Driver, frames: int) -> None:
    shown = desk.desk.looking.screen.frame + frames
    for _ in range(frames):
        desk.press(Qt.Key.Key_Down)
    desk.until(lambda: desk.desk.review._on.frame == shown)


def test_a_named_frame_is_kept_with_the_decision_and_opened_with_the_scan(
    stacks: Driver, tmp_path: Path
) -> None:
    desk, first = stacks, stacks.scan_id()
    _go_down(desk, 2)
    desk.press(Qt.Key.Key_J)
    assert desk.desk.window.ranking.panel.frame == FRAMES // 2 + 2
    assert desk.desk.window.ranking._state.text() == f"Unlabelled, frame {FRAMES // 2 + 3}"
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(first).frame == FRAMES // 2 + 2
    second = desk.scan_id()
    assert second != first
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(second).frame is None
    desk.desk.review.show(first)
    desk.until(lambda: desk.desk.looking.screen.frame == FRAMES // 2 + 2)
    with Project.open(tmp_path / "s.nearl", read_only=True) as project:
        assert {one.scan_id: one.verdict.frame for one in project.standing()} == {
            first: FRAMES // 2 + 2,
            second: None,
        }


def test_a_decided_scan_changes_its_frame_at_once_and_loses_it_by_the_same_key(
    stacks: Driver,
) -> None:
    desk, first = stacks, stacks.scan_id()
    desk.decide(Qt.Key.Key_1)
    desk.desk.review.show(first)
    desk.until(lambda: desk.desk.review._on.seen)
    desk.decide(Qt.Key.Key_J)
    assert desk.scan_id() == first
    said = desk.desk.table.verdict(first)
    assert (said.state, said.labels, said.frame) == (State.LABELLED, ("disc",), FRAMES // 2)
    desk.decide(Qt.Key.Key_J)
    assert desk.desk.table.verdict(first).frame is None


def test_a_scan_of_one_frame_has_none_to_name(stacks: Driver) -> None:
    desk = stacks
    (single,) = (scan.id for scan in desk.desk.table.scans().values() if scan.frames == 1)
    desk.desk.review.show(single)
    desk.until(lambda: not desk.desk.actions.action(Command.NAME_FRAME).isEnabled())
    desk.press(Qt.Key.Key_J)
    assert desk.desk.window.ranking.panel.frame is None
