"""Exporting the labelled set in the background."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.controllers.library import Library
from app.jobs import Job, Jobs
from app.strings.export_words import ADAPTERS
from nearl_core.control import RunControl


@dataclass(frozen=True)
class ExportRequest:
    """What the reader asked for.

    Attributes:
        folder: A new or empty folder.
        format: One of the names of `nearl_core.export.exporter.FORMATS`, or "adapters".
        split: Parts of train, validation and test, in percent.
        seed: Of the split.
        images: "none", "shown" or "stored"; "" for what the format is used to.
        decisions: A rule of `nearl_core.export.choice.Rule`; "" for what the format is used to.
        reader: Whose decisions.
        suggestions: Whether the model's suggestions stand beside them.
        pixels_checked: Whether the reader says that no image names anyone.
    """

    folder: Path
    format: str
    split: tuple[float, ...] = (70.0, 15.0, 15.0)
    seed: int = 0
    images: str = ""
    decisions: str = ""
    reader: str = ""
    suggestions: bool = True
    pixels_checked: bool = False


class Exporting(QObject):
    """One export at a time.

    Attributes:
        progress: A Progress.
        done: The ExportReport.
        adapters: The AdaptersReport, where these were exported.
        failed: The NearlError that says why not.
        stopped: It was cancelled; nothing was left behind.
    """

    progress = Signal(object)
    done = Signal(object)
    adapters = Signal(object)
    failed = Signal(object)
    stopped = Signal()

    def __init__(self, jobs: Jobs, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._library = library
        self._job: Job | None = None
        library.closed.connect(self.cancel)

    def start(self, request: ExportRequest) -> None:
        """Export the open project."""
        session = self._library.session
        if session is None:
            return
        project, reader = session.project, session.scan_reader

        def work(control: RunControl) -> object:
            from nearl_core.export.choice import Choice, Rule
            from nearl_core.export.content import Pictures
            from nearl_core.export.exporter import export

            rule = Rule(request.decisions) if request.decisions else None
            return export(
                project,
                request.folder,
                format=request.format,
                split=request.split,
                seed=request.seed,
                pictures=Pictures(request.images) if request.images else None,
                choice=Choice(rule, request.reader, request.suggestions),
                pixels_checked=request.pixels_checked,
                reader=reader,
                control=control,
            )

        def adapters(_control: RunControl) -> object:
            from nearl_core.export.adapters import export_adapters

            return export_adapters(project, request.folder)

        of_scans = request.format != ADAPTERS
        self._job = self._jobs.background.submit(
            work if of_scans else adapters,
            progress=self.progress.emit,
            done=(self.done if of_scans else self.adapters).emit,
            failed=self.failed.emit,
            stopped=self.stopped.emit,
        )

    def cancel(self) -> None:
        """Stop at the next step."""
        if self._job is not None:
            self._job.cancel()
