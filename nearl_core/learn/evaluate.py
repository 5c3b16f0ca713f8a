"""How well probabilities fit what was decided: plain arrays or decisions in, figures out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.compare import right
from nearl_core.learn.examples import FloatArray
from nearl_core.types import Decision, Figures, LabelSet, Reliability, ReliabilityBin, State

BoolArray = NDArray[np.bool_]
BINS = 15
_SIMULATED = 200
"""Draws of outcomes by which the error of calibrated claims is told."""
ENOUGH = 32
"""So many claims, or decisions learned from, come before anything is said of calibration."""


def figures(probabilities: FloatArray, targets: FloatArray, *, multi_label: bool) -> Figures:
    """All figures at once.

    Args:
        probabilities: N x C in [0, 1]; rows sum to 1 unless multi-label.
        targets: N x C, 1 where the label was decided, else 0; NaN where a label of a multi-label
            set was not asked for, which counts nowhere.
        multi_label: Whether each label stands for itself.
    """
    p, t = np.asarray(probabilities, float), np.asarray(targets, float)
    confidence, correct = _claims(p, t, multi_label=multi_label)
    return Figures(
        n=len(p),
        accuracy=float(right(p, t, multi_label=multi_label).mean()),
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
        said, true, known = p >= 0.5, t >= 0.5, ~np.isnan(t)
        each = [
            _recalls(said[rows, c], true[rows, c], w[rows])
            for c, rows in enumerate(known.T)
            if rows.any()
        ]
        return float(np.mean(each))
    return _recalls(p.argmax(1), t.argmax(1), w)


def _recalls(said: NDArray[np.generic], true: NDArray[np.generic], w: FloatArray) -> float:
    kinds = [true == kind for kind in np.unique(true)]
    return float(np.mean([np.average(said[k] == true[k], weights=w[k]) for k in kinds]))


def log_loss(p: FloatArray, t: FloatArray, *, multi_label: bool = False) -> float:
    """Mean negative log-likelihood in nats; multi-label: over all scans and labels."""
    p = p.clip(1e-7, 1 - 1e-7)
    if multi_label:
        return float(-np.nanmean(t * np.log(p) + (1 - t) * np.log(1 - p)))
    return float(-(t * np.log(p)).sum(1).mean())


def calibration_error(confidence: FloatArray, correct: BoolArray) -> float:
    """Expected calibration error over 15 equal bins (Guo et al., arXiv 1706.04599)."""
    if not len(confidence):
        return 0.0
    _, claimed, held = _binned(confidence, correct)
    return float(np.abs(claimed - held).sum() / len(confidence))


def _binned(
    confidence: FloatArray, correct: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For each bin: claims, the sum of their probabilities, and how many held."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    inside = np.eye(BINS)[place]
    return inside.sum(0), confidence @ inside, correct @ inside


def reliability(confidence: FloatArray, correct: BoolArray, *, seed: int = 0) -> Reliability:
    """The reliability plot of claims that were made before their outcome was known.

    Args:
        confidence: N, in [0, 1]: out of fold, or said before each decision (`said_before`).
        correct: N, whether each held.
        seed: Of the simulated outcomes behind `by_chance`.
    """
    bins = tuple(
        ReliabilityBin(
            b / BINS,
            (b + 1) / BINS,
            int(count),
            float(claimed / count) if count else None,
            float(held / count) if count else None,
        )
        for b, (count, claimed, held) in enumerate(zip(*_binned(confidence, correct), strict=True))
    )
    return Reliability(
        bins,
        len(confidence),
        calibration_error(confidence, correct),
        calibrated_error(confidence, seed=seed),
        len(confidence) >= ENOUGH,
    )


def said_before(decisions: Sequence[Decision], label_set: LabelSet) -> tuple[FloatArray, BoolArray]:
    """What rankings claimed before a reader decided, and whether it held.

    A scan counts once, by its first decision: a later ranking has learned from that one. Rankings
    of fewer than 32 decisions are left out, as are scans that got no verdict on labels, and claims
    of labels that left the set: where these held, the decision left with them. So are claims of
    labels that the decision was not asked for.

    Args:
        decisions: In any order, without those that were taken back.
        label_set: In a multi-label one each label is a claim, and none of them an answer.

    Returns:
        N probabilities of what was claimed, and N times whether it held.
    """
    multi_label, there = label_set.multi_label, frozenset(label_set.ids)
    answers = {State.LABELLED, State.NONE_APPLY} if multi_label else {State.LABELLED}
    first: dict[int, Decision] = {}
    for decision in sorted(decisions, key=lambda d: d.id):
        first.setdefault(decision.scan_id, decision)
    claimed, held = list[float](), list[bool]()
    for decision in first.values():
        ranking, verdict = decision.ranking, decision.verdict
        if ranking is None or ranking.decisions < ENOUGH or verdict.state not in answers:
            continue
        meant = label_set.meant(verdict.labels)
        for label in ranking.labels if multi_label else ranking.labels[:1]:
            if label.label_id not in there or label.label_id in decision.unasked:
                continue
            says_yes = not multi_label or label.probability >= 0.5
            claimed.append(label.probability if says_yes else 1 - label.probability)
            held.append((label.label_id in meant) == says_yes)
    return np.array(claimed, float), np.array(held, bool)


def calibrated_error(confidence: FloatArray, *, seed: int) -> float:
    """The mean error over 15 bins that claims of these very sizes show where each is true.

    Chance alone puts a finite number of perfectly calibrated claims off by so much: what exceeds it
    is miscalibration.

    Args:
        confidence: N, in [0, 1].
        seed: Of the simulated outcomes.
    """
    if not len(confidence):
        return 0.0
    rng = np.random.default_rng(seed)
    held = [
        calibration_error(confidence, rng.random(len(confidence)) < confidence)
        for _ in range(_SIMULATED)
    ]
    return float(np.mean(held))


def auroc(p: FloatArray, t: FloatArray) -> float | None:
    """Mean over labels of the area under the ROC curve, one against the rest, ties count half."""
    areas = []
    for c in range(t.shape[1]):
        known = ~np.isnan(t[:, c])
        yes = t[known, c] >= 0.5
        if yes.any() and not yes.all():
            _, place, counts = np.unique(p[known, c], return_inverse=True, return_counts=True)
            rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
            n = int(yes.sum())
            areas.append((rank[yes].sum() - n * (n + 1) / 2) / (n * (len(yes) - n)))
    return float(np.mean(areas)) if areas else None


def _claims(p: FloatArray, t: FloatArray, *, multi_label: bool) -> tuple[FloatArray, BoolArray]:
    """What was claimed, and whether it held: the first label, or each label."""
    if multi_label:
        known = ~np.isnan(t)
        return np.maximum(p, 1 - p)[known], ((p >= 0.5) == (t >= 0.5))[known]
    return p.max(1), p.argmax(1) == t.argmax(1)
