"""The command that takes in labels which exist already."""

import csv
import json
from pathlib import Path

import pytest

from nearl_core.cli import main
from nearl_core.store.project import Project
from tests.support.projects import new_project, said


def test_an_import_is_shown_then_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with new_project(tmp_path) as made:
        project = str(made.folder)
    table = tmp_path / "old.csv"
    table.write_text("file,label\n1.png,Disc\n2.png,Circle\n77.png,Disc\n")
    asked = ["import", project, str(table), "--format", "csv", "--source", "reports"]
    assert main([*asked, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "1 decision of reports would be taken in." in out
    assert "1 × Circle → left out" in out
    assert "Files of the source that are no scans of this project: 1\n  77.png" in out
    assert main([*asked, "--map", "Circle=Dots", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert (record["decisions"], record["unknown"], record["saved"]) == (2, ["77.png"], True)
    assert record["values"][0] == {"value": "Circle", "scans": 1, "label": "Dots"}
    with Project.open(Path(project)) as opened:
        assert said(opened.standing()) == {(1, "reports"): ("disc",), (2, "reports"): ("dots",)}
    more = tmp_path / "more.csv"
    more.write_text(f"path,label\n{tmp_path / 'scans' / '3.png'},Dots\n")
    assert main(["decide", project, str(more), "--reader", "Reports"]) == 3
    assert "is a source of labels in this project" in capsys.readouterr().err
    assert main(["agreement", project, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["readers"], [one["reader"] for one in found["sources"]]) == ([], ["reports"])
    folder = tmp_path / "out"
    export = ["export", project, str(folder), "--format", "csv", "--decisions", "agreed"]
    assert main(export) == 3
    assert main([*export, "--source", "Report"]) == 2
    assert "The sources are: reports." in capsys.readouterr().err
    assert main([*export, "--source", "reports"]) == 0
    rows = list(csv.DictReader((folder / "decisions.csv").read_text().splitlines()))
    assert [(row["reader"], row["source"]) for row in rows] == [("reports", "true")] * 2
    card = (folder / "README.md").read_text()
    assert "where nobody decided, the word of reports stands" in card
    assert "by 0 readers" not in card
    assert "| reports (source) | 2 |" in card
    assert main([*asked, "--map", "Circle=Cat"]) == 3
    assert "does not map a value to a label" in capsys.readouterr().err


def test_rows_without_one_label_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_project(tmp_path) as made:
        project = str(made.folder)
    table = tmp_path / "one-hot.csv"
    table.write_text("image,DISC,dots\n1,1.0,0.0\n2,0.0,0.0\n3,1.0,1.0\n")
    assert main(["import", project, str(table), "--format", "csv", "--source", "old"]) == 0
    out = capsys.readouterr().out
    assert "1 decision of old taken in." in out
    assert "one label must have 1: 2\n" in out
    assert "  Line 3 has 1 for no label.\n  Line 4 has 1 for DISC, dots." in out
    with Project.open(Path(project)) as opened:
        assert said(opened.standing()) == {(1, "old"): ("disc",)}


def test_columns_are_named_where_their_names_do_not_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_project(tmp_path) as made:
        project = str(made.folder)
    table = tmp_path / "old.csv"
    table.write_text("Dateiname,Diagnose\n1.png,Disc\n")
    asked = ["import", project, str(table), "--format", "csv"]
    assert main(asked) == 3
    assert "its columns are Dateiname, Diagnose" in capsys.readouterr().err
    named = ["--file-column", "Dateiname", "--label-column", "Diagnose"]
    assert main([*asked, *named]) == 0
    assert "1 decision of imported-csv taken in." in capsys.readouterr().out
    assert main(["import", project, "Modality", "--format", "dicom-tags", *named]) == 2
