"""rank, train, evaluate and versions, in this process and as a process of its own."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nearl_core.cli import main
from nearl_core.cli.engine import opened
from nearl_core.cli.output import Output
from nearl_core.control import RunControl
from nearl_core.learn import evaluate
from nearl_core.scans.display import RECIPE
from nearl_core.store.project import Project
from nearl_core.types import NewDecision, State, Verdict
from tests.engine.making import write_backbone
from tests.support.projects import version
from tests.support.scans import disc, stripes, write_png

Lines = list[dict[str, Any]]
EACH = 8


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a tiny backbone, 16 scans, 14 of them decided, and a folder `known`."""
    folder = tmp_path_factory.mktemp("work")
    backbone = write_backbone(folder / "tiny", words="lung\n")
    rows = [("path", "label")]
    for kind, draw in (("disc", disc), ("stripes", stripes)):
        for number in range(EACH):
            path = write_png(folder / "scans" / f"{kind}-{number}.png", draw(seed=number))
            rows.append((str(path), kind.title()))
            write_png(folder / "known" / kind / f"{number}.png", draw(seed=50 + number))
    rows = [row for row in rows if not row[0].endswith("-7.png")]
    with (folder / "decisions.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    made, scans = str(folder / "p.nearl"), str(folder / "scans")
    more = ["--labels", "Disc,Stripes", "--scans", scans, "--backbone", str(backbone)]
    assert main(["create", made, *more]) == 0
    assert main(["decide", made, str(folder / "decisions.csv")]) == 0
    return Path(made)


@pytest.fixture
def own(project: Path) -> Iterator[Path]:
    """A copy of it beside it, for what changes it."""
    copy = shutil.copytree(project, project.with_name("own.nearl"))
    yield copy
    shutil.rmtree(copy)


def _run(capsys: pytest.CaptureFixture[str], *argv: object, code: int = 0) -> Lines:
    capsys.readouterr()
    assert main([*map(str, argv), "--json"]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _said(capsys: pytest.CaptureFixture[str], *argv: object, code: int) -> str:
    capsys.readouterr()
    assert main([*map(str, argv)]) == code
    out, err = capsys.readouterr()
    assert not out
    assert "Traceback" not in err
    return err


def _process(*argv: object) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "nearl_core", *map(str, argv)]
    return subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)


def test_rank_says_what_it_makes_of_each_scan(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _run(capsys, "rank", project)
    assert len(found) == 2 * EACH
    for record in found:
        assert {"path", "frame", "version", "ranking"} <= set(record)
        assert record["version"] == "frozen"
        assert record["recipe"] == RECIPE
        assert [set(entry) for entry in record["ranking"]] == [{"label", "probability"}] * 2
        assert sum(entry["probability"] for entry in record["ranking"]) == pytest.approx(1)
        assert record["ranking"][0]["label"].lower() in record["path"]
        assert record["suggested"] == [record["ranking"][0]["label"]]


def test_rank_tells_people_what_is_suggested_and_what_it_leaves_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backbone = write_backbone(tmp_path / "tiny", words="lung\n")
    scans = [write_png(tmp_path / "scans" / f"{n}.png", disc(seed=n)) for n in range(3)]
    scans.append(write_png(tmp_path / "scans" / "3.png", stripes(seed=3)))
    rows = [f"{scans[0]},Disc", f"{scans[3]},Stripes"]
    (tmp_path / "decisions.csv").write_text("\n".join(["path,label", *rows]))
    made = tmp_path / "p.nearl"
    more = ["--labels", "Disc,Stripes,Torus", "--scans", tmp_path / "scans"]
    _run(capsys, "create", made, *more, "--backbone", backbone)
    _run(capsys, "decide", made, tmp_path / "decisions.csv")
    assert main(["rank", str(made), str(scans[1])]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{scans[1]}: Disc ")
    assert line.endswith("; suggested: Disc. Nothing is known yet of: Torus.")


def test_rank_of_some_paths_in_their_order_with_few_labels(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent)
    asked = ["scans/stripes-3.png", "scans/disc-1.png"]
    found = _run(capsys, "rank", "p.nearl", *asked, "--top", 1)
    assert [record["path"] for record in found] == asked
    assert [len(record["ranking"]) for record in found] == [1, 1]
    assert _run(capsys, "rank", "p.nearl", "--top", 1, *asked) == found
    assert _run(capsys, "rank", "p.nearl", asked[0], "--top", 1, asked[1]) == found
    found = _run(capsys, "rank", "p.nearl", "--unlabelled")
    assert sorted(Path(r["path"]).name for r in found) == ["disc-7.png", "stripes-7.png"]


def test_a_ranking_is_the_same_whatever_else_was_ranked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The main axes are those of all scans, whichever were asked for first."""
    backbone = write_backbone(tmp_path / "tiny", words="lung\n")
    drawn = [disc(seed=n) if n % 2 else stripes(seed=n) for n in range(40)]
    paths = [write_png(tmp_path / "scans" / f"{n}.png", one) for n, one in enumerate(drawn)]
    rows = [f"{path},{'Disc' if n % 2 else 'Stripes'}" for n, path in enumerate(paths[:6])]
    (tmp_path / "decisions.csv").write_text("\n".join(["path,label", *rows]))
    made, scans = tmp_path / "p.nearl", tmp_path / "scans"
    more = ["--labels", "Disc,Stripes", "--scans", scans, "--backbone", backbone]
    _run(capsys, "create", made, *more)
    _run(capsys, "decide", made, tmp_path / "decisions.csv")
    [alone] = _run(capsys, "rank", made, paths[30])
    with opened(made, Output(as_json=True), device="cpu", read_only=True) as (project, engine):
        by_id = {scan.id: scan for scan in project.scans()}
        engine.rank(list(by_id.values()), RunControl())  # as the desk does behind the reader
        engine.learn(by_id, project.standing())
        [there] = engine.rerank([scan.id for scan in by_id.values() if scan.path == paths[30]])
    said = [entry["probability"] for entry in alone["ranking"]]
    assert said == pytest.approx([entry.probability for entry in there.labels], abs=1e-6)


def test_rank_of_a_path_that_is_not_in_the_project(project: Path) -> None:
    """As a process of its own: nothing on stdout, a sentence and what to do on stderr."""
    ended = _process("rank", project, "elsewhere.png", "--json")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "elsewhere.png is not a scan of this project. Add it" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "argv",
    [
        ("evaluate", "p.nearl", "known", "--stage", "guess"),
        ("rank", "p.nearl", "--top", "0"),
        ("rank", "p.nearl", "--top", "many"),
        ("train", "p.nearl", "--seed", "x"),
        ("train", "p.nearl", "--max-seconds", "-3"),
        ("train", "p.nearl", "--max-seconds", "nan"),
        ("train", "p.nearl", "--max-seconds", "soon"),
        ("rank", "p.nearl", "--nothing", "a.png"),
        ("rank",),
        ("bench", "accuracy", "known", "--shots", "4,no"),
    ],
)
def test_wrong_usage(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert "usage" in _said(capsys, *argv, code=2)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("evaluate", "PROJECT", "gone"), "no folder gone"),
        (("evaluate", "PROJECT", "known", "--stage", "tuned"), "No version was trained"),
        (("rank", "gone.nearl"), "gone"),
        (("rank", "PROJECT", "--device", "abacus"), "'abacus' is not there"),
        (("versions", "PROJECT", "--activate", "v9"), "no version 'v9'"),
        (("bench", "accuracy", "gone"), "no folder"),
    ],
)
def test_inputs_that_can_t_be_used(
    project: Path,
    argv: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project.parent)
    words = [str(project) if word == "PROJECT" else word for word in argv]
    assert said in _said(capsys, *words, code=3)


def test_a_folder_that_can_t_be_measured_is_said_before_a_model_is_loaded(
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nearl_core.cli.engine.opened", None)
    (tmp_path / "empty").mkdir()
    write_png(tmp_path / "other" / "Dots" / "1.png", disc(seed=1))
    assert "no scan in empty" in _said(capsys, "evaluate", project, tmp_path / "empty", code=3)
    assert "no label 'Dots'" in _said(capsys, "evaluate", project, tmp_path / "other", code=3)


def test_train_evaluate_and_choose_versions(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (trained,) = _run(capsys, "train", own, "--max-seconds", 1, "--seed", 1)
    assert {"version", "promoted", "reason", "seconds", "before", "after"} == set(trained)
    assert trained["version"] == "v1"
    assert trained["after"]["n"] == 14

    (listed,) = _run(capsys, "versions", own)
    assert (listed["version"], listed["live"]) == ("v1", trained["promoted"])
    assert listed["reason"] == trained["reason"]
    assert listed["decisions"] == 14

    (listed,) = _run(capsys, "versions", own, "--activate", "v1")
    assert listed["live"]
    fields = {"n", "accuracy", "balanced_accuracy", "log_loss", "ece", "auroc", "version", "stage"}
    for stage in ("zero-shot", "linear-probe", "instant", "tuned", "live"):
        (found,) = _run(capsys, "evaluate", own, own.parent / "known", "--stage", stage)
        assert set(found) == fields
        assert (found["n"], found["stage"], found["version"]) == (2 * EACH, stage, "v1")
        if stage != "zero-shot":
            assert found["balanced_accuracy"] == 1.0
    assert {r["version"] for r in _run(capsys, "rank", own)} == {"v1"}

    (listed,) = _run(capsys, "versions", own, "--activate", "frozen")
    assert not listed["live"]
    known = own.parent / "known"  # a version that the gate refused can still be looked at
    assert _run(capsys, "evaluate", own, known, "--stage", "tuned")[0]["version"] == "v1"
    assert _run(capsys, "evaluate", own, known)[0]["version"] == "frozen"
    assert {r["version"] for r in _run(capsys, "rank", own, "--top", 1)} == {"frozen"}


def test_a_version_of_another_edition_of_the_backbone_is_not_called_live(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(own) as project:
        project.add_version(version("v1"))
        project.activate("v1")
    capsys.readouterr()
    assert main(["versions", str(own), "--json"]) == 0
    out, err = capsys.readouterr()
    assert not json.loads(out)["live"]
    assert "v1 was made for another backbone" in err
    with Project.open(own) as project:
        project.activate(None)
    assert "v1 was made for another backbone" in _said(
        capsys, "versions", own, "--activate", "v1", code=3
    )
    with Project.open(own, read_only=True) as project:
        assert not any(one.live for one in project.versions())


def test_a_version_is_called_live_where_its_backbone_is_not_on_this_machine(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(own) as project:
        project.add_version(version("v1"))
        project.activate("v1")
        project.set_backbone("elsewhere")
    (listed,) = _run(capsys, "versions", own)
    assert listed["live"]


def test_a_scan_that_was_deferred_is_unlabelled_as_on_the_desk(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(own) as project:
        undecided = {scan.id for scan in project.scans()}
        undecided -= {decision.scan_id for decision in project.standing()}
        first, second = sorted(undecided)
        project.record(NewDecision(first, "ann", Verdict(State.DEFERRED)))
        project.record(NewDecision(second, "ann", Verdict(State.UNASSESSABLE)))
        name = str(next(scan.path for scan in project.scans() if scan.id == first))
    assert [one["path"] for one in _run(capsys, "rank", own, "--unlabelled")] == [name]


def test_a_new_project_has_nothing_to_train_on(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["create", tmp_path / "new", "--labels", "A,B", "--backbone", project.parent / "tiny"]
    assert main([str(word) for word in made]) == 0
    assert "too few decisions" in _said(capsys, "train", tmp_path / "new", code=3)
    assert _run(capsys, "versions", tmp_path / "new") == []
    assert _run(capsys, "rank", tmp_path / "new") == []


def test_bench_draws_from_train_and_measures_on_test(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "test"):
        (tmp_path / "tasks" / "toy").mkdir(parents=True, exist_ok=True)
        (tmp_path / "tasks" / "toy" / part).symlink_to(project.parent / "known")
    argv = ["bench", "accuracy", tmp_path / "tasks", "--shots", "2", "--draws", "1"]
    argv += ["--backbone", project.parent / "tiny", "--out", tmp_path / "out.jsonl"]
    argv += ["--methods", "zero-shot,live"]
    found = _run(capsys, *argv)
    assert [r["method"] for r in found] == ["zero-shot", "tuned", "live"]
    assert {r["figures"]["n"] for r in found} == {2 * EACH}
    assert _run(capsys, *argv) == []  # what stands in the results is not run again


def test_look_again_says_what_it_needs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "14 decisions are too few" in _said(capsys, "look-again", project, code=3)
    assert "No reader B" in _said(capsys, "look-again", project, "--reader", "B", code=3)


def test_look_again_counts_what_can_be_weighed(
    own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "ENOUGH", 15)
    with Project.open(own) as project:
        reader = project.standing()[0].reader
        undecided = {scan.id for scan in project.scans()}
        for scan_id in undecided - {decision.scan_id for decision in project.standing()}:
            project.record(NewDecision(scan_id, reader, Verdict(State.UNASSESSABLE)))
    assert "14 decisions are too few" in _said(capsys, "look-again", own, code=3)
