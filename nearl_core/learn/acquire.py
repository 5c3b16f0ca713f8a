"""What to label next: the scan whose decision tells most of all the others, never only those.

A decision of a scan x makes the scores of every scan u surer: by ridge regression their variance
falls by (u' P x)^2 / (1 + x' P x), with P = (Z' Z + k I)^-1 of the decided scans Z (Cohn,
Ghahramani and Jordan, "Active learning with statistical models", 1996). So scans come first that
stand for many others and for none that is decided. The mean over scans, along the main axes of the
features, costs a few small products; each place in the queue is filled as if those before it were
decided.

Where a ranking can be had, a scan counts by how unsure it is, and by how few decisions the labels
have that it may be of. Every tenth decision goes to a random scan, so that the decisions also stand
for the whole. How it was chosen: `docs/trust.md`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn import axes
from nearl_core.learn.examples import Axes, Examples, Features, FloatArray

Indices = NDArray[np.intp]

RANDOM_EVERY = 10
COLD = 3
"""So many decisions come before a ranking says how unsure it is."""
LOOKED_AT = 1024
"""So many scans are weighed at most: of a longer queue the likeliest, and others at random."""
PLANNED = 16
"""So many places are filled one as if the others before it were decided."""
SHUFFLED = 256
_RIDGE = 0.7
"""Of the covariance of what is decided; the instant learner's own while it has few."""


def order(
    count: int,
    look: Callable[[Indices], Features],
    probabilities: FloatArray | None,
    decided: Examples | None,
    blocks: tuple[int, ...] = (),
    *,
    multi_label: bool = False,
) -> Indices:
    """All scans of a queue, the most instructive first.

    Args:
        count: How many there are, N.
        look: The features of some of them by their places, K to K x F; asked once, of a part.
        probabilities: N x C, or None while nothing can be ranked.
        decided: What the ranking has learned from, or None without any.
        blocks: Widths of the blocks behind the embedding.
        multi_label: Whether each label stands for itself.
    """
    decisions = 0 if decided is None else len(decided.features)
    rng = np.random.default_rng(decisions)
    if not count:
        return np.zeros(0, np.intp)
    unsure = np.ones(count)
    if probabilities is not None and decisions >= COLD:
        unsure = np.sqrt(doubt(probabilities, multi_label=multi_label))
    labels = None if multi_label else probabilities
    counts = np.zeros(1) if decided is None else decided.targets.sum(0)
    by_doubt = np.argsort(-unsure * _need(labels, counts, count), kind="stable")
    some = _shortlist(by_doubt, rng)
    x = look(some)
    along = _along(_main_axes(x, blocks, decided, rng), x.dtype)
    z = along(x[:0] if decided is None else decided.features)
    likely = None if labels is None else labels[some]
    first = some[_planned(along(x), z, unsure[some], likely, counts)]
    rest = by_doubt if decisions >= COLD else rng.permutation(count)
    return _with_random(np.concatenate([first, rest[~np.isin(rest, first)]]), decisions, rng)


def lasts(decisions: int) -> int:
    """For how many decisions more an order serves: a tenth of those there are, from 1 to 10.

    At first each decision changes what teaches most; a queue that moves with every key can't be
    read.
    """
    return min(max(decisions // 10, 1), 10)


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


def _need(probabilities: FloatArray | None, counts: FloatArray, count: int) -> FloatArray:
    """How much a scan is expected to add to labels with few decisions: N."""
    if probabilities is None:
        return np.ones(count)
    return np.asarray(probabilities @ np.broadcast_to(1 / (counts + 1), probabilities.shape[1]))


def _shortlist(by_doubt: Indices, rng: np.random.Generator) -> Indices:
    """The first third by doubt, the others at random."""
    if len(by_doubt) <= LOOKED_AT:
        return by_doubt
    ahead = LOOKED_AT // 3
    others = rng.choice(by_doubt[ahead:], LOOKED_AT - ahead, replace=False)
    return np.concatenate([by_doubt[:ahead], others])


def _main_axes(
    features: Features,
    blocks: tuple[int, ...],
    decided: Examples | None,
    rng: np.random.Generator,
) -> Axes:
    """Those that the learner has of all scans, or else of these."""
    if decided is not None and decided.axes is not None:
        return decided.axes
    return axes.measure(features[axes.drawn(len(features), rng)], blocks)


def _along(main: Axes, dtype: np.dtype[np.floating]) -> Callable[[Features], FloatArray]:
    """What takes features, N x F, to the learner's scale, along their main axes: N x K.

    The last column is 1: without it the scans in the middle of all would tell of nothing.
    """
    columns = (main.along * main.scale).T
    middle, coarse = main.centre @ columns, columns.astype(dtype)

    def along(rows: Features) -> FloatArray:
        places = (rows.astype(coarse.dtype, copy=False) @ coarse).astype(float) - middle
        return np.column_stack([places, np.ones(len(rows))])

    return along


def _planned(
    x: FloatArray,
    decided: FloatArray,
    unsure: FloatArray,
    labels: FloatArray | None,
    counts: FloatArray,
) -> Indices:
    """The places of the scans to ask first, each as if those before it were decided.

    Args:
        x: N x K, of the scans.
        decided: M x K.
        unsure: N, by which a scan's gain counts.
        labels: N x C, how likely each label is, or None.
        counts: C, decisions of each label.
    """
    width = x.shape[1]
    mean_square = x.T @ x / len(x)
    covariance = np.linalg.inv(decided.T @ decided + _RIDGE * np.eye(width))
    reach = x @ covariance
    variance, gain = (reach * x).sum(1), ((reach @ mean_square) * reach).sum(1)
    chosen = list[int]()
    for _ in range(min(PLANNED, len(x))):
        worth = gain / (1 + variance) * unsure * _need(labels, counts, len(x))
        worth[chosen] = -np.inf
        best = int(worth.argmax())
        chosen.append(best)
        if labels is not None:
            counts = counts + labels[best]
        # The covariance falls by q q' / s: everything that was made of it follows.
        q, s = reach[best].copy(), 1 + variance[best]
        along, seen = x @ q, mean_square @ q
        gain = gain - 2 * along * (reach @ seen) / s + along**2 * (q @ seen) / s**2
        variance = variance - along**2 / s
        reach -= np.outer(along / s, q)
    return np.array(chosen, np.intp)


def _with_random(chosen: Indices, decisions: int, rng: np.random.Generator) -> Indices:
    """Every tenth scan to be decided is drawn from those that stand behind it.

    Counted by decisions: by places alone none would come in a queue that is ordered anew before
    its tenth.
    """
    mixed = chosen.copy()
    first = RANDOM_EVERY - 1 - decisions % RANDOM_EVERY
    for place in range(first, min(len(mixed), SHUFFLED), RANDOM_EVERY):
        other = int(rng.integers(place, len(mixed)))
        mixed[place], mixed[other] = mixed[other], mixed[place]
    return mixed
