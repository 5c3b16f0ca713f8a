"""Very many scans as columns: a million of them without an object each.

A list is a value: adding gives another list that shares what was there, so that a worker may read
one list while the window goes on to the next.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nearl_core.types import Scan

Ids = NDArray[np.int64]
Restore = Callable[[str], Path]
Row = tuple[int, str, int, str, str, bool, str]
"""Id, kept path, frames, modality, patient, whether that is known, problem."""
_TOGETHER = 8192
"""Chunks below this size are joined with what is added, so that there are never many."""


@dataclass(frozen=True, eq=False)
class _Texts:
    """Texts one behind another, each ended by a NUL, which no path holds.

    Attributes:
        data: UTF-8 with lone surrogates kept, uint8.
        ends: Of each text's NUL, int64.
    """

    data: NDArray[np.uint8]
    ends: Ids

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Texts":
        joined = ("\0".join(texts) + "\0").encode("utf-8", "surrogatepass")
        data = np.frombuffer(joined, np.uint8)
        ends = np.flatnonzero(data == 0)
        if len(ends) != len(texts):  # all behind it would be taken for others'
            raise ValueError("a text holds a NUL")
        return cls(data, ends)

    def joined(self, other: "_Texts") -> "_Texts":
        data = np.concatenate((self.data, other.data))
        return _Texts(data, np.concatenate((self.ends, other.ends + len(self.data))))

    def __getitem__(self, row: int) -> str:
        start = int(self.ends[row - 1]) + 1 if row else 0
        return self.data[start : self.ends[row]].tobytes().decode("utf-8", "surrogatepass")

    def holding(self, needle: str) -> NDArray[np.bool_]:
        """Which texts hold another one; N."""
        wanted = np.frombuffer(needle.encode("utf-8", "surrogatepass"), np.uint8)
        found = np.zeros(len(self.ends), np.bool_)
        if not len(wanted):
            return ~found
        last = len(self.data) - len(wanted) + 1
        at = np.flatnonzero(self.data[: max(last, 0)] == wanted[0])
        for offset, byte in enumerate(wanted[1:], start=1):
            at = at[self.data[at + offset] == byte]
        found[np.searchsorted(self.ends, at)] = True
        return found


@dataclass(frozen=True, eq=False)
class _Chunk:
    ids: Ids
    paths: _Texts
    names: _Texts
    frames: NDArray[np.int32]
    modalities: NDArray[np.bytes_]
    patients: NDArray[np.bytes_]
    known: NDArray[np.bool_]
    problems: Mapping[int, str]

    @classmethod
    def of(cls, rows: Sequence[Row], restore: Restore) -> "_Chunk":
        ids, kept, frames, modalities, patients, known, problems = zip(*rows, strict=True)
        return cls(
            ids=np.array(ids, np.int64),
            paths=_Texts.of(kept),
            names=_Texts.of([_name(path, restore).casefold() for path in kept]),
            frames=np.array(frames, np.int32),
            modalities=_encoded(modalities),
            patients=_encoded(patients),
            known=np.array(known, np.bool_),
            problems={row: problem for row, problem in enumerate(problems) if problem},
        )

    def joined(self, other: "_Chunk") -> "_Chunk":
        more = {len(self.ids) + row: problem for row, problem in other.problems.items()}
        return _Chunk(
            ids=np.concatenate((self.ids, other.ids)),
            paths=self.paths.joined(other.paths),
            names=self.names.joined(other.names),
            frames=np.concatenate((self.frames, other.frames)),
            modalities=np.concatenate((self.modalities, other.modalities)),
            patients=np.concatenate((self.patients, other.patients)),
            known=np.concatenate((self.known, other.known)),
            problems={**self.problems, **more},
        )

    def scan(self, row: int, restore: Restore) -> Scan:
        return Scan(
            id=int(self.ids[row]),
            path=restore(self.paths[row]),
            frames=int(self.frames[row]),
            modality=bytes(self.modalities[row]).decode("utf-8"),
            patient=bytes(self.patients[row]).decode("utf-8"),
            patient_known=bool(self.known[row]),
            problem=self.problems.get(row, ""),
        )


class ScanList(Mapping[int, Scan]):
    """Scans by id, in the order of adding, which is the order of their ids.

    Attributes:
        ids: N, ascending.
    """

    def __init__(self, rows: Iterable[Row] = (), *, restore: Restore = Path) -> None:
        listed = list(rows)
        chunks = (_Chunk.of(listed, restore),) if listed else ()
        self._take(chunks, restore)

    def _take(self, chunks: tuple[_Chunk, ...], restore: Restore) -> None:
        self._chunks, self._restore = chunks, restore
        self.ids: Ids = np.concatenate([np.empty(0, np.int64), *(c.ids for c in chunks)])
        self._starts = np.cumsum([0, *(len(chunk.ids) for chunk in chunks)])

    @classmethod
    def of(cls, scans: Iterable[Scan]) -> "ScanList":
        """From scans in any order."""
        return cls(sorted(map(_row, scans)))

    def with_scans(self, scans: Iterable[Scan]) -> "ScanList":
        """This list and the scans that come after its last one; others are left out."""
        last = int(self.ids[-1]) if len(self.ids) else 0
        rows = sorted(_row(scan) for scan in scans if scan.id > last)
        if not rows:
            return self
        chunks, fresh = list(self._chunks), _Chunk.of(rows, self._restore)
        while chunks and len(chunks[-1].ids) < _TOGETHER:
            fresh = chunks.pop().joined(fresh)
        longer = ScanList()
        longer._take((*chunks, fresh), self._restore)
        return longer

    def at(self, place: int) -> Scan:
        """The scan at a place in the order of adding, from 0."""
        number = int(np.searchsorted(self._starts, place, side="right")) - 1
        return self._chunks[number].scan(place - int(self._starts[number]), self._restore)

    def place(self, scan_id: int) -> int | None:
        """The place of an id, or None."""
        at = int(np.searchsorted(self.ids, scan_id))
        return at if at < len(self.ids) and self.ids[at] == scan_id else None

    def places(self, scan_ids: Ids) -> Ids:
        """The places of ids, in their order; ids that are not there are left out."""
        if not len(self.ids):
            return np.empty(0, np.int64)
        if self.ids[-1] - self.ids[0] == len(self.ids) - 1:
            # Without gaps no search is needed: an id tells its place.
            at = scan_ids - self.ids[0]
            found: Ids = at[(at >= 0) & (at < len(self.ids))]
        else:
            at = np.minimum(np.searchsorted(self.ids, scan_ids), len(self.ids) - 1)
            found = at[self.ids[at] == scan_ids]
        return found

    def named(self, text: str) -> NDArray[np.bool_]:
        """Whose file name holds a text, whatever the case; N."""
        needle = text.casefold()
        return np.concatenate(
            [np.empty(0, np.bool_), *(chunk.names.holding(needle) for chunk in self._chunks)]
        )

    def patients(self, first: int = 0) -> Iterator[bytes]:
        """The patient of each scan from a place on: a keyed hash."""
        for start, chunk in zip(self._starts, self._chunks, strict=False):
            yield from map(bytes, chunk.patients[max(0, first - int(start)) :])

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Which scans can't be shown; N."""
        found = np.zeros(len(self.ids), np.bool_)
        for start, chunk in zip(self._starts, self._chunks, strict=False):
            found[[int(start) + row for row in chunk.problems]] = True
        return found

    def __getitem__(self, scan_id: int) -> Scan:
        place = self.place(scan_id)
        if place is None:
            raise KeyError(scan_id)
        return self.at(place)

    def __contains__(self, scan_id: object) -> bool:
        """Whether a scan has this id; no scan is made to tell, as `Mapping` would."""
        return isinstance(scan_id, int) and self.place(scan_id) is not None

    def __iter__(self) -> Iterator[int]:
        return iter(self.ids.tolist())

    def __len__(self) -> int:
        return len(self.ids)


def _row(scan: Scan) -> Row:
    return (
        scan.id,
        str(scan.path),
        scan.frames,
        scan.modality,
        scan.patient,
        scan.patient_known,
        scan.problem,
    )


def _name(kept: str, restore: Restore) -> str:
    """The file name in a kept path; the slow way only for one that is kept in another form."""
    return kept.rpartition("/")[2] if kept[:1] in "./" else restore(kept).name


def _encoded(texts: Iterable[str]) -> NDArray[np.bytes_]:
    return np.array([text.encode("utf-8") for text in texts], np.bytes_)
