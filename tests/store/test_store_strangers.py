"""Projects that came from somebody else, or that somebody else's program handles meanwhile."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nearl_core.errors import ProjectError
from nearl_core.store.project import Project
from nearl_core.store.restore import restore
from tests.support.projects import decide, new_project, said

PLACES = (
    "project.lock",
    "project.db",
    "adapters",
    "adapters/v1.partial",
    "cache",
    "cache/thumbnails",
    "cache/thumbnails/0",
    "cache/features.db",
    "copies",
    "stacks",
)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("place", PLACES)
def test_a_link_in_a_project_is_refused_and_what_it_leads_to_left_alone(
    tmp_path: Path, place: str
) -> None:
    new_project(tmp_path).close()
    link, target = tmp_path / "p.nearl" / place, tmp_path / "mine"
    if link.is_dir():
        shutil.rmtree(link)
    if link.exists():
        link.rename(target)
    else:
        target.write_text("years of work")
    before = target.read_bytes()
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    for work in (Project.open, lambda path: Project.open(path, read_only=True), restore):
        with pytest.raises(ProjectError, match=f"{place} in the project leads elsewhere.*Remove"):
            work(tmp_path / "p.nearl")
    assert target.read_bytes() == before
    assert list(tmp_path.glob("mine-*")) == []


@pytest.mark.skipif(sys.platform != "win32", reason="junctions are of Windows")
def test_a_junction_in_a_project_is_refused(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    cache, target = tmp_path / "p.nearl" / "cache", tmp_path / "mine"
    shutil.rmtree(cache)
    target.mkdir()
    subprocess.run(["cmd", "/c", "mklink", "/J", cache, target], check=True, capture_output=True)
    with pytest.raises(ProjectError, match="cache in the project leads elsewhere"):
        Project.open(tmp_path / "p.nearl")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_that_leads_to_a_project_is_followed(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    (tmp_path / "other.nearl").symlink_to(tmp_path / "p.nearl")
    with Project.open(tmp_path / "other") as project:
        decide(project, 1, "disc")
        assert said(project.standing()) == {(1, "r"): ("disc",)}


@pytest.mark.skipif(sys.platform == "win32", reason="open files can't be moved there")
def test_nothing_is_told_as_saved_into_a_project_that_is_not_there_any_more(
    tmp_path: Path,
) -> None:
    folder, away = tmp_path / "p.nearl", tmp_path / "away.nearl"
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        folder.rename(away)
        with pytest.raises(ProjectError, match=r"moved, deleted or replaced.*not saved.*Bring"):
            decide(project, 2, "disc")
        away.rename(folder)
        decide(project, 3, "disc")
    with Project.open(folder) as project:
        assert said(project.standing()) == {(1, "r"): ("disc",), (3, "r"): ("disc",)}


@pytest.mark.skipif(sys.platform == "win32", reason="open files can't be replaced there")
def test_nothing_is_told_as_saved_into_a_database_that_was_replaced(tmp_path: Path) -> None:
    database = tmp_path / "p.nearl" / "project.db"
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        synchronised = tmp_path / "from-another-computer.db"
        shutil.copyfile(database, synchronised)
        os.replace(synchronised, database)
        with pytest.raises(ProjectError, match="replaced while it was open"):
            decide(project, 2, "disc")
