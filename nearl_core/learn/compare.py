"""Two contenders on the same decisions: differences with their standard errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.examples import FloatArray


@dataclass(frozen=True)
class Paired:
    """A mean difference.

    Attributes:
        mean: In the unit of what was compared.
        error: Its standard error.
    """

    mean: float
    error: float


def paired(
    first: FloatArray,
    second: FloatArray,
    weights: FloatArray,
    groups: NDArray[np.intp] | None = None,
) -> Paired:
    """The weighted mean of `first - second`, N each, and its standard error.

    Args:
        first: N, one value for each decision.
        second: N, likewise.
        weights: N, at least one above 0.
        groups: N; decisions of one group (a patient) may go up and down together, so their
            deviations are summed before they are squared.
    """
    difference = np.asarray(first - second)
    mean = float(np.average(difference, weights=weights))
    deviations = weights * (difference - mean)
    if groups is not None:
        deviations = np.bincount(groups, weights=deviations).astype(float)
    count = len(weights) if groups is None else len(np.unique(groups))
    correction = count / (count - 1) if count > 1 else 1.0
    return Paired(mean, float(np.sqrt(correction * (deviations**2).sum()) / weights.sum()))


def each_loss(p: FloatArray, targets: FloatArray, *, multi_label: bool) -> FloatArray:
    """Negative log-likelihood of each decision in nats, N; multi-label: the mean over labels.

    Labels that a decision was not asked for, NaN among the targets, count nowhere here.
    """
    p = p.clip(1e-6, 1 - 1e-6)
    if multi_label:
        losses = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
        return np.asarray(np.nansum(losses, 1) / (~np.isnan(targets)).sum(1).clip(1))
    return np.asarray(-(targets * np.log(p)).sum(1))


def right(p: FloatArray, targets: FloatArray, *, multi_label: bool) -> NDArray[np.bool_]:
    """Whether the first label, or every label of a multi-label set, is the decided one: N."""
    if multi_label:
        return np.asarray((((p >= 0.5) == (targets >= 0.5)) | np.isnan(targets)).all(1))
    return np.asarray(p.argmax(1) == targets.argmax(1))


def recalls(p: FloatArray, targets: FloatArray, *, multi_label: bool) -> tuple[float | None, ...]:
    """For each label the part of its decisions that was found, C; None for one without any."""
    said = p >= 0.5 if multi_label else np.eye(p.shape[1], dtype=bool)[p.argmax(1)]
    found = []
    for c in range(targets.shape[1]):
        of_label = targets[:, c] >= 0.5
        found.append(float(said[of_label, c].mean()) if of_label.any() else None)
    return tuple(found)


def above_chance(
    p: FloatArray, targets: FloatArray, weights: FloatArray, *, multi_label: bool
) -> Paired:
    """By how much the balanced accuracy exceeds that of a guess.

    Args:
        p: N x C.
        targets: N x C.
        weights: N, each above 0.
        multi_label: Whether each label stands for itself; then it is of the label that exceeds
            a guess by most standard errors.
    """
    if not multi_label:
        return _above_chance(p.argmax(1), targets.argmax(1), weights)
    said, true, known = p >= 0.5, targets >= 0.5, ~np.isnan(targets)
    each = [
        _above_chance(said[rows, c], true[rows, c], weights[rows])
        for c, rows in enumerate(known.T)
        if rows.any()
    ]
    return max(each, key=lambda by: by.mean / max(by.error, 1e-9))


def _above_chance(
    said: NDArray[np.generic], true: NDArray[np.generic], weights: FloatArray
) -> Paired:
    kinds = [true == kind for kind in np.unique(true)]
    hits = np.array([np.average(said[k] == true[k], weights=weights[k]) for k in kinds])
    counts = np.array([weights[k].sum() ** 2 / (weights[k] ** 2).sum() for k in kinds])
    rate = (hits * counts + 1) / (counts + 2)  # as Laplace: two right of two is no certainty
    error = np.sqrt((rate * (1 - rate) / counts).sum()) / len(kinds)
    return Paired(float(hits.mean()) - 1 / len(kinds), float(error))
