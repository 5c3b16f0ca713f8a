"""Look again: decisions that most likely are slips, by what the others say of each scan.

What is out of fold of a decision is exact here: the closed-form head without that one example.
A suspicion is the log-odds of another label against the decided one. Labels count by how often
they were decided, unlike in a ranking, for a rare label is decided by mistake more often than it
is right by surprise. Disagreement with the nearest neighbours (LEMoN, arXiv 2407.18941) was tried
beside it and found nothing more (`docs/trust.md`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn import by_label
from nearl_core.learn.evaluate import ENOUGH
from nearl_core.learn.examples import Examples, FloatArray

FEWEST = ENOUGH


@dataclass(frozen=True, eq=False)
class Doubts:
    """What speaks against each decision.

    Attributes:
        suspicion: N, log-odds in nats; above 0 where something else is more likely.
        label: N, the place of the label that is missing or wrong: in an exclusive set the one
            that is more likely, in a multi-label set the one whose presence is in doubt.
    """

    suspicion: FloatArray
    label: NDArray[np.intp]


def doubts(examples: Examples, texts: FloatArray | None, *, multi_label: bool) -> Doubts:
    """Weigh every decision against all the others.

    Args:
        examples: The decisions; below 32 nothing is in doubt.
        texts: C x E, NaN for a label whose words the backbone does not know; None for too few.
        multi_label: Whether each label stands for itself.
    """
    count = len(examples.targets)
    if count < FEWEST:
        return Doubts(np.full(count, -np.inf), np.zeros(count, np.intp))
    logits = by_label.left_out_logits(examples, texts, multi_label=multi_label)
    return from_logits(logits, examples.targets, multi_label=multi_label)


def from_logits(logits: FloatArray, targets: FloatArray, *, multi_label: bool) -> Doubts:
    """Weigh decisions by logits of a head that did not learn from them: N x C each.

    What a decision was not asked for, NaN, is in no doubt.
    """
    if multi_label:
        against = np.where(targets > 0, -logits, logits)
        against = np.where(np.isnan(targets), -np.inf, against)
    else:
        posterior = logits + np.log(targets.sum(0).clip(0.5))
        against = posterior - (posterior * targets).sum(1, keepdims=True)
        against = np.where(targets > 0, -np.inf, against)
    label = against.argmax(1)
    return Doubts(np.take_along_axis(against, label[:, None], 1)[:, 0], label)
