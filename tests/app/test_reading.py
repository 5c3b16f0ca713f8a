"""Several readers: second reads, rules, agreement, adjudication."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QTreeWidget

from app.models.commands import Command
from app.strings import reading_words
from app.views.dialogs.readers import ReadersDialog
from app.views.dialogs.rules import RulesDialog
from nearl_core.store import readings
from nearl_core.store.project import Project
from nearl_core.types import (
    Division,
    NewDecision,
    Occasion,
    ReadingRules,
    Shown,
    State,
    Verdict,
)
from tests.app.driving import Driver, history, stop

Dialog = TypeVar("Dialog", bound=QDialog)
CTRL = Qt.KeyboardModifier.ControlModifier


# --- second reads ------------------------------------------------------------------------------


@pytest.fixture
def second(start: Callable[[], Driver], project: Path) -> Driver:
    """A desk of a second reader; the first one decided three scans, with a note on one."""
    with Project.open(project) as opened:
        for scan_id, label in ((1, "disc"), (2, "disc"), (3, "stripes")):
            verdict = Verdict(State.LABELLED, (label,), note="by the first")
            opened.record(NewDecision(scan_id, "first", verdict))
    driver = start()
    driver.desk.keeper.change(replace(driver.desk.keeper.settings, reader="second"))
    driver.open(project)
    return driver


def test_a_second_reader_sees_nothing_of_the_first(second: Driver) -> None:
    desk = second.desk
    assert second.scan_id() == 1
    assert "0 of 9 decided" in second.status()
    assert all(desk.table.detail(scan_id) == "Unlabelled" for scan_id in range(1, 10))
    second.until(lambda: bool(getattr(desk.suggestions.ranking(1), "labels", ())))
    panel = desk.window.ranking.panel
    assert (panel.note, panel.state) == ("", State.UNSEEN)
    assert all(line.probability is None for line in panel.lines)
    assert "Another reader decided this scan" in panel.notice
    second.press(Qt.Key.Key_S)
    second.until(lambda: desk.suggestions.ranking(2) is not None)
    assert desk.window.scan.compare.texts()[0] == ""


def test_what_a_reader_decided_in_a_table_hides_the_suggestion_and_a_source_does_not(
    start: Callable[[], Driver], project: Path
) -> None:
    with Project.open(project) as opened:
        readings.keep_source(opened, "registry")
        for scan_id, who in ((5, "third"), (6, "registry")):
            verdict = Verdict(State.LABELLED, ("disc",))
            opened.record(NewDecision(scan_id, who, verdict, shown=Shown.IMPORTED))
        opened.record(NewDecision(7, "third", Verdict(State.DEFERRED)))
    desk = start()
    desk.open(project)
    for scan_id in (6, 7):
        desk.desk.review.show(scan_id)
        desk.until(lambda: desk.desk.window.ranking.panel.lines[0].suggested)
    desk.desk.review.show(5)
    panel = desk.desk.window.ranking.panel
    assert "Another reader decided this scan" in panel.notice
    assert not panel.lines[0].suggested


def test_a_scan_that_only_this_reader_read_shows_its_suggestion(second: Driver) -> None:
    second.desk.review.show(5)
    second.until(lambda: second.desk.window.ranking.panel.lines[0].suggested)
    assert "others' too" in second.desk.window.ranking.panel.source


def test_both_readers_decisions_are_kept(second: Driver, project: Path) -> None:
    second.until(lambda: bool(getattr(second.desk.suggestions.ranking(1), "labels", ())))
    second.decide(Qt.Key.Key_2)
    assert second.scan_id() == 2  # no suggestion is held against the own call
    second.press(Qt.Key.Key_Left)
    assert all(line.probability is None for line in second.desk.window.ranking.panel.lines)
    stop(second)
    with Project.open(project, read_only=True) as other:
        found = {one.reader: one.verdict.labels for one in other.standing() if one.scan_id == 1}
    assert found == {"first": ("disc",), "second": ("stripes",)}


# --- rules, agreement, adjudication ------------------------------------------------------------


def dialog_of(desk: Driver, kind: type[Dialog], command: Command) -> Dialog:
    desk.desk.actions.action(command).trigger()
    return desk.desk.window.findChildren(kind)[-1]


def test_rules_are_chosen_in_a_dialog_and_hold_at_once(desk: Driver, project: Path) -> None:
    desk.decide(Qt.Key.Key_1)
    desk.until(lambda: desk.desk.window.ranking.panel.lines[0].suggested)
    desk.decide(Qt.Key.Key_1)
    unseen = desk.desk.table.undecided_ids()[-1]
    dialog = dialog_of(desk, RulesDialog, Command.RULES)
    dialog.blind_first.setChecked(True)
    dialog.repeats.setValue(10)
    dialog.accept()
    session = desk.desk.library.session
    assert session is not None
    desk.until(lambda: session.rules.blind_first)
    desk.desk.review.show(unseen)
    assert "Decide first" in desk.desk.window.ranking.panel.notice
    with Project.open(project, read_only=True) as other:
        assert readings.rules(other) == ReadingRules(blind_first=True, repeats=0.1)


@pytest.mark.parametrize(("set_to", "kept"), [(None, 0.004), (3, 0.03)])
def test_a_part_of_a_percent_stays_unless_it_is_changed(
    desk: Driver, set_to: int | None, kept: float
) -> None:
    dialog = RulesDialog(desk.desk.window, ReadingRules(repeats=0.004), Division())
    if set_to is not None:
        dialog.repeats.setValue(set_to)
    assert dialog.rules == ReadingRules(repeats=kept)


@pytest.fixture
def disagreeing(start: Callable[[], Driver], project: Path) -> Driver:
    """A desk of a third reader; two others differ on the scans 2 and 3 of four."""
    with Project.open(project) as opened:
        for reader, labels in (
            ("ann", ("disc", "disc", "disc", "stripes")),
            ("bob", ("disc", "stripes", "other", "stripes")),
        ):
            for scan_id, label in enumerate(labels, start=1):
                verdict = Verdict(State.LABELLED, (label,), note="edge" if scan_id == 2 else "")
                opened.record(NewDecision(scan_id, reader, verdict))
    driver = start()
    driver.desk.keeper.change(replace(driver.desk.keeper.settings, reader="third"))
    driver.open(project)
    return driver


def rows(table: QTreeWidget) -> list[list[str]]:
    found = [table.topLevelItem(place) for place in range(table.topLevelItemCount())]
    return [[item.text(c) for c in range(table.columnCount())] for item in found if item]


def test_readers_are_counted_and_what_they_said_shows_when_asked(disagreeing: Driver) -> None:
    dialog = dialog_of(disagreeing, ReadersDialog, Command.READERS)
    disagreeing.until(lambda: bool(rows(dialog.readers)))
    assert [row[:2] for row in rows(dialog.readers)] == [["ann", "4"], ["bob", "4"]]
    ((readers, scans, alike, kappa),) = rows(dialog.agreement)
    assert (readers, scans, alike) == ("ann – bob", "4", "50 %")
    assert kappa.startswith("0.")
    assert "2 scans, 2 not settled" in dialog.summary.text()
    first = dialog.readers.topLevelItem(0)
    assert first is not None
    assert first.textAlignment(1) & Qt.AlignmentFlag.AlignRight
    # Qt centres what says nothing of its place, so that names stand level with numbers.
    assert first.data(0, Qt.ItemDataRole.TextAlignmentRole) is None
    assert not dialog.disagreements.isVisible()
    dialog.show_said.click()
    assert dialog.disagreements.isVisible()
    assert "ann: Disc   bob: Stripes" in rows(dialog.disagreements)[0]
    disagreeing.bot.keyClick(dialog.disagreements, Qt.Key.Key_Down)
    disagreeing.bot.keyClick(dialog.disagreements, Qt.Key.Key_Return)
    assert disagreeing.scan_id() == 3  # Enter adjudicates from the chosen one on
    assert "Readers disagree" in disagreeing.desk.window.ranking.panel.notice


def test_adjudication_shows_both_calls_and_goes_from_one_to_the_next(
    disagreeing: Driver, project: Path
) -> None:
    dialog = dialog_of(disagreeing, ReadersDialog, Command.READERS)
    disagreeing.until(lambda: bool(rows(dialog.readers)))
    dialog.show_said.click()
    dialog.adjudicate.click()
    assert disagreeing.scan_id() == 2
    panel = disagreeing.desk.window.ranking.panel
    assert "ann: Disc “edge”\nbob: Stripes “edge”" in panel.notice
    assert panel.state is State.UNSEEN
    # What is suggested here echoes neither reader, but is learned from other scans alone.
    told = "from 6 decisions, others' too"
    disagreeing.until(lambda: disagreeing.desk.window.ranking.panel.source.endswith(told))
    said = disagreeing.desk.window.ranking.panel.lines
    assert [line.probability for line in said] == pytest.approx([4 / 9, 3 / 9, 2 / 9])
    disagreeing.decide(Qt.Key.Key_2)
    assert disagreeing.scan_id() == 3
    disagreeing.press(Qt.Key.Key_Space)  # it stays open, and nothing is recorded
    assert disagreeing.scan_id() == 4
    assert reading_words.SETTLED in disagreeing.status()
    disagreeing.decide(Qt.Key.Key_2)  # an ordinary decision again
    settled, last = history(project, 2)[-1], history(project, 3)[-1]
    assert (settled.occasion, settled.reader) == (Occasion.ADJUDICATION, "third")
    assert settled.verdict.labels == ("stripes",)
    assert last.reader == "bob"
    dialog = dialog_of(disagreeing, ReadersDialog, Command.READERS)
    disagreeing.until(lambda: "1 not settled" in dialog.summary.text())
    assert [row[2] for row in rows(dialog.disagreements)] == ["", "Stripes, third"]
    dialog.reject()


def test_going_elsewhere_ends_the_adjudication(disagreeing: Driver, project: Path) -> None:
    dialog = dialog_of(disagreeing, ReadersDialog, Command.READERS)
    disagreeing.until(lambda: bool(rows(dialog.readers)))
    dialog.show_said.click()
    dialog.adjudicate.click()
    disagreeing.desk.review.show(6)
    disagreeing.decide(Qt.Key.Key_1)
    assert history(project, 6)[-1].occasion is Occasion.SINGLE
    assert disagreeing.desk.window.ranking.panel.notice.find("ann") == -1


def adjudicating(desk: Driver) -> None:
    """The scan 2 is on screen, to be adjudicated."""
    dialog = dialog_of(desk, ReadersDialog, Command.READERS)
    desk.until(lambda: bool(rows(dialog.readers)))
    dialog.show_said.click()
    dialog.adjudicate.click()
    assert desk.scan_id() == 2


def test_an_adjudication_that_is_taken_back_can_be_made_anew(
    disagreeing: Driver, project: Path
) -> None:
    adjudicating(disagreeing)
    disagreeing.decide(Qt.Key.Key_2)  # the wrong key
    disagreeing.decide(Qt.Key.Key_Z, CTRL)
    assert disagreeing.scan_id() == 2
    assert "ann: Disc" in disagreeing.desk.window.ranking.panel.notice
    disagreeing.decide(Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert disagreeing.scan_id() == 3  # it stands again, and the round goes on
    assert "ann: Disc" in disagreeing.desk.window.ranking.panel.notice
    disagreeing.decide(Qt.Key.Key_Z, CTRL)
    assert disagreeing.scan_id() == 2
    disagreeing.decide(Qt.Key.Key_1)
    last = history(project, 2)[-1]
    assert (last.occasion, last.verdict.labels) == (Occasion.ADJUDICATION, ("disc",))
    assert disagreeing.scan_id() == 3  # the round goes on
    assert "ann: Disc" in disagreeing.desk.window.ranking.panel.notice


def test_what_readers_said_hides_no_label(disagreeing: Driver) -> None:
    adjudicating(disagreeing)
    disagreeing.desk.window.resize(1024, 660)
    disagreeing.until(lambda: disagreeing.desk.window.height() == 660)
    ranking = disagreeing.desk.window.ranking
    assert "ann: Disc" in ranking.panel.notice
    disagreeing.desk.review.blockSignals(True)  # a ranking that comes would say it all again
    labels = ranking.rows()
    for others in ("ann: Disc", "ann: Disc\nbob: Dots\ncid: Disc\ndan: Dots", ""):
        ranking.show_panel(replace(ranking.panel, notice=others))
        disagreeing.until(
            lambda: all(one.visibleRegion().boundingRect() == one.rect() for one in labels)
        )


def test_a_note_on_an_adjudicated_scan_leaves_it_adjudicated(
    disagreeing: Driver, project: Path
) -> None:
    adjudicating(disagreeing)
    disagreeing.decide(Qt.Key.Key_2)
    disagreeing.desk.review.show(2)
    disagreeing.decide(Qt.Key.Key_F)
    last = history(project, 2)[-1]
    assert (last.occasion, last.verdict.flagged) == (Occasion.ADJUDICATION, True)
    with Project.open(project, read_only=True) as other:
        found = readings.readings(other)
    assert [one.scan_id for one in found.adjudications] == [2]
    assert "third" not in {one.reader for one in found.reads}
