"""Stacks of a project whose files are noted late, or stand elsewhere by now."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from nearl_core.errors import ScanError
from nearl_core.portions import portions
from nearl_core.scans.stack import read_list, write_stack
from nearl_core.store import scans, stack_files
from nearl_core.store.bulk import Write
from nearl_core.store.faults import told
from nearl_core.store.project import Project
from nearl_core.store.stack_files import listed

_TOGETHER: Final = 50
"""Stacks in one transaction."""


def note_older(project: Project, write: Write) -> None:
    """Note the files of stacks from before they were noted, as far as they are there.

    Raises:
        ProjectError: If it can't be saved.
    """
    with project.reading() as connection:
        lacking = stack_files.lacking(connection)
    found = {scan_id: listed(project.keeper.restore(kept)) for scan_id, kept in lacking}
    waiting = [
        (scan_id, files) for scan_id, files in found.items() if any(file.exists() for file in files)
    ]
    for part in portions(waiting, _TOGETHER):
        write(partial(_note, project, dict(part)))


def _note(project: Project, files: Mapping[int, Sequence[Path]]) -> None:
    with project.writing() as connection:
        stack_files.add(connection, files)


def relist(project: Project, files: Mapping[int, Sequence[Path]], write: Write) -> None:
    """Give stacks other files in the place of those that were moved.

    Args:
        project: Open for writing.
        files: All files of each stack in their order, by the scan's id.
        write: Called with what writes.

    Raises:
        ProjectError: If it can't be saved.
    """
    for part in portions(list(files.items()), _TOGETHER):
        write(partial(_relist, project, dict(part)))


def _relist(project: Project, files: Mapping[int, Sequence[Path]]) -> None:
    with told(), project.writing() as connection:  # which refuses where nothing may change
        for scan_id, kept in scans.paths(connection, files.keys()):
            path = project.keeper.restore(kept)
            write_stack(path, files[scan_id], notices=_notices(path))


def _notices(path: Path) -> tuple[str, ...]:
    try:
        return read_list(path).notices
    except ScanError:
        return ()
