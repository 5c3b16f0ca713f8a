"""Decisions and imported labels to look at again, by key and pointer through the real window."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel

from app.strings import trust_words as words
from app.views import style
from nearl_core import labels_file
from nearl_core.store import readings
from nearl_core.store.project import Project
from nearl_core.types import NewDecision, Shown, State, Verdict
from tests.app.driving import Driver, make_project


def test_the_list_says_how_many_decisions_it_needs(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_A)
    assert desk.desk.window.scan.again.texts() == (words.TOO_FEW.format(enough=32, n=1),)


@pytest.mark.usefixtures("few")
def test_that_none_applies_is_weighed_where_a_scan_can_have_several_labels(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    several = replace(labels_file.from_names(["Disc", "Stripes"]), multi_label=True)
    driver.open(make_project(tmp_path / "several.nearl", scan_folder, several))
    driver.press(Qt.Key.Key_1)
    driver.decide(Qt.Key.Key_Return)
    for key in (Qt.Key.Key_N, Qt.Key.Key_N, Qt.Key.Key_X):
        driver.decide(key)
    driver.press(Qt.Key.Key_A)
    panel = driver.desk.window.scan.again
    assert panel.texts() == (words.TOO_FEW.format(enough=4, n=3),)
    driver.decide(Qt.Key.Key_N)
    for _ in range(2):
        driver.press(Qt.Key.Key_A)
    driver.until(lambda: words.TOO_FEW.format(enough=4, n=3) not in panel.texts())
    assert words.TOO_FEW.format(enough=4, n=1) not in panel.texts()


def doubted(desk: Driver) -> tuple[int, int]:
    """Decide two scans unlike the others, and open the list of both."""
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_2)
    second = desk.scan_id()
    desk.decide(Qt.Key.Key_3)
    for _ in range(3):
        desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_A)
    desk.until(lambda: desk.desk.window.scan.again.list.count() == 2)
    return first, second


@pytest.mark.usefixtures("few")
def test_both_labels_of_a_doubt_have_room_in_its_row(desk: Driver) -> None:
    doubted(desk)
    again = desk.desk.window.scan.again
    text = words.DOUBT.format(decided="Melanocytic naevus", label="Basal cell carcinoma")
    room = again.list.viewport().width() - 24
    assert QFontMetrics(style.font(again.font(), pixels=12)).horizontalAdvance(text) <= room


@pytest.mark.usefixtures("few")
def test_enter_opens_a_doubted_scan_and_deciding_anew_takes_it_off(desk: Driver) -> None:
    first, second = doubted(desk)
    panel = desk.desk.window.scan.again
    assert "14 to 1 Other, or Disc?" in panel.texts()[1]
    desk.bot.keyClick(panel.list, Qt.Key.Key_Down)
    desk.bot.keyClick(panel.list, Qt.Key.Key_Return)
    assert desk.scan_id() == first
    desk.decide(Qt.Key.Key_2)  # kept as it was
    assert panel.list.count() == 1
    desk.until(lambda: desk.scan_id() == second)  # the next one of the list comes by itself
    desk.decide(Qt.Key.Key_1)
    desk.until(lambda: words.NO_DOUBTS in panel.texts())
    desk.press(Qt.Key.Key_A)
    desk.press(Qt.Key.Key_A)
    desk.until(lambda: words.NO_DOUBTS in panel.texts())


@pytest.mark.usefixtures("few")
def test_a_flag_leaves_a_doubted_scan_on_screen_and_on_the_list(desk: Driver) -> None:
    doubted(desk)
    panel = desk.desk.window.scan.again
    desk.bot.keyClick(panel.list, Qt.Key.Key_Return)
    scan_id = desk.scan_id()
    desk.decide(Qt.Key.Key_F)
    desk.decide(Qt.Key.Key_U)
    desk.bot.wait(50)  # the next one would have come by now
    assert desk.scan_id() == scan_id
    assert panel.list.count() == 2


@pytest.mark.usefixtures("few")
def test_digits_decide_while_the_list_has_the_focus(desk: Driver) -> None:
    doubted(desk)
    panel = desk.desk.window.scan.again
    panel.list.setFocus()
    with desk.bot.waitSignal(desk.desk.review.saved, timeout=20_000):
        desk.bot.keyClick(panel.list, Qt.Key.Key_1)


@pytest.mark.usefixtures("few")
def test_another_readers_decisions_are_not_listed(
    start: Callable[[], Driver], project: Path
) -> None:
    first = start()
    first.open(project)
    doubted(first)
    first.desk.window.close()
    assert first.desk.shut_down()
    second = start()
    second.desk.asking.change_reader("someone-else")
    second.open(project)
    assert second.desk.window.ranking.agreement.text() == ""
    second.press(Qt.Key.Key_A)
    assert second.desk.window.scan.again.texts() == (words.TOO_FEW.format(enough=4, n=0),)


@pytest.fixture
def imported(start: Callable[[], Driver], project: Path) -> Driver:
    """A desk whose project took labels in; those of the first two scans are like no others."""
    said = ["stripes", "other", *("disc" for _ in range(5))]
    with Project.open(project) as opened:
        readings.keep_source(opened, "registry")
        for scan_id, label in enumerate(said, start=1):
            verdict = Verdict(State.LABELLED, (label,))
            opened.record(NewDecision(scan_id, "registry", verdict, shown=Shown.IMPORTED))
    driver = start()
    driver.open(project)
    return driver


@pytest.mark.usefixtures("few")
def test_imported_labels_that_the_others_speak_against_are_listed(imported: Driver) -> None:
    panel = imported.desk.window.scan.again
    imported.press(Qt.Key.Key_A)
    imported.until(lambda: panel.list.count() == 2)
    assert [text.partition("registry: ")[2] for text in panel.texts()[1:]] == [
        "Other, or Disc?",
        "Stripes, or Disc?",
    ]
    imported.bot.keyClick(panel.list, Qt.Key.Key_Return)
    assert imported.scan_id() == 2
    imported.decide(Qt.Key.Key_F)  # a flag says nothing of it
    assert imported.scan_id() == 2
    assert panel.list.count() == 2
    imported.decide(Qt.Key.Key_1)
    assert panel.list.count() == 1
    imported.until(lambda: imported.scan_id() == 1)  # the next one of the list
    imported.decide(Qt.Key.Key_2)  # as the registry has it
    for _ in range(2):
        imported.press(Qt.Key.Key_A)
    imported.until(lambda: words.NO_DOUBTS in panel.texts())


def test_a_corrected_import_teaches_no_more_until_the_correction_is_taken_back(
    imported: Driver,
) -> None:
    def told(stripes: float, waiting: int) -> bool:
        window = imported.desk.window
        (line,) = (line for line in window.ranking.panel.lines if line.label_id == "stripes")
        texts = [label.text() for label in window.training.findChildren(QLabel)]
        return line.probability == stripes and any(
            f"{waiting} decisions not trained on yet" in text for text in texts
        )

    imported.desk.review.show(1)
    imported.until(lambda: told(2 / 10, 7))  # one scan of seven, as the registry has it
    imported.decide(Qt.Key.Key_1)
    imported.until(lambda: told(1 / 10, 7))
    imported.decide(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    imported.until(lambda: told(2 / 10, 7))
    imported.decide(Qt.Key.Key_X)  # unassessable: nothing is to be learned of it
    imported.until(lambda: told(1 / 9, 6))
