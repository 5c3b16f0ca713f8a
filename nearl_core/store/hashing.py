"""Hashing what a project holds: after adding, in small steps, whenever nothing else is to do.

The hash tells a file that was replaced from one that was only touched, and finds a file again
that was moved. Adding does not wait for it: it reads every byte, which adding does not.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from nearl_core.control import RunControl
from nearl_core.store import scans, stack_files, stacks
from nearl_core.store.bulk import Write
from nearl_core.store.hashes import file_sha256
from nearl_core.store.project import Project
from nearl_core.store.stack_files import Slot

_TOGETHER = 64
T = TypeVar("T")


def hash_files(project: Project, control: RunControl, *, write: Write = lambda work: work()) -> int:
    """Hash every file that was not yet, those of stacks too; returns how many.

    One that is not there now, as on a share that can't be reached, is left for another time.

    Args:
        project: Open for writing.
        control: Checked after each file.
        write: Called with what writes; a desk has it done by the thread that owns the connection.

    Raises:
        Cancelled: If the control says so; what was hashed stays.
        ProjectError: If it can't be saved.
    """
    stacks.note_older(project, write)
    return _hash(project, control, write, _single_files, 0) + _hash(
        project, control, write, _files_of_stacks, (0, -1)
    )


Waiting = tuple[dict[T, Path], Callable[[Connection, dict[T, str]], None]]
"""Files by what they are kept under, and what keeps their hashes."""


def _single_files(project: Project, connection: Connection, after: int) -> Waiting[int]:
    waiting = scans.unhashed(connection, project.keeper, after=after, most=_TOGETHER)
    return dict(waiting), scans.set_hashes


def _files_of_stacks(project: Project, connection: Connection, after: Slot) -> Waiting[Slot]:
    waiting = stack_files.unhashed(connection, after=after, most=_TOGETHER)
    lists = {
        kept: dict(enumerate(stack_files.listed(project.keeper.restore(kept))))
        for kept in {kept for _, kept in waiting}
    }
    files = {slot: lists[kept].get(slot[1], Path()) for slot, kept in waiting}
    return files, stack_files.set_hashes


def _hash(
    project: Project,
    control: RunControl,
    write: Write,
    next_files: Callable[[Project, Connection, T], Waiting[T]],
    after: T,
) -> int:
    done = 0
    while True:
        with project.reading() as connection:
            waiting, save = next_files(project, connection, after)
        if not waiting:
            return done
        hashes: dict[T, str] = {}
        for key, path in waiting.items():
            control.check()
            after = key
            try:
                if path.is_file():
                    hashes[key] = file_sha256(path, control.check)
            except OSError:
                hashes[key] = ""

        def keep(
            hashes: dict[T, str] = hashes,
            save: Callable[[Connection, dict[T, str]], None] = save,
        ) -> None:
            with project.writing() as connection:
                save(connection, hashes)

        if hashes:
            write(keep)
        done += len(hashes)
