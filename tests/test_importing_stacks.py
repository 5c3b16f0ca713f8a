"""Labels that exist already, for series that are one scan each: by their files and folders."""

from pathlib import Path

import pytest

from nearl_core.control import RunControl
from nearl_core.importing.matching import match
from nearl_core.importing.statements import SourceKind, Statement
from nearl_core.importing.taking import look
from nearl_core.scans.guard import ScanReader
from nearl_core.stacking import stacked
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, Scan, ScanInfo, SlicePlace, Unit
from tests.support.projects import LABELS

FRAMES = {
    Path(f"/s/{folder}/IM{number}"): scan_id
    for scan_id, folder in ((1, "p1/ct"), (2, "p1/pet"), (3, "p2/ct"), (4, "p3"))
    for number in range(3)
} | {Path("/s/p4/IM0"): 5, Path("/s/p4/IM1"): 6}
SCANS = [
    *(Scan(number, Path(f"/p/stacks/series-{number}.stack")) for number in range(1, 7)),
    Scan(7, Path("/s/p3/topogram/IM9")),
]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["/s/p1/pet/IM2"], {"/s/p1/pet/IM2": 2}),
        (["p1/pet/IM1", "p1/pet/IM2"], {"p1/pet/IM1": 2, "p1/pet/IM2": 2}),
        (["p1/ct", "p2/ct"], {"p1/ct": 1, "p2/ct": 3}),
        (["pet"], {"pet": 2}),
        (["series-4"], {"series-4": 4}),
        (["topogram", "IM9"], {"topogram": 7, "IM9": 7}),
        # Several scans are meant, or none for sure.
        (["ct", "IM1", "p4"], {}),
        (["p1", "p3", "stacks", "s"], {}),
        # The same folder of another patient is never taken.
        (["/d/p1/pet", "/d/p9/pet"], {"/d/p1/pet": 2}),
        (["/d/p8/pet", "/d/p9/pet"], {}),
    ],
)
def test_a_series_is_found_by_its_files_and_its_folder(
    files: list[str], expected: dict[str, int]
) -> None:
    said = [Statement(file, ("x",)) for file in files]
    found = match(said, SCANS, folder=Path("/nowhere"), by_hash={}, frames=FRAMES)
    assert {one.file: scan_id for scan_id, one in found.found} == expected


def test_a_table_of_folders_labels_the_series_of_a_project(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p", LABELS, unit=Unit.SERIES)
    new = []
    for patient in ("a", "b"):
        (tmp_path / "scans" / patient).mkdir(parents=True)
        for number in range(2):
            path = tmp_path / "scans" / patient / f"IM{number}"
            path.touch()
            info = ScanInfo(8, 8, modality="CT", place=SlicePlace(None, None, number))
            new.append(NewScan(path, info, Identity(patient, patient, patient)))
    project.add_scans(stacked(new, unit=project.unit, project=project.folder))
    table = tmp_path / "old.csv"
    table.write_text("path,label\nscans/b,disc\nscans/a,dots\nscans/c,disc\n")
    with project, ScanReader() as reader:
        matched = look(project, SourceKind.CSV, str(table), reader, RunControl())
    assert [(scan_id, one.values) for scan_id, one in matched.found] == [
        (2, ("disc",)),
        (1, ("dots",)),
    ]
    assert matched.unknown == ("scans/c",)
