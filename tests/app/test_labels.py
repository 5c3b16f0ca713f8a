"""Labels on the desk: their tree, their changes, and labels that come from elsewhere."""

import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot

from app import asking_import, bootstrap, strings
from app.models.commands import Command
from app.models.draft import Draft
from app.models.label_drafts import Edit, drafts_of
from app.models.label_tree import below, indents
from app.models.panel import build_panel
from app.strings import label_words
from app.views.dialogs.import_labels import ImportLabelsDialog
from app.views.dialogs.label_set import LabelSetDialog
from app.views.dialogs.readers import ReadersDialog
from app.views.fields import ElidedLabel
from nearl_core import labels_file
from nearl_core.importing import taking
from nearl_core.store import readings
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
from tests.app.driving import WAIT_MS, Driver, make_project


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


def _import_dialog(desk: Driver) -> ImportLabelsDialog:
    desk.desk.actions.asked.emit(Command.IMPORT_LABELS)
    (dialog,) = desk.desk.window.findChildren(ImportLabelsDialog)
    assert isinstance(dialog, ImportLabelsDialog)
    return dialog


def test_the_preview_of_one_source_never_stands_under_another(desk: Driver, tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    table.write_text("file,label\ndisc-0.png,Disc\n")
    dialog = _import_dialog(desk)
    dialog.path.setText(str(table))
    dialog.path.textEdited.emit(str(table))
    dialog.look.click()
    desk.bot.keyClicks(dialog.path, "x")  # before its preview is there
    importing = desk.desk.asking_import.importing
    desk.until(lambda: importing._plan is not None)
    assert not dialog.ok.isEnabled()
    assert not dialog.values.topLevelItemCount()
    dialog.reject()


def test_an_import_that_is_given_up_leaves_what_was_taken_in_to_learn_from(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "_TOGETHER", 1)
    table = tmp_path / "old.csv"
    table.write_text("file,label\ndisc-0.png,Disc\ndisc-1.png,Disc\n")
    dialog = _import_dialog(desk)
    dialog.path.setText(str(table))
    dialog.path.textEdited.emit(str(table))
    dialog.look.click()
    desk.until(dialog.ok.isEnabled)
    record = taking._record

    first, go_on = threading.Event(), threading.Event()

    def one_then_wait(*args: object) -> None:
        record(*args)  # type: ignore[arg-type]
        first.set()
        assert go_on.wait(20)

    monkeypatch.setattr(taking, "_record", one_then_wait)
    dialog.ok.click()
    desk.until(first.is_set)
    dialog.refuse.click()
    go_on.set()
    session = desk.desk.library.session
    assert session is not None
    desk.until(lambda: len(session.others) == 1)
    desk.until(lambda: "Stopped: 1 decision of imported-csv taken in, of 2." in desk.status())


def test_a_table_of_labels_is_shown_mapped_and_taken_in(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_import, "ENOUGH", 2)
    decided = desk.scan_id()
    desk.decide(Qt.Key.Key_2)
    table = tmp_path / "old.csv"
    table.write_text("file,label\ndisc-0.png,Disc\ndisc-1.png,round\nelsewhere.png,Disc\n")
    dialog = _import_dialog(desk)
    assert not dialog.ok.isEnabled()
    dialog.path.setText(str(table))
    dialog.path.textEdited.emit(str(table))
    dialog.name.setText("reports")
    dialog.look.click()
    desk.until(lambda: dialog.values.topLevelItemCount() == 2)
    assert "1 decision would be taken in" in dialog.summary.text()
    assert "elsewhere.png" in dialog.summary.text()
    (item,) = dialog.values.findItems("round", Qt.MatchFlag.MatchExactly)
    means = dialog.values.itemWidget(item, 2).findChild(QComboBox)
    assert isinstance(means, QComboBox)
    assert means.currentText() == label_words.MEANS_NOTHING
    desk.bot.keyClicks(means, "Disc")
    means.activated.emit(means.currentIndex())
    desk.until(lambda: "2 decisions would be taken in" in dialog.summary.text())
    with desk.bot.waitSignal(desk.desk.asking_import.importing.taken, timeout=WAIT_MS):
        dialog.ok.click()
    desk.until(lambda: "2 decisions of reports taken in. Look again lists" in desk.status())
    told = [label.text() for label in desk.desk.window.training.findChildren(QLabel)]
    assert any("3 decisions not trained on yet" in text for text in told)
    session = desk.desk.library.session
    assert session is not None
    assert {one.reader for one in session.others} == {"reports"}
    assert [one.verdict.labels for one in session.others] == [("disc",), ("disc",)]
    assert desk.desk.table.detail(decided) == "Stripes"  # the reader's own word stands beside it
    before = desk.desk.keeper.settings.reader
    desk.desk.asking.change_reader("Reports")
    assert "Reports is a source of labels in this project" in desk.status()
    assert desk.desk.keeper.settings.reader == before
    desk.desk.actions.asked.emit(Command.READERS)
    shown = desk.desk.window.findChildren(ReadersDialog)[-1]
    desk.until(lambda: shown.readers.topLevelItemCount() == 2)
    names = [shown.readers.topLevelItem(row).text(0) for row in (0, 1)]  # type: ignore[union-attr]
    assert names == [before, "reports (source)"]
    shown.reject()


def test_a_project_does_not_open_for_a_reader_who_goes_by_a_source_s_name(
    driver: Driver, project: Path
) -> None:
    with Project.open(project) as opened:
        readings.keep_source(opened, driver.desk.keeper.settings.reader)
    driver.desk.asking.open_path(project)
    driver.until(lambda: bool(driver.troubles))
    assert "is a source of labels in this project" in driver.troubles[0].sentence
    assert "another pseudonym" in driver.troubles[0].remedy
    assert driver.desk.library.session is None


def test_a_tag_that_tells_who_it_is_is_refused_on_the_desk(desk: Driver) -> None:
    dialog = _import_dialog(desk)
    dialog.kind.setCurrentIndex(dialog.kind.findData("dicom-tags"))
    dialog.kind.activated.emit(dialog.kind.currentIndex())
    dialog.tag.setCurrentText("PatientID")
    dialog.look.click()
    desk.until(lambda: "may tell who" in dialog.problem)
    assert not dialog.ok.isEnabled()
    dialog.tag.setCurrentText("Modality")
    assert dialog.problem == ""
    dialog.look.click()
    desk.until(lambda: dialog.values.topLevelItemCount() == 1)
    assert not dialog.ok.isEnabled()  # CT means no label yet


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
    field.resize(296, 20)  # of 328, without the margins
    field.show()
    said = strings.SOURCE_FROZEN.format(what=strings.learned_from(1204, of_this=1))
    field.show_text(said)
    assert field.text() == said
    sentence = ElidedLabel(sentence=True)
    qtbot.addWidget(sentence)
    sentence.resize(296, 20)
    sentence.show_text(f"{said}, others' too")
    assert "this scan" in sentence.text()  # what matters most gives way last
