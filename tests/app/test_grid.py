"""Batch review: scans that the model is sure of, accepted together and logged one by one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.controllers import batch
from app.models.commands import Command
from app.models.sure import sure_of
from app.strings import grid_words
from app.views.dialogs.grid import GridDialog
from nearl_core import labels_file
from nearl_core.store import readings
from nearl_core.store.project import Project
from nearl_core.types import (
    Label,
    LabelProbability,
    LabelSet,
    Occasion,
    Ranking,
    ReadingRules,
    Shown,
    State,
    Verdict,
)
from tests.app.driving import WAIT_MS, Driver, make_project

STRIPES = Verdict(State.LABELLED, ("stripes",))
CTRL = Qt.KeyboardModifier.ControlModifier


def ranked(scan_id: int, *entries: tuple[str, float], unlike: bool = False) -> Ranking:
    labels = tuple(LabelProbability(*entry) for entry in entries)
    return Ranking(scan_id, "frozen", 9, labels, unlike=unlike)


def test_the_surest_come_first_by_label_and_the_unlike_do_not_come() -> None:
    labels = labels_file.from_names(["A", "B"])
    found = sure_of(
        [
            ranked(1, ("a", 0.96), ("b", 0.04)),
            ranked(2, ("a", 0.99), ("b", 0.01)),
            ranked(3, ("b", 0.97), ("a", 0.03)),
            ranked(4, ("a", 0.9), ("b", 0.1)),
            ranked(5, ("a", 0.99), ("b", 0.01), unlike=True),
            ranked(6),
        ],
        labels,
        bar=0.95,
    )
    assert by_suggestion(found) == [(("a",), [2, 1]), (("b",), [3])]


def by_suggestion(
    found: dict[Verdict, tuple[Ranking, ...]],
) -> list[tuple[tuple[str, ...], list[int]]]:
    return [(offer.labels, [one.scan_id for one in group]) for offer, group in found.items()]


def test_of_several_labels_each_must_be_surely_there_or_absent() -> None:
    a, b = labels_file.from_names(["A", "B"]).labels
    labels = LabelSet((a, b, Label("k", "Kind", parent="a")), multi_label=True)
    found = sure_of(
        [
            ranked(1, ("a", 0.98), ("b", 0.3), ("k", 0.01)),
            ranked(2, ("a", 0.98), ("b", 0.02), ("k", 0.01)),
            ranked(3, ("a", 0.97), ("b", 0.02), ("k", 0.96)),
            ranked(4, ("k", 0.97), ("b", 0.99), ("a", 0.2)),  # what implies it makes it as sure
            ranked(5, ("a", 0.98), ("k", 0.6), ("b", 0.01)),
            ranked(6, ("a", 0.03), ("b", 0.02), ("k", 0.01)),
            ranked(7, ("a", 0.03), ("b", 0.02)),  # nothing is known of k
        ],
        labels,
        bar=0.95,
    )
    assert by_suggestion(found) == [(("a",), [2]), (("b", "k"), [4]), (("k",), [3]), ((), [6])]


@pytest.fixture
def grid(desk: Driver) -> GridDialog:
    """The dialog over a desk whose model says stripes after three decisions, with 67 %."""
    for _ in range(3):
        desk.decide(Qt.Key.Key_2)
    dialog = show(desk)
    dialog.bar.setValue(60)
    desk.until(lambda: len(dialog.page.ids(ticked=True)) == 6)
    return dialog


def show(desk: Driver) -> GridDialog:
    desk.desk.actions.action(Command.GRID).trigger()
    return desk.desk.window.findChildren(GridDialog)[-1]


def recorded(desk: Driver, press: object) -> None:
    with desk.bot.waitSignal(desk.desk.reading.batch.recorded, timeout=WAIT_MS):
        press()  # type: ignore[operator]


def test_a_page_is_accepted_but_for_what_was_taken_out(
    desk: Driver, grid: GridDialog, project: Path
) -> None:
    cells = grid.page.cells
    desk.bot.mouseClick(cells[1], Qt.MouseButton.LeftButton)
    cells[0].setFocus()
    desk.bot.keyClick(cells[0], Qt.Key.Key_Right)
    desk.bot.keyClick(cells[1], Qt.Key.Key_Right)
    desk.bot.keyClick(cells[2], Qt.Key.Key_Space)
    out = {cells[1].cell.scan_id, cells[2].cell.scan_id}  # type: ignore[union-attr]
    assert set(grid.page.ids(ticked=False)) == out
    assert grid.ok.text() == "Accept 4 as Stripes"
    ids = grid.page.ids(ticked=True)
    recorded(desk, lambda: desk.bot.keyClick(grid, Qt.Key.Key_Return))
    with Project.open(project, read_only=True) as other:
        kept = {one.scan_id: one for one in other.standing() if one.occasion is Occasion.GRID}
    assert set(kept) == set(ids)
    for scan_id, decision in kept.items():
        assert decision.verdict.labels == ("stripes",)
        assert decision.shown is Shown.VISIBLE
        assert decision.ranking is not None
        assert decision.ranking.labels[0].label_id == "stripes"
        assert decision.frames_shown == (desk.desk.table.scans()[scan_id].frames // 2,)
    desk.until(lambda: grid.empty.text() == grid_words.NONE_OF_LABEL)
    assert grid.label.currentText().startswith(
        "Stripes"
    )  # no other label comes by itself under the same key
    assert not grid.page.ids(ticked=True)  # what was taken out does not come back
    grid.reject()
    assert all(desk.desk.table.verdict(scan_id).state is State.UNSEEN for scan_id in out)
    assert desk.scan_id() in out  # the desk goes on with what is left


def test_a_page_of_several_labels_is_accepted_as_it_is_suggested(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    labels = labels_file.from_argument("Disc,Stripes,Other", multi_label=True)
    project = make_project(tmp_path / "multi.nearl", scan_folder, labels)
    driver.open(project)
    driver.press(Qt.Key.Key_1)
    driver.press(Qt.Key.Key_3)
    driver.decide(Qt.Key.Key_Return)
    dialog = show(driver)
    dialog.bar.setValue(60)
    driver.until(lambda: len(dialog.page.ids(ticked=True)) == 8)
    assert dialog.ok.text() == "Accept 8 as Disc, Other"
    recorded(driver, dialog.ok.click)
    dialog.reject()
    with Project.open(project, read_only=True) as other:
        kept = [one for one in other.standing() if one.occasion is Occasion.GRID]
    assert {one.verdict.labels for one in kept} == {("disc", "other")}
    assert {one.ranking.suggested for one in kept if one.ranking} == {("disc", "other")}


def test_a_page_says_of_which_labels_nothing_is_known(desk: Driver) -> None:
    desk.engines[-1].notice = "Nothing is known yet of: Other."
    for _ in range(3):
        desk.decide(Qt.Key.Key_2)
    dialog = show(desk)
    dialog.bar.setValue(60)
    desk.until(lambda: len(dialog.page.ids(ticked=True)) == 6)
    assert "Nothing is known yet of: Other. What you accept says" in dialog.hint.text()
    dialog.reject()


def test_the_last_page_is_taken_back_as_a_whole(desk: Driver, grid: GridDialog) -> None:
    assert not grid.back.isEnabled()
    recorded(desk, grid.ok.click)
    desk.until(grid.back.isEnabled)
    assert "9 of 9 decided" in desk.status()
    with desk.bot.waitSignal(desk.desk.reading.batch.taken_back, timeout=WAIT_MS):
        grid.back.click()
    assert "3 of 9 decided" in desk.status()
    assert not grid.back.isEnabled()
    desk.until(lambda: len(grid.page.ids(ticked=True)) == 6)
    grid.reject()


def test_a_page_that_is_being_saved_is_not_taken_back_for_the_one_before(
    desk: Driver, grid: GridDialog
) -> None:
    review = desk.desk.reading.batch
    sure = review.sure(0.6)[STRIPES]
    recorded(desk, lambda: review.accept(sure[:2], ()))

    def too_soon() -> None:
        review.accept(sure[2:5], ())
        review.take_back()

    recorded(desk, too_soon)
    assert "8 of 9 decided" in desk.status()
    with desk.bot.waitSignal(review.taken_back, timeout=WAIT_MS):
        review.take_back()
    assert "5 of 9 decided" in desk.status()
    grid.reject()


def test_what_comes_too_late_does_not_come_into_the_next_sitting(
    desk: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    review, session = desk.desk.reading.batch, desk.desk.library.session
    assert session is not None
    late: list[Callable[[list[Ranking]], None]] = []
    monkeypatch.setattr(
        desk.desk.suggestions, "survey", lambda _scans, *, done, **_how: late.append(done)
    )
    review.begin(session)
    review.end()
    review.begin(session)
    late[0]([ranked(1, ("stripes", 0.99))])
    assert not review.sure(0.5)
    late[1]([ranked(1, ("stripes", 0.99))])
    assert STRIPES in review.sure(0.5)
    review.end()


def test_a_page_and_its_count_agree_while_more_scans_are_ranked(
    desk: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        desk.decide(Qt.Key.Key_2)
    ranking: list[Callable[[list[Ranking]], None]] = []
    monkeypatch.setattr(
        desk.desk.suggestions, "survey", lambda _scans, *, done, **_how: ranking.append(done)
    )
    dialog = show(desk)
    dialog.bar.setValue(60)  # what learns meanwhile says two thirds and more of these scans
    ids = desk.desk.table.undecided_ids()

    def come(*scans: int) -> tuple[str, int, str]:
        ranking[0]([ranked(ids[n], ("stripes", 0.99)) for n in scans])
        return now()

    def now() -> tuple[str, int, str]:
        shown = dialog.page.ids(ticked=True) + dialog.page.ids(ticked=False)
        return dialog.label.currentText(), len(shown), dialog.looked.text()

    assert come(0, 1) == ("Stripes   2 scans", 2, "2 of 6 scans looked at.")
    more = "5 of 6 scans looked at. 3 more of this label for the next page."
    assert come(2, 3, 4) == ("Stripes   2 scans", 2, more)
    recorded(desk, dialog.ok.click)
    assert now()[:2] == ("Stripes   3 scans", 3)
    assert "next page" not in now()[2]
    come(5)
    assert "1 more of this label" in now()[2]
    dialog.bar.setValue(62)  # another choice is another page, with all that has come
    assert now() == ("Stripes   4 scans", 4, "6 of 6 scans looked at.")
    dialog.reject()


def test_undo_on_the_desk_takes_back_one_by_one(desk: Driver, grid: GridDialog) -> None:
    recorded(desk, grid.ok.click)
    grid.reject()
    desk.decide(Qt.Key.Key_Z, CTRL)
    assert "8 of 9 decided" in desk.status()


def test_pictures_come_into_their_cells(desk: Driver, grid: GridDialog) -> None:
    desk.until(lambda: not grid.page.cells[0]._picture.isNull())
    grid.reject()


def test_a_higher_bar_leaves_fewer(grid: GridDialog) -> None:
    grid.bar.setValue(99)
    assert not grid.page.ids(ticked=True)
    assert not grid.ok.isEnabled()
    assert grid.empty.text() == grid_words.NONE_OF_LABEL
    grid.reject()


def test_where_nothing_is_sure_no_empty_choice_stands(desk: Driver) -> None:
    dialog = show(desk)
    assert dialog.label.isHidden()
    desk.until(lambda: dialog.empty.text() == grid_words.NONE)
    assert dialog.label.isHidden()
    dialog.reject()


def test_a_project_that_is_read_blind_has_no_grid(driver: Driver, project: Path) -> None:
    with Project.open(project) as opened:
        readings.save_rules(opened, ReadingRules(blind_first=True))
    driver.open(project)
    driver.desk.actions.action(Command.GRID).trigger()
    assert not driver.desk.window.findChildren(GridDialog)
    assert grid_words.BLIND in driver.status()


def test_of_very_many_scans_chance_takes_some(
    desk: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MOST", 2)
    desk.decide(Qt.Key.Key_2)
    desk.press(Qt.Key.Key_F)  # flagged, so deferred: it is not for a grid
    dialog = show(desk)
    desk.until(lambda: desk.desk.reading.batch.looked == (2, 2))
    assert "2 of 2 scans looked at" in dialog.looked.text()
    dialog.reject()
