"""`decide`: tables of decisions, row by row."""

import csv
import os
import sys
from pathlib import Path

import openpyxl
import pytest

from nearl_core.cli import main
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Confidence, Label, LabelSet, ScanInfo
from tests.support.commands import printed, write_table
from tests.support.projects import MULTI, new_project, said


def test_decisions_with_every_column(folder: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    file = write_table(
        tmp_path / "d.csv",
        ("Path", "LABEL", "reader", "state", "confidence", "frame", "comment"),
        (scans / "1.png", "dots", "anna", "", "probable", "0", "x"),
        ("scans/2.png", "STRIPES", "", "labelled", "Unsure", "", ""),
        ("scans/3.png", "", "anna", "None apply", "", "", ""),
        ("", "", "", "", "", "", ""),
        ("scans/1.png", "disc", "anna", "", "", "", ""),
    )
    assert main(["decide", str(folder), str(file), "--reader", "ben"]) == 0
    with Project.open(folder) as project:
        standing = project.standing()
        assert said(standing) == {
            (1, "anna"): ("disc",),
            (2, "ben"): ("stripes",),
            (3, "anna"): (),
        }
        assert project.history(2)[0].verdict.confidence is Confidence.POSSIBLE
        first = project.history(1)[0]
        assert (first.verdict.confidence.value, first.verdict.frame) == ("probable", 0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("scans/1.png", "cat", "", "", ""), "there is no label 'cat'; there are Disc, Stripes"),
        (("scans/99.png", "disc", "", "", ""), "scans/99.png is not a scan"),
        (("", "disc", "", "", ""), "no path"),
        (("scans/1.png", "", "", "", ""), "neither a label nor a state"),
        (("scans/1.png", "disc", "gone", "", ""), "no state 'gone'"),
        (("scans/1.png", "disc", "deferred", "", ""), "deferred has no label"),
        (("scans/1.png", "disc", "", "sure", ""), "no confidence 'sure'"),
        (("scans/1.png", "disc", "", "", "1"), "no frame 1; the scan has 1"),
        (("scans/1.png", "disc", "", "", "9" * 5000), "no frame 9"),
        (("scans/1.png", "disc;dots", "", "", ""), "no label 'disc;dots'"),
        (("scans/1.png", "disc", "", "", "", "more"), "6 cells"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_saved(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    row: tuple[str, ...],
    words: str,
) -> None:
    header = ("path", "label", "state", "confidence", "frame")
    good = ("scans/1.png", "disc", "", "", "")
    file = write_table(tmp_path / "d.csv", header, good, row, row)
    assert main(["decide", str(folder), str(file), "--json"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"Row 3: {words}" in captured.err or (
        "Row 3: " in captured.err and words in captured.err
    )
    assert "1 more rows" in captured.err
    assert captured.err.count("\n") == 1
    with Project.open(folder) as project:
        assert project.standing() == []


@pytest.mark.parametrize(
    "text", ["", "x,y\n1,2\n", "label\na\n", 'path,label\n"a', "path,path,label\n"]
)
def test_files_that_hold_no_decisions(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "d.csv"
    file.write_text(text)
    assert main(["decide", str(folder), str(file)]) == 3
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["decide", str(folder), str(tmp_path / "gone.csv")]) == 3


def test_several_labels_where_the_project_allows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_project(tmp_path, label_set=MULTI) as project:
        folder = project.folder
    file = write_table(tmp_path / "d.csv", ("path", "label"), ("scans/1.png", "dots; Disc"))
    assert main(["decide", str(folder), str(file), "--json"]) == 0
    assert printed(capsys)[0]["label"] == "Disc;Dots"


def test_a_label_with_a_semicolon_is_read_as_it_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = LabelSet(
        (Label("a", "Disc"), Label("b", "Disc; torn"), Label("c", "torn")), multi_label=True
    )
    with new_project(tmp_path, label_set=names) as project:
        folder = project.folder
    rows = [("scans/1.png", "Disc;Disc; torn"), ("scans/2.png", "torn ; Disc;")]
    file = write_table(tmp_path / "d.csv", ("path", "label"), *rows)
    assert main(["decide", str(folder), str(file), "--json"]) == 0
    listed = [one["label"] for one in printed(capsys)]
    assert listed == ["Disc;Disc; torn", "Disc;torn"]
    file = write_table(tmp_path / "e.csv", ("path", "label"), ("scans/1.png", "Disc;bent"))
    assert main(["decide", str(folder), str(file)]) == 3
    assert "there is no label 'bent'" in capsys.readouterr().err


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_tables_of_spreadsheets_whatever_stands_between_cells(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], delimiter: str
) -> None:
    file = tmp_path / "d.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as stream:
        rows = [("path", "label", "note"), ("scans/1.png", "Dots", "a; b, c\td")]
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    assert main(["decide", str(folder), str(file), "--json"]) == 0
    (said_of_it,) = printed(capsys)
    assert (said_of_it["label"], said_of_it["note"]) == ("Dots", "a; b, c\td")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_tables_of_spreadsheets_in_whatever_they_save(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    """A reader's name that changes with the encoding would make two readers of one."""
    with Project.create(tmp_path / "p", LabelSet((Label("g", "Größe"), Label("o", "O")))) as made:
        made.add_scans([NewScan(tmp_path / "Müller.png", ScanInfo(8, 8))])
    rows = "path;label;reader;note;Maß\nMüller.png;Größe;björn;schön;1\n"
    (tmp_path / "d.csv").write_text(rows, encoding=encoding)
    assert main(["decide", str(tmp_path / "p"), str(tmp_path / "d.csv"), "--json"]) == 0
    (line,) = printed(capsys)
    assert (line["label"], line["reader"], line["note"]) == ("Größe", "björn", "schön")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_a_file_name_of_any_bytes_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/M\xfcller.png"))
    with Project.create(tmp_path / "p", LabelSet((Label("g", "Größe"), Label("o", "O")))) as made:
        made.add_scans([NewScan(path, ScanInfo(8, 8))])
    row = b"path,label,reader\n" + os.fsencode(path) + ",Größe,björn\n".encode()
    (tmp_path / "d.csv").write_bytes(row)
    assert main(["decide", str(tmp_path / "p"), str(tmp_path / "d.csv"), "--json"]) == 0
    (line,) = printed(capsys)
    assert (line["label"], line["reader"]) == ("Größe", "björn")


def test_a_workbook_is_called_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    openpyxl.Workbook().save(tmp_path / "d.xlsx")
    assert main(["decide", str(folder), str(tmp_path / "d.xlsx")]) == 3
    assert "d.xlsx is a workbook. Save its sheet as CSV." in capsys.readouterr().err


def test_one_decision_is_exported_as_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_table(tmp_path / "d.csv", ("path", "label"), ("scans/1.png", "Disc"))
    assert main(["decide", str(folder), str(file)]) == 0
    assert main(["export", str(folder), str(tmp_path / "out"), "--format", "csv"]) == 0
    assert "Exported 1 decision on 1 scan (train 1," in capsys.readouterr().out
