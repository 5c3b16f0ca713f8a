"""A disk that refuses: full, read-only or broken, at every single change of a file."""

import errno
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import TracebackType

from nearl_core.control import RunControl
from nearl_core.errors import NearlError, ProjectError
from nearl_core.store import database
from nearl_core.store.copies import copy_daily
from nearl_core.store.hashing import hash_files
from nearl_core.store.moved import find_moved
from nearl_core.store.project import Project
from nearl_core.store.restore import restore
from nearl_core.store.scans import NewScan
from nearl_core.types import Label, LabelSet, Revision, ScanInfo
from tests.store.faults.ledger import (
    OLD_LOG,
    SCANS,
    Row,
    Tally,
    fresh,
    leave_killed,
    new,
    old_or_copied,
    old_project,
    row,
    verify,
)
from tests.support.failing_disk import FailingDisk
from tests.support.projects import LABELS, version

KINDS = {
    "full disk": (errno.ENOSPC, False),
    "disk full for a moment": (errno.ENOSPC, True),
    "read-only disk": (errno.EROFS, False),
    "input/output error": (errno.EIO, True),
}


class Block:
    """A block in which something is wrong.

    Attributes:
        error: What it ended with.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.error = error
        return isinstance(error, Exception)


class Refusing(Block):
    """A block in which the disk refuses from the nth change on.

    Attributes:
        reached: Whether there were so many changes.
    """

    def __init__(self, disk: FailingDisk, nth: int, kind: str) -> None:
        super().__init__()
        self._disk, self._nth = disk, nth
        self._code, self._once = KINDS[kind]
        self.reached = False

    def __enter__(self) -> None:
        self._disk.arm(self._nth, self._code, once=self._once)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.reached = self._disk.disarm() >= self._nth
        return super().__exit__(kind, error, trace)


Operation = Callable[[Path, list[Row], Block], None]
"""Does something to a project, adds what was acknowledged, goes on once the disk is well again."""


def _opening(folder: Path, _said: list[Row], bad: Block) -> None:
    with bad:
        Project.open(folder).close()


def _opening_after_a_kill(folder: Path, said: list[Row], bad: Block) -> None:
    said += leave_killed(folder, 5)
    with bad:
        Project.open(folder).close()


def _opening_an_older_one(folder: Path, said: list[Row], bad: Block) -> None:
    shutil.rmtree(folder)
    said[:] = OLD_LOG
    old_project(folder.parent)
    with bad:
        Project.open(folder).close()
    old_or_copied(folder)


def _recording(folder: Path, said: list[Row], bad: Block) -> None:
    with Project.open(folder) as project:
        with bad:
            said += [row(project.record(new(30)))]
            said += [row(project.record(new(31)))]
        said.append(row(project.record(new(40))))


def _undoing(folder: Path, said: list[Row], bad: Block) -> None:
    with Project.open(folder) as project:
        with bad:
            said.append(row(project.undo("r")))
        said.append(row(project.undo("r")))
        said.append(row(project.redo("r")))


def _closing(folder: Path, said: list[Row], bad: Block) -> None:
    project = Project.open(folder)
    said += [row(project.record(new(30 + number))) for number in range(5)]
    with bad:
        project.close()


def _adding(folder: Path, said: list[Row], bad: Block) -> None:
    with Project.open(folder) as project:
        with bad:
            project.add_scans(NewScan(folder / f"{n}.png", ScanInfo(8, 8)) for n in range(600))
        said.append(row(project.record(new(30))))
        assert len(project.scans()) in (SCANS, SCANS + 500, SCANS + 600)


def _hashing(folder: Path, said: list[Row], bad: Block) -> None:
    with Project.open(folder) as project:
        with bad:
            hash_files(project, RunControl())
        said.append(row(project.record(new(30))))


def _finding(folder: Path, _said: list[Row], bad: Block) -> None:
    with Project.open(folder) as project:
        hash_files(project, RunControl())
        shutil.rmtree(folder.parent / "moved", ignore_errors=True)
        (folder.parent / "scans").rename(folder.parent / "moved")
        with bad:
            find_moved(project, [folder.parent], look=lambda _: [])
        find_moved(project, [folder.parent], look=lambda _: [])
        assert all(scan.path.exists() for scan in project.scans())


def _labels(folder: Path, said: list[Row], bad: Block) -> None:
    more = LabelSet((*LABELS.labels, Label("rings", "Rings")))
    with Project.open(folder) as project:
        with bad:
            project.save_revision(Revision(more))
        assert project.save_revision(Revision(more)).revision == 2
        said.append(row(project.record(new(30))))


def _versions(folder: Path, said: list[Row], bad: Block) -> None:
    with Project.open(folder) as project:
        with bad:
            project.add_version(version("v1"))
            project.activate("v1", reader="r")
        said.append(row(project.record(new(30))))


def _copying(folder: Path, said: list[Row], bad: Block) -> None:
    with Project.open(folder) as project:
        with bad:
            copy_daily(folder, today=date(2026, 2, 1))
        said.append(row(project.record(new(30))))
        copy_daily(folder, today=date(2026, 2, 2))
    assert not list((folder / "copies").glob("*partial*"))


def _restoring(folder: Path, _said: list[Row], bad: Block) -> None:
    data = bytearray((folder / "project.db").read_bytes())
    data[4096 : 3 * 4096] = b"\xa5" * 8192
    (folder / "project.db").write_bytes(data)
    with bad:
        restore(folder)
    if bad.error is not None:
        restore(folder)


def _creating(folder: Path, said: list[Row], bad: Block) -> None:
    shutil.rmtree(folder)
    said.clear()
    with bad:
        Project.create(folder, LABELS).close()
    if not folder.exists():
        Project.create(folder, LABELS).close()
    with Project.open(folder) as project:
        project.add_scans([NewScan(folder / "1.png", ScanInfo(8, 8))])


OPERATIONS: dict[str, Operation] = {
    "creating": _creating,
    "opening": _opening,
    "opening after a kill": _opening_after_a_kill,
    "opening an older one": _opening_an_older_one,
    "recording": _recording,
    "undoing": _undoing,
    "closing": _closing,
    "adding": _adding,
    "hashing": _hashing,
    "finding": _finding,
    "labels": _labels,
    "versions": _versions,
    "copying": _copying,
    "restoring": _restoring,
}


def refused(
    template: Path, said: list[Row], folder: Path, *, name: str, kind: str, every: int
) -> Tally:
    """Refuse at each change that an operation makes, or at one of `every`."""
    tally = Tally(f"{kind}: {name}")
    disk = FailingDisk(folder)
    nth = 1
    while True:
        project = fresh(template, folder)
        bad = Refusing(disk, nth, kind)
        expected = list(said)
        where = f"{tally.what}, change {nth}"
        try:
            OPERATIONS[name](project, expected, bad)
        except Exception:  # noqa: BLE001 - whatever comes is counted
            disk.disarm()
            tally.bug(f"{where}, once it was well again")
        if isinstance(bad.error, NearlError):
            tally.tell(bad.error, where)
        elif bad.error is not None:
            tally.bugs.append(f"{where}: {bad.error!r}")
        if not bad.reached:
            return tally
        # What was refused may have reached the disk all the same, unacknowledged.
        verify(project, expected, tally, where, more=2)
        nth += every


def no_locks(template: Path, said: list[Row], folder: Path) -> Tally:
    """A network share that knows no locks: the project is not opened, and says why."""
    tally = Tally("share without locks: opening")
    project = fresh(template, folder)
    disk = FailingDisk(folder)
    on_network = database.is_on_network
    database.is_on_network = lambda path: True  # noqa: ARG005 - its name is part of the type
    try:
        for code in (errno.ENOLCK, errno.ENOTSUP, errno.EIO):
            for read_only in (False, True):
                disk.refuse_locks(code)
                try:
                    Project.open(project, read_only=read_only).close()
                    tally.bugs.append(f"{tally.what}: it was opened")
                except ProjectError as error:
                    tally.tell(error, tally.what)
                    if "can't lock files" not in str(error):
                        tally.bugs.append(f"{tally.what}: {error}")
                except Exception:  # noqa: BLE001 - whatever comes is counted
                    tally.bug(tally.what)
                disk.refuse_locks(0)
                verify(project, said, tally, tally.what, more=100)
    finally:
        database.is_on_network = on_network
    return tally
