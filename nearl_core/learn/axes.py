"""Main axes of a project's scans, whatever was decided of them.

Undecided scans say nothing of the labels, but along which axes the scans differ at all. With few
decisions a label is likelier to show along those than along the many in which scans hardly differ,
so that the learner stretches its features along them (cf. Chapelle et al., "Cluster kernels for
semi-supervised learning", NIPS 2002). The more decisions, the less: they know better.
"""

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.examples import ALIKE, Axes, Features, FloatArray, spread

MEASURED = 192
"""So many scans, drawn at random, show the axes of all."""
FEWEST = 24
"""Fewer scans show no axes to rely on."""
AXES = 48
_LEAST = 1e-9
MANY = 512
"""Beyond so many examples nothing is stretched."""
_STRETCH, _UP_TO = 0.6, 16
"""The exponent with few examples, and up to how many; with more it falls."""


def measure(features: Features, blocks: tuple[int, ...]) -> Axes:
    """The main axes of scans.

    Args:
        features: N x F, of a few hundred scans at most.
        blocks: Widths of the blocks behind the embedding.
    """
    rows = features.astype(np.float64)
    centre = rows.mean(0)
    scale = 1 / spread(((rows - centre) ** 2).mean(0), blocks)
    apart = (rows - centre) * scale
    squares, left = np.linalg.eigh(apart @ apart.T)  # the least first
    main = squares > max(_LEAST * squares[-1], ALIKE)
    main[:-AXES] = False
    lengths = np.sqrt(squares[main])[::-1]
    along = left[:, main][:, ::-1].T @ apart / lengths[:, None]
    return Axes(centre, scale, along, lengths / lengths[:1], len(rows))


def drawn(count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Which of so many scans are to show the axes of all."""
    return rng.permutation(count)[:MEASURED]


def of_scans(features: Features, blocks: tuple[int, ...]) -> Axes | None:
    """The axes of scans' features, N x F, or None where they are too few or all alike."""
    if len(features) < FEWEST:
        return None
    found = measure(features, blocks)
    return found if len(found.lengths) > 1 else None


def stretched(axes: Axes, count: int) -> FloatArray:
    """By what features are lengthened along the first axes when so many examples are learned.

    To a power of how much farther scans differ along them than along the first axis that is left
    alone: K' in [0, inf), 0 for nothing. Of very many examples, of which it would be next to
    nothing and take time, none is lengthened.
    """
    if count > MANY:
        return np.zeros(0)
    kept = min(len(axes.lengths) - 1, axes.count // 4)
    power = _STRETCH * min(1.0, _UP_TO / max(count, 1))
    return np.asarray((axes.lengths[:kept] / axes.lengths[kept]) ** power - 1)
