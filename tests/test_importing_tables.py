"""Tables of labels as public data sets have them: their columns, names and bars are understood."""

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.importing import workbook
from nearl_core.importing.matching import match
from nearl_core.importing.statements import Columns, ColumnsError, SourceKind, Statement
from nearl_core.importing.taking import look
from nearl_core.store.project import Project
from nearl_core.types import Scan
from tests.support.projects import NoHeaders, new_project


def _said(project: Project, table: Path, kind: SourceKind) -> dict[int, tuple[str, ...]]:
    matched = look(project, kind, str(table), NoHeaders(), RunControl())
    return {scan_id: statement.values for scan_id, statement in matched.found}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("path,diagnosis", "1.png,disc"),
        ("lesion_id,image_id,dx,dx_type,age", "HAM_7,1,disc,histo,80"),  # HAM10000
        ("isic_id,age_approx,diagnosis,benign_malignant", "1,45,disc,benign"),  # ISIC archive
        ("image_name,patient_id,diagnosis,target", "1,IP_9,disc,0"),  # SIIM-ISIC
        ("img_id,diagnostic,biopsed", "1.png,disc,True"),  # PAD-UFES-20
        ("Image Index,Finding Labels,Patient ID", "1.png,disc,12"),  # NIH ChestX-ray14
        ("image file path,pathology,patient_id", "scans/1.png,disc,P_1"),  # CBIS-DDSM
        ("split,filename,label", "TRAIN,1.png,disc"),  # MedMNIST
        ("id_code,diagnosis", "1,disc"),  # APTOS
        ("image_id,class_name,class_id", "1,disc,3"),  # VinDr
        ("Path;Sex;Diagnosis", "scans/1.png;Male;disc"),
        ("patientid,finding,filename", "2,disc,1.png"),  # covid-chestxray
    ],
)
def test_columns_of_public_tables_are_known(tmp_path: Path, header: str, row: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"{header}\n{row}\n")
    with new_project(tmp_path) as project:
        assert _said(project, table, SourceKind.CSV) == {1: ("disc",)}


def test_json_lines_have_the_same_columns(tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text('{"Image Index": "1.png", "Finding Labels": "disc|dots"}\n')
    with new_project(tmp_path) as project:
        assert _said(project, table, SourceKind.JSONL) == {1: ("disc", "dots")}


def test_a_label_column_comes_before_what_else_may_be_one(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("target,dx,label,image_id,path\n1,naevus,disc,77,1.png\n")
    with new_project(tmp_path) as project:
        assert _said(project, table, SourceKind.CSV) == {1: ("disc",)}


def test_a_report_is_no_label(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("filename,findings\n1.png,The heart is enlarged.\n")
    with (
        new_project(tmp_path) as project,
        pytest.raises(NearlError, match="does not say which file has which label"),
    ):
        _said(project, table, SourceKind.CSV)


@pytest.mark.parametrize(
    ("file", "scans", "expected"),
    [
        ("ISIC_1", ["/s/ISIC_1.jpg", "/s/ISIC_2.jpg"], 0),
        ("a/1", ["/s/a/1.png", "/s/b/1.png"], 0),
        ("sub-1_T1w", ["/s/sub-1_T1w.nii.gz"], 0),
        ("1", ["/s/1.png", "/s/1.jpg"], None),  # unclear
        ("1.2.3", ["/s/1.2.3.4"], None),  # the last number of a UID is no suffix
        ("1", ["/s/.1"], None),
    ],
)
def test_a_name_without_its_suffix_is_found(
    file: str, scans: list[str], expected: int | None
) -> None:
    known = [Scan(number, Path(path)) for number, path in enumerate(scans)]
    found = match([Statement(file, ("x",))], known, folder=Path("/nowhere"), by_hash={}).found
    assert (found[0][0] if found else None) == expected


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ";")],
)
def test_tables_are_read_as_spreadsheets_save_them(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    table = tmp_path / "table.csv"
    with new_project(tmp_path) as project:
        name = project.scans()[0].path.name
        rows = (("Bild", "image", "diagnosis"), ("Größe", name, "Läsion – gutartig"))
        text = "\r\n".join(delimiter.join(row) for row in rows)
        table.write_bytes(text.encode(encoding))
        assert _said(project, table, SourceKind.CSV) == {1: ("Läsion – gutartig",)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\3\4 and more", "table.csv is no workbook that can be read.* its sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "of an old kind, or locked"),
        (b"", "table.csv is empty"),
        (
            b"Dateiname;Diagnose\n1.png;disc\n",
            "columns are Dateiname, Diagnose.* Say which",
        ),
    ],
)
def test_what_is_no_table_of_labels_says_what_it_is(
    tmp_path: Path, content: bytes, words: str
) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    with new_project(tmp_path) as project, pytest.raises(NearlError) as caught:
        _said(project, table, SourceKind.CSV)
    assert re.search(words, f"{caught.value.message} {caught.value.remedy}")


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("t.csv", "Dateiname;Diagnose\n1.png;disc\n", Columns("Dateiname", "Diagnose")),
        ("t.csv", "Dateiname,label\n1.png,disc\n", Columns("dateiname")),
        ("t.csv", "image,Foto,label,Experte 2\n9,1.png,dots,disc\n", Columns("Foto", "Experte 2")),
        ("t.csv", "Foto,disc,dots\n1.png,1,0\n", Columns("Foto")),
        ("t.jsonl", '{"Foto": "1.png"}\n{"Foto": "1.png", "x": ["disc"]}\n', Columns("Foto", "x")),
    ],
)
def test_columns_of_other_names_are_read_where_they_are_named(
    tmp_path: Path, name: str, content: str, columns: Columns
) -> None:
    table = tmp_path / name
    table.write_text(content)
    kind = SourceKind(table.suffix[1:])
    with new_project(tmp_path) as project:
        matched = look(project, kind, str(table), NoHeaders(), RunControl(), columns)
    assert [(scan_id, one.values) for scan_id, one in matched.found] == [(1, ("disc",))]


@pytest.mark.parametrize("columns", [Columns("Photo"), Columns("image", "Photo")])
def test_a_named_column_that_is_not_there_is_named(tmp_path: Path, columns: Columns) -> None:
    table = tmp_path / "table.csv"
    table.write_text("image,label\n1.png,disc\n")
    with new_project(tmp_path) as project, pytest.raises(ColumnsError) as caught:
        look(project, SourceKind.CSV, str(table), NoHeaders(), RunControl(), columns)
    assert "table.csv has no column Photo; its columns are image, label." in str(caught.value)
    assert caught.value.columns == ("image", "label")


def _workbook(path: Path, *rows: tuple[object, ...]) -> Path:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    book.create_sheet("Notes").append(("file", "label"))
    book.save(path)
    return path


@pytest.mark.parametrize("name", ["table.xlsx", "table.csv"])
def test_a_workbooks_first_sheet_is_a_table(tmp_path: Path, name: str) -> None:
    with new_project(tmp_path) as project:
        scan = project.scans()[0].path.name
        table = _workbook(tmp_path / name, (), ("No", "File", "Diagnosis"), (1, scan, "Läsion"))
        assert _said(project, table, SourceKind.CSV) == {1: ("Läsion",)}


def test_numbers_and_dates_of_a_workbook_are_as_in_csv(tmp_path: Path) -> None:
    cells = (1.0, 2.5, date(2026, 1, 2), True, None)
    table = _workbook(tmp_path / "t.xlsx", ("a", "b", "c", "d", "e", "f"), cells, (), (0,))
    assert list(workbook.rows_of(table)) == [
        (2, {"a": "1", "b": "2.5", "c": "2026-01-02 00:00:00", "d": "True", "e": "", "f": ""}),
        (4, {"a": "0", "b": "", "c": "", "d": "", "e": "", "f": ""}),
    ]


def _changed(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The workbook with other parts."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def _with_entities(name: str, content: bytes) -> bytes:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    return bomb + content[content.find(b"<worksheet") :] if "sheet1" in name else content


@pytest.mark.parametrize(
    "change",
    [
        _with_entities,
        lambda name, content: b"<worksheet>" if "sheet1" in name else content,
        lambda name, content: content[: len(content) // 2] if "workbook.xml" in name else content,
    ],
    ids=["entities", "cut sheet", "cut book"],
)
def test_a_workbook_that_is_damaged_or_defines_entities_is_refused(
    tmp_path: Path, change: Callable[[str, bytes], bytes]
) -> None:
    table = _changed(_workbook(tmp_path / "t.xlsx", ("file", "label"), ("1.png", "disc")), change)
    with pytest.raises(NearlError, match="no workbook that can be read"):
        list(workbook.rows_of(table))


def test_a_workbook_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = _workbook(tmp_path / "t.xlsx", ("file", "label"), ("1.png", "disc"))
    monkeypatch.setattr(workbook, "_LARGEST", 1000)
    with pytest.raises(NearlError, match="grows past"):
        list(workbook.rows_of(table))
