"""Projects: made, opened, closed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app import strings
from app.controllers.adding import Adding, require_readable
from app.controllers.looking_ahead import LookingAhead
from app.jobs import Jobs, Priority
from app.models.scan_table import ScanTable
from app.preferences import Keeper
from app.session import Opened, Session, read
from nearl_core.control import RunControl
from nearl_core.errors import NearlError, ProjectDamagedError, ProjectLockedError
from nearl_core.scan_list import ScanList
from nearl_core.scans.guard import ScanReader
from nearl_core.settings import Settings
from nearl_core.types import LabelSet, Unit

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


class Library(QObject):
    """Opens one project at a time.

    Attributes:
        opened: Session, and why nothing can be saved ("").
        closed: No project is open any more.
        failed: The NearlError that says why a project can't be opened.
        damaged: Its folder and the error, in place of `failed`, where its database is damaged.
        busy: A sentence on what is being done, "" when done.
        backbone_changed: The project has another backbone, and is about to be opened anew.
    """

    opened = Signal(object, str)
    closed = Signal()
    failed = Signal(object)
    damaged = Signal(object, object)
    busy = Signal(str)
    backbone_changed = Signal()

    def __init__(
        self, jobs: Jobs, table: ScanTable, keeper: Keeper, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._table = table
        self._keeper = keeper
        self._session: Session | None = None
        self.adding = Adding(jobs, table, self)
        self.ahead = LookingAhead(jobs, keeper, self)

    @property
    def session(self) -> Session | None:
        """The open project."""
        return self._session

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
        self.adding.end()
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
        session = Session(opened, reader=settings.reader, scan_reader=reader, table=self._table)
        self._session = session
        verdicts = {decision.scan_id: decision.verdict for decision in opened.decided.standing}
        labels = opened.decided.label_set
        self._table.fill(opened.scans, verdicts, labels, session.part, session.again)
        self.busy.emit("")
        self.opened.emit(session, opened.notice)
        self.adding.begin(session, scans)

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
        require_readable(wanted.scans)
    backbone, unit = wanted.backbone, wanted.unit
    with Project.create(wanted.folder, wanted.label_set, backbone=backbone, unit=unit) as made:
        if wanted.patients:
            keep_rule(made, wanted.patients)
    return _open(wanted.folder, reader)


def _open(folder: Path, reader: str) -> Opened:
    from nearl_core.store import readings
    from nearl_core.store.project import Project

    notice = ""
    try:
        project = Project.open(folder)
    except ProjectLockedError as error:
        project = Project.open(folder, read_only=True)
        notice = strings.read_only_banner(error.message)
    try:
        readings.require_reader(project, reader)
        return read(project, reader, notice=notice)
    except BaseException:
        project.close()
        raise


def _make_demo(folder: Path, control: RunControl) -> Path:
    from nearl_core.demo import create_demo

    return create_demo(folder, control)
