"""Deciding by key: what a reader sees, and what is on disk."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton

from app import strings
from app.models.commands import Command
from app.models.panel import Panel
from nearl_core import labels_file
from nearl_core.control import RunControl
from nearl_core.store.project import Project
from nearl_core.types import Confidence, NewDecision, Ranking, Scan, Shown, State, Verdict
from tests.app.driving import Driver, make_project, stop

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_a_digit_decides_and_the_next_scan_comes(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_2)
    assert desk.scan_id() != first
    assert desk.desk.table.detail(first) == "Stripes"
    assert "1 of 9 decided" in desk.status()
    assert "saved" in desk.status()


def test_a_decision_is_on_disk_before_the_next_scan_shows(desk: Driver, project: Path) -> None:
    stored: list[int] = []
    first = desk.scan_id()

    def look(scan: object) -> None:
        del scan
        with Project.open(project, read_only=True) as other:
            stored.extend(decision.scan_id for decision in other.standing())

    desk.desk.review.scan_changed.connect(look)
    desk.decide(Qt.Key.Key_1)
    assert stored == [first]


def test_bars_show_only_once_something_was_decided(desk: Driver) -> None:
    panel = desk.desk.window.ranking
    desk.until(lambda: "does not know" in panel.panel.notice)
    assert all(line.probability is None for line in panel.panel.lines)
    desk.decide(Qt.Key.Key_1)
    desk.until(lambda: panel.panel.lines[0].suggested)
    assert panel.panel.source == "Frozen, learned from 1 decision"


def test_enter_accepts_the_top_suggestion_and_says_that_it_was_shown(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_2)
    desk.until(lambda: desk.desk.window.ranking.panel.lines[1].suggested)
    second = desk.scan_id()
    desk.until(lambda: desk.desk.window.scan.view.picture is not None)
    desk.decide(Qt.Key.Key_Return)
    decision = desk.desk.library.session.standing[second]  # type: ignore[union-attr]
    assert decision.verdict.labels == ("stripes",)
    assert decision.shown is Shown.VISIBLE
    assert decision.ranking is not None
    assert decision.milliseconds is not None
    assert decision.frames_shown == (0,)


def test_hidden_suggestions_make_blind_decisions(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_B)
    panel = desk.desk.window.ranking.panel
    assert all(line.probability is None for line in panel.lines)
    second = desk.scan_id()
    desk.decide(Qt.Key.Key_2)
    assert desk.desk.library.session.standing[second].shown is Shown.BLIND  # type: ignore[union-attr]


def test_a_scan_that_never_showed_gets_no_label(desk: Driver) -> None:
    table, last = desk.desk.table, 9
    path = table.scans()[last].path
    path.write_bytes(path.read_bytes()[:60])
    with desk.bot.waitSignal(desk.desk.looking.screen.problem):
        desk.desk.review.show(last)
    for key in (Qt.Key.Key_1, Qt.Key.Key_N):
        desk.press(key)
        assert strings.NOT_SEEN in desk.status()
        assert not desk.desk.review.is_saving
    with desk.bot.waitSignal(desk.desk.review.saved):
        desk.press(Qt.Key.Key_X)
    assert table.verdict(last).state is State.UNASSESSABLE


def test_enter_without_a_suggestion_decides_nothing(desk: Driver) -> None:
    first = desk.scan_id()
    desk.press(Qt.Key.Key_Return)
    assert desk.scan_id() == first
    assert strings.NOTHING_TO_ACCEPT in desk.status()


@pytest.mark.parametrize(
    ("key", "state"),
    [
        (Qt.Key.Key_Space, State.DEFERRED),
        (Qt.Key.Key_N, State.NONE_APPLY),
        (Qt.Key.Key_X, State.UNASSESSABLE),
    ],
)
def test_a_state_key_says_so_and_goes_on(desk: Driver, key: Qt.Key, state: State) -> None:
    first = desk.scan_id()
    desk.decide(key)
    assert desk.desk.table.verdict(first).state is state
    assert desk.scan_id() != first


def test_unsure_marks_the_next_decision(desk: Driver) -> None:
    first = desk.scan_id()
    desk.press(Qt.Key.Key_U)
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(first).confidence is Confidence.POSSIBLE
    second = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(second).confidence is Confidence.DEFINITE


def test_a_button_that_is_on_looks_so(desk: Driver) -> None:
    ranking = desk.desk.window.ranking

    def ground(word: str) -> QColor:
        (button,) = [b for b in ranking.findChildren(QPushButton) if b.text().startswith(word)]
        return button.grab().toImage().pixelColor(6, button.height() // 2)

    assert ground("Unsure") == ground("Probable")
    desk.press(Qt.Key.Key_U)
    assert ground("Unsure") != ground("Probable")
    desk.press(Qt.Key.Key_U)
    assert ground("Unsure") == ground("Probable")


def test_a_flag_is_kept_at_once_and_through_the_decision(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_F)
    assert desk.scan_id() == first
    assert desk.desk.table.verdict(first).flagged
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(first).flagged
    assert desk.desk.table.verdict(first).state is State.LABELLED


def test_undo_goes_back_to_the_scan_and_redo_again(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    desk.decide(Qt.Key.Key_Z, CTRL)
    assert desk.scan_id() == first
    assert desk.desk.table.verdict(first).state is State.UNSEEN
    desk.decide(Qt.Key.Key_Z, CTRL | SHIFT)
    assert desk.desk.table.verdict(first).labels == ("disc",)


def test_undo_works_across_a_restart(start: Callable[[], Driver], project: Path) -> None:
    one = start()
    one.open(project)
    first = one.scan_id()
    one.decide(Qt.Key.Key_3)
    one.decide(Qt.Key.Key_1)
    stop(one)
    two = start()
    two.open(project)
    assert "2 of 9 decided" in two.status()
    two.decide(Qt.Key.Key_Z, CTRL)
    two.decide(Qt.Key.Key_Z, CTRL)
    assert two.scan_id() == first
    assert "0 of 9 decided" in two.status()


def test_next_unlabelled_skips_what_is_decided(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    second = desk.scan_id()
    desk.press(Qt.Key.Key_Left)
    assert desk.scan_id() == first
    desk.press(Qt.Key.Key_Right, CTRL)
    assert desk.scan_id() == second


def test_left_goes_back_though_the_order_moved_what_was_decided_away(desk: Driver) -> None:
    desk.desk.actions.action(Command.INSTRUCTIVE).trigger()
    desk.until(lambda: desk.desk.table.is_ordered)
    decided = [desk.scan_id()]
    desk.decide(Qt.Key.Key_1)
    decided.append(desk.scan_id())
    desk.decide(Qt.Key.Key_2)
    here = desk.scan_id()
    desk.until(lambda: desk.desk.table.row_of(here) == 0)
    for scan_id in reversed(decided):
        desk.press(Qt.Key.Key_Left)
        assert desk.scan_id() == scan_id
    for scan_id in (decided[1], here):
        desk.press(Qt.Key.Key_Right)
        assert desk.scan_id() == scan_id
    for _ in range(3):
        desk.press(Qt.Key.Key_Left)
    assert desk.scan_id() not in (*decided, here)  # through the rows, from the oldest one on
    desk.press(Qt.Key.Key_Right)
    assert desk.scan_id() == decided[0]


def test_a_key_that_comes_once_too_often_says_nothing_else_of_the_last_scan(desk: Driver) -> None:
    for _ in range(9):
        desk.decide(Qt.Key.Key_1)
    last = desk.scan_id()
    said = desk.desk.table.verdict(last)
    for key in (Qt.Key.Key_2, Qt.Key.Key_Space, Qt.Key.Key_X, Qt.Key.Key_N):
        desk.press(key)
    assert not desk.desk.review.is_saving
    assert desk.desk.table.verdict(last) == said
    assert strings.ALL_DECIDED_BEFORE in desk.status()
    desk.decide(Qt.Key.Key_F)  # what is added to it is no slip
    desk.press(Qt.Key.Key_Left)
    desk.press(Qt.Key.Key_Right)
    assert desk.scan_id() == last
    desk.decide(Qt.Key.Key_2)  # gone back to on purpose
    assert desk.desk.table.verdict(last).labels == ("stripes",)


def test_keys_are_silent_in_the_search(desk: Driver) -> None:
    first = desk.scan_id()
    desk.press(Qt.Key.Key_Slash)
    field = desk.desk.window.focusWidget()
    assert field is not None
    desk.bot.keyClicks(field, "disc-1")
    desk.press(Qt.Key.Key_1)
    assert desk.scan_id() == first
    assert desk.desk.table.rowCount() == 1
    assert "0 of 9 decided" in desk.status()
    desk.press(Qt.Key.Key_Escape)
    desk.decide(Qt.Key.Key_1)


def test_a_multi_label_set_toggles_and_enter_records(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    labels = labels_file.from_argument("Disc,Stripes,Other", multi_label=True)
    driver.open(make_project(tmp_path / "multi.nearl", scan_folder, labels))
    first = driver.scan_id()
    driver.press(Qt.Key.Key_3)
    driver.press(Qt.Key.Key_1)
    driver.press(Qt.Key.Key_2)
    driver.press(Qt.Key.Key_2)
    assert driver.scan_id() == first
    assert [line.pending for line in driver.desk.window.ranking.panel.lines] == [True, False, True]
    driver.decide(Qt.Key.Key_Return)
    assert driver.desk.table.verdict(first).labels == ("disc", "other")
    assert driver.scan_id() != first


def ranked(driver: Driver, decisions: int) -> Panel:
    """What is shown once the engine has learned from so many decisions, beside its picture."""
    learned = f"learned from {decisions} decision"
    driver.until(lambda: learned in driver.desk.window.ranking.panel.source)
    driver.until(lambda: driver.desk.window.scan.view.picture is not None)
    return driver.desk.window.ranking.panel


def test_enter_takes_the_labels_that_are_marked_and_digits_change_them(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    labels = labels_file.from_argument("Disc,Stripes,Other", multi_label=True)
    disc, stripes, other = labels.labels
    tree = replace(labels, labels=(disc, stripes, replace(other, parent="stripes")))
    project = make_project(tmp_path / "multi.nearl", scan_folder, tree)
    driver.open(project)
    driver.press(Qt.Key.Key_3)
    assert [line.enter for line in driver.desk.window.ranking.panel.lines] == [False, True, True]
    driver.decide(Qt.Key.Key_Return)
    panel = ranked(driver, 1)  # other 67 %, the rest 33 %
    assert [line.enter for line in panel.lines] == [False, True, True]
    assert panel.hint.startswith("Enter accepts Other;")
    second = driver.scan_id()
    driver.decide(Qt.Key.Key_Return)
    with Project.open(project, read_only=True) as opened:
        (said,) = opened.history(second)
    assert (said.verdict.labels, said.shown) == (("other",), Shown.VISIBLE)
    assert said.ranking is not None
    assert said.ranking.suggested == ("stripes", "other")
    ranked(driver, 2)
    driver.press(Qt.Key.Key_2)  # without it there is no kind of it either
    driver.press(Qt.Key.Key_Return)
    assert "No label is chosen" in driver.status()
    driver.press(Qt.Key.Key_1)
    assert driver.desk.window.ranking.panel.hint == "Enter records Disc"
    third = driver.scan_id()
    driver.decide(Qt.Key.Key_Return)
    assert driver.desk.table.verdict(third).labels == ("disc",)


def test_enter_says_that_none_applies_where_no_label_is_likely(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    labels = labels_file.from_argument("Disc,Stripes,Other", multi_label=True)
    driver.open(make_project(tmp_path / "multi.nearl", scan_folder, labels))
    digits = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)
    for wanted, _ in enumerate(digits):  # each label once, in place of what is suggested
        panel = ranked(driver, wanted) if wanted else driver.desk.window.ranking.panel
        for place, line in enumerate(panel.lines):
            if line.enter != (place == wanted):
                driver.press(digits[place])
        driver.decide(Qt.Key.Key_Return)
    panel = ranked(driver, 3)  # each label 40 %
    assert not any(line.enter for line in panel.lines)
    assert panel.hint.startswith("Enter accepts none applies;")
    assert "N   ↵" in driver.desk.window.ranking._buttons[Command.NONE_APPLY].text()
    fourth = driver.scan_id()
    driver.decide(Qt.Key.Key_Return)
    assert driver.desk.table.verdict(fourth).state is State.NONE_APPLY


def test_a_project_open_elsewhere_is_shown_and_refuses_kindly(
    driver: Driver, project: Path
) -> None:
    with Project.open(project):
        driver.open(project)
        assert "reading" in driver.desk.window.banner
        driver.press(Qt.Key.Key_1)
        assert strings.READ_ONLY_REFUSED in driver.status()
        assert "0 of 9 decided" in driver.status()


def test_decisions_made_elsewhere_teach_at_once(driver: Driver, project: Path) -> None:
    """A colleague's decisions count, though nobody looked at their scans on this desk."""
    with Project.open(project) as other:
        label_id = other.label_set().ids[1]
        for scan in other.scans()[1:]:
            verdict = Verdict(State.LABELLED, (label_id,))
            other.record(NewDecision(scan.id, "colleague", verdict, shown=Shown.IMPORTED))
    driver.open(project)
    told = "from 8 decisions, others' too"
    driver.until(lambda: driver.desk.window.ranking.panel.source.endswith(told))
    assert "0 of 9 decided" in driver.status()  # what this reader said is another matter


def test_decisions_faster_than_the_engine_are_caught_up(desk: Driver) -> None:
    for _ in range(9):
        desk.decide(Qt.Key.Key_2)
    learned = "learned from this scan and 8 more"
    desk.until(lambda: learned in desk.desk.window.ranking.panel.source)


def test_a_ranking_that_comes_late_takes_nothing_back(
    desk: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, suggestions, last = desk.engines[-1], desk.desk.suggestions, 9
    go_on, rank = threading.Event(), engine.rank
    said: list[int] = []

    def late(scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        found = rank(scans, control)
        if [scan.id for scan in scans] == [last]:
            assert go_on.wait(20)
        return found

    monkeypatch.setattr(engine, "rank", late)
    suggestions.ranked.connect(
        lambda ranking: said.append(ranking.decisions) if ranking.scan_id == last else None
    )
    for key in (Qt.Key.Key_1, Qt.Key.Key_F):
        desk.desk.review.show(last)
        desk.decide(key)
    desk.until(lambda: bool(said))  # learned from, while its first ranking is on its way
    go_on.set()
    desk.until(lambda: len(said) > 1)
    assert said[:2] == [1, 1]


def test_a_scan_that_was_ranked_in_passing_shows_what_was_learned_since(desk: Driver) -> None:
    suggestions, scan = desk.desk.suggestions, desk.desk.table.scan(9)
    assert scan is not None
    desk.engines[-1].rank([scan], RunControl())  # looked at in the background, as all others are
    suggestions.learn((9,))  # as one of those that come next, which it is no more then
    desk.until(lambda: suggestions.ranking(9) is not None)
    for _ in range(2):
        desk.decide(Qt.Key.Key_1)
    desk.until(lambda: "learned from 2 decisions" in desk.desk.window.ranking.panel.source)
    desk.desk.review.show(9)
    desk.until(lambda: "learned from 2 decisions" in desk.desk.window.ranking.panel.source)
