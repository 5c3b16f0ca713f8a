"""How a project is read and how far its readers agree, on the command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nearl_core.cli import main
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import NewDecision, Occasion, ScanInfo, Shown, State, Verdict
from tests.support.projects import LABELS, decide
from tests.support.scans import disc, write_png


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three scans, two readers who differ on the second; one repeat, one adjudication."""
    with Project.create(tmp_path / "p", LABELS) as made:
        for number in range(3):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number))
            made.add_scans([NewScan(path, ScanInfo(32, 32))])
        for scan_id, label in ((1, "disc"), (2, "disc"), (3, "dots")):
            decide(made, scan_id, label, reader="a")
        for scan_id, label in ((1, "disc"), (2, "dots"), (3, "dots")):
            decide(made, scan_id, label, reader="b")
        for new in (
            NewDecision(1, "a", labelled("disc"), occasion=Occasion.REPEAT),
            NewDecision(2, "a", labelled("dots"), occasion=Occasion.ADJUDICATION),
        ):
            made.record(new)
        return made.folder


def labelled(label: str) -> Verdict:
    return Verdict(State.LABELLED, (label,))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_agreement_of_pairs_repeats_and_disagreements(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, "agreement", str(project))
    readers = {one["reader"]: one for one in found["readers"]}
    assert readers["a"]["decisions"] == 3  # the adjudication hides none of what was read
    assert readers["a"]["adjudicated"] == 1
    assert readers["a"]["repeats"]["scans"] == 1
    assert readers["b"]["repeats"] is None
    (pair,) = found["pairs"]
    assert (pair["readers"], pair["scans"]) == (["a", "b"], 3)
    assert pair["kappa"] == pytest.approx(0.4)
    (open_,) = found["disagreements"]
    assert Path(open_["path"]).name == "1.png"
    assert open_["said"] == {"a": "Disc", "b": "Dots"}
    assert open_["adjudicated"] == "Dots"
    assert main(["agreement", str(project)]) == 0
    text = capsys.readouterr().out
    assert "1 disagreement, 0 open; --json tells what was said" in text
    assert "1.png" not in text  # who still reads may want the figures alone


def test_a_project_says_how_it_is_read(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    undivided = {"divided": {}, "shared": 10.0}
    as_made = {"blind_first": False, "repeats": 5.0, **undivided}
    assert said(capsys, "reading", str(project)) == as_made
    changed = {"blind_first": True, "repeats": 0.0, **undivided}
    assert said(capsys, "reading", str(project), "--blind-first", "on", "--repeats", "0") == changed
    assert said(capsys, "reading", str(project)) == changed
    assert main(["reading", str(project), "--repeats", "0.4"]) == 0
    assert "; 0.4 % of scans come again" in capsys.readouterr().out
    assert main(["reading", str(project), "--repeats", "80"]) == 2


def test_an_undone_repeat_or_adjudication_counts_no_more(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(project) as opened:
        opened.undo("a")
        opened.undo("a")
    found = said(capsys, "agreement", str(project))
    assert found["readers"][0]["repeats"] is None
    assert found["disagreements"][0]["adjudicated"] is None
    assert found["pairs"][0]["scans"] == 3


def table(folder: Path, text: str) -> str:
    (folder / "d.csv").write_text(text, encoding="utf-8")
    return str(folder / "d.csv")


def process(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    """A command as a script runs it: its code, its lines, and what it says beside."""
    done = subprocess.run(
        [sys.executable, "-m", "nearl_core", *map(str, arguments), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_script_settles_a_disagreement_and_reads_all_that_was_said(
    project: Path, tmp_path: Path
) -> None:
    row = "path,label,reader,flagged,note\n"
    agreed = table(tmp_path, row + "0.png,Dots,c,,\n1.png,Disc,c,,\n")
    code, lines, told = process("decide", project, agreed, "--adjudicate")
    assert (code, lines) == (3, [])
    assert "Row 2: readers do not disagree on this scan" in told
    code, lines, _ = process(
        "decide", project, table(tmp_path, row + "1.png,Disc,c,yes,seen with b\n"), "--adjudicate"
    )
    assert (code, lines[0]["label"], lines[0]["note"]) == (0, "Disc", "seen with b")
    _, lines, _ = process("agreement", project)
    assert lines[0]["disagreements"][0]["adjudicated"] == "Disc"
    code, lines, _ = process("history", project, tmp_path / "1.png")
    assert code == 0
    assert [(one["reader"], one["label"], one["occasion"]) for one in lines] == [
        ("a", "Disc", "single"),
        ("b", "Dots", "single"),
        ("a", "Dots", "adjudication"),
        ("c", "Disc", "adjudication"),
    ]
    assert (lines[3]["flagged"], lines[3]["note"], lines[3]["shown"]) == (
        True,
        "seen with b",
        "imported",
    )
    _, lines, _ = process("decisions", project, "--reader", "c")
    assert [(one["note"], one["occasion"]) for one in lines] == [("seen with b", "adjudication")]
    code, _, told = process("history", project, tmp_path / "9.png")
    assert (code, "9.png is not a scan of this project" in told) == (3, True)


def test_a_history_tells_what_was_suggested_taken_back_and_renamed(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(project) as opened:
        decide(opened, 3, "stripes", reader="d", shown=Shown.VISIBLE, suggestion="disc")
        opened.undo("d")
        opened.redo("d")
    assert main(["labels", str(project), "--rename", "Stripes=Lines"]) == 0
    capsys.readouterr()
    assert main(["history", str(project), str(tmp_path / "2.png"), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()][2:]
    assert [one["label"] for one in lines] == ["Stripes", "", "Stripes"]  # as it was said then
    assert lines[0]["ranking"][0] == {"label": "Disc", "probability": 0.8}
    assert (lines[0]["version"], lines[0]["shown"]) == ("v1", "visible")
    assert (lines[1]["undoes"], lines[2]["redoes"]) == (lines[0]["id"], lines[1]["id"])
    assert main(["history", str(project), str(tmp_path / "2.png")]) == 0
    assert f"unseen (d, {lines[1]['time']}), undoes {lines[0]['id']}" in capsys.readouterr().out
    with Project.open(project) as opened:
        new = write_png(tmp_path / "new.png", disc())
        opened.add_scans([NewScan(new, ScanInfo(8, 8))])
    assert main(["history", str(project), str(new)]) == 0
    assert "Nothing was said of this scan yet." in capsys.readouterr().err


def test_copies_of_a_project_are_merged(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copies = [tmp_path / f"{name}.nearl" for name in ("c", "d")]
    for copy in copies:
        shutil.copytree(project, copy)
        with Project.open(copy) as other:
            decide(other, 1, "disc", reader=copy.stem)
    arguments = ("merge", str(project), *map(str, copies))
    assert main([*arguments, "--dry-run"]) == 0
    assert "1 decision of c.nearl would be taken over." in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["readers"] for line in lines] == [{"c": 1}, {"d": 1}]
    assert [line["saved"] for line in lines] == [True, True]
    with Project.open(project) as merged:
        assert {one.reader for one in merged.standing()} == {"a", "b", "c", "d"}


def test_a_copy_of_another_project_is_not_merged(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Project.create(tmp_path / "other", LABELS).close()
    assert main(["merge", str(project), str(tmp_path / "other")]) == 3
    assert "no copy of this project" in capsys.readouterr().err


def test_scans_are_divided_among_readers(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, "reading", str(project), "--divide", "a, b", "--shared", "100")
    assert (found["divided"], found["shared"]) == ({"a": 3, "b": 3}, 100)
    found = said(capsys, "reading", str(project), "--shared", "0")
    assert sum(found["divided"].values()) == 3  # each of the three falls to one of them
    assert not said(capsys, "reading", str(project), "--divide", "")["divided"]
    assert main(["reading", str(project), "--divide", "a,A"]) == 2
    assert main(["reading", str(project), "--divide", "a;b"]) == 0
    assert "not divided: that takes two readers" in capsys.readouterr().out
