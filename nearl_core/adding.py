"""From paths to what a project takes: found, looked into, and told whose they are."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from nearl_core import links
from nearl_core.control import RunControl
from nearl_core.errors import ScanError, UsageError
from nearl_core.portions import growing
from nearl_core.scans.find import find
from nearl_core.store.patients import kept_rule
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, Scan, ScanInfo, SkippedFile

if TYPE_CHECKING:
    from nearl_core.store.project import Project

SUBFOLDER = "subfolder"
PatientRule = Callable[[Path], str]
"""What a path says of whose scan it is; "" where it says nothing."""


_FIRST, _TOGETHER = 4, 64
"""Files asked for at once: few at first, so that scans show soon."""
Said = tuple[ScanInfo, Identity] | ScanError
S = TypeVar("S")
T = TypeVar("T")


class InfoReader(Protocol):
    """The part of ScanReader that is needed here."""

    def infos(self, paths: Sequence[Path]) -> list[Said]:
        """What files say of themselves, or why they can't be read."""
        ...

    def each(self, scans: Iterable[S], read: Callable[[S], T]) -> Iterator[tuple[S, T | ScanError]]:
        """Several calls at a time, answered in their order."""
        ...


def _subfolder(roots: Iterable[Path], path: Path) -> str:
    for root in roots:
        if path.is_relative_to(root):
            within = path.relative_to(root).parts
            return within[0] if len(within) > 1 else ""
    return ""


def no_rule(path: Path) -> str:
    """Leave it to the file."""
    del path
    return ""


def patient_rule(text: str | None, *, below: Collection[Path] = ()) -> PatientRule:
    """The rule that `--patient-from` names.

    `folder` is the folder that a file stands in, `subfolder` the one on its way that stands in a
    folder that is added. Anything else is a regular expression, searched in the path with forward
    slashes; its only group, or the one named `patient`, tells patients apart. Without a rule, or
    where it finds nothing, the file is asked.

    Args:
        text: The rule, or None for none.
        below: The folders that are added.

    Raises:
        UsageError: If the expression is not valid or has no such group.
    """
    if text is None:
        return no_rule
    if text == "folder":
        return lambda path: path.parent.name
    if text == SUBFOLDER:
        return partial(_subfolder, tuple(below))
    try:
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            "The expression that tells patients apart is not valid.",
            "Write one such as 'patient(\\d+)', or the word folder.",
        ) from error
    if "patient" not in pattern.groupindex and pattern.groups != 1:
        raise UsageError(
            f"The expression that tells patients apart has {pattern.groups} groups.",
            "Put round brackets around the part that names the patient, or name it (?P<patient>…).",
        )
    group: int | str = "patient" if "patient" in pattern.groupindex else 1

    def rule(path: Path) -> str:
        match = pattern.search(path.as_posix())
        return "" if match is None else match[group] or ""

    return rule


def to_add(
    project: "Project",
    paths: Collection[Path],
    *,
    scans: Iterable[Scan],
    reader: InfoReader,
    patient_from: str | None = None,
    control: RunControl,
) -> Iterator[NewScan | SkippedFile]:
    """What a project takes of files and folders, lazily: found, looked into, joined into stacks.

    Args:
        project: Which keeps the lists of stacks.
        paths: Absolute.
        scans: Those that it has; what can be shown of them is not read again.
        reader: Reads headers.
        patient_from: A rule for `patient_rule`; else the one that the project keeps, if any.
        control: Reports each file.

    Raises:
        UsageError: If the rule is not valid.
        Cancelled: If the control says so.
        OSError: If a list can't be written.
    """
    # These bring numpy and the store, which telling a rule needs not.
    from nearl_core.stacking import members, stacked
    from nearl_core.store.listing import taken

    project.keeper.name(paths)
    rule = patient_rule(patient_from or kept_rule(project), below=paths)
    known = frozenset(scan.path for scan in scans if not scan.problem)
    joined = members(project.folder, known)
    seen = known | joined.keys()
    looked = examine(find(paths), reader=reader, rule=rule, known=seen, control=control)
    return stacked(
        looked,
        unit=project.unit,
        project=project.folder,
        joined=joined,
        is_there=taken(project),
    )


def examine(
    found: Iterable[Path | SkippedFile],
    *,
    reader: InfoReader,
    rule: PatientRule = no_rule,
    known: Collection[Path] = (),
    control: RunControl | None = None,
) -> Iterator[NewScan | SkippedFile]:
    """Look into each file that was found, lazily.

    A file that is a scan but can't be read becomes a scan with a problem: the data set stays
    complete, and the reader sees why. Known paths are passed on unread, as they are known where a
    link leads to them.

    Raises:
        Cancelled: If the control says so.
    """
    control = control or RunControl()
    known, ways = frozenset(known), _Ways()
    behind = {ways.followed(path): path for path in known}

    def as_known(entry: Path | SkippedFile) -> Path | SkippedFile:
        return behind.get(ways.followed(entry), entry) if isinstance(entry, Path) else entry

    def look(batch: Sequence[Path | SkippedFile]) -> dict[Path, Said]:
        paths = [path for path in batch if isinstance(path, Path) and path not in known]
        return dict(zip(paths, reader.infos(paths), strict=True)) if paths else {}

    done = 0
    for batch, said in reader.each(growing(map(as_known, found), _FIRST, _TOGETHER), look):
        if isinstance(said, ScanError):
            raise said  # one of `look` itself: reading was stopped
        for entry in batch:
            done += 1
            control.step(done, 0, "Looking at files")
            if isinstance(entry, SkippedFile):
                yield entry
            else:
                yield _new_scan(entry, said.get(entry), rule)


class _Ways:
    """Where paths lead behind links of their folders, each of which is looked up once."""

    def __init__(self) -> None:
        self._folders = dict[str, str]()

    def followed(self, path: Path) -> str:
        """The path without links but that of the file itself."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = links.followed(folder)
        return os.path.join(self._folders[folder], name)


def _new_scan(path: Path, said: Said | None, rule: PatientRule) -> NewScan:
    if said is None:
        return NewScan(path)
    if isinstance(said, ScanError):
        return NewScan(path, patient=rule(path), problem=str(said))
    info, identity = said
    return NewScan(path, info, identity, patient=rule(path))
