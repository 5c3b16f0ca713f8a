"""Scans whose files were moved or renamed: found again by size, then by hash.

A file that was not hashed while it was there is taken for the one of its name, size and time of
change, if it names the same series. A stack is found again only as a whole. What was decided of a
scan stays with it, and so does whose it is.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import ProjectError, ScanError
from nearl_core.portions import portions
from nearl_core.store import scans, stack_files, stacks
from nearl_core.store.bulk import Write
from nearl_core.store.faults import told
from nearl_core.store.hashes import file_sha256, keyed_hash
from nearl_core.store.matching import File, match
from nearl_core.store.project import Project
from nearl_core.store.stack_files import Slot, is_stack, listed
from nearl_core.types import Identity, ScanInfo, Unit

_EVERY: Final = 200
_TOGETHER: Final = 64
"""Headers that are read at once."""
_PROJECT: Final = ".nearl"
Said = tuple[ScanInfo, Identity] | ScanError
Look = Callable[[Sequence[Path]], list[Said]]
"""What files say of themselves: `ScanReader.infos`."""


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

    @property
    def sentence(self) -> str:
        """For the desk and the command line."""
        if not self.found and not self.missing:
            return "Every scan is where it was."
        said = f"{self.found} moved scans were found again, {self.missing} were not."
        if self.taken:
            said += (
                f" {self.taken} of them were added again where they stand now, so they are other "
                "scans by now; their earlier decisions stay with the earlier ones."
            )
        return said


@dataclass(frozen=True)
class _Survey:
    """Where the project's files stand.

    Attributes:
        lost: Files that are gone, as they were.
        there: Files that are not.
        stacks: The files of each stack that lacks any, as its list has them.
        missing: Scans that lack any file, those of which nothing is known too.
    """

    lost: dict[Slot, File]
    there: set[Path]
    stacks: dict[int, tuple[Path, ...]]
    missing: set[int]


def find_moved(
    project: Project,
    folders: Sequence[Path],
    control: RunControl | None = None,
    *,
    look: Look,
    write: Write = lambda work: work(),
) -> Moved:
    """Look in folders, and in what stands in them, for files that are not where they were.

    Args:
        project: Open for writing.
        folders: Where to look.
        control: Asked at each file.
        look: Reads the headers of files that were never hashed.
        write: Called with what writes; a desk has it done by the thread that owns the connection.

    Raises:
        Cancelled: If the control says so; nothing is changed.
        ProjectError: If a folder can't be read, or what was found can't be saved.
    """
    control = control or RunControl()
    project.keeper.name(folders)
    survey = _survey(project, control)
    sizes = {file.size for file in survey.lost.values()}
    files = [file for file in _walk(folders, control) if file.size in sizes]
    offered = []
    for done, file in enumerate(files):
        control.step(done, len(files), "Looking for moved scans")
        offered.append(replace(file, sha256=_sha256(file.path, control)))
    matches = match(survey.lost, offered, survey.there)
    sure = _of_their_series(project, survey.lost, matches.found, look, control)
    single = {slot[0]: path for slot, path in sure.items() if slot[0] not in survey.stacks}
    whole = dict(_whole_stacks(survey, sure))
    _save(project, single, whole, write)
    missing = survey.missing - single.keys() - whole.keys()
    taken = missing & {scan_id for scan_id, _ in matches.taken}
    return Moved(len(survey.missing) - len(missing), len(missing), len(taken))


def _survey(project: Project, control: RunControl) -> _Survey:
    with project.reading() as connection:
        rows = scans.files(connection)
        known = stack_files.known(connection)
    survey = _Survey({}, set(), {}, set())
    for done, (scan_id, kept, size, mtime_ns, sha256) in enumerate(rows):
        if done % _EVERY == 0:
            control.step(done, len(rows), "Checking scans")
        path = project.keeper.restore(kept)
        if not path.exists():
            survey.missing.add(scan_id)
            if size is not None and not is_stack(path):  # a list belongs into the project
                survey.lost[scan_id, 0] = File(path, size, mtime_ns, sha256)
        elif not is_stack(path):
            survey.there.add(path)
        else:
            _survey_stack(survey, scan_id, listed(path), known)
    return survey


def _survey_stack(
    survey: _Survey,
    scan_id: int,
    files: tuple[Path, ...],
    known: Mapping[Slot, stack_files.Known],
) -> None:
    gone = [number for number, file in enumerate(files) if not file.exists()]
    survey.there.update(file for number, file in enumerate(files) if number not in set(gone))
    if not gone:
        return
    survey.missing.add(scan_id)
    if all((scan_id, number) in known for number in gone):
        survey.stacks[scan_id] = files
        for number in gone:
            was = known[scan_id, number]
            survey.lost[scan_id, number] = File(files[number], was.size, was.mtime_ns, was.sha256)


def _walk(folders: Iterable[Path], control: RunControl) -> Iterator[File]:
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
                    yield File(path, status.st_size, status.st_mtime_ns)


def _sha256(path: Path, control: RunControl) -> str | None:
    try:
        return file_sha256(path, control.check)
    except OSError:
        return None


def _of_their_series(
    project: Project,
    lost: Mapping[Slot, File],
    found: Mapping[Slot, Path],
    look: Look,
    control: RunControl,
) -> dict[Slot, Path]:
    """What was found by its hash; and by name and time, where it names the scan's series too."""
    with project.reading() as connection:
        series = scans.series(connection)
    sure: dict[Slot, Path] = {}
    asked: list[Slot] = []
    for slot, path in found.items():
        if lost[slot].sha256 or not any(series[slot[0]]):
            sure[slot] = path
        else:
            asked.append(slot)
    for part in portions(asked, _TOGETHER):
        control.check()
        for slot, said in zip(part, look([found[slot] for slot in part]), strict=True):
            if not isinstance(said, ScanError) and _is_of(project, said[1], series[slot[0]]):
                sure[slot] = found[slot]
    return sure


def _is_of(project: Project, identity: Identity, named: tuple[str, str]) -> bool:
    """Whether a file is of a scan's study and series, which are given as keyed hashes."""
    study, series = named
    same_study = keyed_hash(project.key, "study", identity.study) == study
    if project.unit is Unit.STUDY and study:
        return same_study
    return same_study and keyed_hash(project.key, "series", identity.series) == series


def _whole_stacks(
    survey: _Survey, found: Mapping[Slot, Path]
) -> Iterator[tuple[int, tuple[Path, ...]]]:
    """Stacks of which nothing lacks any more, each with all its files in their order.

    Files that were never hashed and stood in one folder must stand in one again.
    """
    for scan_id, files in survey.stacks.items():
        now, folders = [], defaultdict(set)
        for number, old in enumerate(files):
            slot = scan_id, number
            path = found.get(slot) if slot in survey.lost else old
            if path is None:
                break
            now.append(path)
            if slot in survey.lost and not survey.lost[slot].sha256:
                folders[old.parent].add(path.parent)
        else:
            if all(len(new) == 1 for new in folders.values()):
                yield scan_id, tuple(now)


def _save(
    project: Project,
    single: Mapping[int, Path],
    whole: Mapping[int, tuple[Path, ...]],
    write: Write,
) -> None:
    rows = [(scan_id, project.keeper.keep(path)) for scan_id, path in single.items()]
    for part in portions(rows, scans.BATCH):
        write(partial(_move, project, part))
    stacks.relist(project, whole, write)


def _move(project: Project, rows: Sequence[tuple[int, str]]) -> None:
    with told(), project.writing() as connection:
        scans.move(connection, rows)
