"""Projects of strangers that name files on other computers, which Windows would tell who is here.

Nothing here asks one: what is looked at is a path, and that of a file that is not looked at leads
nowhere.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nearl_core import servers
from nearl_core.errors import BackboneError, ScanError
from nearl_core.model.backbone_list import folder_of, present_folder
from nearl_core.scans.stack import read_list
from nearl_core.store.listing import scan_list
from nearl_core.store.project import Project
from tests.support.projects import new_project

EVIL = r"\\evil.example\share\scans\1.png"


@pytest.fixture(autouse=True)
def _as_on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(servers, "WINDOWS", True)
    monkeypatch.setenv("NEARL_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("path", "server"),
    [
        (EVIL, "evil.example"),
        ("//Evil.example/share/x", "evil.example"),
        (r"\\?\UNC\evil.example\share\x", "evil.example"),
        (r"\??\UNC\evil.example\share\x", "evil.example"),
        (r"\\.\UNC\evil.example\share\x", "evil.example"),
        (r"\\evil@SSL@443\DavWWWRoot\x", "evil@ssl@443"),
        (r"\\?\GLOBALROOT\Device\Mup\evil\share", "?"),
        (r"\\.\pipe\x", "."),
        (r"\\?\C:\scans\x.png", ""),
        (r"C:\scans\x.png", ""),
        (r"\scans\x.png", ""),
        ("/home/me/x.png", ""),
        ("scans/x.png", ""),
    ],
)
def test_what_a_path_leads_to(path: str, server: str) -> None:
    assert servers.server_of(path) == server


def _spoil(folder: Path, column: str, kept: str) -> None:
    table, where = ("scans", "id = 1") if column == "path" else ("meta", f"key = '{column}'")
    name = "path" if column == "path" else "value"
    with closing(sqlite3.connect(folder / "project.db")) as database, database:
        database.execute(f"UPDATE {table} SET {name} = ? WHERE {where}", (kept,))


@pytest.mark.parametrize("kept", [EVIL, EVIL.replace("\\", "/"), f"json:{json.dumps(EVIL)}"])
def test_a_scan_on_a_computer_that_nobody_named_is_not_looked_at(tmp_path: Path, kept: str) -> None:
    new_project(tmp_path).close()
    folder = tmp_path / "p.nearl"
    _spoil(folder, "path", kept)
    with Project.open(folder) as project:
        first, second = project.scans()[:2]
        assert first.path.is_relative_to(folder)
        assert first.name == "1.png"
        assert "computer evil.example, which nobody named" in first.problem
        assert scan_list(project)[1] == first
        assert not second.problem
        project.keeper.name([Path("//evil.example/share/others")])
    with Project.open(folder) as project:
        found = project.scans()[0]
        assert not found.problem
        assert "evil.example" in str(found.path)
        assert not found.path.is_relative_to(folder)


def test_what_lies_where_the_project_lies_is_looked_at() -> None:
    trusted = servers.Trusted(Path("//evil.example/share/p.nearl"))
    assert trusted.refusal(r"\\EVIL.example\other\1.png") == ""
    assert trusted.refusal(r"\\other.example\share\1.png")
    assert trusted.refusal(r"\\.\pipe\x")


def test_a_device_is_never_named() -> None:
    servers.name([Path("//?/GLOBALROOT/Device/Mup/evil/share"), Path("//mine/share")])
    assert servers.named() == {"mine"}


def test_neither_is_what_a_stack_names(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    place = tmp_path / "p.nearl" / "stacks" / "1.nearlstack"
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps({"nearl_stack": 1, "files": ["//evil.example/share/1.dcm"]}))
    with pytest.raises(ScanError, match="which nobody named"):
        read_list(place)


def test_neither_is_where_it_stood_nor_its_backbone(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    folder = tmp_path / "p.nearl"
    _spoil(folder, "home", json.dumps(EVIL))
    with Project.open(folder) as project:
        assert project.home == folder
    assert present_folder(EVIL) is None
    with pytest.raises(BackboneError, match="on another computer"):
        folder_of(EVIL)


def test_no_name_of_a_server_is_kept_where_paths_lead_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servers, "WINDOWS", False)
    assert servers.server_of(EVIL) == ""
    servers.name([Path("//mine/share")])
    assert not servers.named()
