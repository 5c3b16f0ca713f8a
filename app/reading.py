"""Wires what belongs to reading: decisions, confidence, notes, readers, batch review."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.asking_grid import AskingGrid
from app.asking_readers import AskingReaders
from app.controllers.batch import Batch
from app.controllers.library import Library
from app.controllers.review import Review
from app.controllers.suggestions import Suggestions
from app.jobs import Jobs
from app.models.commands import Command
from app.views.main_window import MainWindow
from nearl_core.types import Confidence, State


class Reading(QObject):
    """Its dialogs, and its commands for the desk's table.

    Attributes:
        batch: What batch review does.
        readers: The dialogs about readers.
    """

    def __init__(
        self,
        window: MainWindow,
        library: Library,
        review: Review,
        suggestions: Suggestions,
        jobs: Jobs,
    ) -> None:
        super().__init__(window)
        self._review, self._note = review, window.ranking.note
        self._find_label = window.ranking.find_label
        self.batch = Batch(jobs, suggestions, self)
        self.readers = AskingReaders(window, library, review, jobs)
        self._grid = AskingGrid(window, library, review, suggestions, self.batch)
        self._note.typed.connect(review.draft_note)
        self._note.finished.connect(review.save_note)
        self._note.dropped.connect(review.drop_note)
        library.closed.connect(self.batch.end)

    def commands(self) -> dict[Command, Callable[[], object]]:
        """What each command does."""
        review = self._review
        return {
            Command.ACCEPT: review.accept,
            Command.DEFER: lambda: review.say(State.DEFERRED),
            Command.NONE_APPLY: lambda: review.say(State.NONE_APPLY),
            Command.UNASSESSABLE: lambda: review.say(State.UNASSESSABLE),
            Command.FLAG: review.toggle_flag,
            Command.UNDO: review.undo,
            Command.REDO: review.redo,
            Command.PREVIOUS: lambda: review.step(-1),
            Command.NEXT: lambda: review.step(1),
            Command.NEXT_TO_DO: review.next_to_do,
            Command.PROBABLE: lambda: review.toggle_confidence(Confidence.PROBABLE),
            Command.UNSURE: lambda: review.toggle_confidence(Confidence.POSSIBLE),
            Command.NOTE: self._note.begin,
            Command.FIND_LABEL: lambda: review.can_say() and self._find_label(),
            Command.NAME_FRAME: review.name_frame,
            Command.RULES: self.readers.ask_rules,
            Command.READERS: self.readers.ask_readers,
            Command.GRID: self._grid.ask,
        }
