"""Tables with a column for each label, as public data sets have them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.models.import_lines import preview
from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.importing.columns import Mark, mark_of
from nearl_core.importing.plan import ImportPlan, mapping_of, plan
from nearl_core.importing.statements import SourceKind
from nearl_core.importing.taking import look, take
from nearl_core.store.project import Project
from nearl_core.types import Label, LabelSet, Revision, State
from tests.support.projects import NoHeaders, labelled, new_project, said

CHEST = LabelSet(
    tuple(
        Label(name.lower().replace(" ", "-"), name)
        for name in ("Cardiomegaly", "Edema", "Pleural effusion", "Fracture", "Hernia")
    ),
    multi_label=True,
)
SKIN = LabelSet((Label("mel", "Melanoma"), Label("nv", "Naevus"), Label("bcc", "Basal cell")))
CHEXPERT = "Path,Sex,Age,AP/PA,No Finding,Cardiomegaly,Edema,Pleural Effusion,Fracture"
ISIC = "image,MEL,NV,BCC,UNK"
Said = tuple[State, tuple[str, ...], tuple[str, ...]]
"""State, labels, and what was not asked for."""


def _plan(project: Project, table: Path, *rules: str) -> ImportPlan:
    kind = SourceKind.JSONL if table.suffix == ".jsonl" else SourceKind.CSV
    label_set = project.label_set()
    return plan(
        look(project, kind, str(table), NoHeaders(), RunControl()),
        label_set,
        source="old",
        mapping=mapping_of(rules, label_set),
        standing=project.standing("old"),
    )


def _table(folder: Path, *lines: str) -> Path:
    table = folder / "table.csv"
    table.write_text("".join(f"{line}\n" for line in lines))
    return table


def _taken(project: Project, table: Path, *rules: str) -> dict[int, Said]:
    take(project, _plan(project, table, *rules), RunControl())
    assert _plan(project, table, *rules).decisions == ()
    return {
        one.scan_id: (one.verdict.state, one.verdict.labels, one.unasked)
        for one in project.standing("old")
    }


def test_blank_and_uncertain_findings_are_not_asked_for(tmp_path: Path) -> None:
    """CheXpert: 1.0, 0.0, -1.0 for uncertain, blank for not mentioned."""
    table = _table(
        tmp_path,
        CHEXPERT,
        "train/scans/1.png,Female,68,AP,,1.0,0.0,-1.0,",
        "train/scans/2.png,Male,1,AP,,0.0,0.0,0.0,0.0",
        "train/scans/3.png,Male,0,PA,1.0,0.0,,,",
        "train/scans/4.png,Male,41,PA,,,,-1.0,",
        "train/scans/5.png,Male,41,PA,1.0,,,,",
    )
    asked_all = (State.NONE_APPLY, (), ("hernia",))
    with new_project(tmp_path, label_set=CHEST) as project:
        assert _taken(project, table) == {
            1: (State.LABELLED, ("cardiomegaly",), ("pleural-effusion", "fracture", "hernia")),
            2: asked_all,
            3: (State.NONE_APPLY, (), ("edema", "pleural-effusion", "fracture", "hernia")),
        }
        planned = _plan(project, table)
        assert {line.value: (line.count, line.target) for line in planned.values} == {
            "No Finding": (2, ""),
            "Cardiomegaly": (1, "cardiomegaly"),
            "Edema": (0, "edema"),
            "Pleural Effusion": (0, "pleural-effusion"),
            "Fracture": (0, "fracture"),
        }
        found = _taken(project, table, "No Finding=none-apply")
        assert (found[3], found[5]) == (asked_all, asked_all)
        assert found[1][0] is State.LABELLED
        assert 4 not in found


def test_one_of_labels_that_exclude_each_other_is_the_label(tmp_path: Path) -> None:
    """ISIC 2019: one-hot, abbreviated."""
    table = _table(
        tmp_path,
        ISIC,
        "1,1.0,0.0,0.0,0.0",
        "2,0.0,1.0,0.0,0.0",
        "3,0.0,0.0,0.0,0.0",
        "4,1.0,0.0,1.0,0.0",
        "5,0.0,0.0,0.0,1.0",
        "77,1.0,1.0,1.0,1.0",
    )
    with new_project(tmp_path, label_set=SKIN) as project:
        planned = _plan(project, table)
        assert planned.bad_rows == ("Line 4 has 1 for no label.", "Line 5 has 1 for MEL, BCC.")
        shown = preview(planned).summary
        assert "one label must have 1: 2. Line 4 has 1 for no label. Line 5 has" in shown
        assert planned.unknown == ("77",)
        assert [(line.value, line.count) for line in planned.values if not line.target] == [
            ("UNK", 1)
        ]
        assert _taken(project, table) == {
            1: (State.LABELLED, ("mel",), ()),
            2: (State.LABELLED, ("nv",), ()),
        }


def test_columns_are_mapped_and_what_means_nothing_excludes_nothing(tmp_path: Path) -> None:
    labels = LabelSet((Label("m", "Melanoma"), Label("b", "Benign")))
    table = _table(tmp_path, "image,biopsed,MEL,NV,BKL", "1,1,1,0,0", "2,1,0,1,1", "3,0,0,0,1")
    with new_project(tmp_path, label_set=labels) as project:
        before = _plan(project, table)
        assert before.decisions == ()
        assert preview(before).summary.startswith("No value means a label yet: choose")
        found = _taken(project, table, "MEL=Melanoma", "NV=Benign", "BKL=Benign")
        assert {scan: labels for scan, (_, labels, _) in found.items()} == {
            1: ("m",),
            2: ("b",),
            3: ("b",),
        }


def test_two_columns_of_one_label_must_both_say_that_it_is_not_there(tmp_path: Path) -> None:
    labels = LabelSet((Label("o", "Opacity"), Label("h", "Hernia")), multi_label=True)
    table = _table(tmp_path, "image,Mass,Nodule,Hernia", "1,0,0,0", "2,0,,0", "3,0,1,0", "4,,,1")
    with new_project(tmp_path, label_set=labels) as project:
        assert _taken(project, table, "Mass=Opacity", "Nodule=Opacity") == {
            1: (State.NONE_APPLY, (), ()),
            2: (State.NONE_APPLY, (), ("o",)),
            3: (State.LABELLED, ("o",), ()),
            4: (State.LABELLED, ("h",), ("o",)),
        }


@pytest.mark.parametrize("name", ["pleural_effusion", "PLEURAL EFFUSION", "Pleural-effusion"])
def test_names_of_columns_match_as_values_do(tmp_path: Path, name: str) -> None:
    """NIH-like: 0 and 1 for every finding."""
    table = _table(tmp_path, f"Image Index,Patient ID,{name},Follow-up #", "1.png,1,1,0", "2,2,0,4")
    rest = ("cardiomegaly", "edema", "fracture", "hernia")
    with new_project(tmp_path, label_set=CHEST) as project:
        assert _taken(project, table) == {
            1: (State.LABELLED, ("pleural-effusion",), rest),
            2: (State.NONE_APPLY, (), rest),
        }


def test_json_lines_have_columns_too(tmp_path: Path) -> None:
    lines = tmp_path / "table.jsonl"
    records = (
        {"file": "1.png", "Edema": 1, "Fracture": False, "Hernia": None, "age": 61},
        {"file": "2.png", "Edema": 0.0, "Fracture": -1, "boxes": [1]},
    )
    lines.write_text("\n".join(map(json.dumps, records)))
    with new_project(tmp_path, label_set=CHEST) as project:
        assert _taken(project, lines) == {
            1: (State.LABELLED, ("edema",), ("cardiomegaly", "pleural-effusion", "hernia")),
            2: (
                State.NONE_APPLY,
                (),
                ("cardiomegaly", "pleural-effusion", "fracture", "hernia"),
            ),
        }


def test_rows_of_one_scan_are_taken_together_unless_they_contradict(tmp_path: Path) -> None:
    table = _table(
        tmp_path, "image,Edema,Fracture", "1,1,", "1,,0", "2,1,0", "2,0,0", "3,,1", "3,-1,1"
    )
    with new_project(tmp_path, label_set=CHEST) as project:
        assert _plan(project, table).conflicts == ("2: Edema, no Edema",)
        found = _taken(project, table)
        assert found[1][1:] == (("edema",), ("cardiomegaly", "pleural-effusion", "hernia"))
        assert found[3][1] == ("fracture",)
        assert "edema" in found[3][2]


def test_a_label_column_counts_before_a_column_a_label(tmp_path: Path) -> None:
    table = _table(tmp_path, "image,label,Edema,Hernia", "1,Hernia,1,0")
    with new_project(tmp_path, label_set=CHEST) as project:
        assert _taken(project, table) == {1: (State.LABELLED, ("hernia",), ())}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("image,Edema", "1,1", "2,0.7"), "Line 3 of table.csv says '0.7' of Edema. Write 1"),
        (("image,Edema", "1,present"), "Line 2 of table.csv says 'present' of Edema"),
        (("image,Edema,Hernia", "1,,-1"), "does not say which file has which label"),
        (("image,age,sex", "1,61,f"), "does not say which .* Say which columns"),
    ],
)
def test_a_table_that_can_not_be_read_says_where(
    tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    with (
        new_project(tmp_path, label_set=CHEST) as project,
        pytest.raises(NearlError, match=words),
    ):
        _plan(project, _table(tmp_path, *lines))


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        *(("1", Mark.THERE), ("1.0", Mark.THERE), (" True ", Mark.THERE), ("yes", Mark.THERE)),
        *(("0", Mark.ABSENT), ("0.000", Mark.ABSENT), ("FALSE", Mark.ABSENT)),
        *(("-1.0", Mark.UNSURE), ("u", Mark.UNSURE), ("Uncertain", Mark.UNSURE)),
        *(("", Mark.EMPTY), ("NaN", Mark.EMPTY), ("n/a", Mark.EMPTY)),
        *(("2", None), ("0.5", None), ("inf", None), ("none", None), ("disc", None)),
    ],
)
def test_marks(text: str, mark: Mark | None) -> None:
    assert mark_of(text) is mark


def test_what_was_not_asked_for_stays_so_while_labels_change(tmp_path: Path) -> None:
    table = _table(tmp_path, "image,Edema,Fracture", "1,1,0", "2,0,")
    with new_project(tmp_path, label_set=CHEST) as project:
        _taken(project, table)
        ring = Label("ring", "Ring")
        project.save_revision(Revision(replace(CHEST, labels=(ring, *CHEST.labels))))
        assert [one.unasked for one in project.standing()] == [
            ("ring", "cardiomegaly", "pleural-effusion", "hernia"),
            ("ring", "cardiomegaly", "pleural-effusion", "fracture", "hernia"),
        ]
        assert _plan(project, table).already == 2
        assert said(project.standing()) == {(1, "old"): ("edema",), (2, "old"): ()}
    with Project.open(tmp_path / "p.nearl", read_only=True) as project:
        assert project.history(1)[0].unasked == ("cardiomegaly", "pleural-effusion", "hernia")
        assert project.history(1)[0].verdict == labelled("edema")
