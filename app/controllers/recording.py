"""Decisions on their way to the disk: one at a time, committed before anything moves on."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.jobs import Jobs
from app.session import Restored, Session, restored
from nearl_core.errors import NearlError
from nearl_core.types import Decision, NewDecision


class Recording(QObject):
    """Gives decisions to the store thread and says what became of them.

    Attributes:
        committed: A Decision that is on disk, and whether to go on to the next scan.
        restored: The Decision that an undo (True) or a redo (False) appended, or None.
        refused: The NearlError that says why nothing was saved.
    """

    committed = Signal(object, bool)
    restored = Signal(object, bool)
    refused = Signal(object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._session: Session | None = None
        self._busy = False

    @property
    def is_busy(self) -> bool:
        """Whether a decision is on its way: the next key press would be about an unseen scan."""
        return self._busy

    def open(self, session: Session | None) -> None:
        """Serve a project, or none."""
        self._session = session
        self._busy = False

    def record(self, decision: NewDecision, *, go_on: bool) -> None:
        """Commit a decision."""
        session = self._session
        if session is None or self._busy:
            return
        project = session.project
        self._busy = True
        self._jobs.store.submit(
            lambda _control: project.record(decision),
            done=partial(self._committed, session, go_on),
            failed=self._refused,
            stopped=self._stopped,
        )

    def restore(self, *, back: bool) -> None:
        """Take the last decision back, or the last undo."""
        session = self._session
        if session is None or self._busy:
            return
        project, reader = session.project, session.reader

        self._busy = True
        self._jobs.store.submit(
            lambda _control: restored(project, reader, back=back),
            done=partial(self._restored, session, back),
            failed=self._refused,
            stopped=self._stopped,
        )

    def _committed(self, session: Session, go_on: bool, decision: Decision) -> None:
        if session is self._session:
            self._busy = False
            session.take(decision)
            self.committed.emit(decision, go_on)

    def _restored(self, session: Session, back: bool, found: Restored | None) -> None:
        if session is self._session:
            self._busy = False
            if found is not None:
                session.restore(found)
            self.restored.emit(None if found is None else found.decision, back)

    def _refused(self, error: NearlError) -> None:
        self._busy = False
        self.refused.emit(error)

    def _stopped(self) -> None:
        self._busy = False
