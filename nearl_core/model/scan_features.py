"""Which features stand for a scan: its file's key, the frames it is ranked by, and their rows."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from nearl_core.model.features import FeatureCache, scan_key
from nearl_core.types import Scan

Make = Callable[[NDArray[np.float32]], NDArray[np.float64]]
_AT_ONCE = 128
_FRAMES = 3
"""Of a stack, by which it is ranked."""
"""So many scans' features stay in a processor's cache."""


@dataclass(frozen=True)
class Place:
    """Where a scan's features stand: the key of its file, and frames."""

    key: str
    frames: tuple[int, ...]

    def is_in(self, *caches: FeatureCache) -> bool:
        """Whether every cache has a feature of every frame."""
        for cache in caches:
            for frame in self.frames:
                if (self.key, frame) not in cache:
                    return False
        return True


def ranked_frames(frames: int) -> tuple[int, ...]:
    """The frames by which a stack is ranked: the middle one and some evenly spaced around it."""
    if frames <= _FRAMES:
        return tuple(range(frames))
    places = (np.arange(_FRAMES) + 0.5) * frames / _FRAMES
    return tuple(sorted({int(p) for p in places} | {frames // 2}))


def place_of(scan: Scan) -> Place:
    """The place of a scan by the frames it is ranked by."""
    return Place(scan_key(scan.path), ranked_frames(scan.frames))


class ScanFeatures:
    """Which features stand for which scans, looked up for a whole queue at once; any thread.

    A mean of frames is a scan's feature: the mean of a linear head's logits is its logit of the
    mean.
    """

    def __init__(self) -> None:
        self._slots = dict[int, int]()
        self._places = list[Place]()
        self._replaced = 0
        self._rows_in: WeakKeyDictionary[FeatureCache, _RowsIn] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def __contains__(self, scan_id: int) -> bool:
        """Whether the place of a scan is known."""
        slot = self._slots.get(scan_id)
        return slot is not None and bool(self._places[slot].key)

    def know(self, scan: Scan) -> Place:
        """The place of a scan, by its file as it was when it was first asked for."""
        if scan.id in self:
            return self.place(scan.id)
        place = place_of(scan)
        with self._lock:
            if scan.id in self._slots:  # a file that was not there may have come back
                self._places[self._slots[scan.id]] = place
                self._replaced += 1
            else:
                self._places.append(place)
                self._slots[scan.id] = len(self._places) - 1
        return place

    def place(self, scan_id: int) -> Place:
        """The place of a scan that is known."""
        return self._places[self._slots[scan_id]]

    def known(self, scan_ids: Sequence[int], *caches: FeatureCache) -> list[int]:
        """Those of some scans that have features in every cache."""
        there = np.ones(len(scan_ids), bool)
        for cache in caches:
            there &= self._rows(scan_ids, cache) != _NONE
        return list(compress(scan_ids, there.tolist()))

    def count(self, cache: FeatureCache) -> int:
        """How many scans have features in a cache."""
        with self._lock:
            return self._in(cache).count

    def features(
        self, scan_ids: Sequence[int], cache: FeatureCache, *, width: int | None = None
    ) -> NDArray[np.float32]:
        """The features of scans, or their first `width` columns: N x F; all in the cache."""
        return self._at(self._rows(scan_ids, cache), scan_ids, cache, width)

    def each(self, scan_ids: Sequence[int], cache: FeatureCache, make: Make) -> NDArray[np.float64]:
        """What is made of scans' features row by row, N x F to N x C; all in the cache.

        Where many scans are at least half of a cache it is made of all there: gathering rows takes
        longer.
        """
        rows = self._rows(scan_ids, cache)
        if len(rows) <= _AT_ONCE or 2 * len(rows) < len(cache):
            return self._in_parts(rows, scan_ids, cache, make)
        whole = np.asarray(make(cache.whole())[rows.clip(0)])
        several = np.flatnonzero(rows == _SEVERAL)
        if len(several):
            some = [scan_ids[n] for n in several.tolist()]
            whole[several] = self._in_parts(rows[several], some, cache, make)
        return whole

    def _in_parts(
        self, rows: NDArray[np.intp], scan_ids: Sequence[int], cache: FeatureCache, make: Make
    ) -> NDArray[np.float64]:
        """What is made of gathered features, of a few scans at a time."""
        starts = range(0, max(len(rows), 1), _AT_ONCE)
        parts = [slice(start, start + _AT_ONCE) for start in starts]
        found = [make(self._at(rows[part], scan_ids[part], cache, None)) for part in parts]
        return np.concatenate(found)

    def _at(
        self,
        rows: NDArray[np.intp],
        scan_ids: Sequence[int],
        cache: FeatureCache,
        width: int | None,
    ) -> NDArray[np.float32]:
        found = cache.at(rows.clip(0), width=width)
        for n in np.flatnonzero(rows == _SEVERAL).tolist():
            place = self.place(scan_ids[n])
            found[n] = cache.rows([(place.key, frame) for frame in place.frames]).mean(0)[:width]
        return found

    def _rows(self, scan_ids: Sequence[int], cache: FeatureCache) -> NDArray[np.intp]:
        """For each scan its row in a cache, _NONE or _SEVERAL."""
        # Slots first: of scans that get one meanwhile there may be no row yet. The last is none's.
        slots = np.fromiter(map(self._slots.get, scan_ids, repeat(-1)), np.intp, len(scan_ids))
        with self._lock:
            return np.asarray(self._in(cache).rows[slots])

    def _in(self, cache: FeatureCache) -> "_RowsIn":
        found = self._rows_in.setdefault(cache, _RowsIn())
        found.look(self._places, cache, self._replaced)
        return found


_NONE, _SEVERAL = -1, -2


class _RowsIn:
    """Where the features of each slot stand in one cache.

    Attributes:
        rows: For each slot its row; one slot more stands for scans that are not known.
    """

    def __init__(self) -> None:
        self.rows = np.full(1, _NONE, np.intp)
        self._missing: list[int] = []
        self._seen = (0, 0)

    @property
    def count(self) -> int:
        """How many slots have a row."""
        return len(self.rows) - 1 - len(self._missing)

    def look(self, places: Sequence[Place], cache: FeatureCache, replaced: int) -> None:
        """Take in what came since; only slots without a row are looked up."""
        before, seen = len(self.rows) - 1, (len(cache), replaced)
        if before == len(places) and seen == self._seen:
            return
        rows = np.full(len(places) + 1, _NONE, np.intp)
        rows[:before] = self.rows[:-1]
        asked = [*self._missing, *range(before, len(places))]
        for slot in asked:
            rows[slot] = _row(places[slot], cache)
        self._missing = [slot for slot in asked if rows[slot] == _NONE]
        self.rows, self._seen = rows, seen


def _row(place: Place, cache: FeatureCache) -> int:
    if not place.is_in(cache):
        return _NONE
    return cache.row(place.key, place.frames[0]) if len(place.frames) == 1 else _SEVERAL
