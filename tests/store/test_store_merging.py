"""Copies of a project, worked in at the same time, become one again."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from nearl_core.control import RunControl
from nearl_core.errors import Cancelled, ProjectError, UsageError
from nearl_core.label_changes import rename
from nearl_core.merging import Merge
from nearl_core.store import readings
from nearl_core.store.bulk import Write
from nearl_core.store.merging import look, take
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.store.whole_copy import copy_whole
from nearl_core.types import Identity, NewDecision, Occasion, Revision, ScanInfo, Shown
from tests.support.projects import decide, labelled, new_project, ranking, said, version


def copied(project: Project, name: str = "copy") -> Project:
    """An open copy of a project's folder, made as one copies folders."""
    folder = project.folder.with_name(f"{name}.nearl")
    shutil.copytree(project.folder, folder)
    return Project.open(folder)


def merge(project: Project, copy: Project) -> Merge:
    found = look(project, copy.folder)
    take(project, found, RunControl())
    return found


def test_three_readers_who_worked_at_once_stand_beside_each_other(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="ada")
        with copied(project, "bo") as bo, copied(project, "cy") as cy:
            decide(project, 2, "disc", reader="ada")
            decide(bo, 1, "stripes", reader="bo")
            decide(bo, 2, "stripes", reader="bo")
            decide(cy, 2, "dots", reader="cy")
            first, second = merge(project, bo), merge(project, cy)
        assert [dict(found.readers) for found in (first, second)] == [{"bo": 2}, {"cy": 1}]
        assert said(project.standing()) == {
            (1, "ada"): ("disc",),
            (2, "ada"): ("disc",),
            (1, "bo"): ("stripes",),
            (2, "bo"): ("stripes",),
            (2, "cy"): ("dots",),
        }


def test_a_decision_keeps_when_and_how_it_was_made(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        with copied(project) as copy:
            new = NewDecision(2, "bo", labelled("disc"), ranking(2), Shown.VISIBLE, 812, (3, 4))
            made = copy.record(replace(new, occasion=Occasion.ADJUDICATION))
            decide(project, 1, "disc")
            merge(project, copy)
        (kept,) = project.history(2)
    assert kept.id != made.id
    assert (kept.time, kept.ranking, kept.verdict) == (made.time, made.ranking, made.verdict)
    assert (kept.shown, kept.frames_shown) == (made.shown, made.frames_shown)
    assert (kept.milliseconds, kept.occasion) == (made.milliseconds, made.occasion)


def test_merging_again_takes_over_only_what_came_since(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        assert len(merge(project, copy).decisions) == 1
        assert len(merge(project, copy).decisions) == 0
        decide(copy, 2, "disc", reader="bo")
        again = merge(project, copy)
        assert [one.scan_id for one in again.decisions] == [2]
        assert len(project.standing()) == 2


def test_what_was_taken_back_in_the_copy_stays_taken_back(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="bo")
        with copied(project) as copy:
            decide(project, 4, "dots", reader="ada")  # numbers differ from here on
            copy.undo("bo")
            decide(copy, 2, "disc", reader="bo")
            decide(copy, 3, "disc", reader="bo")
            copy.undo("bo")
            copy.redo("bo")
            merge(project, copy)
        assert set(said(project.standing("bo"))) == {(2, "bo"), (3, "bo")}
        # And the reader goes on from there, in the project.
        project.undo("bo")
        assert set(said(project.standing("bo"))) == {(2, "bo")}
        project.undo("bo")
        assert not project.standing("bo")
        assert project.redo("bo") is not None


def test_the_later_word_of_a_reader_stands(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        decide(copy, 2, "disc", reader="bo")
        decide(project, 1, "dots", reader="bo")
        found = merge(project, copy)
        assert (len(found.decisions), found.compared.overtaken) == (1, 1)
        assert said(project.standing()) == {(1, "bo"): ("dots",), (2, "bo"): ("disc",)}
        decide(copy, 1, "stripes", reader="bo")  # later than what the project says
        merge(project, copy)
        assert said(project.standing())[1, "bo"] == ("stripes",)


def test_the_later_word_stands_after_both_were_merged_into_each_other(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        decide(project, 1, "dots", reader="bo")
        for to, of in ((copy, project), (project, copy), (copy, project)):
            merge(to, of)
        for place in (project, copy):
            assert said(place.standing()) == {(1, "bo"): ("dots",)}


def test_what_was_taken_back_in_the_copy_takes_no_word_of_the_project_away(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        decide(project, 1, "dots", reader="bo")
        copy.undo("bo")
        merge(project, copy)
        merge(copy, project)
        for place in (project, copy):
            assert said(place.standing()) == {(1, "bo"): ("dots",)}


def test_a_repeat_is_always_taken_and_makes_no_word_the_later_one(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        decide(project, 1, "dots", reader="bo")
        copy.record(NewDecision(1, "bo", labelled("disc"), occasion=Occasion.REPEAT))
        assert merge(project, copy).compared.overtaken == 1
        assert said(project.standing()) == {(1, "bo"): ("dots",)}
        assert [one.occasion for one in project.history(1)][-1] is Occasion.REPEAT


def test_the_later_adjudication_holds_and_hides_no_reader(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        for place, reader, label in ((copy, "bo", "disc"), (project, "ada", "dots")):
            place.record(NewDecision(1, reader, labelled(label), occasion=Occasion.ADJUDICATION))
        merge(project, copy)
        found = readings.readings(project)
        assert [one.reader for one in found.adjudications] == ["ada"]
        assert [one.reader for one in found.reads] == ["bo"]


def test_an_undo_of_what_the_project_has_is_known_where_others_came_between(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="bo")
        with copied(project) as copy:
            decide(project, 2, "disc", reader="bo")
            copy.undo("bo")
            decide(copy, 1, "dots", reader="bo")
            merge(project, copy)
        project.undo("bo")  # the dots; what was before them was taken back
        assert set(said(project.standing())) == {(2, "bo")}
        project.undo("bo")
        assert not project.standing()
        assert project.undo("bo") is None


def test_scans_are_known_again_by_when_they_were_added_or_by_their_path(tmp_path: Path) -> None:
    with new_project(tmp_path, scans=1) as project, copied(project) as copy:
        both = tmp_path / "scans" / "both.png"
        project.add_scans([NewScan(tmp_path / "scans" / "here.png", ScanInfo(8, 8))])
        for place in (copy, project):
            place.add_scans([NewScan(both, ScanInfo(8, 8))])
        copy.add_scans([NewScan(tmp_path / "scans" / "there.png", ScanInfo(8, 8))])
        for number in (1, 2, 3):  # there since before, in both, in the copy alone
            decide(copy, number, "disc", reader="bo")
        found = merge(project, copy)
        assert (len(found.decisions), found.compared.missing) == (2, 1)
        here = {one.path: one.id for one in project.scans()}
        assert {one.scan_id for one in project.standing()} == {1, here[both]}


def test_one_path_that_leads_to_two_files_makes_no_scan_of_one_the_other(tmp_path: Path) -> None:
    with new_project(tmp_path, scans=1) as project, copied(project) as copy:
        for place, size in ((project, 10), (copy, 20)):  # on two computers
            (tmp_path / "new.png").write_bytes(bytes(size))
            place.add_scans([NewScan(tmp_path / "new.png", ScanInfo(8, 8))])
        for place, series in ((project, "1.2"), (copy, "1.3")):
            stack = NewScan(
                project.folder / "stacks" / "CT-se2-AX-40fr-0001.stack",
                ScanInfo(8, 8, frames=40),
                Identity(patient="P1", series=series),
            )
            place.add_scans([replace(stack, path=place.folder / "stacks" / stack.path.name)])
        for scan_id in (2, 3):
            decide(copy, scan_id, "disc", reader="bo")
        assert merge(project, copy).compared.missing == 2
        assert not project.standing()


def test_scans_added_to_both_are_known_where_the_copy_stands_elsewhere(tmp_path: Path) -> None:
    with new_project(tmp_path, scans=1) as project:
        folder = copy_whole(project, tmp_path / "for" / "bo")
        both = tmp_path / "scans" / "both.png"
        project.add_scans([NewScan(tmp_path / "scans" / "here.png", ScanInfo(8, 8))])
        with Project.open(folder) as copy:
            for place in (copy, project):
                place.add_scans([NewScan(both, ScanInfo(8, 8))])
            decide(copy, 2, "disc", reader="bo")
            merge(project, copy)
        assert [one.scan_id for one in project.standing()] == [3]


def test_what_was_imported_into_the_copy_is_left_out_and_counted(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        readings.keep_source(copy, "reports")
        decide(copy, 1, "disc", reader="reports", shown=Shown.IMPORTED)
        decide(copy, 1, "disc", reader="bo")
        found = merge(project, copy)
        assert (dict(found.readers), found.compared.of_sources) == ({"bo": 1}, 1)


def test_a_version_of_the_copy_is_not_taken_for_the_projects(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        project.add_version(version("v1"))
        with copied(project) as copy:
            decide(copy, 1, "disc", reader="bo", suggestion="disc")
            copy.add_version(version("v2"))
            said_by_v2 = replace(ranking(2), version="v2")
            copy.record(NewDecision(2, "bo", labelled("disc"), said_by_v2))
            merge(project, copy)
        first, second = (one.ranking.version for one in project.standing() if one.ranking)
    assert first == "v1"
    assert second.startswith("v2-")


def test_what_can_not_be_merged_says_why_and_changes_nothing(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        with pytest.raises(UsageError, match="project itself"):
            look(project, project.folder)
        with new_project(tmp_path / "other") as other, pytest.raises(ProjectError, match="no copy"):
            look(project, other.folder)
        decide(copy, 1, "disc", reader="bo")
        renamed, change = rename(copy.label_set(), "disc", "Optic disc")
        copy.save_revision(Revision(renamed, (change,) if change else ()))
        assert len(look(project, copy.folder).decisions) == 1  # said in the labels of both
        decide(copy, 2, "disc", reader="bo")
        with pytest.raises(ProjectError, match="labels were changed in copy"):
            look(project, copy.folder)
        assert not project.standing()


def test_labels_that_changed_in_the_project_alone_are_carried_over(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        renamed, change = rename(project.label_set(), "disc", "Optic disc")
        project.save_revision(Revision(renamed, (change,) if change else ()))
        merge(project, copy)
        (stands,) = project.standing()
        assert project.label_set().names_of(stands.verdict.labels) == ("Optic disc",)


def test_a_merge_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    with new_project(tmp_path, scans=250) as project, copied(project) as copy:
        copy.record_all([NewDecision(n, "bo", labelled("disc")) for n in range(1, 251)])
        control = RunControl()
        with pytest.raises(Cancelled):
            take(project, look(project, copy.folder), control, write=_then_stop(control))
        assert len(project.standing()) == 100
        assert len(merge(project, copy).decisions) == 150
        assert len(project.standing()) == 250


def test_a_look_that_was_stopped_ends_before_all_is_read(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, copied(project) as copy:
        decide(copy, 1, "disc", reader="bo")
        control = RunControl()
        control.cancel()
        with pytest.raises(Cancelled):
            look(project, copy.folder, control)


def _then_stop(control: RunControl) -> Write:
    def write(work: Callable[[], None]) -> None:
        work()
        control.cancel()

    return write


BAD_VALUES = (
    ("reader", ""),
    ("reader", b"\xff"),
    ("reader", "a\0b"),
    ("time", "yesterday"),
    ("state", "odd"),
    ("labels", '[["disc"]]'),
    ("labels", '["nothing"]'),
    ("label_set_revision", 9),
    ("note", b"\xff\x00"),
    ("note", "x" * 1_000_000),
    ("frame", "x"),
    ("milliseconds", "x"),
    ("frames_shown", '["x"]'),
    ("ranking", "7"),
    (
        "ranking",
        '{"version": 7, "decisions": 1, "labels": [], "frame": 0, "notice": "", "unlike": 0}',
    ),
    (
        "ranking",
        '{"version": "v1", "decisions": 1, "labels": [["disc", NaN]], "frame": 0, "notice": "",'
        ' "unlike": false}',
    ),
    ("undoes", 99),
    ("undoes", 1),
    ("undoes", 2),
    ("redoes", "x"),
    ("unasked", '["nothing"]'),
)


@pytest.mark.parametrize(("column", "value"), BAD_VALUES)
def test_what_no_program_wrote_into_a_copy_stays_there(
    tmp_path: Path, column: str, value: object
) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="ada")
        with copied(project) as copy:
            decide(copy, 2, "disc", reader="bo", suggestion="disc")
        with closing(sqlite3.connect(copy.folder / "project.db")) as database, database:
            database.execute("DROP TRIGGER decisions_no_update")
            database.execute(f"UPDATE decisions SET {column} = ? WHERE id = 2", (value,))
        changed = "labels were changed in copy" if column == "label_set_revision" else "is damaged"
        with pytest.raises(ProjectError, match=changed) as caught:
            merge(project, copy)
        assert "restore" not in caught.value.remedy  # the project itself is sound
        assert len(project.standing()) == 1
