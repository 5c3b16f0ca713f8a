"""Copies of the project for other readers: made, looked at, taken over, in the background."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.controllers.library import Library
from app.jobs import Job, Jobs
from app.session import Decided, Session, decided
from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, NearlError
from nearl_core.merging import Merge

T = TypeVar("T")
U = TypeVar("U")


class Merging(QObject):
    """One copy at a time.

    Attributes:
        copied: The folder of a copy that was made.
        not_copied: The NearlError that says why none could be made.
        found: The Merge that was looked for.
        progress: Decisions taken over, and of how many.
        failed: The NearlError that says why the copy can't be merged.
        taken: How many decisions there were to take over, and whether it was stopped on the way;
            the session has those that were.
    """

    copied = Signal(object)
    not_copied = Signal(object)
    found = Signal(object)
    progress = Signal(int, int)
    failed = Signal(object)
    taken = Signal(int, bool)

    def __init__(self, jobs: Jobs, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._library = library
        self._copying: Job | None = None
        self._job: Job | None = None
        self._merge: Merge | None = None
        library.closed.connect(self._end)

    def stop(self) -> None:
        """Forget the copy that is looked at; what was taken over stays."""
        if self._job is not None:
            self._job.cancel()
        self._job = self._merge = None

    def _end(self) -> None:
        self.stop()
        if self._copying is not None:
            self._copying.cancel()

    def copy(self, to: Path) -> None:
        """Copy the open project for a reader who works in it at the same time."""
        session = self._library.session
        if session is not None:
            self._end()
            work = partial(_copy, session, to)
            self._copying = self._submit(session, work, self.copied.emit, self.not_copied.emit)

    def look(self, copy: Path) -> None:
        """Find what the open project lacks of a copy of it."""
        session = self._library.session
        self.stop()
        if session is not None:
            work = partial(_look, session, copy)
            self._job = self._submit(session, work, self._found, self._failed)

    def take(self) -> None:
        """Take over what was found."""
        session, merge = self._library.session, self._merge
        if session is not None and merge is not None:
            self._job = self._submit(
                session,
                partial(_take, session, merge, self._jobs),
                partial(self._took, session, len(merge.decisions)),
                self._failed,
            )

    def _submit(
        self,
        session: Session,
        work: Callable[[RunControl], T],
        done: Callable[[T], None],
        failed: Callable[[NearlError], None],
    ) -> Job:
        """Have something done; what comes of it once the project was closed is nobody's."""

        def if_open(then: Callable[[U], None], what: U) -> None:
            if session is self._library.session:
                then(what)

        return self._jobs.background.submit(
            work,
            done=partial(if_open, done),
            failed=partial(if_open, failed),
            progress=self._progress,
        )

    def _found(self, merge: Merge) -> None:
        self._job, self._merge = None, merge
        self.found.emit(merge)

    def _took(self, session: Session, count: int, ended: NearlError | Cancelled | None) -> None:
        """Read what is decided now, in the thread that saves: what it saves later comes later."""

        def came(now: Decided) -> None:
            if session is self._library.session:
                session.reread(now)
                self.taken.emit(count, ended is not None)
                if isinstance(ended, NearlError):
                    self.failed.emit(ended)

        self._job = None
        self._jobs.store.submit(
            lambda _control: decided(session.project, session.reader, session.trained),
            done=came,
            failed=self._failed,
        )

    def _failed(self, error: NearlError) -> None:
        self._job = None
        self.failed.emit(error)

    def _progress(self, progress: Progress) -> None:
        if self._job is not None:
            self.progress.emit(progress.done, progress.total)


def _copy(session: Session, to: Path, control: RunControl) -> Path:
    from nearl_core.store.whole_copy import copy_whole

    return copy_whole(session.project, to, control)


def _look(session: Session, copy: Path, control: RunControl) -> Merge:
    from nearl_core.store.merging import look

    return look(session.project, copy, control)


def _take(
    session: Session, merge: Merge, jobs: Jobs, control: RunControl
) -> NearlError | Cancelled | None:
    """What ended it on the way, if anything; what was taken over by then is there, and teaches."""
    from nearl_core.store.merging import take

    try:
        take(session.project, merge, control, write=jobs.write)
    except (Cancelled, NearlError) as ended:
        return ended
    return None
