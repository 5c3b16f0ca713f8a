"""Which frame is on screen: decoded at once or shown from what was made ready, and cine."""

from PySide6.QtCore import QObject, QTimer, Signal

from app.controllers.pictures import Pictures, Place
from app.controllers.review import Review
from app.jobs import Priority
from app.models.picture import Picture
from app.session import Session
from nearl_core.errors import NearlError
from nearl_core.types import Scan

_DEFAULT_RATE = 15.0
_FASTEST_MS = 20


class Screen(QObject):
    """Brings the frames of the scan that Review has put on screen.

    Attributes:
        scan_changed: The Scan on screen, or None; its picture follows.
        waiting: The picture takes a moment.
        picture: Picture, frame, and whether it is another frame of the same scan.
        problem: The sentence that says why the scan can't be shown.
        cine_changed: Whether frames run by themselves.
    """

    scan_changed = Signal(object)
    waiting = Signal()
    picture = Signal(object, int, bool)
    problem = Signal(str)
    cine_changed = Signal(bool)

    def __init__(self, pictures: Pictures, review: Review, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._review = review
        self._session: Session | None = None
        self._scan: Scan | None = None
        self._frame = 0
        self._shown: Place | None = None
        self._rate = _DEFAULT_RATE
        self._cine = QTimer(self)
        self._cine.timeout.connect(self._cine_step)
        pictures.ready.connect(self._ready)
        pictures.coarse.connect(self._coarse)
        pictures.failed.connect(self._failed)
        review.scan_changed.connect(self.show_scan)

    @property
    def frame(self) -> int:
        """The frame on screen, from 0."""
        return self._frame

    @property
    def rate(self) -> float:
        """Frames a second that cine shows."""
        return self._rate

    @property
    def runs(self) -> bool:
        """Whether frames run by themselves."""
        return self._cine.isActive()

    def open(self, session: Session) -> None:
        """Serve a project."""
        self._session = session

    def close(self) -> None:
        """Serve none."""
        self.set_cine(False)
        self._session = self._scan = self._shown = None

    def show_scan(self, scan: Scan | None) -> None:
        """Another scan; the same one again keeps its frame."""
        if scan is not None and self._scan is not None and scan.id == self._scan.id:
            self.scan_changed.emit(scan)
            if self._shown is not None:
                self._review.saw_frame(self._frame)
            self.prefetch()
            return
        self.set_cine(False)
        self._scan = scan
        self._shown = None
        self._frame = 0 if scan is None else _first_frame(scan, self._review.named_frame)
        self.scan_changed.emit(scan)
        if scan is not None:
            self._bring()
            self.prefetch()

    def step(self, frames: int) -> None:
        """Go so many frames on (or, negative, back)."""
        self.go_to(self._frame + frames)

    def go_to(self, frame: int) -> None:
        """Show a frame; beyond the ends it is the first or the last."""
        if self._scan is None:
            return
        wanted = min(max(frame, 0), self._scan.frames - 1)
        if wanted != self._frame:
            self._frame = wanted
            self._bring()
            self.prefetch()

    def last(self) -> None:
        """Show the last frame."""
        if self._scan is not None:
            self.go_to(self._scan.frames - 1)

    def set_cine(self, on: bool) -> None:
        """Let the frames run, round and round."""
        on = on and self._scan is not None and self._scan.frames > 1
        if on:
            self._cine.start(max(round(1000 / self._rate), _FASTEST_MS))
        else:
            self._cine.stop()
        self.cine_changed.emit(on)

    def _cine_step(self) -> None:
        scan = self._scan
        if scan is None or self._shown != Place(scan.id, self._frame):
            return  # the last one is still on its way: slower, but none is left out
        self.go_to((self._frame + 1) % scan.frames)

    def _bring(self) -> None:
        scan = self._scan
        if scan is None:
            return
        if scan.problem:
            self.problem.emit(scan.problem)
            return
        found = self._pictures.at(Place(scan.id, self._frame))
        if found is not None:
            self._show(found)
            return
        if self._shown is None:
            self.waiting.emit()
            # First in the queue: where one thread is free, it takes a tenth of the whole's time.
            self._pictures.want_coarse(scan, self._frame)
        self._pictures.want(scan, self._frame, Priority.SCREEN)

    def _show(self, picture: Picture) -> None:
        scan = self._scan
        if scan is None:
            return
        same = self._shown is not None
        self._shown = Place(scan.id, self._frame)
        self._rate = picture.info.frames_per_second or _DEFAULT_RATE
        self._review.saw_frame(self._frame)
        self.picture.emit(picture, self._frame, same)

    def _ready(self, place: Place, picture: Picture) -> None:
        if self._scan is not None and place == Place(self._scan.id, self._frame):
            self._show(picture)

    def _coarse(self, place: Place, picture: Picture) -> None:
        """Something to look at; nothing of it is kept, so that the whole is shown as it is."""
        here = self._scan is not None and place == Place(self._scan.id, self._frame)
        if here and self._shown is None:
            self._review.saw_coarse()
            self.picture.emit(picture, self._frame, False)

    def _failed(self, place: Place, error: NearlError) -> None:
        if self._scan is not None and place == Place(self._scan.id, self._frame):
            self.problem.emit(f"{error.message}\n{error.remedy}".strip())

    def prefetch(self) -> None:
        """Frames beside this one, then the scans that come next."""
        scan, session = self._scan, self._session
        if scan is None or session is None:
            return
        wanted = [Place(scan.id, self._frame)]
        for frame in (self._frame + 1, self._frame - 1, self._frame + 2):
            if 0 <= frame < scan.frames and not scan.problem:
                wanted.append(Place(scan.id, frame))
                self._pictures.want(scan, frame, Priority.PREFETCH)
        for scan_id in self._review.ahead():
            other = session.table.scan(scan_id)
            if other is not None and not other.problem:
                frame = _first_frame(other)
                wanted.append(Place(other.id, frame))
                self._pictures.want(other, frame, Priority.PREFETCH)
        self._pictures.only(frozenset(wanted))


def _first_frame(scan: Scan, named: int | None = None) -> int:
    """A stack opens at the frame that was named, else in its middle.

    There most anatomy is, and it is ranked from there.
    """
    return scan.frames // 2 if named is None else min(named, scan.frames - 1)
