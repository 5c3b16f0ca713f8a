"""The label set of the open project: what a change would come to, and making it."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.controllers.library import Library
from app.jobs import Jobs
from app.session import Decided, Session, decided, trained_on
from nearl_core.control import RunControl
from nearl_core.types import Effect, Revision, Version


class Labelling(QObject):
    """Looks and changes in the store thread.

    Attributes:
        reviewed: The Revision that was asked about, and its Effects.
        not_reviewed: The NearlError that says why it can't be.
        saved: The LabelSet as saved; the session has it, what was decided in its terms, and the
            version that is bound to it, if one was.
    """

    reviewed = Signal(object, object)
    not_reviewed = Signal(object)
    saved = Signal(object)

    def __init__(self, jobs: Jobs, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._library = library

    def review(self, wanted: Revision) -> None:
        """Find out what a revision would come to for decisions."""
        session = self._library.session
        if session is None:
            return

        def work(_control: RunControl) -> tuple[Effect, ...]:
            from nearl_core.store.relabelling import effects_of

            return effects_of(session.project, wanted)

        self._jobs.store.submit(
            work,
            done=lambda effects: self.reviewed.emit(wanted, effects),
            failed=self.not_reviewed.emit,
        )

    def save(self, wanted: Revision) -> None:
        """Save a revision of the label set, and read what was decided in its terms."""
        session = self._library.session
        if session is None or session.read_only:
            return

        def work(_control: RunControl) -> tuple[Decided, list[Version]]:
            project = session.project
            label_set, versions = project.save_revision(wanted), project.versions()
            return decided(project, session.reader, trained_on(versions, label_set)), versions

        self._jobs.store.submit(work, done=lambda now: self._saved(session, *now))

    def _saved(self, session: Session, now: Decided, versions: Sequence[Version]) -> None:
        if session is self._library.session:
            session.versions = tuple(versions)
            session.trained = trained_on(versions, now.label_set)
            session.reread(now)
            self.saved.emit(now.label_set)
