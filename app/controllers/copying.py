"""The daily copy of the project's database, in the background."""

from datetime import date

from PySide6.QtCore import QObject

from app.controllers.library import Library
from app.controllers.review import Review
from app.jobs import Jobs, Priority
from app.session import Session
from nearl_core.control import RunControl


class Copying(QObject):
    """Copies at opening and at the first decision of a day.

    A trouble goes to the reader: a copy that can't be made means that the database is damaged or
    the disk nearly full.
    """

    def __init__(
        self, jobs: Jobs, library: Library, review: Review, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._library = library
        self._day: date | None = None
        library.opened.connect(self._opened)
        review.saved.connect(self._saved)

    def _opened(self, session: Session, _notice: str) -> None:
        self._day = None
        self._copy(session)

    def _saved(self, _decision: object) -> None:
        session = self._library.session
        if session is not None and self._day != date.today():
            self._copy(session)

    def _copy(self, session: Session) -> None:
        if session.read_only:
            return
        self._day = date.today()
        folder = session.project.folder

        def work(control: RunControl) -> None:
            from nearl_core.store.copies import copy_daily

            copy_daily(folder, control)

        self._jobs.background.submit(work, priority=Priority.BACKGROUND)
