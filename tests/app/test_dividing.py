"""Scans divided among readers, on the desk."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app import strings
from app.models.commands import Command
from app.models.scan_table import Show
from app.views.dialogs.rules import RulesDialog
from nearl_core.dividing import part_of
from nearl_core.scan_list import ScanList
from nearl_core.store import readings
from nearl_core.store.project import Project
from nearl_core.types import Division
from tests.app.driving import Driver

ORDERS = (("me", "bo", "cy"), ("bo", "me", "cy"), ("bo", "cy", "me"))


@pytest.fixture
def divided(start: Callable[[], Driver], project: Path) -> Driver:
    """A desk whose reader is one of three, and has some of the scans."""
    with Project.open(project) as opened:
        patients = [scan.patient.encode() for scan in opened.scans()]  # others in each project
        every = (Division(order, shared) for shared in (0.0, 0.2, 0.4) for order in ORDERS)
        parts = ((one, part_of("me", one)) for one in every)
        readings.save_division(
            opened,
            next(one for one, part in parts if part and 0 < part.holds(patients).mean() < 1),
        )
    driver = start()
    keeper = driver.desk.keeper
    keeper.change(replace(keeper.settings, reader="me"))
    driver.open(project)
    return driver


def _mine(desk: Driver) -> set[int]:
    session = desk.desk.library.session
    assert session is not None
    part = session.part
    assert part is not None
    scans = desk.desk.table.scans()
    held = part.holds(scans.patients())
    return {scan_id for scan_id, mine in zip(scans, held, strict=True) if mine}


def _listed(desk: Driver) -> set[int]:
    table = desk.desk.table
    return {found for row in range(table.rowCount()) if (found := table.id_at(row)) is not None}


def test_the_queue_holds_the_readers_part_alone(divided: Driver) -> None:
    mine, table = _mine(divided), divided.desk.table
    assert 0 < len(mine) < len(table.scans())
    assert _listed(divided) == mine
    assert set(table.undecided_ids()) == mine
    assert divided.scan_id() in mine
    counts = table.counts()
    assert (counts.total, counts.others) == (len(mine), len(table.scans()) - len(mine))
    divided.until(lambda: f"Your part: {len(mine)} of {len(table.scans())}" in divided.status())


def test_all_of_the_part_is_decided_and_nothing_else_comes(divided: Driver) -> None:
    mine = _mine(divided)
    for _ in mine:
        divided.decide(Qt.Key.Key_1)
    session = divided.desk.library.session
    assert session is not None
    assert set(session.standing) == mine
    assert divided.desk.table.counts().decided == len(mine)
    assert divided.desk.table.next_to_do(None) is None


def test_other_parts_can_be_looked_at(divided: Driver) -> None:
    shown = divided.desk.window.queue._show
    assert shown.itemText(0) == strings.MY_PART
    shown.setCurrentIndex(shown.findData(Show.OTHERS))
    assert _listed(divided) == set(divided.desk.table.scans()) - _mine(divided)


def test_scans_are_divided_and_joined_again_in_the_dialog(desk: Driver, project: Path) -> None:
    session = desk.desk.library.session
    assert session is not None
    everything = _listed(desk)
    for names in (f"{session.reader}, bo, cy", ""):
        desk.desk.actions.asked.emit(Command.RULES)
        dialog = desk.desk.window.findChildren(RulesDialog)[-1]
        assert isinstance(dialog, RulesDialog)
        dialog.divided.setText("bo, Bo")
        assert "different names" in dialog.problem
        assert not dialog.ok.isEnabled()
        dialog.divided.setText(names)
        dialog.shared.setValue(0)
        dialog.accept()
        desk.until(lambda: (len(_listed(desk)) < len(everything)) is bool(names))  # noqa: B023
        with Project.open(project, read_only=True) as other:
            assert len(readings.division(other).readers) == (3 if names else 0)
    assert _listed(desk) == everything


def test_scans_that_are_added_fall_to_somebody_too(divided: Driver) -> None:
    table, before = divided.desk.table, divided.desk.table.scans()
    last = max(before)
    more = (
        replace(before[last], id=last + number, patient=f"p{number}") for number in range(1, 40)
    )
    longer = ScanList.of([*before.values(), *more])
    table.extend(longer)
    assert _listed(divided) == _mine(divided)
    assert last + 1 < max(_listed(divided))


def _divide(desk: Driver, names: str) -> None:
    desk.desk.actions.asked.emit(Command.RULES)
    dialog = desk.desk.window.findChildren(RulesDialog)[-1]
    assert isinstance(dialog, RulesDialog)
    dialog.divided.setText(names)
    dialog.accept()


def test_all_scans_show_again_where_other_parts_were_looked_at(divided: Driver) -> None:
    shown = divided.desk.window.queue._show
    shown.setCurrentIndex(shown.findData(Show.OTHERS))
    _divide(divided, "")
    divided.until(lambda: shown.findData(Show.OTHERS) < 0)
    assert shown.currentData() == Show.ALL
    assert _listed(divided) == set(divided.desk.table.scans())


def test_a_scan_of_another_part_is_decided_and_undone_and_left(divided: Driver) -> None:
    mine, table = _mine(divided), divided.desk.table
    other = next(scan_id for scan_id in table.scans() if scan_id not in mine)
    divided.desk.review.show(other)
    divided.decide(Qt.Key.Key_1)
    assert divided.scan_id() in mine
    assert table.counts().decided == 0  # of the reader's part
    with divided.bot.waitSignal(divided.desk.review.saved):
        divided.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert divided.scan_id() == other
    assert _listed(divided) == mine
    below = [scan_id for scan_id in sorted(mine) if scan_id > other]
    divided.desk.review.step(1 if below else -1)
    assert divided.scan_id() == (below[0] if below else max(mine))


def test_a_part_that_changes_comes_in_the_order_that_was_chosen(divided: Driver) -> None:
    divided.desk.actions.action(Command.INSTRUCTIVE).trigger()
    divided.until(lambda: divided.desk.table.is_ordered)
    with divided.bot.waitSignal(divided.desk.ordering.reordered):
        _divide(divided, "")


def test_one_reader_alone_divides_nothing_and_is_told_so(desk: Driver) -> None:
    _divide(desk, "bo; cy")
    desk.until(lambda: "takes two readers" in desk.status())
    assert desk.desk.table.counts().others == 0
