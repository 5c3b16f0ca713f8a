"""Hashing what a project holds: after adding, in small steps, whenever nothing else is to do.

The hash tells a file that was replaced from one that was only touched, and finds a file again
that was moved. Adding does not wait for it: it reads every byte, which adding does not.
"""

from collections.abc import Callable

from nearl_core.control import RunControl
from nearl_core.store import scans
from nearl_core.store.hashes import file_sha256
from nearl_core.store.project import Project

_TOGETHER = 64
Write = Callable[[Callable[[], None]], None]
"""Has something done where the project is written."""


def hash_files(project: Project, control: RunControl, *, write: Write = lambda work: work()) -> int:
    """Hash every file that was not yet; returns how many.

    Args:
        project: Open for writing.
        control: Checked after each file.
        write: Called with what writes; a desk has it done by the thread that owns the connection.

    Raises:
        Cancelled: If the control says so; what was hashed stays.
        ProjectError: If it can't be saved.
    """
    done = 0
    while True:
        with project.reading() as connection:
            waiting = scans.unhashed(connection, project.keeper, most=_TOGETHER)
        if not waiting:
            return done
        hashes: dict[int, str] = {}
        for scan_id, path in waiting:
            control.check()
            try:
                hashes[scan_id] = file_sha256(path, control.check) if path.is_file() else ""
            except OSError:
                hashes[scan_id] = ""

        def keep(hashes: dict[int, str] = hashes) -> None:
            with project.writing() as connection:
                scans.set_hashes(connection, hashes)

        write(keep)
        done += len(hashes)
