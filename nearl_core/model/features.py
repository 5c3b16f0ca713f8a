"""Features of frames, kept in memory and in the project's disposable cache.

A row is keyed by the file as it was (path, size, time of change), the frame and the source: the
hash of the backbone, its preprocessing, and for tuned features the hash of the version. So a
changed file or backbone never meets an old feature, and the cache may be deleted at any time.

The file holds `LIMIT_BYTES` at most. Other sources make room first, the one that was written to
longest ago before all, but not the backbone that a version ranks together with; then what was kept
first.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nearl_core.inner_folders import make_inner

Feature = NDArray[np.float32]
Key = tuple[str, int]
LIMIT_BYTES = 2 << 30
"""Features of some hundred thousand frames."""
_GONE_TOGETHER = 256
"""Rows that make room at once: a ranking waits for few of them only."""
_AT_ONCE = 1000
"""Rows that are read together: their bytes beside the matrix would be as much again."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS features "
    "(source TEXT, scan TEXT, frame INTEGER, value BLOB, PRIMARY KEY (source, scan, frame))"
)
_WRITTEN = "CREATE TABLE IF NOT EXISTS written (source TEXT PRIMARY KEY, turn INTEGER)"
_MARK = "INSERT OR REPLACE INTO written SELECT ?, COALESCE(MAX(turn), 0) + 1 FROM written"


_WHOLE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
)
"""What says nothing against the file: another process writes, or the disk is full or read-only."""


def scan_key(path: Path) -> str:
    """A key that changes with the file; "" for a file that is not there."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    named = f"{path}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.blake2b(named.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


class FeatureCache:
    """Features of one source; any thread may call."""

    def __init__(self, folder: Path, source: str) -> None:
        self._file, self._source = folder / "features.db", source
        self._lock = threading.Lock()
        # One matrix, whose rows never change: a queue's features are gathered in one go.
        self._places: dict[Key, int] = {}
        self._matrix = np.zeros((0, 0), np.float32)
        self._used = 0
        self._unsaved: dict[Key, Feature] = {}
        self._load()

    def get(self, scan: str, frame: int) -> Feature | None:
        """The feature of a frame, E, float32, or None."""
        place = self._places.get((scan, frame))
        return None if place is None else self._matrix[place]

    def __contains__(self, key: Key) -> bool:
        """Whether there is a feature of a scan's frame."""
        return key in self._places

    def __len__(self) -> int:
        """How many features there are."""
        return len(self._places)

    def row(self, scan: str, frame: int) -> int:
        """The row of a frame's feature, which must be here; it stays."""
        return self._places[scan, frame]

    def at(self, rows: NDArray[np.intp], *, width: int | None = None) -> NDArray[np.float32]:
        """The features in some rows, or their first `width` columns: N x F, a copy."""
        matrix = self._matrix[:, :width]
        return matrix[rows] if len(matrix) else np.zeros((len(rows), 0), np.float32)

    @property
    def width(self) -> int:
        """How long a feature is, E; 0 without any."""
        return self._matrix.shape[1]

    def whole(self) -> NDArray[np.float32]:
        """All rows, not to be written to: R x F."""
        return self._matrix[: self._used]

    def rows(self, keys: Sequence[Key]) -> NDArray[np.float32]:
        """The features of frames that are all here: N x E."""
        places = [self._places[key] for key in keys]
        return self._matrix[places]  # read after the places: it may have grown meanwhile

    def put(self, scan: str, frame: int, feature: Feature) -> None:
        """Keep a feature; it is on disk after the next `save`."""
        if not scan:
            return
        with self._lock:
            self._keep([((scan, frame), feature)])
            self._unsaved[scan, frame] = feature

    def _keep(self, found: Sequence[tuple[Key, Feature]], *, room: int = 64) -> None:
        """Append rows; a key that is there gets a new one, so that readers never see a change.

        Args:
            found: At least one.
            room: For so many rows at the least.

        Raises:
            ValueError: If they are not of one length.
        """
        used, more = self._used, len(found)
        width = self.width or len(found[0][1])
        if any(len(feature) != width for _, feature in found):
            raise ValueError("features of one source are of one length")
        if used + more > len(self._matrix):
            grown = np.zeros((max(2 * len(self._matrix), used + more, room), width), np.float32)
            if used:
                grown[:used] = self._matrix[:used]
            self._matrix = grown
        for row, (_, feature) in enumerate(found, start=used):
            self._matrix[row] = feature
        self._used = used + more
        self._places.update((key, row) for row, (key, _) in enumerate(found, start=used))

    def save(self) -> None:
        """Write what is new; a cache that can't be written is done without."""
        with self._lock:
            rows = list(self._unsaved.items())
            self._unsaved.clear()
        if rows:
            self._write(rows)

    def _write(self, rows: Iterable[tuple[Key, Feature]]) -> None:
        written = [(self._source, *key, value.astype("<f4").tobytes()) for key, value in rows]
        try:
            make_inner(self._file.parent)
            with closing(sqlite3.connect(self._file)) as database, database:
                database.execute(_TABLE)
                database.execute(_WRITTEN)
                database.execute(_MARK, (self._source,))
                database.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?)", written)
                self._make_room(database)
        except (sqlite3.Error, OSError, TypeError) as error:
            self._drop(error)

    def _make_room(self, database: sqlite3.Connection) -> None:
        """Delete rows until the others fit; what they took is used again, for the file to stay."""
        while _taken(database) > LIMIT_BYTES:
            of = self._least_wanted(database)
            which = "ORDER BY rowid" if of is None else "WHERE source = :of"
            some = f"SELECT rowid FROM features {which} LIMIT {_GONE_TOGETHER}"
            gone = f"DELETE FROM features WHERE rowid IN ({some})"
            if not database.execute(gone, {"of": of}).rowcount:
                return

    def _least_wanted(self, database: sqlite3.Connection) -> str | None:
        """The source to make room first, or None where only what is ranked by now is left."""
        others = [one for one in _sources(database) if not self._source.startswith(one)]
        turns = [one for (one,) in database.execute("SELECT source FROM written ORDER BY turn")]
        unknown = [one for one in others if one not in turns]
        return next((one for one in (*unknown, *turns) if one in others), None)

    def _load(self) -> None:
        if not self._file.is_file():
            return
        # In the order of the file: looking rows up by source alone would jump to and fro in it.
        ours = "(SELECT rowid FROM features WHERE source = ?)"
        query = f"SELECT scan, frame, value FROM features WHERE rowid IN {ours}"
        try:
            with closing(sqlite3.connect(self._file)) as database:
                ((count,),) = database.execute(f"SELECT COUNT(*) FROM {ours}", (self._source,))
                rows = database.execute(query, (self._source,))
                while part := rows.fetchmany(_AT_ONCE):
                    found = [((scan, n), np.frombuffer(value, "<f4")) for scan, n, value in part]
                    self._keep(found, room=count)
        except (sqlite3.Error, TypeError, ValueError) as error:
            self._places.clear()
            self._matrix, self._used = np.zeros((0, 0), np.float32), 0
            self._drop(error)

    def _drop(self, error: Exception) -> None:
        """A cache that is broken is deleted: everything in it can be computed again."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
        if isinstance(error, OSError) or code & 0xFF in _WHOLE:
            return
        try:
            self._file.unlink(missing_ok=True)
        except OSError:
            return


def _taken(database: sqlite3.Connection) -> int:
    """The bytes of a database that hold something."""
    pages = ("page_count", "freelist_count", "page_size")
    count, free, size = (database.execute(f"PRAGMA {one}").fetchone()[0] for one in pages)
    return int((count - free) * size)


def _sources(database: sqlite3.Connection) -> Iterator[str]:
    """Each source that has rows, found without reading them all."""
    found = ""
    while True:
        (found,) = database.execute(
            "SELECT MIN(source) FROM features WHERE source > ?", (found,)
        ).fetchone()
        if found is None:
            return
        yield found
