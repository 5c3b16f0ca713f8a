"""The reader's own decisions that the others speak against, to be looked at again."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.controllers.suggestions import Suggestions
from app.controllers.trust import Trust
from app.jobs import Job
from app.models.trust_lines import doubt_lines
from app.session import Session
from app.strings import trust_words as words
from nearl_core.learn.evaluate import ENOUGH
from nearl_core.types import Decision, Doubt, State

MOST = 50
_AFTER = 10
"""Decisions between two weighings: each of them costs a fit that leaves every decision out once."""


class LookingAgain(QObject):
    """Keeps the list while the reader looks at it; only the reader's own decisions are in it.

    Attributes:
        lines: The DoubtLines, the most doubtful first.
        notice: Why there are none, or "".
    """

    lines = Signal(object)
    notice = Signal(str)

    def __init__(
        self, suggestions: Suggestions, trust: Trust, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._suggestions, self._trust = suggestions, trust
        self._session: Session | None = None
        self._wanted = False
        self._doubts: tuple[Doubt, ...] = ()
        self._since = 0
        self._job: Job | None = None

    def open(self, session: Session) -> None:
        """Serve a project."""
        self._session = session
        self._doubts = ()
        self.weigh()

    def close(self) -> None:
        """Serve none."""
        self._session = None
        self._doubts = ()
        self.lines.emit(())

    def set_wanted(self, wanted: bool) -> None:
        """Whether the reader looks at the list."""
        self._wanted = wanted
        self.weigh()

    def decided(self, decision: Decision) -> None:
        """A decision was committed; a flag or a note leaves its scan on the list."""
        if decision.undoes is None and decision.scan_id not in self._trust.looked_twice:
            now = {decision.scan_id: decision.id}
            self._doubts = tuple(
                replace(x, decision_id=now.get(x.scan_id, x.decision_id)) for x in self._doubts
            )
        else:
            self._doubts = tuple(x for x in self._doubts if x.scan_id != decision.scan_id)
        self._since += 1
        if self._since >= _AFTER or decision.undoes is not None:
            self.weigh()
        elif self._wanted:
            self._tell()

    def after(self, scan_id: int) -> int | None:
        """The scan to look at once one of the list was decided, or None where it is not on it."""
        if not self._wanted or all(doubt.scan_id != scan_id for doubt in self._doubts):
            return None
        return next((doubt.scan_id for doubt in self._doubts if doubt.scan_id != scan_id), None)

    def weigh(self) -> None:
        """Weigh the decisions anew: the engine, a version or the labels may be other ones."""
        session = self._session
        if session is None or not self._wanted:
            return
        self._since = 0
        if self._job is not None:
            self._job.cancel()  # a newer weighing knows all that this one would
        own = [d for d in session.standing.values() if d.verdict.state is State.LABELLED]
        if self._suggestions.engine is None:
            self._refuse(words.NO_ENGINE)
        elif len(own) < ENOUGH:
            self._refuse(words.TOO_FEW.format(enough=ENOUGH, n=len(own)))
        else:
            if not self._doubts:
                self.notice.emit(words.LOOKING)
            self._job = self._suggestions.look_again(
                tuple(session.standing.values()), done=partial(self._weighed, session)
            )

    def _weighed(self, session: Session, doubts: list[Doubt]) -> None:
        if session is self._session:
            looked = self._trust.looked_twice
            standing = {decision.id for decision in session.standing.values()}
            fresh = (x for x in doubts if x.scan_id not in looked and x.decision_id in standing)
            self._doubts = tuple(fresh)[:MOST]
            self._tell()

    def _tell(self) -> None:
        session = self._session
        if session is None:
            return
        found = {x.scan_id: session.table.scan(x.scan_id) for x in self._doubts}
        names = {scan_id: scan.path.name for scan_id, scan in found.items() if scan is not None}
        decisions = tuple(session.standing.values())
        self.lines.emit(doubt_lines(self._doubts, decisions, names, session.label_set))
        self.notice.emit("" if self._doubts else words.NO_DOUBTS)

    def _refuse(self, why: str) -> None:
        self._doubts = ()
        self.lines.emit(())
        self.notice.emit(why)
