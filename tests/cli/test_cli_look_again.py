"""Imported labels that look wrong, and what corrected ones teach, on the command line."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from nearl_core.cli import main
from nearl_core.store import readings
from nearl_core.store.project import Project
from tests.engine.making import write_backbone
from tests.support.commands import printed
from tests.support.scans import disc, stripes, write_png

Lines = list[dict[str, Any]]


def _run(capsys: pytest.CaptureFixture[str], *argv: object) -> Lines:
    capsys.readouterr()
    assert main([*map(str, argv), "--json"]) == 0
    return printed(capsys)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of 40 scans whose labels were imported, one of them wrong."""
    folder = tmp_path_factory.mktemp("imported")
    backbone = write_backbone(folder / "tiny", words="lung\n")
    rows = ["path,label"]
    for number in range(40):
        kind, draw = (("Disc", disc), ("Stripes", stripes))[number % 2]
        path = write_png(folder / "scans" / f"{number}.png", draw(seed=number))
        rows.append(f"{path},{'Stripes' if number == 6 else kind}")
    (folder / "labels.csv").write_text("\n".join(rows))
    made = folder / "p.nearl"
    more = ["--labels", "Disc,Stripes", "--scans", str(folder / "scans")]
    assert main(["create", str(made), *more, "--backbone", str(backbone)]) == 0
    table = str(folder / "labels.csv")
    assert main(["import", str(made), table, "--format", "csv", "--source", "registry"]) == 0
    return made


def test_look_again_lists_imported_labels_that_the_others_speak_against(
    imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = _run(capsys, "look-again", imported, "--top", 1)
    assert Path(found["path"]).name == "6.png"
    assert (found["reader"], found["said"], found["rather"]) == ("registry", "Stripes", "Disc")
    assert found["odds"] > 1
    assert main(["look-again", str(imported), "--top", "1"]) == 0
    assert "registry says Stripes, the others Disc, " in capsys.readouterr().out


def test_look_again_lists_no_label_that_a_reader_confirmed(
    imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = imported.parent / "scans" / "6.png"
    (tmp_path / "same.csv").write_text(f"path,label\n{wrong},Stripes")
    confirmed = shutil.copytree(imported, imported.with_name("confirmed.nearl"))
    _run(capsys, "decide", confirmed, tmp_path / "same.csv")
    found = _run(capsys, "look-again", confirmed)
    assert str(wrong) not in {one["path"] for one in found}


def test_corrected_labels_rank_as_if_they_had_never_been_taken_in(
    imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, names = imported.parent / "scans", ("8.png", "9.png", "10.png")
    rows = (imported.parent / "labels.csv").read_text().splitlines()
    wrong = {"Disc": "Stripes", "Stripes": "Disc"}
    right = [row for row in rows if row.split(",")[0] in {str(folder / name) for name in names}]
    kept = [row for row in rows if row not in right]
    mixed = [f"{path},{wrong[label]}" for path, label in (row.split(",") for row in right)]
    tables = {"with.csv": kept + mixed, "without.csv": kept, "right.csv": ["path,label", *right]}
    for name, lines in tables.items():
        (tmp_path / name).write_text("\n".join(lines))
    said = dict[str, Lines]()
    for name in ("with", "without"):
        made, backbone = tmp_path / f"{name}.nearl", imported.parent / "tiny"
        more = ["--labels", "Disc,Stripes", "--scans", folder, "--backbone", backbone]
        assert main([*map(str, ["create", made, *more])]) == 0
        taken = [
            "import",
            made,
            tmp_path / f"{name}.csv",
            "--format",
            "csv",
            "--source",
            "registry",
        ]
        assert main([*map(str, taken)]) == 0
        before = _run(capsys, "rank", made)
        assert main(["decide", str(made), str(tmp_path / "right.csv")]) == 0
        said[name] = _run(capsys, "rank", made)
        assert said[name] != before
    assert said["with"] == said["without"]
    with Project.open(tmp_path / "with.nearl") as project:
        (reader,) = readings.readers(project)
        for _ in names:
            project.undo(reader)
    assert _run(capsys, "rank", tmp_path / "with.nearl") != said["with"]
