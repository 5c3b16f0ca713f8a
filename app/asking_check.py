"""The dialog that checks the open project, or offers the way back to one that can't be opened."""

from pathlib import Path

from PySide6.QtCore import QObject

from app.controllers.checking import Checking
from app.controllers.library import Library
from app.jobs import Jobs
from app.models.check_lines import CheckLines, check_lines, damaged_lines
from app.session import Session
from app.strings import check_words
from app.views.dialogs.check import CheckDialog
from app.views.main_window import MainWindow
from nearl_core.control import Progress
from nearl_core.errors import NearlError


class AskingCheck(QObject):
    """One dialog at a time.

    Attributes:
        checking: What the dialog's buttons do.
    """

    def __init__(self, window: MainWindow, library: Library, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._library = window, library
        self.checking = Checking(jobs, library, self)
        self._dialog: CheckDialog | None = None
        self._folder = Path()
        library.damaged.connect(self._damaged)
        library.opened.connect(self._opened)
        self.checking.progress.connect(self._progress)
        self.checking.checked.connect(self._checked)
        self.checking.damaged.connect(self._show_damaged)
        self.checking.told.connect(self._told)
        self.checking.failed.connect(self._failed)

    def ask(self) -> None:
        """Check the open project."""
        session = self._library.session
        if session is not None:
            self._open(session.project.folder, can_find=not session.read_only)
            self.checking.check()

    def _damaged(self, folder: Path, error: NearlError) -> None:
        """A project can't be opened: offer its copies in place of the error alone."""
        self._open(folder, can_find=False)
        self.checking.look_at_copies(folder, error)

    def _open(self, folder: Path, *, can_find: bool) -> None:
        self._folder = folder
        if self._dialog is not None:
            self._dialog.set_can_find(can_find)
            return
        dialog = self._dialog = CheckDialog(self._window, can_find=can_find)
        dialog.find_asked.connect(self._find)
        dialog.restore_asked.connect(self._restore)
        dialog.finished.connect(self._closed)
        dialog.open()

    def _find(self, folder: Path) -> None:
        if self._dialog is not None:
            self._dialog.show_busy(check_words.CHECKING)
        self.checking.find(folder)

    def _restore(self) -> None:
        self.checking.restore(self._folder)

    def _opened(self, session: Session, _notice: str) -> None:
        if self._dialog is not None:
            self._dialog.set_can_find(not session.read_only)

    def _progress(self, progress: Progress) -> None:
        if self._dialog is not None:
            text = check_words.STEP.format(
                text=progress.text, done=progress.done, total=progress.total
            )
            self._dialog.show_busy(text, progress.done, progress.total)

    def _checked(self, report: object) -> None:
        from nearl_core.store.check import CheckReport

        session = self._library.session
        if session is not None and isinstance(report, CheckReport):
            self._show(check_lines(report, session.table.name_of))

    def _show_damaged(self, error: NearlError, days: object) -> None:
        if isinstance(days, list):
            self._show(damaged_lines(error, days))

    def _show(self, lines: CheckLines) -> None:
        if self._dialog is not None:
            self._dialog.show_lines(lines)

    def _told(self, text: str) -> None:
        if self._dialog is not None:
            self._dialog.show_told(text)
        else:
            self._window.status.message(text)

    def _failed(self, error: NearlError) -> None:
        if self._dialog is not None:
            self._dialog.show_failure(str(error))

    def _closed(self) -> None:
        self._dialog = None
        self.checking.stop()
