"""The way back from a damaged database: its last sound copy, and what can still be read since.

The log only grows and its ids only count up, so whatever the damaged database still tells beyond
the copy can be appended to it. The damaged database is kept.
"""

import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from nearl_core.errors import ProjectError
from nearl_core.store import decisions, label_sets, scans, versions
from nearl_core.store.copies import Copy, copies, copies_before_upgrades, require_sound
from nearl_core.store.database import Database, file_uri
from nearl_core.store.decision_rows import from_columns
from nearl_core.store.faults import told
from nearl_core.store.folder import (
    DATABASE,
    LOCK,
    project_folder,
    require_folder,
    require_no_links,
    require_schema,
)
from nearl_core.store.lock import ProjectLock
from nearl_core.store.paths import PathKeeper

_TABLES: Final = {
    "label_sets": "revision",
    "scans": "id",
    "stack_files": "id",
    "decisions": "id",
    "versions": "number",
    "activations": "id",
}
"""What grows, with its key, in the order in which rows refer to each other."""
_FULLER: Final = ("decisions", "label_sets", "activations", "versions", "scans")
"""By which of two copies is told to be the fuller one, in this order."""
_BESIDE: Final = ("-wal", "-shm", "-journal")
_KEPT: Final = "damaged-"
_MISSES: Final = 10_000
"""So many keys in a row that are not there, and the table has ended: a page holds far fewer."""


@dataclass(frozen=True)
class Restored:
    """What was put back.

    Attributes:
        day: Of the copy.
        decisions: Decisions that were made after the copy and could still be read.
        lost: Those that could not; None where the damaged database does not say how many it had.
        kept: The folder in which the damaged database stands now; "" where there was none.
    """

    day: date
    decisions: int
    lost: int | None
    kept: str

    @property
    def sentence(self) -> str:
        """For the desk and the command line."""
        lost = "an unknown number are" if self.lost is None else f"{self.lost} are"
        kept = f" The damaged database is kept in {self.kept}." if self.kept else ""
        return (
            f"The copy of {self.day} was put back, with {self.decisions} later decisions; "
            f"{lost} lost.{kept}"
        )


def restore(folder: Path) -> Restored:
    """Put the last sound copy back, with what can still be read of what came after it.

    Raises:
        ProjectLockedError: If the project is open for writing elsewhere.
        ProjectError: If there is no sound copy, or it can't be put back.
    """
    folder = project_folder(folder)
    require_folder(folder)
    with told():
        require_no_links(folder)
        lock = ProjectLock.acquire(folder / LOCK)
        beside = folder / f"{DATABASE}.partial-{secrets.token_hex(4)}"
        try:
            for left in folder.glob(f"{DATABASE}.partial-*"):
                left.unlink()
            day = _take_copy(folder, beside)
            decisions, lost = _take_rest(_source(folder), beside)
            require_sound(beside)
            _require_understood(beside)
            kept = _keep(folder)
            # The log too: left there, it would be taken for the new database's.
            for ending in ("", *_BESIDE):
                (folder / f"{DATABASE}{ending}").unlink(missing_ok=True)
            os.replace(beside, folder / DATABASE)
        finally:
            try:
                beside.unlink(missing_ok=True)
            finally:
                lock.release()
    return Restored(day, decisions, lost, kept)


def _source(folder: Path) -> Path:
    """The damaged database, or the one that a restoring kept before it was cut short."""
    kept = sorted(folder.glob(f"{_KEPT}*/{DATABASE}"))
    database = folder / DATABASE
    return database if database.exists() or not kept else kept[-1]


def _take_copy(folder: Path, beside: Path) -> date:
    """Copy the sound copy that holds most, in this program's schema; returns its day."""
    every = (*copies(folder), *copies_before_upgrades(folder))
    for copy in sorted(every, key=_held, reverse=True):  # of equal ones the first stays first
        try:
            require_sound(copy.file)
            shutil.copyfile(copy.file, beside)
            _require_understood(beside)
        except ProjectError:
            continue
        return copy.day
    raise ProjectError(
        "There is no sound copy of the project's database.",
        "Bring back a backup of the project folder.",
    )


def _held(copy: Copy) -> tuple[int, ...]:
    """The last key of each table, which all only grow; the clock could have been wrong."""
    try:
        with closing(sqlite3.connect(file_uri(copy.file, mode="ro"), uri=True)) as database:
            return tuple(_last_key(table, database) or 0 for table in _FULLER)
    except sqlite3.Error:
        return ()


def _require_understood(file: Path) -> None:
    """Bring a database to this program's schema, and read everything: sound pages may lie."""
    database = Database(file, read_only=False)
    try:
        require_schema(database)
        with database.reading() as connection:
            label_sets.history(connection)
            scans.listed(connection, PathKeeper(file.parent))
            decisions.every(connection)
            versions.listed(connection, 0)
    finally:
        database.close()


def _take_rest(source: Path, beside: Path) -> tuple[int, int | None]:
    """Append what came after the copy; returns how many decisions, and how many are lost."""
    with closing(sqlite3.connect(beside, isolation_level=None)) as new:
        new.execute("PRAGMA journal_mode = DELETE")
        new.execute("PRAGMA foreign_keys = ON")
        before = _count(new)
        last = _take(source, new)
        after = _count(new)
    # Ids are given without gaps, and what is rolled back gives its id back.
    return after - before, None if last is None else max(0, last - after)


def _take(source: Path, new: sqlite3.Connection) -> int | None:
    """Append from one damaged database; returns the last id of a decision, where it tells."""
    try:
        with closing(sqlite3.connect(file_uri(source, mode="ro"), uri=True)) as old:
            new.execute("BEGIN")
            for table, key in _TABLES.items():
                _append(table, key, old, new)
            new.execute("COMMIT")
            return _last_key("decisions", old)
    except sqlite3.DatabaseError as error:
        if new.in_transaction:
            new.execute("ROLLBACK")
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise
        return None  # nothing of it can be read


def _append(table: str, key: str, old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Row by row, since each may be the one that can't be read."""
    columns_of = f"PRAGMA table_info({table})"
    known = [str(row[1]) for row in _rows(new, columns_of)]
    shared = [str(row[1]) for row in _rows(old, columns_of) if row[1] in known]
    if not shared:
        return
    columns = ", ".join(f'"{name}"' for name in shared)
    insert = f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(shared))})"
    last = _last_key(table, old)
    number = new.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0]
    misses = 0
    while misses < _MISSES and (last is None or number < last):
        number += 1
        rows = _rows(old, f"SELECT {columns} FROM {table} WHERE {key} = {number}")
        misses = 0 if rows else misses + 1
        try:
            for row in rows:
                if table == "decisions":
                    from_columns(dict(zip(shared, row, strict=True)))
                new.execute(insert, row)
        except (sqlite3.IntegrityError, ProjectError):
            continue  # what it says, or what it refers to, could not be read


def _rows(old: sqlite3.Connection, query: str) -> list[tuple[object, ...]]:
    """What a query gives; nothing where that is damaged."""
    try:
        return old.execute(query).fetchall()
    except (sqlite3.DatabaseError, UnicodeError):
        return []


def _last_key(table: str, old: sqlite3.Connection) -> int | None:
    """The greatest key that a table ever had; None where nothing says so."""
    for query in (
        f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'",
        f"SELECT coalesce(max({_TABLES[table]}), 0) FROM {table}",
    ):
        for row in _rows(old, query):
            if isinstance(row[0], int):
                return row[0]
    return None


def _count(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT count(*) FROM decisions").fetchone()[0])


def _keep(folder: Path) -> str:
    """Copy the damaged database with its log into a folder of its own."""
    files = [file for ending in ("", *_BESIDE) if (file := folder / f"{DATABASE}{ending}").exists()]
    if not files:
        return ""
    kept = folder / f"{_KEPT}{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    beside = kept.with_name(f"partial-{kept.name}")
    beside.mkdir()
    for file in files:
        shutil.copyfile(file, beside / file.name)
    beside.rename(kept)
    return kept.name
