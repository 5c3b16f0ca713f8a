"""The log-loss of left-out scores, against targets short of certainty."""

import math

import numpy as np

from nearl_core.learn.examples import FloatArray

_LOG_LEAST, _LOG_MOST = math.log(1e-6), math.log1p(-1e-6)
_LOG_ODDS = _LOG_MOST - _LOG_LEAST


def log_losses(logits: FloatArray, *, soft: FloatArray, multi_label: bool) -> FloatArray:
    """Of C x N logits for targets short of certainty: N; short rows would take twice as long."""
    if multi_label:
        logits = logits.clip(-_LOG_ODDS, _LOG_ODDS)
        return np.asarray((np.logaddexp(0, logits) - soft * logits).mean(0))
    shifted = logits - logits.max(0)
    shifted -= np.log(np.exp(shifted).sum(0))
    return np.asarray(-(shifted.clip(_LOG_LEAST, _LOG_MOST) * soft).sum(0))


def soft_targets(targets: FloatArray, *, multi_label: bool) -> FloatArray:
    """Targets short of certainty: (n + 1) / (n + 2) for a label with n examples (Platt).

    Of C labels that exclude each other n counts C / 3 times where C is more than three, up to a
    third of all examples: those of all labels tell of one temperature. What a target lacks of
    certainty the other labels share.
    """
    counts, labels = targets.sum(0), targets.shape[1]
    if multi_label:
        yes, no = (counts + 1) / (counts + 2), 1 / (len(targets) - counts + 2)
        return np.asarray(np.where(targets > 0, yes, no))
    counts = np.maximum(counts, np.minimum(counts * labels, len(targets)) / 3)
    sure = (targets @ ((counts + 1) / (counts + 2)))[:, None]
    rest = (1 - sure) / max(labels - 1, 1)
    return np.asarray(np.where(targets > 0, sure, rest))
