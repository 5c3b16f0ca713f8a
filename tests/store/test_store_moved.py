"""Scans that were moved or renamed are found again, and their decisions with them."""

import os
import shutil
from pathlib import Path

import pytest

from nearl_core.control import RunControl
from nearl_core.errors import Cancelled, ProjectError
from nearl_core.store.check import check
from nearl_core.store.hashing import hash_files
from nearl_core.store.moved import Moved, find_moved
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import ScanInfo
from tests.support.projects import LABELS, decide, said


def _find(project: Project, folders: list[Path], control: RunControl | None = None) -> Moved:
    """Files that name no series are not asked for one."""
    return find_moved(project, folders, control, look=lambda paths: pytest.fail(str(paths)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six scans of two patients in `scans`, all of one size; two have the same bytes."""
    for patient in ("a", "b"):
        (tmp_path / "scans" / patient).mkdir(parents=True)
        for number in range(3):
            text = "same" if number == 0 else f"{patient}{number}.."
            (tmp_path / "scans" / patient / f"{number}.png").write_text(text)
    return tmp_path / "scans"


def _project(folder: Path, *, hashed: bool = True) -> Project:
    project = Project.create(folder.parent / "p", LABELS)
    project.add_scans(NewScan(path, ScanInfo(8, 8)) for path in sorted(folder.rglob("*.png")))
    if hashed:
        hash_files(project, RunControl())
    decide(project, 2, "dots")
    decide(project, 4, "disc")
    return project


def test_a_moved_and_renamed_folder_is_found_again(folder: Path) -> None:
    with _project(folder) as project:
        patients = {scan.id: scan.patient for scan in project.scans()}
        for file in list(folder.rglob("[12].png")):
            file.rename(file.with_name(f"renamed-{file.parent.name}-{file.name}"))
        folder.rename(folder.parent / "archive")
        assert len(check(project).findings[0].scan_ids) == 6
        assert _find(project, [folder.parent]) == Moved(found=6, missing=0, taken=0)
        assert check(project).ok
        assert [str(scan.path.relative_to(folder.parent)) for scan in project.scans()] == [
            "archive/a/0.png",  # of two with the same bytes, the one in the folder of that name
            "archive/a/renamed-a-1.png",
            "archive/a/renamed-a-2.png",
            "archive/b/0.png",
            "archive/b/renamed-b-1.png",
            "archive/b/renamed-b-2.png",
        ]
        assert said(project.standing()) == {(2, "r"): ("dots",), (4, "r"): ("disc",)}
        assert {scan.id: scan.patient for scan in project.scans()} == patients


def test_another_file_of_the_same_size_is_not_taken(folder: Path) -> None:
    with _project(folder) as project:
        (folder / "a" / "1.png").write_text("b9..")
        (folder / "a" / "1.png").rename(folder / "a" / "5.png")
        assert _find(project, [folder]) == Moved(found=0, missing=1, taken=0)


def test_a_file_that_was_never_hashed_is_known_by_name_and_time(folder: Path) -> None:
    with _project(folder, hashed=False) as project:
        shutil.copytree(folder, folder.parent / "copied")  # copies keep the time here
        for file in (folder.parent / "copied" / "b").iterdir():
            os.utime(file, (1.0, 1.0))
        shutil.rmtree(folder)
        assert _find(project, [folder.parent / "copied"]) == Moved(3, missing=3, taken=0)
        assert {scan.path.parent.name for scan in project.scans()[:3]} == {"a"}


def test_files_that_were_away_are_hashed_once_they_are_there(folder: Path) -> None:
    """A share that can't be reached while the desk opens the project leaves its scans as known."""
    away = folder.with_name("away")
    with _project(folder, hashed=False) as project:
        folder.rename(away)
        assert hash_files(project, RunControl()) == 0
        away.rename(folder)
        assert hash_files(project, RunControl()) == 6
        (folder / "a" / "1.png").rename(folder / "renamed.png")
        assert _find(project, [folder]) == Moved(found=1, missing=0, taken=0)


def test_files_that_can_not_be_told_apart_are_not_guessed(tmp_path: Path) -> None:
    old, new = tmp_path / "scans", tmp_path / "sorted"
    for patient, folder in (("a", "y"), ("b", "x")):
        for place in (old / patient, new / folder):
            place.mkdir(parents=True)
            (place / "1.png").write_text(patient * 4)
            os.utime(place / "1.png", (1.0, 1.0))  # as an archive or an anonymizer leaves them
    with Project.create(tmp_path / "p", LABELS) as project:
        project.add_scans(NewScan(old / one / "1.png", ScanInfo(8, 8)) for one in ("a", "b"))
        shutil.rmtree(old)
        assert _find(project, [new]) == Moved(found=0, missing=2, taken=0)
        (new / "x").rename(new / "b")
        assert _find(project, [new]) == Moved(found=2, missing=0, taken=0)
        assert [scan.path.read_text() for scan in project.scans()] == ["aaaa", "bbbb"]


def test_one_file_is_not_given_to_two_scans(tmp_path: Path) -> None:
    scans = [tmp_path / "scans" / patient / "1.png" for patient in ("a", "b")]
    with Project.create(tmp_path / "p", LABELS) as project:
        for scan in scans:  # the first one is hashed, its copy is not yet
            hash_files(project, RunControl())
            scan.parent.mkdir(parents=True)
            scan.write_text("same")
            os.utime(scan, (1.0, 1.0))
            project.add_scans([NewScan(scan, ScanInfo(8, 8))])
        (tmp_path / "new").mkdir()
        shutil.move(scans[0], tmp_path / "new" / "1.png")
        scans[1].unlink()
        assert _find(project, [tmp_path / "new"]) == Moved(found=1, missing=1, taken=0)


def test_what_was_added_again_stays_two_scans(folder: Path) -> None:
    with _project(folder) as project:
        folder.rename(folder.parent / "archive")
        again = folder.parent / "archive" / "a" / "1.png"
        project.add_scans([NewScan(again, ScanInfo(8, 8))])
        assert _find(project, [folder.parent]) == Moved(found=5, missing=1, taken=1)


def test_looking_can_be_stopped_and_says_what_it_can_not_read(folder: Path) -> None:
    control = RunControl()
    control.cancel()
    with _project(folder) as project:
        folder.rename(folder.parent / "archive")
        with pytest.raises(Cancelled):
            _find(project, [folder.parent], control)
        with pytest.raises(ProjectError, match=r"no folder gone.*stand now"):
            _find(project, [folder.parent / "gone"])
        assert len(check(project).findings[0].scan_ids) == 6
    with (
        Project.open(folder.parent / "p", read_only=True) as project,
        pytest.raises(ProjectError, match="read-only"),
    ):
        _find(project, [folder.parent])
