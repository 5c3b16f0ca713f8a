"""What teaches: readers' decisions, and a source's labels where no reader was asked for them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from nearl_core.label_changes import retire, split
from nearl_core.labels_file import new_id
from nearl_core.learn.batches import lessons
from nearl_core.readers import to_learn
from nearl_core.store import decisions, readings
from nearl_core.store.project import Project
from nearl_core.types import (
    Decision,
    Label,
    LabelSet,
    NewDecision,
    Revision,
    Scan,
    Shown,
    State,
    Verdict,
)
from tests.support.projects import LABELS, MULTI, decide, labelled, new_project

SOURCES = frozenset({"registry", "reports"})
SCANS = {n: Scan(n, Path(str(n))) for n in range(4)}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _decision(number: int, scan_id: int, reader: str, verdict: Verdict) -> Decision:
    return Decision(number, scan_id, reader, NOW, verdict)


def _verdicts(label_set: LabelSet) -> st.SearchStrategy[Verdict]:
    most = len(label_set.ids) if label_set.multi_label else 1
    names = st.lists(st.sampled_from(label_set.ids), min_size=1, max_size=most, unique=True)
    states = [State.DEFERRED, State.NONE_APPLY, State.UNASSESSABLE]
    return names.map(lambda some: labelled(*some)) | st.sampled_from(states).map(Verdict)


def _standing(label_set: LabelSet) -> st.SearchStrategy[list[Decision]]:
    """One decision of some scans and readers; a reader or source may not be asked for a label."""
    who = st.sampled_from([*SOURCES, "ann", "bob"])
    said = st.dictionaries(
        st.tuples(st.sampled_from(list(SCANS)), who),
        st.tuples(_verdicts(label_set), st.booleans()),
        max_size=10,
    )

    def made(found: dict[tuple[int, str], tuple[Verdict, bool]]) -> list[Decision]:
        return [
            replace(
                _decision(number, scan_id, reader, verdict),
                unasked=label_set.ids[2:] if partly and label_set.multi_label else (),
            )
            for number, ((scan_id, reader), (verdict, partly)) in enumerate(found.items(), 1)
        ]

    return said.map(made)


EVERY = st.sampled_from([LABELS, MULTI]).flatmap(
    lambda label_set: st.tuples(st.just(label_set), _standing(label_set))
)


def _decided_by_readers(standing: Iterable[Decision]) -> set[int]:
    decided = (found for found in standing if found.verdict.state.is_decided)
    return {found.scan_id for found in decided if found.reader not in SOURCES}


@given(EVERY)
def test_readers_teach_as_they_said_and_sources_what_no_reader_was_asked(
    made: tuple[LabelSet, list[Decision]],
) -> None:
    label_set, standing = made
    taught = to_learn(standing, SOURCES, label_set)
    assert [found for found in taught if found.reader not in SOURCES] == [
        found for found in standing if found.reader not in SOURCES
    ]
    decided = _decided_by_readers(standing)
    for found in standing:
        if found.reader in SOURCES and found.scan_id not in decided:
            assert found in taught
    by_readers = {
        lesson.scan_id: [not np.isnan(target) for target in lesson.target]
        for lesson in lessons(SCANS, taught, label_set)
        if lesson.decision_id in {found.id for found in standing if found.reader not in SOURCES}
    }
    of_sources = {found.id for found in standing if found.reader in SOURCES}
    for lesson in lessons(SCANS, taught, label_set):
        if lesson.decision_id in of_sources and lesson.scan_id in by_readers:
            asked = zip(lesson.target, by_readers[lesson.scan_id], strict=True)
            assert all(np.isnan(target) for target, by_reader in asked if by_reader)


@given(EVERY)
def test_where_all_was_asked_it_is_as_if_nothing_had_been_taken_in(
    made: tuple[LabelSet, list[Decision]],
) -> None:
    label_set, some = made
    standing = [replace(found, unasked=()) for found in some]
    decided = _decided_by_readers(standing)
    never = [x for x in standing if x.reader not in SOURCES or x.scan_id not in decided]
    assert list(to_learn(standing, SOURCES, label_set)) == never


def test_a_deferred_scan_is_left_to_the_source_and_an_unassessable_one_is_not() -> None:
    given = _decision(1, 0, "registry", labelled("disc"))
    deferred = _decision(2, 0, "ann", Verdict(State.DEFERRED))
    unassessable = _decision(2, 0, "ann", Verdict(State.UNASSESSABLE))
    assert to_learn([given, deferred], SOURCES, LABELS) == (given, deferred)
    assert to_learn([given, unassessable], SOURCES, LABELS) == (unassessable,)


LATER = (*LABELS.labels, Label("ring", "Ring"))


@pytest.mark.parametrize("multi_label", [True, False])
def test_of_a_label_that_came_after_the_readers_decision_the_source_still_teaches(
    tmp_path: Path, multi_label: bool
) -> None:
    label_set = replace(LABELS, multi_label=multi_label)
    with new_project(tmp_path, label_set=label_set) as project:
        project.record(NewDecision(1, "ann", Verdict(State.NONE_APPLY)))
        decide(project, 2, "disc", reader="ann")
        project.save_revision(Revision(replace(label_set, labels=LATER)))
        readings.keep_source(project, "registry")
        for scan_id in (1, 2):
            decide(project, scan_id, "ring", reader="registry", shown=Shown.IMPORTED)
        scans = {scan.id: scan for scan in project.scans()}
        now = project.label_set()
        taught = lessons(scans, readings.that_teach(project), now)
        said = {(one.scan_id, one.decision_id): list(one.target) for one in taught}
    place = now.ids.index("ring")
    of_ring = sorted((scan, row[place]) for (scan, _), row in said.items() if row[place] == 1.0)
    if multi_label:
        assert of_ring == [(1, 1.0), (2, 1.0)]
        assert np.isnan([row[0] for row in said.values() if row[place] == 1.0]).all()
    else:  # a disc is no ring, whenever rings were added
        assert of_ring == [(1, 1.0)]


def test_undone_a_decision_lets_the_source_teach_again(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        readings.keep_source(project, "registry")
        wrong = decide(project, 1, "stripes", reader="registry", shown=Shown.IMPORTED)
        assert readings.that_teach(project) == (wrong,)
        right = decide(project, 1, "disc", reader="ann")
        second = decide(project, 1, "disc", reader="bob")
        assert set(readings.that_teach(project)) == {right, second}  # several readers count each
        project.undo("ann")
        assert readings.that_teach(project) == (second,)
        project.undo("bob")
        assert readings.that_teach(project) == (wrong,)
        project.redo("bob")
        (again,) = readings.that_teach(project)
        assert (again.reader, again.verdict) == ("bob", second.verdict)


def test_a_scan_to_be_decided_again_is_left_to_the_source_until_it_is(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        readings.keep_source(project, "registry")
        wrong = decide(project, 1, "stripes", reader="registry", shown=Shown.IMPORTED)
        right = decide(project, 1, "disc", reader="ann")
        label_set, change = split(project.label_set(), "disc", ["Small", "Large"], new_id=new_id)
        project.save_revision(Revision(label_set, (change,)))
        assert [found.id for found in readings.that_teach(project)] == [wrong.id]
        back = project.label_history().undone()
        assert back is not None
        project.save_revision(back)
        assert [found.id for found in readings.that_teach(project)] == [right.id]


def test_what_teaches_is_of_one_moment_whatever_another_process_saves_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = decisions.standing

    def then_labels_change(connection: Connection, reader: str | None) -> list[Decision]:
        found = standing(connection, reader)
        monkeypatch.undo()
        fewer, change = retire(project.label_set(), "dots")
        project.save_revision(Revision(fewer, (change,)))
        return found

    with new_project(tmp_path) as project, Project.open(project.folder, read_only=True) as other:
        readings.keep_source(project, "registry")
        decide(project, 1, "dots", reader="registry", shown=Shown.IMPORTED)
        right = decide(project, 1, "disc", reader="ann")
        monkeypatch.setattr(decisions, "standing", then_labels_change)
        assert readings.that_teach(other) == (right,)  # ann was asked for dots
        assert project.label_set().ids == ("disc", "stripes")
