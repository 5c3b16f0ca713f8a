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
from nearl_core.export.images import SIDE, SMALL, Seen
from nearl_core.export.names import scan_name
from nearl_core.export.rows import Row
from nearl_core.words import counted

FILE: Final = "leakage.json"
LIKE: Final = 0.9
"""The least correlation of two miniatures' edges that are called nearly identical."""

CUT_LIKE: Final = 0.94
"""The same of two small pictures once a pixel is cut off one of them."""

_MAYBE: Final = 0.7
"""The least correlation of two small pictures that are looked at so."""

_TOGETHER: Final = 1000
"""Pairs that are looked at so at a time: some 50 MB."""

_BLOCK: Final = 4096
"""Pictures that are compared with as many others at a time: some 100 MB."""

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
        scans: How many there are.
        unknown: Those of them of which nothing says whose they are.
    """

    patients: int
    studies: int
    identical: tuple[Pair, ...]
    nearly: tuple[Pair, ...]
    compared: int
    scans: int
    unknown: int

    @property
    def none(self) -> bool:
        """Whether nothing leaks."""
        return not (self.patients or self.studies or self.identical or self.nearly)

    @property
    def sentence(self) -> str:
        """For the desk, the card and the command line."""
        blind = "" if self.compared else " (there are no pictures here to compare)"
        if self.none:
            kinds = ["patient"] if self.unknown < self.scans else []
            kinds += ["study", "picture"] if self.compared else ["study"]
            what = " or ".join(filter(None, [", ".join(kinds[:-1]), kinds[-1]]))
            return f"No {what} stands in two splits{blind}{self._untold}."
        return (
            f"In two splits stand {self.patients} patients and {self.studies} studies; "
            f"{scans_of(self.identical)} pictures are identical and {scans_of(self.nearly)} nearly "
            f"identical to one in another split{blind}{self._untold}. {FILE} lists them."
        )

    @property
    def _untold(self) -> str:
        """What is not known of patients, of whom nothing may be claimed then."""
        if not self.unknown:
            return ""
        which = "" if self.unknown == self.scans else f" for {counted(self.unknown, 'scan')}"
        return f"; patients could not be told apart{which}"


def scans_of(pairs: Iterable[Pair]) -> int:
    """How many scans stand in pairs."""
    return len({scan_id for pair in pairs for scan_id in (pair.first, pair.second)})


def examine(
    rows: Sequence[Row],
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
        scans=len(split_of),
        unknown=len({row.scan_id for row in rows if not row.patient_known}),
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
            "Pictures as shown. Identical: the same size and pixels. Nearly identical: the edges "
            f"of their miniatures of {SIDE} x {SIDE} grey values correlate by {LIKE} or more; or, "
            f"where a side has fewer than {SMALL} pixels, by {CUT_LIKE} once a pixel is cut off "
            "one of them at a corner or all around."
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
    """Pairs across splits, not identical, the edges of whose miniatures correlate."""
    by_split: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        by_split[split_of[one.scan_id]].append(one)
    blocks = [
        (split, found[start : start + _BLOCK])
        for split, found in by_split.items()
        for start in range(0, len(found), _BLOCK)
    ]
    for number, (split, block) in enumerate(blocks):
        these = _Likeness.of(block)
        for done, (other, rest) in enumerate(blocks[:number]):
            control.step(number * number + 2 * done, len(blocks) ** 2, "Looking for twins")
            if other != split:
                for first, second in np.argwhere(_like(these, _Likeness.of(rest), control)):
                    if block[first].digest != rest[second].digest:
                        yield block[first].scan_id, rest[second].scan_id


@dataclass(frozen=True, eq=False)
class _Likeness:
    """What is compared of N pictures.

    Attributes:
        edges: N x D.
        cuts: The edges of small pictures that are cut by a pixel, N x 5 x D, 0 for others; None
            where there is no small one.
    """

    edges: NDArray[np.float32]
    cuts: NDArray[np.float32] | None

    @classmethod
    def of(cls, seen: Sequence[Seen]) -> "_Likeness":
        edges = edges_of(np.stack([one.miniature for one in seen]))
        cut = [(place, one.cuts) for place, one in enumerate(seen) if one.cuts is not None]
        if not cut:
            return cls(edges, None)
        places, small = [place for place, _ in cut], np.stack([cuts for _, cuts in cut])
        cuts = np.zeros((len(seen), small.shape[1], edges.shape[1]), np.float32)
        cuts[places] = edges_of(small.reshape(-1, SIDE, SIDE)).reshape(len(cut), -1, edges.shape[1])
        return cls(edges, cuts)


def _like(these: _Likeness, those: _Likeness, control: RunControl) -> NDArray[np.bool_]:
    """Which of these pictures are nearly identical to which of those."""
    product = these.edges @ those.edges.T
    like = np.asarray(product >= LIKE)
    if these.cuts is None and those.cuts is None:
        return like
    maybe = np.argwhere((product >= _MAYBE) & ~like)
    for start in range(0, len(maybe), _TOGETHER):
        control.check()
        first, second = maybe[start : start + _TOGETHER].T
        for cuts, whole, cut, other in (
            (these.cuts, those.edges, first, second),
            (those.cuts, these.edges, second, first),
        ):
            if cuts is not None:
                best = np.einsum("pcd,pd->pc", cuts[cut], whole[other]).max(axis=1)
                like[first, second] |= best >= CUT_LIKE
    return like


def edges_of(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The differences between neighbours in miniatures, so that a product is a correlation.

    Large differences are held down: the outline that all pictures of a kind share, such as the
    disc of a fundus, must not outweigh what is one's own.

    Args:
        small: N x SIDE x SIDE.

    Returns:
        N vectors of length 1, or 0 for one grey all over: that one says nothing.
    """
    grey = small.astype(np.float32)
    across, down = np.diff(grey, axis=2), np.diff(grey, axis=1)
    edges = np.concatenate([one.reshape(len(small), -1) for one in (across, down)], axis=1)
    size = np.abs(edges)
    edges /= size + np.median(size, axis=1, keepdims=True) + 1
    lengths = np.linalg.norm(edges, axis=1, keepdims=True)
    return np.asarray(edges / np.maximum(lengths, 1e-6), dtype=np.float32)
