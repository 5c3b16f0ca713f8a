"""Confidence and notes: what a reader adds to a decision."""

from pathlib import Path

from PySide6.QtCore import Qt

from app.models.scan_table import Show
from nearl_core.store.project import Project
from nearl_core.types import Confidence, State
from tests.app.driving import Driver

CTRL = Qt.KeyboardModifier.ControlModifier


def test_probable_and_unsure_mark_the_next_decision_and_give_way_to_each_other(
    desk: Driver,
) -> None:
    first = desk.scan_id()
    desk.press(Qt.Key.Key_P)
    assert desk.desk.window.ranking.panel.confidence is Confidence.PROBABLE
    desk.press(Qt.Key.Key_U)
    desk.press(Qt.Key.Key_P)
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(first).confidence is Confidence.PROBABLE
    second = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(second).confidence is Confidence.DEFINITE


def test_a_decided_scan_changes_its_confidence_at_once(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_Left)
    desk.decide(Qt.Key.Key_P)
    assert desk.scan_id() == first
    assert desk.desk.table.verdict(first).confidence is Confidence.PROBABLE
    desk.decide(Qt.Key.Key_P)
    assert desk.desk.table.verdict(first).confidence is Confidence.DEFINITE
    assert desk.desk.table.verdict(first).labels == ("disc",)


def type_note(desk: Driver, text: str) -> None:
    desk.press(Qt.Key.Key_E)
    desk.until(desk.desk.window.ranking.note.hasFocus)
    desk.bot.keyClicks(desk.desk.window.ranking.note, text)


def test_a_note_is_saved_with_enter_and_its_letters_decide_nothing(
    desk: Driver, project: Path
) -> None:
    first = desk.scan_id()
    type_note(desk, "n1 x, blurred")
    with desk.bot.waitSignal(desk.desk.review.saved):
        desk.bot.keyClick(desk.desk.window.ranking.note, Qt.Key.Key_Return)
    assert desk.scan_id() == first
    desk.decide(Qt.Key.Key_2)
    with Project.open(project, read_only=True) as other:
        before, after = other.history(first)
    assert (before.verdict.state, before.verdict.note) == (State.DEFERRED, "n1 x, blurred")
    assert (after.verdict.labels, after.verdict.note) == (("stripes",), "n1 x, blurred")
    assert desk.desk.window.ranking.note.text() == ""  # the next scan has none
    desk.press(Qt.Key.Key_Left)
    assert desk.desk.window.ranking.note.text() == "n1 x, blurred"


def test_a_note_that_is_typed_goes_with_the_label_that_is_clicked(desk: Driver) -> None:
    first = desk.scan_id()
    type_note(desk, "left edge")
    with desk.bot.waitSignal(desk.desk.review.saved):
        desk.bot.mouseClick(desk.desk.window.ranking.rows()[0], Qt.MouseButton.LeftButton)
    assert desk.desk.table.verdict(first).note == "left edge"
    assert desk.scan_id() != first
    desk.decide(Qt.Key.Key_1)  # the keys are the scan's again


def test_escape_forgets_what_was_typed(desk: Driver) -> None:
    first = desk.scan_id()
    type_note(desk, "no")
    desk.bot.keyClick(desk.desk.window.ranking.note, Qt.Key.Key_Escape)
    assert desk.desk.window.ranking.note.text() == ""
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(first).note == ""


def test_the_search_finds_a_scan_by_its_note(desk: Driver) -> None:
    first = desk.scan_id()
    type_note(desk, "Blurred at the edge")
    with desk.bot.waitSignal(desk.desk.review.saved):
        desk.bot.keyClick(desk.desk.window.ranking.note, Qt.Key.Key_Return)
    table = desk.desk.table
    table.set_filter(Show.ALL, "blurred")
    assert [table.id_at(row) for row in range(table.rowCount())] == [first]
    tip = table.data(table.index(0, 0), Qt.ItemDataRole.ToolTipRole)
    assert str(tip).endswith("Blurred at the edge")


def test_undo_takes_a_note_back(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_Left)
    type_note(desk, "see again")
    with desk.bot.waitSignal(desk.desk.review.saved):
        desk.bot.keyClick(desk.desk.window.ranking.note, Qt.Key.Key_Return)
    desk.decide(Qt.Key.Key_Z, CTRL)
    verdict = desk.desk.table.verdict(first)
    assert (verdict.labels, verdict.note) == (("disc",), "")
