"""What a ranking suggests, by one rule wherever it is asked for: on screen, in a grid, in figures.

Where labels exclude each other it is the most probable one. Where a scan can have several, it is
every label that is at least as likely as not, each with its parents; where there is none, that none
applies. That is the likeliest answer if labels are taken each by itself, and it is what counts as
right or wrong later. Before the first decision there is no such suggestion: texts put labels in
order, and tell nothing of how often each is there.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from nearl_core.types import LabelProbability, LabelSet, Ranking, State, Verdict

HALF: Final = 0.5


def by_rule(labels: Sequence[LabelProbability], label_set: LabelSet) -> tuple[str, ...]:
    """Ids of the labels that probabilities suggest, in order; the most probable one comes first."""
    if not label_set.multi_label:
        return tuple(entry.label_id for entry in labels[:1])
    likely = _with_parents(labels, label_set)
    here = tuple(one for one in label_set.ids if likely.get(one, 0.0) >= HALF)
    # Another one that is not in the set any more was on screen.
    return here + tuple(one for one in likely if likely[one] >= HALF and one not in here)


def _with_parents(labels: Iterable[LabelProbability], label_set: LabelSet) -> dict[str, float]:
    """Probabilities of labels, and of each parent at the least that of its kinds."""
    likely, parents = dict[str, float](), {label.id: label.parent for label in label_set.labels}
    for entry in labels:
        one = entry.label_id
        while one and likely.get(one, -1.0) < entry.probability:
            likely[one] = entry.probability
            one = parents.get(one, "")
    return likely


def sureness(ranking: Ranking, label_set: LabelSet) -> float:
    """How probable what a ranking suggests is: in a set of several labels its least sure part.

    Returns:
        In [0, 1]; 0 where it says nothing.
    """
    if not ranking.labels or not label_set.multi_label:
        return ranking.labels[0].probability if ranking.labels else 0.0
    return min(max(p, 1 - p) for p in _with_parents(ranking.labels, label_set).values())


def suggested(ranking: Ranking | None, label_set: LabelSet) -> tuple[str, ...] | None:
    """Ids of the labels that a ranking suggests, () that none applies; None where it says nothing.

    As it was recorded; a ranking of before this was kept says it by the rule.
    """
    if ranking is None or not ranking.labels:
        return None
    if label_set.multi_label and not ranking.decisions:
        return None
    if ranking.suggested is not None:
        return ranking.suggested
    return by_rule(ranking.labels, label_set)


def offered(ranking: Ranking | None, label_set: LabelSet) -> Verdict | None:
    """What one key makes a decision of; None where there is nothing to accept.

    That none applies is offered only where something is known of every label.
    """
    found = suggested(ranking, label_set)
    if found is None or ranking is None:
        return None
    if found:
        labels = named(found, label_set)
        return Verdict(State.LABELLED, labels) if labels else None
    known = {entry.label_id for entry in ranking.labels}
    return Verdict(State.NONE_APPLY) if known.issuperset(label_set.ids) else None


def is_accepted(verdict: Verdict, ranking: Ranking | None, label_set: LabelSet) -> bool:
    """Whether a verdict is what a ranking suggests; parents follow, whether they are named or not.

    A deferred or unassessable scan is no answer to it.
    """
    found = suggested(ranking, label_set)
    if ranking is None or found is None:
        return False
    if not verdict.state.says_labels:
        return False
    # Before it was kept, one key took the most probable label alone.
    if ranking.suggested is None and verdict.labels == (ranking.labels[0].label_id,):
        return True
    return label_set.meant(verdict.labels) == label_set.meant(found)


def named(label_ids: Iterable[str], label_set: LabelSet) -> tuple[str, ...]:
    """Those of some labels that are to be named, in order: parents of others follow from these."""
    here = frozenset(label_ids).intersection(label_set.ids)
    above = {parent for one in here for parent in label_set.ancestors(one)}
    spared = above if label_set.multi_label else set()
    return tuple(one for one in label_set.ids if one in here - spared)


def chosen(ranking: Ranking, label_set: LabelSet) -> frozenset[str]:
    """What of a suggestion is likely by itself; parents that only follow go with their kinds."""
    found = suggested(ranking, label_set) or ()
    return frozenset(one for one in found if (ranking.probability(one) or 0.0) >= HALF)


def toggled(before: frozenset[str], label_id: str, label_set: LabelSet) -> frozenset[str]:
    """A choice of several labels with one more, or without it and its kinds.

    Parents follow, whether they are chosen or not: to take one out takes out what implies it.
    """
    if label_id not in label_set.meant(before):
        return before | {label_id}
    return frozenset(one for one in before if label_id not in (one, *label_set.ancestors(one)))
