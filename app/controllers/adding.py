"""Scans are taken into the open project, and its files are hashed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import strings
from app.jobs import Job, Jobs, Priority
from app.models.scan_table import ScanTable
from app.session import Session
from nearl_core.control import RunControl
from nearl_core.errors import NearlError, ProjectError
from nearl_core.portions import growing
from nearl_core.scan_list import ScanList
from nearl_core.types import AddReport, Scan, SkippedFile

if TYPE_CHECKING:  # the store loads the database library: not before the window is up
    from nearl_core.store.project import Project
    from nearl_core.store.scans import NewScan

_TOGETHER = 4, 256
"""Scans in the first and in the largest transaction: the first ones show at once."""


@dataclass(frozen=True)
class Added:
    """One batch that was added: what is new, and what was skipped."""

    scans: tuple[Scan, ...]
    report: AddReport


class Adding(QObject):
    """Takes scans into the open project in the background, then hashes its files.

    Attributes:
        progress: Scans added and skipped so far.
        ended: Nothing more is added, however it ended.
        added: The AddReport, once all paths were looked at.
    """

    progress = Signal(int, int)
    ended = Signal()
    added = Signal(object)

    def __init__(self, jobs: Jobs, table: ScanTable, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._table = table
        self._session: Session | None = None
        self._walk: Job | None = None
        self._hashing: Job | None = None
        self._reports: list[AddReport] = []

    def begin(self, session: Session, scans: Path | None) -> None:
        """A project is open: take its first scans in, or hash what is there."""
        self._session = session
        if scans is not None:
            self.add((scans,))
        elif not session.read_only:
            self._hash(session)

    def end(self) -> None:
        """The project is about to be closed."""
        for job in (self._walk, self._hashing):
            if job is not None:
                job.cancel()
        self._hashing = None
        if self._session is not None:
            self._walk_ended(self._session)
        self._session = None

    @property
    def is_hashed(self) -> bool:
        """Whether every file of the open project was hashed, as far as they could be read."""
        return self._hashing is None

    @property
    def is_adding(self) -> bool:
        """Whether scans are being taken in."""
        return self._walk is not None

    def add(self, paths: tuple[Path, ...]) -> None:
        """Take files and folders in, in the background and in small transactions."""
        session = self._session
        if session is None or session.read_only or self._walk is not None:
            return
        self._reports = []
        self.progress.emit(0, 0)
        self._walk = self._jobs.background.submit(
            partial(self._walk_through, session, paths, self._table.scans()),
            done=partial(self._walked, session),
            failed=partial(self._walk_failed, session),
            stopped=partial(self._walk_ended, session),
        )

    def _walk_through(
        self, session: Session, paths: tuple[Path, ...], there: ScanList, control: RunControl
    ) -> None:
        """In the background thread; each batch is written in the store thread."""
        from nearl_core.adding import to_add

        for path in paths:
            require_readable(path)
        project, last = session.project, int(there.ids[-1]) if len(there) else 0
        reader, scans = session.scan_reader, there.values()
        found = to_add(project, paths, scans=scans, reader=reader, control=control)
        for batch in growing(found, *_TOGETHER):
            job = self._jobs.store.submit(
                partial(_add, project, batch, last),
                done=partial(self._batch_added, session),
                failed=lambda _error: None,  # told by the walk, which waits for it
                priority=Priority.BACKGROUND,
            )
            added: Added = job.future.result()
            last = added.scans[-1].id if added.scans else last
            control.check()

    def _batch_added(self, session: Session, added: Added) -> None:
        if session is not self._session:
            return
        self._reports.append(added.report)
        self._table.extend(self._table.scans().with_scans(added.scans))
        if self._walk is None:
            return
        done = sum(report.added for report in self._reports)
        self.progress.emit(done, sum(len(report.skipped) for report in self._reports))

    def _walked(self, session: Session, _nothing: None) -> None:
        if session is self._session:
            self._walk_ended(session)
            self.added.emit(_together(self._reports))
            self._hash(session)

    def _hash(self, session: Session) -> None:
        """Hash files in the background, whenever it has nothing else to do."""
        if self._hashing is not None:
            self._hashing.cancel()
        self._hashing = self._jobs.background.submit(
            partial(_hash_files, session, self._jobs),
            done=self._hashed,
            failed=self._hashed,  # it is begun again when the project is opened next
            priority=Priority.TRAINING,
        )

    def _hashed(self, _result: object) -> None:
        self._hashing = None

    def _walk_ended(self, session: Session) -> None:
        """It came to nothing, or was cancelled; what was added stays."""
        if session is self._session:
            self._walk = None
            self.ended.emit()

    def _walk_failed(self, session: Session, error: NearlError) -> None:
        self._walk_ended(session)
        self._jobs.relay.trouble.emit(error)


def require_readable(path: Path) -> None:
    """Tell a folder that can't be read from one that is empty."""
    try:
        if path.is_dir():
            next(path.iterdir(), None)
        else:
            path.open("rb").close()
    except FileNotFoundError as error:
        raise ProjectError(strings.FOLDER_GONE, strings.FOLDER_GONE_REMEDY) from error
    except OSError as error:
        raise ProjectError(strings.FOLDER_UNREADABLE, strings.FOLDER_UNREADABLE_REMEDY) from error


def _add(
    project: "Project", batch: "list[NewScan | SkippedFile]", last: int, _control: RunControl
) -> Added:
    """In the store thread: one small transaction, then the scans whose ids come after `last`."""
    from nearl_core.store.listing import scans_after

    report = project.add_scans(batch)
    return Added(tuple(scans_after(project, last)), report)


def _hash_files(session: Session, jobs: Jobs, control: RunControl) -> int:
    """In the background thread; each step is written in the store thread."""
    from nearl_core.store.hashing import hash_files

    return hash_files(session.project, control, write=jobs.write)


def _together(reports: list[AddReport]) -> AddReport:
    return AddReport(
        sum(report.added for report in reports),
        sum(report.already for report in reports),
        tuple(skipped for report in reports for skipped in report.skipped),
        tuple(remark for report in reports for remark in report.remarks),
    )
