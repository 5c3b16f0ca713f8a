"""Files of stacks that were moved are found again, all of a stack's and never another patient's."""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from nearl_core.control import RunControl
from nearl_core.errors import ScanError
from nearl_core.scans.stack import read_list, read_stack
from nearl_core.stacking import stacked
from nearl_core.store.check import check
from nearl_core.store.hashing import hash_files
from nearl_core.store.moved import Moved, Said, find_moved
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, ScanInfo, SlicePlace, Unit
from tests.support.projects import LABELS, decide, said

FRAMES = 3


def write(folder: Path, patient: str) -> None:
    """A series: each file says whose it is and which frame; names, sizes and times are alike."""
    folder.mkdir(parents=True)
    for number in range(FRAMES):
        file = folder / f"IM{number}"
        file.write_text(f"{patient} {number}")
        os.utime(file, (1.0, 1.0))  # as an archive or an anonymizer leaves them


def info(path: Path) -> tuple[ScanInfo, Identity]:
    patient, number = path.read_text().split()[:2]
    place = SlicePlace(None, None, int(number))
    return ScanInfo(8, 8, modality="CT", place=place), Identity(
        patient, f"study {patient}", patient
    )


def look(paths: Sequence[Path]) -> list[Said]:
    """What headers would say."""
    return [info(path) for path in paths]


def unasked(paths: Sequence[Path]) -> list[Said]:
    """What was hashed need not be asked."""
    raise AssertionError(paths)


def add(project: Project, paths: Iterable[Path]) -> None:
    new = [NewScan(path, *info(path)) for path in paths]
    project.add_scans(stacked(new, unit=project.unit, project=project.folder))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """The series of two patients."""
    for patient in ("a", "b"):
        write(tmp_path / "scans" / patient, patient)
    return tmp_path / "scans"


def project_of(scans: Path, *, hashed: bool, unit: Unit = Unit.SERIES) -> Project:
    project = Project.create(scans.parent / "p", LABELS, unit=unit)
    add(project, sorted(scans.rglob("IM*")))
    if hashed:
        assert hash_files(project, RunControl()) == 2 * FRAMES + 2
    decide(project, 1, "dots")
    return project


def frames(project: Project) -> list[list[str]]:
    """What the frames of each stack say, in their order."""
    return [[file.read_text() for file in read_stack(scan.path)] for scan in project.scans()]


WHOLE = [[f"{patient} {number}" for number in range(FRAMES)] for patient in ("a", "b")]


def test_renamed_and_mixed_files_are_found_in_their_order(scans: Path) -> None:
    with project_of(scans, hashed=True) as project:
        (scans.parent / "flat").mkdir()
        for number, file in enumerate(sorted(scans.rglob("IM*"), reverse=True)):
            file.rename(scans.parent / "flat" / f"{number}.dcm")
        (finding,) = check(project).findings
        assert "2 scan files are not where they were" in finding.message
        assert finding.scan_ids == (1, 2)
        assert find_moved(project, [scans.parent], look=unasked) == Moved(2, missing=0, taken=0)
        assert frames(project) == WHOLE
        assert check(project).ok
        assert said(project.standing()) == {(1, "r"): ("dots",)}
        assert find_moved(project, [scans.parent], look=unasked) == Moved(0, missing=0, taken=0)


@pytest.mark.parametrize("hashed", [True, False])
def test_a_stack_is_found_as_a_whole_or_not_at_all(scans: Path, hashed: bool) -> None:
    with project_of(scans, hashed=hashed) as project:
        lists = [scan.path.read_bytes() for scan in project.scans()]
        shutil.move(scans / "a" / "IM1", scans.parent / "IM1")
        scans.rename(scans.parent / "archive")
        found = find_moved(project, [scans.parent / "archive"], look=look)
        assert found == Moved(1, missing=1, taken=0)
        assert project.scans()[0].path.read_bytes() == lists[0]
        assert [file.read_text() for file in read_stack(project.scans()[1].path)] == WHOLE[1]
        shutil.move(scans.parent / "IM1", scans.parent / "archive" / "a")
        assert find_moved(project, [scans.parent / "archive"], look=look) == Moved(1, 0, 0)
        assert frames(project) == WHOLE


def test_what_is_said_of_a_stack_stays_when_its_files_move(scans: Path) -> None:
    with project_of(scans, hashed=False) as project:
        before = [read_list(scan.path) for scan in project.scans()]
        scans.rename(scans.parent / "archive")
        assert find_moved(project, [scans.parent / "archive"], look=look) == Moved(2, 0, 0)
        after = [read_list(scan.path) for scan in project.scans()]
    assert all(one.notices for one in before)
    assert [one.notices for one in after] == [one.notices for one in before]
    assert [one.files for one in after] != [one.files for one in before]


def test_another_patients_files_are_never_taken(scans: Path) -> None:
    with project_of(scans, hashed=False) as project:
        shutil.rmtree(scans)
        # Of the same names, sizes and times, in a folder of the same name.
        write(scans.parent / "new" / "a", "c")
        assert find_moved(project, [scans.parent / "new"], look=look) == Moved(0, 2, 0)
        write(scans.parent / "other" / "a", "b")  # a folder's name may lie as well
        write(scans.parent / "other" / "b", "a")
        assert find_moved(project, [scans.parent / "other"], look=look) == Moved(0, 2, 0)

        def damaged(paths: Sequence[Path]) -> list[Said]:
            return [ScanError("The file is damaged.") for _ in paths]

        write(scans.parent / "right" / "a", "a")
        assert find_moved(project, [scans.parent / "right"], look=damaged) == Moved(0, 2, 0)
        assert find_moved(project, [scans.parent / "right"], look=look) == Moved(1, 1, 0)
        write(scans.parent / "right" / "b", "b")
        assert find_moved(project, [scans.parent / "right"], look=look) == Moved(1, 0, 0)
        assert frames(project) == WHOLE


def test_a_stack_that_was_added_again_stays_another_scan(scans: Path) -> None:
    with project_of(scans, hashed=True) as project:
        scans.rename(scans.parent / "archive")
        add(project, sorted((scans.parent / "archive" / "a").iterdir()))
        assert find_moved(project, [scans.parent], look=look) == Moved(1, missing=1, taken=1)
        assert len(project.scans()) == 3


def test_stacks_of_before_their_files_were_noted_are_noted_by_a_check(scans: Path) -> None:
    project_of(scans, hashed=False).close()
    with closing(sqlite3.connect(scans.parent / "p.nearl" / "project.db")) as raw, raw:
        raw.execute("DELETE FROM stack_files")
    with Project.open(scans.parent / "p") as project:
        scans.rename(scans.parent / "away")
        assert find_moved(project, [scans.parent], look=look) == Moved(0, missing=2, taken=0)
        (scans.parent / "away").rename(scans)
        assert check(project).ok
        scans.rename(scans.parent / "away")
        assert find_moved(project, [scans.parent], look=look) == Moved(2, missing=0, taken=0)


def test_check_tells_what_became_of_a_stacks_files(scans: Path) -> None:
    with project_of(scans, hashed=True) as project:
        (scans / "a" / "IM1").write_text("a 1 longer")
        (scans / "b" / "IM2").unlink()
        found = {finding.message: finding.scan_ids for finding in check(project).findings}
        assert found == {
            "1 scan files are not where they were.": (2,),
            "1 scan files have changed since they were added.": (1,),
        }
        project.scans()[0].path.write_bytes(b"{")
        assert check(project).findings[0].message == "1 stacks have lost the list of their files."


def test_stacks_of_a_project_that_was_moved_from_its_scans_are_followed(scans: Path) -> None:
    project_of(scans, hashed=False, unit=Unit.STUDY).close()
    away = scans.parent / "away" / "p.nearl"
    away.parent.mkdir()
    (scans.parent / "p.nearl").rename(away)
    with Project.open(away) as project:
        report = check(project)
        assert report.mended == ("2 scans were found where the project stood before.",)
        assert report.ok
        assert frames(project) == WHOLE
        assert check(project).mended == ()


def test_files_of_stacks_that_were_away_are_hashed_once_they_are_there(scans: Path) -> None:
    away = scans.with_name("away")
    with project_of(scans, hashed=False) as project:
        scans.rename(away)
        assert hash_files(project, RunControl()) == 2  # the lists, which are the project's own
        away.rename(scans)
        assert hash_files(project, RunControl()) == 2 * FRAMES
        assert hash_files(project, RunControl()) == 0
