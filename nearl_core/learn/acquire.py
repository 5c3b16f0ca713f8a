"""What to label next: the scans that teach most, never only those.

Before anything is decided, the middle scans of k-means clusters, the largest cluster first: they
stand for many others, where the farthest ones stand for themselves. Where the label texts already
say something, the labels that they suggest take turns. After that, the scans that the ranking is
least sure of, those first that may be of a label with few decisions; and every tenth place goes
to a random scan, so that the decisions also stand for the whole. How it was chosen:
`docs/trust.md`.
"""

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.instant import FloatArray

RANDOM_EVERY = 10
COLD = 8
"""So many decisions come before the ranking says what to ask."""
CLUSTERS = 12
CLUSTERED = 4000
"""Clusters are made of so many scans at most, drawn at random: a queue may be long."""
ROUNDS = 12
COMPONENTS = 32
SHUFFLED = 256


def order(
    features: FloatArray,
    probabilities: FloatArray | None,
    counts: FloatArray | None = None,
    *,
    decisions: int = COLD,
    multi_label: bool = False,
) -> NDArray[np.intp]:
    """All N scans, the most instructive first.

    Args:
        features: N x E, normalised.
        probabilities: N x C, or None while nothing can be ranked.
        counts: C, how often each label was decided, or None where that is all the same.
        decisions: How many stand behind the probabilities; they seed the random places too.
        multi_label: Whether each label stands for itself.
    """
    rng = np.random.default_rng(decisions)
    if not len(features):
        return np.zeros(0, np.intp)
    if probabilities is None or decisions < COLD:
        chosen = _cold_start(features, probabilities, rng)
    else:
        worth = doubt(probabilities, multi_label=multi_label)
        if counts is not None and not multi_label:
            worth = worth * _need(probabilities, counts) ** 2
        chosen = np.argsort(-worth, kind="stable")
    return _with_random(chosen.astype(np.intp), rng)


def doubt(probabilities: FloatArray, *, multi_label: bool) -> FloatArray:
    """How unsure a ranking is, N, in [0, 1]: 1 where two labels, or yes and no, are as likely.

    In a multi-label set the label that is least sure speaks for the scan.
    """
    if multi_label:
        return np.asarray(1 - np.abs(2 * probabilities - 1).min(1))
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities))
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(1 - (top[:, 1] - top[:, 0]))


def _need(probabilities: FloatArray, counts: FloatArray) -> FloatArray:
    """How much a scan is expected to add to labels with few decisions: N, mean about 1."""
    need = 1 / (counts + 1)
    return np.asarray(probabilities @ (need / need.mean()))


def _cold_start(
    features: FloatArray, probabilities: FloatArray | None, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Medoids first, by turns of what the texts suggest of them; the others at random."""
    some = rng.permutation(len(features))[:CLUSTERED]
    first = some[medoids(features[some], min(CLUSTERS, len(some)), rng)]
    if probabilities is not None and probabilities.shape[1] >= 2:
        suggested = probabilities[first].argmax(1)
        first = first[np.argsort(_turns(suggested), kind="stable")]
    rest = np.setdiff1d(np.arange(len(features)), first)
    return np.concatenate([first, rng.permutation(rest)])


def _turns(kinds: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each entry, how many of its kind stand before it."""
    same = kinds[:, None] == kinds[None, :]
    return np.asarray(np.tril(same, -1).sum(1))


def medoids(features: FloatArray, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """The scan nearest to the centre of each k-means cluster, the largest cluster's first.

    Seeded as k-means++ (Arthur and Vassilvitskii 2007). Equal scans may leave fewer than `count`.
    """
    x = features - features.mean(0)
    x = x @ np.linalg.svd(x, full_matrices=False)[2][:COMPONENTS].T
    centres = x[_seeds(x, count, rng)]
    for _ in range(ROUNDS):
        nearest = _distances(x, centres).argmin(1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, x)
        sizes = np.bincount(nearest, minlength=count)
        centres = np.where(sizes[:, None] > 0, sums / sizes.clip(1)[:, None], centres)
    distances = _distances(x, centres)
    nearest = distances.argmin(1)
    sizes = np.bincount(nearest, minlength=count)
    found = [
        int(np.where(nearest == k, distances[:, k], np.inf).argmin())
        for k in np.argsort(-sizes, kind="stable")
        if sizes[k]
    ]
    return np.array(found, np.intp)


def _seeds(x: FloatArray, count: int, rng: np.random.Generator) -> list[int]:
    chosen = [int(rng.integers(len(x)))]
    distance = np.full(len(x), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, _distances(x, x[chosen[-1:]])[:, 0])
        total = distance.sum()
        even = rng.integers(len(x))
        chosen.append(int(rng.choice(len(x), p=distance / total)) if total > 0 else int(even))
    return chosen


def _distances(x: FloatArray, centres: FloatArray) -> FloatArray:
    """Squared distances: N x E and K x E to N x K."""
    apart = (x**2).sum(1)[:, None] - 2 * x @ centres.T + (centres**2).sum(1)
    return np.asarray(apart.clip(0))


def _with_random(chosen: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Every tenth place is taken by a scan drawn from those that stand behind it."""
    mixed = chosen.copy()
    for place in range(RANDOM_EVERY - 1, min(len(mixed), SHUFFLED), RANDOM_EVERY):
        other = int(rng.integers(place, len(mixed)))
        mixed[place], mixed[other] = mixed[other], mixed[place]
    return mixed
