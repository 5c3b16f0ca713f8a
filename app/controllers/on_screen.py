"""The scan on screen: what is seen of it, what was begun to be said, what is recorded."""

import time
from dataclasses import replace

from app.controllers.apart import Apart
from app.controllers.suggestions import Suggestions
from app.models import showing as turns
from app.models.draft import Draft
from app.models.panel import Panel, build_panel, empty_panel
from app.models.showing import Blinds, Showing
from app.session import Session
from nearl_core import suggesting
from nearl_core.types import (
    UNSEEN,
    Decision,
    NewDecision,
    Occasion,
    Ranking,
    Scan,
    Shown,
    Verdict,
)


class OnScreen:
    """State of one scan's turn.

    Attributes:
        session, scan: What is open and what is on screen; None for nothing.
        showing: How the scan came here.
        draft: What the reader has begun to say.
        contrast: Whether the reader's own call and the suggestion stand side by side.
        visible: Whether the reader wants to see suggestions at all.
        frames: The frames that were seen.
        frame: The one that was seen last.
        ended: Whether it stays only because it was the last one: a key that comes once too often
            must not say something else of it.
        seen: Whether any picture of the scan was on screen, be it a coarse one.
    """

    def __init__(self, suggestions: Suggestions, apart: Apart) -> None:
        self._suggestions, self._apart = suggestions, apart
        self._blinds = Blinds()
        self._shown_at = 0.0
        self.session: Session | None = None
        self.scan: Scan | None = None
        self.visible = True
        self.frames: set[int] = set()
        self.frame = 0
        self.seen = self.ended = False
        self.put(None, Showing())

    def open(self, session: Session | None) -> None:
        """Serve a project, or none."""
        self.session, self.scan = session, None
        self._blinds = Blinds()
        if session is not None:
            self._blinds = Blinds(session.rules.blind_first, session.read_by_others)

    def put(self, scan: Scan | None, showing: Showing) -> None:
        """Begin a scan's turn."""
        self.scan, self.showing = scan, showing
        settles = showing.occasion is Occasion.ADJUDICATION
        self._apart.want(scan.id if scan is not None and settles else None)
        if scan is not None and showing.verdict is not None:
            self._blinds.lifted.discard(scan.id)  # it looks as if it were new
        self.clear()
        self.frames = set()
        self.seen = self.ended = False
        self._shown_at = time.monotonic()

    def saw(self, frame: int) -> None:
        """A frame was on screen."""
        self.frames.add(frame)
        self.frame, self.seen = frame, True

    def end(self) -> None:
        """It was decided, and nothing follows."""
        self.clear()
        self.ended = True

    def clear(self) -> None:
        """Forget what was begun to be said."""
        self.draft, self.contrast = Draft(), False

    def take_rules(self) -> None:
        """The project is read by other rules, or others turn out to have read more of it."""
        if self.session is not None:
            self._blinds.everywhere = self.session.rules.blind_first
            self._blinds.read_by_others = self.session.read_by_others

    # --- what is seen ----------------------------------------------------------------------

    @property
    def verdict(self) -> Verdict:
        """What stands of the scan, as far as the reader is to know."""
        if self.session is None or self.scan is None:
            return UNSEEN
        seeming = self.showing.verdict
        return self.session.table.verdict(self.scan.id) if seeming is None else seeming

    @property
    def ranking(self) -> Ranking | None:
        """What is suggested, whether it may be seen yet or not; None if none is wanted."""
        return self._said if self.visible else None

    @property
    def _said(self) -> Ranking | None:
        """What the model says, kept with each decision: so blind ones put it to the test too."""
        if self.scan is None or self._blinds.echoes(self.scan.id, self.showing):
            return None
        found = self._suggestions.ranking(self.scan.id)
        if self.showing.occasion is Occasion.ADJUDICATION and found is not None and found.labels:
            found = self._apart.ranking
        return self.showing.ranking or found

    @property
    def is_blind(self) -> bool:
        """Whether the suggestion is not to be seen, or not yet."""
        scan = self.scan
        return scan is not None and self._blinds.hide(scan.id, self.showing, self.verdict)

    @property
    def offered(self) -> Verdict | None:
        """What is suggested and may be seen, as Enter takes it."""
        if self.session is None or self.is_blind:
            return None
        return suggesting.offered(self.ranking, self.session.label_set)

    def toggled(self, label_id: str) -> frozenset[str]:
        """What is chosen once a label's key was pressed, where a scan can have several.

        It begins with what was chosen, or stands; of a scan that is not decided yet with what is
        suggested, which is marked before the key is pressed.
        """
        assert self.session is not None
        chosen, verdict, ranking = self.draft.pending, self.verdict, self.ranking
        if chosen is None:
            chosen = frozenset(verdict.labels)
            decided = verdict.state.is_decided
            if not decided and ranking is not None and self.offered is not None:
                chosen = suggesting.chosen(ranking, self.session.label_set)
        return suggesting.toggled(chosen, label_id, self.session.label_set)

    def panel(self) -> Panel:
        """All of it, to be shown."""
        session, scan = self.session, self.scan
        if session is None or scan is None:
            return Panel() if session is None else empty_panel(session.label_set)
        ranking, verdict, blind = self.ranking, self.verdict, self.is_blind
        was, standing = session.again.get(scan.id), session.standing.get(scan.id)
        if self.showing.verdict is not None:
            was = standing = None
        if ranking is not None and not blind:
            self._blinds.lifted.add(scan.id)
        panel = build_panel(
            session.label_set,
            verdict,
            self.draft,
            ranking=ranking,
            suggestions=self.visible and not blind,
            can_decide=not session.read_only,
            awaited=scan.problem or self._suggestions.waiting_for,
            said_before="" if was is None else was.labels,
            not_asked=() if standing is None else standing.unasked,
            of_this=self._lessons_of_this(session, scan),
            others=bool(session.read_by_others),
        )
        if blind and self.visible:
            panel = replace(panel, notice=self._blinds.why(scan.id))
        elif self.contrast and ranking is not None:
            panel = turns.contrasted(panel, ranking, verdict, session.label_set)
        return replace(panel, notice=self.showing.notice or panel.notice)

    def _lessons_of_this(self, session: Session, scan: Scan) -> int:
        """How much of what the ranking learned from was said of this scan.

        A repeat keeps its ranking, and an adjudication's learned from the other scans alone.
        """
        other_turn = self.showing.occasion in (Occasion.REPEAT, Occasion.ADJUDICATION)
        return 0 if other_turn or self.showing.ranking is not None else session.lessons_of(scan.id)

    # --- what is recorded ------------------------------------------------------------------

    def decision(self, verdict: Verdict) -> NewDecision | None:
        """A verdict with what was on screen; None where nothing is."""
        session, scan, ranking = self.session, self.scan, self._said
        if session is None or scan is None:
            return None
        seen = self.visible and not self.is_blind and ranking is not None and bool(ranking.labels)
        return NewDecision(
            scan_id=scan.id,
            reader=session.reader,
            verdict=verdict,
            ranking=ranking,
            shown=Shown.VISIBLE if seen else Shown.BLIND,
            milliseconds=round(1000 * (time.monotonic() - self._shown_at)),
            frames_shown=tuple(sorted(self.frames)),
            occasion=self.showing.occasion,
        )

    def addition(self, verdict: Verdict) -> NewDecision | None:
        """What stands with something added to it: its labels were decided before."""
        new, session = self.decision(verdict), self.session
        if new is None or session is None or self.showing.verdict is not None:
            return new
        standing, was = session.standing.get(new.scan_id), session.again.get(new.scan_id)
        if standing is not None:
            return replace(new, adds_to=standing.id)
        return new if was is None else replace(new, adds_to=was.decision_id)

    def is_contradicted(self, said: NewDecision | Decision) -> bool:
        """Whether a call that was made blind is to be held against another suggestion."""
        if self.session is None or not self.visible or said.shown is not Shown.BLIND:
            return False
        return turns.contradicts(said.ranking, said.verdict, self.session.label_set)

    def stay(self, decision: Decision) -> None:
        """Go on showing the scan, of which something was said."""
        if self.showing.verdict is not None:
            self.showing = replace(self.showing, verdict=decision.verdict)
        self.contrast = self.is_contradicted(decision)
        if self.contrast:  # by now the model learned the call: what it said before is what counts
            self.showing = replace(self.showing, ranking=decision.ranking)
        self.draft = Draft(confidence=self.draft.confidence)
