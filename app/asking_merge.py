"""Copies of the project for other readers: where to make one, and what to take over from one."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app import strings
from app.asking_first import session_to_change
from app.controllers.library import Library
from app.controllers.merging import Merging
from app.jobs import Jobs
from app.strings import reading_words
from app.views.dialogs.merge import MergeDialog
from app.views.dialogs.parts import ask_folder
from app.views.main_window import MainWindow
from nearl_core.errors import NearlError
from nearl_core.merging import Merge


class AskingMerge(QObject):
    """One dialog at a time.

    Attributes:
        merging: What the dialog's answers do.
    """

    def __init__(self, window: MainWindow, library: Library, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._library = window, library
        self.merging = Merging(jobs, library, self)
        self._dialog: MergeDialog | None = None
        library.closed.connect(window.status.lasting)
        self.merging.copied.connect(self._copied)
        self.merging.not_copied.connect(self._not_copied)
        self.merging.found.connect(self._found)
        self.merging.progress.connect(self._progress)
        self.merging.failed.connect(self._failed)
        self.merging.taken.connect(self._taken)

    def ask_copy(self) -> None:
        """Ask where to make a copy of the open project."""
        session = self._library.session
        if session is None:
            return
        project = session.project
        proposed = project.folder.parent / reading_words.COPY_NAME.format(name=project.name)
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, reading_words.COPY_TITLE, str(proposed)
        )
        if chosen:
            self._window.status.lasting(reading_words.COPYING)
            self.merging.copy(Path(chosen))

    def _copied(self, folder: Path) -> None:
        self._window.status.lasting()
        self._window.status.message(reading_words.COPIED.format(name=folder.name))

    def _not_copied(self, error: NearlError) -> None:
        self._window.status.lasting()
        self._window.status.message(str(error))

    def ask(self) -> None:
        """Ask for a copy of the open project."""
        session = session_to_change(self._window, self._library)
        if session is None:
            return
        beside = session.project.folder.parent
        chosen = ask_folder(self._window, reading_words.MERGE_WHERE, beside)
        if chosen is None:
            return
        dialog = self._dialog = MergeDialog(self._window)
        dialog.take_asked.connect(self.merging.take)
        dialog.finished.connect(self._closed)
        dialog.open()
        self.merging.look(chosen)

    def _found(self, merge: Merge) -> None:
        if self._dialog is None:
            return
        readers = (f"{reader} {count}" for reader, count in sorted(merge.readers.items()))
        summary = reading_words.MERGE_FOUND.format(
            decisions=strings.decisions(len(merge.decisions)), readers=", ".join(readers)
        )
        can_take = bool(merge.decisions)
        self._dialog.show_found(
            summary if can_take else reading_words.MERGE_NOTHING,
            merge.left_out,
            can_take=can_take,
        )

    def _progress(self, done: int, total: int) -> None:
        if self._dialog is not None:
            text = reading_words.MERGING.format(done=done, total=total)
            self._dialog.show_progress(text, done, total)

    def _failed(self, error: NearlError) -> None:
        if self._dialog is not None:
            self._dialog.show_failure(str(error))
        else:
            self._window.status.message(str(error))

    def _taken(self, count: int, stopped: bool) -> None:
        text = reading_words.MERGE_STOPPED if stopped else reading_words.MERGED
        self._window.status.message(text.format(decisions=strings.decisions(count)))
        if self._dialog is not None and not stopped:
            self._dialog.finish()

    def _closed(self) -> None:
        self._dialog = None
        self.merging.stop()
