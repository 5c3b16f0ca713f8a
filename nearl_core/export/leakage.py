"""leakage.json: whether one patient, study or picture stands in two splits."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nearl_core.control import RunControl
from nearl_core.export.images import SIDE, Seen
from nearl_core.export.names import scan_name
from nearl_core.export.rows import Row

FILE: Final = "leakage.json"
LIKE: Final = 0.995
"""The least correlation of two miniatures that are called nearly identical."""

_BITS: Final = SIDE * (SIDE - 1)
_BANDS: Final = 12
"""Bits are compared in bands of 20: pictures with at most 11 other bits share a band for sure."""

_PER_BUCKET: Final = 400
"""Pictures that are compared with one another at a time; a larger bucket is compared in pieces."""

_LISTED: Final = 1000
_MOST: Final = 100_000
"""Nearly identical pairs that are counted; beyond that a data set is no longer told apart."""


@dataclass(frozen=True)
class Pair:
    """Two scans in different splits that should not be apart."""

    first: int
    second: int
    splits: tuple[str, str]


@dataclass(frozen=True)
class Leakage:
    """What stands in more than one split.

    Attributes:
        patients, studies: How many there are.
        identical, nearly: Pairs of scans with the same, or nearly the same, picture.
        compared: How many pictures were compared; 0 where the export has none.
    """

    patients: int
    studies: int
    identical: tuple[Pair, ...]
    nearly: tuple[Pair, ...]
    compared: int

    @property
    def none(self) -> bool:
        """Whether nothing leaks."""
        return not (self.patients or self.studies or self.identical or self.nearly)

    @property
    def sentence(self) -> str:
        """For the desk, the card and the command line."""
        blind = "" if self.compared else " (there are no pictures here to compare)"
        if self.none:
            what = "patient, study or picture" if self.compared else "patient or study"
            return f"No {what} stands in two splits{blind}."
        return (
            f"In two splits stand {self.patients} patients and {self.studies} studies; "
            f"{scans_of(self.identical)} pictures are identical and {scans_of(self.nearly)} nearly "
            f"identical to one in another split{blind}. {FILE} lists them."
        )


def scans_of(pairs: Iterable[Pair]) -> int:
    """How many scans stand in pairs."""
    return len({scan_id for pair in pairs for scan_id in (pair.first, pair.second)})


def examine(
    rows: Iterable[Row],
    seen: Sequence[Seen],
    *,
    patients: Mapping[int, str],
    studies: Mapping[int, str],
    control: RunControl,
) -> Leakage:
    """Look for what stands in two splits.

    Args:
        rows: With their splits.
        seen: Likenesses of the pictures.
        patients: Keyed hash of each scan's.
        studies: Keyed hash of each scan's; "" where unknown.
        control: Asked now and then.

    Raises:
        Cancelled: If the control says so.
    """
    split_of = {row.scan_id: row.split for row in rows}
    here = [one for one in seen if one.scan_id in split_of]
    identical = _pairs(_same(here, split_of), split_of)
    different = list({(one.digest, split_of[one.scan_id]): one for one in here}.values())
    nearly = _pairs(islice(_alike(different, split_of, control), _MOST), split_of)
    return Leakage(
        patients=_apart(split_of, patients),
        studies=_apart(split_of, studies),
        identical=tuple(identical),
        nearly=tuple(nearly),
        compared=len(here),
    )


def write(folder: Path, found: Leakage) -> None:
    """Write the report."""
    body = {
        "sentence": found.sentence,
        "patients": found.patients,
        "studies": found.studies,
        "pictures_compared": found.compared,
        "identical": scans_of(found.identical),
        "nearly_identical": scans_of(found.nearly),
        "method": (
            "Pictures as shown. Identical: the same size and pixels. Nearly identical: the "
            f"miniatures of {SIDE} x {SIDE} grey values correlate by {LIKE} or more."
        ),
        "pairs": [
            {
                "kind": kind,
                "scans": [scan_name(pair.first), scan_name(pair.second)],
                "splits": pair.splits,
            }
            for kind, pairs in (
                ("identical", found.identical[:_LISTED]),
                ("nearly identical", found.nearly[:_LISTED]),
            )
            for pair in pairs
        ],
    }
    text = json.dumps(body, indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8", newline="\n")


def _apart(split_of: Mapping[int, str], group_of: Mapping[int, str]) -> int:
    """How many groups have scans in more than one split."""
    splits: dict[str, set[str]] = defaultdict(set)
    for scan_id, split in split_of.items():
        if group := group_of.get(scan_id, ""):
            splits[group].add(split)
    return sum(len(found) > 1 for found in splits.values())


def _pairs(found: Iterable[tuple[int, int]], split_of: Mapping[int, str]) -> list[Pair]:
    """The pairs across splits, each once, in order."""
    ordered = {(min(pair), max(pair)) for pair in found}
    return [
        Pair(first, second, (split_of[first], split_of[second]))
        for first, second in sorted(ordered)
        if split_of[first] != split_of[second]
    ]


def _same(seen: Iterable[Seen], split_of: Mapping[int, str]) -> Iterator[tuple[int, int]]:
    """Each picture with the first of its twins in each other split."""
    groups: dict[str, list[int]] = defaultdict(list)
    for one in seen:
        groups[one.digest].append(one.scan_id)
    for ids in groups.values():
        firsts = {split_of[scan_id]: scan_id for scan_id in reversed(ids)}
        if len(firsts) > 1:
            yield from ((one, first) for one in ids for first in firsts.values() if one != first)


def _alike(
    seen: Sequence[Seen], split_of: Mapping[int, str], control: RunControl
) -> Iterator[tuple[int, int]]:
    """Pairs across splits, not identical, whose miniatures correlate.

    Candidates share a band of the difference hash (the signs of the differences between
    neighbours in a row of the miniature).
    """
    if len(seen) < 2:
        return
    small = np.stack([one.miniature for one in seen])
    normal = _normalised(small)
    ids = np.array([one.scan_id for one in seen])
    digests = np.array([one.digest for one in seen])
    splits = np.array([split_of[one.scan_id] for one in seen])
    flat = np.linalg.norm(normal, axis=1) < 0.5  # one grey all over: alike says nothing
    for band, buckets in enumerate(_buckets(small)):
        control.step(band, _BANDS, "Looking for twins")
        for members in buckets:
            kept = members[~flat[members]]
            for start in range(0, len(kept), _PER_BUCKET):
                block = kept[start : start + _PER_BUCKET]
                rest = kept[start:]
                like = normal[block] @ normal[rest].T >= LIKE
                like &= splits[block][:, np.newaxis] != splits[rest]
                like &= digests[block][:, np.newaxis] != digests[rest]
                for first, second in np.argwhere(np.triu(like, 1)):
                    yield int(ids[block[first]]), int(ids[rest[second]])


def _normalised(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Miniatures as vectors of mean 0 and length 1, so that a product is their correlation."""
    vectors = small.reshape(len(small), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1.0), dtype=np.float32)


def _buckets(small: NDArray[np.uint8]) -> Iterator[list[NDArray[np.intp]]]:
    """For each band of bits the groups of pictures that share it."""
    bits = (small[:, :, 1:] > small[:, :, :-1]).reshape(len(small), _BITS)
    for band in np.array_split(np.arange(_BITS), _BANDS):
        packed = np.packbits(bits[:, band], axis=1)
        keys = np.zeros(len(small), np.int64)
        for column in packed.T:
            keys = keys * 256 + column
        order = np.argsort(keys, kind="stable")
        cuts = np.flatnonzero(np.diff(keys[order])) + 1
        yield [group for group in np.split(order, cuts) if len(group) > 1]
