"""Labels that exist already, found by the UIDs and patient numbers that their table has."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from nearl_core.adding import PatientRule, to_add
from nearl_core.cli import main
from nearl_core.control import RunControl
from nearl_core.importing.matching import Matched
from nearl_core.importing.plan import ImportPlan, plan
from nearl_core.importing.statements import Columns, ColumnsError, Key, SourceKind
from nearl_core.importing.taking import look, take
from nearl_core.scans.guard import ScanReader
from nearl_core.stacking import stacked
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, ScanInfo, SlicePlace, Unit
from tests.dicom.making import dicom, noise
from tests.support.projects import LABELS, said

SERIES = (
    *(("P1", "1.1", "1.1.1"), ("P1", "1.1", "1.1.2")),
    *(("P1", "1.2", "1.2.1"), ("P2", "2.1", "2.1.1")),
)
"""Patient, study and series."""


def project_of(
    folder: Path,
    unit: Unit = Unit.SERIES,
    *,
    issuer: str = "",
    rule: PatientRule = lambda _path: "",
) -> Project:
    """Two files in each of four series of two patients, by names that say nothing."""
    project = Project.create(folder / "p", LABELS, unit=unit)
    new = []
    (folder / "scans").mkdir()
    for number, (patient, study, series) in enumerate(SERIES):
        for frame in range(2):
            path = folder / "scans" / f"{patient}_{number}{frame}.dcm"
            path.touch()
            info = ScanInfo(8, 8, modality="CT", place=SlicePlace(None, None, frame))
            identity = Identity(f"{issuer}:{patient}", study, series)
            new.append(NewScan(path, info, identity, patient=rule(path)))
    project.add_scans(stacked(new, unit=unit, project=project.folder))
    return project


def looked(project: Project, text: str, columns: Columns = Columns()) -> Matched:  # noqa: B008
    table = project.folder.parent / "table.csv"
    table.write_text(text)
    with ScanReader() as reader:
        return look(project, SourceKind.CSV, str(table), reader, RunControl(), columns)


def planned(project: Project, text: str, *, each: bool = False) -> ImportPlan:
    return plan(looked(project, text), LABELS, source="s", mapping={}, each=each)


@pytest.mark.parametrize(
    "text",
    [
        "SeriesInstanceUID,label\n1.1.2,disc\n9.9,dots\n",
        "StudyInstanceUID,Series Instance UID,PatientID,label\n1.1,1.1.2,P1,disc\n9,9.9,P1,dots\n",
        "seriesuid,disc,dots\n1.1.2,1,0\n9.9,0,1\n",
        "SOPInstanceUID,SeriesInstanceUID,label\n8.1,1.1.2,disc\n8.2,9.9,dots\n",
    ],
)
def test_a_series_is_found_by_its_uid(tmp_path: Path, text: str) -> None:
    with project_of(tmp_path) as project:
        matched = looked(project, text)
    assert [(scan_id, one.values) for scan_id, one in matched.found] == [(2, ("disc",))]
    assert (matched.key, matched.unknown) == (Key.SERIES, ("line 3",))


def test_a_row_of_several_scans_is_left_out_until_each_is_wanted(tmp_path: Path) -> None:
    """A patient's finding need not show in every scan of theirs."""
    text = "patient_id,label\nP1,disc\nP2,dots\nP3,disc\n"
    with project_of(tmp_path) as project:
        careful, each = planned(project, text), planned(project, text, each=True)
        assert (careful.key, careful.several) == (Key.PATIENT, (1, 3))
        assert [one.scan_id for one in careful.decisions] == [4]
        assert [one.scan_id for one in each.decisions] == [4, 1, 2, 3]
        assert take(project, each, RunControl()) == 4
        assert said(project.standing())[3, "s"] == ("disc",)


def test_a_series_of_many_files_is_several_scans_where_one_scan_is_a_file(tmp_path: Path) -> None:
    with project_of(tmp_path, Unit.IMAGE) as project:
        found = planned(project, "SeriesInstanceUID,label\n2.1.1,dots\n")
    assert (found.decisions, found.several) == ((), (1, 2))


def test_a_study_of_several_series_is_found_by_each_of_their_rows(tmp_path: Path) -> None:
    text = "StudyInstanceUID,SeriesInstanceUID,label\n1.1,1.1.1,disc\n1.1,1.1.2,disc\n1.2,,dots\n"
    with project_of(tmp_path, Unit.STUDY) as project:
        found = planned(project, text)
    assert {one.scan_id: one.verdict.labels for one in found.decisions} == {
        1: ("disc",),
        2: ("dots",),
    }


@pytest.mark.parametrize(("unit", "found"), [(Unit.IMAGE, [2, 3]), (Unit.SERIES, [1, 1])])
def test_an_image_is_found_by_its_uid_whatever_its_file_is_called(
    tmp_path: Path, unit: Unit, found: list[int]
) -> None:
    files = []
    for number in range(3):
        place: dict[str, Any] = {
            "ImagePositionPatient": ["0", "0", str(number)],
            "SeriesInstanceUID": "1.2",
        }
        place |= {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]}
        values = noise((8, 8), "u2")
        files.append(dicom(tmp_path / f"x{number}", values, PatientID="P1", **place))
    uids = [str(dcmread(path).SOPInstanceUID) for path in files]
    with Project.create(tmp_path / "p", LABELS, unit=unit) as project:
        with ScanReader(workers=1) as reader:
            entries = to_add(project, files, scans=(), reader=reader, control=RunControl())
            project.add_scans(entries)
        matched = looked(project, f"SOPInstanceUID,label\n{uids[1]},disc\n{uids[2]},disc\n9,dots\n")
    assert [scan_id for scan_id, _ in matched.found] == found
    assert (matched.key, matched.unknown) == (Key.IMAGE, ("line 4",))


def test_files_that_are_called_by_their_uids_need_no_headers(tmp_path: Path) -> None:
    with project_of(tmp_path, Unit.IMAGE) as project:
        matched = looked(project, "SOPInstanceUID,label\nP2_30,disc\n")
    assert (matched.key, len(matched.found)) == (Key.FILE, 1)


def test_rows_that_exclude_each_other_leave_their_scan_out(tmp_path: Path) -> None:
    text = "SeriesInstanceUID,label\n1.1.1,disc\n1.1.1,dots\n1.1.2,dots\n"
    with project_of(tmp_path) as project:
        found = planned(project, text)
    assert found.conflicts == ("scan-000001: disc, dots",)
    assert [one.scan_id for one in found.decisions] == [2]


def test_a_word_on_one_file_is_never_one_on_another_of_the_patient(tmp_path: Path) -> None:
    """The project has other files of these patients than the table speaks of."""
    text = "file,PatientID,SeriesInstanceUID,label\nother.dcm,P2,2.1.1,dots\n"
    with project_of(tmp_path, Unit.IMAGE) as project:
        matched = looked(project, text)
    assert (matched.found, matched.several, matched.unknown) == ((), (), ("other.dcm",))


@pytest.mark.parametrize(("issuer", "value"), [("", "P2"), ("HOSP", "HOSP:P2")])
def test_a_patient_is_found_by_number_and_issuer(tmp_path: Path, issuer: str, value: str) -> None:
    with project_of(tmp_path, issuer=issuer) as project:
        text = f"Subject,label\n{value},dots\n"
        matched = looked(project, text, Columns("Subject", match=Key.PATIENT))
    assert [scan_id for scan_id, _ in matched.found] == [4]


def test_a_patient_is_found_by_what_the_projects_rule_takes_from_paths(tmp_path: Path) -> None:
    with project_of(tmp_path, rule=lambda path: path.name.split("_")[0] + "x") as project:
        matched = looked(project, "PatientID,label\nP2x,dots\n")
    assert [scan_id for scan_id, _ in matched.found] == [4]


def test_a_column_is_read_as_what_was_said_of_it(tmp_path: Path) -> None:
    text = "Study,PatientID,label\n2.1,P1,dots\n"
    with project_of(tmp_path) as project:
        assert looked(project, text, Columns("Study", match=Key.STUDY)).found[0][0] == 4
        assert looked(project, text, Columns(match=Key.PATIENT)).key is Key.PATIENT
        assert looked(project, text, Columns("patientid")).key is Key.PATIENT
        assert looked(project, text, Columns("patientid", match=Key.FILE)).unknown == ("P1",)
        with pytest.raises(ColumnsError):
            looked(project, text, Columns(match=Key.SERIES))


def test_nothing_of_an_identity_is_kept(tmp_path: Path) -> None:
    uid = "1.2.826.0.1.3680043.77.42"
    with project_of(tmp_path) as project:
        text = f"SeriesInstanceUID,PatientID,label\n{uid},MUSTERMANN77,disc\n1.1.1,P1,disc\n"
        assert take(project, planned(project, text), RunControl()) == 1
    for file in project.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert uid.encode() not in content
            assert b"MUSTERMANN77" not in content


def test_the_command_line_shows_counts_before_it_takes_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with project_of(tmp_path) as project:
        folder = str(project.folder)
    table = tmp_path / "t.csv"
    table.write_text("Study,Dx\n1.1,disc\n2.1,dots\n7,dots\n")
    asked = ["import", folder, str(table), "--format", "csv", "--file-column", "Study"]
    asked += ["--label-column", "Dx", "--match", "study"]
    assert main([*asked, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "1 decision of imported-csv would be taken in." in out
    assert "1 row of several scans, 2 in all: left out; --each labels each scan." in out
    assert "Rows that name no study of this project: 1\n  line 4" in out
    assert main([*asked, "--each", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["decisions"] == 3
    assert record["found_by"] == "study"
    assert record["several"] == {"rows": 1, "scans": 2, "labelled": True}
