"""Which scan of the project a source means."""

import os
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Final

from nearl_core.importing.statements import Key, Statement
from nearl_core.links import followed
from nearl_core.types import Scan

_EXACT: Final = 1 << 20
"""More than any two paths share: the file itself."""
_SUFFIX: Final = re.compile(r"(\.nii)?\.[a-z]\w{1,4}$", re.IGNORECASE)
"""Not the last number of a name that is a UID."""
_File = tuple[str, str, int | None]
Hashed = Callable[[Path], str]
"""The SHA-256 of a file that a source names, or "" where it is not there."""


@dataclass(frozen=True)
class Matched:
    """Statements whose scans are known, and those whose are not.

    Attributes:
        found: The scan's number and what the source says of it, in the source's order.
        unknown: Files that are no scan of the project, as the source names them.
        unclear: Files whose name several scans have.
        columns: The names of the columns, where the source is a table.
        key: What scans were found by.
        several: Statements that mean several scans each, with these.
    """

    found: tuple[tuple[int, Statement], ...]
    unknown: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    key: Key = Key.FILE
    several: tuple[tuple[tuple[int, ...], Statement], ...] = ()


def match(
    statements: Iterable[Statement],
    scans: Sequence[Scan],
    *,
    folder: Path,
    by_hash: Mapping[str, int],
    hashed: Hashed = lambda _path: "",
    frames: Mapping[Path, int] = MappingProxyType({}),
) -> Matched:
    """Find each statement's scan: by path, by its file's hash, by the end of its path.

    A path is taken as it is given, else relative to the source. The end of a path, at the least the
    file's name, counts where one scan alone shares the most of it, and no other file of the source
    shares as much with that scan: the same names in folders of different patients are never mixed.
    A name without its suffix, as tables of image ids have it, is taken likewise. In a project
    of stacks a scan is found by each of its files too, and by a folder that holds no other's.

    Args:
        statements: What the source says.
        scans: Those of the project.
        folder: Where the source stands.
        by_hash: The project's scans by the SHA-256 of their files, as far as they were hashed.
        hashed: Used for files that no path finds.
        frames: The scan of each file that is a frame of a stack.
    """
    known = _Known(_places(scans, frames), folder, by_hash, hashed)
    listed = list(statements)
    answers = {one: known.find(one) for one in dict.fromkeys(map(_file, listed))}
    most: dict[int, int] = defaultdict(int)
    rivals: Counter[_Answer] = Counter()
    for answer in answers.values():
        if len(answer.ids) == 1:
            most[answer.ids[0]] = max(most[answer.ids[0]], answer.shared)
            rivals[answer] += 1
    found: list[tuple[int, Statement]] = []
    unknown: list[str] = []
    unclear: list[str] = []
    for statement in listed:
        answer = answers[_file(statement)]
        named = statement.file or statement.sha256
        if len(answer.ids) != 1:
            (unclear if answer.ids else unknown).append(named)
            continue
        if answer.shared < most[answer.ids[0]]:
            unknown.append(named)
        elif answer.shared < _EXACT and rivals[answer] > 1:
            unclear.append(named)
        else:
            found.append((answer.ids[0], statement))
    return Matched(tuple(found), tuple(unknown), tuple(unclear))


def _file(statement: Statement) -> _File:
    return statement.file, statement.sha256, statement.scan_id


@dataclass(frozen=True)
class _Answer:
    """The scans that a file may be, two at the most, and how many parts of its path they share.

    `place` tells the file or folder whose path ends so from others of the scan.
    """

    ids: tuple[int, ...] = ()
    shared: int = 0
    place: int = -1


class _Known:
    """The project's scans, to be found by what a source names."""

    def __init__(
        self, places: Mapping[Path, int], folder: Path, by_hash: Mapping[str, int], hashed: Hashed
    ) -> None:
        self._folder, self._by_hash, self._hashed = folder, by_hash, hashed
        self._by_path = {os.path.normcase(path): scan_id for path, scan_id in places.items()}
        self._by_name: dict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        self._ids = tuple(places.values())
        for number, path in enumerate(places):
            name, *above = map(os.path.normcase, reversed(path.parts))
            self._by_name[name].append(((name, *above), number))
            bare = _SUFFIX.sub("", name)
            if bare not in ("", name):
                self._by_name[bare].append(((bare, *above), number))
        for paths in self._by_name.values():
            paths.sort()

    def find(self, wanted: _File) -> _Answer:
        """The scans that may be meant."""
        file, sha256, scan_id = wanted
        if scan_id is None and sha256:
            scan_id = self._by_hash.get(sha256)
        if scan_id is None and file and "\0" not in file:
            scan_id = self._at(file)
            if scan_id is None:
                return self._ending(file)
        return _Answer() if scan_id is None else _Answer((scan_id,), _EXACT)

    def _at(self, named: str) -> int | None:
        places = (os.path.abspath(named), os.path.abspath(os.path.join(self._folder, named)))
        # Links are followed only where nothing else is found: it asks the disk.
        for form in chain(places, map(followed, places)):
            found = self._by_path.get(os.path.normcase(form))
            if found is not None:
                return found
        digest = self._hashed(self._folder / named)
        return self._by_hash.get(digest) if digest else None

    def _ending(self, named: str) -> _Answer:
        parts = [os.path.normcase(part) for part in named.replace("\\", "/").split("/")]
        turned = tuple(part for part in reversed(parts) if part not in ("", ".", ".."))
        candidates = self._by_name.get(turned[0], []) if turned else []
        # In order, what shares the most stands together, and beside where the file would stand: a
        # data set may call the scans of all its patients alike.
        place = bisect_left(candidates, turned, key=_path)
        beside = candidates[max(place - 1, 0) : place + 1]
        most = max((_shared(turned, path) for path, _ in beside), default=0)
        first = bisect_left(candidates, turned[:most], key=lambda one: one[0][:most])
        last = bisect_right(candidates, turned[:most], key=lambda one: one[0][:most])
        found = [number for _, number in candidates[first : min(last, first + 2)]]
        return _Answer(
            tuple(self._ids[number] for number in found), most, found[0] if found else -1
        )


def _places(scans: Sequence[Scan], frames: Mapping[Path, int]) -> dict[Path, int]:
    """What a source may name: scans, and with stacks their files and folders of one scan alone."""
    listed = {scan.path: scan.id for scan in scans}
    if not frames:
        return listed
    stacks = set(frames.values())
    files = {**frames, **{path: one for path, one in listed.items() if one not in stacks}}
    within: dict[Path, set[int]] = defaultdict(set)
    for path, scan_id in files.items():
        within[path.parent].add(scan_id)
    for folder in tuple(within):
        for above in folder.parents:
            if above in within:
                within[above] |= within[folder]
    return listed | files | {at: min(ids) for at, ids in within.items() if len(ids) == 1}


def _path(one: tuple[tuple[str, ...], int]) -> tuple[str, ...]:
    return one[0]


def _shared(parts: Sequence[str], path: Sequence[str]) -> int:
    count = 0
    for one, two in zip(parts, path, strict=False):
        if one != two:
            break
        count += 1
    return count
