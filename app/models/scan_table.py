"""The queue as a Qt model over `scan_rows`: a million rows without an object each.

The rows follow the filter as decisions are made, but for the scan on screen: it stays until the
reader goes on, so that nothing jumps away under the reader's hand.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QPixmap

from app.models.scan_rows import QueueCounts, ScanRows, Show
from app.models.thumbnails import ThumbnailStore
from app.models.tips import plain_tip
from app.strings.trust_words import UNLIKE_SIGN
from nearl_core.dividing import Part
from nearl_core.scan_list import ScanList
from nearl_core.types import LabelSet, Scan, Verdict

__all__ = ["QueueCounts", "Role", "ScanTable", "Show"]

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class Role(IntEnum):
    """Data roles beside Qt's own."""

    SCAN_ID = int(Qt.ItemDataRole.UserRole) + 1
    VERDICT = int(Qt.ItemDataRole.UserRole) + 2
    DETAIL = int(Qt.ItemDataRole.UserRole) + 3
    THUMBNAIL = int(Qt.ItemDataRole.UserRole) + 4
    PROBLEM = int(Qt.ItemDataRole.UserRole) + 5
    UNLIKE = int(Qt.ItemDataRole.UserRole) + 6


class ScanTable(QAbstractListModel):
    """Scans in queue order with what this reader said of them.

    Attributes:
        counts_changed: The QueueCounts are new.
    """

    counts_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows = ScanRows()
        self.thumbnails = ThumbnailStore()

    # --- data in ---------------------------------------------------------------------------

    def fill(
        self,
        scans: ScanList,
        verdicts: Mapping[int, Verdict],
        label_set: LabelSet | None,
        part: Part | None = None,
        again: Collection[int] = (),
    ) -> None:
        """Show another project's scans (or none), or the reader's part; some to decide again."""
        self.beginResetModel()
        self._rows = ScanRows(scans, verdicts, label_set, part, again)
        self.thumbnails.clear()
        self.endResetModel()
        self.counts_changed.emit()

    def set_decided(
        self, verdicts: Mapping[int, Verdict], label_set: LabelSet, again: Collection[int]
    ) -> None:
        """Show other decisions, and scans to decide again; filter and order stay."""
        self.beginResetModel()
        self._rows.set_verdicts(verdicts, label_set, again)
        self.endResetModel()
        self.counts_changed.emit()

    def set_part(self, part: Part | None) -> None:
        """Show another part of the scans, or all of them; filter and order stay."""
        self.beginResetModel()
        self._rows.set_part(part)
        self.endResetModel()
        self.counts_changed.emit()

    def extend(self, scans: ScanList) -> None:
        """Take the project's scans, to which some were added."""
        before, places = len(self._rows), self._rows.extend(scans)
        if len(places):
            self.beginInsertRows(_NO_PARENT, before, before + len(places) - 1)
        self._rows.append(places)
        if len(places):
            self.endInsertRows()
        self.counts_changed.emit()

    def set_verdict(self, scan_id: int, verdict: Verdict, *, again: bool = False) -> None:
        """Show what the reader now says of a scan, or that it is to be decided again."""
        self._rows.set_verdict(scan_id, verdict, again=again)
        self._row_changed(scan_id)
        self._fit_in(scan_id)
        self.counts_changed.emit()

    @property
    def current(self) -> int | None:
        """The scan on screen."""
        return self._rows.current

    def set_current(self, scan_id: int | None) -> None:
        """Another scan is on screen: the one before leaves if the filter no longer takes it."""
        before, self._rows.current = self._rows.current, scan_id
        for changed in (before, scan_id):
            if changed is not None and self._fit_in(changed):
                self.counts_changed.emit()

    def set_thumbnail(self, scan_id: int, pixmap: QPixmap) -> None:
        """Show a thumbnail that was made in the background."""
        self.thumbnails.put(scan_id, pixmap)
        self._row_changed(scan_id)

    def set_unlike(self, scan_id: int, unlike: bool) -> None:
        """Mark a scan that is unlike anything decided, or take the mark off."""
        if self._rows.set_unlike(scan_id, unlike) and not self._fit_in(scan_id):
            self._row_changed(scan_id)

    def unlike_ids(self) -> list[int]:
        """All scans with that mark."""
        return self._rows.unlike_ids()

    def set_filter(self, show: Show, search: str) -> None:
        """Show some of the scans: of a state, and with a text in name or label."""
        self.beginResetModel()
        self._rows.set_filter(show, search)
        self.endResetModel()
        self.counts_changed.emit()

    @property
    def is_ordered(self) -> bool:
        """Whether some scans stand first in an order of their own, which may change."""
        return self._rows.is_ordered

    def set_order(self, first: Sequence[int]) -> None:
        """Show these scans first, in this order; the others after them in order of adding."""
        self.beginResetModel()
        self._rows.set_order(first)
        self.endResetModel()

    def disguise(self, scan_id: int, *, before: int | None) -> None:
        """Show a decided scan as if nothing was said of it, in the row above another one."""
        self.reveal()
        self._rows.disguised = scan_id
        self._take_out(scan_id)
        row = None if before is None else self._rows.row_of(before)
        self._put_in(len(self._rows) if row is None else row, scan_id)

    def reveal(self) -> None:
        """Show a disguised scan as it is, in its own row."""
        scan_id, self._rows.disguised = self._rows.disguised, None
        if scan_id is not None:
            self._take_out(scan_id)
            row = self._rows.comes(scan_id)
            if row is not None:
                self._put_in(row, scan_id)

    def _take_out(self, scan_id: int) -> None:
        row = self._rows.row_of(scan_id)
        if row is not None:
            self.beginRemoveRows(_NO_PARENT, row, row)
            self._rows.remove(row)
            self.endRemoveRows()

    def _put_in(self, row: int, scan_id: int) -> None:
        self.beginInsertRows(_NO_PARENT, row, row)
        self._rows.insert(row, scan_id)
        self.endInsertRows()

    def _fit_in(self, scan_id: int) -> bool:
        """Let a scan in or out as the filter says; returns whether the rows changed."""
        gone, come = self._rows.leaves(scan_id), self._rows.comes(scan_id)
        if gone is not None:
            self._take_out(scan_id)
        elif come is not None:
            self._put_in(come, scan_id)
        return gone is not None or come is not None

    # --- questions -------------------------------------------------------------------------

    def scan(self, scan_id: int) -> Scan | None:
        """The scan of an id."""
        return self._rows.scan(scan_id)

    def name_of(self, scan_id: int) -> str:
        """The file name of a scan; "" where there is none of this id."""
        scan = self.scan(scan_id)
        return "" if scan is None else scan.name

    def scans(self) -> ScanList:
        """Every scan, in order of adding; a value that a worker may keep."""
        return self._rows.scans

    def verdict(self, scan_id: int) -> Verdict:
        """What the reader says of a scan; UNSEEN where nothing."""
        return self._rows.verdict(scan_id)

    def undecided_ids(self) -> list[int]:
        """Scans of the reader's part that wait for a decision, in order of adding."""
        return self._rows.undecided_ids()

    def id_at(self, row: int) -> int | None:
        """The scan of a visible row."""
        return self._rows.id_at(row)

    def row_of(self, scan_id: int) -> int | None:
        """The visible row of a scan, or None where the filter hides it."""
        return self._rows.row_of(scan_id)

    def neighbours(self, scan_id: int, offsets: Iterable[int]) -> list[int]:
        """Scans at so many rows after (or, negative, before) a scan."""
        return self._rows.neighbours(scan_id, offsets)

    def next_to_do(self, after: int | None) -> int | None:
        """The next visible scan that waits for a decision; see `ScanRows.next_to_do`."""
        return self._rows.next_to_do(after)

    def coming_after(self, scan_id: int, count: int) -> list[int]:
        """The next so many scans that wait for a decision."""
        found: list[int] = []
        place: int | None = scan_id
        while len(found) < count and (place := self.next_to_do(place)) is not None:
            found.append(place)
        return found

    def counts(self) -> QueueCounts:
        """How far the reader is."""
        return self._rows.counts()

    def detail(self, scan_id: int) -> str:
        """The second line of a row: the labels, or the state's word, or the problem."""
        return self._rows.detail(scan_id)

    # --- Qt's side -------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """Visible rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """One row's value of a role."""
        scan_id = self.id_at(index.row()) if index.isValid() else None
        if scan_id is None:
            return None
        if role == Role.SCAN_ID:
            return scan_id
        if role == Role.THUMBNAIL:
            return self.thumbnails.get(scan_id)
        if role == Role.VERDICT:
            return self.verdict(scan_id)
        if role == Role.DETAIL:
            return self.detail(scan_id)
        scan = self._rows.scans[scan_id]
        if role == Qt.ItemDataRole.DisplayRole:
            return scan.name
        if role == Role.PROBLEM:
            return scan.problem
        if role == Role.UNLIKE:
            return self._rows.is_unlike(scan_id)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(scan.problem or "\n".join(self._words(scan)))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(self._words(scan))
        return None

    def _words(self, scan: Scan) -> tuple[str, ...]:
        unlike = (UNLIKE_SIGN,) if self._rows.is_unlike(scan.id) else ()
        note = self.verdict(scan.id).note
        return (scan.name, self.detail(scan.id), *unlike, *((note,) if note else ()))

    def _row_changed(self, scan_id: int) -> None:
        row = self.row_of(scan_id)
        if row is not None:
            index = self.index(row, 0)
            self.dataChanged.emit(index, index)
