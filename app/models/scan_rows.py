"""Which scans the queue shows, in which order, and what was said of them: columns, no Qt.

Scans are known by their place in the order of adding. Every question costs a few passes over
arrays at most, so that a million scans filter within a blink; nothing is kept an object a scan.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app import strings
from nearl_core.dividing import Part
from nearl_core.scan_list import ScanList
from nearl_core.types import UNSEEN, LabelSet, Scan, State, Verdict

Places = NDArray[np.int64]


class Show(StrEnum):
    """Which scans the queue shows."""

    ALL = "all"
    TO_DO = "to-do"
    LABELLED = "labelled"
    DEFERRED = "deferred"
    NONE_APPLY = "none-apply"
    UNASSESSABLE = "unassessable"
    FLAGGED = "flagged"
    AGAIN = "again"
    UNLIKE = "unlike"
    PROBLEM = "problem"
    OTHERS = "others"
    """Not in the reader's part: all else shows that part alone."""


@dataclass(frozen=True)
class QueueCounts:
    """How far the reader is.

    Attributes:
        total: Scans of the project, or of the reader's part of them.
        visible: Scans that the filter leaves.
        decided: Labelled, none apply or unassessable.
        by_state: Of every state that occurs.
        flagged: Scans with a flag.
        others: Scans that are in other readers' parts alone.
    """

    total: int = 0
    visible: int = 0
    decided: int = 0
    by_state: tuple[tuple[State, int], ...] = ()
    flagged: int = 0
    others: int = 0

    def of(self, state: State) -> int:
        """Scans in a state."""
        return dict(self.by_state).get(state, 0)


_STATES = tuple(State)
_CODE = {state: code for code, state in enumerate(_STATES)}
_UNSEEN, _DEFERRED = _CODE[State.UNSEEN], _CODE[State.DEFERRED]
_BY_STATE = {
    Show.LABELLED: State.LABELLED,
    Show.DEFERRED: State.DEFERRED,
    Show.NONE_APPLY: State.NONE_APPLY,
    Show.UNASSESSABLE: State.UNASSESSABLE,
}
_BLOCK = 8192
"""Rows looked at together: enough for one step to be cheap, few enough to stop early."""


def _held(part: Part | None, scans: ScanList, first: int = 0) -> NDArray[np.bool_]:
    """Which scans, from a place on, are in a part."""
    if part is None:
        return np.ones(len(scans) - first, np.bool_)
    return part.holds(scans.patients(first))


class ScanRows:
    """The queue's rows.

    Attributes:
        scans: Every scan, in order of adding; a value that a worker may keep.
        current: The scan on screen, which stays in its row even when the filter would hide it.
        disguised: A decided scan that looks like one that nothing was said of, or None.
    """

    def __init__(
        self,
        scans: ScanList | None = None,
        verdicts: Mapping[int, Verdict] | None = None,
        label_set: LabelSet | None = None,
        part: Part | None = None,
        again: Collection[int] = (),
    ) -> None:
        self.scans = scans if scans is not None else ScanList()
        self.current: int | None = None
        self.disguised: int | None = None
        self._unlike = np.zeros(len(self.scans), np.bool_)
        self._broken = self.scans.broken
        self._first: Places = np.empty(0, np.int64)
        self._show, self._search = Show.ALL, ""
        self._part, self._mine = part, _held(part, self.scans)
        self.set_verdicts(verdicts or {}, label_set, again)

    def __len__(self) -> int:
        return len(self._rows)

    # --- what changes ----------------------------------------------------------------------

    def set_verdicts(
        self,
        verdicts: Mapping[int, Verdict],
        label_set: LabelSet | None,
        again: Collection[int] = (),
    ) -> None:
        """Take all that the reader says now, the names of its labels, and what no longer stands."""
        self._names = {} if label_set is None else {one.id: one.name for one in label_set.labels}
        self._state = np.full(len(self.scans), _UNSEEN, np.uint8)
        self._flagged = np.zeros(len(self.scans), np.bool_)
        self._again = np.isin(self.scans.ids, list(again))
        self._notes: dict[int, str] = {}
        ids = np.fromiter(verdicts, np.int64, len(verdicts))
        there = ids[np.isin(ids, self.scans.ids)]
        self._verdicts = {scan_id: verdicts[scan_id] for scan_id in there.tolist()}
        places = self.scans.places(there).tolist()
        for place, verdict in zip(places, self._verdicts.values(), strict=True):
            self._note(place, verdict)
        self._choose()

    def set_part(self, part: Part | None) -> None:
        """Another part of the scans is the reader's; None for all of them."""
        self._part, self._mine = part, _held(part, self.scans)
        self._choose()

    def extend(self, scans: ScanList) -> Places:
        """Take the project's scans, to which some were added; returns those to `append`."""
        before, self.scans = len(self.scans), scans
        new = len(scans) - before
        self._state = np.concatenate((self._state, np.full(new, _UNSEEN, np.uint8)))
        self._flagged = np.concatenate((self._flagged, np.zeros(new, np.bool_)))
        self._unlike = np.concatenate((self._unlike, np.zeros(new, np.bool_)))
        self._again = np.concatenate((self._again, np.zeros(new, np.bool_)))
        self._mine = np.concatenate((self._mine, _held(self._part, scans, before)))
        self._broken = scans.broken
        return before + np.flatnonzero(self._passing(slice(before, None)))

    def append(self, places: Places) -> None:
        """Show scans below all others."""
        self._set_rows(np.concatenate((self._rows, places)))

    def set_verdict(self, scan_id: int, verdict: Verdict, *, again: bool = False) -> None:
        """Take what the reader now says of a scan, and whether it is to be decided again."""
        if verdict == UNSEEN:
            self._verdicts.pop(scan_id, None)
        else:
            self._verdicts[scan_id] = verdict
        place = self.scans.place(scan_id)
        if place is not None:
            self._again[place] = again
            self._note(place, verdict)

    def set_unlike(self, scan_id: int, unlike: bool) -> bool:
        """Take whether a scan is unlike anything decided; returns whether that is news."""
        place = self.scans.place(scan_id)
        if place is None:
            return False
        unlike = unlike and not _STATES[self._state[place]].is_decided
        news = bool(self._unlike[place]) != unlike
        self._unlike[place] = unlike
        return news

    def set_filter(self, show: Show, search: str) -> None:
        """Show some of the scans: of a state, and with a text in name or label."""
        self._show, self._search = show, search.strip().casefold()
        self._choose()

    @property
    def is_ordered(self) -> bool:
        """Whether some scans stand first in an order of their own."""
        return len(self._first) > 0

    def set_order(self, first: Sequence[int]) -> None:
        """Show these scans first, in this order; the others after them in order of adding."""
        self._first = self.scans.places(np.asarray(first, np.int64))
        self._choose()

    def leaves(self, scan_id: int) -> int | None:
        """The row of a scan that the filter no longer takes, or None where it stays."""
        place, row = self.scans.place(scan_id), self.row_of(scan_id)
        gone = place is not None and scan_id != self.current and not self._passes(place)
        return row if gone else None

    def comes(self, scan_id: int) -> int | None:
        """The row where a scan belongs that the filter takes again, or None where it is shown."""
        place = self.scans.place(scan_id)
        if place is None or self.row_of(scan_id) is not None or not self._passes(place):
            return None
        return len(self._rows) if self.is_ordered else self._row_below(place)

    def _row_below(self, place: int) -> int:
        """The first row below a scan that is not shown, in order of adding."""
        return int(np.searchsorted(self._rows, place))

    def remove(self, row: int) -> None:
        """Take a row out."""
        self._set_rows(np.delete(self._rows, row))

    def insert(self, row: int, scan_id: int) -> None:
        """Put a scan into a row of its own."""
        place = self.scans.place(scan_id)
        assert place is not None
        self._set_rows(np.insert(self._rows, row, place))

    def _note(self, place: int, verdict: Verdict) -> None:
        self._state[place] = _CODE[verdict.state]
        self._flagged[place] = verdict.flagged
        if verdict.note:
            self._notes[place] = verdict.note.casefold()
        else:
            self._notes.pop(place, None)
        if verdict.state.is_decided:
            self._unlike[place] = False

    def _set_rows(self, rows: Places) -> None:
        self._rows = rows
        self._row_of: Places | None = None

    # --- the filter ------------------------------------------------------------------------

    def _choose(self) -> None:
        passing = self._passing()
        rows = np.flatnonzero(passing)
        if len(self._first):
            first = self._first
            rest = passing.copy()
            rest[first] = False
            rows = np.concatenate((first[passing[first]], np.flatnonzero(rest)))
        self._set_rows(rows)

    def _passes(self, place: int) -> bool:
        return bool(self._passing(slice(place, place + 1))[0])

    def _passing(self, part: slice = slice(None)) -> NDArray[np.bool_]:
        """Which scans of a part the filter leaves."""
        mine = self._mine[part]
        passing = ~mine if self._show is Show.OTHERS else self._state_passing(part) & mine
        if self._search:
            passing = passing & (self._named(part) | self._detail_holds(part))
        return passing

    def _named(self, part: slice) -> NDArray[np.bool_]:
        if part == slice(None):
            return self.scans.named(self._search)
        places = range(*part.indices(len(self.scans)))
        names = (self.scans.at(place).path.name.casefold() for place in places)
        return np.array([self._search in name for name in names], np.bool_)

    def _state_passing(self, part: slice) -> NDArray[np.bool_]:
        state, broken = self._state[part], self._broken[part]
        if self._show is Show.ALL:
            return np.ones(len(state), np.bool_)
        if self._show is Show.TO_DO:
            return np.isin(state, (_UNSEEN, _DEFERRED)) & ~broken
        if self._show is Show.FLAGGED:
            return self._flagged[part].copy()
        if self._show is Show.AGAIN:
            return self._again[part].copy()
        if self._show is Show.UNLIKE:
            return self._unlike[part].copy()
        if self._show is Show.PROBLEM:
            return broken.copy()
        return np.equal(state, _CODE[_BY_STATE[self._show]])

    def _detail_holds(self, part: slice) -> NDArray[np.bool_]:
        """Whose second line holds the text: by state at once, by label one after another."""
        text = self._search
        words = [strings.STATE_WORDS[state].casefold() for state in _STATES]
        found = np.array([text in word for word in words], np.bool_)[self._state[part]]
        labelled = np.flatnonzero(self._state[part] == _CODE[State.LABELLED])
        for row, scan_id in zip(labelled, self.scans.ids[part][labelled].tolist(), strict=True):
            found[row] = text in self._labels(self._verdicts[scan_id]).casefold()
        found[self._again[part]] = text in strings.STATE_AGAIN.casefold()
        found[self._broken[part]] = text in strings.STATE_PROBLEM.casefold()
        start, stop, _step = part.indices(len(self.scans))
        for place, note in self._notes.items():
            if start <= place < stop and text in note:
                found[place - start] = True
        return found

    # --- questions -------------------------------------------------------------------------

    def scan(self, scan_id: int) -> Scan | None:
        """The scan of an id."""
        return self.scans.get(scan_id)

    def verdict(self, scan_id: int) -> Verdict:
        """What the reader says of a scan; UNSEEN where nothing."""
        return UNSEEN if scan_id == self.disguised else self._verdicts.get(scan_id, UNSEEN)

    def is_unlike(self, scan_id: int) -> bool:
        """Whether its ranking said that it is unlike anything decided."""
        place = self.scans.place(scan_id)
        return place is not None and bool(self._unlike[place])

    def unlike_ids(self) -> list[int]:
        """All that are unlike anything decided, in order of adding."""
        found: list[int] = self.scans.ids[self._unlike].tolist()
        return found

    def undecided_ids(self) -> list[int]:
        """Scans of the reader's part that wait for a decision, in order of adding."""
        waiting = self._mine & np.isin(self._state, (_UNSEEN, _DEFERRED))
        found: list[int] = self.scans.ids[waiting].tolist()
        return found

    def id_at(self, row: int) -> int | None:
        """The scan of a visible row."""
        return int(self.scans.ids[self._rows[row]]) if 0 <= row < len(self._rows) else None

    def row_of(self, scan_id: int) -> int | None:
        """The visible row of a scan, or None where the filter hides it."""
        if self._row_of is None:
            self._row_of = np.full(len(self.scans), -1, np.int64)
            self._row_of[self._rows] = np.arange(len(self._rows))
        place = self.scans.place(scan_id)
        row = -1 if place is None else int(self._row_of[place])
        return None if row < 0 else row

    def neighbours(self, scan_id: int, offsets: Iterable[int]) -> list[int]:
        """Scans at so many rows after (or, negative, before) a scan, or where it would be."""
        row = self.row_of(scan_id)
        hidden = row is None
        if row is None:  # above the first of an order, else between two rows
            row = 0 if self.is_ordered else self._row_below(self.scans.place(scan_id) or 0)
        found = (self.id_at(row + offset - (hidden and offset > 0)) for offset in offsets)
        return [entry for entry in found if entry is not None]

    def next_to_do(self, after: int | None) -> int | None:
        """The next visible scan that nothing was said of, from a scan on and around the end.

        Deferred scans come once no unseen one is left.
        """
        row = None if after is None else self.row_of(after)
        start = 0 if row is None else row + 1
        for state in (_UNSEEN, _DEFERRED):
            for first, last in ((start, len(self._rows)), (0, start)):
                found = self._first_in(state, first, last, but=row)
                if found is not None:
                    return self.id_at(found)
        return None

    def _first_in(self, state: int, first: int, last: int, *, but: int | None) -> int | None:
        """The first row of a state, from one row up to another."""
        for start in range(first, last, _BLOCK):
            rows = self._rows[start : min(start + _BLOCK, last)]
            fits = (self._state[rows] == state) & ~self._broken[rows]
            if but is not None and start <= but < start + len(rows):
                fits[but - start] = False
            if fits.any():
                return start + int(np.argmax(fits))
        return None

    def counts(self) -> QueueCounts:
        """How far the reader is."""
        mine = slice(None) if self._part is None else self._mine
        state, flagged = self._state[mine], self._flagged[mine]
        by_state = dict(
            zip(_STATES, np.bincount(state, minlength=len(_STATES)).tolist(), strict=True)
        )
        return QueueCounts(
            total=len(state),
            visible=len(self._rows),
            decided=sum(by_state[state] for state in State if state.is_decided),
            by_state=tuple(by_state.items()),
            flagged=int(flagged.sum()),
            others=len(self.scans) - len(state),
        )

    def detail(self, scan_id: int) -> str:
        """The second line of a row: the labels, or the state's word, or the problem."""
        place = self.scans.place(scan_id)
        if place is not None and self._broken[place]:
            return strings.STATE_PROBLEM
        if place is not None and self._again[place]:
            return strings.STATE_AGAIN
        return self._labels(self.verdict(scan_id))

    def _labels(self, verdict: Verdict) -> str:
        named = (self._names.get(label, label) for label in verdict.labels)
        return ", ".join(named) or strings.STATE_WORDS[verdict.state]
