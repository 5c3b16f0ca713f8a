"""The export dialog: asked, run in the background, told what came of it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from app import strings
from app.controllers.exporting import Exporting, ExportRequest
from app.controllers.library import Library
from app.jobs import Jobs
from app.session import Session
from app.strings import dialog_words, reading_words
from app.strings.export_words import ADAPTERS
from app.views.dialogs.export import ExportDialog
from app.views.main_window import MainWindow
from nearl_core.control import Progress
from nearl_core.errors import NearlError

if TYPE_CHECKING:
    from nearl_core.export.adapters import AdaptersReport
    from nearl_core.export.exporter import ExportReport


class AskingExport(QObject):
    """One export dialog at a time.

    Attributes:
        exporting: What the dialog's buttons do.
    """

    def __init__(self, window: MainWindow, library: Library, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._library = window, library
        self.exporting = Exporting(jobs, library, self)
        self._dialog: ExportDialog | None = None
        self.exporting.progress.connect(self._progress)
        self.exporting.done.connect(self._done)
        self.exporting.adapters.connect(self._adapters)
        self.exporting.failed.connect(self._failed)
        self.exporting.stopped.connect(self._stopped)

    def ask(self) -> None:
        """Ask for an export of the open project."""
        from nearl_core.export.beside import free_folder
        from nearl_core.export.exporter import FORMATS  # loads the store: not at the start

        session = self._library.session
        if session is None:
            return
        project, live = session.project.folder, session.live
        folder = free_folder(project.parent / f"{project.stem}-export")
        dialog = ExportDialog(
            folder,
            (*FORMATS, ADAPTERS),
            self._window,
            live="" if live is None else live.id,
            readers=_readers(session),
            refused=frozenset(
                name
                for name, format in FORMATS.items()
                if session.label_set.multi_label and not format.multi_label
            ),
        )
        dialog.start_asked.connect(self._start)
        dialog.cancel_asked.connect(self.exporting.cancel)
        dialog.open_asked.connect(self._open_folder)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()

    def _open_folder(self) -> None:
        dialog = self._dialog
        if dialog is None:
            return
        folder = dialog.folder
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            dialog.show_result(dialog_words.NOT_OPENED.format(folder=folder))

    def _closed(self) -> None:
        self._dialog = None

    def _start(self) -> None:
        dialog = self._dialog
        if dialog is not None:
            self.exporting.start(
                ExportRequest(
                    folder=dialog.folder,
                    format=dialog.format,
                    split=dialog.split,
                    seed=dialog.seed,
                    images=dialog.images,
                    decisions=dialog.decisions,
                    reader=dialog.reader,
                    suggestions=dialog.suggestions,
                    pixels_checked=dialog.pixels_checked,
                )
            )

    def _progress(self, progress: Progress) -> None:
        if self._dialog is not None:
            self._dialog.show_progress(progress.done, progress.total, progress.text)

    def _done(self, report: "ExportReport") -> None:
        reasons = [one.reason for one in report.left_out]
        splits = ", ".join(f"{name} {count}" for name, count in report.splits)
        notices = "\n".join(dict.fromkeys((report.leakage, *report.notices)))
        self._say(strings.exported(report.scans, report.images, reasons, splits, notices))

    def _adapters(self, report: "AdaptersReport") -> None:
        self._say(dialog_words.ADAPTERS_EXPORTED.format(version=report.version))

    def _failed(self, error: NearlError) -> None:
        self._say(str(error), failed=True)

    def _stopped(self) -> None:
        self._say(dialog_words.EXPORT_STOPPED, failed=True)

    def _say(self, text: str, *, failed: bool = False) -> None:
        if self._dialog is not None:
            self._dialog.show_result(text, failed=failed)


def _readers(session: Session) -> tuple[tuple[str, str], ...]:
    """Whose decisions there are, and as the dialog names them; the sources of labels last."""
    names = {one.reader for one in (*session.standing.values(), *session.others)}
    listed = sorted(names, key=lambda name: (name in session.sources, name))
    source = reading_words.SOURCE
    return tuple(
        (name, source.format(name=name) if name in session.sources else name) for name in listed
    )
