"""The instant learner where not every decision speaks of every label.

A decision says nothing of a label that was added after it: its target there is NaN. Labels of which
the same decisions speak are fitted together (`learn/instant.py`), each group of them from these
decisions alone, with its own ridge, share of the text and temperature; the heads then stand side by
side in one. So a label is learned as if the older decisions were not there, exactly. (One
regression in which missing targets are filled in with what is fitted to them comes to the same
weights, but not to the same leave-one-out.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn import instant
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import Head
from nearl_core.learn.regression import Pause

Indices = NDArray[np.intp]
_NEVER = -20.0
"""Logit of a label that no decision speaks of."""


@dataclass(frozen=True, eq=False)
class Group:
    """Labels of which the same decisions speak.

    Attributes:
        rows: These decisions.
        labels: Places of the labels.
    """

    rows: Indices
    labels: Indices


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A head, and for each of its examples what is needed to do without that example.

    For the labels of group k the weights that all but example n give are W - g_kn m_n', exactly.

    Attributes:
        head: Of all examples, not corrected.
        learner: Of all examples, as it ranks.
        scores: N x C, of each example by the others' head, before the temperature; 0 where nothing
            was asked.
        pulls: G x N x F, g, 0 for examples that a group does not learn from.
        misses: N x C, m: the targets less those scores; 0 where nothing was asked.
        group: C, the group of each label.
        judged: N x C, whether the target is known, and the others know the example's label.
    """

    head: Head
    learner: Head
    scores: FloatArray
    pulls: FloatArray
    misses: FloatArray
    group: Indices
    judged: NDArray[np.bool_]


def groups(targets: FloatArray) -> list[Group]:
    """Labels grouped by the decisions that speak of them, those of most decisions first.

    Labels that none speaks of are in no group.

    Args:
        targets: N x C, NaN where a label was not asked for.
    """
    known = ~np.isnan(targets)
    if known.all():
        return [Group(np.arange(len(targets)), np.arange(targets.shape[1]))]
    patterns, group = np.unique(known, axis=1, return_inverse=True)
    found = [
        Group(np.flatnonzero(column), np.flatnonzero(group.ravel() == place))
        for place, column in enumerate(patterns.T)
        if column.any()
    ]
    return sorted(found, key=lambda one: -len(one.rows))


def fit(
    examples: Examples,
    texts: FloatArray | None,
    *,
    multi_label: bool,
    text_default: float = 0.0,
    before: Head | None = None,
    pause: Pause = lambda: None,
) -> Head:
    """Fit the head, see `instant.fit`; targets may be NaN in a multi-label set."""
    parts = groups(examples.targets)
    olds: Sequence[Head | None] = (before,) if before is None else before.parts or (before,)
    if len(olds) != len(parts):
        olds = [None] * len(parts)
    heads = [
        instant.fit(
            _of(examples, part),
            texts,
            multi_label=multi_label,
            text_default=text_default,
            before=old,
            pause=pause,
        )
        for part, old in zip(parts, olds, strict=True)
    ]
    return _beside(heads, parts, examples)


def fit_fixed(
    examples: Examples,
    texts: FloatArray | None,
    *,
    multi_label: bool,
    ridge: float,
    text_share: float,
    temperature: float,
) -> Head:
    """The head with everything chosen beforehand, likewise."""
    fixed = partial(
        instant.fit_fixed,
        texts=texts,
        multi_label=multi_label,
        ridge=ridge,
        text_share=text_share,
        temperature=temperature,
    )
    parts = groups(examples.targets)
    return _beside([fixed(_of(examples, part)) for part in parts], parts, examples)


def left_out_logits(
    examples: Examples, texts: FloatArray | None, *, multi_label: bool
) -> FloatArray:
    """For each example the logits of the head that the others give: N x C, NaN as the targets."""
    found = np.full(examples.targets.shape, np.nan)
    for part in groups(examples.targets):
        _, logits = instant.fit_and_leave_out(_of(examples, part), texts, multi_label=multi_label)
        found[np.ix_(part.rows, part.labels)] = logits
    return found


def leave_each_out(
    examples: Examples,
    texts: FloatArray | None,
    *,
    multi_label: bool,
    text_default: float = 0.0,
    pause: Pause = lambda: None,
) -> LeftOut:
    """Fit the head, see `fit`, and take each example's part in it apart."""
    parts = groups(examples.targets)
    count, labels = examples.targets.shape
    scores, misses = np.zeros((count, labels)), np.zeros((count, labels))
    judged, group = np.zeros((count, labels), bool), np.zeros(labels, np.intp)
    pulls = np.zeros((len(parts), count, examples.features.shape[1]))
    heads, learners = list[Head](), list[Head]()
    for place, part in enumerate(parts):
        found = instant.leave_each_out(
            _of(examples, part),
            texts,
            multi_label=multi_label,
            text_default=text_default,
            pause=pause,
        )
        heads.append(found.head)
        learners.append(found.learner)
        there = np.ix_(part.rows, part.labels)
        # A score of the whole is divided by the temperature of the first group.
        scale = heads[0].temperature / found.head.temperature
        scores[there], misses[there] = found.scores * scale, found.misses * scale
        judged[there] = found.judged[:, None]
        pulls[place, part.rows], group[part.labels] = found.pulls, place
    head, learner = (_beside(some, parts, examples) for some in (heads, learners))
    return LeftOut(head, learner, scores, pulls, misses, group, judged)


def _of(examples: Examples, group: Group) -> Examples:
    """What a group of labels is learned from."""
    if len(group.rows) == len(examples.targets) and len(group.labels) == examples.targets.shape[1]:
        return examples
    taken = examples.take(group.rows)
    return replace(taken, targets=taken.targets[:, group.labels], labels=group.labels)


def _beside(heads: Sequence[Head], parts: Sequence[Group], examples: Examples) -> Head:
    """One head of several: as each says, at the temperature of the first."""
    first, (width, labels) = heads[0], (examples.features.shape[1], examples.targets.shape[1])
    if len(parts[0].labels) == labels:
        return first
    weight, seen = np.zeros((width, labels)), np.zeros(labels, bool)
    offset = np.full(labels, _NEVER * first.temperature)
    for head, part in zip(heads, parts, strict=True):
        scale = first.temperature / head.temperature
        weight[:, part.labels] = head.weight * scale
        offset[part.labels] = (head.offset + (first.centre - head.centre) @ head.weight) * scale
        seen[part.labels] = head.seen
    of_all = round(first.chosen_at * len(examples.targets) / len(parts[0].rows))
    return replace(
        first, weight=weight, offset=offset, seen=seen, chosen_at=of_all, parts=tuple(heads)
    )
