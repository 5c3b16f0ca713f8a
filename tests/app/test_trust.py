"""What tells how far the desk can be believed, by key and pointer through the real window."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from app import strings
from app.models.commands import Command
from app.models.scan_table import Role, Show
from app.models.trust_lines import agreement_lines
from app.strings import trust_words as words
from app.views.label_row import LabelRow
from nearl_core.learn.prequential import Outcome
from nearl_core.store import record
from nearl_core.types import LabelSet, Ranking
from tests.app.driving import Driver, stop

CONTROL = Qt.KeyboardModifier.ControlModifier


def strip(desk: Driver) -> str:
    return desk.desk.window.ranking.agreement.text()


def decide_shown(desk: Driver, key: Qt.Key) -> None:
    """Decide once a suggestion is on screen."""
    desk.until(lambda: desk.desk.window.ranking.panel.lines[0].probability is not None)
    desk.decide(key)


def test_the_first_decision_puts_no_suggestion_to_the_test(desk: Driver) -> None:
    assert strip(desk) == ""
    desk.decide(Qt.Key.Key_1)
    assert strip(desk) == ""
    desk.press(Qt.Key.Key_Y)
    assert words.NO_OUTCOMES in desk.desk.window.scan.trust.texts()


def test_a_ranking_says_that_it_was_told_of_this_scan(desk: Driver) -> None:
    """Coming back to a decided scan, its high probability is an echo and no second opinion."""
    ranking, first = desk.desk.window.ranking, desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    desk.decide(Qt.Key.Key_2)
    desk.until(lambda: ranking.panel.source.endswith("learned from 2 decisions"))
    desk.desk.review.show(first)
    desk.until(lambda: ranking.panel.source.endswith("learned from this scan and 1 more"))
    desk.decide(Qt.Key.Key_X)  # teaches nothing any more
    desk.desk.review.show(first)
    desk.until(lambda: ranking.panel.source.endswith("learned from 1 decision"))


def test_agreement_counts_each_scan_once_and_takes_an_undo_back(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    decide_shown(desk, Qt.Key.Key_1)
    decide_shown(desk, Qt.Key.Key_2)
    assert strip(desk) == "Right in 1 of the last 2"
    desk.press(Qt.Key.Key_Left)
    desk.decide(Qt.Key.Key_1)  # changed afterwards: what was suggested first has been judged
    assert strip(desk) == "Right in 1 of the last 2"
    desk.press(Qt.Key.Key_Z, CONTROL)
    desk.until(lambda: not desk.desk.review.is_saving)
    desk.decide(Qt.Key.Key_Z, CONTROL)
    desk.until(lambda: strip(desk) == "Right in 1 of the last 1")


def test_a_scan_that_was_answered_long_ago_is_no_test_when_it_is_decided_anew(
    start: Callable[[], Driver], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of very many first answers only the latest are read; the ranking has learned all of them."""
    monkeypatch.setattr(record, "LATEST", 1)
    desk = start()
    desk.open(project)
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    for _ in range(2):
        decide_shown(desk, Qt.Key.Key_1)
    stop(desk)
    again = start()
    again.open(project)
    again.until(lambda: strip(again) == "Right in 1 of the last 1")
    again.desk.review.show(first)
    decide_shown(again, Qt.Key.Key_2)
    assert strip(again) == "Right in 1 of the last 1"


def test_agreement_is_there_again_after_a_restart(
    start: Callable[[], Driver], project: Path
) -> None:
    first = start()
    first.open(project)
    first.decide(Qt.Key.Key_1)
    decide_shown(first, Qt.Key.Key_1)
    first.desk.window.close()
    assert first.desk.shut_down()
    again = start()
    again.open(project)
    again.until(lambda: strip(again) == "Right in 1 of the last 1")


def test_the_panel_tells_labels_and_intervals(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    decide_shown(desk, Qt.Key.Key_1)
    decide_shown(desk, Qt.Key.Key_2)
    desk.desk.window.ranking.agreement.click()
    assert desk.desk.actions.action(Command.TRUST).isChecked()
    text = desk.desk.window.scan.trust.texts()
    assert "right in 1 of the last 2 decisions: 9 to 91\u00a0%" in text
    assert "Disc 1 of 1 1 of 2" in text
    assert "Stripes 0 of 1 –" in text
    assert "Other – –" in text


def test_the_plot_waits_for_enough_decisions(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_Y)
    panel = desk.desk.window.scan.trust
    desk.until(lambda: "it takes 32 claims" in panel.texts())
    assert panel.plot.isHidden()


@pytest.mark.usefixtures("few")
def test_the_plot_counts_the_claims(desk: Driver) -> None:
    def learned(count: int) -> bool:
        ranking = desk.desk.suggestions.ranking(desk.scan_id())
        return ranking is not None and ranking.decisions == count

    for count in range(9):
        desk.until(lambda count=count: learned(count))  # type: ignore[misc]
        desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_Y)
    plot = desk.desk.window.scan.trust.plot
    desk.until(lambda: plot.found is not None)
    assert plot.found is not None
    assert plot.found.n == 5  # of rankings that had learned from four decisions or more
    assert plot.found.n == sum(entry.count for entry in plot.found.bins)
    assert "5 claims. They differ from what came of them" in desk.desk.window.scan.trust.texts()


def test_a_version_says_what_speaks_for_it_and_can_be_taken_back(desk: Driver) -> None:
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1):
        desk.decide(key)
    with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
        desk.press(Qt.Key.Key_T, CONTROL)
    desk.press(Qt.Key.Key_Y)
    text = desk.desk.window.scan.trust.texts()
    assert "No worse on 8 held-out decisions" in text
    assert "Balanced accuracy 50 % 75 %" in text
    assert "2 became right, 0 became wrong" in text
    assert "Stripes (3) 33 % 67 %" in text
    with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
        desk.desk.window.training.versions.activate_asked.emit("")
    button = next(
        found
        for found in desk.desk.window.scan.trust.findChildren(QPushButton)
        if found.text() == strings.MAKE_LIVE
    )
    desk.until(lambda: not button.isHidden())
    with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
        button.click()
    assert button.isHidden()


def test_the_newest_version_is_shown_until_an_older_one_is_chosen(desk: Driver) -> None:
    choice = desk.desk.window.scan.trust.findChild(QComboBox)
    assert isinstance(choice, QComboBox)

    def train_another() -> str:
        with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
            desk.press(Qt.Key.Key_T, CONTROL)
        return str(choice.currentData())

    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1):
        desk.decide(key)
    assert [train_another(), train_another()] == ["v1", "v2"]
    choice.setFocus()
    desk.bot.keyClick(choice, Qt.Key.Key_Down)
    assert train_another() == "v1"


def test_one_panel_stands_beside_the_scan(desk: Driver) -> None:
    scan = desk.desk.window.scan
    panels = {Qt.Key.Key_T: scan.tags, Qt.Key.Key_S: scan.compare}
    panels |= {Qt.Key.Key_Y: scan.trust, Qt.Key.Key_A: scan.again}
    for key, panel in panels.items():
        desk.press(key)
        assert [other for other in panels.values() if not other.isHidden()] == [panel]
    desk.press(Qt.Key.Key_A)
    assert all(panel.isHidden() for panel in panels.values())


def test_scans_unlike_anything_are_marked_and_can_be_listed(desk: Driver) -> None:
    table, scan_id = desk.desk.table, desk.scan_id()
    desk.desk.suggestions.ranked.emit(Ranking(scan_id, "frozen", 40, (), unlike=True))
    index = table.index(0, 0)
    assert index.data(Role.UNLIKE) is True
    assert words.UNLIKE_SIGN in str(index.data(Qt.ItemDataRole.AccessibleTextRole))
    table.set_filter(Show.UNLIKE, "")
    assert table.rowCount() == 1
    table.set_filter(Show.ALL, "")
    desk.decide(Qt.Key.Key_1)
    assert index.data(Role.UNLIKE) is False


def test_blind_and_seen_decisions_stand_apart(label_set: LabelSet) -> None:
    disc, stripes = (frozenset({label}) for label in label_set.ids[:2])
    seen = [Outcome(i, disc, disc, seen=True) for i in range(12)]
    blind = [Outcome(i, disc, disc if i % 2 else stripes, seen=False) for i in range(20, 28)]
    text = "\n".join(agreement_lines((*seen, *blind), label_set).sentences)
    assert "right in 16 of the last 20" in text
    assert f"{words.SEEN}: 12 of 12, 76 to 100\u00a0%" in text
    assert f"{words.BLIND}: 4 of 8, 22 to 78\u00a0%" in text
    assert words.SEEN_NOTE in text
    assert words.SEEN_NOTE not in "\n".join(agreement_lines(seen, label_set).sentences)


def test_hidden_suggestions_are_put_to_the_test_too(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    decide_shown(desk, Qt.Key.Key_1)
    desk.press(Qt.Key.Key_B)
    for key in (Qt.Key.Key_1, Qt.Key.Key_2):
        scan_id = desk.scan_id()
        desk.until(lambda: desk.desk.suggestions.ranking(scan_id) is not None)  # noqa: B023
        desk.decide(key)
        desk.until(lambda: desk.scan_id() != scan_id)  # noqa: B023
    desk.press(Qt.Key.Key_Y)
    text = desk.desk.window.scan.trust.texts()
    assert f"{words.SEEN}: 1 of 1" in text
    assert f"{words.BLIND}: 1 of 2" in text


def test_tab_walks_through_the_panel_as_it_is_seen(desk: Driver) -> None:
    ranking = desk.desk.window.ranking
    chain: list[QWidget] = []
    widget = ranking.agreement.nextInFocusChain()
    while widget is not None and widget is not ranking.agreement and len(chain) < 200:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    rows = ranking.rows()
    assert tuple(found for found in chain if isinstance(found, LabelRow)) == rows
    assert chain.index(rows[-1]) == len(rows) - 1
