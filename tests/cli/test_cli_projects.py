"""The command line on projects, in this process and as a process of its own."""

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nearl_core.cli import main
from nearl_core.cli.output import Output, to_json
from nearl_core.control import Progress
from nearl_core.store.copies import copy_daily
from nearl_core.store.project import Project
from nearl_core.types import Label, LabelSet
from tests.support.projects import MULTI, PillowReader, decide, new_project, said
from tests.support.scans import disc, write_folder, write_png

Lines = list[dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed project of six scans (no files) with the labels Disc, Stripes and Dots."""
    with new_project(tmp_path) as project:
        return project.folder


def _json(capsys: pytest.CaptureFixture[str]) -> Lines:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _csv(path: Path, *rows: tuple[object, ...]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Children that heed an interrupt, even where a shell started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _process(*argv: object, **more: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "nearl_core", *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def test_the_whole_way_on_real_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scans = write_folder(tmp_path / "scans")
    (scans / "notes.txt").write_text("not a scan")
    project, out = str(tmp_path / "p"), tmp_path / "out"

    assert main(["create", project, "--labels", "Disc,Stripes", "--json"]) == 0
    (created,) = _json(capsys)
    assert created["project"] == f"{project}.nearl"
    assert created["labels"] == ["Disc", "Stripes"]

    assert main(["add", project, str(scans), "--json"]) == 0
    (added,) = _json(capsys)
    assert (added["added"], added["already"], added["patients"]) == (9, 0, 9)
    assert [Path(one["path"]).name for one in added["skipped"]] == ["notes.txt"]
    assert added["skipped"][0]["reason"]

    rows = [(f"scans/{k}-{n}.png", k.title()) for k in ("disc", "stripes") for n in range(4)]
    file = _csv(tmp_path / "d.csv", ("path", "label"), *rows)
    assert main(["--json", "decide", project, str(file)]) == 0
    decided = _json(capsys)
    assert main(["decisions", project, "--json"]) == 0
    listed = _json(capsys)
    keys = ("path", "label", "reader", "time")
    assert [{k: one[k] for k in keys} for one in decided] == [
        {k: one[k] for k in keys} for one in listed
    ]
    assert [(one["path"], one["label"]) for one in listed] == [
        (str(tmp_path / path), label) for path, label in rows
    ]

    assert main(["export", project, str(out), "--format", "imagefolder", "--json"]) == 0
    (exported,) = _json(capsys)
    assert exported["images"] == len(list(out.rglob("*.png"))) == 8
    assert {path.parent.name for path in out.rglob("*.png")} == {"Disc", "Stripes"}

    assert main(["check", project, "--json"]) == 0
    (checked,) = _json(capsys)
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


@pytest.mark.parametrize("rule", ["(", "x", "(a)(b)"])
def test_a_patient_rule_that_means_nothing_leaves_no_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str
) -> None:
    argv = ["create", str(tmp_path / "p"), "--labels", "a", "--patient-from", rule]
    assert main(argv) == 2
    assert "tells patients apart" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_decisions_with_every_column(folder: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    file = _csv(
        tmp_path / "d.csv",
        ("Path", "LABEL", "reader", "state", "confidence", "frame", "comment"),
        (scans / "1.png", "dots", "anna", "", "probable", "0", "x"),
        ("scans/2.png", "STRIPES", "", "labelled", "", "", ""),
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
    file = _csv(tmp_path / "d.csv", header, good, row, row)
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
    file = _csv(tmp_path / "d.csv", ("path", "label"), ("scans/1.png", "dots; Disc"))
    assert main(["decide", str(folder), str(file), "--json"]) == 0
    assert _json(capsys)[0]["label"] == "Disc;Dots"


def test_a_label_with_a_semicolon_is_read_as_it_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = LabelSet(
        (Label("a", "Disc"), Label("b", "Disc; torn"), Label("c", "torn")), multi_label=True
    )
    with new_project(tmp_path, label_set=names) as project:
        folder = project.folder
    rows = [("scans/1.png", "Disc;Disc; torn"), ("scans/2.png", "torn ; Disc;")]
    file = _csv(tmp_path / "d.csv", ("path", "label"), *rows)
    assert main(["decide", str(folder), str(file), "--json"]) == 0
    listed = [one["label"] for one in _json(capsys)]
    assert listed == ["Disc;Disc; torn", "Disc;torn"]
    file = _csv(tmp_path / "e.csv", ("path", "label"), ("scans/1.png", "Disc;bent"))
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
    (said_of_it,) = _json(capsys)
    assert (said_of_it["label"], said_of_it["note"]) == ("Dots", "a; b, c\td")


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
    file = _csv(tmp_path / "d.csv", ("path", "label"), ("scans/1.png", "disc"))
    with Project.open(folder) as project:
        decide(project, 2, "dots")
        assert main(["decisions", str(folder), "--json"]) == 0
        assert len(_json(capsys)) == 1
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


# --- as a process ----------------------------------------------------------------------------


def test_commands_that_need_no_model_answer_at_once(folder: Path) -> None:
    # What is loaded, not seconds: this machine may be busy with something else.
    code = (
        "import sys; from nearl_core.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'open_clip', 'PIL', 'pydicom', 'PySide6', 'scipy', 'torchvision'}; "
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "decisions", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_decide_has_saved_every_line_that_it_printed(
    folder: Path, tmp_path: Path, seed: int
) -> None:
    rows = [(f"scans/{n % 6 + 1}.png", ("disc", "dots")[n % 2]) for n in range(3000)]
    file = _csv(tmp_path / "d.csv", ("path", "label"), *rows)
    with _process("decide", folder, file, "--json") as child:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        limit = time.monotonic() + random.Random(seed).uniform(0.05, 0.3)
        while time.monotonic() < limit:
            lines.append(child.stdout.readline())
        child.kill()
        lines += child.stdout.readlines()
        assert child.stderr is not None
        child.stderr.read()
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    assert 0 < len(whole) < len(rows)
    with Project.open(folder) as project:
        saved = sorted(
            (one for scan in project.scans() for one in project.history(scan.id)),
            key=lambda one: one.id,
        )
        paths = {scan.id: str(scan.path) for scan in project.scans()}
    assert len(saved) - len(whole) in (0, 1)
    for line, decision in zip(whole, saved, strict=False):
        assert line["path"] == paths[decision.scan_id]
        assert line["label"].lower() == decision.verdict.labels[0]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and pipes")
@pytest.mark.usefixtures("interruptible")
def test_interrupts_and_broken_pipes_are_quiet(folder: Path, tmp_path: Path) -> None:
    rows = [("scans/1.png", "disc")] * 5000
    file = _csv(tmp_path / "d.csv", ("path", "label"), *rows)
    with _process("decide", folder, file) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.stdout.read()
        assert child.stderr.read() == "Interrupted.\n"
    assert child.returncode == 130
    with _process("decide", folder, file) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 141


def test_a_bug_is_one_line_and_a_log_without_anyone(nearl_home: Path) -> None:
    code = (
        "import sys; import nearl_core.store.project as p\n"
        "def fails(*_, **__): raise KeyError('MUELLER')\n"
        "p.Project.open = fails\n"
        "from nearl_core.cli import main\n"
        "sys.argv[1:] = ['decisions', '/data/MUELLER']\n"
        "sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "This is a bug in NEARL Desk (KeyError)" in done.stderr
    log = (nearl_home / "bugs.log").read_text()
    assert "builtins.KeyError" in log
    assert "nearl_core/cli/decisions.py" in log
    assert "MUELLER" not in log + done.stderr


# --- output ----------------------------------------------------------------------------------


def test_json_lines_are_utf8_whatever_a_path_holds() -> None:
    path = os.fsdecode(b"m\xfcller.png")
    line = to_json({"path": path, "label": "Größe"})
    assert os.fsencode(json.loads(line.encode("utf-8"))["path"]) == b"m\xfcller.png"
    assert "Größe" in to_json({"label": "Größe"})


def test_results_and_messages_do_not_mix() -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(as_json=True, stdout=out, stderr=err)
    output.message("two\nlines")
    output.text("for people")
    output.result({"a": 1}, "text")
    output.progress(Progress(1, 2, "Reading"))
    assert (out.getvalue(), err.getvalue()) == ('{"a": 1}\n', "two lines\n")
