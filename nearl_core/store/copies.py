"""A copy of the database a day, and one before each upgrade, in the project's folder.

A copy takes every page as it is, so checking it is checking the project: a page that went bad is
found within a day, without keeping anybody waiting at opening.
"""

import os
import re
import secrets
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import ProjectError
from nearl_core.store.database import file_uri
from nearl_core.store.faults import damaged, told
from nearl_core.store.folder import DATABASE

KEPT: Final = 7
FOLDER: Final = "copies"
_NAME: Final = re.compile(r"project-(\d{4}-\d{2}-\d{2})\.db")
_BEFORE: Final = re.compile(r"project-schema-(\d{1,8})\.db")
_PAGES: Final = 256
"""Copied at once, about 1 MB: on a network share, writers wait for no more than this."""
_ROOM: Final = 2
"""Free space must be so many times what a copy takes: the reader's decisions need it more."""


@dataclass(frozen=True)
class Copy:
    """One copy.

    Attributes:
        day: When it was made, by the clock of then.
        schema: The number of its schema where it was made before an upgrade; "" for a daily one.
    """

    file: Path
    day: date
    schema: str = ""


def copies(project_folder: Path, *, today: date | None = None) -> list[Copy]:
    """The daily copies of a project, the newest first.

    One of a day to come was made before the clock was put right, so it counts as the oldest.

    Raises:
        ProjectError: If the folder can't be read.
    """
    today = today or date.today()
    found = [Copy(file, day) for file in _files(project_folder) if (day := _day(file.name))]
    return sorted(found, key=lambda copy: (copy.day <= today, copy.day), reverse=True)


def copies_before_upgrades(project_folder: Path) -> list[Copy]:
    """The copies that were made before the project was brought up to date, the newest first.

    Raises:
        ProjectError: If the folder can't be read.
    """
    found = []
    for file in _files(project_folder):
        if match := _BEFORE.fullmatch(file.name):
            with told():
                day = date.fromtimestamp(file.stat().st_mtime)
            found.append(Copy(file, day, match[1]))
    return sorted(found, key=lambda copy: int(copy.schema), reverse=True)


def _files(project_folder: Path) -> list[Path]:
    folder = project_folder / FOLDER
    with told():
        return sorted(folder.iterdir()) if folder.is_dir() else []


def _day(name: str) -> date | None:
    match = _NAME.fullmatch(name)
    try:
        return None if match is None else date.fromisoformat(match[1])
    except ValueError:
        return None


def copy_daily(
    project_folder: Path, control: RunControl | None = None, *, today: date | None = None
) -> Copy | None:
    """Copy the database unless there is a copy of today; the last ones are kept.

    Safe beside an open project: on a local disk it reads one snapshot, on a network share it lets
    writers in between small steps.

    Returns:
        The copy, or None where there is one of today already.

    Raises:
        Cancelled: If the control says so; nothing is left of the copy.
        ProjectError: If there is too little space, the disk failed, or the database is damaged.
    """
    control = control or RunControl()
    today = today or date.today()
    if any(copy.day == today for copy in copies(project_folder, today=today)):
        return None
    made = Copy(project_folder / FOLDER / f"project-{today.isoformat()}.db", today)
    with told():
        _make(made.file, control, "decisions are saved meanwhile.")
        for old in copies(project_folder, today=today)[KEPT:]:
            old.file.unlink(missing_ok=True)
    return made


def copy_before_upgrade(project_folder: Path, schema: str) -> None:
    """Copy the database as it is in an older schema; a copy of that schema is replaced.

    An earlier copy is left from an upgrade that did not come to its end. Whatever it holds the
    database still holds, since what was decided only grows.

    Raises:
        ProjectError: If there is too little space, the disk failed, or the database is damaged.
    """
    file = project_folder / FOLDER / f"project-schema-{schema}.db"
    with told():
        _make(file, RunControl(), "the project is brought up to date once it is copied.")


def copy_database(project_folder: Path, target: Path, control: RunControl) -> None:
    """Copy the database of a project, open or not, to somewhere else.

    Raises:
        Cancelled: If the control says so.
        ProjectError: If there is too little space, the disk failed, or the database is damaged.
    """
    with told():
        _copy(project_folder / DATABASE, target, control, "nothing was copied.")
    require_sound(target)


def _make(file: Path, control: RunControl, meanwhile: str) -> None:
    """Make a copy beside, check it, and give it its name."""
    file.parent.mkdir(exist_ok=True)
    for left in file.parent.glob("*.partial-*"):
        left.unlink()  # of a copying that was cut short; a project has one writer
    beside = file.with_name(f"{file.name}.partial-{secrets.token_hex(4)}")
    try:
        _copy(file.parent.parent / DATABASE, beside, control, meanwhile)
        require_sound(beside)
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)


def _copy(source: Path, target: Path, control: RunControl, meanwhile: str) -> None:
    needed = sum(
        file.stat().st_size
        for file in (source, source.with_name(source.name + "-wal"))
        if file.exists()
    )
    if shutil.disk_usage(target.parent).free < _ROOM * needed:
        raise ProjectError(
            "There is too little space for a copy of the project's database.",
            f"Free some space on the disk; {meanwhile}",
        )
    with (
        closing(sqlite3.connect(file_uri(source, mode="ro"), uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.isolation_level = None
        if old.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            # One snapshot: without it each decision would make the copying begin anew.
            old.execute("BEGIN")
            old.execute("SELECT 1 FROM sqlite_master").fetchone()
        old.backup(new, pages=_PAGES, progress=lambda *_: control.check(), sleep=0.01)
        new.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it


def require_sound(file: Path) -> None:
    """Refuse a damaged database.

    Raises:
        ProjectError: If it is damaged.
    """
    with told(), closing(sqlite3.connect(file_uri(file, mode="ro"), uri=True)) as database:
        if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise damaged()
