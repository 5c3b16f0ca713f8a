"""The dialog of the backbones: asked, fetched in the background, told what came of it."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.controllers.backbones import Backbones
from app.controllers.library import Library
from app.jobs import Jobs
from app.models.backbone_lines import BackboneLine
from app.strings import backbone_words as words
from app.views.dialogs.backbones import BackbonesDialog
from app.views.main_window import MainWindow
from nearl_core.errors import NearlError


class AskingBackbones(QObject):
    """One dialog at a time; what runs goes on without it.

    Attributes:
        here: Names of the backbones on this computer, whenever they were looked at.
    """

    here = Signal(object)

    def __init__(self, window: MainWindow, library: Library, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._library = window, library
        self._backbones = backbones = Backbones(jobs, self)
        self._dialog: BackbonesDialog | None = None
        backbones.lines.connect(self._lines)
        backbones.progress.connect(self._progress)
        backbones.done.connect(self._done)
        backbones.failed.connect(self._failed)
        backbones.stopped.connect(self._stopped)

    def ask(self) -> None:
        """Show the backbones."""
        session = self._library.session
        dialog = BackbonesDialog(
            self._window,
            used="" if session is None else session.project.backbone,
            decisions=0 if session is None else len(session.standing) + len(session.others),
            can_use=session is not None and not session.read_only,
        )
        dialog.fetch_asked.connect(self._backbones.fetch)
        dialog.add_asked.connect(self._add)
        dialog.use_asked.connect(self._library.use_backbone)
        dialog.stop_asked.connect(self._backbones.cancel)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        self._backbones.refresh()
        dialog.open()

    def _add(self, folder: str) -> None:
        self._backbones.add(Path(folder))

    def _closed(self) -> None:
        self._dialog = None

    def _lines(self, lines: tuple[BackboneLine, ...]) -> None:
        self.here.emit(tuple(line.name for line in lines if line.here))
        if self._dialog is not None:
            self._dialog.show_lines(lines)

    def _progress(self, text: str, done: float, total: float) -> None:
        if self._dialog is not None:
            self._dialog.show_progress(text, done, total)

    def _done(self, name: str) -> None:
        self._say(words.DONE.format(name=name))

    def _failed(self, error: NearlError) -> None:
        self._say(str(error))

    def _stopped(self) -> None:
        self._say(words.STOPPED)

    def _say(self, text: str) -> None:
        if self._dialog is not None:
            self._dialog.show_result(text)
        else:
            self._window.status.message(text)
