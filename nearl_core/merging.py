"""What readers decided in a copy of a project while others decided in the project itself.

Readers who work at the same time work in copies of its folder. Both logs began as one and only
grew, so that a decision is known again by its scan, its reader and its time, whatever its number.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from nearl_core.types import Decision, Occasion
from nearl_core.words import counted


class Moment(NamedTuple):
    """By what a decision of the project is known again; `id` is its number there."""

    id: int
    scan_id: int
    reader: str
    time: datetime
    occasion: Occasion


@dataclass(frozen=True)
class Merge:
    """What of a copy is to be taken into the project.

    Attributes:
        decisions: As they were made there, in their order and with their numbers of there; of the
            project's scans. Each with what its reader took back of it.
        numbers: Of the copy's decisions that the project has: its number of each by theirs.
        overtaken: How many are left out, since their reader decided the scan later in the project;
            of an adjudication, since somebody adjudicated the scan later there.
        missing: How many are left out, since the project does not have their scans.
        of_sources: How many are left out, since they were imported: they can be imported again.
    """

    decisions: tuple[Decision, ...]
    numbers: Mapping[int, int]
    overtaken: int = 0
    missing: int = 0
    of_sources: int = 0

    @property
    def readers(self) -> Mapping[str, int]:
        """How many decisions of each reader are to be taken, undoing ones included."""
        return Counter(one.reader for one in self.decisions)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences on what is left out."""
        reasons = (
            (self.overtaken, "the project has a later word on their scans"),
            (self.missing, "the project does not have their scans; add these and merge again"),
            (self.of_sources, "they were imported; import them here"),
        )
        return tuple(
            f"{counted(count, 'decision')} left out: {why}." for count, why in reasons if count
        )


def compare(
    here: Sequence[Moment],
    there: Sequence[Decision],
    *,
    scans: Mapping[int, int],
    sources: Collection[str],
) -> Merge:
    """What the project lacks of what was decided in its copy.

    All that a reader newly said of a scan in the copy is taken or left out together.

    Args:
        here: All decisions of the project.
        there: All decisions of the copy, in their order.
        scans: The project's number of each scan of the copy that it has.
        sources: Names of sources, in either.
    """
    found = {(one.scan_id, one.reader, one.time): one.id for one in here}
    numbers, new, missing, of_sources = dict[int, int](), list[Decision](), 0, 0
    for one in there:
        scan_id = scans.get(one.scan_id)
        number = None if scan_id is None else found.get((scan_id, one.reader, one.time))
        if number is not None:
            numbers[one.id] = number
        elif one.reader in sources:
            of_sources += 1
        elif scan_id is None:
            missing += 1
        else:
            new.append(_of_scan(one, scan_id))
    shared = set(numbers.values())
    late = _overtaken(new, [one for one in here if one.id not in shared])
    taken = tuple(one for one in new if (one.scan_id, one.reader) not in late)
    return Merge(taken, numbers, len(new) - len(taken), missing, of_sources)


def _of_scan(decision: Decision, scan_id: int) -> Decision:
    ranking = decision.ranking
    return replace(
        decision,
        scan_id=scan_id,
        ranking=None if ranking is None else replace(ranking, scan_id=scan_id),
    )


def _overtaken(new: Sequence[Decision], here: Sequence[Moment]) -> set[tuple[int, str]]:
    """Scans and readers of which the project's own part says something later."""
    said, settled = dict[tuple[int, str], datetime](), dict[int, datetime]()
    for moment in here:
        at = moment.scan_id, moment.reader
        said[at] = max(moment.time, said.get(at, moment.time))
        if moment.occasion is Occasion.ADJUDICATION:
            settled[moment.scan_id] = max(moment.time, settled.get(moment.scan_id, moment.time))
    newest = {(one.scan_id, one.reader): one.time for one in new}
    late = {at for at, time in newest.items() if at in said and said[at] > time}
    return late | {
        (one.scan_id, one.reader)
        for one in new
        if one.occasion is Occasion.ADJUDICATION
        and one.scan_id in settled
        and settled[one.scan_id] > one.time
    }
