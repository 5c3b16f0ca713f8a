"""The queue follows the filter, and nothing jumps away under the reader's hand."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.models.scan_rows import ScanRows
from app.models.scan_table import ScanTable, Show
from nearl_core.dividing import Part
from nearl_core.scan_list import ScanList
from nearl_core.types import UNSEEN, Scan, State, Verdict

DISC = Verdict(State.LABELLED, ("disc",))


def scan(number: int, problem: str = "") -> Scan:
    return Scan(number, Path(f"/data/scan-{number}.png"), problem=problem)


@pytest.fixture
def table() -> ScanTable:
    made = ScanTable()
    # Complains of every model that tells its views something else than it shows.
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    made.fill(ScanList.of(map(scan, range(1, 7))), {}, None)
    made.set_filter(Show.TO_DO, "")
    return made


def shown(table: ScanTable) -> list[int | None]:
    return [table.id_at(row) for row in range(table.rowCount())]


def test_a_decided_scan_stays_while_it_is_on_screen_and_leaves_after(table: ScanTable) -> None:
    table.set_current(2)
    table.set_verdict(2, DISC)
    assert shown(table) == [1, 2, 3, 4, 5, 6]
    table.set_current(3)
    assert shown(table) == [1, 3, 4, 5, 6]
    assert table.counts().visible == 5


def test_an_undone_decision_brings_its_scan_back_to_its_place(table: ScanTable) -> None:
    for number in (2, 3):
        table.set_verdict(number, DISC)
    assert shown(table) == [1, 4, 5, 6]
    table.set_verdict(3, UNSEEN)
    assert shown(table) == [1, 3, 4, 5, 6]


def test_new_scans_come_in_as_the_filter_says(table: ScanTable) -> None:
    table.extend(table.scans().with_scans([scan(7), scan(8, problem="broken"), scan(9)]))
    assert shown(table) == [1, 2, 3, 4, 5, 6, 7, 9]
    assert table.counts().total == 9


def test_scans_that_are_added_cost_the_same_however_many_there_are() -> None:
    """Each batch of an adding comes to the thread of the window."""
    asked = list[bytes]()

    class Counting(Part):
        def holds(self, patients: Iterable[bytes]) -> NDArray[np.bool_]:
            asked.extend(now := list(patients))
            return super().holds(now)

    rows = ScanRows(ScanList.of(map(scan, range(1, 100))), part=Counting(0, 2, 0.0))
    asked.clear()
    rows.append(rows.extend(rows.scans.with_scans([scan(100), scan(101)])))
    assert len(asked) == 2


def test_from_a_hidden_scan_the_queue_goes_on_where_it_would_be(table: ScanTable) -> None:
    table.set_verdict(3, DISC)
    assert table.neighbours(3, (-2, -1, 1, 2)) == [1, 2, 4, 5]
    table.set_order([5, 2])
    assert table.neighbours(3, (-1, 1, 2)) == [5, 2]


def test_the_order_holds_within_the_filter(table: ScanTable) -> None:
    table.set_order([5, 99, 2])
    assert shown(table) == [5, 2, 1, 3, 4, 6]
    assert table.next_to_do(6) == 5
    table.set_verdict(5, DISC)
    assert shown(table) == [2, 1, 3, 4, 6]


def test_deferred_scans_come_last(table: ScanTable) -> None:
    table.set_verdict(1, Verdict(State.DEFERRED))
    assert table.next_to_do(6) == 2
    for number in range(2, 7):
        table.set_verdict(number, DISC)
    assert table.next_to_do(6) == 1
    assert table.next_to_do(1) is None


def test_a_search_holds_for_labels_too(table: ScanTable) -> None:
    table.set_filter(Show.ALL, "disc")
    assert shown(table) == []
    table.set_verdict(4, DISC)
    assert shown(table) == [4]


@pytest.mark.parametrize("show", [Show.ALL, Show.TO_DO])
def test_a_disguised_scan_stands_before_another_and_goes_back(show: Show) -> None:
    made = ScanTable()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    noted = replace(DISC, note="said before", flagged=True)
    made.fill(ScanList.of(map(scan, range(1, 7))), {1: noted, 2: DISC, 3: DISC}, None)
    made.set_filter(show, "")
    before, counts = shown(made), made.counts()
    made.disguise(1, before=4)
    assert shown(made) == [*[i for i in before if i in (2, 3)], 1, 4, 5, 6]
    assert made.verdict(1) == UNSEEN
    row = made.row_of(1)
    assert row is not None
    assert made.data(made.index(row, 0), Qt.ItemDataRole.ToolTipRole) == "scan-1.png\nUnlabelled"
    assert (made.counts().decided, made.counts().flagged) == (counts.decided, counts.flagged)
    assert made.next_to_do(1) == 4
    made.disguise(2, before=4)  # one at a time
    assert made.verdict(1) == noted
    made.reveal()
    assert shown(made) == before
    assert made.verdict(2) == DISC


def test_decisions_of_scans_that_are_not_listed_are_left_out(table: ScanTable) -> None:
    flagged = replace(DISC, flagged=True)
    table.fill(ScanList.of(map(scan, (1, 3, 5))), {2: DISC, 3: flagged, 5: DISC, 9: DISC}, None)
    counts = table.counts()
    assert (counts.total, counts.decided, counts.flagged) == (3, 2, 1)
    assert [table.verdict(i) for i in (1, 2, 3)] == [UNSEEN, UNSEEN, flagged]
