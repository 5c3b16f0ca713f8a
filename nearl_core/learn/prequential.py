"""How often suggestions were right, judged by what a reader decided after them.

Each decision carries what the live version said before it had learned from that decision, so every
one of them is a small test whose outcome nobody knew (prequential: Dawid 1984). A scan counts once,
by its first decision: later rankings of it have learned from that one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nearl_core import suggesting
from nearl_core.agreement import wilson
from nearl_core.types import Decision, LabelSet, Occasion, Shown

LAST = 50
"""So many decisions are the recent ones."""


@dataclass(frozen=True)
class Outcome:
    """What was suggested for a scan, and what was decided.

    Attributes:
        suggested, decided: Label ids; several of them, or none, in a multi-label set, where the
            parents of labels are among them.
        seen: Whether the reader saw the suggestion before deciding.
    """

    scan_id: int
    suggested: frozenset[str]
    decided: frozenset[str]
    seen: bool

    @property
    def right(self) -> bool:
        """Whether they are the same."""
        return self.suggested == self.decided


@dataclass(frozen=True)
class Share:
    """So many of so many, with the 95 % interval (Wilson) of the share behind them.

    Attributes:
        low, high: In [0, 1].
    """

    part: int
    n: int
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class LabelOutcome:
    """How one label fared.

    Attributes:
        found: Of the scans decided so, how many were suggested so.
        right: Of the scans suggested so, how many were decided so.
    """

    label_id: str
    found: Share
    right: Share


def outcomes(firsts: Sequence[Decision], label_set: LabelSet) -> tuple[Outcome, ...]:
    """What became of each suggestion, the oldest first.

    Deferred and unassessable scans answer nothing; that no label applies is an answer, and no
    suggestion of an exclusive set says so. A label that left the set since is no answer either, nor
    is what was accepted in a grid, where only suggestions that the model is sure of are shown, or
    settled knowing what others said. A label that a decision was not asked for counts neither way.

    Args:
        firsts: A reader's first decision of each scan, in the order they were made.
        label_set: The labels, and whether several can apply.
    """
    there = frozenset(label_set.ids)
    found = []
    for decision in firsts:
        ranking, verdict = decision.ranking, decision.verdict
        if not is_test(decision) or ranking is None or not there.issuperset(verdict.labels):
            continue
        if not verdict.state.says_labels:
            continue
        said = suggesting.suggested(ranking, label_set) or ()
        if there.issuperset(said):
            seen = decision.shown is Shown.VISIBLE
            labels = label_set.meant(verdict.labels)
            suggested = label_set.meant(said).difference(decision.unasked)
            found.append(Outcome(decision.scan_id, suggested, labels, seen))
    return tuple(found)


def is_test(decision: Decision) -> bool:
    """Whether a first decision puts what was suggested to the test: one scan, looked at alone."""
    ranking = decision.ranking
    alone = decision.occasion is Occasion.SINGLE
    return alone and ranking is not None and bool(ranking.labels)


def share(held: Iterable[bool]) -> Share:
    """How many of these are so."""
    values = [float(one) for one in held]
    if not values:
        return Share(0, 0)
    low, high = wilson(values)
    return Share(int(sum(values)), len(values), max(low, 0.0), min(high, 1.0))


def by_label(found: Sequence[Outcome], label_set: LabelSet) -> tuple[LabelOutcome, ...]:
    """How each label fared, in the order of the label set."""
    return tuple(
        LabelOutcome(
            label_id,
            share(label_id in one.suggested for one in found if label_id in one.decided),
            share(label_id in one.decided for one in found if label_id in one.suggested),
        )
        for label_id in label_set.ids
    )


def course(found: Sequence[Outcome], *, window: int = LAST) -> tuple[float, ...]:
    """The share of right suggestions over the last `window` outcomes, after each of them.

    The first value comes with the tenth outcome: a share of three is no course.
    """
    begin = min(10, window)
    return tuple(
        sum(one.right for one in found[max(0, end - window) : end]) / min(end, window)
        for end in range(begin, len(found) + 1)
    )
