"""What the data card counts is what its sentences say."""

from pathlib import Path

from nearl_core.export.choice import Choice, Rule
from nearl_core.types import (
    Label,
    LabelProbability,
    LabelSet,
    NewDecision,
    Occasion,
    Ranking,
    Shown,
    State,
    Verdict,
)
from tests.export.running import run
from tests.support.projects import MULTI, decide, labelled, new_project

KINDS = LabelSet((Label("mass", "Mass"), Label("solid", "Solid mass", parent="mass")))


def _card(folder: Path) -> str:
    return " ".join((folder / "README.md").read_text().split())


def _said(label_id: str) -> Ranking:
    return Ranking(1, "v1", 9, (LabelProbability(label_id, 0.8),))


def test_a_kind_of_a_label_that_was_suggested_and_decided_was_followed(tmp_path: Path) -> None:
    with new_project(tmp_path, label_set=KINDS) as project:
        for scan_id, label in ((1, "solid"), (2, "mass")):
            said = NewDecision(scan_id, "r", labelled(label), _said("solid"), Shown.VISIBLE)
            project.record(said)
        run(project, tmp_path / "out")
    assert "in sight: 1 followed its suggestion, 1 did not. 0 were" in _card(tmp_path / "out")


def test_what_is_no_answer_to_a_suggestion_counts_neither_way(tmp_path: Path) -> None:
    before_any = Ranking(2, "frozen", 0, (LabelProbability("disc", 0.4),))
    with new_project(tmp_path, label_set=MULTI) as project:
        for scan_id, verdict, said in (
            (1, Verdict(State.UNASSESSABLE), _said("disc")),
            (2, labelled("disc"), before_any),
            (3, labelled("disc"), _said("disc")),
        ):
            project.record(NewDecision(scan_id, "r", verdict, said, Shown.VISIBLE))
        run(project, tmp_path / "out")
    assert (
        "3 decisions were made with a ranking in sight: 1 followed its suggestion, 0 did not; "
        "of 2 neither can be said"
    ) in _card(tmp_path / "out")


def test_labels_that_a_split_lacks_are_named_each_by_itself(tmp_path: Path) -> None:
    with new_project(tmp_path, label_set=MULTI) as project:
        decide(project, 1, "disc", "dots")
        decide(project, 2, "disc")
        report = run(project, tmp_path / "out", split=(1, 1))
    notices = [one.rpartition(": ")[2] for one in report.notices if "has no scan of" in one]
    assert notices == ["Dots."]


def test_what_a_split_lacks_is_said_in_words(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        for scan_id, state in ((2, State.NONE_APPLY), (3, State.UNASSESSABLE)):
            project.record(NewDecision(scan_id, "r", Verdict(state), None, Shown.BLIND))
        report = run(project, tmp_path / "out", split=(1, 1))
    said = " ".join(one for one in report.notices if "has no scan of" in one)
    assert "“none applies”" in said
    assert "“unassessable”" in said
    assert "none-apply" not in said


def test_a_label_that_follows_from_another_is_not_lacking(tmp_path: Path) -> None:
    label_set = LabelSet(KINDS.labels, multi_label=True)
    with new_project(tmp_path, label_set=label_set) as project:
        decide(project, 1, "mass")
        decide(project, 2, "solid")
        report = run(project, tmp_path / "out", split=(1, 1))
    notices = [one.rpartition(": ")[2] for one in report.notices if "has no scan of" in one]
    assert notices == ["Solid mass."]
    assert "counted where it is named, not where it follows" in _card(tmp_path / "out")


def test_adjudications_among_the_decisions_are_counted(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="a")
        decide(project, 1, "dots", reader="b")
        settles = NewDecision(1, "a", labelled("dots"), occasion=Occasion.ADJUDICATION)
        project.record(settles)
        run(project, tmp_path / "all")
        run(project, tmp_path / "b", choice=Choice(Rule.READER, "b"))
    assert "Adjudications among the decisions: 1." in _card(tmp_path / "all")
    assert "not adjudicated" not in _card(tmp_path / "all")
    assert "they were not adjudicated" in _card(tmp_path / "b")


def test_a_label_that_pandas_takes_for_nothing_is_told(tmp_path: Path) -> None:
    labels = LabelSet((Label("none", "None"), Label("mass", "Mass")))
    with new_project(tmp_path, label_set=labels) as project:
        decide(project, 1, "none")
        for name in ("csv", "jsonl"):
            run(project, tmp_path / name, name, split=(1,))
    assert "pandas takes None for an empty cell" in _card(tmp_path / "csv")
    assert "pandas takes" not in _card(tmp_path / "jsonl")
