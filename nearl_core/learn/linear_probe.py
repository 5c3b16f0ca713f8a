"""A linear probe on frozen features: the yardstick that every learner here is held against.

Logistic regression by L-BFGS, class-balanced, its ridge chosen by patient-wise cross-validation
(Radford et al., arXiv 2103.00020, appendix A.3, choose theirs on a validation set).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

from nearl_core.learn import evaluate
from nearl_core.learn.batches import balanced_weights, patient_folds
from nearl_core.learn.examples import Examples, Features, FloatArray

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
DEFAULT_STRENGTH = 1.0
FOLDS = 4


def probabilities(
    examples: Examples, patients: Sequence[str], features: Features, *, multi_label: bool
) -> FloatArray:
    """Fit on examples and answer for features: N x E to N x C."""
    folds = patient_folds(patients, examples.targets, folds=FOLDS, seed=0)
    losses = {}
    for strength in STRENGTHS:
        losses[strength] = _cross_loss(examples, folds, strength, multi_label=multi_label)
    best = min(losses, key=lambda s: losses[s]) if np.isfinite(min(losses.values())) else None
    return _fit(examples, features, best or DEFAULT_STRENGTH, multi_label=multi_label)


def _cross_loss(
    examples: Examples, folds: np.ndarray, strength: float, *, multi_label: bool
) -> float:
    total, count = 0.0, 0
    for fold in np.unique(folds):
        rest, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        taught = examples.take(rest)
        if not multi_label:
            out = out[taught.targets.sum(0)[examples.targets[out].argmax(1)] > 0]
        if len(out) == 0 or (not multi_label and (taught.targets.sum(0) > 0).sum() < 2):
            continue
        p = _fit(taught, examples.features[out], strength, multi_label=multi_label)
        loss = evaluate.log_loss(p, examples.targets[out], multi_label=multi_label)
        total, count = total + loss * len(out), count + len(out)
    return total / count if count else np.inf


def _fit(
    examples: Examples, features: Features, strength: float, *, multi_label: bool
) -> FloatArray:
    centre = examples.features.mean(0)
    spread = examples.features.std() or 1.0
    x, asked = (
        torch.from_numpy((f - centre) / spread).double() for f in (examples.features, features)
    )
    known = torch.from_numpy((~np.isnan(examples.targets)).astype(float))
    y = torch.from_numpy(np.nan_to_num(examples.targets))
    weights = balanced_weights(examples.targets, examples.weights, multi_label=multi_label)
    s = torch.from_numpy(weights) * strength / 16
    weight = torch.zeros(x.shape[1], y.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(y.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimiser.zero_grad()
        logits = x @ weight + bias
        if multi_label:
            each = F.binary_cross_entropy_with_logits(logits, y, known, reduction="none").sum(1)
        else:
            each = -(y * logits.log_softmax(1)).sum(1)
        loss = (s * each).sum() + 0.5 * weight.square().sum()
        loss.backward()
        return float(loss.detach())

    optimiser.step(closure)
    with torch.no_grad():
        logits = asked @ weight + bias
        return np.asarray(logits.sigmoid() if multi_label else logits.softmax(1))
