"""Scans unlike anything decided: far from all of them by the decided ones' own measure.

The mean distance to the nearest three decided scans (kNN distance: Sun et al., arXiv 2204.06507),
against what those scans have among themselves, each left out in turn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.examples import Examples, Features, FloatArray

NEIGHBOURS = 3
FEWEST = 16
QUANTILE, SLACK = 0.95, 1.2
MEASURED = 2048
"""So many decided scans, drawn by chance, tell how far all of them are from each other."""
_AT_ONCE = 128
"""Rows of N x M distances: of tens of thousands of decisions all would be gigabytes."""


def distances(features: Features, decided: Features) -> FloatArray:
    """Mean cosine distance to the nearest decided scans: N x E and M x E to N; all normalised."""
    found = [_to_nearest(features[part] @ decided.T) for part in _parts(len(features))]
    return np.concatenate([np.zeros(0), *found])


def _parts(count: int) -> list[slice]:
    return [slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE)]


def _to_nearest(near: Features) -> FloatArray:
    """From cosines, N x M."""
    count = min(NEIGHBOURS, near.shape[1])
    return np.asarray(1 - np.partition(near, -count, axis=1)[:, -count:].mean(1))


@dataclass(frozen=True, eq=False)
class Familiar:
    """What was decided, as the measure of what is like it.

    Attributes:
        features: M x E, normalised.
        threshold: The distance beyond which a scan is unlike; inf where there is no telling.
    """

    features: FloatArray
    threshold: float

    def unlike(self, features: FloatArray) -> NDArray[np.bool_]:
        """Which scans are unlike anything decided: N x E to N."""
        if np.isinf(self.threshold):
            return np.zeros(len(features), bool)
        return np.asarray(distances(features, self.features) > self.threshold)


def _distinct(features: Features) -> FloatArray:
    """Features of different scans: two readers' decisions are of one. N x E to M x E."""
    if len(np.unique(features[:, 0])) < len(features):
        once = {row.tobytes(): place for place, row in enumerate(features)}
        features = features[list(once.values())]
    return features.astype(np.float64)


def familiar(examples: Examples, threshold: float | None = None) -> Familiar:
    """Measure what was decided by leave-one-out; below 16 scans there is no telling.

    A threshold that was measured on about the same decisions may be given.
    """
    decided = _distinct(examples.features)
    if len(decided) < FEWEST:
        return Familiar(decided, np.inf)
    if threshold is not None:
        return Familiar(decided, threshold)
    own = _from_each_other(decided.astype(np.float32))  # enough for a threshold, in half the time
    return Familiar(decided, float(SLACK * np.quantile(own, QUANTILE)))


def _from_each_other(decided: Features) -> FloatArray:
    """Distances of decided scans to the nearest others; of many scans, those of some."""
    some = np.arange(len(decided))
    if len(some) > MEASURED:
        some = np.random.default_rng(0).permutation(some)[:MEASURED]
    found = []
    for part in _parts(len(some)):
        rows = some[part]
        near = decided[rows] @ decided.T
        near[np.arange(len(rows)), rows] = -np.inf
        found.append(_to_nearest(near))
    return np.concatenate(found)
