"""What readers decided in a copy of a project while others decided in the project itself.

Readers who work at the same time work in copies of its folder. Both logs began as one and only
grew, so that a decision is known again by its scan, its reader and its time, whatever its number.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from nearl_core.errors import ProjectDamagedError
from nearl_core.types import Decision, Occasion, State
from nearl_core.words import counted


class Moment(NamedTuple):
    """What tells a decision from all others, and what it takes back; `id` is its number."""

    id: int
    scan_id: int
    reader: str
    time: datetime
    state: State
    occasion: Occasion
    undoes: int | None = None
    redoes: int | None = None

    @property
    def of(self) -> tuple[int, str]:
        """Of which scan, by whom."""
        return self.scan_id, self.reader

    @property
    def is_repeat(self) -> bool:
        """Whether it never stands."""
        return self.occasion is Occasion.REPEAT

    def outweighs(self, other: "Moment") -> bool:
        """Whether it is the later word; that all was taken back is none."""
        if State.UNSEEN in (self.state, other.state):
            return self.state is not State.UNSEEN
        return self.time > other.time


@dataclass(frozen=True)
class Comparison:
    """What the project lacks of a copy.

    Attributes:
        new: Numbers, in the copy, of the decisions to take, in their order; of the project's scans.
            Each with what its reader took back of it.
        numbers: Of the copy's decisions that the project has: its number of each by theirs.
        overtaken: How many are left out, since their reader has a later word on the scan.
        missing: How many are left out, since the project does not have their scans.
        of_sources: How many are left out, since they were imported: they can be imported again.
    """

    new: tuple[int, ...]
    numbers: Mapping[int, int]
    overtaken: int = 0
    missing: int = 0
    of_sources: int = 0


@dataclass(frozen=True)
class Merge:
    """What of a copy is to be taken into the project.

    Attributes:
        decisions: As they were made there, with their numbers of there; of the project's scans.
        compared: What they were found by.
    """

    decisions: tuple[Decision, ...]
    compared: Comparison

    @property
    def readers(self) -> Mapping[str, int]:
        """How many decisions of each reader are to be taken, undoing ones included."""
        return Counter(one.reader for one in self.decisions)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences on what is left out."""
        found = self.compared
        reasons = (
            (found.overtaken, "the project has a later word on their scans"),
            (found.missing, "the project does not have their scans; add these and merge again"),
            (found.of_sources, "they were imported; import them here"),
        )
        return tuple(
            f"{counted(count, 'decision')} left out: {why}." for count, why in reasons if count
        )


def compare(
    here: Sequence[Moment],
    there: Sequence[Moment],
    *,
    scans: Mapping[int, int],
    sources: Collection[str],
) -> Comparison:
    """Compare a project with its copy.

    All that a reader newly said of a scan in the copy is taken or left out together, but for
    repeats: these never stand, and are always taken.

    Args:
        here: All decisions of the project, in their order.
        there: All decisions of the copy, likewise.
        scans: The project's number of each scan of the copy that it has.
        sources: Names of sources, in either.

    Raises:
        ProjectDamagedError: If the copy takes back what was not said.
    """
    found = {(*one.of, one.time): one.id for one in here}
    known = [one._replace(scan_id=scans[one.scan_id]) for one in there if one.scan_id in scans]
    numbers, of_sources, new = dict[int, int](), 0, list[Moment]()
    for one in known:
        number = found.get((*one.of, one.time))
        if number is not None:
            numbers[one.id] = number
        elif one.reader in sources:
            of_sources += 1
        else:
            new.append(one)
    _require_said(new, known)
    late = _overtaken(here, known, numbers)
    taken = tuple(one.id for one in new if one.is_repeat or one.of not in late)
    missing = sum(one.scan_id not in scans and one.reader not in sources for one in there)
    return Comparison(taken, numbers, len(new) - len(taken), missing, of_sources)


def _require_said(new: Iterable[Moment], known: Iterable[Moment]) -> None:
    """Refuse what takes back another thing than what its reader said of its scan before.

    Raises:
        ProjectDamagedError: If one does.
    """
    said = {one.id: (*one.of, one.is_repeat) for one in known}
    for one in new:
        track = (*one.of, one.is_repeat)
        for before in (one.undoes, one.redoes):
            if before is not None and (said.get(before) != track or before >= one.id):
                raise ProjectDamagedError("It takes back what was never said.")


def _overtaken(
    here: Iterable[Moment], known: Iterable[Moment], numbers: Mapping[int, int]
) -> set[tuple[int, str]]:
    """Scans and readers of which the project has the later word.

    It has what came after a decision that both have, as the copy has. So the clocks of two
    computers are compared only where neither knew what the other said.
    """
    shared, own, late = set(numbers.values()), _last_words(here), set[tuple[int, str]]()
    for of, last in _last_words(known).items():
        mine = own.get(of)
        if last.id in numbers or (
            mine is not None and mine.id not in shared and mine.outweighs(last)
        ):
            late.add(of)
    return late


def _last_words(log: Iterable[Moment]) -> dict[tuple[int, str], Moment]:
    """What stands of each scan and reader."""
    return {one.of: one for one in log if not one.is_repeat}
