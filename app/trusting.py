"""Wires what tells how far the desk can be trusted: agreement, evidence, doubts, unlike marks."""

from PySide6.QtCore import QObject, QTimer

from app import strings
from app.controllers.looking_again import LookingAgain
from app.controllers.review import Review
from app.controllers.suggestions import Suggestions
from app.controllers.training import Training
from app.controllers.trust import Trust
from app.jobs import Jobs
from app.models.scan_table import ScanTable
from app.models.training_state import version_lines
from app.models.trust_lines import AgreementLines, version_evidence
from app.session import Session
from app.views.main_window import MainWindow
from nearl_core.types import FROZEN, Decision, Occasion, Ranking, Scan

_REFRESH_AFTER = 10
"""Decisions after which the marked scans are asked about anew: what was unlike may have company."""


class Trusting(QObject):
    """Between the trust controllers and the panels that show what they found."""

    def __init__(
        self,
        *,
        window: MainWindow,
        table: ScanTable,
        jobs: Jobs,
        review: Review,
        suggestions: Suggestions,
        training: Training,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._table = window, table
        self._review, self._suggestions = review, suggestions
        self._session: Session | None = None
        self._since = 0
        self.trust = Trust(jobs, self)
        self.again = LookingAgain(suggestions, self.trust, self)
        panel, again = window.scan.trust, window.scan.again
        panel.wanted.connect(self.trust.set_wanted)
        panel.activate_asked.connect(training.activate)
        again.wanted.connect(self._again_wanted)
        again.scan_chosen.connect(self._open)
        self.trust.agreement.connect(self._agreement)
        self.trust.reliability.connect(panel.show_reliability)
        self.again.lines.connect(again.show_lines)
        self.again.notice.connect(again.show_notice)
        review.saved.connect(self._saved)
        review.scan_changed.connect(self._scan_changed)
        suggestions.ranked.connect(self._ranked)
        suggestions.loaded.connect(self._loaded)
        training.versions_changed.connect(self._versions)

    def open(self, session: Session) -> None:
        """Serve a project."""
        self._session, self._since = session, 0
        self.trust.open(session)
        self.again.open(session)
        self._versions()

    def close(self) -> None:
        """Serve none."""
        self._session = None
        self.trust.close()
        self.again.close()
        self._window.scan.trust.show_versions((), can_change=False)

    def labels_changed(self) -> None:
        """The label set is another one."""
        self.reread()
        self._versions()

    def reread(self) -> None:
        """Decisions came from elsewhere, or read otherwise now."""
        self.trust.reread()
        self.again.weigh()

    def _loaded(self) -> None:
        self._versions()
        self.again.weigh()

    def _agreement(self, lines: AgreementLines) -> None:
        tip = "\n".join(lines.sentences)
        self._window.ranking.agreement.show_agreement(lines.short, lines.course, tip)
        self._window.scan.trust.show_agreement(lines)

    def _versions(self) -> None:
        """Show the versions, what stands behind each, and which one ranks."""
        session, info = self._session, self._suggestions.info
        if session is None:
            return
        versions, can_change = session.versions, not session.read_only
        self._window.training.show_versions(version_lines(versions), can_change=can_change)
        lines = version_evidence(versions, session.label_set)
        self._window.scan.trust.show_versions(lines, can_change=can_change)
        if info is not None:
            name = FROZEN if session.live is None else session.live.id
            text = strings.backbone_and_version(info.backbone, name)
            self._window.status.show_engine(text, info.device_text)

    def _again_wanted(self, wanted: bool) -> None:
        self.again.set_wanted(wanted)
        view = self._window.scan.again.list if wanted else self._window.scan.view
        view.setFocus()

    def _open(self, scan_id: int) -> None:
        """Show a doubted scan; the keys are the scan's again, so that the next one decides."""
        self._review.show(scan_id)
        self._window.scan.view.setFocus()

    def _saved(self, decision: Decision) -> None:
        if decision.occasion is Occasion.REPEAT:
            return  # it measures the reader and never stands
        following = self.again.after(decision.scan_id)
        self.decided(decision)
        settled = decision.undoes is None and not self.again.lists(decision.scan_id)
        if following is not None and settled:  # not a flag or a note
            # Once the queue's next scan is on screen: this one takes its place.
            QTimer.singleShot(0, lambda: self._open(following))

    def decided(self, decision: Decision) -> None:
        """A decision was committed, here or in a grid."""
        self.trust.decided(decision)
        self.again.decided(decision)
        self._since += 1
        if self._since >= _REFRESH_AFTER:
            self._since = 0
            self._suggestions.refresh(self._table.unlike_ids())

    def _scan_changed(self, scan: Scan | None) -> None:
        if scan is not None:
            self._window.scan.again.select(scan.id)

    def _ranked(self, ranking: Ranking) -> None:
        self._table.set_unlike(ranking.scan_id, ranking.unlike)
