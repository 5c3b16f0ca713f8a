"""Adapters from one project to another, by what their card says."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from nearl_core.cli import main
from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from tests.engine.making import write_backbone
from tests.support.commands import write_table
from tests.support.scans import disc, stripes, write_png

EACH = 7


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a backbone `tiny`, scans, a project `a.nearl` and its adapters in `out`."""
    folder = tmp_path_factory.mktemp("work")
    write_backbone(folder / "tiny", words="lung\n")
    rows = [("path", "label")]
    for kind, draw in (("disc", disc), ("stripes", stripes)):
        for number in range(EACH):
            path = write_png(folder / "scans" / f"{kind}-{number}.png", draw(seed=number))
            rows.append((str(path), kind.title()))
    table = write_table(folder / "said.csv", *rows)
    _create(folder, "a.nearl", "Disc,Stripes")
    project = str(folder / "a.nearl")
    for words in (
        ["decide", project, str(table)],
        ["train", project, "--max-seconds", "1"],
        ["versions", project, "--activate", "v1"],
        ["export", project, str(folder / "out"), "--format", "adapters"],
    ):
        assert main(words) == 0
    return folder


def _create(folder: Path, name: str, labels: str) -> str:
    project = str(folder / name)
    more = ["--scans", str(folder / "scans"), "--backbone", str(folder / "tiny")]
    assert main(["create", project, "--labels", labels, *more]) == 0
    return project


def _lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_another_project_ranks_by_them(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = _create(exported, "b.nearl", str(exported / "out" / "labels.yaml"))
    (added,) = _lines(capsys, "versions", other, "--add", str(exported / "out"))
    assert (added["version"], added["live"], added["promoted"]) == ("v1", False, False)
    assert "trained on 14 decisions elsewhere" in added["reason"]
    assert "versions PROJECT --add ." in (exported / "out" / "README.md").read_text()
    _lines(capsys, "versions", other, "--activate", "v1")
    said = _lines(capsys, "rank", other)
    with Project.open(exported / "a.nearl") as project, ScanReader(workers=1) as reader:
        engine = Engine(
            backbone=project.backbone,
            label_set=(label_set := project.label_set()),
            reader=reader,
            adapters_folder=project.adapters_folder,
            cache_folder=exported / "cache",
        )
        engine.load(RunControl())
        engine.activate(project.versions()[0])
        expected = engine.rank(project.scans(), RunControl())
    assert main(["export", other, str(exported / "again"), "--format", "adapters"]) == 0
    card = (exported / "again" / "README.md").read_text()
    assert "0 decisions" not in card
    assert "trained on 14 decisions elsewhere" in card
    names = {label.name: label.id for label in label_set.labels}
    assert {one["version"] for one in said} == {"v1"}
    for one, known in zip(said, expected, strict=True):
        for entry in one["ranking"]:
            probability = known.probability(names[entry["label"]])
            assert entry["probability"] == pytest.approx(probability, abs=1e-5)


@pytest.mark.parametrize(
    ("labels", "spoil", "words"),
    [
        ("Stripes,Disc", False, "other labels than this project's"),
        ("Disc,Stripes", True, "is not the file that config.json tells of"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    exported: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    labels: str,
    spoil: bool,
    words: str,
) -> None:
    given = shutil.copytree(exported / "out", tmp_path / "given")
    if spoil:
        with (given / "adapters.safetensors").open("ab") as file:
            file.write(b"x")
    other = _create(exported, f"{tmp_path.name}.nearl", labels)
    assert main(["versions", other, "--add", str(given)]) == 3
    assert words in capsys.readouterr().err
    assert main(["versions", other, "--add", str(exported / "scans")]) == 3
    assert "no folder of exported adapters" in capsys.readouterr().err
    assert not list((Path(other) / "adapters").glob("*"))
    assert _lines(capsys, "versions", other) == []
