"""How a project is read and how far its readers agree, on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from nearl_core.cli import main
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import NewDecision, Occasion, ScanInfo, State, Verdict
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


def test_a_project_says_how_it_is_read(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "reading", str(project)) == {"blind_first": False, "repeats": 5.0}
    changed = {"blind_first": True, "repeats": 0.0}
    assert said(capsys, "reading", str(project), "--blind-first", "on", "--repeats", "0") == changed
    assert said(capsys, "reading", str(project)) == changed
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
