"""What was acknowledged is never lost: kill -9, full disk, hands in the database."""

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from nearl_core.errors import ProjectDamagedError, ProjectError, VersionError
from nearl_core.store.check import check
from nearl_core.store.project import Project
from nearl_core.types import Confidence, NewDecision, Shown
from tests.support.projects import LABELS, decide, labelled, new_project, ranking, said, version

_RECORDER = """
import sys
from pathlib import Path
from nearl_core.store.project import Project
from nearl_core.types import NewDecision, State, Verdict
with Project.open(Path(sys.argv[1])) as project:
    number = 0
    while True:
        number += 1
        label = ("disc", "stripes", "dots")[number % 3]
        said = Verdict(State.LABELLED, (label,), note=str(number))
        done = project.record(NewDecision(number % 6 + 1, "r", said))
        print(done.id, number, flush=True)
"""

_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from nearl_core.errors import ProjectError
from nearl_core.store.project import Project
from nearl_core.types import NewDecision, State, Verdict
with Project.open(Path(sys.argv[1])) as project:
    new = NewDecision(1, "r", Verdict(State.LABELLED, ("disc",), note="x" * 900))
    project.record(new)
    wal = (project.folder / "project.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal + 200000, resource.RLIM_INFINITY))
    saved = 1
    try:
        while True:
            project.record(new)
            saved += 1
    except ProjectError as error:
        print(saved, len(project.standing()), error.message, error.remedy, sep="|", flush=True)
    try:
        project.undo("r")
    except ProjectError:
        print("undo refused")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    project.record(new)
    print("usable again", len(project.history(1)))
    undone = project.undo("r")
    print("undoes the last one", undone.undoes == project.history(1)[-2].id)
"""


@pytest.mark.parametrize("seed", range(4))
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, seed: int) -> None:
    new_project(tmp_path).close()
    with subprocess.Popen(
        [sys.executable, "-c", _RECORDER, tmp_path / "p"], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline() for _ in range(4)]
        # At a moment that nobody chose, and not between two lines that this test reads.
        limit = time.monotonic() + random.Random(seed).uniform(0.05, 0.4)
        while time.monotonic() < limit:
            acknowledged.append(child.stdout.readline())
        child.kill()
        acknowledged += child.stdout.readlines()
    pairs = [line.split() for line in acknowledged if line.endswith("\n")]
    assert len(pairs) > 3
    with Project.open(tmp_path / "p") as project:
        kept = {
            one.id: one.verdict.note for scan in project.scans() for one in project.history(scan.id)
        }
        for decision_id, number in pairs:
            assert kept[int(decision_id)] == number
        assert len(kept) - len(pairs) in (0, 1)  # one may be saved and not yet acknowledged
        assert check(project).findings[0].message.startswith("6 scan files")  # they never existed
        assert len(check(project).findings) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are POSIX")
def test_a_full_disk_is_told_and_the_project_goes_on_after(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK, tmp_path / "p"],
        capture_output=True,
        text=True,
        check=True,
    )
    first, undo, *rest = done.stdout.splitlines()
    saved, standing, message, remedy = first.split("|")
    assert int(saved) > 3
    assert standing == "1"
    assert "saved before is safe" in message
    assert "space" in remedy
    assert undo == "undo refused"
    assert rest == [f"usable again {int(saved) + 1}", "undoes the last one True"]
    with Project.open(tmp_path / "p") as project:
        assert len(project.history(1)) == int(saved) + 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET labels = '[\"dots\"]'",
        "DELETE FROM decisions",
        "INSERT OR REPLACE INTO decisions SELECT * FROM decisions WHERE id = 1",
        "UPDATE label_sets SET body = ''",
        "DELETE FROM versions",
        "DELETE FROM activations",
    ],
)
def test_history_can_not_be_rewritten(tmp_path: Path, statement: str) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        project.add_version(version("v1"))
        project.activate("v1")
    raw = sqlite3.connect(tmp_path / "p.nearl" / "project.db")
    try:
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            raw.execute(statement)
    finally:
        raw.close()


def test_a_decision_is_kept_with_all_that_was_known(tmp_path: Path) -> None:
    verdict = replace(
        labelled("dots"), confidence=Confidence.PROBABLE, flagged=True, note="rim\ud800?", frame=3
    )
    new = NewDecision(2, "r", verdict, ranking(2), Shown.VISIBLE, 1234, (2, 3))
    with new_project(tmp_path) as project:
        made = project.record(new)
    with Project.open(tmp_path / "p") as project:
        (kept,) = project.standing("r")
        assert kept == made
        assert kept.verdict == replace(verdict, note="rim??")
        assert (kept.ranking, kept.shown) == (new.ranking, new.shown)
        assert (kept.milliseconds, kept.frames_shown) == (1234, (2, 3))
        assert abs((datetime.now(UTC) - kept.time).total_seconds()) < 60


def test_versions_and_which_one_is_live(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        assert project.next_version_id() == "v1"
        project.add_version(version("v1"))
        project.add_version(version("v2"))
        assert project.next_version_id() == "v3"
        with pytest.raises(VersionError, match="already"):
            project.add_version(version("v2"))
        assert not any(version.live for version in project.versions())
        for live in ("v1", "v2", None, "v1"):
            project.activate(live, reader="r")
            assert [one.id for one in project.versions() if one.live] == ([live] if live else [])
    with Project.open(tmp_path / "p") as project:
        first, second = project.versions()
        assert first.live
        assert second == version("v2")


# --- check -----------------------------------------------------------------------------------


def _real_files(folder: Path) -> None:
    (folder / "scans").mkdir(exist_ok=True)
    for number in range(1, 7):
        (folder / "scans" / f"{number}.png").write_bytes(b"x" * number)


def test_check_finds_nothing_in_a_sound_project(tmp_path: Path) -> None:
    _real_files(tmp_path)
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        report = check(project)
    assert report.ok
    assert (report.scans, report.decisions, report.versions) == (6, 1, 0)
    assert report.mended == ()


def test_check_names_what_is_gone_or_changed(tmp_path: Path) -> None:
    _real_files(tmp_path)
    with new_project(tmp_path) as project:
        adapters = project.adapters_folder
        (adapters / "a.safetensors").write_bytes(b"a")
        (adapters / "b.safetensors").write_bytes(b"b")
        project.add_version(version("v1", "a.safetensors"))
        project.add_version(version("v2", "b.safetensors"))
        (adapters / "a.safetensors").unlink()
        (adapters / "b.safetensors").write_bytes(b"B")
        (tmp_path / "scans" / "2.png").unlink()
        (tmp_path / "scans" / "3.png").write_bytes(b"another")
        report = check(project)
    found = {finding.message: finding.scan_ids for finding in report.findings}
    assert found == {
        "Version v1 is missing its file.": (),
        "Version v2 has a file that was changed.": (),
        "1 scan files are not where they were.": (2,),
        "1 scan files have changed since they were added.": (3,),
    }
    assert all(finding.remedy for finding in report.findings)


def test_check_mends_folders_leftovers_and_a_project_moved_from_its_scans(tmp_path: Path) -> None:
    _real_files(tmp_path)
    new_project(tmp_path).close()
    away = tmp_path / "away" / "p.nearl"
    away.parent.mkdir()
    (tmp_path / "p.nearl").rename(away)
    shutil.rmtree(away / "cache")
    old, young = away / "adapters" / "v1.partial-1", away / "adapters" / "v2.partial-2"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (1.0, 1.0))
    with Project.open(away, read_only=True) as project:
        assert check(project).mended == ()
    with Project.open(away) as project:
        report = check(project)
        assert report.ok
        assert report.mended == (
            "The folder cache was missing and was made.",
            "6 scans were found where the project stood before.",
            "Half-written files that were removed: 1.",
        )
        assert [scan.path for scan in project.scans()] == [
            tmp_path / "scans" / f"{number}.png" for number in range(1, 7)
        ]
        assert (old.exists(), young.exists()) == (False, True)


def test_check_goes_on_past_a_damaged_table(tmp_path: Path) -> None:
    _real_files(tmp_path)
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
    raw = sqlite3.connect(tmp_path / "p.nearl" / "project.db")
    raw.execute("DROP TRIGGER decisions_no_update")
    raw.execute("UPDATE decisions SET labels = '[\"cat\"]', scan_id = 77")
    raw.commit()
    raw.close()
    with Project.open(tmp_path / "p") as project:
        messages = [finding.message for finding in check(project).findings]
    assert messages == [
        "The project's database is damaged.",
        "1 scans have labels that no label set of the project knows.",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        pytest.param(
            os.fsdecode(b"m\xfcller"),
            id="no UTF-8",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there only"),
        ),
    ],
)
def test_a_schema_with_flipped_bits_is_damage_and_a_wrong_statement_is_a_bug(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with new_project(folder) as project:
        decide(project, 1, "disc")
        with pytest.raises(OperationalError, match="no such column"), project.reading() as database:
            database.execute(text("SELECT shewn FROM decisions"))
    raw = sqlite3.connect(folder / "p.nearl" / "project.db")
    raw.execute("PRAGMA writable_schema = ON")
    raw.execute("UPDATE sqlite_master SET sql = replace(sql, 'shown', 'shewn')")
    raw.commit()
    raw.close()
    with Project.open(folder / "p") as project:
        with pytest.raises(ProjectDamagedError, match=r"damaged.*--restore"):
            project.standing()
        assert check(project).damaged


def test_read_only_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_project(tmp_path).close()

    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ProjectError, match=r"can't be written here.*not read-only"):
        Project.open(tmp_path / "p")
    monkeypatch.undo()
    with Project.open(tmp_path / "p") as project:
        assert said(project.standing()) == {}
        assert project.label_set() == LABELS
