"""Checking the open project, finding moved scans again, putting a daily copy back."""

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.controllers.library import Library
from app.jobs import Job, Jobs, Priority
from app.session import Session
from nearl_core.control import Progress, RunControl
from nearl_core.errors import NearlError

if TYPE_CHECKING:  # the store loads the database library: not before the window is up
    from nearl_core.store.check import CheckReport
    from nearl_core.store.moved import Moved
    from nearl_core.store.restore import Restored


class Checking(QObject):
    """Does one thing at a time.

    Attributes:
        progress: A Progress.
        checked: The CheckReport.
        damaged: A project that can't be opened: the NearlError, and the days of its sound copies.
        told: A sentence on what was found again or put back.
        failed: The NearlError that says why not.
    """

    progress = Signal(object)
    checked = Signal(object)
    damaged = Signal(object, object)
    told = Signal(str)
    failed = Signal(object)

    def __init__(self, jobs: Jobs, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._library = library
        self._job: Job | None = None
        self._check_next = False
        library.closed.connect(self.stop)
        library.opened.connect(self._opened)

    def stop(self) -> None:
        """Stop what runs; what was mended or found by then stays."""
        if self._job is not None:
            self._job.cancel()
        self._job = None

    def check(self) -> None:
        """Check the open project."""
        session = self._library.session
        if session is not None:
            self._submit(
                partial(_check, session, self._jobs), partial(self._checked, session), session
            )

    def find(self, folder: Path) -> None:
        """Look for moved scans in a folder; where some are found, the project is opened anew."""
        session = self._library.session
        if session is not None and not session.read_only:
            self._submit(
                partial(_find, session, folder, self._jobs), partial(self._found, session), session
            )

    def look_at_copies(self, folder: Path, error: NearlError) -> None:
        """Say what can be put back of a project that can't be opened."""
        self._submit(partial(_copies, folder), partial(self.damaged.emit, error), None)

    def restore(self, folder: Path) -> None:
        """Put the last sound copy back and open the project."""
        was_open = self._library.session is not None
        self._library.close()

        def refused(error: NearlError) -> None:
            if was_open:
                self._library.open(folder)
            self.failed.emit(error)

        self._jobs.store.submit(
            partial(_restore, folder),
            done=partial(self._put_back, folder),
            failed=refused,
            priority=Priority.TRAINING,  # behind the closing, which gives the lock back
        )

    def _submit(
        self,
        work: Callable[[RunControl], object],
        done: Callable[[object], None],
        session: Session | None,
    ) -> None:
        self.stop()

        def finished(result: object) -> None:
            self._job = None
            if session is self._library.session:
                done(result)

        self._job = self._jobs.background.submit(
            work, done=finished, failed=self.failed.emit, progress=self._progress
        )

    def _progress(self, progress: Progress) -> None:
        if self._job is not None:
            self.progress.emit(progress)

    def _checked(self, session: Session, report: "CheckReport") -> None:
        self.checked.emit(report)
        if report.followed:  # the queue still has the paths of before
            self._library.open(session.project.folder)

    def _found(self, session: Session, moved: "Moved") -> None:
        self.told.emit(moved.sentence)
        if moved.found:
            self._check_next = True
            self._library.open(session.project.folder)
        else:
            self.check()

    def _put_back(self, folder: Path, done: "Restored") -> None:
        self.told.emit(done.sentence)
        self._check_next = True
        self._library.open(folder)

    def _opened(self, _session: Session, _notice: str) -> None:
        if self._check_next:
            self._check_next = False
            self.check()


def _check(session: Session, jobs: Jobs, control: RunControl) -> "CheckReport":
    """In the background thread; what is mended is written in the store thread."""
    from nearl_core.store.check import check

    return check(session.project, control, write=jobs.write)


def _find(session: Session, folder: Path, jobs: Jobs, control: RunControl) -> "Moved":
    from nearl_core.store.moved import find_moved

    look = session.scan_reader.infos
    return find_moved(session.project, [folder], control, look=look, write=jobs.write)


def _copies(folder: Path, _control: RunControl) -> list[date]:
    from nearl_core.store.check import sound_copies

    return sound_copies(folder)[0]


def _restore(folder: Path, _control: RunControl) -> "Restored":
    from nearl_core.store.restore import restore

    return restore(folder)
