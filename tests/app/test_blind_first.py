"""Reading by rules: blind first, and scans that come again."""

import random
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.controllers import agenda
from nearl_core import labels_file
from nearl_core.label_changes import retire
from nearl_core.store import readings
from nearl_core.store.project import Project
from nearl_core.types import (
    NewDecision,
    Occasion,
    ReadingRules,
    Revision,
    Shown,
    State,
    Verdict,
)
from tests.app.driving import WAIT_MS, Driver, history, make_project

CTRL = Qt.KeyboardModifier.ControlModifier


class Always(random.Random):
    """Chance that always strikes."""

    def random(self) -> float:
        return 0.0


class Never(random.Random):
    """Chance that never strikes."""

    def random(self) -> float:
        return 1.0


def rule(project: Path, rules: ReadingRules) -> None:
    with Project.open(project) as opened:
        readings.save_rules(opened, rules)


@pytest.fixture
def blind(driver: Driver, project: Path) -> Driver:
    """A desk whose readers decide first, and whose model suggests stripes."""
    rule(project, ReadingRules(blind_first=True, repeats=0.0))
    driver.open(project)
    driver.decide(Qt.Key.Key_2)
    driver.until(
        lambda: bool(getattr(driver.desk.suggestions.ranking(driver.scan_id()), "labels", ()))
    )
    return driver


def test_the_suggestion_waits_for_the_own_call(blind: Driver) -> None:
    panel = blind.desk.window.ranking.panel
    assert all(line.probability is None for line in panel.lines)
    assert not any(line.suggested for line in panel.lines)
    assert "Decide first" in panel.notice
    before = blind.scan_id()
    blind.press(Qt.Key.Key_Return)  # there is nothing to accept yet
    assert blind.scan_id() == before


def test_an_own_call_like_the_suggestion_goes_on_and_both_are_kept(
    blind: Driver, project: Path
) -> None:
    scan_id = blind.scan_id()
    blind.decide(Qt.Key.Key_2)
    assert blind.scan_id() != scan_id
    (call,) = history(project, scan_id)
    assert call.shown is Shown.BLIND
    assert call.verdict.labels == ("stripes",)
    assert call.ranking is not None
    assert call.ranking.labels[0].label_id == "stripes"


def test_another_call_stays_until_it_is_kept(blind: Driver, project: Path) -> None:
    scan_id = blind.scan_id()
    blind.decide(Qt.Key.Key_1)
    assert blind.scan_id() == scan_id
    panel = blind.desk.window.ranking.panel
    assert panel.notice.startswith("You say Disc. The model says Stripes (")
    assert panel.hint.startswith("Enter keeps Disc")
    assert panel.lines[0].decided
    assert panel.lines[1].suggested
    assert not panel.lines[1].enter
    # The model learns the call at once; what it said before is what counts.
    blind.until(lambda: blind.desk.suggestions.ranking(scan_id).decisions == 2)  # type: ignore[union-attr]
    assert blind.desk.window.ranking.panel.source.endswith("1 decision")
    blind.decide(Qt.Key.Key_Return)
    assert blind.scan_id() != scan_id
    own, final = history(project, scan_id)
    assert own.ranking == final.ranking
    assert (own.shown, own.verdict.labels) == (Shown.BLIND, ("disc",))
    assert (final.shown, final.verdict.labels) == (Shown.VISIBLE, ("disc",))


def test_another_call_can_be_changed_having_seen(blind: Driver, project: Path) -> None:
    scan_id = blind.scan_id()
    blind.decide(Qt.Key.Key_1)
    blind.decide(Qt.Key.Key_2)
    assert blind.scan_id() != scan_id
    assert [(one.shown, one.verdict.labels[0]) for one in history(project, scan_id)] == [
        (Shown.BLIND, "disc"),
        (Shown.VISIBLE, "stripes"),
    ]


def test_none_applies_is_contrasted_and_unassessable_is_not(blind: Driver) -> None:
    scan_id = blind.scan_id()
    blind.decide(Qt.Key.Key_N)
    assert blind.scan_id() == scan_id
    assert "none of the labels" in blind.desk.window.ranking.panel.notice
    blind.decide(Qt.Key.Key_Return)
    other = blind.scan_id()
    assert other != scan_id
    blind.decide(Qt.Key.Key_X)
    assert blind.scan_id() != other


def test_what_was_seen_is_not_blind_again_after_an_undo(blind: Driver, project: Path) -> None:
    scan_id = blind.scan_id()
    blind.decide(Qt.Key.Key_1)
    blind.decide(Qt.Key.Key_Z, CTRL)
    assert blind.scan_id() == scan_id
    blind.decide(Qt.Key.Key_1)
    assert history(project, scan_id)[-1].shown is Shown.VISIBLE


def test_multi_label_calls_are_held_against_all_that_is_likely(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    labels = labels_file.from_argument("Disc,Stripes,Other", multi_label=True)
    project = make_project(tmp_path / "multi.nearl", scan_folder, labels)
    rule(project, ReadingRules(blind_first=True, repeats=0.0))
    driver.open(project)
    driver.press(Qt.Key.Key_1)
    driver.decide(Qt.Key.Key_Return)
    second = driver.scan_id()
    driver.until(lambda: bool(getattr(driver.desk.suggestions.ranking(second), "labels", ())))
    driver.until(lambda: driver.desk.window.scan.view.picture is not None)
    driver.press(Qt.Key.Key_1)
    driver.press(Qt.Key.Key_3)
    driver.decide(Qt.Key.Key_Return)
    assert driver.scan_id() == second
    notice = driver.desk.window.ranking.panel.notice
    assert "You say Disc, Other. The model says Disc (67 %)." in notice
    driver.decide(Qt.Key.Key_Return)
    assert driver.scan_id() != second


def test_another_pseudonym_while_a_project_opens_shows_nothing_of_the_first(
    driver: Driver, project: Path
) -> None:
    with Project.open(project) as opened:
        reader = driver.desk.keeper.settings.reader
        opened.record(NewDecision(1, reader, Verdict(State.LABELLED, ("disc",))))
    driver.desk.library.open(project)
    driver.desk.asking.change_reader("second")  # its decisions are being read still
    driver.until(lambda: driver.desk.library.session is not None)
    session = driver.desk.library.session
    assert session is not None
    assert session.reader == "second"
    assert not session.standing
    assert [one.reader for one in session.others] == [reader]


# --- scans that come again ---------------------------------------------------------------------


@pytest.fixture
def again(driver: Driver, project: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A desk where after two decisions a scan comes again, as often as can be."""
    monkeypatch.setattr(agenda, "FEWEST", 2)
    monkeypatch.setattr(agenda, "AFTER", 1)
    driver.desk.review.agenda.chance = Never()
    driver.open(project)
    driver.decide(Qt.Key.Key_1)
    driver.until(lambda: driver.desk.window.ranking.panel.lines[0].suggested)
    driver.decide(Qt.Key.Key_1)
    driver.until(lambda: driver.desk.window.ranking.panel.lines[0].suggested)
    driver.decide(Qt.Key.Key_2)
    driver.desk.review.agenda.chance = Always()
    return driver


def test_a_scan_comes_again_as_if_it_were_new(again: Driver, project: Path) -> None:
    desk = again.desk
    third = again.scan_id()
    desk.review.show(third)  # chance strikes from here on
    first = desk.table.id_at(1)
    assert first is not None
    before = desk.table.counts()
    again.decide(Qt.Key.Key_1)
    repeated = again.scan_id()
    assert repeated == first  # the one with a suggestion that was decided long enough ago
    panel = desk.window.ranking.panel
    assert (panel.state, panel.flagged, panel.note) == (State.UNSEEN, False, "")
    assert not any(line.decided for line in panel.lines)
    assert panel.lines[0].suggested  # what was suggested the first time
    # In the queue it stands before the scan that would have come, and tells nothing.
    assert desk.table.detail(repeated) == "Unlabelled"
    row = desk.table.row_of(repeated)
    assert row is not None
    assert desk.table.id_at(row - 1) == third
    assert desk.table.rowCount() == 9
    desk.review.agenda.chance = Never()
    again.decide(Qt.Key.Key_3)
    assert again.scan_id() not in (repeated, third)
    kept = history(project, repeated)
    assert [one.occasion for one in kept] == [Occasion.SINGLE, Occasion.REPEAT]
    assert kept[-1].verdict.labels == ("other",)
    assert desk.table.detail(repeated) == "Disc"  # what stood, stands
    assert desk.table.row_of(repeated) == 1
    assert desk.table.counts().decided == before.decided + 1


def test_a_scan_comes_again_once_only(again: Driver) -> None:
    shown: list[int] = []
    again.desk.review.scan_changed.connect(lambda scan: shown.append(scan.id))
    again.desk.review.show(again.scan_id())
    for _ in range(9):
        # Only what was decided beside a suggestion comes again beside one.
        again.until(lambda: again.desk.window.ranking.panel.lines[0].suggested)
        again.decide(Qt.Key.Key_1)
        if again.desk.table.next_to_do(None) is None:
            break
    session = again.desk.library.session
    assert session is not None
    repeats = [scan_id for scan_id in set(shown) if shown.count(scan_id) > 1]
    assert repeats
    with Project.open(session.project.folder, read_only=True) as other:
        for scan_id in repeats:
            occasions = [one.occasion for one in other.history(scan_id)]
            assert occasions.count(Occasion.REPEAT) <= 1


def test_a_flag_on_a_scan_that_came_again_goes_with_its_decision(
    again: Driver, project: Path
) -> None:
    again.desk.review.show(again.scan_id())
    again.decide(Qt.Key.Key_1)
    repeated = again.scan_id()
    again.press(Qt.Key.Key_F)
    assert again.desk.window.ranking.panel.flagged
    again.decide(Qt.Key.Key_1)
    kept = history(project, repeated)
    assert [one.verdict.flagged for one in kept] == [False, True]
    assert not again.desk.table.verdict(repeated).flagged


def test_undo_of_a_repeat_shows_it_as_new_once_more(again: Driver, project: Path) -> None:
    again.desk.review.show(again.scan_id())
    again.decide(Qt.Key.Key_1)
    repeated = again.scan_id()
    again.desk.review.agenda.chance = Never()
    again.decide(Qt.Key.Key_3)
    again.decide(Qt.Key.Key_Z, CTRL)
    assert again.scan_id() == repeated
    assert again.desk.window.ranking.panel.state is State.UNSEEN
    assert again.desk.table.detail(repeated) == "Unlabelled"
    again.decide(Qt.Key.Key_1)
    assert [one.occasion for one in history(project, repeated)] == [
        Occasion.SINGLE,
        *[Occasion.REPEAT] * 3,
    ]
    with Project.open(project, read_only=True) as other:
        ((first, second),) = readings.readings(other).repeats
    assert (first.verdict.labels, second.verdict.labels) == (("disc",), ("disc",))


def test_nothing_comes_again_in_a_small_project(
    again: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda, "FEWEST", 100)
    again.desk.review.show(again.scan_id())
    seen = {again.scan_id()}
    for _ in range(5):
        again.decide(Qt.Key.Key_1)
        assert again.scan_id() not in seen
        seen.add(again.scan_id())


def test_a_flag_leaves_a_blind_decision_blind(blind: Driver, project: Path) -> None:
    scan_id = blind.scan_id()
    blind.decide(Qt.Key.Key_2)
    blind.desk.review.show(scan_id)
    blind.decide(Qt.Key.Key_F)
    call, flagged = history(project, scan_id)
    assert flagged.verdict.flagged
    assert (flagged.shown, flagged.ranking) == (Shown.BLIND, call.ranking)


def test_labels_may_change_while_a_call_stands_beside_the_suggestion(blind: Driver) -> None:
    scan_id = blind.scan_id()
    blind.decide(Qt.Key.Key_1)
    assert "The model says Stripes" in blind.desk.window.ranking.panel.notice
    session = blind.desk.library.session
    assert session is not None
    less, change = retire(session.label_set, "stripes")
    with blind.bot.waitSignal(blind.desk.asking_labels.labelling.saved, timeout=WAIT_MS):
        blind.desk.asking_labels.labelling.save(Revision(less, (change,)))
    assert blind.scan_id() == scan_id
    assert [line.label_id for line in blind.desk.window.ranking.panel.lines] == ["disc", "other"]
    assert "Stripes" not in blind.desk.window.ranking.panel.notice
