"""The labels dialog: edited, shown what that comes to, saved."""

from collections.abc import Sequence

from PySide6.QtCore import QObject

from app.asking_first import session_to_change
from app.controllers.labelling import Labelling
from app.controllers.library import Library
from app.jobs import Jobs
from app.views.dialogs.label_set import LabelSetDialog
from app.views.main_window import MainWindow
from nearl_core import labels_file
from nearl_core.errors import NearlError
from nearl_core.types import Effect, Revision


class AskingLabels(QObject):
    """One dialog at a time.

    Attributes:
        labelling: What the dialog's answers do.
    """

    def __init__(self, window: MainWindow, library: Library, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._library = window, library
        self.labelling = Labelling(jobs, library, self)
        self._dialog: LabelSetDialog | None = None
        self.labelling.reviewed.connect(self._reviewed)
        self.labelling.not_reviewed.connect(self._not_reviewed)

    def ask(self) -> None:
        """Edit the labels of the open project."""
        session = session_to_change(self._window, self._library)
        if session is None:
            return
        dialog = LabelSetDialog(
            session.label_set,
            labels_file.new_id,
            self._window,
            undone=session.project.label_history().undone(),
        )
        dialog.review_asked.connect(self.labelling.review)
        dialog.accepted.connect(self._accepted)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()

    def _reviewed(self, wanted: Revision, effects: Sequence[Effect]) -> None:
        if self._dialog is not None and self._dialog.wanted is wanted:
            self._dialog.show_effects(effects)

    def _not_reviewed(self, error: NearlError) -> None:
        if self._dialog is not None:
            self._dialog.show_problem(str(error))

    def _accepted(self) -> None:
        if self._dialog is not None:
            self.labelling.save(self._dialog.wanted)

    def _closed(self) -> None:
        self._dialog = None
