"""Stacks of a project whose files are noted late, or stand elsewhere by now."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from nearl_core.scans.stack import write_stack
from nearl_core.store import scans, stack_files
from nearl_core.store.faults import told
from nearl_core.store.project import Project
from nearl_core.store.stack_files import Write, listed

_TOGETHER: Final = 50
"""Stacks in one transaction."""


def note_older(project: Project, write: Write = lambda work: work()) -> None:
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
    for begin in range(0, len(waiting), _TOGETHER):
        part = dict(waiting[begin : begin + _TOGETHER])

        def note(part: dict[int, tuple[Path, ...]] = part) -> None:
            with project.writing() as connection:
                stack_files.add(connection, part)

        write(note)


def relist(
    project: Project,
    files: Mapping[int, Sequence[Path]],
    write: Write = lambda work: work(),
) -> None:
    """Give stacks other files in the place of those that were moved.

    Args:
        project: Open for writing.
        files: All files of each stack in their order, by the scan's id.
        write: Called with what writes.

    Raises:
        ProjectError: If it can't be saved.
    """
    waiting = list(files.items())
    for begin in range(0, len(waiting), _TOGETHER):
        part = dict(waiting[begin : begin + _TOGETHER])

        def save(part: dict[int, Sequence[Path]] = part) -> None:
            with told(), project.writing() as connection:  # which refuses where nothing may change
                for scan_id, kept in scans.paths(connection, part):
                    write_stack(project.keeper.restore(kept), part[scan_id])

        write(save)
