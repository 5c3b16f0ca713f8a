"""Files of a series or of a study as one scan: grouped, ordered, read, added again."""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearl_core.adding import to_add
from nearl_core.cli import main
from nearl_core.control import RunControl
from nearl_core.errors import ScanError
from nearl_core.scans import decode
from nearl_core.scans.guard import ScanReader
from nearl_core.scans.stack import read_stack, write_stack
from nearl_core.store.project import Project
from nearl_core.types import AddReport, Label, LabelSet, Scan, Unit
from tests.dicom.making import dicom, noise
from tests.support.scans import disc, write_png

AXIAL, CORONAL = (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1)
LABELS = LabelSet((Label("a", "A"), Label("b", "B")))


def slice_at(
    path: Path, grey: int, z: float | None, *, series: str = "1.2", **elements: Any
) -> Path:
    """A slice whose grey tells which it is."""
    usual: dict[str, Any] = {
        "SeriesInstanceUID": series,
        "StudyInstanceUID": "1",
        "PatientID": "P1",
        "Modality": "CT",
    }
    if z is not None:
        usual |= {"ImagePositionPatient": ["0", "0", str(z)]}
        usual |= {"ImageOrientationPatient": [str(part) for part in AXIAL]}
    path.parent.mkdir(parents=True, exist_ok=True)
    return dicom(path, np.full((6, 5), grey, np.uint16), **usual | elements)


def shuffled_series(folder: Path, count: int = 5, **elements: Any) -> list[Path]:
    """Slices whose names, numbers and positions are in different orders."""
    names = list(range(count))
    random.Random(3).shuffle(names)
    return [
        slice_at(folder / f"IM{names[k]}", k, -40 + 7.5 * k, InstanceNumber=count - k, **elements)
        for k in range(count)
    ]


@pytest.fixture(scope="module")
def reader() -> Iterator[ScanReader]:
    with ScanReader(workers=1) as shared:
        yield shared


def add(project: Project, reader: ScanReader, *paths: Path) -> AddReport:
    scans = project.scans()
    return project.add_scans(
        to_add(project, paths, scans=scans, reader=reader, control=RunControl())
    )


def made(folder: Path, reader: ScanReader, scans: Path, unit: Unit = Unit.SERIES) -> list[Scan]:
    with Project.create(folder / "p.nearl", LABELS, unit=unit) as project:
        add(project, reader, scans)
        return project.scans()


def greys(scan: Scan, reader: ScanReader) -> list[int]:
    return [int(reader.frame(scan.path, k)[0].values[0, 0]) for k in range(scan.frames)]


def test_series_is_one_stack_in_the_order_of_its_positions(
    tmp_path: Path, reader: ScanReader
) -> None:
    shuffled_series(tmp_path / "in")
    (scan,) = made(tmp_path, reader, tmp_path / "in")
    assert (scan.frames, scan.modality, scan.patient_known) == (5, "CT", True)
    assert greys(scan, reader) == [0, 1, 2, 3, 4]
    info = reader.frame(scan.path, 3)[1]
    assert (info.frames, info.edges) == (5, ("R", "L", "A", "P"))
    assert reader.info(scan.path)[0].frames == 5
    assert reader.stored(scan.path)[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ScanError, match="no frame 5"):
        reader.frame(scan.path, 5)


def test_without_positions_the_instance_number_decides(tmp_path: Path, reader: ScanReader) -> None:
    for name, number in (("c", 1), ("a", 10), ("b", 2)):
        slice_at(tmp_path / "in" / name, number, None, InstanceNumber=number)
    (scan,) = made(tmp_path, reader, tmp_path / "in")
    assert greys(scan, reader) == [1, 2, 10]


def test_localiser_and_other_sizes_are_stacks_of_their_own(
    tmp_path: Path, reader: ScanReader
) -> None:
    shuffled_series(tmp_path / "in")
    turned = [str(part) for part in CORONAL]
    for k in range(2):
        slice_at(tmp_path / "in" / f"L{k}", 90 + k, k, ImageOrientationPatient=turned)
    dicom(
        tmp_path / "in" / "large",
        noise((9, 9), "u2"),
        SeriesInstanceUID="1.2",
        PatientID="P1",
        Modality="CT",
    )
    scans = made(tmp_path, reader, tmp_path / "in")
    assert sorted(scan.frames for scan in scans) == [1, 2, 5]


def test_files_that_are_no_frames_stay_scans_of_their_own(
    tmp_path: Path, reader: ScanReader
) -> None:
    folder = tmp_path / "in"
    shuffled_series(folder, 3)
    write_png(folder / "a.png", disc())
    slice_at(folder / "alone", 7, 1, series="1.9")
    slice_at(folder / "other-patient", 8, 1, PatientID="P2")
    dicom(folder / "multi", noise((4, 6, 5), "u2"), SeriesInstanceUID="1.2", PatientID="P1")
    scans = made(tmp_path, reader, folder)
    frames = {scan.path.name: scan.frames for scan in scans}
    assert frames.pop("CT-ax-3fr-0001.stack") == 3
    assert frames == {"a.png": 1, "alone": 1, "other-patient": 1, "multi": 4}


def test_study_joins_series_one_after_another(tmp_path: Path, reader: ScanReader) -> None:
    shuffled_series(tmp_path / "in" / "x", 3)
    for k in range(2):
        slice_at(tmp_path / "in" / "y" / f"IM{k}", 50 + k, float(k), series="1.3")
    (scan,) = made(tmp_path, reader, tmp_path / "in", Unit.STUDY)
    assert greys(scan, reader) == [0, 1, 2, 50, 51]


def test_image_is_the_default_and_joins_nothing(tmp_path: Path, reader: ScanReader) -> None:
    shuffled_series(tmp_path / "in")
    with Project.create(tmp_path / "p.nearl", LABELS) as project:
        assert project.unit is Unit.IMAGE
        add(project, reader, tmp_path / "in")
        assert [scan.frames for scan in project.scans()] == [1] * 5


def test_added_again_nothing_changes_and_later_files_are_a_stack_of_their_own(
    tmp_path: Path, reader: ScanReader
) -> None:
    shuffled_series(tmp_path / "in", 4)
    with Project.create(tmp_path / "p.nearl", LABELS, unit=Unit.SERIES) as project:
        first = add(project, reader, tmp_path / "in")
        again = add(project, reader, tmp_path / "in")
        assert (first.added, again.added, again.already) == (1, 0, 4)
        for k in range(2):
            slice_at(tmp_path / "in" / f"late{k}", 70 + k, 90.0 + k)
        add(project, reader, tmp_path / "in")
        scans = project.scans()
    assert [scan.frames for scan in scans] == [4, 2]
    assert greys(scans[0], reader) == [0, 1, 2, 3]
    assert greys(scans[1], reader) == [70, 71]


def test_project_and_scans_move_together(tmp_path: Path, reader: ScanReader) -> None:
    shuffled_series(tmp_path / "here" / "in")
    made(tmp_path / "here", reader, tmp_path / "here" / "in")
    (tmp_path / "here").rename(tmp_path / "there")
    with Project.open(tmp_path / "there" / "p.nearl") as project:
        (scan,) = project.scans()
    assert greys(scan, reader) == [0, 1, 2, 3, 4]


LISTS: Sequence[bytes] = (
    b'{"nearl_stack": 1, "files": []}',
    b'{"nearl_stack": 2, "files": ["a"]}',
    b'{"nearl_stack": 1, "files": [3]}',
    b'{"nearl_stack": 1}',
    b'{"nearl_stack": ' + b"[" * 200_000,
    b'{"nearl_stack": 1, "files": ["gone"]}',
    b'{"nearl_stack": 1, "files": ["a.stack"]}',
)


@pytest.mark.parametrize("content", LISTS)
def test_damaged_lists_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.nearl" / "stacks" / "a.stack"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    for read in (decode.info, decode.stored, lambda place: decode.frame(place, 0)):
        with pytest.raises(ScanError):
            read(path)


def test_list_outside_of_a_project_is_not_believed(tmp_path: Path) -> None:
    secret = write_png(tmp_path / "secret.png", disc())
    inside = tmp_path / "p.nearl" / "stacks" / "a.stack"
    inside.parent.mkdir(parents=True)
    write_stack(inside, [secret])
    assert read_stack(inside) == (secret,)
    outside = inside.rename(tmp_path / "a.stack")
    with pytest.raises(ScanError, match="belongs into"):
        decode.frame(outside, 0)


def test_command_line_makes_and_decides_stacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> list[dict[str, Any]]:
        assert main([str(argument) for argument in arguments]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    shuffled_series(tmp_path / "in")
    project = tmp_path / "p.nearl"
    scans = ("--scans", tmp_path / "in", "--unit", "series")
    (created,) = run("create", project, "--labels", "a,b", *scans, "--json")
    assert (created["unit"], created["scans"]["added"]) == ("series", 1)
    stack = next((project / "stacks").iterdir())
    (tmp_path / "d.csv").write_text(f"path,label,frame\n{stack},a,3\n")
    (said,) = run("decide", project, tmp_path / "d.csv", "--json", "--reader", "ann")
    assert (said["path"], said["label"], said["frame"]) == (str(stack), "a", 3)
    (line,) = run("render", stack, "--to", tmp_path / "out", "--frame", 2, "--json")
    assert (line["ok"], line["frames"]) == (True, 5)
