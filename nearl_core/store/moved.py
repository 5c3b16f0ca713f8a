"""Scans whose files were moved or renamed: found again by size, then by hash.

A file that was not hashed while it was there is taken for the one of its name, size and time of
change. What was decided of a scan stays with it, and so does whose it is.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import ProjectError
from nearl_core.store import scans
from nearl_core.store.faults import told
from nearl_core.store.hashes import file_sha256
from nearl_core.store.hashing import Write
from nearl_core.store.project import Project

_EVERY: Final = 200
_PROJECT: Final = ".nearl"


@dataclass(frozen=True)
class Moved:
    """What looking for moved files came to.

    Attributes:
        found: Scans that have their files again.
        missing: Scans whose files are still not there.
        taken: Of those, the ones whose files were added to the project again, as other scans.
    """

    found: int
    missing: int
    taken: int


@dataclass(frozen=True)
class _File:
    """A file: as it was when its scan was added, or as it stands now."""

    path: Path
    size: int
    mtime_ns: int | None


def find_moved(
    project: Project,
    folders: Sequence[Path],
    control: RunControl | None = None,
    *,
    write: Write = lambda work: work(),
) -> Moved:
    """Look in folders, and in what stands in them, for files that are not where they were.

    Args:
        project: Open for writing.
        folders: Where to look.
        control: Asked at each file.
        write: Called with what writes; a desk has it done by the thread that owns the connection.

    Raises:
        Cancelled: If the control says so; nothing is changed.
        ProjectError: If a folder can't be read, or what was found can't be saved.
    """
    control = control or RunControl()
    lost, there = _lost(project, control)
    sizes = {file.size for file, _ in lost.values()}
    files = [file for file in _walk(folders, control) if file.size in sizes]
    wanted: dict[Hashable, list[int]] = defaultdict(list)
    for scan_id, (file, sha256) in lost.items():
        wanted[sha256 or _touched(file)].append(scan_id)
    offered: dict[Hashable, list[Path]] = defaultdict(list)
    for done, file in enumerate(files):
        control.step(done, len(files), "Looking for moved scans")
        keys: tuple[Hashable, ...] = (_sha256(file.path, control), _touched(file))
        for key in keys:
            if key in wanted:
                offered[key].append(file.path)
    found: dict[int, Path] = {}
    given: set[Path] = set()
    taken = 0
    # Hashes first: they are certain, and a file is one scan's alone.
    for key, paths in sorted(offered.items(), key=lambda entry: not isinstance(entry[0], str)):
        old = {scan_id: lost[scan_id][0].path for scan_id in wanted[key]}
        free = [path for path in paths if path not in there and path not in given]
        matched = _matched(old, free, same_bytes=isinstance(key, str))
        found |= matched
        given.update(matched.values())
        taken += min(len(old) - len(matched), len(there.intersection(paths)))
    _save(project, found, write)
    return Moved(len(found), len(lost) - len(found), taken)


def _lost(
    project: Project, control: RunControl
) -> tuple[dict[int, tuple[_File, str | None]], set[Path]]:
    """Scans whose files are gone, with what is known of them; and the paths of the others."""
    with project.reading() as connection:
        rows = scans.files(connection)
    lost: dict[int, tuple[_File, str | None]] = {}
    there: set[Path] = set()
    for done, (scan_id, kept, size, mtime_ns, sha256) in enumerate(rows):
        if done % _EVERY == 0:
            control.step(done, len(rows), "Checking scans")
        path = project.keeper.restore(kept)
        if path.exists():
            there.add(path)
        elif size is not None:
            lost[scan_id] = _File(path, size, mtime_ns), sha256
    return lost, there


def _walk(folders: Iterable[Path], control: RunControl) -> Iterator[_File]:
    for folder in folders:
        if not folder.is_dir():
            raise ProjectError(
                f"There is no folder {folder.name} in this place.",
                "Name the folder in which the scans stand now.",
            )
        for here, inner, names in os.walk(os.path.abspath(folder)):
            control.check()
            inner[:] = [name for name in inner if not name.endswith(_PROJECT)]
            for name in names:
                path = Path(here, name)
                try:
                    status = path.stat()
                except OSError:
                    continue
                if path.is_file():
                    yield _File(path, status.st_size, status.st_mtime_ns)


def _touched(file: _File) -> tuple[str, int, int | None]:
    return file.path.name, file.size, file.mtime_ns


def _sha256(path: Path, control: RunControl) -> str | None:
    try:
        return file_sha256(path, control.check)
    except OSError:
        return None


def _matched(old: dict[int, Path], paths: Sequence[Path], *, same_bytes: bool) -> dict[int, Path]:
    """Each scan with one file; first those whose names and folders agree.

    Of files with the same bytes any will do. Else a file counts only where no other one, and no
    other scan, has as much of the path: a scan without its file is better than another's picture.
    """
    left, free = dict(old), dict.fromkeys(paths)
    matched: dict[int, Path] = {}
    for parts in (3, 2, 1, 0):
        by_end: dict[tuple[str, ...], list[Path]] = defaultdict(list)
        for path in free:
            by_end[_end(path, parts)].append(path)
        rivals = Counter(_end(path, parts) for path in left.values())
        for scan_id, path in list(left.items()):
            end = _end(path, parts)
            ends = by_end[end]
            if ends and (same_bytes or len(ends) == rivals[end] == 1):
                matched[scan_id] = ends.pop(0)
                del left[scan_id], free[matched[scan_id]]
    return matched


def _end(path: Path, parts: int) -> tuple[str, ...]:
    return path.parts[max(0, len(path.parts) - parts) :]


def _save(project: Project, found: dict[int, Path], write: Write) -> None:
    rows = [(scan_id, project.keeper.keep(path)) for scan_id, path in found.items()]
    for begin in range(0, len(rows), scans.BATCH):
        part = rows[begin : begin + scans.BATCH]

        def save(part: list[tuple[int, str]] = part) -> None:
            with told(), project.writing() as connection:
                scans.move(connection, part)

        write(save)
