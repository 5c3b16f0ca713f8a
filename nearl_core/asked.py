"""Which labels a decision was asked for, once the label set has changed since.

A decision answers for the labels that were there when it was made, and for those that came of them;
one that was taken in from a table with a column a label, for those that it has an answer to.
A label that was added later was not asked for: it is neither there nor absent. A label that came of
several, one of which was added later, is answered where the decision names it and nowhere else.
"""

from collections.abc import Iterable

from nearl_core.types import ChangeKind, LabelChange, LabelSet, Verdict


def forth(
    answered: frozenset[str], changes: Iterable[LabelChange], before: LabelSet
) -> frozenset[str]:
    """What of the labels after some changes is answered where `answered` was before them."""
    there = set(before.ids)
    for change in changes:
        sources, into = set(change.sources), set(change.into)
        known = sources <= answered
        match change.kind:
            case ChangeKind.MERGE:
                known = known and into & there <= answered
                answered = answered - sources - into | (into if known else set())
            case ChangeKind.SPLIT:
                mixed = into & there - sources  # was there as another label
                answered = answered - sources - into | (
                    into - (mixed - answered) if known else set()
                )
            case ChangeKind.RETIRE:
                answered = answered - sources
            case ChangeKind.RENAME:
                pass
        there = there - sources | into
    return frozenset(answered)


def back(
    answered: frozenset[str], changes: Iterable[LabelChange], before: LabelSet
) -> frozenset[str]:
    """What of the labels before some changes is answered where `answered` was after them."""
    steps, there = list[tuple[LabelChange, set[str]]](), set(before.ids)
    for change in changes:
        steps.append((change, there))
        there = there - set(change.sources) | set(change.into)
    for change, old in reversed(steps):
        sources, into = set(change.sources), set(change.into)
        known = into <= answered
        match change.kind:
            case ChangeKind.MERGE:
                answered = answered - into | (sources | into & old if known else set())
            case ChangeKind.SPLIT:
                answered = answered - (into - old) - sources | (sources if known else set())
            case ChangeKind.RETIRE:
                answered = answered - sources
            case ChangeKind.RENAME:
                pass
    return frozenset(answered)


def unasked(verdict: Verdict, answered: frozenset[str], label_set: LabelSet) -> tuple[str, ...]:
    """Ids of the labels that a verdict in a label set says nothing of, in order.

    Where labels exclude each other, one that is named rules out all others, whenever they came. A
    kind of a label that is absent is absent too.

    Args:
        verdict: In the labels of the set.
        answered: Labels of the set that were asked for.
        label_set: With the label that came later.
    """
    if not verdict.state.says_labels:
        return ()
    if not label_set.multi_label and verdict.labels:
        return ()
    meant = label_set.meant(verdict.labels)
    absent = answered - meant
    return tuple(
        one
        for one in label_set.ids
        if one not in answered and one not in meant and absent.isdisjoint(label_set.ancestors(one))
    )
