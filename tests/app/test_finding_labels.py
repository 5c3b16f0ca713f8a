"""A label found by its name, where labels are more than keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.models.finding import matches
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
