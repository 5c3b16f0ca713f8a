"""Every scan ranked once, behind everything else: so is known which would teach most."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.controllers.suggestions import Suggestions
from app.jobs import Job, Priority
from app.session import Session
from nearl_core.control import Pace
from nearl_core.errors import NearlError
from nearl_core.types import Ranking, Scan

MOST = 10_000
"""Scans that are looked at; of more than that chance takes so many."""
_PORTION, _LARGEST_PORTION = 4, 64


class Surveying(QObject):
    """Has the engine look at all scans of a project, in an order drawn by chance.

    So those that it knows stand for all from the first on: for the order of the queue, and for the
    axes along which scans differ. Whatever a reader waits for goes first. What was looked at once
    is kept in the project's cache.

    Attributes:
        progress: How many scans were looked at, and of how many; equal once all were.
    """

    progress = Signal(int, int)

    def __init__(self, suggestions: Suggestions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._suggestions = suggestions
        self._session: Session | None = None
        self._wanted = True
        self._waiting = deque[int]()
        self._total = 0
        self._job: Job | None = None
        self._pace = Pace(_PORTION, _LARGEST_PORTION)
        suggestions.loaded.connect(self.begin)
        suggestions.renewed.connect(self.begin)

    def open(self, session: Session) -> None:
        """Serve a project from the moment on that its engine is loaded."""
        self._session = session

    def close(self) -> None:
        """Look at nothing more."""
        self._session = None
        self._stop()
        self.progress.emit(0, 0)

    def set_wanted(self, on: bool) -> None:
        """Whether scans are looked at that nobody asked for."""
        if on is not self._wanted:
            self._wanted = on
            self.begin()

    def begin(self) -> None:
        """Look at every scan: anew for another version, in no time at those that are known."""
        self._stop()
        if self._session is None or not self._wanted:
            self.progress.emit(0, 0)
            return
        ids = self._session.table.scans().ids
        drawn = np.random.default_rng(0).permutation(ids)[:MOST]
        self._waiting, self._total = deque(drawn.tolist()), len(drawn)
        self._look()

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self._waiting.clear()
        self._total = 0

    def _look(self) -> None:
        session = self._session
        if session is None:
            return
        portion = list[Scan]()
        while self._waiting and len(portion) < self._pace.size:
            scan = session.table.scan(self._waiting.popleft())
            if scan is not None and scan.is_ranked and not scan.problem:
                portion.append(scan)
        if portion:
            self._job = job = self._suggestions.survey(
                portion,
                pace=self._pace,
                priority=Priority.IDLE,
                done=lambda found: self._looked(job, found),
                failed=lambda error: self._failed(job, error),
            )
        self.progress.emit(self._total - len(self._waiting) - len(portion), self._total)

    def _looked(self, job: Job | None, _found: Sequence[Ranking]) -> None:
        if job is self._job:
            self._job = None
            self._look()

    def _failed(self, job: Job | None, _error: NearlError) -> None:
        """The survey ends; a scan that can't be read is no failure of it."""
        if job is self._job:
            self._stop()
            self.progress.emit(0, 0)
