"""From paths to what a project takes: found, looked into, and told whose they are."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from nearl_core.control import RunControl
from nearl_core.errors import ScanError, UsageError
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, ScanInfo, SkippedFile

PatientRule = Callable[[Path], str]
"""What a path says of whose scan it is; "" where it says nothing."""


class InfoReader(Protocol):
    """The part of ScanReader that is needed here."""

    def info(self, path: Path) -> tuple[ScanInfo, Identity]:
        """What a file says of itself; raises ScanError."""
        ...


def no_rule(path: Path) -> str:
    """Leave it to the file."""
    del path
    return ""


def patient_rule(text: str | None) -> PatientRule:
    """The rule that `--patient-from` names: `folder`, or a regular expression with one group.

    The expression is searched in the path, with forward slashes; its group, or the one named
    `patient`, tells patients apart. Without a rule, or where it finds nothing, the file is asked.

    Raises:
        UsageError: If the expression is not valid or has no such group.
    """
    if text is None:
        return no_rule
    if text == "folder":
        return lambda path: path.parent.name
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
    complete, and the reader sees why. Known paths are passed on unread.

    Raises:
        Cancelled: If the control says so.
    """
    control = control or RunControl()
    known = frozenset(known)
    for done, entry in enumerate(found, start=1):
        control.step(done, 0, "Looking at files")
        if isinstance(entry, SkippedFile):
            yield entry
        elif entry in known:
            yield NewScan(entry)
        else:
            yield _examined(entry, reader, rule)


def _examined(path: Path, reader: InfoReader, rule: PatientRule) -> NewScan:
    try:
        info, identity = reader.info(path)
    except ScanError as error:
        return NewScan(path, patient=rule(path), problem=str(error))
    return NewScan(path, info, identity, patient=rule(path))
