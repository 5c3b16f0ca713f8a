"""What the database and the disk say when they fail, in a sentence and a remedy."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError

from nearl_core.errors import ProjectDamagedError, ProjectError

_SAFE: Final = "Everything that was saved before is safe."

WAY_BACK: Final = (
    "`nearl check PROJECT --restore` (on the desk: Project, Check…) puts the last daily copy back, "
    "and what can still be read of what came after it."
)

_BY_CODE: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_FULL: (
        f"The disk is full, so this could not be saved. {_SAFE}",
        "Free some space on the disk and try again.",
    ),
    sqlite3.SQLITE_IOERR: (
        f"The disk refused to read or write the project. {_SAFE}",
        "Check that the disk is connected and has space, then try again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The project can't be written here.",
        "Check that you may write to its folder and that the disk is not read-only.",
    ),
    sqlite3.SQLITE_BUSY: (
        "Another program keeps the project's database busy.",
        "Close other programs that use it and try again. A network share that can't lock files "
        "says the same: move the project folder to a disk of this computer then.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The project's database is damaged.",
        WAY_BACK,
    ),
    sqlite3.SQLITE_PROTOCOL: (
        "This disk can't lock files, so the project can't be used safely here.",
        "Move the project folder to a disk of this computer, or have locks turned on for the "
        "network share.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The project's database is damaged: project.db is not a database.",
        WAY_BACK,
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The project's database can't be opened.",
        "Check that the folder is there and that you may read and write it.",
    ),
}
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SAME: Final = {
    **dict.fromkeys(
        (
            sqlite3.SQLITE_IOERR_LOCK,
            sqlite3.SQLITE_IOERR_RDLOCK,
            sqlite3.SQLITE_IOERR_UNLOCK,
            sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
            sqlite3.SQLITE_IOERR_SHMLOCK,
        ),
        sqlite3.SQLITE_PROTOCOL,
    ),
    sqlite3.SQLITE_LOCKED: sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_PERM: sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_AUTH: sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOLFS: sqlite3.SQLITE_FULL,
}
_BY_ERRNO: Final = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EFBIG: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EACCES: sqlite3.SQLITE_READONLY,
    errno.EPERM: sqlite3.SQLITE_READONLY,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.EIO: sqlite3.SQLITE_IOERR,
}


def _known(code: int | None) -> ProjectError | None:
    if code is None:
        return None
    primary = code & 0xFF  # the upper bytes of an extended code mostly say where it happened
    told = _SAME.get(code, _SAME.get(primary, primary))
    if told not in _BY_CODE:
        return None
    return (ProjectDamagedError if told in _DAMAGED else ProjectError)(*_BY_CODE[told])


def damaged() -> ProjectError:
    """What is said of a database that a check of its pages refuses."""
    return ProjectDamagedError(*_BY_CODE[sqlite3.SQLITE_CORRUPT])


def moved() -> ProjectError:
    """What is said where a project's database is not where it was opened."""
    return ProjectError(
        "The project was moved, deleted or replaced while it was open, so this was not saved.",
        "Bring its folder back to its place, or open it where it stands now.",
    )


def from_sqlite(error: BaseException) -> ProjectError | None:
    """The expected trouble behind an error of SQLite, or None where it is a bug."""
    if isinstance(error, DBAPIError):
        error = error.orig or error
    if not isinstance(error, sqlite3.Error):
        return None
    if str(error).startswith("Could not decode to UTF-8"):  # the driver's own; it has no code
        return damaged()
    return _known(getattr(error, "sqlite_errorcode", None))


def from_os(error: OSError) -> ProjectError:
    """The expected trouble behind an error of the disk; never names the file."""
    known = _known(_BY_ERRNO.get(error.errno or 0))
    return known or ProjectError(
        f"The project folder can't be used ({error.strerror or type(error).__name__}).",
        "Check that the folder is there and that you may read and write it.",
    )


@contextmanager
def understood() -> Iterator[None]:
    """Turn a row that says what no program wrote into ProjectError.

    Raises:
        ProjectError: If the rows are damaged.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise damaged() from error


@contextmanager
def told() -> Iterator[None]:
    """Turn failures of database and disk into ProjectError; bugs pass through.

    Raises:
        ProjectError: If the disk or the database failed.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        known = from_sqlite(error)
        if known is None:
            raise
        raise known from error
    except UnicodeDecodeError as error:  # the driver stumbles over what it wants to complain of
        raise damaged() from error
    except OSError as error:
        raise from_os(error) from error
