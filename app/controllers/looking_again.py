"""Own decisions and imported labels that the others speak against, to be looked at again."""

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
from nearl_core.readers import calls_or_taken_in, can_teach, confirmed
from nearl_core.types import Decision, Doubt

MOST = 50
_AFTER = 10
"""Decisions between two weighings: each of them costs a fit that leaves every decision out once."""


class LookingAgain(QObject):
    """Keeps the list while the reader looks at it.

    In it are the reader's own decisions and, of scans that they did not decide, what was imported.
    What other readers say is neither listed nor weighed.

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
        """A decision was committed; a flag or a note leaves its scan on the list.

        (A flag on a scan that nothing was said of defers it, which decides nothing.)
        """
        if self._settles(decision):
            self._doubts = tuple(x for x in self._doubts if x.scan_id != decision.scan_id)
        elif decision.verdict.state.is_decided:
            now = {decision.scan_id: decision.id}
            self._doubts = tuple(
                replace(x, decision_id=now.get(x.scan_id, x.decision_id)) for x in self._doubts
            )
        self._since += 1
        if self._since >= _AFTER or decision.undoes is not None:
            self.weigh()
        elif self._wanted:
            self._tell()

    def lists(self, scan_id: int) -> bool:
        """Whether a scan is on the list."""
        return any(doubt.scan_id == scan_id for doubt in self._doubts)

    def after(self, scan_id: int) -> int | None:
        """The scan to look at once one of the list was decided, or None where it is not on it."""
        if not self._wanted or not self.lists(scan_id):
            return None
        return next((doubt.scan_id for doubt in self._doubts if doubt.scan_id != scan_id), None)

    def _settles(self, decision: Decision) -> bool:
        """Whether a doubt of the scan is answered: decided anew, or what was imported of it is."""
        scan_id, session = decision.scan_id, self._session
        if decision.undoes is not None or scan_id in self._trust.looked_twice or session is None:
            return True
        taken = session.taken_in.get(scan_id)
        doubted = {doubt.decision_id for doubt in self._doubts}
        return taken is not None and taken.id in doubted and decision.verdict.state.is_decided

    def weigh(self) -> None:
        """Weigh the decisions anew: the engine, a version or the labels may be other ones."""
        session = self._session
        if session is None or not self._wanted:
            return
        self._since = 0
        if self._job is not None:
            self._job.cancel()  # a newer weighing knows all that this one would
        weighed = _weighed_of(session)
        if self._suggestions.engine is None:
            self._refuse(words.NO_ENGINE)
        elif len(weighed) < ENOUGH:
            self._refuse(words.TOO_FEW.format(enough=ENOUGH, n=len(weighed)))
        else:
            if not self._doubts:
                self.notice.emit(words.LOOKING)
            self._job = self._suggestions.look_again(weighed, done=partial(self._weighed, session))

    def _weighed(self, session: Session, doubts: list[Doubt]) -> None:
        if session is self._session:
            alike = confirmed(session.standing.values(), session.taken_in)
            settled = self._trust.looked_twice | alike
            standing = {decision.id for decision in _weighed_of(session)}
            fresh = (x for x in doubts if x.scan_id not in settled and x.decision_id in standing)
            self._doubts = tuple(fresh)[:MOST]
            self._tell()

    def _tell(self) -> None:
        session = self._session
        if session is None:
            return
        found = {x.scan_id: session.table.scan(x.scan_id) for x in self._doubts}
        names = {scan_id: scan.name for scan_id, scan in found.items() if scan is not None}
        weighed, labels = _weighed_of(session), session.label_set
        lines = doubt_lines(self._doubts, weighed, names, labels, session.sources)
        self.lines.emit(lines)
        self.notice.emit("" if self._doubts else words.NO_DOUBTS)

    def _refuse(self, why: str) -> None:
        self._doubts = ()
        self.lines.emit(())
        self.notice.emit(why)


def _weighed_of(session: Session) -> tuple[Decision, ...]:
    """The reader's calls that teach something, and what was imported of all other scans.

    Not where a scan is read before anything is said of it: what was imported would say something.
    """
    taken = {} if session.rules.blind_first else session.taken_in
    every = calls_or_taken_in(session.standing.values(), taken)
    return tuple(found for found in every if can_teach(found.verdict, session.label_set))
