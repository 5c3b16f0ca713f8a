"""A label found by its name, where labels are more than keys."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication

from app import strings
from app.models.commands import Command
from app.models.finding import matches
from nearl_core.store.project import Project
from nearl_core.types import Label, LabelSet
from tests.app.driving import Driver, make_project

NAMES = ("Naevus", "Blue naevus", "Melanoma", "Ménière-like", "Basal cell carcinoma")
MANY = LabelSet(tuple(Label(f"kind-{number}", f"Kind {number}") for number in range(1, 31)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("naev", [0, 1]),
        ("MEN", [3]),
        ("cell bas", [4]),
        ("ano", [2]),
        ("xyz", []),
    ],
)
def test_a_name_is_found_by_its_beginning_then_its_words_then_any_part(
    text: str, found: list[int]
) -> None:
    assert matches(NAMES, text) == found


@pytest.fixture
def many(start: Callable[[], Driver], tmp_path: Path, scan_folder: Path) -> Driver:
    """A desk with thirty labels, of which twenty have a key."""
    driver = start()
    driver.open(make_project(tmp_path / "many.nearl", scan_folder, MANY))
    return driver


def _seen(desk: Driver) -> list[str]:
    return [row.line.name for row in desk.desk.window.ranking.rows() if row.isVisible()]


def test_a_label_without_a_key_is_decided_by_its_name(many: Driver) -> None:
    ranking, first = many.desk.window.ranking, many.scan_id()
    assert "G, a part of the name" in ranking.rows()[20].toolTip()  # it has no key
    many.press(Qt.Key.Key_G)
    many.until(ranking.finder.hasFocus)
    many.bot.keyClicks(ranking.finder, "2")
    assert _seen(many) == ["Kind 2", "Kind 12", *(f"Kind {n}" for n in range(20, 30))]
    many.bot.keyClicks(ranking.finder, "7")
    assert _seen(many) == ["Kind 27"]
    with many.bot.waitSignal(many.desk.review.saved):
        many.bot.keyClick(ranking.finder, Qt.Key.Key_Return)
    assert many.desk.table.verdict(first).labels == ("kind-27",)
    assert len(_seen(many)) == 30
    assert not ranking.finder.isVisible()
    many.decide(Qt.Key.Key_1)  # keys decide again


def test_arrows_choose_among_what_was_found_and_escape_leaves_all_as_it_was(many: Driver) -> None:
    ranking, first = many.desk.window.ranking, many.scan_id()
    many.press(Qt.Key.Key_G)
    many.until(ranking.finder.hasFocus)
    many.bot.keyClicks(ranking.finder, "kind 3")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        many.bot.keyClick(ranking.finder, key)
    with many.bot.waitSignal(many.desk.review.saved):
        many.bot.keyClick(ranking.finder, Qt.Key.Key_Return)
    assert many.desk.table.verdict(first).labels == ("kind-30",)
    second = many.scan_id()
    many.press(Qt.Key.Key_G)
    many.until(ranking.finder.hasFocus)
    many.bot.keyClicks(ranking.finder, "kind 3")
    many.bot.keyClick(ranking.finder, Qt.Key.Key_Escape)
    assert len(_seen(many)) == 30
    assert not many.desk.table.verdict(second).labels


def test_few_labels_are_found_too_and_the_field_goes_again(desk: Driver) -> None:
    ranking, first = desk.desk.window.ranking, desk.scan_id()
    assert not ranking.finder.isVisible()
    desk.press(Qt.Key.Key_G)
    desk.until(ranking.finder.hasFocus)
    desk.bot.keyClicks(ranking.finder, "no such label")
    assert not _seen(desk)
    desk.bot.keyClick(ranking.finder, Qt.Key.Key_Return)  # decides nothing
    assert not desk.desk.table.verdict(first).labels
    assert not ranking.finder.isVisible()
    assert len(_seen(desk)) == len(ranking.panel.lines)


def _sought(desk: Driver, text: str) -> None:
    desk.press(Qt.Key.Key_G)
    desk.until(desk.desk.window.ranking.finder.hasFocus)
    desk.bot.keyClicks(desk.desk.window.ranking.finder, text)


def test_a_click_on_what_was_found_decides_and_ends_the_search(many: Driver) -> None:
    ranking, first = many.desk.window.ranking, many.scan_id()
    _sought(many, "kind 3")
    with many.bot.waitSignal(many.desk.review.saved):
        many.bot.mouseClick(ranking.rows()[29], Qt.MouseButton.LeftButton)
    assert many.desk.table.verdict(first).labels == ("kind-30",)
    assert len(_seen(many)) == 30
    assert not ranking.finder.isVisible()
    many.decide(Qt.Key.Key_1)


def test_several_labels_are_found_one_after_another_and_recorded_together(
    start: Callable[[], Driver], tmp_path: Path, scan_folder: Path
) -> None:
    several = LabelSet(MANY.labels, multi_label=True)
    desk = start()
    desk.open(make_project(tmp_path / "several.nearl", scan_folder, several))
    first = desk.scan_id()
    for text in ("27", "29"):
        _sought(desk, text)
        desk.bot.keyClick(desk.desk.window.ranking.finder, Qt.Key.Key_Return)
    assert not desk.desk.table.verdict(first).labels
    desk.decide(Qt.Key.Key_Return)
    assert set(desk.desk.table.verdict(first).labels) == {"kind-27", "kind-29"}


def test_where_nothing_can_be_decided_no_label_is_sought(
    start: Callable[[], Driver], project: Path
) -> None:
    with Project.open(project):  # elsewhere, so that the desk has it read-only
        desk = start()
        desk.open(project)
        desk.press(Qt.Key.Key_G)
        assert not desk.desk.window.ranking.finder.isVisible()
        assert strings.READ_ONLY_REFUSED in desk.status()


def test_labels_that_change_meanwhile_are_sought_anew(many: Driver) -> None:
    ranking = many.desk.window.ranking
    _sought(many, "kind 30")
    panel = ranking.panel
    last = replace(panel.lines[-1], name="Kind 30")
    ranking.show_panel(replace(panel, lines=(last, *panel.lines[:3])))
    assert _seen(many) == ["Kind 30"]
    with many.bot.waitSignal(ranking.label_pressed) as pressed:
        many.bot.keyClick(ranking.finder, Qt.Key.Key_Return)
    assert pressed.args == [0]


def test_a_menu_over_the_field_leaves_what_was_typed(many: Driver) -> None:
    finder = many.desk.window.ranking.finder
    _sought(many, "kind 3")
    QApplication.sendEvent(
        finder, QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.PopupFocusReason)
    )
    assert finder.text() == "kind 3"


def test_a_screen_reader_is_told_which_label_enter_takes(many: Driver) -> None:
    finder = many.desk.window.ranking.finder
    _sought(many, "kind 3")
    assert finder.accessibleDescription() == "Kind 3"
    many.bot.keyClick(finder, Qt.Key.Key_Down)
    assert finder.accessibleDescription() == "Kind 30"
    many.bot.keyClick(finder, Qt.Key.Key_Escape)
    assert not finder.accessibleDescription()


def test_rows_say_the_key_as_it_is_bound_now(many: Driver) -> None:
    row = many.desk.window.ranking.rows()[25]
    keeper = many.desk.keeper
    keeper.change(replace(keeper.settings, keys=((Command.FIND_LABEL.value, "Ctrl+Alt+G"),)))
    assert "Ctrl+Alt+G" in row.toolTip()
