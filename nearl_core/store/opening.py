"""Opening a project: its lock, its database in this program's schema, its folders."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from nearl_core.store import folder as on_disk
from nearl_core.store.copies import copy_before_upgrade
from nearl_core.store.database import Database
from nearl_core.store.lock import ProjectLock

Parts = tuple[Database, ProjectLock | None, tuple[str, ...]]
"""An open database, the lock where it is open for writing, and what had to be mended."""


@contextmanager
def opened(folder: Path, *, read_only: bool) -> Iterator[Parts]:
    """What a project is made of; closed again where the block raises, else left open.

    Raises:
        ProjectLockedError: If it is open for writing elsewhere; it says where.
        ProjectError: If it is missing, damaged, newer than this program or can't be written.
        OSError: If the disk failed.
    """
    on_disk.require_project(folder)
    on_disk.require_no_links(folder)
    with ExitStack() as undo:
        lock = None
        if not read_only:
            lock = ProjectLock.acquire(folder / on_disk.LOCK)
            undo.callback(lock.release)
        database = Database(folder / on_disk.DATABASE, read_only=read_only)
        undo.callback(database.close)
        on_disk.require_schema(database, before=partial(copy_before_upgrade, folder))
        mended = () if read_only else on_disk.make_folders(folder)
        yield database, lock, mended
        undo.pop_all()
