"""The database file: connections, pragmas, transactions.

Two connections: one that writes, one that reads, each with a lock of its own, so that reading
100,000 scans never keeps a decision waiting (WAL lets both work at once).
"""

import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from nearl_core.errors import ProjectError
from nearl_core.links import followed
from nearl_core.store.faults import damaged, moved, told
from nearl_core.store.structure import is_damaged

_NETWORK: Final = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afp(fs)?|afs|ncpfs|webdav|davfs|9p|drvfs|vboxsf|vmhgfs|prl_fs"
    r"|(fuse\.)?(sshfs|rclone|davfs2|glusterfs|ceph|vmhgfs-fuse)|lustre|gpfs|beegfs"
)
_BUSY_S: Final = 5.0


def is_on_network(path: Path) -> bool:
    """Whether a path lies on a network share, as far as the system tells.

    WAL needs shared memory between the processes that have the file open, which network shares
    do not give (sqlite.org/wal.html, "Use of WAL without shared memory").
    """
    import psutil

    text = followed(path)
    if text.startswith("\\\\"):
        return True
    best = ""
    network = False
    for part in psutil.disk_partitions(all=True):
        mount = os.path.normcase(part.mountpoint)
        inside = os.path.normcase(text).startswith(mount.rstrip("/\\") + os.sep) or mount == text
        if inside and len(mount) >= len(best):
            best = mount
            network = bool(_NETWORK.fullmatch(part.fstype.lower())) or "remote" in part.opts.split(
                ","
            )
    return network


class Database:
    """Transactions on one project's database; safe from any thread.

    Attributes:
        read_only: Whether writing is refused.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """Open the file, which exists or (for writing) is created.

        Raises:
            ProjectError: If it can't be opened.
        """
        self.read_only = read_only
        self._path = path
        self._reading = threading.RLock()
        self._writing = threading.RLock()
        self._engines: list[Engine] = []
        self._writer: Connection | None = None
        self._opened: os.stat_result | None = None
        with told():
            try:
                if read_only:
                    self._reader = self._connect(_read_only_uri(path), "BEGIN")
                else:
                    self._writer = self._connect(file_uri(path), "BEGIN IMMEDIATE")
                    on_network = is_on_network(path)
                    self._set_up(self._writer, on_network=on_network)
                    # Some network shares make up the numbers by which files are told apart.
                    self._opened = None if on_network else path.stat()
                    self._reader = self._connect(file_uri(path), "BEGIN")
                    _pragma(self._reader, "query_only = ON")
            except BaseException:
                self.close()
                raise

    def _connect(self, uri: str, begin: str) -> Connection:
        # isolation_level None: the driver would begin transactions by itself, but not before DDL,
        # and a migration must be one transaction.
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(
                uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            ),
            poolclass=StaticPool,
        )
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        self._engines.insert(0, engine)
        connection = engine.connect()
        _pragma(connection, "foreign_keys = ON")
        return connection

    @staticmethod
    def _set_up(connection: Connection, *, on_network: bool) -> None:
        _pragma(connection, f"journal_mode = {'DELETE' if on_network else 'WAL'}")
        # EXTRA: a journal that is back after the power went takes a decision back that was told.
        _pragma(connection, f"synchronous = {'EXTRA' if on_network else 'FULL'}")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot of what is committed.

        Raises:
            ProjectError: If the database can't be read, or was closed.
        """
        with self._reading, self._understood():
            self._require_open()
            with self._reader.begin():
                yield self._reader

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction; it is on disk when the block ends, or undone when it raises.

        Raises:
            ProjectError: If the project is open read-only, was closed or is not in its place any
                more, or the disk failed.
        """
        if self._writer is None:
            raise ProjectError(
                "The project is open read-only, so nothing can be saved.",
                "Close it where it is open for writing, then open it here again.",
            )
        with self._writing, self._understood():
            self._require_open()
            self._require_in_place()
            with self._writer.begin():
                yield self._writer

    def _require_in_place(self) -> None:
        """Refuse a file that another one stands for by now, or none.

        The system goes on writing into a file that was deleted, or replaced by a program that
        keeps folders alike, and nobody would ever see what was saved there.

        Raises:
            ProjectError: If it is not where it was opened.
        """
        try:
            there = self._path.stat()
        except OSError as error:
            raise moved() from error
        if self._opened is not None and not os.path.samestat(there, self._opened):
            raise moved()

    def _require_open(self) -> None:
        """Refuse what work that goes on behind a closed project still asks for.

        Raises:
            ProjectError: If it was closed.
        """
        if not self._engines:
            raise ProjectError("The project was closed meanwhile.", "Open it again.")

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Tell what the disk and the database say, and a damaged schema from a mistake of ours.

        Raises:
            ProjectError: If the disk or the database failed.
        """
        try:
            with told():
                yield
        except (DBAPIError, sqlite3.Error) as error:
            if is_damaged(file_uri(self._path, mode="ro")):
                raise damaged() from error
            raise

    def close(self) -> None:
        """Close both connections; the writer last, which folds the log into the database."""
        with self._reading, self._writing:
            for engine in self._engines:
                engine.dispose()
            self._engines.clear()


def _pragma(connection: Connection, text: str) -> None:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("Pragmas are SQLite's.")
    driver.execute(f"PRAGMA {text}").fetchall()


def file_uri(path: Path, **options: str) -> str:
    """What SQLite opens a file by, with options such as `mode="ro"`."""
    tail = "&".join(f"{key}={value}" for key, value in options.items())
    return f"file:{quote(os.fsencode(os.path.abspath(path)))}?{tail}"


def _read_only_uri(path: Path) -> str:
    """Plain read-only where SQLite can, else `immutable`: a medium that nobody can write."""
    plain = file_uri(path, mode="ro")
    try:
        probe = sqlite3.connect(plain, uri=True)
        try:
            probe.execute("SELECT 1 FROM sqlite_master").fetchall()
        finally:
            probe.close()
    except sqlite3.OperationalError:
        # WAL wants to write its index beside the database. Without a log there is nothing to miss.
        log = path.with_name(path.name + "-wal")
        if os.access(path.parent, os.W_OK) or (log.exists() and log.stat().st_size):
            raise
        return file_uri(path, mode="ro", immutable="1")
    return plain
