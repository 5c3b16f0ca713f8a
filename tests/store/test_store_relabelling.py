"""Changes of the label set in a project: decisions stay as they were made."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Row

from nearl_core.control import RunControl
from nearl_core.errors import ProjectError, VersionError
from nearl_core.label_changes import merge, retire, split
from nearl_core.labels_file import new_id
from nearl_core.store import decision_rows
from nearl_core.store.check import check
from nearl_core.store.project import Project
from nearl_core.store.relabelling import effects_of, to_decide_again
from nearl_core.types import (
    Decision,
    Effect,
    Label,
    NewDecision,
    Ranking,
    Revision,
    Shown,
    State,
    Verdict,
)
from tests.support.projects import MULTI, decide, labelled, new_project, ranking, said, version


def _merge(project: Project, *ids: str, name: str) -> None:
    label_set, change = merge(project.label_set(), ids, name, new_id=new_id)
    project.save_revision(Revision(label_set, (change,)))


def _undo_labels(project: Project) -> None:
    back = project.label_history().undone()
    assert back is not None
    project.save_revision(back)


def test_a_merge_is_shown_before_it_is_done_and_undone_after(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="a")
        decide(project, 2, "dots", reader="a")
        decide(project, 3, "stripes", reader="a")
        decide(project, 1, "dots", reader="b")
        before = said(project.standing())
        label_set, change = merge(project.label_set(), ("disc", "dots"), "Round", new_id=new_id)
        assert effects_of(project, Revision(label_set, (change,))) == (
            Effect("a", ("Disc",), ("Round",), again=False, decisions=1),
            Effect("a", ("Dots",), ("Round",), again=False, decisions=1),
            Effect("b", ("Dots",), ("Round",), again=False, decisions=1),
        )
        assert said(project.standing()) == before  # nothing was done
        project.save_revision(Revision(label_set, (change,)))
        decide(project, 4, "round", reader="a")
    with Project.open(tmp_path / "p") as project:
        assert said(project.standing("a")) == {
            (1, "a"): ("round",),
            (2, "a"): ("round",),
            (3, "a"): ("stripes",),
            (4, "a"): ("round",),
        }
        assert [one.verdict.labels for one in project.history(1)] == [("disc",), ("dots",)]
        back = project.label_history().undone()
        assert back is not None
        assert Effect("a", ("Round",), (), again=True, decisions=1) in effects_of(project, back)
        _undo_labels(project)
        assert said(project.standing()) == before
        assert {key: one.verdict.labels for key, one in to_decide_again(project).items()} == {
            (4, "a"): ("round",)
        }
        findings = check(project, RunControl()).findings
        assert not [one for one in findings if "label" in one.message]


def test_a_note_and_a_flag_outlive_the_label_that_they_stood_beside(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        noted = replace(labelled("disc"), note="seen from below", flagged=True)
        project.record(NewDecision(1, "r", noted))
        label_set, change = split(project.label_set(), "disc", ("A", "B"), new_id=new_id)
        project.save_revision(Revision(label_set, (change,)))
        (left,) = project.standing()
        assert left.verdict == Verdict(State.DEFERRED, flagged=True, note="seen from below")
        assert set(to_decide_again(project)) == {(1, "r")}
        _undo_labels(project)
        assert [one.verdict for one in project.standing()] == [noted]


def test_what_is_split_is_decided_again_and_undo_across_it_is_exact(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        decide(project, 1, "dots")
        label_set, change = split(project.label_set(), "disc", ("Big", "Small"), new_id=new_id)
        project.save_revision(Revision(label_set, (change,)))
        undone = project.undo("r")  # what it restores was a disc, which is asked for no more
        assert undone is not None
        assert undone.verdict.state is State.UNSEEN
        assert project.standing() == []
        assert list(to_decide_again(project)) == [(1, "r")]
        _undo_labels(project)
        assert said(project.standing()) == {(1, "r"): ("disc",)}
        redone = project.redo("r")
        assert redone is not None
        assert redone.verdict == labelled("dots")


def test_a_retired_label_leaves_the_others_of_a_scan(tmp_path: Path) -> None:
    with new_project(tmp_path, label_set=MULTI) as project:
        decide(project, 1, "disc", "dots")
        decide(project, 2, "disc")
        project.record(NewDecision(3, "r", labelled("dots"), ranking(3, "dots"), Shown.VISIBLE))
        label_set, change = retire(project.label_set(), "disc")
        project.save_revision(Revision(label_set, (change,)))
        assert said(project.standing()) == {(1, "r"): ("dots",), (3, "r"): ("dots",)}
        _merge(project, "dots", "stripes", name="Pattern")
        third = project.standing()[-1]
        assert third.verdict == labelled("pattern")
        assert third.ranking is not None
        assert third.ranking.labels[0].label_id == "pattern"


def test_a_decision_says_that_it_was_not_asked_for_a_label_that_came_later(tmp_path: Path) -> None:
    with new_project(tmp_path, label_set=MULTI) as project:
        decide(project, 1, "disc")
        decide(project, 2, "disc")
        project.save_revision(
            Revision(replace(MULTI, labels=(*MULTI.labels, Label("ring", "Ring"))))
        )
        decide(project, 2, "disc")
        assert [one.unasked for one in project.standing()] == [("ring",), ()]
        undone = project.undo("r")
        assert undone is not None
        assert undone.unasked == ("ring",)


def test_what_is_added_to_a_decision_leaves_its_labels_as_they_were_made(tmp_path: Path) -> None:
    with new_project(tmp_path, label_set=MULTI) as project:
        first = project.record(
            NewDecision(1, "r", labelled("disc"), ranking(1), Shown.VISIBLE, frames_shown=(1,))
        )
        project.save_revision(
            Revision(replace(MULTI, labels=(*MULTI.labels, Label("ring", "Ring"))))
        )
        flagged = replace(labelled("disc"), flagged=True, frame=2)
        added = project.record(NewDecision(1, "r", flagged, frames_shown=(2,), adds_to=first.id))
        assert (added.verdict, added.unasked) == (flagged, ("ring",))
        assert (added.ranking, added.shown) == (ranking(1), Shown.VISIBLE)
        assert added.frames_shown == (1, 2)
        label_set, change = split(project.label_set(), "disc", ("A", "B"), new_id=new_id)
        project.save_revision(Revision(label_set, (change,)))
        noted = Verdict(State.DEFERRED, flagged=True, note="later")
        put_off = project.record(NewDecision(1, "r", noted, adds_to=added.id)).verdict
        assert replace(put_off, frame=None) == noted
        assert set(to_decide_again(project)) == {(1, "r")}
        _undo_labels(project)
        assert [one.verdict for one in project.standing()] == [replace(flagged, note="later")]
        with pytest.raises(ProjectError, match="never said"):
            project.record(NewDecision(1, "someone else", noted, adds_to=added.id))


def test_a_scan_that_is_put_off_is_still_to_be_decided_again(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        decide(project, 2, "disc")
        project.undo("r")
        label_set, change = split(project.label_set(), "disc", ("A", "B"), new_id=new_id)
        project.save_revision(Revision(label_set, (change,)))
        project.record(NewDecision(1, "r", Verdict(State.DEFERRED)))
        assert set(to_decide_again(project)) == {(1, "r")}
        project.record(NewDecision(1, "r", Verdict(State.UNASSESSABLE)))
        assert not to_decide_again(project)


def test_a_scan_whose_new_decision_was_taken_back_is_to_be_decided_again(tmp_path: Path) -> None:
    """Also where what stood before it was a deferral, which decides nothing."""
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        label_set, change = split(project.label_set(), "disc", ["Small", "Large"], new_id=new_id)
        project.save_revision(Revision(label_set, (change,)))
        project.record(NewDecision(1, "r", Verdict(State.DEFERRED)))
        decide(project, 1, "small")
        assert to_decide_again(project) == {}
        project.undo("r")
        assert list(to_decide_again(project)) == [(1, "r")]
        project.redo("r")
        assert to_decide_again(project, "r", scan_id=1) == {}
        for _ in range(3):
            project.undo("r")
        assert to_decide_again(project) == {}  # nothing was said of it any more


def test_a_reading_window_sees_the_labels_that_the_writing_one_saved(tmp_path: Path) -> None:
    with new_project(tmp_path) as project, Project.open(tmp_path / "p", read_only=True) as other:
        decide(project, 1, "disc")
        _merge(project, "disc", "dots", name="Round")
        (standing,) = other.standing()
        assert standing.verdict.labels == ("round",)
        assert other.label_set().by_id("round").name == "Round"
        assert other.versions() == []


def test_no_row_of_a_decision_is_ever_rewritten(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        decide(project, 2, "dots")
        database = project.folder / "project.db"

        def rows() -> list[tuple[object, ...]]:
            with closing(sqlite3.connect(database)) as connection:
                return connection.execute("SELECT * FROM decisions ORDER BY id").fetchall()

        before = rows()
        _merge(project, "disc", "dots", name="Round")
        _undo_labels(project)
        assert rows() == before
        assert [one.label_set.revision for one in project.label_history().revisions] == [1, 2, 3]


def test_a_version_rests_while_the_labels_are_others(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        project.add_version(version("v1"))
        project.activate("v1")
        assert [one.live for one in project.versions()] == [True]
        _merge(project, "disc", "dots", name="Round")
        assert [one.live for one in project.versions()] == [False]
        with pytest.raises(VersionError, match="before the labels changed"):
            project.activate("v1")
        _undo_labels(project)
    with Project.open(tmp_path / "p") as project:
        assert project.label_set().revision == 1
        assert [one.live for one in project.versions()] == [True]
        assert project.save_revision(Revision(project.label_set())).revision == 1
        _merge(project, "disc", "dots", name="Round")
        assert project.label_set().revision == 4


def test_labels_change_without_reading_what_was_on_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(text: str, scan_id: int) -> Ranking:
        raise AssertionError(f"the ranking of scan {scan_id} was read: {text}")

    with new_project(tmp_path) as project:
        for scan_id in (1, 2, 3):
            decide(project, scan_id, "disc", shown=Shown.VISIBLE, suggestion="disc")
        monkeypatch.setattr(decision_rows, "_ranking_from_json", unwanted)
        label_set, change = split(project.label_set(), "disc", ("Big", "Small"), new_id=new_id)
        wanted = Revision(label_set, (change,))
        assert [effect.decisions for effect in effects_of(project, wanted)] == [3]
        project.save_revision(wanted)
        assert list(to_decide_again(project)) == [(1, "r"), (2, "r"), (3, "r")]
        monkeypatch.undo()
        assert project.history(1)[0].ranking == ranking(1)


def test_what_was_made_in_the_labels_of_now_is_not_read_to_find_what_to_decide_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    to_decision = decision_rows.to_decision

    def noted(row: Row[tuple[object, ...]]) -> Decision:
        read.append(row.scan_id)
        return to_decision(row)

    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        label_set, change = split(project.label_set(), "disc", ("Big", "Small"), new_id=new_id)
        project.save_revision(Revision(label_set, (change,)))
        decide(project, 2, "stripes")
        monkeypatch.setattr("nearl_core.store.decisions.to_decision", noted)
        assert list(to_decide_again(project)) == [(1, "r")]
    assert read == [1]
