"""Batch review: scans that the model is sure of, accepted together and logged one by one."""

import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from app.controllers.pictures import thumbnail
from app.controllers.suggestions import Suggestions
from app.jobs import Job, Jobs, Priority
from app.models.sure import sure_of
from app.session import Restored, Session, restored
from nearl_core.control import Pace, RunControl
from nearl_core.errors import NearlError
from nearl_core.suggesting import offered
from nearl_core.types import (
    Decision,
    NewDecision,
    Occasion,
    Ranking,
    Scan,
    Shown,
    State,
    Verdict,
)

SIDE = 320
"""Pixels of a thumbnail, for cells of about 180 points."""
_PORTION = 8
MOST = 2000
"""Scans that are looked at in one sitting; of more than that chance takes so many."""

Recorded = tuple[list[Decision], NearlError | None]
Undone = tuple[list[Restored], NearlError | None]


class Batch(QObject):
    """Finds scans to accept together, and records what was accepted.

    Attributes:
        changed: More is known of which scans the model is sure of.
        picture: Scan id and QPixmap.
        saved: A Decision that was committed.
        recorded: How many decisions an acceptance came to.
        taken_back: How many decisions were undone.
    """

    changed = Signal()
    picture = Signal(int, object)
    saved = Signal(object)
    recorded = Signal(int)
    taken_back = Signal(int)

    def __init__(self, jobs: Jobs, suggestions: Suggestions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._suggestions = jobs, suggestions
        self._session: Session | None = None
        self._waiting: deque[int] = deque()
        self._total = self._looked = 0
        self._rankings: dict[int, Ranking] = {}
        self._out: set[int] = set()
        self._last: list[int] = []
        self._job: Job | None = None
        self._pace = Pace(_PORTION, _PORTION)
        self._pictures: list[Job] = []
        self._shown_at = 0.0
        self._sitting = 0
        suggestions.learned.connect(self._rank_again)

    def begin(self, session: Session) -> None:
        """Look at scans that nothing was said of."""
        self.end()
        self._session = session
        undecided = session.table.undecided_ids()
        if len(undecided) > MOST:
            undecided = random.sample(undecided, MOST)
        self._waiting = deque(undecided)
        self._total, self._looked = len(undecided), 0
        self._look()

    def end(self) -> None:
        """Look no further; what is on its way says nothing of another sitting's scans."""
        self._sitting += 1
        for job in (self._job, *self._pictures):
            if job is not None:
                job.cancel()
        self._session = self._job = None
        self._waiting.clear()
        self._pictures, self._last = [], []
        self._rankings, self._out = {}, set()

    @property
    def looked(self) -> tuple[int, int]:
        """How many scans were looked at, of how many."""
        return self._looked, self._total

    @property
    def can_take_back(self) -> bool:
        """Whether there is an acceptance to take back."""
        return bool(self._last)

    def sure(self, bar: float) -> dict[Verdict, tuple[Ranking, ...]]:
        """Scans that the model is sure of and that were not taken out, by what it suggests."""
        session = self._session
        if session is None:
            return {}
        left = (one for one in self._rankings.values() if one.scan_id not in self._out)
        return sure_of(left, session.label_set, bar=bar)

    def show(self, scan_ids: Sequence[int]) -> None:
        """Have the pictures of these scans made."""
        session = self._session
        for job in self._pictures:
            job.cancel()
        self._pictures = []
        self._shown_at = time.monotonic()
        if session is None:
            return
        scans = (session.table.scan(scan_id) for scan_id in scan_ids)
        self._pictures = [
            self._jobs.pictures.submit(
                partial(thumbnail, session.scan_reader, scan, SIDE),
                done=partial(self._picture_made, scan.id),
                failed=lambda _error: None,  # its cell stays empty
                priority=Priority.PREFETCH,
            )
            for scan in scans
            if scan is not None
        ]

    def accept(self, rankings: Sequence[Ranking], out: Sequence[int]) -> None:
        """Decide scans as they were ranked; those taken out are not shown again."""
        session = self._session
        if session is None or not rankings or session.read_only:
            self._out.update(out)
            self.recorded.emit(0)
            return
        offers = ((one, offered(one, session.label_set)) for one in rankings)
        decisions = [
            self._decision(session, ranking, offer)
            for ranking, offer in offers
            if offer is not None
        ]
        project = session.project

        def work(_control: RunControl) -> Recorded:
            kept: list[Decision] = []
            try:
                for decision in decisions:
                    kept.append(project.record(decision))
            except NearlError as error:
                return kept, error
            return kept, None

        self._out.update(out)
        self._last = []  # what is taken back from now on is this page
        self._jobs.store.submit(work, done=partial(self._recorded, session))

    def take_back(self) -> None:
        """Undo the last acceptance as a whole; each scan's undo is a decision of its own."""
        session, count = self._session, len(self._last)
        if session is None or not count:
            return
        project, reader = session.project, session.reader
        self._last = []

        def work(_control: RunControl) -> Undone:
            undone: list[Restored] = []
            try:
                for _ in range(count):
                    found = restored(project, reader, back=True)
                    if found is not None:
                        undone.append(found)
            except NearlError as error:
                return undone, error
            return undone, None

        self._jobs.store.submit(work, done=partial(self._undone, session))

    # --- inside ----------------------------------------------------------------------------

    def _decision(self, session: Session, ranking: Ranking, offer: Verdict) -> NewDecision:
        standing = session.table.verdict(ranking.scan_id)
        return NewDecision(
            scan_id=ranking.scan_id,
            reader=session.reader,
            verdict=replace(offer, flagged=standing.flagged, note=standing.note),
            ranking=ranking,
            shown=Shown.VISIBLE,
            milliseconds=round(1000 * (time.monotonic() - self._shown_at)),
            frames_shown=(_frame(session, ranking.scan_id),),
            occasion=Occasion.GRID,
        )

    def _recorded(self, session: Session, result: Recorded) -> None:
        kept, error = result
        for decision in kept:
            session.take(decision)
        self._tell(kept)
        if session is self._session:
            self._last = [decision.scan_id for decision in kept]
            for scan_id in self._last:
                self._rankings.pop(scan_id, None)
            self.recorded.emit(len(kept))
        if error is not None:
            self._jobs.relay.trouble.emit(error)

    def _undone(self, session: Session, result: Undone) -> None:
        undone, error = result
        for found in undone:
            session.restore(found)
        self._tell([found.decision for found in undone])
        if session is self._session:
            self._waiting.extendleft(found.decision.scan_id for found in undone)
            self._looked -= len(undone)
            self._look()
            self.taken_back.emit(len(undone))
        if error is not None:
            self._jobs.relay.trouble.emit(error)

    def _tell(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            self.saved.emit(decision)
        self._suggestions.learn(())

    def _look(self) -> None:
        """Rank the next portion; whatever else the engine has to do goes first."""
        session = self._session
        if self._job is not None or session is None:
            return
        portion: list[Scan] = []
        while self._waiting and len(portion) < self._pace.size:
            scan = _candidate(session, self._waiting.popleft())
            if scan is None:
                self._looked += 1
            else:
                portion.append(scan)
        if portion:
            done = partial(self._ranked, self._sitting)
            self._job = self._suggestions.survey(portion, pace=self._pace, done=done)

    def _ranked(self, sitting: int, rankings: Sequence[Ranking]) -> None:
        if sitting != self._sitting:
            return
        self._job = None
        self._looked += len(rankings)
        self._rankings.update({ranking.scan_id: ranking for ranking in rankings})
        self.changed.emit()
        self._look()

    def _rank_again(self) -> None:
        """Decisions taught something: say again what the others are."""
        if self._rankings:
            done = partial(self._ranked_again, self._sitting)
            self._suggestions.again(tuple(self._rankings), done=done)

    def _ranked_again(self, sitting: int, rankings: Sequence[Ranking]) -> None:
        if sitting != self._sitting:
            return
        known = {one.scan_id: one for one in rankings if one.scan_id in self._rankings}
        self._rankings.update(known)
        self.changed.emit()

    def _picture_made(self, scan_id: int, image: QImage) -> None:
        self.picture.emit(scan_id, QPixmap.fromImage(image))


def _candidate(session: Session, scan_id: int) -> Scan | None:
    """A scan that nobody said anything of and that can be ranked, or None."""
    scan = session.table.scan(scan_id)
    if scan is None or scan.problem or not scan.is_ranked or scan_id in session.read_by_others:
        return None
    return scan if session.table.verdict(scan_id).state is State.UNSEEN else None


def _frame(session: Session, scan_id: int) -> int:
    scan = session.table.scan(scan_id)
    return 0 if scan is None else scan.frames // 2
