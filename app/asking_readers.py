"""The dialogs about readers: how a project is read, how far readers agree, what to adjudicate."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.asking_first import session_to_change
from app.controllers.library import Library
from app.controllers.review import Review
from app.jobs import Jobs
from app.models.reader_lines import reader_lines
from app.session import Session
from app.strings import reading_words
from app.views.dialogs.readers import ReadersDialog
from app.views.dialogs.rules import RulesDialog
from app.views.main_window import MainWindow
from nearl_core.control import RunControl
from nearl_core.readers import ReaderReport, report
from nearl_core.types import Division, ReadingRules


class AskingReaders(QObject):
    """One dialog at a time.

    Attributes:
        divided: The reader has another part of the scans.
    """

    divided = Signal()

    def __init__(self, window: MainWindow, library: Library, review: Review, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._library, self._review, self._jobs = window, library, review, jobs
        self._dialog: ReadersDialog | None = None
        review.agenda.settled.connect(self._settled)
        library.opened.connect(self._say_part)

    # --- rules -----------------------------------------------------------------------------

    def ask_rules(self) -> None:
        """Ask how the project is read."""
        session = session_to_change(self._window, self._library)
        if session is None:
            return
        dialog = RulesDialog(self._window, session.rules, session.division)
        dialog.accepted.connect(lambda: self._save_rules(session, dialog.rules, dialog.division))
        dialog.open()

    def _save_rules(self, session: Session, rules: ReadingRules, division: Division) -> None:
        project = session.project

        def work(_control: RunControl) -> None:
            from nearl_core.store.readings import save_division, save_rules

            save_division(project, division)
            save_rules(project, rules)

        self._jobs.store.submit(
            work, done=lambda _nothing: self._take_rules(session, rules, division)
        )

    def _take_rules(self, session: Session, rules: ReadingRules, division: Division) -> None:
        divided = division != session.division
        session.rules, session.division = rules, division
        if session is self._library.session:
            if divided:
                session.table.set_part(session.part)
                self._say_part(session)
                self.divided.emit()
            self._review.reload()

    def _say_part(self, session: Session, _notice: str = "") -> None:
        """Say which part the reader reads, where the scans are divided."""
        readers = session.division.readers
        if not readers:
            return
        counts = session.table.counts()
        text = reading_words.PART.format(mine=counts.total, total=counts.total + counts.others)
        if len(readers) < 2:
            text = reading_words.NOT_DIVIDED
        elif session.part is None:
            text = reading_words.NO_PART.format(readers=", ".join(readers))
        self._window.status.message(text)

    # --- readers ---------------------------------------------------------------------------

    def ask_readers(self) -> None:
        """Show the readers; they are counted in the background."""
        session = self._library.session
        if session is None:
            return
        dialog = ReadersDialog(self._window, can_decide=not session.read_only)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        project, label_set = session.project, session.label_set

        def work(_control: RunControl) -> ReaderReport:
            from nearl_core.store.readings import readings

            return report(readings(project), label_set)

        self._jobs.background.submit(work, done=partial(self._counted, session))
        dialog.open()

    def _counted(self, session: Session, found: ReaderReport) -> None:
        dialog = self._dialog
        if dialog is not None and session is self._library.session:
            dialog.show_lines(reader_lines(found, session.label_set, session.table.name_of))
            dialog.adjudicate_asked.connect(partial(self._adjudicate, found))

    def _adjudicate(self, found: ReaderReport, scan_ids: Sequence[int]) -> None:
        by_scan = {one.scan_id: one for one in found.disagreements}
        turn = self._review.agenda.adjudicate([by_scan[scan_id] for scan_id in scan_ids])
        if turn is not None:
            self._review.show(*turn)

    def _closed(self) -> None:
        self._dialog = None

    def _settled(self) -> None:
        self._window.status.message(reading_words.SETTLED)
