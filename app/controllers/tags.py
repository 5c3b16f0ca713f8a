"""The DICOM header on demand: read when asked for, its identity only when asked for again."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from app import strings
from app.jobs import Job, Jobs, Priority
from app.session import Session
from nearl_core.errors import NearlError
from nearl_core.types import Scan, TagLine


class Tags(QObject):
    """Brings the header of the scan on screen while the reader wants to see it.

    Attributes:
        lines: The TagLines of the scan on screen; () while there are none.
        notice: Why there are none, or "".
        identity_changed: Whether what may tell who it is comes along.
    """

    lines = Signal(object)
    notice = Signal(str)
    identity_changed = Signal(bool)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._session: Session | None = None
        self._scan: Scan | None = None
        self._wanted = False
        self._identity = False
        self._job: Job | None = None

    def open(self, session: Session) -> None:
        """Serve a project."""
        self._session = session

    def close(self) -> None:
        """Serve none."""
        self._session = None
        self.show_scan(None)

    def set_wanted(self, wanted: bool) -> None:
        """Begin or end to show headers; identity is hidden again."""
        self._wanted = wanted
        self._hide_identity()
        self._bring()

    def set_identity(self, shown: bool) -> None:
        """Show what may tell who it is, for the scan on screen alone."""
        if shown != self._identity:
            self._identity = shown
            self.identity_changed.emit(shown)
            self._bring()

    def show_scan(self, scan: Scan | None) -> None:
        """Another scan: its identity has to be asked for anew."""
        if scan is not None and self._scan is not None and scan.path == self._scan.path:
            return
        self._scan = scan
        self._hide_identity()
        self._bring()

    def _hide_identity(self) -> None:
        self._identity = False
        self.identity_changed.emit(False)

    def _bring(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self.lines.emit(())
        session, scan = self._session, self._scan
        if not self._wanted or session is None or scan is None:
            self.notice.emit("")
            return
        self.notice.emit(strings.READING)
        reader, path, identity = session.scan_reader, scan.path, self._identity
        self._job = self._jobs.pictures.submit(
            lambda _control: reader.tags(path, identity=identity),
            priority=Priority.SCREEN,
            done=partial(self._arrived, scan, identity),
            failed=partial(self._refused, scan),
        )

    def _arrived(self, scan: Scan, identity: bool, lines: tuple[TagLine, ...]) -> None:
        if self._is_wanted(scan) and identity == self._identity:
            self.notice.emit("" if lines else strings.NO_TAGS)
            self.lines.emit(lines)

    def _refused(self, scan: Scan, error: NearlError) -> None:
        if self._is_wanted(scan):
            self.notice.emit(error.message)

    def _is_wanted(self, scan: Scan) -> bool:
        # By its path: scans of another project have the same numbers.
        return self._wanted and self._scan is not None and self._scan.path == scan.path
