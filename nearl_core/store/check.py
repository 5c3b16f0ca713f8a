"""Checking a project: database, labels, adapters, scans; what can be mended is mended."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import func, select, text

from nearl_core.control import RunControl
from nearl_core.errors import ProjectDamagedError, ProjectError
from nearl_core.store import decisions, label_sets, versions
from nearl_core.store.bulk import Write
from nearl_core.store.check_files import check_files
from nearl_core.store.copies import FOLDER as COPIES
from nearl_core.store.copies import copies, copies_before_upgrades, require_sound
from nearl_core.store.faults import damaged, told
from nearl_core.store.findings import Finding
from nearl_core.store.hashes import file_sha256
from nearl_core.store.project import Project
from nearl_core.store.schema import decisions as decisions_table
from nearl_core.words import counted

_LEFTOVER_S: Final = 3600.0


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes:
        scans, decisions, versions: How many there are.
        findings: What is wrong.
        mended: Sentences on what was wrong and is not any more.
        copies: Days of the sound daily copies of the database, the newest first.
        damaged: Whether the database itself is damaged, so that a copy is to be put back.
        followed: Scans that stand where the project stood before, and are named by that now.
    """

    scans: int
    decisions: int
    versions: int
    findings: tuple[Finding, ...]
    mended: tuple[str, ...]
    copies: tuple[date, ...] = ()
    damaged: bool = False
    followed: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is left to do."""
        return not self.findings

    @property
    def sentence(self) -> str:
        """For the desk and the command line."""
        came_to = "all is well" if self.ok else counted(len(self.findings), "problem")
        held = (self.scans, "scan"), (self.decisions, "decision"), (self.versions, "version")
        return f"{', '.join(counted(count, what) for count, what in held)}: {came_to}."


def check(
    project: Project, control: RunControl | None = None, *, write: Write = lambda work: work()
) -> CheckReport:
    """Check a project; one that is open read-only is looked at only.

    Args:
        project: Any.
        control: Asked now and then.
        write: Called with what writes; a desk has it done by the thread that owns the connection.

    Raises:
        Cancelled: If the control says so.
        ProjectError: If what was mended can't be saved.
    """
    control = control or RunControl()
    mended = list(project.mended)
    findings: list[Finding] = []
    damaged, followed = False, 0

    def files() -> list[Finding]:
        nonlocal followed
        found, followed = check_files(project, control, write)
        return found

    parts: tuple[Callable[[], list[Finding]], ...] = (
        lambda: _database(project),
        lambda: _labels(project),
        lambda: _adapters(project, control),
        files,
    )
    for part in parts:
        try:
            findings += part()
        except ProjectError as error:  # it must not keep the rest from being looked at
            damaged = damaged or isinstance(error, ProjectDamagedError)
            findings.append(Finding(error.message, error.remedy))
    if followed:
        mended.append(f"{followed} scans were found where the project stood before.")
    if not project.read_only:
        mended += _leftovers(project)
    days, bad = sound_copies(project.folder)
    return CheckReport(
        *_counts(project),
        findings=tuple(dict.fromkeys((*findings, *bad))),
        mended=tuple(mended),
        copies=tuple(days),
        damaged=damaged,
        followed=followed,
    )


def _counts(project: Project) -> tuple[int, int, int]:
    try:
        with project.reading() as connection:
            said = connection.scalar(select(func.count()).select_from(decisions_table)) or 0
        return len(project.scans()), said, len(project.versions())
    except ProjectError:
        return 0, 0, 0


def _database(project: Project) -> list[Finding]:
    with project.reading() as connection:
        faults = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
        orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
    if faults != ["ok"] or orphans:
        raise damaged()
    return []


def sound_copies(folder: Path) -> tuple[list[date], list[Finding]]:
    """The days of a project's sound daily copies, the newest first; and what is wrong with others.

    Raises:
        ProjectError: If the folder of the copies can't be read.
    """
    days: list[date] = []
    findings = []
    for copy in (*copies(folder), *copies_before_upgrades(folder)):
        try:
            require_sound(copy.file)
            days += [] if copy.schema else [copy.day]
        except ProjectError:
            which = f"copy of schema {copy.schema}" if copy.schema else f"daily copy of {copy.day}"
            findings.append(
                Finding(
                    f"The {which} is damaged.",
                    "Delete it, and check the disk: what stands on it may go bad as well.",
                )
            )
    return days, findings


def _labels(project: Project) -> list[Finding]:
    with project.reading() as connection:
        history = label_sets.history(connection)
        known = {one for old in history.revisions for one in old.label_set.ids}
        latest = decisions.latest_as_made(connection, rankings=False)
    lost = sorted({d.scan_id for d in latest if set(d.verdict.labels) - known})
    if not lost:
        return []
    return [
        Finding(
            f"{len(lost)} scans have labels that no label set of the project knows.",
            "Bring back a backup of the project folder.",
            tuple(lost),
        )
    ]


def _adapters(project: Project, control: RunControl) -> list[Finding]:
    with project.reading() as connection:
        files = versions.file_hashes(connection)
    findings = []
    for done, (version_id, name, digest) in enumerate(files):
        control.step(done, len(files), "Checking versions")
        file = project.adapters_folder / name
        with told():
            there = file.is_file()
            same = not there or digest is None or file_sha256(file) == digest
        if not there:
            findings.append(_bad_version(version_id, "is missing its file"))
        elif not same:
            findings.append(_bad_version(version_id, "has a file that was changed"))
    return findings


def _bad_version(version_id: str, what: str) -> Finding:
    return Finding(f"Version {version_id} {what}.", "Activate another version, or train a new one.")


def _leftovers(project: Project) -> list[str]:
    """Remove what an interrupted writer left; a young one may still be being written."""
    removed = 0
    with told():
        for folder in (project.adapters_folder, project.cache_folder, project.folder / COPIES):
            for file in folder.rglob("*.partial-*"):
                if file.is_file() and time.time() - file.stat().st_mtime > _LEFTOVER_S:
                    file.unlink()
                    removed += 1
    return [f"Half-written files that were removed: {removed}."] if removed else []
