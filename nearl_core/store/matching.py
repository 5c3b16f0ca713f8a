"""Which of the files that were found belongs to which scan whose file is gone. Pure.

A file is told by its hash, which is certain. One that was never hashed is told by its name, size
and time of change, and only where nothing else fits as well: a scan without its file is better
than another's picture.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nearl_core.store.stack_files import Slot


@dataclass(frozen=True)
class File:
    """A file, as it was when it was added, or as it stands now.

    Attributes:
        size: Bytes.
        sha256: Where it is known.
    """

    path: Path
    size: int
    mtime_ns: int | None
    sha256: str | None = None

    @property
    def touched(self) -> Hashable:
        """What tells it without a hash."""
        return self.path.name, self.size, self.mtime_ns

    @property
    def key(self) -> Hashable:
        """What tells it best."""
        return self.sha256 or self.touched


@dataclass(frozen=True)
class Matches:
    """Files for scans that lacked them.

    Attributes:
        found: A file for each slot that got one.
        taken: Slots whose files belong to other scans of the project by now.
    """

    found: dict[Slot, Path]
    taken: frozenset[Slot]


def match(lost: Mapping[Slot, File], offered: Iterable[File], there: Collection[Path]) -> Matches:
    """Give each slot a file, and no file to two.

    Args:
        lost: Files that are gone, as they were.
        offered: Files that may be them, with their hashes.
        there: Files that scans of the project have already.
    """
    wanted: dict[Hashable, list[Slot]] = defaultdict(list)
    for slot, file in lost.items():
        wanted[file.key].append(slot)
    fitting: dict[Hashable, list[Path]] = defaultdict(list)
    for file in offered:
        for key in (file.sha256, file.touched):
            if key in wanted:
                fitting[key].append(file.path)
    found: dict[Slot, Path] = {}
    taken: list[Slot] = []
    given: set[Path] = set()
    # Hashes first: they are certain, and a file is one scan's alone.
    for key, paths in sorted(fitting.items(), key=lambda entry: not isinstance(entry[0], str)):
        old = {slot: lost[slot].path for slot in wanted[key]}
        free = [path for path in paths if path not in there and path not in given]
        matched = _matched(old, free, same_bytes=isinstance(key, str))
        found |= matched
        given.update(matched.values())
        left = [slot for slot in old if slot not in matched]
        taken += left[: sum(path in there for path in paths)]
    return Matches(found, frozenset(taken))


def _matched(old: dict[Slot, Path], paths: Sequence[Path], *, same_bytes: bool) -> dict[Slot, Path]:
    """Each slot with one file; first those whose names and folders agree.

    Of files with the same bytes any will do. Else a file counts only where no other one, and no
    other slot, has as much of the path.
    """
    left, free = dict(old), dict.fromkeys(paths)
    matched: dict[Slot, Path] = {}
    for parts in (3, 2, 1, 0):
        by_end: dict[tuple[str, ...], list[Path]] = defaultdict(list)
        for path in free:
            by_end[_end(path, parts)].append(path)
        rivals = Counter(_end(path, parts) for path in left.values())
        for slot, path in list(left.items()):
            end = _end(path, parts)
            ends = by_end[end]
            if ends and (same_bytes or len(ends) == rivals[end] == 1):
                matched[slot] = ends.pop(0)
                del left[slot], free[matched[slot]]
    return matched


def _end(path: Path, parts: int) -> tuple[str, ...]:
    return path.parts[max(0, len(path.parts) - parts) :]
