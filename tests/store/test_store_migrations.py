"""Projects of older and newer programs: brought up to date, or refused untouched."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from nearl_core.errors import ProjectError
from nearl_core.store import migrations
from nearl_core.store.copies import copies_before_upgrades
from nearl_core.store.project import Project
from nearl_core.store.restore import restore
from nearl_core.types import Occasion
from tests.store.faults.ledger import old_project
from tests.support.projects import decide, new_project, said

_STEP = """
from alembic import op
revision = "{0:04}"
down_revision = "{1:04}"
def upgrade():
    op.execute("ALTER TABLE scans ADD COLUMN extra{0} TEXT")
    {2}
"""


def _tables(file: Path) -> dict[str, object]:
    """Columns, keys, indexes and triggers of each table."""
    with closing(sqlite3.connect(file)) as database:
        names = [
            row[0]
            for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found: dict[str, object] = {
            f"{name} {what}": database.execute(f"PRAGMA {what}({name})").fetchall()
            for name in names
            for what in ("table_xinfo", "foreign_key_list")
        }
        rest = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') ORDER BY name"
        )
        return {**found, "rest": rest.fetchall()}


def test_the_program_knows_its_last_step() -> None:
    assert ScriptDirectory(str(migrations.STEPS)).get_heads() == [migrations.HEAD]


def test_an_older_project_becomes_what_a_new_one_is(tmp_path: Path) -> None:
    file = old_project(tmp_path)
    with Project.open(tmp_path / "p") as project:
        assert said(project.standing()) == {(1, "r"): ("disc",), (3, "ben"): ("stripes",)}
        assert {one.occasion for one in project.history(2)} == {Occasion.SINGLE}
        assert project.versions()[0].live
        assert project.redo("r") is not None
    assert not copies_before_upgrades(tmp_path / "p.nearl")[1:]
    new_project(tmp_path / "new").close()
    assert not copies_before_upgrades(tmp_path / "new" / "p.nearl")
    assert _tables(file) == _tables(tmp_path / "new" / "p.nearl" / "project.db")
    with (
        closing(sqlite3.connect(file)) as database,
        pytest.raises(sqlite3.IntegrityError, match="only grows"),
    ):
        database.execute("UPDATE decisions SET occasion = 'grid'")


def test_the_database_of_before_is_kept_and_brings_the_project_back(tmp_path: Path) -> None:
    file = old_project(tmp_path)
    before = _tables(file)
    with Project.open(tmp_path / "p") as project:
        decide(project, 2, "disc")
    (copy,) = copies_before_upgrades(tmp_path / "p.nearl")
    assert copy.file == tmp_path / "p.nearl" / "copies" / "project-schema-2.db"
    assert _tables(copy.file) == before
    file.write_bytes(file.read_bytes()[:100])
    done = restore(tmp_path / "p")  # there is no daily copy yet
    assert (done.day, done.lost) == (copy.day, None)
    with Project.open(tmp_path / "p") as project:
        assert said(project.standing()) == {(1, "r"): ("disc",), (3, "ben"): ("stripes",)}


def test_without_room_for_a_copy_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = old_project(tmp_path)
    before = _tables(file)
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(ProjectError, match=r"too little space.*once it is copied"):
        Project.open(tmp_path / "p")
    assert _tables(file) == before
    monkeypatch.undo()
    Project.open(tmp_path / "p").close()


def test_a_process_that_dies_in_a_step_leaves_the_project_as_it_was(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
    file = tmp_path / "p.nearl" / "project.db"
    before = _tables(file)
    steps = shutil.copytree(migrations.STEPS, tmp_path / "steps")
    head = int(migrations.HEAD)
    dies = "import os; os._exit(7)"
    (steps / "versions" / "a.py").write_text(_STEP.format(head + 1, head, dies))
    code = (
        "import sys; from pathlib import Path; from nearl_core.store import migrations;"
        "from nearl_core.store.project import Project;"
        f"migrations.STEPS = Path({str(steps)!r}); migrations.HEAD = '{head + 1:04}';"
        f"Project.open(Path({str(tmp_path)!r}) / 'p')"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
    for found in (file, tmp_path / "p.nearl" / "copies" / f"project-schema-{head}.db"):
        assert _tables(found) == before
    with Project.open(tmp_path / "p") as project:
        assert said(project.standing()) == {(1, "r"): ("disc",)}


def test_the_oldest_project_opens(tmp_path: Path) -> None:
    """From before a version kept what stands behind its sentence."""
    file = old_project(tmp_path)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("ALTER TABLE versions DROP COLUMN evidence")
        database.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    with Project.open(tmp_path / "p") as project:
        assert [version.evidence for version in project.versions()] == [None]


def test_an_older_project_is_looked_at_only_after_it_was_brought_up_to_date(tmp_path: Path) -> None:
    file = old_project(tmp_path)
    before = file.read_bytes()
    with pytest.raises(ProjectError, match=r"older schema 2.*Open it once for writing.*a copy"):
        Project.open(tmp_path / "p", read_only=True)
    assert file.read_bytes() == before
    Project.open(tmp_path / "p").close()
    with Project.open(tmp_path / "p", read_only=True) as project:
        assert len(project.standing()) == 2


@pytest.mark.parametrize("old", [False, True])
def test_a_program_of_before_alembic_can_tell_that_the_project_is_newer(
    tmp_path: Path, old: bool
) -> None:
    """It reads the number in `meta` and nothing else."""
    if old:
        old_project(tmp_path)
        Project.open(tmp_path / "p").close()
    else:
        new_project(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "p.nearl" / "project.db")) as database:
        numbers = database.execute("SELECT value FROM meta WHERE key = 'schema'").fetchall()
    assert numbers == [(str(int(migrations.HEAD)),)]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path, read_only: bool) -> None:
    new_project(tmp_path).close()
    file = tmp_path / "p.nearl" / "project.db"
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '0999'")
    before = file.read_bytes()
    with pytest.raises(ProjectError, match=r"newer NEARL Desk \(schema 999.*Update"):
        Project.open(tmp_path / "p", read_only=read_only)
    assert file.read_bytes() == before


def test_a_step_that_fails_leaves_the_project_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
    file = tmp_path / "p.nearl" / "project.db"
    before = _tables(file)
    # A folder as some have it: Alembic's settings give % a meaning.
    steps = tmp_path / "100% steps"
    shutil.copytree(migrations.STEPS, steps)
    head = int(migrations.HEAD)
    fails = 'raise OSError(28, "No space left on device")'
    (steps / "versions" / "a.py").write_text(_STEP.format(head + 1, head, "pass"))
    (steps / "versions" / "b.py").write_text(_STEP.format(head + 2, head + 1, fails))
    monkeypatch.setattr(migrations, "STEPS", steps)
    monkeypatch.setattr(migrations, "HEAD", f"{head + 2:04}")
    with pytest.raises(ProjectError, match="full"):
        Project.open(tmp_path / "p")
    assert _tables(file) == before
    assert [one.schema for one in copies_before_upgrades(tmp_path / "p.nearl")] == [str(head)]
    monkeypatch.setattr(migrations, "HEAD", f"{head + 1:04}")
    with Project.open(tmp_path / "p") as project:
        assert said(project.standing()) == {(1, "r"): ("disc",)}
    assert _tables(file) != before


def test_a_project_that_is_up_to_date_opens_without_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nearl_core.store.project import Project;"
        "from nearl_core.types import Label, LabelSet;"
        f"p = Path({str(tmp_path)!r}) / 'p';"
        "Project.create(p, LabelSet((Label('a', 'A'), Label('b', 'B')))).close();"
        "Project.open(p).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
