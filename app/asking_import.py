"""The dialog that takes in labels which exist already."""

from PySide6.QtCore import QObject

from app import strings
from app.asking_first import session_to_change
from app.controllers.importing import Importing
from app.controllers.library import Library
from app.jobs import Jobs
from app.models.import_lines import preview, targets
from app.strings import label_words
from app.views.dialogs.import_labels import ImportLabelsDialog
from app.views.main_window import MainWindow
from nearl_core.errors import NearlError
from nearl_core.importing.plan import ImportPlan
from nearl_core.learn.evaluate import ENOUGH


class AskingImport(QObject):
    """One dialog at a time.

    Attributes:
        importing: What the dialog's answers do.
    """

    def __init__(self, window: MainWindow, library: Library, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._library = window, library
        self.importing = Importing(jobs, library, self)
        self._dialog: ImportLabelsDialog | None = None
        self._taking: ImportLabelsDialog | None = None
        self.importing.columns_found.connect(self._columns_found)
        self.importing.planned.connect(self._planned)
        self.importing.progress.connect(self._progress)
        self.importing.failed.connect(self._failed)
        self.importing.taken.connect(self._taken)

    def ask(self) -> None:
        """Ask for a source of labels for the open project."""
        session = session_to_change(self._window, self._library)
        if session is None:
            return
        dialog = ImportLabelsDialog(targets(session.label_set), self._window)
        dialog.look_asked.connect(self.importing.look)
        dialog.plan_asked.connect(self.importing.plan)
        dialog.take_asked.connect(self._take)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()

    def _columns_found(self, names: tuple[str, ...]) -> None:
        if self._dialog is not None:
            self._dialog.show_columns(names)

    def _take(self) -> None:
        self._taking = self._dialog
        self.importing.take()

    def _planned(self, planned: ImportPlan) -> None:
        if self._dialog is not None:
            self._dialog.show_preview(preview(planned))

    def _progress(self, done: int, total: int, taking: bool) -> None:
        words = label_words.TAKING if taking else label_words.READING_HEADERS
        if self._dialog is not None:
            self._dialog.show_progress(words.format(done=done, total=total))

    def _failed(self, error: NearlError) -> None:
        if self._dialog is not None:
            self._dialog.show_failure(str(error))

    def _taken(self, count: int, wanted: int, name: str) -> None:
        taken = label_words.IMPORTED if count < ENOUGH else label_words.IMPORTED_MANY
        words = taken if count == wanted else label_words.IMPORT_STOPPED
        text = words.format(decisions=strings.decisions(count), wanted=wanted, name=name)
        self._window.status.message(text)
        if self._dialog is not None and self._dialog is self._taking:
            self._dialog.finish()

    def _closed(self) -> None:
        self._dialog = self._taking = None
        self.importing.stop()
