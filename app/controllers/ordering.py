"""The order of the queue: as added, or the scan that teaches most first."""

from collections.abc import Iterable
from itertools import islice

from PySide6.QtCore import QObject, Signal

from app.controllers.suggestions import Suggestions
from app.session import Session
from nearl_core.learn import acquire

FIRST = 10_000
"""So many scans are put in order; of more the others stay behind them, as they were added."""


class Ordering(QObject):
    """Keeps the queue in the order that the reader chose.

    Attributes:
        reordered: The rows stand in another order.
    """

    reordered = Signal()

    def __init__(self, suggestions: Suggestions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._suggestions = suggestions
        self._session: Session | None = None
        self._instructive = False
        self._since = 0
        suggestions.reordered.connect(self._reordered)

    def open(self, session: Session | None) -> None:
        """Serve a project, or none."""
        self._session = session

    def set_instructive(self, on: bool) -> None:
        """Choose the order."""
        changed, self._instructive = on is not self._instructive, on
        if self._session is None or not changed:
            return
        if on:
            self._ask()
        else:
            self._session.table.set_order(())
            self.reordered.emit()

    def decided(self) -> None:
        """One more decision: what teaches most may be another scan now."""
        self._since += 1
        if self._session is None or not self._instructive:
            return
        if self._since >= acquire.lasts(len(self._session.to_learn())):
            self._ask()

    def divided(self) -> None:
        """The reader has another part of the scans."""
        if self._instructive:
            self._ask()

    def surveyed(self, done: int, of: int) -> None:
        """The engine has looked at so many scans: once it knows all, others may teach more."""
        if self._instructive and done == of:
            self._ask()

    def _ask(self) -> None:
        if self._session is not None:
            self._since = 0
            self._suggestions.order(self._session.table.undecided_ids())

    def _reordered(self, scan_ids: Iterable[int]) -> None:
        """The scan on screen stands first: what comes next is then what teaches most."""
        if self._session is not None and self._instructive:
            here = self._session.table.current
            others = islice((scan_id for scan_id in scan_ids if scan_id != here), FIRST)
            self._session.table.set_order((*others,) if here is None else (here, *others))
            self.reordered.emit()
