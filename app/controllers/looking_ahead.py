"""A folder is looked into before a project is made of it."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.jobs import Job, Jobs
from app.preferences import Keeper
from nearl_core.control import RunControl
from nearl_core.scans.guard import ScanReader
from nearl_core.settings import Settings

_PAUSE_MS = 300
"""Until a path that is being typed is taken for a whole one."""


class LookingAhead(QObject):
    """Says of the folder that was chosen last what its first files are.

    Attributes:
        seen: A SeriesSeen, or None where nothing is to be said of it.
    """

    seen = Signal(object)

    def __init__(self, jobs: Jobs, keeper: Keeper, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs, self._keeper = jobs, keeper
        self._job: Job | None = None
        self._folder: Path | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._begin)

    def look(self, folder: Path | None) -> None:
        """Look into a folder in the background, or (None) into none any more."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._folder = folder
        if folder is None:
            self._timer.stop()
        else:
            self._timer.start()

    def _begin(self) -> None:
        if self._folder is not None:
            self._job = self._jobs.background.submit(
                partial(_look, self._folder, self._keeper.settings),
                done=partial(self._done, self._folder),
                failed=lambda _error: None,  # adding it will say so
            )

    def _done(self, folder: Path, found: object) -> None:
        if folder == self._folder:
            self.seen.emit(found)


def _look(folder: Path, settings: Settings, control: RunControl) -> object:
    from nearl_core.first_look import first_files, series_of

    files = first_files(folder, control)
    if not files:
        return None
    with ScanReader(
        workers=1,
        time_limit_s=settings.time_limit_s,
        memory_limit_bytes=settings.memory_limit_mb << 20,
    ) as reader:
        return series_of(files, reader)
