"""The command line on projects: making, filling, listing, checking and mending them."""

import json
import os
from pathlib import Path

import pytest

from nearl_core.cli import main
from nearl_core.store.copies import copy_daily
from nearl_core.store.project import Project
from tests.support.commands import printed, write_table
from tests.support.projects import PillowReader, decide
from tests.support.scans import disc, write_folder, write_png


def test_the_whole_way_on_real_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scans = write_folder(tmp_path / "scans")
    (scans / "notes.txt").write_text("not a scan")
    project, out = str(tmp_path / "p"), tmp_path / "out"

    assert main(["create", project, "--labels", "Disc,Stripes", "--json"]) == 0
    (created,) = printed(capsys)
    assert created["project"] == f"{project}.nearl"
    assert created["labels"] == ["Disc", "Stripes"]

    assert main(["add", project, str(scans), "--json"]) == 0
    (added,) = printed(capsys)
    assert (added["added"], added["already"], added["patients"]) == (9, 0, 9)
    assert [Path(one["path"]).name for one in added["skipped"]] == ["notes.txt"]
    assert added["skipped"][0]["reason"]

    rows = [(f"scans/{k}-{n}.png", k.title()) for k in ("disc", "stripes") for n in range(4)]
    file = write_table(tmp_path / "d.csv", ("path", "label"), *rows)
    assert main(["--json", "decide", project, str(file)]) == 0
    decided = printed(capsys)
    assert main(["decisions", project, "--json"]) == 0
    listed = printed(capsys)
    keys = ("path", "label", "reader", "time")
    assert [{k: one[k] for k in keys} for one in decided] == [
        {k: one[k] for k in keys} for one in listed
    ]
    assert [(one["path"], one["label"]) for one in listed] == [
        (str(tmp_path / path), label) for path, label in rows
    ]

    assert main(["export", project, str(out), "--format", "imagefolder", "--json"]) == 0
    (exported,) = printed(capsys)
    assert exported["images"] == len(list(out.rglob("*.png"))) == 8
    assert {path.parent.name for path in out.rglob("*.png")} == {"Disc", "Stripes"}
    files = {one["scan"]: Path(one["path"]) for one in listed}
    for picture in out.rglob("*.png"):  # who holds the project can tell which file it is of
        assert files[picture.name.split("_")[0]].name.startswith(picture.parent.name.lower())

    assert main(["check", project, "--json"]) == 0
    (checked,) = printed(capsys)
    assert (checked["ok"], checked["scans"], checked["decisions"]) == (True, 9, 8)
    (scans / "disc-0.png").unlink()
    assert main(["check", project, "--json"]) == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out)["problems"][0]["scan_ids"]
    assert "1 scan files are not where they were." in captured.err


@pytest.mark.parametrize(
    ("rule", "patients", "known"),
    [("folder", 2, True), (r"(\w)-\d\.png", 3, True), (None, 5, False)],
)
def test_patients_are_told_apart_by_what_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    rule: str | None,
    patients: int,
    known: bool,
) -> None:
    class Reader(PillowReader):
        def __enter__(self) -> "Reader":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("nearl_core.cli.projects.scan_reader", Reader)
    for name in ("anna/x-1", "anna/x-2", "anna/y-1", "ben/y-1", "ben/z-1"):
        write_png(tmp_path / "scans" / f"{name}.png", disc())
    project = str(tmp_path / "p")
    assert main(["create", project, "--labels", "a,b"]) == 0
    argv = ["add", project, str(tmp_path / "scans"), "--json"]
    capsys.readouterr()
    assert main(argv if rule is None else [*argv, "--patient-from", rule]) == 0
    captured = capsys.readouterr()
    added = json.loads(captured.out)
    assert (added["patients"], added["patients_known"]) == (patients, known)
    assert ("a patient of its own" in captured.err) is not known
    assert main(argv) == 0  # known files are not read again
    assert json.loads(capsys.readouterr().out)["already"] == 5


def test_a_folder_that_was_added_is_known_behind_a_link_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("in/1", "in/deeper/2"):
        write_png(tmp_path / "scans" / f"{name}.png", disc())
    link, project = tmp_path / "link", str(tmp_path / "p")
    link.symlink_to(tmp_path / "scans", target_is_directory=True)
    assert main(["create", project, "--labels", "a,b", "--scans", str(link / "in")]) == 0
    for again in (tmp_path / "scans", link):
        capsys.readouterr()
        assert main(["add", project, str(again), "--json"]) == 0
        added = json.loads(capsys.readouterr().out)
        assert (added["added"], added["already"]) == (0, 2)


def test_a_new_project_says_how_many_scans_it_took_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path / "scans")
    argv = ["create", str(tmp_path / "p"), "--labels", "a,b", "--scans", str(tmp_path / "scans")]
    assert main(argv) == 0
    assert "9 scans added" in capsys.readouterr().out


def test_a_patient_rule_holds_for_what_is_added_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures of each patient in folders of their own, left and right apart."""
    for name in ("in/anna/left/1", "in/anna/right/1", "in/ben/left/1", "later/ben/2", "later/3"):
        write_png(tmp_path / f"{name}.png", disc())
    project, scans = str(tmp_path / "p"), str(tmp_path / "in")
    rule = ["--patient-from", "subfolder"]
    assert main(["create", project, "--labels", "a,b", "--scans", scans, *rule]) == 0
    capsys.readouterr()
    assert main(["add", project, str(tmp_path / "later"), "--json"]) == 0
    added = json.loads(capsys.readouterr().out)
    # Anna, Ben, and the one that stands in no folder and says nothing.
    assert (added["scans"], added["patients"], added["patients_known"]) == (5, 3, False)


@pytest.mark.parametrize("rule", ["(", "x", "(a)(b)"])
def test_a_patient_rule_that_means_nothing_leaves_no_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str
) -> None:
    argv = ["create", str(tmp_path / "p"), "--labels", "a", "--patient-from", rule]
    assert main(argv) == 2
    assert "tells patients apart" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ([], 2),
        (["fly"], 2),
        (["create", "x"], 2),
        (["--help"], 0),
        (["decisions", "/nowhere/p"], 3),
        (["create", "{tmp}/q", "--labels", "a,A"], 3),
        (["create", "{tmp}/q", "--labels", "{tmp}/gone.yaml"], 3),
        (["create", "{folder}", "--labels", "a,b"], 3),
        (["create", "{tmp}/q", "--labels", "a,b", "--scans", "{tmp}/gone"], 3),
        (["add", "{folder}", "{tmp}/gone"], 3),
        (["export", "{folder}", "{tmp}/o", "--format", "csv"], 3),
        (["export", "{folder}", "{tmp}/o", "--format", "xls"], 2),
        (["export", "{folder}", "{tmp}/o", "--format", "csv", "--split", "a"], 2),
    ],
)
def test_exit_codes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int
) -> None:
    filled = [one.format(tmp=tmp_path, folder=folder) for one in argv]
    assert main(filled) == code
    captured = capsys.readouterr()
    if code == 3:
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert "Traceback" not in captured.err


def test_a_project_that_is_open_can_be_listed_and_not_changed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_table(tmp_path / "d.csv", ("path", "label"), ("scans/1.png", "disc"))
    with Project.open(folder) as project:
        decide(project, 2, "dots")
        assert main(["decisions", str(folder), "--json"]) == 0
        assert len(printed(capsys)) == 1
        assert main(["decide", str(folder), str(file)]) == 3
        assert f"in this process ({os.getpid()})" in capsys.readouterr().err
        assert main(["check", str(folder), "--json"]) == 3  # the files do not exist
        captured = capsys.readouterr()
        assert "looked at only" in captured.err
        assert json.loads(captured.out)["scans"] == 6


def test_moved_scans_are_found_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "note.txt").write_text("nothing")
    assert main(["check", str(folder), "--find", str(tmp_path / "away")]) == 3
    assert "0 moved scans were found again" in capsys.readouterr().err


def test_a_damaged_database_comes_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Project.open(folder) as project:
        copy_daily(project.folder)
        decide(project, 1, "disc")
    file = folder / "project.db"
    file.write_bytes(file.read_bytes()[:4096] + b"\xa5" * 4096 + file.read_bytes()[8192:])
    assert main(["decisions", str(folder)]) == 3
    assert "check PROJECT --restore" in capsys.readouterr().err
    assert main(["check", str(folder), "--restore", "--json"]) == 3  # the files do not exist
    captured = capsys.readouterr()
    assert "1 later decisions; 0 are lost" in captured.err
    assert (report := json.loads(captured.out))["decisions"] == 1
    assert len(report["copies"]) == 1
    assert len(report["problems"]) == 1
