"""Exports, read by other means than those that wrote them."""

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nearl_core import decisions_file
from nearl_core.errors import ExportError, UsageError
from nearl_core.export.content import Pictures
from nearl_core.export.verify import verify
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import (
    Identity,
    Label,
    LabelProbability,
    LabelSet,
    NewDecision,
    Ranking,
    ScanInfo,
    Shown,
    State,
    Verdict,
)
from tests.export.running import run
from tests.support.commands import write_table
from tests.support.projects import LABELS, MULTI, decide, new_project
from tests.support.scans import disc, write_png

SECRETS = ("MUELLER", "Anna", "1.2.826", "born1950")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Twelve real pictures of six patients, in folders and files named after people."""
    with Project.create(tmp_path / "MUELLER", LABELS) as made:
        for number in range(12):
            path = tmp_path / "Anna MUELLER" / f"born1950-{number}.png"
            write_png(path, disc(seed=number))
            identity = Identity(f"MUELLER^Anna{number % 6}", f"1.2.826.{number}")
            made.add_scans([NewScan(path, ScanInfo(32, 32, modality="DX"), identity)])
        yield made


def _table(out: Path) -> list[dict[str, str]]:
    with (out / "decisions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _label_all(project: Project) -> None:
    for scan in project.scans():
        decide(project, scan.id, LABELS.ids[scan.id % 3])


def test_the_table_holds_every_standing_decision(project: Project, tmp_path: Path) -> None:
    decide(project, 1, "disc")
    decide(project, 1, "dots", shown=Shown.VISIBLE, suggestion="dots")
    decide(project, 1, "stripes", reader="second")
    decide(project, 2, "disc")
    project.undo("r")
    for scan_id, state in enumerate((State.DEFERRED, State.NONE_APPLY, State.UNASSESSABLE), 3):
        project.record(NewDecision(scan_id, "r", Verdict(state, note="Anna MUELLER")))
    report = run(project, tmp_path / "out")
    rows = _table(tmp_path / "out")
    assert [(row["scan"], row["reader"], row["state"], row["label"]) for row in rows] == [
        ("scan-000001", "r", "labelled", "Dots"),
        ("scan-000001", "second", "labelled", "Stripes"),
        ("scan-000004", "r", "none-apply", ""),
        ("scan-000005", "r", "unassessable", ""),
    ]
    assert (rows[0]["suggestion"], rows[0]["suggestion_version"]) == ("Dots", "v1")
    assert (report.rows, report.scans, report.patients, report.images) == (4, 3, 3, 0)


@pytest.mark.parametrize("images", [False, True])
@pytest.mark.parametrize("format", ["csv", "jsonl", "imagefolder"])
def test_nothing_of_anyone_leaves_and_no_patient_is_in_two_splits(
    project: Project,
    tmp_path: Path,
    format: str,
    images: bool,
) -> None:
    _label_all(project)
    out = tmp_path / "out"
    pictures = Pictures.SHOWN if images else None
    report = run(project, out, format, pictures=pictures)
    assert report.scans == 12
    hashes = {scan.patient for scan in project.scans()}
    for file in out.rglob("*"):
        name = file.relative_to(out).as_posix()
        data = file.read_bytes() if file.is_file() else b""
        for secret in (*SECRETS, *hashes, str(tmp_path)):
            assert secret not in name
            assert secret.encode() not in data
    content = json.loads((out / "manifest.json").read_text())
    if format == "csv":
        rows: list[dict[str, Any]] = list(_table(out))
    elif format == "jsonl":
        rows = [json.loads(line) for line in (out / "decisions.jsonl").read_text().splitlines()]
    else:
        rows = content["images"]
    assert len(rows) == 12
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row["patient"], set()).add(row["split"])
    assert len(splits) == 6
    assert all(len(found) == 1 for found in splits.values())
    if images or format == "imagefolder":
        assert len(list(out.rglob("*.png"))) == report.images == 12
        for row in rows:
            with Image.open(out / row["image"]) as image:
                assert (image.mode, image.size, image.info) == ("RGB", (32, 32), {})
    else:
        assert not list(out.rglob("*.png"))


def test_the_manifest_lists_every_file_with_its_hash(project: Project, tmp_path: Path) -> None:
    _label_all(project)
    out = tmp_path / "out"
    run(project, out, "imagefolder", seed=5, split=(2, 1))
    content = json.loads((out / "manifest.json").read_text())
    there = {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert {entry["path"]: entry["sha256"] for entry in content["files"]} == there
    assert content["seed"] == 5
    assert content["fractions"] == pytest.approx([2 / 3, 1 / 3])
    assert [label["id"] for label in content["label_set"]["labels"]] == list(LABELS.ids)
    folders = Counter(path.parent.name for path in out.rglob("*.png"))
    assert folders == {"Disc": 4, "Stripes": 4, "Dots": 4}
    for name in ("train", "test"):
        in_split = len(list((out / name).rglob("*.png")))
        assert in_split == content["counts"]["splits"][name]["scans"] > 0


def test_the_split_holds_over_formats_and_pseudonyms_do_not(
    project: Project, tmp_path: Path
) -> None:
    _label_all(project)
    found = []
    patients = []
    for name, seed in zip("abcdef", (1, 1, 2, 3, 4, 5), strict=True):
        run(project, tmp_path / name, seed=seed)
        rows = _table(tmp_path / name)
        found.append([(row["scan"], row["split"]) for row in rows])
        patients.append({row["patient"] for row in rows})
    assert found[0] == found[1]
    assert found[2:] != [found[0]] * 4  # of so few patients, two seeds may come to the same
    assert not patients[0] & patients[1]


def test_a_scan_stands_in_the_same_split_in_every_format(tmp_path: Path) -> None:
    """What a format has no place for must not move the others: tables and pictures go together."""
    with Project.create(tmp_path / "p", LABELS) as project:
        for number in range(1, 41):
            path = write_png(tmp_path / f"{number}.png", disc(8, seed=number))
            identity = Identity(patient=f"P{number // 2}")
            project.add_scans([NewScan(path, ScanInfo(8, 8), identity)])
            state = (State.LABELLED, State.UNASSESSABLE, State.NONE_APPLY)[number % 3]
            labels = ("disc",) if state is State.LABELLED else ()
            project.record(NewDecision(number, "r", Verdict(state, labels)))
        run(project, tmp_path / "csv", split=(50, 25, 25))
        run(project, tmp_path / "monai", "monai", split=(50, 25, 25))
    table = {row["scan"]: row["split"] for row in _table(tmp_path / "csv")}
    body = json.loads((tmp_path / "monai" / "datalist.json").read_text())
    parts = {"training": "train", "validation": "validation", "test": "test"}
    listed = {row["scan"]: part for key, part in parts.items() for row in body[key]}
    assert 0 < len(listed) < len(table)
    assert listed == {scan: table[scan] for scan in listed}


def test_folders_hold_what_all_readers_agree_on(project: Project, tmp_path: Path) -> None:
    decide(project, 1, "disc")
    decide(project, 1, "disc", reader="second")
    decide(project, 2, "disc")
    decide(project, 2, "dots", reader="second")
    project.record(NewDecision(3, "r", Verdict(State.NONE_APPLY)))
    report = run(project, tmp_path / "out", "imagefolder", split=(1,))
    (picture,) = (tmp_path / "out").rglob("*.png")
    assert picture.relative_to(tmp_path / "out").as_posix() == "train/Disc/scan-000001_f000.png"
    assert [(one.scan_id, one.reason) for one in report.left_out] == [
        (2, "The readers do not agree.")
    ]


def test_a_multi_label_project_goes_into_tables_only(tmp_path: Path) -> None:
    with new_project(tmp_path, label_set=MULTI) as project:
        entries = (("disc", 0.9), ("dots", 0.7), ("stripes", 0.2))
        said = Ranking(1, "v1", 3, tuple(LabelProbability(*entry) for entry in entries))
        verdict = Verdict(State.LABELLED, ("dots", "disc"))
        project.record(NewDecision(1, "r", verdict, said, Shown.VISIBLE))
        none = Ranking(2, "v1", 3, (LabelProbability("disc", 0.2),), suggested=())
        project.record(NewDecision(2, "r", Verdict(State.NONE_APPLY), none, Shown.VISIBLE))
        with pytest.raises(ExportError, match=r"several labels.*csv or jsonl"):
            run(project, tmp_path / "out", "imagefolder")
        run(project, tmp_path / "csv")
        run(project, tmp_path / "jsonl", "jsonl")
    first, second = _table(tmp_path / "csv")
    assert (first["label"], first["suggestion"]) == ("Disc;Dots", "Disc;Dots")
    assert first["suggestion_probability"] == "0.7"
    assert (second["state"], second["suggestion"]) == ("none-apply", "none-apply")
    card = " ".join((tmp_path / "csv" / "README.md").read_text().split())
    assert "2 followed its suggestion" in card
    line = (tmp_path / "jsonl" / "decisions.jsonl").read_text().splitlines()[0]
    assert json.loads(line)["label"] == ["Disc", "Dots"]
    assert not (tmp_path / "out").exists()


def test_formulas_and_bad_names_are_tamed(tmp_path: Path) -> None:
    names = ["=HYPERLINK(1)", "@x", "+1", "-1", "CON", "a/b", "A\\B"]
    label_set = LabelSet(tuple(Label(f"l{n}", name) for n, name in enumerate(names)))
    with Project.create(tmp_path / "p", label_set) as project:
        for number in range(len(names)):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number))
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
            decide(project, number + 1, f"l{number}", reader="=cmd")
        run(project, tmp_path / "csv")
        run(project, tmp_path / "folders", "imagefolder", split=(1,))
    rows = _table(tmp_path / "csv")
    assert [row["label"] for row in rows][:4] == ["'=HYPERLINK(1)", "'@x", "'+1", "'-1"]
    assert rows[0]["reader"] == "'=cmd"
    folders = {path.name for path in (tmp_path / "folders" / "train").iterdir()}
    assert folders == {"=HYPERLINK(1)", "@x", "+1", "_-1", "_CON", "a_b", "A_B-2"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_runs_wherever_a_spreadsheet_parts_the_line(tmp_path: Path, start: str) -> None:
    label_set = LabelSet((Label("a", "a"), Label("b", f"{start}2;{start}b")), multi_label=True)
    path = write_png(tmp_path / "1.png", disc())
    with Project.create(tmp_path / "p", label_set) as project:
        project.add_scans([NewScan(path, ScanInfo(32, 32))])
        decide(project, 1, "a", "b")
        run(project, tmp_path / "out", split=(1,))
        lines = (tmp_path / "out" / "decisions.csv").read_text(encoding="utf-8").splitlines()
        cells = [cell for line in lines for cell in re.split("[,;\t]", line)]
        assert not [cell for cell in cells if cell.startswith(start)]
        (label,) = [row["label"] for row in _table(tmp_path / "out")]
        table = write_table(tmp_path / "in.csv", ("path", "label"), (path, label))
        (again,) = decisions_file.read(
            table, scans=project.scans(), label_set=label_set, reader="r"
        ).decisions
    assert again.verdict.labels == ("a", "b")


def test_a_stack_gives_the_frame_that_was_named_else_the_middle_one(tmp_path: Path) -> None:
    path = write_png(tmp_path / "s.png", disc())
    other = write_png(tmp_path / "t.png", disc())
    with Project.create(tmp_path / "p", LABELS) as project:
        project.add_scans([NewScan(one, ScanInfo(32, 32, frames=9)) for one in (path, other)])
        decide(project, 1, "disc")
        project.record(NewDecision(2, "r", Verdict(State.LABELLED, ("disc",), frame=7)))
        run(project, tmp_path / "out", "imagefolder", split=(1,))
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.png")) == [
        "scan-000001_f004.png",
        "scan-000002_f007.png",
    ]


def test_a_scan_that_can_not_be_read_costs_its_picture(project: Project, tmp_path: Path) -> None:
    _label_all(project)
    project.scans()[4].path.write_bytes(b"no picture")
    report = run(project, tmp_path / "csv", pictures=Pictures.SHOWN)
    assert (report.rows, report.images) == (12, 11)
    assert [row["scan"] for row in _table(tmp_path / "csv") if not row["image"]] == ["scan-000005"]
    report = run(project, tmp_path / "folders", "imagefolder")
    assert (report.rows, report.images) == (11, 11)
    ((left),) = report.left_out
    assert (left.scan_id, left.reason) == (5, "It can't be read.")  # not the name that holds hers
    card = (tmp_path / "folders" / "README.md").read_text()
    assert "Left out, or without a picture: 1 scan. " in card


def test_the_card_says_what_a_user_must_know(tmp_path: Path) -> None:
    with new_project(tmp_path, scans=5) as project:
        decide(project, 1, "disc", shown=Shown.VISIBLE, suggestion="disc")
        decide(project, 2, "dots", shown=Shown.VISIBLE, suggestion="disc")
        decide(project, 3, "dots")
        decide(project, 4, "stripes", shown=Shown.IMPORTED, reader="second")
        run(project, tmp_path / "out")
    card = " ".join((tmp_path / "out" / "README.md").read_text().split())
    for words in (
        "4 scans of 4 patients, 4 decisions by 2 readers",
        "Not a medical device",
        "Patients could not be told apart",
        "2 decisions were made with a ranking in sight: 1 followed its suggestion, 1 did not",
        "1 were made without seeing one, 1 came from a file",
        "| v1 | 2 |",
        "backbone starter",
        "| Stripes | stripes |",
    ):
        assert words in card, words


def test_places_that_can_not_be_used(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no scan is decided"):
        run(project, tmp_path / "out")
    _label_all(project)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"mine is not empty.*empty folder"):
        run(project, tmp_path / "mine")
    with pytest.raises(ExportError, match="in the project"):
        run(project, project.folder / "out")
    with pytest.raises(UsageError, match=r"no format 'xls'.*csv"):
        run(project, tmp_path / "out", "xls")
    (tmp_path / "empty").mkdir()
    assert run(project, tmp_path / "empty").folder == tmp_path / "empty"
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["thesis.txt"]
    assert not list(tmp_path.glob("*partial*"))


def _break(kind: str, out: Path) -> None:
    picture = sorted(out.rglob("*.png"))[0]
    if kind == "missing":
        picture.unlink()
    elif kind == "changed":
        picture.write_bytes(picture.read_bytes()[:-20] + b"\0" * 20)
    elif kind == "more":
        (out / "patients.txt").write_text("x")
    elif kind == "text":
        with Image.open(picture) as image:
            from PIL.PngImagePlugin import PngInfo

            info = PngInfo()
            info.add_text("Comment", "Anna")
            image.save(picture, pnginfo=info)
        _rehash(out, picture)
    elif kind == "leak":
        file = out / "manifest.json"
        content = json.loads(file.read_text())
        for entry in content["images"]:
            entry["patient"] = "patient-0"
        file.write_text(json.dumps(content))


def _rehash(out: Path, picture: Path) -> None:
    file = out / "manifest.json"
    content = json.loads(file.read_text())
    for entry in content["files"]:
        if entry["path"] == picture.relative_to(out).as_posix():
            entry["bytes"] = picture.stat().st_size
            entry["sha256"] = hashlib.sha256(picture.read_bytes()).hexdigest()
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "is missing"),
        ("changed", "is not what was written"),
        ("more", r"patients\.txt is not listed"),
        ("text", "holds more than pixels"),
        ("leak", "in two splits"),
    ],
)
def test_verify_finds_what_is_wrong(
    project: Project, tmp_path: Path, kind: str, words: str
) -> None:
    _label_all(project)
    run(project, tmp_path / "out", "imagefolder")
    assert verify(tmp_path / "out").ok
    _break(kind, tmp_path / "out")
    problems = verify(tmp_path / "out").problems
    assert any(re.search(words, problem) for problem in problems)


def test_identical_pictures_in_two_splits_are_told(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        for number in range(8):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number // 8))
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
            decide(project, number + 1, "disc")
        report = run(project, tmp_path / "out", "imagefolder", split=(1, 1))
    assert any("8 pictures are identical" in notice for notice in report.notices)
