"""Undo and redo: the rule, and the rule on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from nearl_core.store.project import Project
from nearl_core.store.undo import Step, UndoLine
from nearl_core.types import Decision, NewDecision, Occasion, Shown, State
from tests.support.projects import decide, labelled, new_project, ranking, said

Action = int | Literal["undo", "redo"]
"""A decision of a scan, below 0 a repeat of it; or what undoes and redoes."""
scans = st.sampled_from([1, 2, 3, 4, -1, -2])
actions = st.lists(scans | st.sampled_from(["undo", "redo"]), max_size=40)


class Log:
    """Decisions of one reader in memory: what each says is the id of the decision it means."""

    def __init__(self, taken: Sequence[Action] = ()) -> None:
        self.steps: list[Step] = []
        self.means: dict[int, int | None] = {}
        for action in taken:
            self.take(action)

    def take(self, action: Action) -> bool:
        line = UndoLine(self.steps)  # from the log alone: as after a restart
        number = len(self.steps) + 1
        if action == "undo":
            undo = line.next_undo()
            if undo is None:
                return False
            self.means[number] = None if undo.restores is None else self.means[undo.restores]
            self.steps.append(Step(number, undo.scan_id, undoes=undo.undoes, repeat=undo.repeat))
        elif action == "redo":
            redo = line.next_redo()
            if redo is None:
                return False
            self.means[number] = self.means[redo.restores]
            repeat = self.steps[redo.restores - 1].repeat
            self.steps.append(Step(number, redo.scan_id, redoes=redo.redoes, repeat=repeat))
        else:
            self.means[number] = number
            self.steps.append(Step(number, abs(action), repeat=action < 0))
        return True

    def standing(self) -> dict[int, int]:
        latest = {step.scan_id: self.means[step.id] for step in self.steps if not step.repeat}
        return {scan: meant for scan, meant in latest.items() if meant is not None}


@given(actions, st.integers(0, 45))
def test_undoing_n_and_redoing_n_changes_nothing(taken: list[Action], count: int) -> None:
    log = Log(taken)
    before = log.standing()
    undone = sum(log.take("undo") for _ in range(count))
    redone = sum(log.take("redo") for _ in range(undone))
    assert redone == undone
    assert log.standing() == before


@given(actions)
def test_undoing_everything_leaves_everything_unseen(taken: list[Action]) -> None:
    log = Log(taken)
    while log.take("undo"):
        pass
    assert log.standing() == {}


@given(actions, scans)
def test_a_new_decision_clears_redo(taken: list[Action], scan: int) -> None:
    log = Log(taken)
    log.take(scan)
    assert not log.take("redo")


@given(actions)
def test_undo_takes_back_the_latest_decision_in_effect(taken: list[Action]) -> None:
    """Against the usual editor: a list of decisions with a cursor."""
    log = Log(taken)
    line: list[tuple[int, int]] = []
    cursor = number = 0
    for action in taken:
        if action == "undo":
            if cursor == 0:
                continue
            cursor -= 1
        elif action == "redo":
            if cursor == len(line):
                continue
            cursor += 1
        else:
            line[cursor:] = [(action, number + 1)]
            cursor += 1
        number += 1
    assert log.standing() == {scan: number for scan, number in line[:cursor] if scan > 0}


@given(actions)
def test_a_line_kept_up_to_date_is_the_line_read_anew(taken: list[Action]) -> None:
    log = Log(taken)
    kept = UndoLine()
    for step in log.steps:
        kept.apply(step)
    anew = UndoLine(log.steps)
    assert (kept.next_undo(), kept.next_redo()) == (anew.next_undo(), anew.next_redo())


def _restarted(project: Project) -> Project:
    project.close()
    return Project.open(project.folder)


def test_undo_and_redo_across_scans_and_restarts(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    decide(project, 1, "disc")
    decide(project, 2, "dots", shown=Shown.VISIBLE, suggestion="disc")
    decide(project, 2, "stripes")
    project = _restarted(project)
    undone = project.undo("r")
    assert undone is not None
    assert (undone.undoes, undone.scan_id, undone.verdict.labels) == (3, 2, ("dots",))
    # What stands again stands with what was on screen when it was decided.
    assert undone.ranking == ranking(2, "disc")
    assert undone.shown is Shown.VISIBLE
    project.undo("r")
    project = _restarted(project)
    assert said(project.standing()) == {(1, "r"): ("disc",)}
    third = project.undo("r")
    assert third is not None
    assert third.verdict.state is State.UNSEEN
    assert project.undo("r") is None
    assert project.standing() == []
    project = _restarted(project)
    for _ in range(3):
        assert project.redo("r") is not None
    assert project.redo("r") is None
    assert said(project.standing()) == {(1, "r"): ("disc",), (2, "r"): ("stripes",)}
    assert len(project.history(2)) == 6  # nothing was ever taken out
    project.close()


def test_readers_do_not_undo_each_other(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="anna")
        decide(project, 1, "dots", reader="ben")
        project.undo("anna")
        assert said(project.standing()) == {(1, "ben"): ("dots",)}
        assert project.undo("anna") is None
        assert said(project.standing("anna")) == {}
        decide(project, 2, "dots", reader="ben")
        assert project.redo("anna") is not None  # ben's decision did not clear it
        assert said(project.standing("anna")) == {(1, "anna"): ("disc",)}


def test_a_repeat_never_stands_and_is_undone_for_itself(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        project.record(NewDecision(1, "r", labelled("disc"), occasion=Occasion.GRID))
        project.record(NewDecision(1, "r", labelled("dots"), occasion=Occasion.REPEAT))
        decide(project, 1, "stripes")
        assert said(project.standing()) == {(1, "r"): ("stripes",)}
        restored = project.undo("r")
        assert restored is not None
        assert (restored.verdict.labels, restored.occasion) == (("disc",), Occasion.GRID)
        project = _restarted(project)
        of_the_repeat = project.undo("r")
        assert of_the_repeat is not None
        assert (of_the_repeat.verdict.state, of_the_repeat.occasion) == (
            State.UNSEEN,
            Occasion.REPEAT,
        )
        assert said(project.standing()) == {(1, "r"): ("disc",)}
        again = project.redo("r")
        assert again is not None
        assert (again.verdict.labels, again.occasion) == (("dots",), Occasion.REPEAT)
        assert said(project.standing()) == {(1, "r"): ("disc",)}
        project.close()


def test_the_clock_may_go_back(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        with project.writing() as connection:
            # A decision of tomorrow: one that was made before the clock was put right.
            connection.exec_driver_sql(
                "INSERT INTO decisions (scan_id, reader, time, label_set_revision, state, labels,"
                " confidence, flagged, note, shown, frames_shown) VALUES (1, 'r',"
                " '2199-01-01 00:00:00.000000', 1, 'labelled', '[\"dots\"]', 'definite', 0, '',"
                " 'blind', '[]')"
            )
        latest: Decision = decide(project, 1, "stripes")
        assert said(project.standing()) == {(1, "r"): ("stripes",)}
        assert [one.id for one in project.history(1)] == [1, 2, 3]
        undone = project.undo("r")
        assert undone is not None
        assert (undone.undoes, undone.verdict.labels) == (latest.id, ("dots",))
