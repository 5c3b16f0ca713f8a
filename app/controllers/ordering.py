"""The order of the queue: as added, or the scan that teaches most first."""

from collections.abc import Iterable

from PySide6.QtCore import QObject

from app.controllers.suggestions import Suggestions
from app.session import Session
from nearl_core.learn import acquire


class Ordering(QObject):
    """Keeps the queue in the order that the reader chose."""

    def __init__(self, suggestions: Suggestions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._suggestions = suggestions
        self._session: Session | None = None
        self._instructive = False
        self._since = 0
        suggestions.reordered.connect(self._reordered)

    def open(self, session: Session | None) -> None:
        """Serve a project in order of adding, or none."""
        self._session = session
        self._instructive = False

    def set_instructive(self, on: bool) -> None:
        """Choose the order."""
        self._instructive = on
        if self._session is None:
            return
        if on:
            self._ask()
        else:
            self._session.table.set_order(())

    def decided(self) -> None:
        """One more decision: what teaches most may be another scan now."""
        self._since += 1
        if self._session is None or not self._instructive:
            return
        if self._since >= acquire.lasts(len(self._session.decisions())):
            self._ask()

    def version_changed(self) -> None:
        """Another version ranks."""
        if self._instructive:
            self._ask()

    def _ask(self) -> None:
        if self._session is not None:
            self._since = 0
            self._suggestions.order(self._session.table.undecided_ids())

    def _reordered(self, scan_ids: Iterable[int]) -> None:
        if self._session is not None and self._instructive:
            self._session.table.set_order(tuple(scan_ids))
