"""The files of stacks: what they were like when they were added, by which they are found again.

A stack's list in the project's folder says which files are its frames, and where they stand.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, tuple_, update

from nearl_core.errors import ScanError
from nearl_core.scans.stack import ENDING, read_stack
from nearl_core.store.schema import scans, stack_files

Slot = tuple[int, int]
"""A scan's id, and which of its files is meant, counted from 0."""


@dataclass(frozen=True)
class Known:
    """A file when it was added: bytes, time of change in ns, and SHA-256 once it was hashed."""

    size: int
    mtime_ns: int | None
    sha256: str | None


def is_stack(path: Path) -> bool:
    """Whether a scan's path is that of a stack's list."""
    return path.suffix == ENDING


def listed(path: Path) -> tuple[Path, ...]:
    """The files of a stack; none where its list can't be read, which a check tells."""
    try:
        return read_stack(path)
    except ScanError:
        return ()


def add(connection: Connection, files: Mapping[int, Sequence[Path]]) -> None:
    """Note what the files of stacks are like, as far as they are there and were not noted yet.

    Args:
        connection: In a transaction.
        files: Of each stack, by the scan's id.
    """
    about = stack_files.c
    old = connection.execute(
        select(about.scan_id, about.number).where(about.scan_id.in_(list(files)))
    )
    noted = {(row.scan_id, row.number) for row in old}
    rows = []
    for scan_id, paths in files.items():
        for number, path in enumerate(paths):
            if (scan_id, number) in noted:
                continue
            try:
                stat = os.stat(path)
            except OSError:
                continue
            rows.append(
                {
                    "scan_id": scan_id,
                    "number": number,
                    "size": stat.st_size,
                    "mtime_ns": stat.st_mtime_ns,
                }
            )
    if rows:
        connection.execute(insert(stack_files), rows)


def known(connection: Connection) -> dict[Slot, Known]:
    """What is known of all files of stacks."""
    about = stack_files.c
    rows = connection.execute(
        select(about.scan_id, about.number, about.size, about.mtime_ns, about.sha256)
    )
    return {
        (row.scan_id, row.number): Known(row.size, row.mtime_ns, row.sha256 or None) for row in rows
    }


def lacking(connection: Connection) -> list[tuple[int, str]]:
    """Id and kept path of the stacks of which not every file was noted."""
    about = stack_files.c
    noted = select(func.count()).where(about.scan_id == scans.c.id).scalar_subquery()
    rows = connection.execute(
        select(scans.c.id, scans.c.path).where(
            scans.c.path.like(f"%{ENDING}"), scans.c.frames > noted
        )
    )
    return [(row.id, row.path) for row in rows]


def unhashed(connection: Connection, *, after: Slot, most: int) -> list[tuple[Slot, str]]:
    """The first files behind one that were never hashed, with the kept paths of their stacks."""
    about = stack_files.c
    rows = connection.execute(
        select(about.scan_id, about.number, scans.c.path)
        .join(scans, scans.c.id == about.scan_id)
        .where(about.sha256.is_(None), tuple_(about.scan_id, about.number) > after)
        .order_by(about.scan_id, about.number)
        .limit(most)
    )
    return [((row.scan_id, row.number), row.path) for row in rows]


def set_hashes(connection: Connection, hashes: Mapping[Slot, str]) -> None:
    """Note the SHA-256 of files; "" for one that can't be read."""
    about = stack_files.c
    for (scan_id, number), digest in hashes.items():
        connection.execute(
            update(stack_files)
            .where(about.scan_id == scan_id, about.number == number)
            .values(sha256=digest)
        )
