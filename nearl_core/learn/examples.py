"""What the instant learner learns from: features in blocks, with what was decided of them."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.batches import balanced_weights

FloatArray = NDArray[np.float64]
Features: TypeAlias = NDArray[np.floating]
_Kind = TypeVar("_Kind", bound=np.floating)
ALIKE = 1e-10
"""Squared distances of features below this are rounding: one scan, read twice."""
_NEAR = 0.01
"""Squared, beside the distance from a centre: nearer scans are told apart by their own rows."""


@dataclass(frozen=True, eq=False)
class Axes:
    """Along which scans differ, see `learn/axes.py`.

    Attributes:
        centre: F.
        scale: F, by which features are multiplied, so that each block spreads alike.
        along: K x F, orthonormal, of centred and scaled features; the longest first.
        lengths: K, how far scans differ along each, as parts of the first.
        count: Of how many scans they were measured.
    """

    centre: FloatArray
    scale: FloatArray
    along: FloatArray
    lengths: FloatArray
    count: int


@dataclass(frozen=True, eq=False)
class Products:
    """Of some scans' features with each other, see `learn/products.py`.

    Attributes:
        ids: N, of the scans, ascending; a scan may stand there more than once.
        features: N x F, of which they are.
        axes: About whose centre and in whose scale they are taken.
        values: N x N.
    """

    ids: NDArray[np.int64]
    features: Features
    axes: Axes
    values: NDArray[np.float32]

    def weighed(self, weights: FloatArray) -> NDArray[np.float32] | None:
        """What they are about the weighted mean, times the roots of the weights: N x N.

        None where the scans are so much nearer each other than the centre that rounding shows.

        Args:
            weights: N, their sum is 1.
        """
        low = weights.astype(np.float32)
        with_mean = self.values @ low
        root, half = np.sqrt(low), with_mean @ low / 2
        found = self.values - (with_mean - half)[:, None]
        found -= with_mean - half
        found *= root[:, None]
        found *= root
        far = low @ self.values.diagonal()
        return None if np.trace(found) < _NEAR * far else np.asarray(found, np.float32)


@dataclass(frozen=True, eq=False)
class Examples:
    """What there is to learn from.

    Attributes:
        features: N x F: the embedding, normalised, and blocks behind it; float32 or float64.
        targets: N x C, 1 where the label was decided, else 0; NaN where it was not asked for.
        weights: N, how much each counts before classes are balanced.
        blocks: Widths of the blocks behind the embedding; all of F is the embedding without any.
        labels: C, places of the labels among all that there are texts of; None for all of them.
        axes: Of all scans that are known, decided or not; None where they are too few.
        products: Of these very features with each other, where they are kept.
    """

    features: Features
    targets: FloatArray
    weights: FloatArray
    blocks: tuple[int, ...] = ()
    labels: NDArray[np.intp] | None = None
    axes: Axes | None = None
    products: Products | None = None

    def take(self, rows: NDArray[np.intp]) -> "Examples":
        """Some of them."""
        return replace(
            self,
            features=self.features[rows],
            targets=self.targets[rows],
            weights=self.weights[rows],
        )

    def embedded(self) -> "Examples":
        """Their embeddings alone."""
        width = self.features.shape[1] - sum(self.blocks)
        return replace(self, features=self.features[:, :width], blocks=(), axes=None)


def joined(embeddings: NDArray[_Kind], frozen: NDArray[_Kind]) -> NDArray[_Kind]:
    """Tuned embeddings, N x E, before the blocks of the frozen features, N x F: N x F."""
    return np.concatenate([embeddings, frozen[:, embeddings.shape[1] :]], axis=1)


def spread_of(examples: Examples) -> FloatArray:
    """F, by which the learner divides features where labels exclude each other, without axes."""
    weights = balanced_weights(examples.targets, examples.weights, multi_label=False)
    centred = examples.features - np.average(examples.features, axis=0, weights=weights)
    return spread(np.average(centred**2, axis=0, weights=weights), examples.blocks)


def spread(variance: FloatArray, blocks: tuple[int, ...]) -> FloatArray:
    """F, by which features are divided: each block then spreads alike, all together by 1."""
    ends = np.cumsum([0, len(variance) - sum(blocks), *blocks])
    whole = np.array([unless_alike(variance[a:b].sum()) for a, b in pairwise(ends)])
    return np.repeat(np.sqrt(whole * (len(blocks) + 1)), np.diff(ends))


def unless_alike(square: float) -> float:
    """How far features are apart, squared, to be divided by: 1 where that is rounding alone."""
    return square if square > ALIKE else 1.0
