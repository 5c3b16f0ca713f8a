"""Checking that the files of scans are where they were and what they were, frames of stacks too."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.store import scans, stack_files, stacks
from nearl_core.store.bulk import Write
from nearl_core.store.findings import Finding
from nearl_core.store.paths import PathKeeper
from nearl_core.store.project import Project
from nearl_core.store.stack_files import Known, Slot, is_stack, listed

_EVERY: Final = 200


@dataclass
class _Survey:
    """What was found, by scan: gone, changed, unreadable, or still where the project was before."""

    missing: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    unlisted: list[int] = field(default_factory=list)
    moved: dict[int, Path] = field(default_factory=dict)
    moved_stacks: dict[int, tuple[Path, ...]] = field(default_factory=dict)


def check_files(project: Project, control: RunControl, write: Write) -> tuple[list[Finding], int]:
    """Look at every file; scans that stand where the project stood before are followed.

    Returns:
        What is wrong, and how many scans were followed.

    Raises:
        Cancelled: If the control says so.
        ProjectError: If what was mended can't be saved.
    """
    with project.reading() as connection:
        rows = scans.sizes(connection)
        known = stack_files.known(connection)
    before = PathKeeper(project.home)
    survey = _Survey()
    for done, (scan_id, kept, size) in enumerate(rows):
        if done % _EVERY == 0:
            control.step(done, len(rows), "Checking scans")
        path = project.keeper.restore(kept)
        if is_stack(path) and path.is_file():
            _look_at_stack(project, survey, scan_id, path, known)
        else:
            _look_at_file(survey, scan_id, path, before.restore(kept), size)
    followed = 0
    if not project.read_only:
        stacks.note_older(project, write)
        followed = _follow(project, survey, write)
    return _findings(survey), followed


def _look_at_file(survey: _Survey, scan_id: int, path: Path, old: Path, size: int | None) -> None:
    now = _size(path)
    if now is None:
        if size is not None and _size(old) == size:
            survey.moved[scan_id] = old
        else:
            survey.missing.append(scan_id)
    elif size is not None and now != size:
        survey.changed.append(scan_id)


def _look_at_stack(
    project: Project, survey: _Survey, scan_id: int, path: Path, known: Mapping[Slot, Known]
) -> None:
    """A stack is what its worst file is; the list itself changes when files are found again."""
    files = listed(path)
    if not files:
        survey.unlisted.append(scan_id)
        return
    found: list[Path] = []
    changed = False
    for number, file in enumerate(files):
        was = known.get((scan_id, number))
        now = _size(file)
        if now is not None:
            found.append(file)
            changed = changed or (was is not None and now != was.size)
            continue
        old = _where_it_was(project, path, file)
        if was is None or _size(old) != was.size:
            survey.missing.append(scan_id)
            return
        found.append(old)
    if tuple(found) != files:
        survey.moved_stacks[scan_id] = tuple(found)
    elif changed:
        survey.changed.append(scan_id)


def _where_it_was(project: Project, path: Path, file: Path) -> Path:
    """Where a file that a list names by its place beside the project stood before that moved."""
    if project.folder.parent not in file.parents:
        return file
    name = os.path.relpath(file, path.parent)
    return Path(os.path.normpath(project.home / path.parent.name / name))


def _follow(project: Project, survey: _Survey, write: Write) -> int:
    """The project was moved away from its scans: name them by where they still are."""

    def save() -> None:
        if survey.moved:
            with project.writing() as connection:
                scans.move(connection, _kept(project, survey.moved))
        if project.home != project.folder:
            project.set_home()

    stacks.relist(project, survey.moved_stacks, write)
    write(save)
    return len(survey.moved) + len(survey.moved_stacks)


def _kept(project: Project, paths: Mapping[int, Path]) -> list[tuple[int, str]]:
    return [(scan_id, project.keeper.keep(path)) for scan_id, path in paths.items()]


def _findings(survey: _Survey) -> list[Finding]:
    found = []
    if survey.unlisted:
        found.append(
            Finding(
                f"{len(survey.unlisted)} stacks have lost the list of their files.",
                "Bring back a backup of the folder stacks in the project folder.",
                tuple(survey.unlisted),
            )
        )
    if survey.missing:
        found.append(
            Finding(
                f"{len(survey.missing)} scan files are not where they were.",
                "Bring the files back, or say in which folder they stand now: Find moved scans… "
                "on the desk, `nearl check PROJECT --find FOLDER` elsewhere. Their decisions stay.",
                tuple(survey.missing),
            )
        )
    if survey.changed:
        found.append(
            Finding(
                f"{len(survey.changed)} scan files have changed since they were added.",
                "Look at them again: their decisions were made on the old pictures.",
                tuple(survey.changed),
            )
        )
    return found


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
