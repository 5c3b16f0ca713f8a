"""Scans like the one on screen: which decided ones are nearest, and their pictures."""

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal

from app import strings
from app.controllers.pictures import Pictures, Place, decode
from app.controllers.suggestions import Suggestions
from app.jobs import Job, Jobs, Priority
from app.models.picture import Picture
from app.session import Session
from nearl_core.errors import NearlError
from nearl_core.types import Ranking, Scan

_MOST = 8


@dataclass(frozen=True)
class Alike:
    """One decided scan beside the scan on screen.

    Attributes:
        number, total: Its place among the nearest ones, from 1.
        labels: What was decided of it.
        likeness: Cosine of both scans' features.
    """

    scan: Scan
    number: int
    total: int
    labels: str
    likeness: float


class Comparing(QObject):
    """Shows decided scans beside the scan on screen; which scan is being decided never changes.

    Attributes:
        shown: An Alike, or None while there is none.
        picture: Picture of what `shown` said last.
        notice: Why there is none, or "".
    """

    shown = Signal(object)
    picture = Signal(object)
    notice = Signal(str)

    def __init__(
        self,
        jobs: Jobs,
        suggestions: Suggestions,
        pictures: Pictures,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._suggestions, self._pictures = jobs, suggestions, pictures
        self._session: Session | None = None
        self._scan: Scan | None = None
        self._wanted = False
        self._found: tuple[Alike, ...] = ()
        self._at = 0
        self._job: Job | None = None
        suggestions.ranked.connect(self._ranked)

    def open(self, session: Session) -> None:
        """Serve a project."""
        self._session = session

    def close(self) -> None:
        """Serve none."""
        self._session = None
        self.show_scan(None)

    def set_wanted(self, wanted: bool) -> None:
        """Begin or end to compare."""
        self._wanted = wanted
        self._look()

    def show_scan(self, scan: Scan | None) -> None:
        """Compare another scan."""
        if scan is None or self._scan is None or scan.id != self._scan.id:
            self._scan = scan
            self._look()

    def step(self, places: int) -> None:
        """Go to the next (or, negative, the last) of the nearest ones, round and round."""
        if self._found:
            self._at = (self._at + places) % len(self._found)
            self._show()

    def _ranked(self, ranking: Ranking) -> None:
        """Features of the scan on screen may have come: look again where nothing was found."""
        scan = self._scan
        if self._wanted and not self._found and scan is not None and ranking.scan_id == scan.id:
            self._look()

    def _look(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job, self._found, self._at = None, (), 0
        self.shown.emit(None)
        session, scan = self._session, self._scan
        if not self._wanted or session is None or scan is None:
            self.notice.emit("")
            return
        self.notice.emit(strings.NONE_ALIKE)
        # The reader's own decisions only: no reader sees what another one said.
        own = session.standing.items()
        among = {other: found.verdict.labels for other, found in own if found.verdict.labels}
        among.pop(scan.id, None)
        self._suggestions.nearest(
            scan.id, tuple(among), _MOST, done=partial(self._arrived, session, scan, among)
        )

    def _arrived(
        self,
        session: Session,
        scan: Scan,
        labels: dict[int, tuple[str, ...]],
        nearest: list[tuple[int, float]],
    ) -> None:
        if session is not self._session or scan is not self._scan or not self._wanted:
            return
        found: list[Alike] = []
        for number, (scan_id, likeness) in enumerate(nearest, start=1):
            other = session.table.scan(scan_id)
            if other is not None:
                words = ", ".join(session.label_set.names_of(labels[scan_id]))
                found.append(Alike(other, number, len(nearest), words, likeness))
        self._found = tuple(found)
        if found:
            self._show()

    def _show(self) -> None:
        session, alike = self._session, self._found[self._at]
        if session is None:
            return
        self.notice.emit("")
        self.shown.emit(alike)
        frame = alike.scan.frames // 2
        there = self._pictures.at(Place(alike.scan.id, frame))
        if there is not None:
            self.picture.emit(there)
            return
        reader = session.scan_reader
        self._job = self._jobs.pictures.submit(
            lambda control: decode(reader, alike.scan, frame, control),
            priority=Priority.PREFETCH,
            done=partial(self._decoded, alike),
            failed=partial(self._refused, alike),
        )

    def _decoded(self, alike: Alike, picture: Picture) -> None:
        if self._is_on_screen(alike):
            self.picture.emit(picture)

    def _refused(self, alike: Alike, error: NearlError) -> None:
        if self._is_on_screen(alike):
            self.notice.emit(error.message)

    def _is_on_screen(self, alike: Alike) -> bool:
        return bool(self._found) and self._found[self._at] is alike
