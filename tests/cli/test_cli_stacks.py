"""Series as scans, from the first rank to the export, through the real command line."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from nearl_core.cli import main
from tests.dicom.making import dicom
from tests.engine.making import write_backbone
from tests.support.scans import disc, stripes

FRAMES = 5
EACH = 5
Lines = list[dict[str, Any]]


def write_series(folder: Path, kind: str, number: int) -> None:
    """Slices of a series, the last one first by name; the picture stands in each of them."""
    draw = disc if kind == "Disc" else stripes
    folder.mkdir(parents=True)
    for place in range(FRAMES):
        dicom(
            folder / f"IM{FRAMES - place}",
            draw(seed=number).astype(np.uint8) + np.uint8(place),
            Modality="CT",
            PatientID=f"{kind}{number}",
            StudyInstanceUID=f"1.2.{number + 1}",
            SeriesInstanceUID=f"1.2.{number + 1}.{len(kind)}",
            ImagePositionPatient=["0", "0", str(place)],
            ImageOrientationPatient=["1", "0", "0", "0", "1", "0"],
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of ten stacks with a tiny backbone, nothing decided."""
    folder = tmp_path_factory.mktemp("work")
    backbone = write_backbone(folder / "tiny", words="lung\n")
    for kind in ("Disc", "Stripes"):
        for number in range(EACH):
            write_series(folder / "scans" / f"{kind}-{number}", kind, number)
    made = folder / "p.nearl"
    more = ["--labels", "Disc,Stripes", "--unit", "series", "--backbone", str(backbone)]
    assert main(["create", str(made), *more, "--scans", str(folder / "scans")]) == 0
    return made


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> Lines:
    capsys.readouterr()
    assert main([*map(str, argv), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def kind_of(stack: str) -> str:
    """What a stack shows, by the folder of its first file."""
    first = json.loads(Path(stack).read_bytes())["files"][0]
    return Path(first).parent.name.split("-")[0]


def test_stacks_are_ranked_decided_trained_on_and_exported(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stacks = sorted(map(str, (project / "stacks").iterdir()))
    assert len(stacks) == 2 * EACH
    decisions = tmp_path / "decisions.csv"
    with decisions.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "label", "frame"))
        # Of one stack the whole is meant, of the others a frame.
        table.writerow((stacks[1], kind_of(stacks[1]), ""))
        table.writerows((stack, kind_of(stack), 3) for stack in stacks[2:-1])
    said = run(capsys, "decide", project, decisions)
    assert [line["frame"] for line in said] == [None] + [3] * (2 * EACH - 3)
    (trained,) = run(capsys, "train", project, "--max-seconds", 5)
    assert trained["version"] == "v1"

    ranked = run(capsys, "rank", project, "--unlabelled")
    assert [line["path"] for line in ranked] == [stacks[0], stacks[-1]]
    assert {line["frame"] for line in ranked} == {FRAMES // 2}
    for line in ranked:
        assert line["ranking"][0]["label"] == kind_of(line["path"])

    for form in ("csv", "imagefolder", "dicom", "dicom-sr"):
        out = tmp_path / form
        more = ("--images", "shown") if form == "csv" else ()
        run(capsys, "export", project, out, "--format", form, *more)
        check(out, form)


def test_stacks_whose_folder_was_moved_are_found_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("Disc", "Stripes"):
        write_series(tmp_path / "scans" / kind, kind, 1)
    project = tmp_path / "p.nearl"
    run(capsys, "create", project, "--labels", "a,b", "--unit", "series", "--scans", tmp_path)
    stack = next((project / "stacks").iterdir())
    before = run(capsys, "render", stack, "--to", tmp_path / "before")
    (tmp_path / "scans").rename(tmp_path / "archive")
    assert main(["check", str(project)]) == 3
    assert "2 scan files are not where they were" in capsys.readouterr().err
    assert main(["check", str(project), "--find", str(tmp_path), "--json"]) == 0
    said = capsys.readouterr()
    assert "2 moved scans were found again" in said.err
    assert json.loads(said.out)["ok"]
    after = run(capsys, "render", stack, "--to", tmp_path / "after")
    assert Path(after[0]["png"]).read_bytes() == Path(before[0]["png"]).read_bytes()


def check(out: Path, form: str) -> None:
    """What another program would read of an export of eight stacks."""
    if form == "csv":
        with next(out.glob("*.csv")).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 2 * EACH - 2
        assert {row["frames"] for row in rows} == {str(FRAMES)}
        assert sorted(row["frame"] for row in rows) == [""] + ["3"] * (2 * EACH - 3)
        assert all((out / row["image"]).is_file() for row in rows)
    elif form == "imagefolder":
        pictures = list(out.rglob("*.png"))
        assert {picture.parent.name for picture in pictures} == {"Disc", "Stripes"}
        assert len(pictures) == 2 * EACH - 2
        assert sorted(picture.stem[-5:] for picture in pictures) == ["_f002"] + ["_f003"] * (
            2 * EACH - 3
        )
    else:
        copies = [pydicom.dcmread(one) for one in sorted((out / "images").rglob("*.dcm"))]
        numbers = Counter(copy.SeriesInstanceUID for copy in copies)
        assert list(numbers.values()) == [FRAMES] * (2 * EACH - 2)
        places = {copy.SOPInstanceUID: float(copy.ImagePositionPatient[2]) for copy in copies}
        assert len(places) == len(copies)
        manifest = json.loads((out / "manifest.json").read_text())
        assert len(manifest["images"]) == len(copies)
    if form == "dicom-sr":
        reports = [pydicom.dcmread(one) for one in sorted((out / "reports").rglob("*.dcm"))]
        meant = sorted([places[uid] for uid in referenced(report)] for report in reports)
        assert meant == [[0, 1, 2, 3, 4]] + [[3]] * (2 * EACH - 3)


def referenced(report: pydicom.Dataset) -> list[str]:
    """The images that a report speaks of."""
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    return [str(one.ReferencedSOPInstanceUID) for one in series.ReferencedSOPSequence]


def test_create_says_so_where_a_folder_holds_series_and_the_unit_was_not_chosen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for number in range(2):
        write_series(tmp_path / "in" / str(number), "Disc", number)
    more = ("--labels", "a,b", "--scans", tmp_path / "in")
    run(capsys, "create", tmp_path / "few", *more)  # of five frames a series nothing is said
    for number in range(2):
        for k in range(FRAMES):
            path = tmp_path / "in" / str(number) / f"IM{FRAMES - k}"
            copy = pydicom.dcmread(path)
            copy.ImagePositionPatient = ["0", "0", str(FRAMES + k)]
            copy.save_as(path.with_name(f"IM{FRAMES + k + 1}"))
    capsys.readouterr()
    for unit, said in (((), True), (("--unit", "image"), False), (("--unit", "series"), False)):
        project = tmp_path / f"p{len(unit)}{unit[-1:]}"
        assert main([*map(str, ("create", project, *more, *unit))]) == 0
        assert ("of 2 CT series" in capsys.readouterr().err) == said
