"""The engine looks at all scans behind the reader, and the queue brings what teaches most."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.models.commands import Command
from nearl_core.control import RunControl
from nearl_core.store.project import Project
from nearl_core.types import EngineInfo, NewDecision, Ranking, Scan, State, Verdict
from tests.app.driving import Driver, stop
from tests.app.fakes import FakeEngine

ALL = set(range(1, 10))
LOOKING = "Looking at all scans"


def _ids(desk: Driver) -> list[int | None]:
    return [desk.desk.table.id_at(row) for row in range(9)]


def _order_by_what_teaches(desk: Driver) -> None:
    with desk.bot.waitSignal(desk.desk.ordering.reordered):
        desk.desk.actions.action(Command.INSTRUCTIVE).trigger()


def test_every_scan_is_looked_at_though_the_reader_went_to_none(desk: Driver) -> None:
    desk.until(lambda: desk.engines[-1]._seen == ALL)
    desk.until(lambda: LOOKING not in desk.status())


def test_how_far_it_is_stands_in_the_status_bar(
    driver: Driver, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, rank = threading.Event(), FakeEngine.rank

    def slowly(engine: FakeEngine, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        if len(engine._seen) > 6:
            assert go_on.wait(20)
        return rank(engine, scans, control)

    monkeypatch.setattr(FakeEngine, "rank", slowly)
    driver.open(project)
    driver.until(lambda: f"{LOOKING}: " in driver.status() and " of 9" in driver.status())
    go_on.set()
    driver.until(lambda: LOOKING not in driver.status())


def test_it_rests_where_the_reader_wants_no_such_work(driver: Driver, project: Path) -> None:
    keeper = driver.desk.keeper
    keeper.change_desk(replace(keeper.desk, survey=False))
    driver.open(project)
    driver.decide(Qt.Key.Key_1)
    driver.until(lambda: driver.desk.suggestions.ranking(driver.scan_id()) is not None)
    assert driver.engines[-1]._seen < ALL
    keeper.change_desk(replace(keeper.desk, survey=True))
    driver.until(lambda: driver.engines[-1]._seen == ALL)


def test_scans_that_teach_nothing_are_not_looked_at_to_learn_from(
    driver: Driver, project: Path
) -> None:
    keeper = driver.desk.keeper
    keeper.change_desk(replace(keeper.desk, survey=False))
    with Project.open(project) as there:
        there.record(NewDecision(8, "ann", Verdict(State.NONE_APPLY)))
        there.record(NewDecision(9, "ann", Verdict(State.LABELLED, ("disc",))))
    driver.open(project)
    driver.until(lambda: 9 in driver.engines[-1]._seen)
    assert 8 not in driver.engines[-1]._seen


def test_another_version_looks_at_all_scans_anew(desk: Driver) -> None:
    engine = desk.engines[-1]
    desk.until(lambda: engine._seen == ALL)
    engine._seen.clear()
    desk.desk.suggestions.use_version(None, ())
    desk.until(lambda: engine._seen == ALL)


def test_scans_that_are_added_later_are_looked_at_too(
    desk: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    desk.until(lambda: desk.engines[-1]._seen == ALL)
    more = tmp_path / "more"
    more.mkdir()
    for path in sorted(scan_folder.rglob("*.png"))[:2]:
        (more / path.name).write_bytes(path.read_bytes() + b"another")
    with desk.bot.waitSignal(desk.desk.library.adding.added, timeout=20_000):
        desk.desk.library.adding.add((more,))
    desk.until(lambda: desk.engines[-1]._seen > ALL)


def test_the_scan_on_screen_stands_first_and_what_teaches_most_comes_next(desk: Driver) -> None:
    for _ in range(3):
        desk.press(Qt.Key.Key_Down)
    here = desk.scan_id()
    _order_by_what_teaches(desk)  # the fake engine's order is the last first
    wanted = [here, *sorted(ALL - {here}, reverse=True)]
    assert _ids(desk) == wanted
    assert desk.desk.window.queue.marked == here
    desk.decide(Qt.Key.Key_1)
    assert desk.scan_id() == wanted[1]


def test_after_each_of_the_first_decisions_the_order_is_a_new_one(desk: Driver) -> None:
    _order_by_what_teaches(desk)
    for _ in range(2):
        desk.decide(Qt.Key.Key_1)
        desk.until(lambda: _ids(desk)[0] == desk.scan_id())


def test_the_order_is_kept_for_the_next_project_and_the_next_start(
    desk: Driver, project: Path, start: Callable[[], Driver]
) -> None:
    _order_by_what_teaches(desk)
    stop(desk)
    again = start()
    with again.bot.waitSignal(again.desk.ordering.reordered):
        again.open(project)
    assert again.desk.actions.action(Command.INSTRUCTIVE).isChecked()


def test_decided_scans_whose_features_are_kept_are_not_ranked_again(
    driver: Driver, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(project) as made:
        for scan_id in range(2, 10):
            decided = Verdict(State.LABELLED, (made.label_set().ids[scan_id % 2],))
            made.record(NewDecision(scan_id, "a-colleague", decided))
    ranked, rank = set[int](), FakeEngine.rank

    def noted(engine: FakeEngine, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        ranked.update(scan.id for scan in scans)
        return rank(engine, scans, control)

    def with_kept(engine: FakeEngine, control: RunControl) -> EngineInfo:
        engine._seen = set(ALL - {9})
        return load(engine, control)

    load = FakeEngine.load
    monkeypatch.setattr(FakeEngine, "load", with_kept)
    monkeypatch.setattr(FakeEngine, "rank", noted)
    keeper = driver.desk.keeper
    keeper.change_desk(replace(keeper.desk, survey=False))
    driver.open(project)
    driver.until(lambda: "from 8 decisions" in driver.desk.window.ranking.panel.source)
    assert 9 in ranked
    assert not ranked & {6, 7, 8}
