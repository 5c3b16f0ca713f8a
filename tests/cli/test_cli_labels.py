"""The command line on a project's label set."""

import json
from pathlib import Path
from typing import Any

import pytest

from nearl_core.cli import main
from nearl_core.store.project import Project
from tests.support.projects import decide, new_project, said


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A closed project whose readers a and b decided."""
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", reader="a")
        decide(project, 2, "dots", reader="a")
        decide(project, 1, "stripes", reader="b")
        return str(project.folder)


def _one(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_labels_are_listed_with_their_decisions(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["labels", folder, "--json"]) == 0
    found = _one(capsys)
    assert [(one["name"], one["decisions"]) for one in found["labels"]] == [
        ("Disc", 1),
        ("Stripes", 1),
        ("Dots", 1),
    ]
    assert (found["revision"], found["saved"]) == (1, False)
    assert main(["labels", folder]) == 0
    assert "Disc (disc), 1 decision\n" in capsys.readouterr().out


def test_a_change_is_shown_done_and_undone(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--merge", "Disc,dots=Round", "--rename", "stripes=Bands", "--parent", "Bands=Round"]
    assert main(["labels", folder, *asked, "--dry-run", "--json"]) == 0
    shown = _one(capsys)
    assert shown["saved"] is False
    assert [one["name"] for one in shown["labels"]] == ["Round", "Bands"]
    with Project.open(Path(folder)) as project:
        before = said(project.standing())
        assert project.label_set().names == ("Disc", "Stripes", "Dots")
    assert main(["labels", folder, *asked, "--json"]) == 0
    done = _one(capsys)
    assert (done["saved"], done["revision"]) == (True, 2)
    assert done["effects"] == shown["effects"]
    assert {(one["reader"], *one["before"], *one["after"]) for one in done["effects"]} == {
        ("a", "Disc", "Round"),
        ("a", "Dots", "Round"),
        ("b", "Stripes", "Bands"),
    }
    assert done["labels"][1]["parent"] == "round"
    assert main(["labels", folder, "--undo"]) == 0
    with Project.open(Path(folder)) as project:
        assert said(project.standing()) == before
    assert main(["labels", folder, "--undo"]) == 2
    assert "no change of the labels" in capsys.readouterr().err


def test_a_split_counts_what_is_to_be_decided_again(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["labels", folder, "--split", "Disc=Big,Small", "--retire", "Dots"]) == 0
    out = capsys.readouterr().out
    assert "a: 1 × Disc → to be decided again" in out
    assert "made again since the labels changed: 2 decisions on 2 scans" in out
    assert "1.png (was Disc, a)" in out
    assert main(["decisions", folder, "--json"]) == 0
    assert _one(capsys)["label"] == "Stripes"
    assert main(["labels", folder, "--json"]) == 0
    again = _one(capsys)["to_decide_again"]
    assert [(one["reader"], one["was"]) for one in again] == [("a", "Disc"), ("a", "Dots")]


def test_a_scan_of_two_readers_is_counted_once(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(Path(folder)) as project:
        (said,) = [one for one in project.standing() if one.verdict.labels == ("disc",)]
        decide(project, said.scan_id, "disc", reader="b")
    assert main(["labels", folder, "--retire", "Disc"]) == 0
    assert "2 decisions on 1 scan:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (["--rename", "Cat=Dog"], 3, "no label 'Cat'"),
        (["--rename", "Disc"], 2, "can't be read"),
        (["--merge", "Disc=Round"], 3, "needs two labels"),
        (["--split", "Disc=Round"], 3, "needs two parts"),
        (["--undo", "--retire", "Disc"], 2, "at once"),
        (["--retire", "Disc", "--retire", "Dots", "--retire", "Stripes"], 3, "has no label"),
    ],
)
def test_what_can_not_be_is_said_and_changes_nothing(
    folder: str, capsys: pytest.CaptureFixture[str], asked: list[str], code: int, words: str
) -> None:
    assert main(["labels", folder, *asked]) == code
    assert words in capsys.readouterr().err
    with Project.open(Path(folder)) as project:
        assert project.label_set().revision == 1
