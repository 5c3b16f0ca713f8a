"""What to label next: the scans that teach most, never only those.

Before there is a ranking, scans spread over the feature space (farthest first, Gonzalez 1985);
after, small margins between the first two labels, one from each region at a time; and every
fifth place goes to a random scan, so that the decisions also stand for the whole.
"""

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.instant import FloatArray

RANDOM_EVERY = 5
SPREAD = 64
UNLIKE_FROM = 16
UNLIKE_DEVIATIONS = 4.0


def order(
    features: FloatArray, probabilities: FloatArray | None, *, seed: int = 0
) -> NDArray[np.intp]:
    """All N scans, the most instructive first.

    Args:
        features: N x E, normalised.
        probabilities: N x C, or None while nothing can be ranked.
        seed: For the random places.
    """
    count = len(features)
    rng = np.random.default_rng(seed)
    if probabilities is None or probabilities.shape[1] < 2:
        first = farthest_first(features, min(count, SPREAD))
        rest = np.setdiff1d(np.arange(count), first)
        chosen = np.concatenate([first, rng.permutation(rest)])
    else:
        top = np.sort(probabilities, axis=1)[:, -2:]
        chosen = _one_from_each(features, np.argsort(top[:, 1] - top[:, 0], kind="stable"))
    return _with_random(chosen.astype(np.intp), rng)


def farthest_first(features: FloatArray, count: int) -> NDArray[np.intp]:
    """Rows that spread over the features, from the one nearest to the mean: `count` of them."""
    distance = np.full(len(features), np.inf)
    row = int(np.argmax(features @ features.mean(0)))
    chosen = []
    for _ in range(count):
        chosen.append(row)
        distance = np.minimum(distance, 1 - features @ features[row])
        distance[row] = -np.inf
        row = int(np.argmax(distance))
    return np.array(chosen, dtype=np.intp)


def _one_from_each(features: FloatArray, by_margin: NDArray[np.intp]) -> NDArray[np.intp]:
    """Small margins first, but one of each region before a second of any."""
    head = by_margin[: 4 * SPREAD]
    centres = features[head][farthest_first(features[head], min(16, len(head)))]
    region = np.argmax(features[head] @ centres.T, axis=1)
    turn = np.zeros(len(head))
    for r in np.unique(region):
        turn[region == r] = np.arange((region == r).sum())
    return np.concatenate([head[np.argsort(turn, kind="stable")], by_margin[4 * SPREAD :]])


def _with_random(chosen: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Every fifth place is taken by a scan drawn from those that stand behind it."""
    mixed = chosen.copy()
    for place in range(RANDOM_EVERY - 1, min(len(mixed), 4 * SPREAD), RANDOM_EVERY):
        other = int(rng.integers(place, len(mixed)))
        mixed[place], mixed[other] = mixed[other], mixed[place]
    return mixed


def unlike(features: FloatArray, decided: FloatArray | None) -> NDArray[np.bool_]:
    """Which scans stand further from the nearest decided one than those stand from each other.

    Args:
        features: N x E, normalised.
        decided: M x E, or None; below 16 there is no telling.

    Returns:
        N.
    """
    if decided is None or len(decided) < UNLIKE_FROM:
        return np.zeros(len(features), bool)
    among = decided @ decided.T
    np.fill_diagonal(among, -np.inf)
    nearest = among.max(1)
    least = nearest.mean() - UNLIKE_DEVIATIONS * nearest.std()
    return np.asarray((features @ decided.T).max(1) < least)
