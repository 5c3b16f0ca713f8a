"""Projects: made, opened, filled with scans, closed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import strings
from app.jobs import Job, Jobs, Priority
from app.models.scan_table import ScanTable
from app.preferences import Keeper
from app.session import Opened, Session, decided
from nearl_core.control import RunControl
from nearl_core.errors import NearlError, ProjectDamagedError, ProjectError, ProjectLockedError
from nearl_core.portions import growing
from nearl_core.scan_list import ScanList
from nearl_core.scans.guard import ScanReader
from nearl_core.settings import Settings
from nearl_core.types import AddReport, LabelSet, Scan, SkippedFile, Unit

if TYPE_CHECKING:  # the store loads the database library: not before the window is up
    from nearl_core.store.project import Project
    from nearl_core.store.scans import NewScan

_TOGETHER = 4, 256
"""Scans in the first and in the largest transaction: the first ones show at once."""
ENDING = ".nearl"


@dataclass(frozen=True)
class NewProject:
    """What a new project is made from.

    Attributes:
        folder: Where it will stand, ending in `.nearl`.
        scans: The folder to take scans from, or None.
        unit: What one scan is.
        patients: How paths tell them apart, as `nearl_core.adding` knows it; "" where files do.
    """

    folder: Path
    label_set: LabelSet
    backbone: str
    scans: Path | None = None
    unit: Unit = Unit.IMAGE
    patients: str = ""


@dataclass(frozen=True)
class Added:
    """One batch that was added: what is new, and what was skipped."""

    scans: tuple[Scan, ...]
    report: AddReport


class Library(QObject):
    """Opens one project at a time.

    Attributes:
        opened: Session, and why nothing can be saved ("").
        closed: No project is open any more.
        failed: The NearlError that says why a project can't be opened.
        damaged: Its folder and the error, in place of `failed`, where its database is damaged.
        busy: A sentence on what is being done, "" when done.
        adding: Scans added and skipped so far.
        adding_ended: Nothing more is added, however it ended.
        added: The AddReport, once all paths were looked at.
        backbone_changed: The project has another backbone, and is about to be opened anew.
    """

    opened = Signal(object, str)
    closed = Signal()
    failed = Signal(object)
    damaged = Signal(object, object)
    busy = Signal(str)
    adding = Signal(int, int)
    adding_ended = Signal()
    added = Signal(object)
    backbone_changed = Signal()

    def __init__(
        self, jobs: Jobs, table: ScanTable, keeper: Keeper, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._table = table
        self._keeper = keeper
        self._session: Session | None = None
        self._walk: Job | None = None
        self._hashing: Job | None = None
        self._reports: list[AddReport] = []

    @property
    def session(self) -> Session | None:
        """The open project."""
        return self._session

    @property
    def is_hashed(self) -> bool:
        """Whether every file of the open project was hashed, as far as they could be read."""
        return self._hashing is None

    @property
    def settings(self) -> Settings:
        """The settings that hold now."""
        return self._keeper.settings

    # --- opening ---------------------------------------------------------------------------

    def create(self, wanted: NewProject) -> None:
        """Make a project, open it, and take its scans in."""
        self._begin(strings.CREATING)
        reader = self.settings.reader
        self._jobs.store.submit(
            lambda _control: _create(wanted, reader),
            done=partial(self._opened, reader, wanted.scans),
            failed=self._failed,
            priority=Priority.TRAINING,  # behind the closing of the one before
        )

    def open(self, folder: Path) -> None:
        """Open a project, read-only where it is open elsewhere."""
        self._begin(strings.OPENING)
        reader = self.settings.reader
        self._jobs.store.submit(
            lambda _control: _open(folder, reader),
            done=partial(self._opened, reader, None),
            failed=partial(self._not_opened, folder),
            priority=Priority.TRAINING,  # behind the closing, which gives the lock back
        )

    def open_demo(self, folder: Path) -> None:
        """Open the demo project; make it first where there is none."""
        if folder.is_dir():
            self.open(folder)
            return
        self._begin(strings.MAKING_DEMO)
        self._jobs.background.submit(
            partial(_make_demo, folder), done=self.open, failed=self._failed
        )

    def close(self) -> None:
        """Close the open project, if any; its lock is free once the store thread got there."""
        session = self._session
        if session is None:
            return
        for job in (self._walk, self._hashing):
            if job is not None:
                job.cancel()
        self._hashing = None
        self._walk_ended(session)
        self._session = None
        project = session.project
        self._table.fill(ScanList(), {}, None)
        self.closed.emit()
        self._jobs.store.submit(lambda _control: project.close(), priority=Priority.TRAINING)
        self._jobs.background.submit(lambda _control: session.scan_reader.close(), always=True)

    def _begin(self, sentence: str) -> None:
        self.close()
        self.busy.emit(sentence)

    def _not_opened(self, folder: Path, error: NearlError) -> None:
        if isinstance(error, ProjectDamagedError):
            self.busy.emit("")
            self.damaged.emit(folder, error)
        else:
            self._failed(error)

    def _failed(self, error: NearlError) -> None:
        self.busy.emit("")
        self.failed.emit(error)

    def _opened(self, of: str, scans: Path | None, opened: Opened) -> None:
        settings, project = self.settings, opened.project
        if of != settings.reader and scans is None:  # what was read is another reader's by now
            self._jobs.store.submit(lambda _control: project.close(), priority=Priority.TRAINING)
            self.open(project.folder)
            return
        reader = ScanReader(
            workers=settings.workers,
            time_limit_s=settings.time_limit_s,
            memory_limit_bytes=settings.memory_limit_mb << 20,
        )
        session = Session.of(opened, reader=settings.reader, scan_reader=reader, table=self._table)
        self._session = session
        verdicts = {decision.scan_id: decision.verdict for decision in opened.decided.standing}
        self._table.fill(opened.scans, verdicts, opened.decided.label_set)
        self.busy.emit("")
        self.opened.emit(session, opened.notice)
        if scans is not None:
            self.add((scans,))
        elif not session.read_only:
            self._hash(session)

    # --- scans -----------------------------------------------------------------------------

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
        self.adding.emit(0, 0)
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
            _require_readable(path)
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
        self.adding.emit(done, sum(len(report.skipped) for report in self._reports))

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
            self.adding_ended.emit()

    def _walk_failed(self, session: Session, error: NearlError) -> None:
        self._walk_ended(session)
        self._jobs.relay.trouble.emit(error)

    # --- the backbone ----------------------------------------------------------------------

    def use_backbone(self, name: str) -> None:
        """Give the project another backbone and open it anew; its decisions stay."""
        session = self._session
        if session is None or session.read_only or name == session.project.backbone:
            return
        project, reader = session.project, session.reader

        def work(_control: RunControl) -> Path:
            project.activate(None, reader=reader)
            project.set_backbone(name)
            return project.folder

        def changed(folder: Path) -> None:
            self.backbone_changed.emit()
            self.open(folder)

        self._jobs.store.submit(work, done=changed)


def _create(wanted: NewProject, reader: str) -> Opened:
    from nearl_core.store.patients import keep_rule
    from nearl_core.store.project import Project

    if wanted.scans is not None:
        _require_readable(wanted.scans)
    backbone, unit = wanted.backbone, wanted.unit
    with Project.create(wanted.folder, wanted.label_set, backbone=backbone, unit=unit) as made:
        if wanted.patients:
            keep_rule(made, wanted.patients)
    return _open(wanted.folder, reader)


def _open(folder: Path, reader: str) -> Opened:
    from nearl_core.store import readings
    from nearl_core.store.listing import scan_list
    from nearl_core.store.project import Project

    notice = ""
    try:
        project = Project.open(folder)
    except ProjectLockedError as error:
        project = Project.open(folder, read_only=True)
        notice = strings.read_only_banner(error.message)
    try:
        readings.require_reader(project, reader)
        said, versions = decided(project, reader), project.versions()
        return Opened(
            project=project,
            decided=said,
            scans=scan_list(project),
            versions=tuple(versions),
            trained=readings.trained_on(project, versions, (*said.standing, *said.others)),
            notice=notice,
            rules=readings.rules(project),
            repeated=readings.repeated(project, reader),
        )
    except BaseException:
        project.close()
        raise


def _make_demo(folder: Path, control: RunControl) -> Path:
    from nearl_core.demo import create_demo

    return create_demo(folder, control)


def _require_readable(path: Path) -> None:
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
    )
