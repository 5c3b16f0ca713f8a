"""How far suggestions can be believed, by what became of them: kept up with each decision."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.jobs import Job, Jobs, Priority
from app.models.trust_lines import ReliabilityLines, agreement_lines, reliability_lines
from app.session import Session
from nearl_core.control import RunControl
from nearl_core.learn import evaluate, prequential
from nearl_core.learn.prequential import Outcome
from nearl_core.types import Decision, ReaderRecord, Reliability, State, Verdict


class Trust(QObject):
    """The record of the reader's decisions and of what was suggested before each.

    Attributes:
        agreement: AgreementLines.
        reliability: ReliabilityLines; worked out, like label by label, only while wanted.
    """

    agreement = Signal(object)
    reliability = Signal(object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._session: Session | None = None
        self._firsts: dict[int, Decision] = {}
        self._answered: set[int] = set()
        self._outcomes: list[Outcome] = []
        self._twice: set[int] = set()
        self._said: dict[int, Verdict] = {}
        self._wanted = False
        self._job: Job | None = None
        self._reading: Job | None = None

    @property
    def looked_twice(self) -> set[int]:
        """Scans that the reader decided anew."""
        return self._twice

    def open(self, session: Session) -> None:
        """Serve a project: read what was decided so far."""
        self._session = session
        self._take(session, ReaderRecord())
        self._read(session)

    def close(self) -> None:
        """Serve none."""
        self._session = None

    def set_wanted(self, wanted: bool) -> None:
        """Whether the reader looks at more than the line above the labels."""
        self._wanted = wanted
        if wanted:
            self._tell()

    def reread(self) -> None:
        """Decisions came from elsewhere, or are read through other labels."""
        if self._session is not None:
            self._read(self._session)

    def decided(self, decision: Decision) -> None:
        """A decision was committed."""
        session = self._session
        if session is None:
            return
        if decision.undoes is not None or decision.redoes is not None:
            self._read(session)
            return
        before, after = self._said.get(decision.scan_id), decision.verdict
        if before is not None and _anew(before, after):
            self._twice.add(decision.scan_id)
        self._said[decision.scan_id] = after
        told = session.is_taught_by_others(decision.scan_id)
        if after.state.says_labels and decision.scan_id not in self._answered and not told:
            self._answered.add(decision.scan_id)
            self._firsts[decision.scan_id] = decision
            self._outcomes += prequential.outcomes((decision,), session.label_set)
            self._tell()

    def _read(self, session: Session) -> None:
        project, reader = session.project, session.reader

        def work(_control: RunControl) -> ReaderRecord:
            from nearl_core.store import record

            return record.of_reader(project, reader)

        if self._reading is not None:
            self._reading.cancel()  # many are undone together: the last reading has it all
        self._reading = self._jobs.store.submit(
            work, done=partial(self._take, session), priority=Priority.BACKGROUND
        )

    def _take(self, session: Session, record: ReaderRecord) -> None:
        if session is not self._session:
            return
        self._firsts = {decision.scan_id: decision for decision in record.firsts}
        self._answered = set(record.answered)
        self._twice = set(record.looked_twice)
        self._said = {i: decision.verdict for i, decision in session.standing.items()}
        self._outcomes = [*prequential.outcomes(record.firsts, session.label_set)]
        self._tell()

    def _tell(self) -> None:
        session = self._session
        if session is None:
            return
        labels = session.label_set
        self.agreement.emit(agreement_lines(self._outcomes, labels, label_by_label=self._wanted))
        self._weigh()

    def _weigh(self) -> None:
        """Work the reliability plot out, away from the window: its chance is simulated."""
        session = self._session
        if self._job is not None:
            self._job.cancel()
            self._job = None
        if session is None or not self._wanted:
            return
        firsts = tuple(found for found in self._firsts.values() if prequential.is_test(found))
        label_set = session.label_set

        def work(_control: RunControl) -> Reliability:
            return evaluate.reliability(*evaluate.said_before(firsts, label_set))

        self._job = self._jobs.learning.submit(
            work, done=partial(self._weighed, session), priority=Priority.BACKGROUND
        )

    def _weighed(self, session: Session, found: Reliability) -> None:
        if session is self._session:
            lines: ReliabilityLines = reliability_lines(found, enough=evaluate.ENOUGH)
            self.reliability.emit(lines)


def _anew(before: Verdict, after: Verdict) -> bool:
    # As `store.record` says it of what was decided earlier.
    if before.state is State.DEFERRED:
        return False
    return before.call != after.call or before == after
