"""The daily copy, and the way back when the database is damaged or gone."""

import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from nearl_core.control import RunControl
from nearl_core.errors import Cancelled, ProjectError, ProjectLockedError
from nearl_core.store import copies as module
from nearl_core.store.check import check
from nearl_core.store.copies import copies, copy_daily
from nearl_core.store.project import Project
from nearl_core.store.restore import restore
from tests.support.projects import decide, new_project, said

_TODAY = date(2026, 11, 27)


def _decided(folder: Path, count: int, *, copied_after: int) -> Path:
    with new_project(folder, scans=40) as project:
        for number in range(count):
            if number == copied_after:
                copy_daily(project.folder)
            decide(project, number % 40 + 1, ("disc", "stripes", "dots")[number % 3])
        return project.folder


def _log(folder: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(folder / "project.db")) as database:
        return database.execute("SELECT id, labels FROM decisions ORDER BY id").fetchall()


def test_there_is_one_copy_a_day_and_the_last_seven_are_kept(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        for day in range(10):
            today = _TODAY + timedelta(days=day)
            assert copy_daily(project.folder, today=today) is not None
            assert copy_daily(project.folder, today=today) is None
        kept = copies(project.folder, today=today)
        assert [copy.day.day for copy in kept] == [6, 5, 4, 3, 2, 1, 30]
        assert check(project).copies[0] == today
        folder = kept[0].file.parent
        assert len(list(folder.iterdir())) == 7  # and nothing beside them
    with closing(sqlite3.connect(kept[0].file)) as database:
        assert database.execute("SELECT count(*) FROM decisions").fetchone() == (1,)


def test_a_copy_from_a_wrong_clock_goes_first(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        for year in (2031, 2032):
            copy_daily(project.folder, today=date(year, 1, 1))
        for day in range(7):
            today = _TODAY + timedelta(days=day)
            copy_daily(project.folder, today=today)
        assert {copy.day.year for copy in copies(project.folder, today=today)} == {2026}


def test_decisions_go_on_while_a_copy_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGES", 1)
    decided = 0
    stop = threading.Event()
    with new_project(tmp_path, scans=3000) as project:

        def work() -> None:
            nonlocal decided
            while not stop.is_set():
                decide(project, decided % 3000 + 1, "disc")
                decided += 1

        worker = threading.Thread(target=work)
        worker.start()
        try:
            copy = copy_daily(project.folder, RunControl(between=lambda: time.sleep(0.001)))
        finally:
            stop.set()
            worker.join()
        assert decided > 3
        assert copy is not None
        # A snapshot: what was decided up to some moment, and nothing torn.
        with closing(sqlite3.connect(copy.file)) as database:
            ids = [row[0] for row in database.execute("SELECT id FROM decisions ORDER BY id")]
        assert ids == list(range(1, len(ids) + 1))


def test_a_copy_that_is_stopped_or_has_no_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = RunControl()
    control.cancel()
    with new_project(tmp_path) as project:
        with pytest.raises(Cancelled):
            copy_daily(project.folder, control)
        assert list((project.folder / "copies").iterdir()) == []
        free = shutil.disk_usage(tmp_path)._replace(free=1000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
        with pytest.raises(ProjectError, match=r"too little space.*decisions are saved"):
            copy_daily(project.folder)
        assert list((project.folder / "copies").iterdir()) == []


def _spoil(file: Path, first: int, last: int) -> None:
    data = bytearray(file.read_bytes())
    data[4096 * first : 4096 * last] = b"\xa5" * 4096 * (last - first)
    file.write_bytes(data)


def test_a_page_that_went_bad_is_found_by_the_next_copy(tmp_path: Path) -> None:
    folder = _decided(tmp_path, 400, copied_after=400)
    _spoil(folder / "project.db", 20, 21)
    with pytest.raises(ProjectError, match=r"database is damaged.*check PROJECT --restore"):
        copy_daily(folder)
    assert list((folder / "copies").iterdir()) == []


def test_the_copy_comes_back_with_what_came_after_it(tmp_path: Path) -> None:
    """A header that is gone loses the day; a bad page only what stood on it."""
    folder = _decided(tmp_path, 600, copied_after=100)
    before = _log(folder)
    whole = (folder / "project.db").read_bytes()
    pages = len(whole) // 4096
    recovered = []
    for bad in range(4, pages, max(1, pages // 12)):
        (folder / "project.db").write_bytes(whole)
        _spoil(folder / "project.db", bad, bad + 1)
        done = restore(folder)
        assert done.lost in (None, 500 - done.decisions)
        after = _log(folder)
        assert set(after) <= set(before)
        assert after[:100] == before[:100]
        assert len(after) == 100 + done.decisions
        assert (folder / done.kept / "project.db").is_file()
        shutil.rmtree(folder / done.kept)
        recovered.append(done.decisions)
        with Project.open(folder) as project:
            assert check(project).findings[0].message.startswith("40 scan files")
            assert len(check(project).findings) == 1
            assert decide(project, 1, "disc").id > len(after)
    assert sorted(recovered)[len(recovered) // 4] > 400


@pytest.mark.parametrize("how", ["header", "gone", "truncated", "empty"])
def test_what_can_not_be_read_at_all_is_told_and_brought_back(tmp_path: Path, how: str) -> None:
    folder = _decided(tmp_path, 60, copied_after=50)
    file = folder / "project.db"
    if how == "gone":
        file.unlink()
    elif how == "header":
        file.write_bytes(b"\0" * 4096 + file.read_bytes()[4096:])
    else:
        file.write_bytes(file.read_bytes()[: 4096 * 3 if how == "truncated" else 0])
    for read_only in (False, True):
        with (
            pytest.raises(ProjectError, match=r"check PROJECT --restore"),
            Project.open(folder, read_only=read_only) as project,
        ):
            project.standing()
    done = restore(folder)
    assert done.day == date.today()
    with Project.open(folder) as project:
        assert len(said(project.standing())) >= 40
        assert len(_log(folder)) == 50 + done.decisions


def test_what_stands_in_the_log_alone_comes_back_too(tmp_path: Path) -> None:
    """A kill leaves the last decisions in the write-ahead log."""
    folder = _decided(tmp_path, 20, copied_after=10)
    with Project.open(folder) as project:
        decide(project, 1, "dots")
        shutil.copytree(folder, tmp_path / "killed.nearl")
    assert (tmp_path / "killed.nearl" / "project.db-wal").stat().st_size
    _spoil(tmp_path / "killed.nearl" / "project.db", 1, 3)
    done = restore(tmp_path / "killed")
    assert (done.decisions, done.lost) == (11, 0)
    assert not (tmp_path / "killed.nearl" / "project.db-wal").exists()


def test_a_restoring_that_was_cut_short_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _decided(tmp_path, 60, copied_after=50)
    _spoil(folder / "project.db", 1, 3)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", _cut)
        with pytest.raises(KeyboardInterrupt):
            restore(folder)
    assert not (folder / "project.db").exists()
    with pytest.raises(ProjectError, match="check PROJECT --restore"):
        Project.open(folder)
    assert (restore(folder).decisions, len(_log(folder))) == (10, 60)
    assert not list(folder.glob("*partial*"))


def _cut(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_damaged_copy_is_passed_over(tmp_path: Path) -> None:
    folder = _decided(tmp_path, 60, copied_after=50)
    copy_daily(folder, today=date(2000, 1, 1))
    _spoil(copies(folder)[0].file, 1, 4)
    (folder / "project.db").unlink()
    assert restore(folder).day == date(2000, 1, 1)
    with Project.open(folder) as project:
        report = check(project)
    assert [day.year for day in report.copies] == [2000]
    assert any("daily copy" in finding.message for finding in report.findings)


def test_the_copy_before_an_upgrade_comes_back_where_it_holds_more(tmp_path: Path) -> None:
    folder = _decided(tmp_path, 30, copied_after=10)
    module.copy_before_upgrade(folder, "4")  # on the day of the daily copy, after it
    (folder / "project.db").write_bytes(b"nothing of it can be read")
    restore(folder)
    assert len(_log(folder)) == 30
    (folder / "copies" / "project-schema-4.db").write_bytes(b"nor of this")
    (folder / "project.db").write_bytes(b"nothing of it can be read")
    restore(folder)
    assert len(_log(folder)) == 10


def test_nothing_is_put_back_into_an_open_project_or_from_nowhere(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        copy_daily(project.folder)
        with pytest.raises(ProjectLockedError):
            restore(project.folder)
    shutil.rmtree(project.folder / "copies")
    with pytest.raises(ProjectError, match=r"no sound copy.*backup"):
        restore(project.folder)
    with pytest.raises(ProjectError, match="no project"):
        restore(tmp_path / "gone")
    with Project.open(tmp_path / "p"):
        pass
