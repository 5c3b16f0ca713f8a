"""The instant learner: a closed-form head on features, fitted anew at every decision.

Weighted ridge regression onto the labels, drawn towards the label texts instead of towards zero:

    W = s T + (X' S X + k I)^-1 X' S (Y - s X T)

with X the centred features, T the centred label texts and S the class-balanced weights. Features
are the embedding and blocks behind it (`model/depths.py`), each in a scale in which it spreads as
much as the others, stretched along the main axes of all scans (`learn/axes.py`); texts speak of the
embedding alone. It keeps what SS-Text (arXiv 2506.17500) is after, text and examples in one closed
form, and adds the correlation of features, which a mean of features leaves out. How much the text
counts (s, 0 allowed) is chosen by exact leave-one-out, which costs one product more; the ridge too,
from the number of examples on at which that choice beats a fixed one. So is the temperature, by the
labels as often as they were decided, since probabilities are to hold for scans as they come; and
drawn towards its default, since few examples tell little of it. For the same reason each label of
several has a constant: the mean of its targets, drawn to one half as by two examples more. As in
Platt's scaling, n right answers never count as certainty. How these were chosen: `docs/trust.md`.

A ridge regression asks each label for 0 or 1, whatever the others say, which costs where labels are
many. Where four or more exclude each other the scores are therefore corrected for what the softmax
of their left-out values misses: a logistic regression that starts from them, by steps of the same
closed form (each majorises the loss by Böhning's bound, "Multinomial logistic regression
algorithm", 1992). An example that is surer than its soft target already teaches nothing there, and
one that the others contradict little: it may be a slip.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import Head
from nearl_core.learn.regression import Pause, Regression

RIDGES = (0.3, 0.7)
DEFAULT_RIDGE = 0.7
CHOOSE_RIDGE_FROM = 256


def fit(
    examples: Examples,
    texts: FloatArray | None,
    *,
    multi_label: bool,
    text_default: float = 0.0,
    before: Head | None = None,
    pause: Pause = lambda: None,
) -> Head:
    """Fit the head.

    Args:
        examples: At least one.
        texts: C x E, normalised; NaN for a label whose words the backbone does not know, None where
            it knows too few.
        multi_label: Whether each label stands for itself.
        text_default: Share of the text while there is too little to choose it by; less where what
            there is speaks against it.
        before: A head of about the same examples, whose ridge is kept until they are a tenth more
            or fewer, and of many all that was chosen: choosing takes longer than all the rest.
        pause: Called between two choices, to let other work in.
    """
    problem = Regression(examples, texts, multi_label=multi_label)
    ridges: Sequence[float] = RIDGES
    at: int | None = None
    if before is not None and before.serves(problem.count):
        ridges, at = (before.ridge,), before.chosen_at
        if before.keeps_all(problem.count):
            head = problem.head(before.ridge, before.text_share, before.temperature)
            return replace(head.corrected(before.correction, before.temperature), chosen_at=at)
    head = _plain(problem, text_default, ridges=ridges, chosen_at=at, pause=pause)
    return problem.corrected(head, pause)


def _plain(
    problem: Regression,
    text_default: float,
    *,
    ridges: Sequence[float] = RIDGES,
    chosen_at: int | None = None,
    pause: Pause = lambda: None,
) -> Head:
    """The head by the ridge, share and temperature that serve left-out examples best."""
    judged = int(problem.judged().sum())
    if not judged:
        share = text_default * problem.text_worth
        return problem.head(DEFAULT_RIDGE, share, problem.usual_temperature)
    if judged < CHOOSE_RIDGE_FROM:
        ridges, chosen_at = (DEFAULT_RIDGE,), 0
    losses = dict[tuple[float, float], float]()
    for choice in product(ridges, problem.shares):
        pause()
        losses[choice] = problem.loss(*choice)
    best = min(losses, key=lambda choice: losses[choice])
    head = problem.head(*best, problem.temperature(*best))
    return replace(head, chosen_at=problem.count if chosen_at is None else chosen_at)


def fit_and_leave_out(
    examples: Examples, texts: FloatArray | None, *, multi_label: bool
) -> tuple[Head, FloatArray]:
    """The head, and for each example the logits of the head that the others alone give: N x C.

    Exact, and so without the correction, which would believe a slip sooner: 0.60 of slips were
    found by it where 0.66 are (`docs/trust.md`).
    """
    problem = Regression(examples, texts, multi_label=multi_label, exact=True)
    head = _plain(problem, 0.0)
    return head, problem.left_out(head.ridge, head.text_share) / head.temperature


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A head, and for each of its examples what is needed to do without that example.

    The weights of the head that all but example n give are W - g_n m_n', exactly.

    Attributes:
        head: Of all examples, not corrected.
        learner: Of all examples, as it ranks.
        scores: N x C, of each example by the others' head, before the temperature.
        pulls: N x F, g.
        misses: N x C, m: the targets less those scores.
        judged: N, whether the others know the example's label.
    """

    head: Head
    learner: Head
    scores: FloatArray
    pulls: FloatArray
    misses: FloatArray
    judged: NDArray[np.bool_]


def leave_each_out(
    examples: Examples,
    texts: FloatArray | None,
    *,
    multi_label: bool,
    text_default: float = 0.0,
    pause: Pause = lambda: None,
) -> LeftOut:
    """Fit the head, see `fit`, and take each example's part in it apart."""
    problem = Regression(examples, texts, multi_label=multi_label, exact=True)
    head = _plain(problem, text_default, pause=pause)
    pause()
    learner = problem.corrected(head, pause)
    scores = problem.left_out(head.ridge, head.text_share)
    pulls, misses = problem.parts(head.ridge, scores)
    return LeftOut(head, learner, scores, pulls, misses, problem.judged())


def fit_fixed(
    examples: Examples,
    texts: FloatArray | None,
    *,
    multi_label: bool,
    ridge: float,
    text_share: float,
    temperature: float,
) -> Head:
    """The head with everything chosen beforehand, such as on decisions held out."""
    share = text_share if texts is not None else 0.0
    problem = Regression(examples, texts, multi_label=multi_label)
    return problem.head(ridge, share, temperature)
