"""The queue as a Qt model over plain data: fast with a hundred thousand rows, no per-row objects.

The rows that a filter leaves stay until the filter is set again: a scan that was just decided does
not jump away under the reader's hand.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QPixmap

from app import strings
from app.models.thumbnails import ThumbnailStore
from nearl_core.types import UNSEEN, LabelSet, Scan, State, Verdict

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class Show(StrEnum):
    """Which scans the queue shows."""

    ALL = "all"
    TO_DO = "to-do"
    LABELLED = "labelled"
    DEFERRED = "deferred"
    NONE_APPLY = "none-apply"
    UNASSESSABLE = "unassessable"
    FLAGGED = "flagged"
    PROBLEM = "problem"


class Role(IntEnum):
    """Data roles beside Qt's own."""

    SCAN_ID = int(Qt.ItemDataRole.UserRole) + 1
    VERDICT = int(Qt.ItemDataRole.UserRole) + 2
    DETAIL = int(Qt.ItemDataRole.UserRole) + 3
    THUMBNAIL = int(Qt.ItemDataRole.UserRole) + 4
    PROBLEM = int(Qt.ItemDataRole.UserRole) + 5


@dataclass(frozen=True)
class QueueCounts:
    """How far the reader is.

    Attributes:
        total: Scans of the project.
        visible: Scans that the filter leaves.
        decided: Labelled, none apply or unassessable.
        by_state: Of every state that occurs.
        flagged: Scans with a flag.
    """

    total: int = 0
    visible: int = 0
    decided: int = 0
    by_state: tuple[tuple[State, int], ...] = ()
    flagged: int = 0

    def of(self, state: State) -> int:
        """Scans in a state."""
        return dict(self.by_state).get(state, 0)


_BY_STATE = {
    Show.LABELLED: State.LABELLED,
    Show.DEFERRED: State.DEFERRED,
    Show.NONE_APPLY: State.NONE_APPLY,
    Show.UNASSESSABLE: State.UNASSESSABLE,
}


class ScanTable(QAbstractListModel):
    """Scans in queue order with what this reader said of them.

    Attributes:
        counts_changed: The QueueCounts are new.
    """

    counts_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scans: list[Scan] = []
        self._by_id: dict[int, Scan] = {}
        self._verdicts: dict[int, Verdict] = {}
        self._names: dict[str, str] = {}
        self._rows: list[int] = []
        self._row_of: dict[int, int] | None = None
        self._rank: dict[int, int] = {}
        self._show = Show.ALL
        self._search = ""
        self.thumbnails = ThumbnailStore()

    # --- data in ---------------------------------------------------------------------------

    def fill(
        self, scans: Sequence[Scan], verdicts: Mapping[int, Verdict], label_set: LabelSet | None
    ) -> None:
        """Show another project's scans (or none)."""
        self.beginResetModel()
        self._scans = list(scans)
        self._by_id = {scan.id: scan for scan in scans}
        self._verdicts = dict(verdicts)
        self._rank = {}
        self.thumbnails.clear()
        self._take_names(label_set)
        self._choose_rows()
        self.endResetModel()
        self.counts_changed.emit()

    def set_label_set(self, label_set: LabelSet) -> None:
        """Show decisions under new label names."""
        self._take_names(label_set)
        self._whole_changed()

    def extend(self, scans: Sequence[Scan]) -> None:
        """Append scans that were added to the project."""
        new = [scan for scan in scans if scan.id not in self._by_id]
        self._scans.extend(new)
        self._by_id.update((scan.id, scan) for scan in new)
        rows = [scan.id for scan in new if self._passes(scan)]
        if rows:
            first = len(self._rows)
            self.beginInsertRows(_NO_PARENT, first, first + len(rows) - 1)
            self._rows.extend(rows)
            self._row_of = None
            self.endInsertRows()
        self.counts_changed.emit()

    def set_verdict(self, scan_id: int, verdict: Verdict) -> None:
        """Show what the reader now says of a scan."""
        if verdict == UNSEEN:
            self._verdicts.pop(scan_id, None)
        else:
            self._verdicts[scan_id] = verdict
        self._row_changed(scan_id)
        self.counts_changed.emit()

    def set_thumbnail(self, scan_id: int, pixmap: QPixmap) -> None:
        """Show a thumbnail that was made in the background."""
        self.thumbnails.put(scan_id, pixmap)
        self._row_changed(scan_id)

    # --- order and filter ------------------------------------------------------------------

    def set_filter(self, show: Show, search: str) -> None:
        """Show some of the scans: of a state, and with a text in name or label."""
        self._show, self._search = show, search.strip().casefold()
        self.beginResetModel()
        self._choose_rows()
        self.endResetModel()
        self.counts_changed.emit()

    def set_order(self, first: Sequence[int]) -> None:
        """Show these scans first, in this order; the others after them in order of adding."""
        self._rank = {scan_id: place for place, scan_id in enumerate(first)}
        self.beginResetModel()
        self._choose_rows()
        self.endResetModel()

    def _choose_rows(self) -> None:
        rows = [scan.id for scan in self._scans if self._passes(scan)]
        if self._rank:
            last = len(self._rank)
            rows.sort(key=lambda scan_id: self._rank.get(scan_id, last))
        self._rows, self._row_of = rows, None

    def _passes(self, scan: Scan) -> bool:
        return self._state_passes(scan) and self._search_passes(scan)

    def _state_passes(self, scan: Scan) -> bool:
        if self._show is Show.ALL:
            return True
        verdict = self.verdict(scan.id)
        if self._show is Show.TO_DO:
            return verdict.state in (State.UNSEEN, State.DEFERRED) and not scan.problem
        if self._show is Show.FLAGGED:
            return verdict.flagged
        if self._show is Show.PROBLEM:
            return bool(scan.problem)
        return verdict.state is _BY_STATE[self._show]

    def _search_passes(self, scan: Scan) -> bool:
        if not self._search or self._search in scan.path.name.casefold():
            return True
        return self._search in self.detail(scan.id).casefold()

    # --- questions -------------------------------------------------------------------------

    def scan(self, scan_id: int) -> Scan | None:
        """The scan of an id."""
        return self._by_id.get(scan_id)

    def scans(self) -> Sequence[Scan]:
        """Every scan, in order of adding."""
        return self._scans

    def verdict(self, scan_id: int) -> Verdict:
        """What the reader says of a scan; UNSEEN where nothing."""
        return self._verdicts.get(scan_id, UNSEEN)

    def undecided_ids(self) -> list[int]:
        """Scans that wait for a decision, in order of adding."""
        return [scan.id for scan in self._scans if self._waits(scan.id)]

    def id_at(self, row: int) -> int | None:
        """The scan of a visible row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, scan_id: int) -> int | None:
        """The visible row of a scan, or None where the filter hides it."""
        if self._row_of is None:
            self._row_of = {entry: row for row, entry in enumerate(self._rows)}
        return self._row_of.get(scan_id)

    def neighbours(self, scan_id: int, offsets: Iterable[int]) -> list[int]:
        """Scans at so many rows after (or, negative, before) a scan."""
        row = self.row_of(scan_id)
        if row is None:
            return []
        found = (self.id_at(row + offset) for offset in offsets)
        return [entry for entry in found if entry is not None]

    def next_to_do(self, after: int | None) -> int | None:
        """The next visible scan that nothing was said of, from a scan on and around the end.

        Deferred scans come once no unseen one is left.
        """
        start = -1
        if after is not None:
            row = self.row_of(after)
            start = -1 if row is None else row
        size = len(self._rows)
        deferred: int | None = None
        for step in range(1, size + 1):
            scan_id = self._rows[(start + step) % size]
            if scan_id == after or self._by_id[scan_id].problem:
                continue
            state = self.verdict(scan_id).state
            if state is State.UNSEEN:
                return scan_id
            if state is State.DEFERRED and deferred is None:
                deferred = scan_id
        return deferred

    def counts(self) -> QueueCounts:
        """How far the reader is; a pass over the decisions, not over the scans."""
        states = Counter(verdict.state for verdict in self._verdicts.values())
        states[State.UNSEEN] = len(self._scans) - len(self._verdicts)
        decided = states[State.LABELLED] + states[State.NONE_APPLY] + states[State.UNASSESSABLE]
        return QueueCounts(
            total=len(self._scans),
            visible=len(self._rows),
            decided=decided,
            by_state=tuple(states.items()),
            flagged=sum(verdict.flagged for verdict in self._verdicts.values()),
        )

    def detail(self, scan_id: int) -> str:
        """The second line of a row: the labels, or the state's word, or the problem."""
        scan = self._by_id[scan_id]
        if scan.problem:
            return strings.STATE_PROBLEM
        verdict = self.verdict(scan_id)
        if verdict.state is State.LABELLED:
            named = (self._names.get(label, label) for label in verdict.labels)
            return ", ".join(named) or strings.STATE_WORDS[State.LABELLED]
        return strings.STATE_WORDS[verdict.state]

    # --- Qt's side -------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """Visible rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """One row's value of a role."""
        scan_id = self.id_at(index.row()) if index.isValid() else None
        if scan_id is None:
            return None
        scan = self._by_id[scan_id]
        if role == Qt.ItemDataRole.DisplayRole:
            return scan.path.name
        if role == Role.VERDICT:
            return self.verdict(scan_id)
        if role == Role.DETAIL:
            return self.detail(scan_id)
        if role == Role.THUMBNAIL:
            return self.thumbnails.get(scan_id)
        if role == Role.SCAN_ID:
            return scan_id
        if role == Role.PROBLEM:
            return scan.problem
        if role == Qt.ItemDataRole.ToolTipRole:
            return scan.problem or f"{scan.path.name}\n{self.detail(scan_id)}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{scan.path.name}, {self.detail(scan_id)}"
        return None

    def _waits(self, scan_id: int) -> bool:
        return self.verdict(scan_id).state in (State.UNSEEN, State.DEFERRED)

    def _take_names(self, label_set: LabelSet | None) -> None:
        labels = () if label_set is None else label_set.labels
        self._names = {label.id: label.name for label in labels}

    def _row_changed(self, scan_id: int) -> None:
        row = self.row_of(scan_id)
        if row is not None:
            index = self.index(row, 0)
            self.dataChanged.emit(index, index)

    def _whole_changed(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 0))
