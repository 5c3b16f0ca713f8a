"""Finding scans again whose files were moved."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.controllers.library import Library
from app.jobs import Job, Jobs
from app.session import Session
from nearl_core.control import Progress, RunControl


class Finding(QObject):
    """Looks in one folder at a time.

    Attributes:
        progress: Files looked at, and how many there are.
        done: How many scans were found again, and how many are still missing.
    """

    progress = Signal(int, int)
    done = Signal(int, int)

    def __init__(self, jobs: Jobs, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._library = library
        self._job: Job | None = None
        library.closed.connect(self._closed)

    def look(self, folder: Path) -> None:
        """Look in a folder; where something was found, the project is opened anew."""
        session = self._library.session
        if session is None or session.read_only:
            return
        self._closed()
        self._job = self._jobs.background.submit(
            partial(_look, session, folder, self._jobs),
            done=partial(self._done, session),
            progress=self._progress,
        )

    def _closed(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = None

    def _progress(self, progress: Progress) -> None:
        if self._job is not None:
            self.progress.emit(progress.done, progress.total)

    def _done(self, session: Session, counts: tuple[int, int]) -> None:
        self._job = None
        if session is self._library.session:
            if counts[0]:
                self._library.open(session.project.folder)
            self.done.emit(*counts)


def _look(session: Session, folder: Path, jobs: Jobs, control: RunControl) -> tuple[int, int]:
    """In the background thread."""
    from nearl_core.store.moved import find_moved

    look = session.scan_reader.infos
    moved = find_moved(session.project, [folder], control, look=look, write=jobs.write)
    return moved.found, moved.missing
