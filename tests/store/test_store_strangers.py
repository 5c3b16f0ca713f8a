"""Projects that came from somebody else, or that somebody else's program handles meanwhile."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from nearl_core.errors import ExportError, ProjectError
from nearl_core.export.adapters import export_adapters
from nearl_core.store import scans
from nearl_core.store.project import Project
from nearl_core.store.readings import sources
from nearl_core.store.restore import restore
from tests.support.projects import decide, new_project, said, version

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


BAD_VALUES = (
    ("meta", "value", "key = 'key'", "no hexadecimal digits"),
    ("meta", "value", "key = 'home'", "no JSON"),
    ("meta", "value", "key = 'unit'", "room"),
    ("meta", "value", "key = 'project'", b"\xff"),
    ("meta", "value", "key = 'sources'", "[" * 50_000),
    ("meta", "key", "key = 'key'", "kea"),
    ("label_sets", "body", "1", "[" * 50_000),
    ("label_sets", "body", "1", '{"labels": 7}'),
    ("scans", "path", "id = 1", "json:[1]"),
    ("decisions", "labels", "id = 1", "[" * 50_000),
    ("decisions", "ranking", "id = 1", "7"),
    ("versions", "file", "1", "../../../etc/passwd"),
    ("versions", "file", "1", "..\\..\\secret"),
    ("versions", "decision_ids", "1", "[" * 50_000),
    ("versions", "evidence", "1", '{"labels": [1]}'),
)


def _spoil(folder: Path, table: str, column: str, where: str, value: object) -> None:
    with closing(sqlite3.connect(folder / "project.db")) as database, database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value,))


def _read_all(folder: Path) -> None:
    with Project.open(folder) as project:
        project.scans()
        project.standing()
        project.versions()
        sources(project)


@pytest.mark.parametrize(("table", "column", "where", "value"), BAD_VALUES)
def test_what_no_program_wrote_is_damage_and_no_bug(
    tmp_path: Path, table: str, column: str, where: str, value: object
) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc", suggestion="disc")
        project.add_version(version("v1"))
        project.activate("v1")
    _spoil(tmp_path / "p.nearl", table, column, where, value)
    with pytest.raises(ProjectError) as caught:
        _read_all(tmp_path / "p")
    assert "damaged" in caught.value.message
    assert caught.value.remedy


def test_a_path_that_holds_a_nul_does_not_move_scans_to_the_files_of_others(
    tmp_path: Path,
) -> None:
    new_project(tmp_path).close()
    _spoil(tmp_path / "p.nearl", "scans", "path", "id = 2", "../scans/2.png\0../scans/7.png")
    with (
        Project.open(tmp_path / "p") as project,
        pytest.raises(ProjectError, match="damaged"),
        project.reading() as connection,
    ):
        scans.as_columns(connection, project.keeper)


def test_a_version_that_is_no_adapters_is_not_exported(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        (project.adapters_folder / "v1.safetensors").write_bytes(b"root:x:0:0")
        project.add_version(version("v1"))
        project.activate("v1")
        with pytest.raises(ExportError, match=r"no adapters.*train a new one"):
            export_adapters(project, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t BEFORE INSERT ON decisions BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER t AFTER INSERT ON scans BEGIN DELETE FROM scans; END",
        "CREATE VIEW v AS SELECT * FROM decisions",
    ],
)
def test_a_database_that_drops_by_itself_what_is_saved_is_not_written_to(
    tmp_path: Path, statement: str
) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
    with closing(sqlite3.connect(tmp_path / "p.nearl" / "project.db")) as database:
        database.execute(statement)
    with pytest.raises(ProjectError, match=r"changes by itself.*read-only"):
        Project.open(tmp_path / "p")
    with Project.open(tmp_path / "p", read_only=True) as project:
        assert said(project.standing()) == {(1, "r"): ("disc",)}


def test_a_guard_of_history_that_was_made_over_is_not_taken_for_ours(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "p.nearl" / "project.db")) as database:
        database.execute("DROP TRIGGER decisions_no_update")
        database.execute(
            "CREATE TRIGGER decisions_no_update BEFORE INSERT ON decisions "
            "BEGIN SELECT RAISE(IGNORE); END"
        )
    with pytest.raises(ProjectError, match="changes by itself"):
        Project.open(tmp_path / "p")
