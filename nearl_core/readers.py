"""What several readers came to: how much each decided, how far they agree, where they do not."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from nearl_core.agreement import Agreement, Word, alike, cohen, pairs_of, together, word
from nearl_core.types import Confidence, Decision, LabelSet, Occasion, Shown, State, Verdict

TIMED_FROM: Final = 10
"""So many decisions tell how long one takes; of fewer the median is chance."""


@dataclass(frozen=True)
class Readings:
    """A project's decisions, by who made them.

    Attributes:
        reads: Of each reader and scan the latest decision that was neither repeat nor
            adjudication.
        repeats: What a reader had said of a scan, and what they said when it came again.
        adjudications: Of each scan the latest one that stands.
        sources: Names under which labels were taken in: their decisions are no reader's.
    """

    reads: tuple[Decision, ...]
    repeats: tuple[tuple[Decision, Decision], ...]
    adjudications: tuple[Decision, ...]
    sources: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReaderLine:
    """One reader.

    Attributes:
        decisions: Scans that they decided: labelled, none applies or unassessable.
        by_confidence: How many of them were definite, probable and possible.
        adjudicated: Scans that they adjudicated.
        own: Agreement with themself on scans that came again, or None without any.
        seconds: Median time from a scan's appearance to its decision, of those made blind and of
            those made seeing a ranking; None where they are fewer than `TIMED_FROM`.
    """

    reader: str
    decisions: int
    by_confidence: tuple[int, ...]
    adjudicated: int
    own: Agreement | None
    seconds: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class Disagreement:
    """A scan of which readers said different things.

    Attributes:
        said: Their decisions, by reader's name.
        settled: The adjudication, or None while it is open.
    """

    scan_id: int
    said: tuple[Decision, ...]
    settled: Decision | None


@dataclass(frozen=True)
class ReaderReport:
    """All readers of a project.

    Attributes:
        readers: By name.
        pairs: Agreement of each two of them.
        all_readers: Agreement of all, where there are at least three.
        disagreements: In order of scans; a source makes none.
        sources: Where labels were taken in from, by name.
        with_sources: Agreement of each reader with each source.
    """

    readers: tuple[ReaderLine, ...]
    pairs: tuple[Agreement, ...]
    all_readers: Agreement | None
    disagreements: tuple[Disagreement, ...]
    sources: tuple[ReaderLine, ...] = ()
    with_sources: tuple[Agreement, ...] = ()

    @property
    def open(self) -> tuple[Disagreement, ...]:
        """Those that nobody has settled."""
        return tuple(one for one in self.disagreements if one.settled is None)


def taken_in(decisions: Iterable[Decision], sources: Collection[str]) -> dict[int, Decision]:
    """What a source says of each scan, by its id; of several the one that was taken in last."""
    ordered = sorted(decisions, key=lambda found: found.id)
    return {found.scan_id: found for found in ordered if found.reader in sources}


def calls_or_taken_in(
    own: Iterable[Decision], taken: Mapping[int, Decision]
) -> tuple[Decision, ...]:
    """A reader's calls, and of all other scans what was taken in; deferring a scan is no call."""
    calls = {found.scan_id: found for found in own if found.verdict.state.is_decided}
    return tuple((dict(taken) | calls).values())


def confirmed(own: Iterable[Decision], taken: Mapping[int, Decision]) -> set[int]:
    """Scans of which a reader says what was taken in."""
    both = ((found, taken[found.scan_id]) for found in own if found.scan_id in taken)
    return {found.scan_id for found, other in both if found.verdict.call == other.verdict.call}


def can_teach(verdict: Verdict, label_set: LabelSet) -> bool:
    """Whether it can be learned from; that none applies, where a scan can have several labels."""
    none_apply = label_set.multi_label and verdict.state is State.NONE_APPLY
    return none_apply or verdict.state is State.LABELLED


def to_learn(
    standing: Iterable[Decision], sources: Collection[str], label_set: LabelSet
) -> tuple[Decision, ...]:
    """What teaches: readers' decisions, and of sources' what no reader of the scan was asked.

    A reader who corrects a source would else be half unheard. Deferring a scan decides nothing.
    """
    every, ids = tuple(standing), frozenset(label_set.ids)
    given = {found.scan_id for found in every if found.reader in sources}
    asked = dict[int, set[str]]()
    for found in every:
        if (
            found.scan_id in given
            and found.reader not in sources
            and found.verdict.state.is_decided
        ):
            asked.setdefault(found.scan_id, set()).update(ids.difference(found.unasked))
    left = (
        _left(found, asked[found.scan_id], label_set)
        if found.reader in sources and found.scan_id in asked
        else found
        for found in every
    )
    return tuple(found for found in left if found is not None)


def _left(given: Decision, asked: Collection[str], label_set: LabelSet) -> Decision | None:
    """What a source says of labels that readers were not asked for, or None without any."""
    if not label_set.multi_label:
        return given if set(given.verdict.labels).difference(asked) else None
    unasked = tuple(one for one in label_set.ids if one in asked or one in given.unasked)
    return None if unasked == label_set.ids else replace(given, unasked=unasked)


def report(readings: Readings, label_set: LabelSet) -> ReaderReport:
    """Sum up a project's readers."""
    every = [found for found in readings.reads if found.verdict.state.is_decided]
    calls = [call for call in every if call.reader not in readings.sources]
    taken_in = [call for call in every if call.reader in readings.sources]
    said, given = _words(calls, label_set), _words(taken_in, label_set)
    names = {call.reader for call in (*calls, *readings.adjudications)}
    return ReaderReport(
        readers=tuple(_line(name, calls, readings, label_set) for name in sorted(names)),
        pairs=tuple(pairs_of(dict(sorted(said.items())), label_set)),
        all_readers=together(said, label_set),
        disagreements=tuple(_disagreements(calls, readings.adjudications, label_set)),
        sources=tuple(_line(name, taken_in, readings, label_set) for name in sorted(given)),
        with_sources=tuple(
            found
            for reader in sorted(said)
            for source in sorted(given)
            for found in pairs_of({reader: said[reader], source: given[source]}, label_set)
        ),
    )


def _words(calls: Iterable[Decision], label_set: LabelSet) -> dict[str, dict[int, Word]]:
    said: dict[str, dict[int, Word]] = {}
    for call in calls:
        said.setdefault(call.reader, {})[call.scan_id] = word(call, label_set)
    return said


def _line(
    reader: str, calls: Iterable[Decision], readings: Readings, label_set: LabelSet
) -> ReaderLine:
    own = [call for call in calls if call.reader == reader]
    sure = Counter(call.verdict.confidence for call in own)
    pairs = [
        (word(first, label_set), word(second, label_set))
        for first, second in readings.repeats
        if first.reader == reader
        and first.verdict.state.is_decided
        and second.verdict.state.is_decided
    ]
    return ReaderLine(
        reader=reader,
        decisions=sure.total(),
        by_confidence=tuple(sure[one] for one in Confidence),
        adjudicated=sum(one.reader == reader for one in readings.adjudications),
        own=cohen((reader,), pairs, label_set),
        seconds=(_median_s(own, Shown.BLIND), _median_s(own, Shown.VISIBLE)),
    )


def _median_s(calls: Iterable[Decision], shown: Shown) -> float | None:
    """Of scans that were decided one by one: of a page nobody knows how long each took."""
    times = [
        call.milliseconds / 1000
        for call in calls
        if call.milliseconds is not None
        and call.shown is shown
        and call.occasion is Occasion.SINGLE
    ]
    return median(times) if len(times) >= TIMED_FROM else None


def _disagreements(
    calls: Iterable[Decision], adjudications: Iterable[Decision], label_set: LabelSet
) -> Iterable[Disagreement]:
    settled = {one.scan_id: one for one in adjudications}
    by_scan: dict[int, list[Decision]] = {}
    for call in calls:
        by_scan.setdefault(call.scan_id, []).append(call)
    for scan_id, said in sorted(by_scan.items()):
        if not alike([word(call, label_set) for call in said], label_set):
            ordered = tuple(sorted(said, key=lambda call: call.reader))
            yield Disagreement(scan_id, ordered, settled.get(scan_id))


def is_among(name: str, names: Iterable[str]) -> bool:
    """Whether a name is one of some, written with capitals or without."""
    return name.strip().casefold() in {one.strip().casefold() for one in names}
