"""What comes next: a scan of the queue, one that comes again unannounced, or a disagreement."""

import random
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.models.reader_lines import said
from app.models.showing import Showing
from app.session import Session
from app.strings import reading_words
from nearl_core.readers import Disagreement
from nearl_core.types import UNSEEN, Decision, Occasion, Shown, Verdict

FEWEST = 100
"""Decisions of a reader below which nothing comes again: a small project is soon remembered."""
AFTER = 20
"""Other decisions between a scan's first and second coming."""
_TRIES = 64

Turn = tuple[int, Showing]


class Agenda(QObject):
    """Says which scan follows and how it is shown.

    A scan that comes again looks like one that nothing was said of: in the queue it stands before
    the scan that would have come, and its suggestion is the one of the first time, for by now the
    model has learned what the reader said of it.

    Attributes:
        chance: What draws the scans that come again.
        settled: The last disagreement of a list has its adjudication.
    """

    settled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self.chance = random.Random()
        self._repeated: set[int] = set()
        self._planned: Decision | None = None
        self._instead: int | None = None
        self._disagreements: list[Disagreement] = []
        self._settled: dict[int, Disagreement] = {}

    def open(self, session: Session | None) -> None:
        """Serve a project, or none."""
        self._session = session
        self._repeated = set() if session is None else set(session.repeated)
        self.forget()

    def forget(self) -> None:
        """Plan anew: what was planned was said in other labels, or elsewhere."""
        self._planned = self._instead = None
        self._disagreements, self._settled = [], {}

    @property
    def planned(self) -> int | None:
        """The scan that will come again next, to be made ready like any other."""
        return None if self._planned is None else self._planned.scan_id

    def shown(self, scan_id: int | None, showing: Showing, *, suggestions: bool) -> None:
        """A scan is about to be on screen; see whether another one comes again after it."""
        session = self._session
        if session is None:
            return
        if showing.occasion is not Occasion.ADJUDICATION:
            self._disagreements = []
        if showing.occasion is Occasion.REPEAT and scan_id is not None:
            instead = self._instead
            session.table.disguise(
                scan_id, before=session.table.next_to_do(None) if instead is None else instead
            )
            self._planned = self._instead = None
            return
        session.table.reveal()
        self._planned = self._draw(session, scan_id, suggestions=suggestions)

    def following(self, after: int) -> Turn | None:
        """The scan to show once one was decided; None where nothing is left to do."""
        session = self._session
        if session is None:
            return None
        if self._disagreements:
            del self._disagreements[0]
            if self._disagreements:
                return self._settle(session)
            self.settled.emit()
        found = session.table.next_to_do(after)
        if found is not None and self._planned is not None:
            self._instead = found
            return self._planned.scan_id, self._again(self._planned, UNSEEN)
        return None if found is None else (found, Showing())

    def decided(self, decision: Decision) -> None:
        """A decision was committed."""
        if decision.occasion is Occasion.REPEAT:
            self._repeated.add(decision.scan_id)
        settled = self._disagreements[:1]
        if settled and settled[0].scan_id == decision.scan_id:
            self._settled[decision.id] = settled[0]

    def restored(self, decision: Decision) -> Turn:
        """What to show once an undo or redo was committed: its scan, or how a round goes on."""
        session = self._session
        if session is not None and decision.undoes in self._settled:
            self._disagreements.insert(0, self._settled.pop(decision.undoes))
            return self._settle(session)
        if decision.redoes is not None and decision.occasion is Occasion.ADJUDICATION:
            self.decided(decision)
            goes_on = decision.id in self._settled
            following = self.following(decision.scan_id) if goes_on else None
            if following is not None:
                return following
        return decision.scan_id, self._seeming(decision)

    def _seeming(self, decision: Decision) -> Showing:
        session = self._session
        first = None if session is None else session.standing.get(decision.scan_id)
        if decision.occasion is not Occasion.REPEAT or first is None:
            return Showing()
        return self._again(first, decision.verdict)

    def adjudicate(self, disagreements: Sequence[Disagreement]) -> Turn | None:
        """Begin to settle disagreements, one after another; the first one's turn."""
        session = self._session
        if session is None or not disagreements:
            return None
        self._disagreements = list(disagreements)
        return self._settle(session)

    def _settle(self, session: Session) -> Turn:
        disagreement = self._disagreements[0]
        settled = disagreement.settled
        words = [
            reading_words.SAID.format(reader=call.reader, said=said(call, session.label_set))
            + (f" “{call.verdict.note}”" if call.verdict.note else "")
            for call in disagreement.said
        ]
        notice = "\n".join((reading_words.ADJUDICATE, *words))
        verdict = UNSEEN if settled is None else settled.verdict
        return disagreement.scan_id, Showing(Occasion.ADJUDICATION, verdict, notice=notice)

    @staticmethod
    def _again(first: Decision, verdict: Verdict) -> Showing:
        return Showing(Occasion.REPEAT, verdict, first.ranking)

    def _draw(self, session: Session, scan_id: int | None, *, suggestions: bool) -> Decision | None:
        standing = session.standing
        few = len(standing) < FEWEST
        if few or session.read_only or self.chance.random() >= session.rules.repeats:
            return None
        known = set(session.label_set.ids)

        def fits(first: Decision) -> bool:
            scan = session.table.scan(first.scan_id)
            top = first.ranking.labels[:1] if first.ranking is not None else ()
            return (
                first.verdict.state.is_decided
                and first.shown is not Shown.IMPORTED
                and first.occasion is Occasion.SINGLE
                and first.scan_id not in self._repeated
                and first.scan_id != scan_id
                and scan is not None
                and not scan.problem
                and (
                    not suggestions
                    or first.scan_id in session.read_by_others  # none shows, now as then
                    or any(entry.label_id in known for entry in top)
                )
            )

        old = list(standing.values())[:-AFTER]
        tried = self.chance.sample(old, min(_TRIES, len(old)))
        return next((first for first in tried if fits(first)), None)
