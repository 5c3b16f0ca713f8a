"""What a research group finds in an export: kinds of columns, duplicates, the card's tables."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import pydicom

from nearl_core.adding import examine
from nearl_core.export.exporter import export
from nearl_core.export.verify import verify
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.types import LabelSet, NewDecision, State, Verdict
from tests.support.projects import LABELS, PillowReader, decide, new_project
from tests.support.scans import disc, write_dicom, write_png


def _pictures(folder: Path, *, label_set: LabelSet = LABELS) -> Project:
    """Nine pictures of nine patients with a label each, and one to which none applies."""
    for number in range(1, 11):
        write_png(folder / "scans" / f"{number}.png", disc(seed=number))
    project = new_project(folder, scans=10, label_set=label_set)
    for number in range(9):
        decide(project, number + 1, LABELS.ids[number % 3])
    project.record(NewDecision(10, "r", Verdict(State.NONE_APPLY)))
    return project


def _export(project: Project, out: Path, form: str) -> None:
    export(project, out, format=form, pixels_checked=True, reader=PillowReader())


def test_one_instance_in_two_files_is_reported_twice(tmp_path: Path) -> None:
    first = write_dicom(tmp_path / "a" / "1.dcm", disc(), PatientID="P1")
    second = tmp_path / "b" / "copy of 1.dcm"
    second.parent.mkdir()
    shutil.copy(first, second)
    out = tmp_path / "out"
    with Project.create(tmp_path / "p", LABELS) as project, ScanReader(workers=1) as reader:
        project.add_scans(examine([first, second], reader=reader))
        decide(project, 1, "disc")
        decide(project, 2, "dots")
        made = export(project, out, format="dicom-sr", pixels_checked=True, reader=reader)
    reports = sorted((out / "reports").rglob("*.dcm"))
    assert (made.scans, [path.name for path in reports]) == (
        2,
        ["scan-000001_1.dcm", "scan-000002_1.dcm"],
    )
    copies = {pydicom.dcmread(path).SOPInstanceUID for path in (out / "images").rglob("*.dcm")}
    assert len(copies) == 1  # as in the files of the project
    assert verify(out).ok


def test_mlcroissant_takes_what_is_true_or_false_for_that(tmp_path: Path) -> None:
    with _pictures(tmp_path) as project:
        _export(project, tmp_path / "out", "croissant")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        dataset = mlcroissant.Dataset(str(tmp_path / "out" / "croissant.json"))
        records: list[dict[str, Any]] = list(dataset.records("scans"))
    assert len(records) == 10
    for column in ("patient_known", "source", "flagged"):
        assert {type(record[f"scans/{column}"]).__name__ for record in records} <= {"bool", "bool_"}


def test_the_card_tells_of_train_first(tmp_path: Path) -> None:
    with _pictures(tmp_path) as project:
        _export(project, tmp_path / "out", "csv")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| | train | validation | test |" in card


def test_the_card_speaks_of_pictures_where_there_are_some(tmp_path: Path) -> None:
    with _pictures(tmp_path) as project:
        for form in ("csv", "imagefolder"):
            export(project, tmp_path / form, format=form, reader=PillowReader())
    cards = [(tmp_path / form / "README.md").read_text() for form in ("csv", "imagefolder")]
    assert ["There are no pictures here." in card for card in cards] == [True, False]
    assert ["look at the pictures" in card for card in cards] == [False, True]
