"""Looking at a source for a project, and taking in what was planned."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from nearl_core.control import RunControl
from nearl_core.errors import UsageError
from nearl_core.importing.folders import read_imagefolder
from nearl_core.importing.headers import HeaderReader, read_tag
from nearl_core.importing.identities import (
    Find,
    finder,
    image_finder,
    keys_to_try,
    match_identities,
)
from nearl_core.importing.matching import Matched, match
from nearl_core.importing.plan import LEFT_OUT, ImportPlan, target_of
from nearl_core.importing.statements import BY_NAME, Columns, Key, SourceKind, Statement
from nearl_core.importing.tables import read_jsonl, read_table
from nearl_core.readers import is_among
from nearl_core.stacking import members
from nearl_core.store import readings, scans
from nearl_core.store.bulk import Write, save_in_parts
from nearl_core.store.hashes import file_sha256
from nearl_core.store.project import Project
from nearl_core.types import Decision, NewDecision, Scan


def standing_of(project: Project, name: str, *, reader: str = "") -> list[Decision]:
    """What stands under a source's name.

    Args:
        project: The one to import into.
        name: The source's.
        reader: Who is at work, whether they decided yet or not; "" for nobody.

    Raises:
        UsageError: If it can't be a source's name, or is a reader's.
    """
    name = require_source_name(name)
    if is_among(name, (reader, *readings.readers(project))):
        raise UsageError(
            f"{name} is a reader who decided in this project.", "Give the source another name."
        )
    return project.standing(name)


def require_source_name(name: str) -> str:
    """The name that a source's decisions stand under, without outer blanks.

    Raises:
        UsageError: If there is none, or it is too long.
    """
    name = name.strip()
    if not name or len(name) > 64 or not name.isprintable():
        raise UsageError(
            "The source has no name that can be kept.",
            "Name it in at most 64 characters, such as radiology-reports.",
        )
    return name


def look(
    project: Project,
    kind: SourceKind,
    source: str,
    reader: HeaderReader,
    control: RunControl,
    columns: Columns = BY_NAME,
) -> Matched:
    """Read a source, and find the project's scans in it; nothing is changed.

    Args:
        project: The one to import into.
        kind: How labels are told.
        source: A file or folder; for DICOM tags the keyword of one.
        reader: Reads headers, in guarded processes.
        control: Checked at each header.
        columns: Which of a table's are read, and what they name a scan by.

    Raises:
        ColumnsError: If it is not clear what a table's columns mean.
        ImportLabelsError: If the source can't be used.
    """
    listed = project.scans()
    path = Path(source)
    said: tuple[Statement, ...]
    names: tuple[str, ...] = ()
    if kind is SourceKind.DICOM_TAGS:
        said = read_tag(source, listed, reader, control)
    elif kind is SourceKind.IMAGEFOLDER:
        said = read_imagefolder(path)
    else:
        label_set = project.label_set()

        def is_label(word: str) -> bool:
            return target_of(word, label_set) != LEFT_OUT

        read = read_table if kind is SourceKind.CSV else read_jsonl
        said, names = read(path, is_label, columns)
    matched = Matched(())
    folder = path.parent if kind is not SourceKind.IMAGEFOLDER else path
    for key in keys_to_try(said, project.unit, columns.match):
        if key is Key.FILE:
            matched = _by_file(project, said, listed, folder, control)
        elif key is Key.IMAGE:
            find = image_finder(_files(project, listed), reader, control)
            matched = match_identities(said, key, find)
        else:
            matched = match_identities(said, key, _finder(project, listed))
        if matched.found or matched.several:
            break
    return replace(matched, columns=names)


def _by_file(
    project: Project,
    said: Sequence[Statement],
    listed: Sequence[Scan],
    folder: Path,
    control: RunControl,
) -> Matched:
    frames = _frames(project, listed)
    with project.reading() as connection:
        by_hash = {digest: scan_id for scan_id, digest in scans.hashes(connection).items()}
    return match(
        said,
        listed,
        folder=folder,
        by_hash=by_hash,
        hashed=_hash_of(by_hash, control),
        frames=frames,
    )


def _frames(project: Project, listed: Sequence[Scan]) -> dict[Path, int]:
    """The scan of each file that is a frame of a stack."""
    ids = {scan.path: scan.id for scan in listed}
    return {file: ids[stack] for file, stack in members(project.folder, ids).items()}


def _files(project: Project, listed: Sequence[Scan]) -> dict[Path, int]:
    """The scan of each file of a project."""
    frames = _frames(project, listed)
    stacks = set(frames.values())
    alone = {scan.path: scan.id for scan in listed if scan.id not in stacks and not scan.problem}
    return frames | alone


def _finder(project: Project, listed: Sequence[Scan]) -> Find:
    with project.reading() as connection:
        return finder(listed, scans.series(connection), key=project.key)


def _hash_of(by_hash: dict[str, int], control: RunControl) -> Callable[[Path], str]:
    def hashed(path: Path) -> str:
        control.check()
        try:
            return file_sha256(path, control.check) if by_hash and path.is_file() else ""
        except OSError:
            return ""

    return hashed


def take(
    project: Project,
    planned: ImportPlan,
    control: RunControl,
    *,
    write: Write = lambda work: work(),
) -> int:
    """Record what was planned, in small transactions; returns how many decisions.

    Raises:
        Cancelled: If the control says so; what was recorded stays, and a second import goes on.
        ProjectError: If it can't be saved.
    """
    wanted = planned.decisions
    if planned.scans:
        write(partial(readings.keep_source, project, planned.source))
    save_in_parts(wanted, partial(_record, project), control, "Taking labels in", write)
    return len(wanted)


def _record(project: Project, part: Sequence[NewDecision]) -> None:
    project.record_all(part)
