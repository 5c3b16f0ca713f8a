"""What a reader decided first, and looked at twice, through undo, redo and repeats."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from nearl_core import labels_file
from nearl_core.label_changes import merge, split
from nearl_core.labels_file import new_id
from nearl_core.store import decisions, record
from nearl_core.store.project import Project
from nearl_core.store.readings import readings
from nearl_core.store.scans import NewScan
from nearl_core.types import (
    Identity,
    LabelProbability,
    NewDecision,
    Occasion,
    Ranking,
    Revision,
    ScanInfo,
    Shown,
    State,
    Verdict,
)

LABELS = labels_file.from_names(["Disc", "Stripes"])
DISC, STRIPES = LABELS.ids


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    files = [tmp_path / f"{number}.png" for number in range(4)]
    for file in files:
        file.write_bytes(b"x")
    with Project.create(tmp_path / "p.nearl", LABELS) as made:
        made.add_scans([NewScan(file, info=ScanInfo(8, 8), identity=Identity()) for file in files])
        yield made


def say(
    project: Project, scan: int, label: str = "", *, flagged: bool = False, **more: object
) -> None:
    state = State.LABELLED if label else State.DEFERRED
    verdict = Verdict(state, (label,) if label else (), flagged=flagged)
    ranking = Ranking(scan, "frozen", 3, (LabelProbability(DISC, 0.7),))
    new = NewDecision(scan, "r", verdict, ranking, Shown.VISIBLE)
    project.record(NewDecision(**{**vars(new), **more}))


def test_the_first_answer_counts_and_what_was_undone_does_not(project: Project) -> None:
    one, two, three, four = (scan.id for scan in project.scans())
    say(project, one, flagged=True)  # deferred: no answer yet
    say(project, one, DISC)
    say(project, one, STRIPES)
    say(project, two, STRIPES)
    project.undo("r")
    say(project, two, DISC)
    say(project, three, DISC)
    project.undo("r")
    project.redo("r")
    say(project, four, DISC, reader="someone else")
    found = record.of_reader(project, "r")
    assert [(d.scan_id, d.verdict.labels) for d in found.firsts] == [
        (one, (DISC,)),
        (two, (DISC,)),
        (three, (DISC,)),
    ]
    assert all(d.ranking is not None for d in found.firsts)


def test_a_scan_that_others_told_of_before_is_no_test(project: Project) -> None:
    one, two, three, _ = (scan.id for scan in project.scans())
    say(project, one, DISC, reader="imported-csv", shown=Shown.IMPORTED)
    say(project, two, reader="someone else")  # deferred, which teaches nothing
    for scan_id in (one, two, three):
        say(project, scan_id, DISC)
    say(project, three, STRIPES, reader="someone else")  # after the reader
    assert [found.scan_id for found in record.of_reader(project, "r").firsts] == [two, three]


def test_a_decision_in_labels_that_changed_is_read_in_the_new_ones(project: Project) -> None:
    """What a merge made of a label is no other word, and the same word again is a second look."""
    one, two, three, _ = (scan.id for scan in project.scans())
    for scan_id in (one, two, three):
        say(project, scan_id, DISC)
    merged, change = merge(project.label_set(), [DISC, STRIPES], "Round", new_id=new_id)
    project.save_revision(Revision(merged, () if change is None else (change,)))
    (label,) = merged.ids
    say(project, one, label, flagged=True)  # the same, and a flag
    say(project, two, label)
    found = record.of_reader(project, "r")
    assert found.looked_twice == {two}
    assert found.answered == {one, two, three}


def test_a_scan_whose_first_answer_no_longer_reads_has_had_one(project: Project) -> None:
    scan_id = project.scans()[0].id
    say(project, scan_id, DISC)
    parts, change = split(project.label_set(), DISC, ["Big", "Small"], new_id=new_id)
    project.save_revision(Revision(parts, () if change is None else (change,)))
    found = record.of_reader(project, "r")
    assert not found.firsts
    assert found.answered == {scan_id}


def test_naming_a_frame_is_no_second_look(project: Project) -> None:
    scan_id = project.scans()[0].id
    say(project, scan_id, DISC)
    (standing,) = project.standing()
    say(project, scan_id, verdict=replace(standing.verdict, frame=3), adds_to=standing.id)
    assert not record.of_reader(project, "r").looked_twice
    (named,) = project.standing()
    say(project, scan_id, verdict=named.verdict)  # all of it once more
    assert record.of_reader(project, "r").looked_twice == {scan_id}


def test_looked_twice_is_saying_it_anew_and_not_a_flag_or_a_repeat(project: Project) -> None:
    one, two, three, four = (scan.id for scan in project.scans())
    say(project, three, flagged=True)  # deferred: not decided yet
    for scan in (one, two, three, four):
        say(project, scan, DISC)
    say(project, one, STRIPES)
    say(project, two, DISC)
    say(project, three, DISC, flagged=True)
    say(project, four, STRIPES, occasion=Occasion.REPEAT)
    assert record.of_reader(project, "r").looked_twice == {one, two}
    project.undo("r")  # the repeat
    project.undo("r")  # the flag
    project.undo("r")  # two, said once more
    assert record.of_reader(project, "r").looked_twice == {one}


def test_deciding_again_since_the_labels_changed_is_no_second_look(project: Project) -> None:
    one, two, three, _ = (scan.id for scan in project.scans())
    for scan in (one, two, three):
        say(project, scan, DISC)
    parts, change = split(project.label_set(), DISC, ("A", "B"), new_id=labels_file.new_id)
    project.save_revision(Revision(parts, (change,)))
    part = project.label_set().ids[0]
    say(project, one, part)
    say(project, two, part)
    say(project, two, part)
    assert record.of_reader(project, "r").looked_twice == {two}


def test_only_the_latest_are_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = [scan.id for scan in project.scans()]
    for scan in scans:
        say(project, scan, DISC)
    monkeypatch.setattr(record, "LATEST", 3)
    monkeypatch.setattr(decisions, "_TOGETHER", 2)
    assert [d.scan_id for d in record.of_reader(project, "r").firsts] == scans[1:]


def test_scans_that_came_again_are_asked_for_together(project: Project) -> None:
    asked: list[str] = []

    def noted(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    def questions() -> int:
        asked.clear()
        event.listen(Engine, "before_cursor_execute", noted)
        try:
            found = readings(project)
        finally:
            event.remove(Engine, "before_cursor_execute", noted)
        said = [(first.verdict.labels, again.verdict.labels) for first, again in found.repeats]
        assert said == [((STRIPES,), (DISC,))] * len(said)
        assert [one.verdict.labels for one in found.adjudications] == [(DISC,)] * len(said)
        return len(asked)

    def again(scan: int) -> None:
        say(project, scan, DISC)
        say(project, scan, STRIPES)
        say(project, scan, DISC, occasion=Occasion.REPEAT)
        say(project, scan, DISC, reader="judge", occasion=Occasion.ADJUDICATION)

    one, *others = (scan.id for scan in project.scans())
    again(one)
    of_one = questions()
    for scan in others:
        again(scan)
    assert questions() == of_one
    say(project, one, DISC, reader="judge")  # nothing is settled any more
    assert len(readings(project).adjudications) == len(others)
