"""Deciding: one scan on screen, one key, one committed decision, the next scan."""

import time
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app import strings
from app.controllers.recording import Recording
from app.controllers.suggestions import Suggestions
from app.jobs import Jobs, Priority
from app.models.draft import Draft
from app.models.panel import Panel, build_panel, empty_panel
from app.session import Session
from nearl_core.errors import NearlError
from nearl_core.types import (
    UNSEEN,
    Confidence,
    Decision,
    NewDecision,
    Ranking,
    Scan,
    Shown,
    State,
    Verdict,
)

AHEAD = (1, 2, 3, -1)
"""Rows around the scan on screen that are made ready while the reader looks."""


class Review(QObject):
    """Which scan is on screen and what the reader says of it.

    Attributes:
        scan_changed: The Scan on screen, or None.
        panel_changed: The Panel for it.
        saved: A Decision that was committed.
        message: A sentence for the status bar.
    """

    scan_changed = Signal(object)
    panel_changed = Signal(object)
    saved = Signal(object)
    message = Signal(str)

    def __init__(self, jobs: Jobs, suggestions: Suggestions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._relay = jobs.relay
        self._recording = Recording(jobs, self)
        self._recording.committed.connect(self._committed)
        self._recording.restored.connect(self._restored)
        self._recording.refused.connect(self._refused)
        self._suggestions = suggestions
        self._session: Session | None = None
        self._scan: Scan | None = None
        self._draft = Draft()
        self._visible = True
        self._shown_at = 0.0
        self._frames: list[int] = []
        suggestions.ranked.connect(self._ranked)
        suggestions.learned.connect(self._learned)

    # --- which scan ------------------------------------------------------------------------

    @property
    def scan(self) -> Scan | None:
        """The scan on screen."""
        return self._scan

    @property
    def is_saving(self) -> bool:
        """Whether a decision is on its way to the disk."""
        return self._recording.is_busy

    def open(self, session: Session) -> None:
        """Begin with the first scan that waits for a decision, else the first."""
        self._session = session
        self._recording.open(session)
        first = session.table.next_to_do(None)
        if first is None:
            first = session.table.id_at(0)
        self.show(first)

    def close(self) -> None:
        """No project is open."""
        self._session = None
        self._scan = None
        self._recording.open(None)

    def show(self, scan_id: int | None) -> None:
        """Put a scan on screen."""
        session = self._session
        if session is None:
            return
        self._scan = None if scan_id is None else session.table.scan(scan_id)
        self._draft = Draft()
        self._frames = []
        self._shown_at = time.monotonic()
        self.scan_changed.emit(self._scan)
        self._tell()
        self._make_ready()

    def step(self, rows: int) -> None:
        """Go so many rows down (or, negative, up) the queue."""
        session = self._session
        if session is None:
            return
        if self._scan is None:
            self.show(session.table.id_at(0))
            return
        found = session.table.neighbours(self._scan.id, (rows,))
        if found:
            self.show(found[0])
        else:
            self.message.emit(strings.QUEUE_END if rows > 0 else strings.QUEUE_BEGIN)

    def next_to_do(self) -> None:
        """Go to the next scan that waits for a decision."""
        session = self._session
        if session is None:
            return
        found = session.table.next_to_do(None if self._scan is None else self._scan.id)
        if found is None:
            self.message.emit(strings.ALL_DECIDED)
        else:
            self.show(found)

    def saw_frame(self, frame: int) -> None:
        """A frame of the scan was on screen."""
        if frame not in self._frames:
            self._frames.append(frame)

    # --- deciding --------------------------------------------------------------------------

    def press_label(self, place: int) -> None:
        """A label's key: decide (exclusive sets), or toggle (multi-label sets)."""
        session = self._session
        if session is None or not self._may_decide():
            return
        labels = session.label_set.labels
        if place >= len(labels):
            self.message.emit(strings.NO_SUCH_LABEL)
            return
        label_id = labels[place].id
        if not session.label_set.multi_label:
            self._say(State.LABELLED, (label_id,))
            return
        before = self._draft.pending
        chosen = frozenset(self._verdict().labels) if before is None else before
        self._draft = replace(self._draft, pending=chosen ^ {label_id})
        self._tell()

    def accept(self) -> None:
        """Enter: record what was toggled, else accept the top suggestion."""
        session = self._session
        if session is None or not self._may_decide():
            return
        pending = self._draft.pending
        if pending is not None:
            labels = tuple(i for i in session.label_set.ids if i in pending)
            if labels:
                self._say(State.LABELLED, labels)
            else:
                self.message.emit(strings.NOTHING_TOGGLED)
            return
        ranking = self._ranking_on_screen()
        if ranking is None or not ranking.labels:
            self.message.emit(strings.NOTHING_TO_ACCEPT)
            return
        self._say(State.LABELLED, (ranking.labels[0].label_id,))

    def say(self, state: State) -> None:
        """Defer, none applies, or unassessable; then go on."""
        if self._may_decide():
            self._say(state)

    def toggle_confidence(self, confidence: Confidence) -> None:
        """P, U: of a decided scan, say how sure it is; else the next decision will be."""
        if not self._may_decide():
            return
        verdict, draft = self._verdict(), self._draft
        said = draft.confidence_on(verdict)
        wanted = Confidence.DEFINITE if said is confidence else confidence
        if verdict.state is State.LABELLED and draft.pending is None:
            self._record(replace(verdict, confidence=wanted), go_on=False)
        else:
            self._draft = replace(draft, confidence=wanted)
            self._tell()

    def draft_note(self, text: str) -> None:
        """The note is being typed: it goes with the next decision, if it is not saved before."""
        self._draft = replace(self._draft, note=text)

    def save_note(self) -> None:
        """Save the note that was typed; a scan that nothing was said of is deferred."""
        verdict, draft = self._verdict(), self._draft
        if draft.note is None or draft.note_on(verdict) == verdict.note:
            self.drop_note()
        elif self._may_decide():
            self._record(replace(_said(verdict), note=draft.note_on(verdict)), go_on=False)

    def drop_note(self) -> None:
        """Forget what was typed."""
        self._draft = replace(self._draft, note=None)
        self._tell()

    def toggle_flag(self) -> None:
        """F: flag the scan, or take the flag off; one that nothing was said of is deferred."""
        if not self._may_decide():
            return
        verdict = self._verdict()
        note = self._draft.note_on(verdict)
        self._record(replace(_said(verdict), flagged=not verdict.flagged, note=note), go_on=False)

    def undo(self) -> None:
        """Take the last decision back, wherever it was, and go there."""
        self._restore(back=True)

    def redo(self) -> None:
        """Take the last undo back."""
        self._restore(back=False)

    def _restore(self, *, back: bool) -> None:
        if self._session is not None and self._session.read_only:
            self.message.emit(strings.READ_ONLY_REFUSED)
        else:
            self._recording.restore(back=back)

    # --- showing ---------------------------------------------------------------------------

    def show_suggestions(self, visible: bool) -> None:
        """Show or hide the bars; decisions then say whether they were blind."""
        self._visible = visible
        self._tell()

    def reload(self) -> None:
        """The label set or the version changed: show the scan on screen anew."""
        self._draft = replace(self._draft, pending=None)
        self._tell()
        self._make_ready()

    def around(self) -> list[int]:
        """The scan on screen and those that come next."""
        session, scan = self._session, self._scan
        if session is None or scan is None:
            return []
        return [scan.id, *self.ahead()]

    def ahead(self) -> list[int]:
        """The scans that come next: by decision, by arrow key."""
        session, scan = self._session, self._scan
        if session is None or scan is None:
            return []
        found: list[int] = []
        place: int | None = scan.id
        for _ in range(2):
            place = session.table.next_to_do(place)
            if place is None:
                break
            found.append(place)
        found += session.table.neighbours(scan.id, AHEAD)
        return [scan_id for scan_id in dict.fromkeys(found) if scan_id != scan.id]

    # --- inside ----------------------------------------------------------------------------

    def _verdict(self) -> Verdict:
        session, scan = self._session, self._scan
        return UNSEEN if session is None or scan is None else session.table.verdict(scan.id)

    def _may_decide(self) -> bool:
        session = self._session
        if session is None or self._scan is None or self._recording.is_busy:
            return False
        if session.read_only:
            self.message.emit(strings.READ_ONLY_REFUSED)
            return False
        return True

    def _say(self, state: State, labels: tuple[str, ...] = ()) -> None:
        self._record(self._draft.verdict(self._verdict(), state, labels), go_on=True)

    def _ranking_on_screen(self) -> Ranking | None:
        if self._scan is None or not self._visible:
            return None
        return self._suggestions.ranking(self._scan.id)

    def _record(self, verdict: Verdict, *, go_on: bool) -> None:
        session, scan = self._session, self._scan
        if session is None or scan is None:
            return
        ranking = self._ranking_on_screen()
        seen = ranking is not None and bool(ranking.labels)
        decision = NewDecision(
            scan_id=scan.id,
            reader=session.reader,
            verdict=verdict,
            ranking=ranking,
            shown=Shown.VISIBLE if seen else Shown.BLIND,
            milliseconds=round(1000 * (time.monotonic() - self._shown_at)),
            frames_shown=tuple(sorted(self._frames)),
        )
        self._recording.record(decision, go_on=go_on)

    def _committed(self, decision: Decision, go_on: bool) -> None:
        session = self._session
        if session is None:
            return
        self.saved.emit(decision)
        on_screen = self._scan is not None and self._scan.id == decision.scan_id
        if on_screen and go_on:
            self._go_on(session)
        elif on_screen:
            self._draft = replace(self._draft, note=None)
            self._tell()
        self._suggestions.learn(self.around())

    def _go_on(self, session: Session) -> None:
        assert self._scan is not None
        following = session.table.next_to_do(self._scan.id)
        if following is not None:
            self.show(following)
            return
        self._draft = Draft()
        self._tell()
        self.message.emit(strings.ALL_DECIDED)

    def _restored(self, decision: Decision | None, back: bool) -> None:
        session = self._session
        if session is None:
            return
        if decision is None:
            self.message.emit(strings.NOTHING_TO_UNDO if back else strings.NOTHING_TO_REDO)
            return
        self.saved.emit(decision)
        self.show(decision.scan_id)
        template = strings.UNDONE if back else strings.REDONE
        self.message.emit(template.format(state=session.table.detail(decision.scan_id)))
        self._suggestions.learn(self.around())

    def _refused(self, error: NearlError) -> None:
        self._tell()
        self._relay.trouble.emit(error)

    def _make_ready(self) -> None:
        session, scan = self._session, self._scan
        if session is None or scan is None:
            return
        if not scan.problem:
            self._suggestions.want((scan,), Priority.SCREEN)
        others = (session.table.scan(scan_id) for scan_id in self.ahead())
        ready = [other for other in others if other is not None and not other.problem]
        self._suggestions.want(ready, Priority.PREFETCH)
        self._suggestions.refresh((scan.id,))

    def _ranked(self, ranking: Ranking) -> None:
        if self._scan is not None and ranking.scan_id == self._scan.id:
            self._tell()

    def _learned(self) -> None:
        self._tell()

    def _tell(self) -> None:
        session, scan = self._session, self._scan
        if session is None or scan is None:
            self.panel_changed.emit(Panel() if session is None else empty_panel(session.label_set))
            return
        ranking = self._suggestions.ranking(scan.id)
        self.panel_changed.emit(
            build_panel(
                session.label_set,
                self._verdict(),
                self._draft,
                ranking=ranking,
                suggestions=self._visible,
                can_decide=not session.read_only,
                awaited=scan.problem or self._suggestions.waiting_for,
            )
        )


def _said(verdict: Verdict) -> Verdict:
    """A verdict that can be recorded: a scan that nothing was said of is deferred."""
    return replace(verdict, state=State.DEFERRED) if verdict.state is State.UNSEEN else verdict
