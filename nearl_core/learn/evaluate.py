"""How well probabilities fit what was decided: plain arrays in, figures out."""

import numpy as np
from numpy.typing import NDArray

from nearl_core.types import Figures

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
BINS = 15


def figures(probabilities: FloatArray, targets: FloatArray, *, multi_label: bool) -> Figures:
    """All figures at once.

    Args:
        probabilities: N x C in [0, 1]; rows sum to 1 unless multi-label.
        targets: N x C, 1 where the label was decided, else 0.
        multi_label: Whether each label stands for itself.
    """
    p, t = np.asarray(probabilities, float), np.asarray(targets, float)
    right = ((p >= 0.5) == (t >= 0.5)).all(1) if multi_label else p.argmax(1) == t.argmax(1)
    confidence, correct = _claims(p, t, multi_label=multi_label)
    return Figures(
        n=len(p),
        accuracy=float(right.mean()),
        balanced_accuracy=balanced_accuracy(p, t, multi_label=multi_label),
        log_loss=log_loss(p, t, multi_label=multi_label),
        ece=calibration_error(confidence, correct),
        auroc=auroc(p, t),
    )


def balanced_accuracy(
    p: FloatArray, t: FloatArray, *, multi_label: bool = False, weights: FloatArray | None = None
) -> float:
    """Mean recall of the labels that occur; multi-label: mean of sensitivity and specificity.

    Within a recall each of the N scans counts by its weight, which is above 0.
    """
    w = np.ones(len(p)) if weights is None else weights
    if multi_label:
        said, true = p >= 0.5, t >= 0.5
        return float(np.mean([_recalls(said[:, c], true[:, c], w) for c in range(t.shape[1])]))
    return _recalls(p.argmax(1), t.argmax(1), w)


def _recalls(said: NDArray[np.generic], true: NDArray[np.generic], w: FloatArray) -> float:
    kinds = [true == kind for kind in np.unique(true)]
    return float(np.mean([np.average(said[k] == true[k], weights=w[k]) for k in kinds]))


def log_loss(p: FloatArray, t: FloatArray, *, multi_label: bool = False) -> float:
    """Mean negative log-likelihood in nats; multi-label: over all scans and labels."""
    p = p.clip(1e-7, 1 - 1e-7)
    if multi_label:
        return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean())
    return float(-(t * np.log(p)).sum(1).mean())


def calibration_error(confidence: FloatArray, correct: BoolArray) -> float:
    """Expected calibration error over 15 equal bins (Guo et al., arXiv 1706.04599)."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    total = 0.0
    for b in np.unique(place):
        inside = place == b
        total += inside.mean() * abs(confidence[inside].mean() - correct[inside].mean())
    return float(total)


def calibrated_error(confidence: FloatArray, *, seed: int, times: int = 200) -> float:
    """The mean error over 15 bins that claims of these very sizes show where each is true.

    Chance alone puts a finite number of perfectly calibrated claims off by so much: what exceeds it
    is miscalibration.

    Args:
        confidence: N, in [0, 1].
        seed: Of the simulated outcomes.
        times: How often they are drawn.
    """
    rng = np.random.default_rng(seed)
    held = [
        calibration_error(confidence, rng.random(len(confidence)) < confidence)
        for _ in range(times)
    ]
    return float(np.mean(held))


def auroc(p: FloatArray, t: FloatArray) -> float | None:
    """Mean over labels of the area under the ROC curve, one against the rest, ties count half."""
    areas = []
    for c in range(t.shape[1]):
        yes = t[:, c] >= 0.5
        if yes.any() and not yes.all():
            _, place, counts = np.unique(p[:, c], return_inverse=True, return_counts=True)
            rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
            n = int(yes.sum())
            areas.append((rank[yes].sum() - n * (n + 1) / 2) / (n * (len(p) - n)))
    return float(np.mean(areas)) if areas else None


def _claims(p: FloatArray, t: FloatArray, *, multi_label: bool) -> tuple[FloatArray, BoolArray]:
    """What was claimed, and whether it held: the first label, or each label."""
    if multi_label:
        return np.maximum(p, 1 - p).ravel(), ((p >= 0.5) == (t >= 0.5)).ravel()
    return p.max(1), p.argmax(1) == t.argmax(1)
