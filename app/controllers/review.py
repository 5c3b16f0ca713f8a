"""Deciding: one scan on screen, one key, one committed decision, the next scan."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app import strings
from app.controllers.agenda import Agenda
from app.controllers.apart import Apart
from app.controllers.on_screen import OnScreen
from app.controllers.recording import Recording
from app.controllers.suggestions import Suggestions
from app.jobs import Jobs, Priority
from app.models.draft import WHOLE, Draft
from app.models.showing import Showing
from app.models.trail import Trail
from app.session import Session
from nearl_core import suggesting
from nearl_core.types import (
    Confidence,
    Decision,
    Occasion,
    Ranking,
    Scan,
    State,
    Verdict,
)

AHEAD = (1, 2, 3, -1)
"""Rows around the scan on screen that are made ready while the reader looks."""


class Review(QObject):
    """Which scan is on screen and what the reader says of it.

    Attributes:
        agenda: What comes next.
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
        self._recording = Recording(jobs, self)
        self._recording.committed.connect(self._committed)
        self._recording.restored.connect(self._restored)
        self._recording.refused.connect(self._tell)
        self._recording.refused.connect(jobs.relay.trouble)
        self._suggestions = suggestions
        self.agenda = Agenda(self)
        apart = Apart(jobs, suggestions, self)
        apart.came.connect(self._tell)
        self._on = OnScreen(suggestions, apart)
        self._trail = Trail()
        suggestions.ranked.connect(self._ranked)
        suggestions.learned.connect(self._tell)

    # --- which scan ------------------------------------------------------------------------

    @property
    def scan(self) -> Scan | None:
        """The scan on screen."""
        return self._on.scan

    @property
    def named_frame(self) -> int | None:
        """The frame that the standing decision names."""
        return self._on.verdict.frame

    @property
    def is_saving(self) -> bool:
        """Whether a decision is on its way to the disk."""
        return self._recording.is_busy

    def open(self, session: Session) -> None:
        """Begin with the first scan that waits for a decision, else the first."""
        for part in (self._on, self._recording, self.agenda):
            part.open(session)
        self._trail = Trail()
        first = session.table.next_to_do(None)
        if first is None:
            first = session.table.id_at(0)
        self.show(first)

    def close(self) -> None:
        """No project is open."""
        for part in (self._on, self._recording, self.agenda):
            part.open(None)

    def show(self, scan_id: int | None, showing: Showing | None = None) -> None:
        """Put a scan on screen, as one of the queue unless another turn is given."""
        session, turn = self._on.session, showing or Showing()
        if session is None:
            return
        self.agenda.shown(scan_id, turn, suggestions=self._on.visible)
        self._on.put(None if scan_id is None else session.table.scan(scan_id), turn)
        self.scan_changed.emit(self._on.scan)
        self._tell()
        self.make_ready()

    def step(self, rows: int) -> None:
        """Go so many rows down (or, negative, up) the queue.

        In an order that changes, up is the scan that was decided before: its row is far away.
        """
        session = self._on.session
        if session is None:
            return
        if self._on.scan is None:
            self.show(session.table.id_at(0))
            return
        way = self._trail.step(rows, self._on.scan.id) if session.table.is_ordered else None
        found = session.table.neighbours(self._on.scan.id, (rows,)) if way is None else [way]
        if found:
            self.show(found[0])
        else:
            self.message.emit(strings.QUEUE_END if rows > 0 else strings.QUEUE_BEGIN)

    def next_to_do(self) -> None:
        """Go to the next scan that waits for a decision."""
        session = self._on.session
        if session is None:
            return
        found = session.table.next_to_do(None if self._on.scan is None else self._on.scan.id)
        if found is None:
            self.message.emit(strings.ALL_DECIDED)
        else:
            self.show(found)

    def saw_frame(self, frame: int) -> None:
        """A frame of the scan was on screen."""
        self._on.saw(frame)

    def saw_coarse(self) -> None:
        """Something of the scan was on screen, which tells no frame's details."""
        self._on.seen = True

    # --- deciding --------------------------------------------------------------------------

    def press_label(self, place: int) -> None:
        """A label's key: decide (exclusive sets), or toggle (multi-label sets)."""
        session = self._on.session
        if session is None or not self._may_read():
            return
        labels = session.label_set.labels
        if place >= len(labels):
            self.message.emit(strings.NO_SUCH_LABEL)
            return
        label_id = labels[place].id
        if not session.label_set.multi_label:
            self._say(State.LABELLED, (label_id,))
            return
        self._on.draft = replace(self._on.draft, pending=self._on.toggled(label_id))
        self._tell()

    def accept(self) -> None:
        """Enter: record what was chosen, keep an own call, else accept what is suggested."""
        session = self._on.session
        if session is None or not self._may_read():
            return
        pending = self._on.draft.pending
        if pending is not None:
            labels = suggesting.named(pending, session.label_set)
            if labels:
                self._say(State.LABELLED, labels)
            else:
                self.message.emit(strings.NOTHING_TOGGLED)
            return
        if self._on.contrast:
            self._record(self._on.draft.kept(self._on.verdict), go_on=True)
            return
        offer = self._on.offered
        if offer is None:
            self.message.emit(strings.NOTHING_TO_ACCEPT)
        else:
            self._say(offer.state, offer.labels)

    def can_say(self) -> bool:
        """Whether there is a scan of which something can be said; the reader is told why not."""
        session = self._on.session
        if session is not None and session.read_only:
            self.message.emit(strings.READ_ONLY_REFUSED)
            return False
        return self._on.scan is not None

    def say(self, state: State) -> None:
        """Defer, none applies, or unassessable; then go on."""
        allowed = self._may_read() if state is State.NONE_APPLY else self._may_decide()
        if not allowed:
            return
        if state is State.DEFERRED and self._on.showing.occasion is Occasion.ADJUDICATION:
            self._go_on()  # it stays open
        else:
            self._say(state)

    def toggle_confidence(self, confidence: Confidence) -> None:
        """P, U: of a decided scan, say how sure it is; else the next decision will be."""
        if not self._may_decide():
            return
        verdict, draft = self._on.verdict, self._on.draft
        said = draft.confidence_on(verdict)
        wanted = Confidence.DEFINITE if said is confidence else confidence
        self._add_to_call(replace(verdict, confidence=wanted), replace(draft, confidence=wanted))

    def name_frame(self) -> None:
        """J: of a decided stack, name the frame on screen, or none; else the next decision will."""
        if not self._may_read():
            return
        verdict, draft, frame = self._on.verdict, self._on.draft, self._on.frame
        taken_off = draft.frame_on(verdict) == frame
        named = replace(verdict, frame=None if taken_off else frame)
        self._add_to_call(named, replace(draft, frame=WHOLE if taken_off else frame))

    def toggle_flag(self) -> None:
        """F: flag the scan, or take the flag off; one that nothing was said of is deferred."""
        if self._may_decide():
            self._add(replace(self._on.draft, flagged=not self._on.draft.flag_on(self._on.verdict)))

    def draft_note(self, text: str) -> None:
        """The note is being typed: it goes with the next decision, if it is not saved before."""
        self._on.draft = replace(self._on.draft, note=text)

    def save_note(self) -> None:
        """Save the note that was typed; a scan that nothing was said of is deferred."""
        verdict, draft = self._on.verdict, self._on.draft
        if draft.note is None or draft.note_on(verdict) == verdict.note:
            self.drop_note()
        elif self._may_decide():
            self._add(draft)

    def drop_note(self) -> None:
        """Forget what was typed."""
        self._on.draft = replace(self._on.draft, note=None)
        self._tell()

    def undo(self) -> None:
        """Take the last decision back, wherever it was, and go there."""
        self._restore(back=True)

    def redo(self) -> None:
        """Take the last undo back."""
        self._restore(back=False)

    def _restore(self, *, back: bool) -> None:
        if self._on.session is not None and self._on.session.read_only:
            self.message.emit(strings.READ_ONLY_REFUSED)
        else:
            self._recording.restore(back=back)

    # --- showing ---------------------------------------------------------------------------

    def show_suggestions(self, visible: bool) -> None:
        """Show or hide the bars; decisions then say whether they were blind."""
        self._on.visible = visible
        self._tell()

    def reload(self) -> None:
        """The version or the rules changed: show the scan on screen anew."""
        self._on.take_rules()
        self._on.draft = replace(self._on.draft, pending=None)
        self._tell()
        self.make_ready()

    def labels_changed(self) -> None:
        """Other labels: the scan stays, but for what was said of it in the labels of before."""
        self.agenda.forget()
        if self._on.scan is not None and self._on.showing != Showing():
            self.show(self._on.scan.id)
        self.reload()

    def around(self) -> list[int]:
        """The scan on screen and those that come next."""
        session, scan = self._on.session, self._on.scan
        if session is None or scan is None:
            return []
        return [scan.id, *self.ahead()]

    def ahead(self) -> list[int]:
        """The scans that come next: by decision, by arrow key."""
        session, scan = self._on.session, self._on.scan
        if session is None or scan is None:
            return []
        planned = self.agenda.planned
        found = [] if planned is None else [planned]
        found += session.table.coming_after(scan.id, 2)
        found += session.table.neighbours(scan.id, AHEAD)
        return [scan_id for scan_id in dict.fromkeys(found) if scan_id != scan.id]

    def make_ready(self) -> None:
        """Have the scan on screen ranked, then those that come next."""
        session, scan = self._on.session, self._on.scan
        if session is None or scan is None:
            return
        if not scan.problem:
            self._suggestions.want((scan,), Priority.SCREEN)
        others = (session.table.scan(scan_id) for scan_id in self.ahead())
        ready = [other for other in others if other is not None and not other.problem]
        self._suggestions.want(ready, Priority.PREFETCH)
        self._suggestions.refresh((scan.id,))

    # --- inside ----------------------------------------------------------------------------

    def _may_decide(self) -> bool:
        return not self._recording.is_busy and self.can_say()

    def _may_read(self) -> bool:
        """Whether the reader can say what is there: of a picture that never showed nobody can."""
        may = self._may_decide()
        if may and not self._on.seen:
            self.message.emit(strings.NOT_SEEN)
        return may and self._on.seen

    def _say(self, state: State, labels: tuple[str, ...] = ()) -> None:
        if self._on.ended:
            self.message.emit(strings.ALL_DECIDED_BEFORE)
        else:
            self._record(self._on.draft.verdict(self._on.verdict, state, labels), go_on=True)

    def _add_to_call(self, added: Verdict, draft: Draft) -> None:
        """Save what was added to a standing call at once; else the next call takes it along."""
        standing = self._on.verdict.state is State.LABELLED
        if standing and self._on.draft.pending is None and not self._on.contrast:
            self._record_addition(added)
        else:
            self._on.draft = draft
            self._tell()

    def _add(self, draft: Draft) -> None:
        """Save a flag or a note at once; a turn that is not the queue's takes them along."""
        if self._on.showing.occasion is Occasion.SINGLE:
            added = Draft(flagged=draft.flagged, note=draft.note)
            self._record_addition(added.kept(self._on.verdict))
        else:
            self._on.draft = draft
            self._tell()

    def _record(self, verdict: Verdict, *, go_on: bool) -> None:
        decision = self._on.decision(verdict)
        if decision is not None:
            # What was called blind stays on screen where the suggestion is another one.
            stays = not go_on or self._on.is_contradicted(decision)
            self._recording.record(decision, go_on=not stays)

    def _record_addition(self, verdict: Verdict) -> None:
        decision = self._on.addition(verdict)
        if decision is not None:
            self._recording.record(decision, go_on=False)

    def _committed(self, decision: Decision, go_on: bool) -> None:
        session = self._on.session
        if session is None:
            return
        self.agenda.decided(decision)
        self.saved.emit(decision)
        on_screen = self._on.scan is not None and self._on.scan.id == decision.scan_id
        if on_screen and go_on:
            self._go_on()
        elif on_screen:
            self._on.stay(decision)
            self._tell()
        self._suggestions.learn(self.around())

    def _go_on(self) -> None:
        assert self._on.scan is not None
        if self._on.showing.occasion is Occasion.SINGLE:
            self._trail.went_on(self._on.scan.id)
        following = self.agenda.following(self._on.scan.id)
        if following is not None:
            self.show(*following)
            return
        self._on.end()
        self._tell()
        self.message.emit(strings.ALL_DECIDED)

    def _restored(self, decision: Decision | None, back: bool) -> None:
        session = self._on.session
        if session is None:
            return
        if decision is None:
            self.message.emit(strings.NOTHING_TO_UNDO if back else strings.NOTHING_TO_REDO)
            return
        self.saved.emit(decision)
        self.show(*self.agenda.restored(decision))
        template = strings.UNDONE if back else strings.REDONE
        self.message.emit(template.format(state=session.table.detail(decision.scan_id)))
        self._suggestions.learn(self.around())

    def _ranked(self, ranking: Ranking) -> None:
        if self._on.scan is not None and ranking.scan_id == self._on.scan.id:
            self._tell()

    def _tell(self) -> None:
        self.panel_changed.emit(self._on.panel())
