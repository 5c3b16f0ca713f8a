"""Who DICOM reports name as the observer, and the codes of their findings."""

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from nearl_core.export.choice import Choice, Rule
from nearl_core.store import readings
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, Label, LabelSet, ScanInfo
from tests.export.running import run
from tests.support.projects import decide
from tests.support.scans import disc, write_png

LABELS = LabelSet(
    (Label("a", "Pneumonia", code="SCT 233604007"), Label("b", "Mass", code="4147007"))
)


def project_of(folder: Path) -> Project:
    """Two scans: one said by two readers and a source, one by the source alone."""
    project = Project.create(folder / "p", LABELS)
    for number in range(2):
        path = write_png(folder / f"{number}.png", disc(seed=number))
        project.add_scans([NewScan(path, ScanInfo(32, 32), Identity(f"P{number}"))])
    for reader in ("ann", "bob"):
        decide(project, 1, "a", reader=reader)
    for scan_id in (1, 2):
        decide(project, scan_id, "b", reader="radiology-reports")
    readings.keep_source(project, "radiology-reports")
    return project


def told(report: Dataset) -> dict[str, str]:
    """The content items of a report that have a text, a name or a code, by their own names."""
    found = {}
    for item in report.ContentSequence:
        name = item.ConceptNameCodeSequence[0].CodeMeaning
        if item.ValueType == "CODE":
            found[name] = item.ConceptCodeSequence[0].CodeMeaning
        else:
            value = item.get("TextValue", item.get("PersonName", item.get("UID", "")))
            found[name] = str(value)
    return found


def everything(report: Dataset) -> str:
    return str(report)


def reports(out: Path) -> list[Dataset]:
    return [pydicom.dcmread(path) for path in sorted((out / "reports").rglob("*.dcm"))]


def test_a_reader_is_a_person_and_a_source_is_a_device(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with project_of(tmp_path) as project:
        run(project, out, "dicom-sr", split=(1,))
    found = reports(out)
    assert len(found) == 4
    of_source = [one for one in found if told(one)["Observer Type"] == "Device"]
    assert len(of_source) == 2
    for one in of_source:
        said = told(one)
        assert said["Device Observer Name"] == "radiology-reports"
        assert said["Device Observer Manufacturer"] == "NEARL Desk"
        assert said["Device Observer UID"].startswith("2.25.")
        assert "Person Observer Name" not in said
        assert "Confidence of the reader" not in everything(one)
    assert len({told(one)["Device Observer UID"] for one in of_source}) == 1
    of_ann = [told(one) for one in found if told(one).get("Person Observer Name") == "ann^"]
    assert [said["Observer Type"] for said in of_ann] == ["Person"]
    assert sum("Confidence of the reader" in everything(one) for one in found) == 2


def test_what_several_readers_came_to_is_no_persons_word(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with project_of(tmp_path) as project:
        run(project, out, "dicom-sr", split=(1,), choice=Choice(Rule.MAJORITY))
    (one,) = reports(out)
    said = told(one)
    assert (said["Observer Type"], said["Device Observer Name"]) == ("Device", "2 of 2 readers")
    assert "Confidence of the reader" in everything(one)


def test_the_data_card_names_labels_whose_codes_only_it_explains(tmp_path: Path) -> None:
    with project_of(tmp_path) as project:
        report = run(project, tmp_path / "sr", "dicom-sr", split=(1,))
        run(project, tmp_path / "csv", split=(1,))
    (notice,) = (one for one in report.notices if "99NEARL" in one)
    assert "such as SCT 233604007: Mass." in notice
    assert notice in (tmp_path / "sr" / "README.md").read_text()
    assert "99NEARL" not in (tmp_path / "csv" / "README.md").read_text()
    schemes = {
        (code.CodeMeaning, code.CodingSchemeDesignator)
        for one in reports(tmp_path / "sr")
        for code in _codes(one)
    }
    assert {("Pneumonia", "SCT"), ("Mass", "99NEARL")} <= schemes


def _codes(dataset: Dataset) -> list[Dataset]:
    found: list[Dataset] = []
    dataset.walk(
        lambda _within, element: (
            found.extend(element.value) if element.keyword == "ConceptCodeSequence" else None
        )
    )
    return found
