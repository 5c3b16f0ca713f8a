"""A project copied for another reader."""

import shutil
from pathlib import Path

import pytest

from nearl_core.errors import ProjectError
from nearl_core.scans.guard import ScanReader
from nearl_core.store.merging import look
from nearl_core.store.moved import find_moved
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.store.whole_copy import copy_whole
from nearl_core.types import ScanInfo
from tests.support.projects import LABELS, decide, said
from tests.support.scans import disc, write_png


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An open project with two scans beside it, one of them decided."""
    folder = tmp_path / "here"
    paths = [write_png(folder / f"{number}.png", disc(seed=number)) for number in (1, 2)]
    made = Project.create(folder / "study", LABELS)
    made.add_scans(NewScan(path, ScanInfo(32, 32)) for path in paths)
    decide(made, 1, "disc", reader="ada")
    return made


def test_a_copy_holds_what_was_decided_and_finds_its_scans(
    project: Project, tmp_path: Path
) -> None:
    (project.adapters_folder / "v1.safetensors").write_bytes(b"weights")
    (project.cache_folder / "features.db").write_bytes(b"can be made again")
    with project:
        folder = copy_whole(project, tmp_path / "elsewhere" / "bo")
        with Project.open(folder) as copy:
            assert copy.id == project.id
            assert said(copy.standing()) == {(1, "ada"): ("disc",)}
            assert [one.path for one in copy.scans()] == [one.path for one in project.scans()]
            assert (copy.adapters_folder / "v1.safetensors").read_bytes() == b"weights"
            assert not (copy.cache_folder / "features.db").exists()
            decide(copy, 2, "dots", reader="bo")  # it has a lock of its own
        assert dict(look(project, folder).readers) == {"bo": 1}


def test_scans_are_found_again_on_another_computer(project: Project, tmp_path: Path) -> None:
    with project:
        folder = copy_whole(project, tmp_path / "there" / "bo")
        here = [one.path for one in project.scans()]
    carried = tmp_path / "there" / "pictures"
    carried.mkdir()
    for path in here:  # as by a plain copy: their times are not kept
        shutil.copyfile(path, carried / path.name)
        path.unlink()
    with Project.open(folder) as copy, ScanReader(workers=1) as reader:
        assert find_moved(copy, [carried], look=reader.infos).found == 2
        assert {one.path.parent for one in copy.scans()} == {carried}


def test_nothing_is_overwritten_and_nothing_is_copied_into_itself(
    project: Project, tmp_path: Path
) -> None:
    taken = tmp_path / "taken.nearl"
    taken.mkdir()
    with project:
        for place in (taken, project.folder, project.folder / "copies" / "c"):
            with pytest.raises(ProjectError, match="can't be made there"):
                copy_whole(project, place)
    assert not any(taken.iterdir())
    assert not list(tmp_path.rglob("*.partial-*"))
