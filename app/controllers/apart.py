"""What the ranking says of a scan when it is not told what was said of this very scan."""

from PySide6.QtCore import QObject, Signal

from app.controllers.suggestions import Suggestions
from app.jobs import Job, Jobs
from nearl_core.types import Ranking


class Apart(QObject):
    """Ranks one scan by what was learned from all others, for whoever settles a disagreement.

    Else the bars would repeat what the readers said whose word is in question.

    Attributes:
        came: Its ranking is there.
    """

    came = Signal()

    def __init__(self, jobs: Jobs, suggestions: Suggestions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._suggestions = jobs, suggestions
        self._scan_id: int | None = None
        self._job: Job | None = None
        self._is_due = False
        self.ranking: Ranking | None = None
        suggestions.ranked.connect(self._ranked)

    def want(self, scan_id: int | None) -> None:
        """Rank this scan from now on, or none."""
        if self._job is not None:
            self._job.cancel()
        self._scan_id, self._job, self.ranking = scan_id, None, None
        self._ask()

    def _ranked(self, ranking: Ranking) -> None:
        """The engine has seen the scan, or learned since: say it anew."""
        if ranking.scan_id == self._scan_id:
            self._is_due = True
            self._ask()

    def _ask(self) -> None:
        engine, scan_id = self._suggestions.engine, self._scan_id
        if engine is None or scan_id is None or self._job is not None:
            return
        self._is_due = False
        job = self._job = self._jobs.learning.submit(
            lambda _control: engine.rank_apart(scan_id),
            done=lambda found: self._found(job, found),
        )

    def _found(self, job: Job, found: list[Ranking]) -> None:
        if job is not self._job:
            return
        self._job = None
        if found:
            (self.ranking,) = found
            self.came.emit()
        if self._is_due:
            self._ask()
