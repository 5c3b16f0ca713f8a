"""Labels on the desk: their tree and their changes."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app import bootstrap, strings
from app.models.draft import Draft
from app.models.label_drafts import Edit, drafts_of
from app.models.label_tree import below, indents
from app.models.panel import build_panel
from app.models.scan_table import Show
from app.strings import dialog_words, label_words
from app.views.dialogs.label_set import LabelSetDialog
from app.views.fields import ElidedLabel
from nearl_core import labels_file
from nearl_core.label_changes import split
from nearl_core.store.project import Project
from nearl_core.types import (
    UNSEEN,
    ChangeKind,
    Label,
    LabelSet,
    NewDecision,
    Revision,
    State,
    Verdict,
)
from tests.app.driving import WAIT_MS, Driver, dialog_of, make_project, stop


def test_children_are_set_in_below_their_parent_only() -> None:
    tree = [("a", ""), ("b", "a"), ("c", "b"), ("d", "a"), ("e", ""), ("f", "a")]
    assert indents(tree) == (0, 1, 2, 1, 0, 0)
    assert below("a", tree) == {"a", "b", "c", "d", "f"}
    assert below("e", tree) == {"e"}


@given(st.lists(st.integers(-1, 8), max_size=9))
def test_a_label_is_never_set_in_deeper_than_one_step(parents: list[int]) -> None:
    tree = [(str(one), str(parent)) for one, parent in enumerate(parents)]
    found = indents(tree)
    assert len(found) == len(tree)
    assert all(two <= one + 1 for one, two in pairwise(found))


def test_a_row_names_its_parent_where_it_does_not_stand_below_it() -> None:
    labels = (Label("m", "Mass"), Label("s", "Solid", parent="m"), Label("x", "X"))
    moved = (*labels, Label("c", "Cyst", parent="m"))
    panel = build_panel(
        LabelSet(moved),
        UNSEEN,
        Draft(),
        ranking=None,
        suggestions=True,
        can_decide=True,
    )
    assert [line.full_name for line in panel.lines] == ["Mass", "Solid", "X", "Mass › Cyst"]
    assert [line.indent for line in panel.lines] == [0, 1, 0, 0]
    assert [line.key for line in panel.lines] == ["1", "2", "3", "4"]


def _dialog(desk: Driver) -> LabelSetDialog:
    desk.desk.asking_labels.ask()
    (dialog,) = desk.desk.window.findChildren(LabelSetDialog)
    assert isinstance(dialog, LabelSetDialog)
    return dialog


def _apply(desk: Driver, dialog: LabelSetDialog) -> list[list[str]]:
    """Go on to what it comes to, and save that; returns the cells that were shown."""
    if not dialog.reviewing:
        dialog.ok.click()
        desk.until(lambda: dialog.reviewing)
    items = dialog.effects.findItems("", Qt.MatchFlag.MatchContains)
    rows = [[item.text(column) for column in range(4)] for item in items]
    with desk.bot.waitSignal(desk.desk.asking_labels.labelling.saved, timeout=WAIT_MS):
        dialog.ok.click()
    desk.until(lambda: not desk.desk.window.findChildren(LabelSetDialog))
    return rows


def test_a_merge_is_shown_saved_and_taken_back_on_the_desk(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    second = desk.scan_id()
    desk.decide(Qt.Key.Key_2)
    reader = desk.desk.library.session.reader if desk.desk.library.session else ""
    dialog = _dialog(desk)
    dialog.editor.mark(0, 1)
    dialog.editor.merge()
    desk.bot.keyClicks(dialog.editor.name_field, "Shape")
    assert _apply(desk, dialog) == [
        [reader, "1", "Disc", "Shape"],
        [reader, "1", "Stripes", "Shape"],
    ]
    table = desk.desk.table
    assert [line.name for line in desk.desk.window.ranking.panel.lines] == ["Shape", "Other"]
    assert (table.detail(first), table.detail(second)) == ("Shape", "Shape")
    desk.decide(Qt.Key.Key_1)

    dialog = _dialog(desk)
    dialog.undo_change.click()
    desk.until(lambda: dialog.reviewing)
    assert _apply(desk, dialog) == [
        [reader, "1", "Shape", label_words.AGAIN],
        [reader, "1", "Shape", "Disc"],
        [reader, "1", "Shape", "Stripes"],
    ]
    assert (table.detail(first), table.detail(second)) == ("Disc", "Stripes")
    assert desk.desk.table.counts().decided == 2


def test_the_queue_still_marks_the_scan_on_screen_after_a_rename(desk: Driver) -> None:
    queue = desk.desk.window.queue
    assert queue.marked == desk.scan_id()
    dialog = _dialog(desk)
    desk.bot.keyClicks(dialog.editor.name_field, " or ring")
    dialog.ok.click()
    desk.until(lambda: desk.desk.window.ranking.panel.lines[0].name == "Disc or ring")
    assert queue.marked == desk.scan_id()


def test_a_scan_of_a_split_label_says_what_it_was(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    dialog = _dialog(desk)
    dialog.editor.mark(0)
    dialog.editor.split()
    desk.bot.keyClicks(dialog.editor.name_field, "Big disc")
    ((_, count, before, after),) = _apply(desk, dialog)
    assert (count, before, after) == ("1", "Disc", label_words.AGAIN)
    desk.desk.review.show(first)
    panel = desk.desk.window.ranking.panel
    assert [line.name for line in panel.lines] == ["Big disc", "Disc 2", "Stripes", "Other"]
    assert panel.notice.startswith(label_words.WAS.format(labels="Disc"))
    for key in (Qt.Key.Key_F, Qt.Key.Key_Space):  # neither says what it is now
        desk.decide(key)
        desk.desk.review.show(first)
        panel = desk.desk.window.ranking.panel
        assert panel.notice.startswith(label_words.WAS.format(labels="Disc"))
    desk.decide(Qt.Key.Key_1)
    desk.desk.review.show(first)
    assert "Was" not in desk.desk.window.ranking.panel.notice
    assert desk.desk.table.detail(first) == "Big disc"
    desk.decide(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    panel = desk.desk.window.ranking.panel
    assert panel.notice.startswith(label_words.WAS.format(labels="Disc"))


def test_undo_on_another_day_says_what_a_scan_of_a_split_label_was(
    start: Callable[[], Driver], project: Path
) -> None:
    desk = start()
    desk.open(project)
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    session, labelling = desk.desk.library.session, desk.desk.asking_labels.labelling
    assert session is not None
    parts, change = split(session.label_set, "disc", ["Big", "Small"], new_id=labels_file.new_id)
    with desk.bot.waitSignal(labelling.saved, timeout=WAIT_MS):
        labelling.save(Revision(parts, (change,)))
    desk.desk.review.show(first)
    desk.decide(Qt.Key.Key_1)
    stop(desk)
    desk = start()
    desk.open(project)
    with desk.bot.waitSignal(desk.desk.review.saved, timeout=WAIT_MS):
        desk.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert desk.scan_id() == first
    panel = desk.desk.window.ranking.panel
    assert panel.notice.startswith(label_words.WAS.format(labels="Disc"))
    assert desk.desk.table.detail(first) == "To decide again"


def test_scans_of_a_split_label_are_found_by_a_filter(
    start: Callable[[], Driver], project: Path
) -> None:
    desk = start()
    desk.open(project)
    first = desk.scan_id()
    for key in (Qt.Key.Key_1, Qt.Key.Key_1, Qt.Key.Key_2):
        desk.decide(key)
    session, labelling = desk.desk.library.session, desk.desk.asking_labels.labelling
    assert session is not None
    parts, change = split(session.label_set, "disc", ["Big", "Small"], new_id=labels_file.new_id)
    with desk.bot.waitSignal(labelling.saved, timeout=WAIT_MS):
        labelling.save(Revision(parts, (change,)))
    for opened_again in (False, True):
        if opened_again:
            stop(desk)
            desk = start()
            desk.open(project)
        table = desk.desk.table
        table.set_filter(Show.AGAIN, "")
        assert [table.id_at(row) for row in range(table.rowCount())] == [first, first + 1]
        assert table.detail(first) == "To decide again"
        table.set_filter(Show.ALL, "decide again")
        assert table.rowCount() == 2
        table.set_filter(Show.ALL, "")
    desk.desk.review.show(first)
    desk.decide(Qt.Key.Key_1)
    table.set_filter(Show.AGAIN, "")
    assert table.id_at(0) == first + 1
    desk.decide(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert table.row_of(first) == 0


def test_a_scan_decided_before_a_label_came_says_that_it_was_not_asked_for(
    driver: Driver, project: Path
) -> None:
    with Project.open(project) as opened:
        reader, now = driver.desk.keeper.settings.reader, opened.label_set()
        opened.record(NewDecision(1, reader, Verdict(State.NONE_APPLY)))
        opened.save_revision(Revision(replace(now, labels=(*now.labels, Label("ring", "Ring")))))
    driver.open(project)
    driver.desk.review.show(1)
    words = label_words.NOT_ASKED.format(labels="Ring")
    assert driver.desk.window.ranking.panel.notice.startswith(words)
    driver.decide(Qt.Key.Key_F)  # says nothing of it either
    assert driver.desk.window.ranking.panel.notice.startswith(words)
    driver.decide(Qt.Key.Key_N)
    driver.desk.review.show(1)
    assert words not in driver.desk.window.ranking.panel.notice


def test_a_removed_label_is_retired_and_back_changes_nothing(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    dialog = _dialog(desk)
    dialog.editor.mark(0)
    dialog.editor.remove()
    dialog.ok.click()
    desk.until(lambda: dialog.reviewing)
    dialog.show_editor()
    dialog.reject()
    desk.until(lambda: not desk.desk.window.findChildren(LabelSetDialog))
    assert desk.desk.table.detail(first) == "Disc"
    dialog = _dialog(desk)
    dialog.editor.mark(0)
    dialog.editor.remove()
    assert [cells[2:] for cells in _apply(desk, dialog)] == [["Disc", label_words.AGAIN]]
    assert desk.desk.table.verdict(first).state is State.UNSEEN


def test_the_label_editor_refuses_bad_names_in_place(desk: Driver) -> None:
    desk.desk.asking_labels.ask()
    dialog = dialog_of(desk, LabelSetDialog)
    assert isinstance(dialog, LabelSetDialog)
    dialog.editor.add()
    assert dialog.problem == dialog_words.EMPTY_NAME.format(place=4)
    assert not dialog.ok.isEnabled()
    desk.bot.keyClicks(dialog.editor.name_field, "disc")
    assert "stands twice" in dialog.problem
    desk.bot.keyClicks(dialog.editor.name_field, " two")
    assert dialog.problem == ""
    with desk.bot.waitSignal(desk.desk.asking_labels.labelling.saved, timeout=WAIT_MS):
        dialog.ok.click()
    assert [line.name for line in desk.desk.window.ranking.panel.lines][-1] == "disc two"


def test_a_rename_keeps_the_id(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    desk.desk.asking_labels.ask()
    dialog = dialog_of(desk, LabelSetDialog)
    assert isinstance(dialog, LabelSetDialog)
    dialog.editor.name_field.clear()
    desk.bot.keyClicks(dialog.editor.name_field, "Circle")
    dialog.ok.click()
    desk.until(lambda: dialog.reviewing)
    with desk.bot.waitSignal(desk.desk.asking_labels.labelling.saved, timeout=WAIT_MS):
        dialog.ok.click()
    assert desk.desk.table.detail(first) == "Circle"


def test_edits_become_changes_of_labels_that_were_there() -> None:
    edit = Edit(tuple(drafts_of(labels_file.from_names(["A", "B", "C", "D"]))))
    edit = edit.merged(["a", "b"]).removed("c").added()
    edit = edit.with_draft(2, replace(edit.drafts[2], name="New"))
    gone = edit.removed(edit.drafts[2].key)
    assert gone.changes == edit.changes  # what was never there can't be retired
    before = labels_file.from_names(["A", "B", "C", "D"])
    revision = edit.revision(before, labels_file.new_id)
    assert revision.label_set.names == ("A or B", "D", "New")
    assert [(one.kind, one.sources, one.into) for one in revision.changes] == [
        (ChangeKind.MERGE, ("a", "b"), ("a-or-b",)),
        (ChangeKind.RETIRE, ("c",), ()),
    ]


@pytest.fixture
def thirty(driver: Driver, tmp_path: Path, scan_folder: Path) -> Driver:
    """A desk with thirty labels, nothing decided yet."""
    names = [f"Finding {number}" for number in range(1, 31)]
    driver.open(make_project(tmp_path / "t.nearl", scan_folder, labels_file.from_names(names)))
    return driver


def _in_sight(desk: Driver) -> list[str]:
    """Labels whose row can be seen whole."""
    rows = desk.desk.window.ranking.rows()
    return [row.line.name for row in rows if row.visibleRegion().boundingRect() == row.rect()]


def test_labels_take_the_room_that_versions_do_not_need(thirty: Driver) -> None:
    assert len(_in_sight(thirty)) >= 8
    thirty.desk.window.resize(1024, 700)
    thirty.until(lambda: thirty.desk.window.height() == 700)
    assert len(_in_sight(thirty)) >= 4
    versions = thirty.desk.window.training.versions
    assert versions.visibleRegion().boundingRect().height() >= 40  # what is live is still seen


def test_a_suggestion_far_down_the_labels_comes_into_sight(thirty: Driver) -> None:
    assert "Finding 18" not in _in_sight(thirty)
    thirty.decide(Qt.Key.Key_8, Qt.KeyboardModifier.ShiftModifier)
    lines = thirty.desk.window.ranking
    thirty.until(lambda: lines.panel.lines[17].enter)
    thirty.until(lambda: "Finding 18" in _in_sight(thirty))


def test_what_the_ranking_learned_from_has_room_in_the_narrowest_panel(qtbot: QtBot) -> None:
    bootstrap.application()
    field = ElidedLabel()
    field.setProperty("role", "small")
    qtbot.addWidget(field)
    field.resize(304, 20)  # of 328, without the margins
    field.show()
    learned = strings.learned_from(1204, of_this=1)
    said = strings.SOURCE_FROZEN.format(what=learned)
    of_all = strings.SOURCE_FROZEN_OF_ALL.format(what=learned)
    of_version = strings.SOURCE_VERSION_OF_ALL.format(version="v12", what=learned)
    for words in (said, of_all, of_version):
        field.show_text(words)
        assert field.text() == words
    sentence = ElidedLabel(sentence=True)
    qtbot.addWidget(sentence)
    sentence.resize(304, 20)
    sentence.show_text(f"{said}, and so on")
    assert "this scan" in sentence.text()  # what matters most gives way last
