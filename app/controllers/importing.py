"""Labels that exist already: looked at and taken in, in the background."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.controllers.library import Library
from app.jobs import Job, Jobs
from app.models.import_lines import ImportAsked
from app.session import Decided, Session, decided
from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, NearlError
from nearl_core.importing.matching import Matched
from nearl_core.importing.plan import ImportPlan, plan
from nearl_core.importing.statements import Columns, ColumnsError, Key, SourceKind

T = TypeVar("T")


class Importing(QObject):
    """One source at a time.

    Attributes:
        columns_found: The names of the columns of the table that was looked at.
        planned: The ImportPlan of the source that was looked at.
        progress: Files done and how many there are, and whether they are being taken in.
        failed: The NearlError that says why the source can't be used or taken in.
        taken: How many decisions were recorded, of how many, and of which source; the session has
            them.
    """

    columns_found = Signal(tuple)
    planned = Signal(object)
    progress = Signal(int, int, bool)
    failed = Signal(object)
    taken = Signal(int, int, str)

    def __init__(self, jobs: Jobs, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._library = library
        self._job: Job | None = None
        self._matched: Matched | None = None
        self._plan: ImportPlan | None = None
        library.closed.connect(self.stop)

    def stop(self) -> None:
        """Forget the source; what was recorded stays."""
        if self._job is not None:
            self._job.cancel()
        self._job = self._matched = self._plan = None

    def look(self, asked: ImportAsked) -> None:
        """Read a source and find the project's scans in it."""
        session = self._library.session
        self.stop()
        if session is not None:
            self._submit(session, partial(_look, session, asked), partial(self._looked, asked.name))

    def plan(self, mapping: Mapping[str, str], name: str, each: bool = False) -> None:
        """Work out what would be taken in when values, or rows of several scans, mean else."""
        session, matched = self._library.session, self._matched
        if session is not None and matched is not None:
            work = partial(_plan, session, matched, dict(mapping), name, each)
            self._submit(session, work, self._planned)

    def take(self) -> None:
        """Record what was planned."""
        session, planned = self._library.session, self._plan
        if session is not None and planned is not None:
            work = partial(_take, session, planned, self._jobs)
            self._submit(session, work, partial(self._took, session, planned), taking=True)

    def _submit(
        self,
        session: Session,
        work: Callable[[RunControl], T],
        done: Callable[[T], None],
        *,
        taking: bool = False,
    ) -> None:
        if self._job is not None:
            self._job.cancel()

        def is_wanted() -> bool:
            """Of a source that was given up nothing shows; what was taken in of it is there."""
            return session is self._library.session and (taking or self._job is job)

        def came(result: T) -> None:
            if is_wanted():
                if self._job is job:
                    self._job = None
                done(result)

        def failed(error: NearlError) -> None:
            if is_wanted():
                self._failed(error)

        job = self._jobs.background.submit(
            work,
            done=came,
            failed=failed,
            progress=partial(self._progress, taking),
        )
        self._job = job

    def _looked(self, name: str, matched: Matched) -> None:
        self._matched = matched
        self.columns_found.emit(matched.columns)
        self.plan({}, name)

    def _planned(self, planned: ImportPlan) -> None:
        self._plan = planned
        self.planned.emit(planned)

    def _took(self, session: Session, planned: ImportPlan, _nothing: None) -> None:
        """Read what is decided now, in the thread that saves: what it saves later comes later."""

        def failed(error: NearlError) -> None:
            if session is self._library.session:
                self._failed(error)

        self._jobs.store.submit(
            lambda _control: decided(session.project, session.reader, session.trained),
            done=partial(self._taken, session, planned),
            failed=failed,
        )

    def _taken(self, session: Session, planned: ImportPlan, now: Decided) -> None:
        if session is self._library.session:
            session.reread(now)
            stand = {
                (one.scan_id, one.verdict) for one in now.others if one.reader == planned.source
            }
            wanted = [(one.scan_id, one.verdict) for one in planned.decisions]
            self.taken.emit(len(stand.intersection(wanted)), len(wanted), planned.source)
        if self._plan is planned:  # else it was given up, and another source is looked at
            self.stop()

    def _failed(self, error: NearlError) -> None:
        self._job = None
        if isinstance(error, ColumnsError):
            self.columns_found.emit(error.columns)
        self.failed.emit(error)

    def _progress(self, taking: bool, progress: Progress) -> None:
        if self._job is not None:
            self.progress.emit(progress.done, progress.total, taking)


def _look(session: Session, asked: ImportAsked, control: RunControl) -> Matched:
    from nearl_core.importing.taking import look

    kind, match = SourceKind(asked.kind), Key(asked.match) if asked.match else None
    columns = Columns(asked.file_column, asked.label_column, match)
    return look(session.project, kind, asked.source, session.scan_reader, control, columns)


def _plan(
    session: Session,
    matched: Matched,
    mapping: Mapping[str, str],
    name: str,
    each: bool,
    _control: RunControl,
) -> ImportPlan:
    from nearl_core.importing.taking import standing_of

    standing = standing_of(session.project, name, reader=session.reader)
    label_set = session.project.label_set()
    return plan(
        matched, label_set, source=name.strip(), mapping=mapping, standing=standing, each=each
    )


def _take(session: Session, planned: ImportPlan, jobs: Jobs, control: RunControl) -> None:
    from nearl_core.importing.taking import take

    with suppress(Cancelled):  # what was recorded until then is there, and teaches
        take(session.project, planned, control, write=jobs.write)
