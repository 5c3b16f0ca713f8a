"""Pictures for the screen and thumbnails: decoded in the background, kept while they are near."""

import contextlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap

from app.jobs import Job, Jobs, Priority
from app.models.picture import Picture, prepare, through
from app.models.thumbnails import THUMBNAIL_SIDE
from app.session import Session
from app.strings import dialog_words
from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.scans import display, written
from nearl_core.scans.guard import ScanReader
from nearl_core.scans.thumbnails import ThumbnailCache
from nearl_core.types import Scan, Window

_KEPT_BYTES = 600_000_000


@dataclass(frozen=True)
class Place:
    """One frame of one scan."""

    scan_id: int
    frame: int


class Pictures(QObject):
    """Decodes what is on screen first, then neighbours, then thumbnails.

    Attributes:
        ready: Place and Picture.
        coarse: Place and a Picture of a lower resolution, while the whole is on its way.
        failed: Place and the NearlError that says why.
        thumbnail: Scan id and QPixmap.
    """

    ready = Signal(object, object)
    coarse = Signal(object, object)
    failed = Signal(object, object)
    thumbnail = Signal(int, object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._session: Session | None = None
        self._kept: OrderedDict[Place, Picture] = OrderedDict()
        self._bytes = 0
        self._on_way: dict[Place, Job] = {}
        self._thumbnails: dict[int, Job] = {}
        self._cache: ThumbnailCache | None = None
        self._common: dict[int, Window | None] = {}
        self._asked: dict[int, Job] = {}
        self._in_sight: list[int] = []

    def open(self, session: Session) -> None:
        """Serve a project."""
        self.close()
        self._session = session
        self._cache = ThumbnailCache(session.project.cache_folder / "thumbnails")

    def close(self) -> None:
        """Serve none, and let nothing that is on its way arrive."""
        for job in (*self._on_way.values(), *self._thumbnails.values(), *self._asked.values()):
            job.cancel()
        self._asked.clear()
        self._common.clear()
        self._on_way.clear()
        self._thumbnails.clear()
        self._in_sight = []
        self._kept.clear()
        self._bytes = 0
        self._session = self._cache = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._on_way and not self._thumbnails and not self._asked

    def at(self, place: Place) -> Picture | None:
        """The picture, if it is there already."""
        picture = self._kept.get(place)
        if picture is not None:
            self._kept.move_to_end(place)
        return picture

    def want(self, scan: Scan, frame: int, priority: Priority) -> None:
        """Have a frame decoded; `ready` or `failed` tells when."""
        place = Place(scan.id, frame)
        waiting = self._on_way.get(place)
        session = self._session
        if session is None or place in self._kept:
            return
        if waiting is not None:
            if waiting.priority <= priority:
                return
            waiting.cancel()
        reader = session.scan_reader
        self._on_way[place] = self._jobs.pictures.submit(
            lambda control: decode(reader, scan, frame, control),
            priority=priority,
            done=partial(self._arrived, session, place),
            failed=partial(self._refused, session, place),
        )

    def want_coarse(self, scan: Scan, frame: int) -> None:
        """Have a frame decoded coarsely where that is much faster; `coarse` tells when."""
        session, place = self._session, Place(scan.id, frame)
        if session is None:
            return
        reader = session.scan_reader
        self._jobs.pictures.submit(
            lambda control: _decode_coarse(reader, scan, frame, control),
            priority=Priority.SCREEN,
            done=partial(self._coarse_arrived, session, place),
            failed=lambda _error: None,  # told by the whole picture, which is on its way
        )

    def only(self, wanted: frozenset[Place]) -> None:
        """Forget about frames that wait and that nobody looks at any more."""
        for place in [place for place in self._on_way if place not in wanted]:
            self._on_way.pop(place).cancel()

    def want_thumbnails(self, scan_ids: list[int]) -> None:
        """Have the thumbnails of these scans made, and of no others that still wait."""
        session, cache = self._session, self._cache
        if session is None or cache is None:
            return
        wanted, self._in_sight = set(scan_ids), scan_ids
        for scan_id in [known for known in self._thumbnails if known not in wanted]:
            self._thumbnails.pop(scan_id).cancel()
        for scan_id in scan_ids:
            scan = session.table.scan(scan_id)
            known = session.table.thumbnails.get(scan_id) is not None
            if scan is None or scan.problem or known or scan_id in self._thumbnails:
                continue
            self._thumbnails[scan_id] = self._jobs.pictures.submit(
                partial(_thumbnail_job, session.scan_reader, scan, cache),
                priority=Priority.BACKGROUND,
                done=partial(self._thumbnail_arrived, session, scan_id),
                failed=partial(self._thumbnail_refused, session, scan_id),
            )

    def _arrived(self, session: Session, place: Place, picture: Picture) -> None:
        # Scans of another project have the same numbers: a late picture of one is none of these.
        job = self._on_way.pop(place, None) if session is self._session else None
        if job is None:
            return
        picture = through(picture, self._common.get(place.scan_id))
        if picture.frame.automatic and picture.info.frames > 1:
            self._want_common(session, place.scan_id, job.priority)
        self._kept[place] = picture
        self._bytes += picture.nbytes
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        self.ready.emit(place, picture)
        if session.table.thumbnails.forget_missing(place.scan_id):
            # It can be read after all: a drive or a share that was away is back.
            self.want_thumbnails(self._in_sight)

    def _want_common(self, session: Session, scan_id: int, priority: Priority) -> None:
        """Have one window found for all frames of a stack: greys that jump can't be compared."""
        scan = session.table.scan(scan_id)
        if scan is None or scan_id in self._common or scan_id in self._asked:
            return
        reader = session.scan_reader
        self._asked[scan_id] = self._jobs.pictures.submit(
            lambda _control: reader.window(scan.path),
            priority=priority,
            done=partial(self._common_arrived, session, scan_id),
            failed=lambda _error: self._common_arrived(session, scan_id, None),
        )

    def _common_arrived(self, session: Session, scan_id: int, common: Window | None) -> None:
        if session is not self._session or self._asked.pop(scan_id, None) is None:
            return
        self._common[scan_id] = common
        for place, picture in list(self._kept.items()):
            if place.scan_id == scan_id and (seen := through(picture, common)) is not picture:
                self._kept[place] = seen
                self.ready.emit(place, seen)

    def _coarse_arrived(self, session: Session, place: Place, picture: Picture | None) -> None:
        if session is self._session and picture is not None and place in self._on_way:
            self.coarse.emit(place, picture)

    def _refused(self, session: Session, place: Place, error: NearlError) -> None:
        if session is self._session and self._on_way.pop(place, None) is not None:
            self.failed.emit(place, error)

    def _thumbnail_arrived(self, session: Session, scan_id: int, image: QImage) -> None:
        if session is self._session and self._thumbnails.pop(scan_id, None) is not None:
            self.thumbnail.emit(scan_id, QPixmap.fromImage(image))

    def _thumbnail_refused(self, session: Session, scan_id: int, error: NearlError) -> None:
        """The queue keeps its place empty: the scan itself says why when it is opened."""
        del error
        if session is self._session and self._thumbnails.pop(scan_id, None) is not None:
            self.thumbnail.emit(scan_id, QPixmap())


def decode(reader: ScanReader, scan: Scan, frame: int, control: RunControl) -> Picture:
    """A frame made ready for the screen; in a picture thread.

    Raises:
        ScanError: If it can't be read.
    """
    values, info = reader.frame(scan.path, frame)
    control.check()
    return prepare(values, info)


def _decode_coarse(
    reader: ScanReader, scan: Scan, frame: int, control: RunControl
) -> Picture | None:
    found = reader.preview(scan.path, frame)
    control.check()
    if found is None:
        return None
    values, info = found
    return prepare(values, replace(info, notices=(*info.notices, dialog_words.COARSE)))


def _thumbnail_job(
    reader: ScanReader, scan: Scan, cache: ThumbnailCache, control: RunControl
) -> QImage:
    """A thumbnail from the project's cache, else made and kept there."""
    file = cache.find(scan.id)
    if file is not None:
        image = _kept(file)
        if not image.isNull():
            return image
    pixels = _small(reader, scan, THUMBNAIL_SIDE, control)
    # The cache is a convenience: a full or read-only disk must not hide the scan.
    with contextlib.suppress(OSError, NearlError):
        cache.keep(scan.id, pixels)
    return _image(pixels)


def _kept(file: Path) -> QImage:
    """A kept thumbnail; null for anything else, which the cache of somebody's project may hold."""
    found = QImageReader(str(file), b"png")
    found.setAutoDetectImageFormat(False)
    size = found.size()
    small = 0 < max(size.width(), size.height()) <= THUMBNAIL_SIDE
    return found.read() if small else QImage()


def thumbnail(reader: ScanReader, scan: Scan, side: int, control: RunControl) -> QImage:
    """A small picture of a scan's middle frame, made anew and coarsely where that is faster.

    Raises:
        ScanError: If it can't be read.
    """
    coarse = reader.preview(scan.path, scan.frames // 2)
    control.check()
    if coarse is not None:
        return _image(written.thumbnail(display.to_rgb(coarse[0]), side))
    return _image(_small(reader, scan, side, control))


def _small(reader: ScanReader, scan: Scan, side: int, control: RunControl) -> NDArray[np.uint8]:
    frame, _ = reader.frame(scan.path, scan.frames // 2)
    control.check()
    return written.thumbnail(display.to_rgb(frame), side)


def _image(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage that owns its pixels: rows x columns x 3, uint8."""
    rows, columns = pixels.shape[:2]
    solid = np.ascontiguousarray(pixels)
    image = QImage(solid.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
    return image.copy()
