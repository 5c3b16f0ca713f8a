"""Backbones: listed, fetched, added; one at a time, in a thread of their own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app import engine_port
from app.jobs import Job, Jobs
from app.strings import backbone_words as words
from nearl_core.control import Progress, RunControl
from nearl_core.errors import NearlError


class Backbones(QObject):
    """What is here, and what comes; it goes on while its dialog is closed.

    Attributes:
        lines: A tuple of BackboneLine.
        progress: What is done in words, steps done, steps in all (0: not known).
        done: Name of the backbone that is ready.
        failed: The NearlError that says why not.
        stopped: It was stopped; what came so far is kept.
    """

    lines = Signal(object)
    progress = Signal(str, float, float)
    done = Signal(str)
    failed = Signal(object)
    stopped = Signal()

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether one is fetched or added."""
        return self._job is not None

    def refresh(self) -> None:
        """Look what there is."""
        self._jobs.background.submit(
            lambda _control: engine_port.backbone_lines(), done=self.lines.emit
        )

    def fetch(self, name: str) -> None:
        """Fetch one; the only thing on the desk that uses the network."""
        self._start(partial(engine_port.fetch_backbone, name), name)

    def add(self, folder: Path) -> None:
        """Copy a folder into the backbones."""
        self._start(partial(engine_port.add_backbone, folder), "")

    def cancel(self) -> None:
        """Stop at the next step."""
        if self._job is not None:
            self._job.cancel()

    def _start(self, work: Callable[[RunControl], str], name: str) -> None:
        if self._job is None:
            self._job = self._jobs.fetching.submit(
                work,
                progress=partial(self._progress, name),
                done=self._done,
                failed=self._failed,
                stopped=self._stopped,
            )

    def _progress(self, name: str, progress: Progress) -> None:
        text = progress.text[:1].upper() + progress.text[1:] or words.ADDING
        if progress.unit == "bytes":
            done, total = progress.done / 1e6, progress.total / 1e6
            text = words.FETCHING.format(name=name, done=done, total=total)
        self.progress.emit(text, progress.done, progress.total)

    def _done(self, name: str) -> None:
        self._job = None
        self.done.emit(name)
        self.refresh()

    def _failed(self, error: NearlError) -> None:
        self._job = None
        self.failed.emit(error)
        self.refresh()

    def _stopped(self) -> None:
        self._job = None
        self.stopped.emit()
        self.refresh()
