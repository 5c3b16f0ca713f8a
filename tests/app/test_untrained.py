"""Which decisions a version is still to be trained on, as the panel counts them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from nearl_core import labels_file
from nearl_core.label_changes import rename
from nearl_core.types import Revision
from tests.app.driving import Driver, decide_some, make_project, stop, train


def opened(start: Callable[[], Driver], project: Path) -> Driver:
    desk = start()
    desk.open(project)
    return desk


def opened_again(desk: Driver, start: Callable[[], Driver], project: Path) -> Driver:
    stop(desk)
    return opened(start, project)


def test_what_a_version_could_learn_from_is_counted_so(
    start: Callable[[], Driver], tmp_path: Path, scan_folder: Path
) -> None:
    several = replace(labels_file.from_names(["Disc", "Stripes"]), multi_label=True)
    desk = start()
    desk.open(make_project(tmp_path / "several.nearl", scan_folder, several))
    desk.press(Qt.Key.Key_1)
    desk.decide(Qt.Key.Key_Return)
    desk.decide(Qt.Key.Key_N)  # teaches that neither label is there
    desk.decide(Qt.Key.Key_X)
    assert desk.desk.training.state.waiting_decisions == 2
    assert "3 of 9 decided" in desk.status()


def test_a_flag_or_a_confidence_is_no_new_decision_to_train_on(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    desk.press(Qt.Key.Key_Left)
    for key in (Qt.Key.Key_F, Qt.Key.Key_P, Qt.Key.Key_1):
        desk.decide(key)
        desk.press(Qt.Key.Key_Left)
    assert desk.desk.training.state.waiting_decisions == 1
    desk.decide(Qt.Key.Key_2)  # in place of the first one
    assert desk.desk.training.state.waiting_decisions == 1


def test_a_decision_that_is_taken_back_is_none_to_train_on(desk: Driver) -> None:
    desk.decide(Qt.Key.Key_1)
    desk.decide(Qt.Key.Key_2)
    assert desk.desk.training.state.waiting_decisions == 2
    desk.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: desk.desk.training.state.waiting_decisions == 1)
    desk.press(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: desk.desk.training.state.waiting_decisions == 2)


def test_a_flag_on_what_was_trained_on_is_none_after_reopening_either(
    start: Callable[[], Driver], project: Path
) -> None:
    desk = opened(start, project)
    decide_some(desk)
    train(desk)
    for key in (Qt.Key.Key_F, Qt.Key.Key_2):
        desk.press(Qt.Key.Key_Left)
        desk.decide(key)
        desk.press(Qt.Key.Key_Left)
    assert desk.desk.training.state.waiting_decisions == 1
    desk = opened_again(desk, start, project)
    assert desk.desk.training.state.waiting_decisions == 1


@pytest.mark.parametrize("reopened", [False, True])
def test_what_was_trained_on_and_comes_back_is_none_to_train_on(
    start: Callable[[], Driver], project: Path, reopened: bool
) -> None:
    desk = opened(start, project)
    decide_some(desk)
    train(desk)
    desk.press(Qt.Key.Key_Left)
    desk.decide(Qt.Key.Key_2)
    assert desk.desk.training.state.waiting_decisions == 1
    if reopened:
        desk = opened_again(desk, start, project)
    desk.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: desk.desk.training.state.waiting_decisions == 0)


def test_after_a_change_of_labels_a_version_is_made_for_the_new_ones(
    start: Callable[[], Driver], project: Path
) -> None:
    desk = opened(start, project)
    decide_some(desk)
    train(desk)
    assert desk.desk.training.state.waiting_decisions == 0
    session, labelling = desk.desk.library.session, desk.desk.asking_labels.labelling
    assert session is not None
    renamed, _ = rename(session.label_set, "other", "Neither")
    with desk.bot.waitSignal(labelling.saved, timeout=20_000):
        labelling.save(Revision(renamed))
    assert desk.desk.training.state.waiting_decisions == 3  # v1 rests
    desk = opened_again(desk, start, project)
    assert desk.desk.training.state.waiting_decisions == 3
    desk.desk.window.training.automatic_changed.emit(True, 5)
    with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
        desk.decide(Qt.Key.Key_1)
        desk.decide(Qt.Key.Key_2)
    assert desk.desk.training.state.waiting_decisions == 0


def test_labels_that_change_are_trained_on_at_once_where_decisions_are_enough(
    desk: Driver,
) -> None:
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1):
        desk.decide(key)
    train(desk)
    desk.desk.window.training.automatic_changed.emit(True, 5)
    session, labelling = desk.desk.library.session, desk.desk.asking_labels.labelling
    assert session is not None
    renamed, _ = rename(session.label_set, "other", "Neither")
    labelling.save(Revision(renamed))
    desk.until(lambda: [version.live for version in session.versions] == [False, True])


def test_a_training_that_a_change_of_labels_ends_is_followed_by_one_for_the_new_ones(
    desk: Driver,
) -> None:
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1):
        desk.decide(key)
    desk.engines[-1].steps = 100_000
    desk.desk.training.start()
    desk.until(lambda: desk.engines[-1].training.is_set())
    desk.engines[-1].steps = 10
    desk.desk.window.training.automatic_changed.emit(True, 5)
    session, labelling = desk.desk.library.session, desk.desk.asking_labels.labelling
    assert session is not None
    renamed, _ = rename(session.label_set, "other", "Neither")
    labelling.save(Revision(renamed))
    desk.until(lambda: [version.live for version in session.versions] == [True])
    assert session.versions[0].label_set_revision == 2


def test_what_an_older_version_alone_learned_from_is_to_be_trained_on(desk: Driver) -> None:
    decide_some(desk)
    train(desk)
    desk.press(Qt.Key.Key_Left)
    desk.decide(Qt.Key.Key_2)
    train(desk)
    assert desk.desk.training.state.waiting_decisions == 0
    desk.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: desk.desk.training.state.waiting_decisions == 1)


def test_what_the_last_training_came_to_names_its_version_another_day_too(
    start: Callable[[], Driver], project: Path
) -> None:
    first = start()
    first.open(project)
    decide_some(first)
    train(first)
    said = first.desk.window.training.state.text
    assert said.startswith("Version v1.")
    stop(first)
    later = start()
    later.open(project)
    assert later.desk.window.training.state.text == said
