"""What an export says of a scan: of several readers one word, of old labels today's."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from nearl_core import label_changes
from nearl_core.errors import ExportError
from nearl_core.export.choice import Choice, Rule
from nearl_core.export.rows import collect
from nearl_core.labels_file import new_id
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import (
    Label,
    LabelSet,
    NewDecision,
    Occasion,
    Revision,
    ScanInfo,
    State,
    Verdict,
)
from tests.export.running import run
from tests.support.projects import LABELS, MULTI, decide
from tests.support.scans import disc, write_png


def _votes(project: Project) -> None:
    for reader, labels in (
        ("a", ("disc", "disc", "disc", "dots")),
        ("b", ("disc", "disc", "dots", "disc")),
        ("c", ("disc", "dots", "stripes", "disc")),
    ):
        for scan_id, label in enumerate(labels, start=1):
            decide(project, scan_id, label, reader=reader)
    decide(project, 5, "dots", reader="c")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(Rule.AGREED), {1: "disc", 5: "dots"}),
        (Choice(Rule.MAJORITY), {1: "disc", 2: "disc", 4: "disc", 5: "dots"}),
        (Choice(Rule.READER, "b"), {1: "disc", 2: "disc", 3: "dots", 4: "disc"}),
        (
            Choice(Rule.ADJUDICATED, "a"),
            {1: "disc", 2: "disc", 3: "disc", 4: "dots", 5: "dots"},
        ),
    ],
)
def test_several_readers_come_to_one_word(
    tmp_path: Path, choice: Choice, expected: dict[int, str]
) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        for number in range(5):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number))
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
        _votes(project)
        report = run(project, tmp_path / "out", "jsonl", choice=choice, split=(1,))
    lines = (tmp_path / "out" / "decisions.jsonl").read_text().splitlines()
    rows = {row["scan"]: row for row in map(json.loads, lines)}
    assert {int(name[-6:]): row["label_id"][0] for name, row in rows.items()} == expected
    assert len(report.left_out) == 5 - len(expected)
    if choice.rule is Rule.MAJORITY:
        assert rows["scan-000002"]["reader"] == "2 of 3 readers"
        assert rows["scan-000001"]["reader"] == "3 of 3 readers"
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| a and b | 4 | 50% | -0.33 | -1.00 to 0.60 |" in card


def test_what_was_adjudicated_comes_first_and_is_no_vote(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        for number in range(3):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number))
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
        for reader, label in (("a", "disc"), ("b", "dots")):
            decide(project, 1, label, reader=reader)
            decide(project, 2, label, reader=reader)
            decide(project, 3, "disc", reader=reader)
        settled = Verdict(State.LABELLED, ("stripes",))
        project.record(NewDecision(1, "b", settled, occasion=Occasion.ADJUDICATION))
        adjudicated = _chosen(project, tmp_path / "1", Choice(Rule.ADJUDICATED))
        agreed = _chosen(project, tmp_path / "2", Choice(Rule.AGREED))
        every = _chosen(project, tmp_path / "3", Choice(Rule.ALL))
    assert adjudicated == [(1, "stripes", "adjudication"), (3, "disc", "single")]
    assert agreed == [(3, "disc", "single")]
    assert [one for one in every if one[0] == 1] == [
        (1, "disc", "single"),
        (1, "dots", "single"),
        (1, "stripes", "adjudication"),
    ]
    assert "| a and b | 3 | 33%" in (tmp_path / "3" / "README.md").read_text()


def _chosen(project: Project, out: Path, choice: Choice) -> list[tuple[int, str, str]]:
    run(project, out, "jsonl", choice=choice, split=(1,))
    lines = (out / "decisions.jsonl").read_text().splitlines()
    return [
        (int(row["scan"][-6:]), row["label_id"][0], row["occasion"])
        for row in map(json.loads, lines)
    ]


def test_a_majority_counts_each_label_by_itself(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", MULTI) as project:
        project.add_scans([NewScan(write_png(tmp_path / "x.png", disc()), ScanInfo(32, 32))])
        decide(project, 1, "disc", "dots", reader="a")
        decide(project, 1, "disc", "stripes", reader="b")
        decide(project, 1, "stripes", reader="c")
        run(project, tmp_path / "out", "jsonl", choice=Choice(Rule.MAJORITY), split=(1,))
    row = json.loads((tmp_path / "out" / "decisions.jsonl").read_text())
    assert row["label_id"] == ["disc", "stripes"]


def test_a_label_that_came_later_is_named_as_not_asked(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", MULTI) as project:
        project.add_scans([NewScan(write_png(tmp_path / "x.png", disc()), ScanInfo(32, 32))])
        decide(project, 1, "disc", reader="a")
        project.save_revision(
            Revision(replace(MULTI, labels=(*MULTI.labels, Label("ring", "Ring"))))
        )
        for name in ("csv", "monai", "coco"):
            run(project, tmp_path / name, name, split=(1,), choice=Choice(Rule.MAJORITY))
    with (tmp_path / "csv" / "decisions.csv").open(encoding="utf-8-sig") as file:
        assert [row["not_asked"] for row in csv.DictReader(file)] == ["Ring"]
    body = json.loads((tmp_path / "monai" / "datalist.json").read_text())
    assert [(one["label"][-1], one["not_asked"]) for one in body["training"]] == [(0, [3])]
    body = json.loads((tmp_path / "coco" / "annotations" / "train.json").read_text())
    numbers = {one["name"]: one["id"] for one in body["categories"]}
    assert [one["not_asked"] for one in body["images"]] == [[numbers["Ring"]]]


def test_a_child_implies_its_parents_in_every_row(tmp_path: Path) -> None:
    labels = (Label("mass", "Mass"), Label("solid", "Solid mass", parent="mass"), Label("b", "B"))
    with Project.create(tmp_path / "p", LabelSet(labels, multi_label=True)) as project:
        project.add_scans([NewScan(write_png(tmp_path / "x.png", disc()), ScanInfo(32, 32))])
        decide(project, 1, "solid", "b", reader="a")
        decide(project, 1, "b", reader="b")
        for rule, name in ((Rule.ALL, "all"), (Rule.MAJORITY, "majority")):
            run(project, tmp_path / name, "jsonl", choice=Choice(rule), split=(1,))
        for name in ("coco", "monai"):
            run(project, tmp_path / name, name, choice=Choice(Rule.READER, "a"), split=(1,))
    lines = (tmp_path / "all" / "decisions.jsonl").read_text().splitlines()
    assert [json.loads(line)["implied"] for line in lines] == [["Mass"], []]
    (line,) = (tmp_path / "majority" / "decisions.jsonl").read_text().splitlines()
    assert (json.loads(line)["label"], json.loads(line)["implied"]) == (["B"], [])
    body = json.loads((tmp_path / "coco" / "annotations" / "train.json").read_text())
    assert [one["supercategory"] for one in body["categories"]] == ["", "Mass", ""]
    body = json.loads((tmp_path / "monai" / "datalist.json").read_text())
    assert body["training"][0]["label"] == [1, 1, 1]
    assert "| Solid mass | solid | mass |" in (tmp_path / "all" / "README.md").read_text()


def test_an_export_speaks_the_labels_of_now(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        files = [write_png(tmp_path / f"{number}.png", disc()) for number in range(3)]
        project.add_scans(NewScan(file, ScanInfo(32, 32)) for file in files)
        before = project.label_set()
        for scan_id, first, second in ((1, "disc", "dots"), (2, "stripes", "stripes")):
            decide(project, scan_id, first, reader="a", suggestion="disc")
            decide(project, scan_id, second, reader="b")
        decide(project, 3, "disc", reader="a", suggestion="dots")
        standing = project.standing()
        round_, change = label_changes.merge(before, ("disc", "dots"), "Round", new_id=new_id)
        project.save_revision(Revision(round_, (change,)))
        less, change = label_changes.retire(round_, "stripes")
        project.save_revision(Revision(less, (change,)))
        run(project, tmp_path / "now", "jsonl", choice=Choice(Rule.AGREED), split=(1,))
        with pytest.raises(ExportError, match="changed meanwhile"):
            collect(project.scans(), standing, project.label_set())
    lines = (tmp_path / "now" / "decisions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    said = {row["scan"]: (row["label"], row["suggestion"]) for row in rows}
    assert said == {"scan-000001": (["Round"], ""), "scan-000003": (["Round"], "Round")}
