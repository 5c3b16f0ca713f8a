"""The instant learner: a closed-form head on features, fitted anew at every decision.

Weighted ridge regression onto the labels, drawn towards the label texts instead of towards zero:

    W = s T + (X' S X + k I)^-1 X' S (Y - s X T)

with X the centred features, T the centred label texts and S the class-balanced weights. Features
are the embedding and blocks behind it (`model/depths.py`), each in a scale in which it spreads as
much as the others; texts speak of the embedding alone. It keeps
what SS-Text (arXiv 2506.17500) is after, text and examples in one closed form, and adds the
correlation of features, which a mean of features leaves out. How much the text counts (s, 0
allowed) and the temperature are chosen by exact leave-one-out, which costs one product more; the
ridge too, from the number of examples on at which that choice beats a fixed one. As in Platt's
scaling, n right answers never count as certainty.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.batches import balanced_weights

FloatArray = NDArray[np.float64]

RIDGES = (0.1, 0.3, 1.0)
TEXT_SHARES = (0.0, 0.3, 1.0, 3.0)
TEMPERATURES = np.geomspace(0.02, 2.0, 25)
DEFAULT_RIDGE = 0.2
CHOOSE_RIDGE_FROM = 96
DEFAULT_TEMPERATURE = 0.25
_LEAST = 1e-24


@dataclass(frozen=True, eq=False)
class Examples:
    """What there is to learn from.

    Attributes:
        features: N x F: the embedding, normalised, and blocks behind it.
        targets: N x C, 1 where the label was decided, else 0.
        weights: N, how much each counts before classes are balanced.
        blocks: Widths of the blocks behind the embedding; all of F is the embedding without any.
    """

    features: FloatArray
    targets: FloatArray
    weights: FloatArray
    blocks: tuple[int, ...] = ()

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
        return replace(self, features=self.features[:, :width], blocks=())


@dataclass(frozen=True, eq=False)
class Head:
    """What ranks: probabilities from features.

    Attributes:
        centre: F, taken from features first; those of the label texts alone are embeddings, E.
        weight: F x C.
        offset: C, added to the scores.
        temperature: Scores are divided by it.
        multi_label: Sigmoids in place of a softmax.
        text_share: How much the text counted, s.
        ridge: The ridge, k.
        seen: C, whether a label has an example or a text that counts.
    """

    centre: FloatArray
    weight: FloatArray
    offset: FloatArray
    temperature: float
    multi_label: bool
    text_share: float
    ridge: float
    seen: NDArray[np.bool_]

    @property
    def can_rank(self) -> bool:
        """Whether there is something to tell apart."""
        return int(self.seen.sum()) >= (1 if self.multi_label else 2)

    def logits(self, features: FloatArray) -> FloatArray:
        """N x F to N x C; a label that nothing is known of gets the least of the others."""
        raw = (
            (features[:, : len(self.centre)] - self.centre) @ self.weight + self.offset
        ) / self.temperature
        if not self.multi_label and not self.seen.all() and self.seen.any():
            raw[:, ~self.seen] = raw[:, self.seen].min(1, keepdims=True)
        return raw

    def probabilities(self, features: FloatArray) -> FloatArray:
        """N x F to N x C in [0, 1]."""
        return to_probabilities(self.logits(features), multi_label=self.multi_label)


def zero_shot(texts: FloatArray, *, scale: float, multi_label: bool) -> Head:
    """The head of the label texts alone, C x E; `scale` is the backbone's, of its cosines."""
    labels, width = texts.shape
    return Head(
        centre=np.zeros(width),
        weight=(texts - texts.mean(0)).T * scale,
        offset=np.zeros(labels),
        temperature=1.0,
        multi_label=multi_label,
        text_share=1.0,
        ridge=0.0,
        seen=np.ones(labels, bool),
    )


def fit(
    examples: Examples, texts: FloatArray | None, *, multi_label: bool, text_default: float = 0.0
) -> Head:
    """Fit the head.

    Args:
        examples: At least one.
        texts: C x E, normalised; None where the backbone does not know the labels' words.
        multi_label: Whether each label stands for itself.
        text_default: Share of the text while there is too little to choose it by.
    """
    solved = _Ridge(examples, texts, multi_label=multi_label)
    judged = solved.judged()
    best = (DEFAULT_RIDGE, text_default if texts is not None else 0.0, DEFAULT_TEMPERATURE)
    if judged.any():
        ridges = RIDGES if judged.sum() >= CHOOSE_RIDGE_FROM else (DEFAULT_RIDGE,)
        best = min(
            ((k, s, solved.temperature(k, s)) for k in ridges for s in solved.shares),
            key=lambda choice: solved.loss(*choice),
        )
    return solved.head(*best)


def fit_and_leave_out(
    examples: Examples, texts: FloatArray | None, *, multi_label: bool
) -> tuple[Head, FloatArray]:
    """The head, and for each example the logits of the head that the others alone give: N x C."""
    head = fit(examples, texts, multi_label=multi_label)
    solved = _Ridge(examples, texts, multi_label=multi_label)
    return head, solved.left_out(head.ridge, head.text_share) / head.temperature


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
    return _Ridge(examples, texts, multi_label=multi_label).head(ridge, share, temperature)


class _Ridge:
    """One factorisation that serves every ridge and every share of the text."""

    def __init__(self, examples: Examples, texts: FloatArray | None, *, multi_label: bool) -> None:
        self._targets, self._multi_label = examples.targets, multi_label
        balanced = balanced_weights(examples.targets, examples.weights, multi_label=multi_label)
        self._s = balanced / balanced.sum()
        self._centre = self._s @ examples.features
        x = examples.features - self._centre
        self._spread = _spread(self._s @ x**2, examples.blocks)
        self._x = x / self._spread
        self._y = examples.targets - self._base()
        self._soft = _platt(examples.targets, multi_label=multi_label)
        self._t = self._texts(texts)
        self.shares = TEXT_SHARES if texts is not None else (0.0,)
        root = np.sqrt(self._s)[:, None]
        self._root = root
        self._projected, self._squares, self._axes = _principal(root * self._x)

    def _base(self) -> FloatArray:
        labels = self._targets.shape[1]
        return np.full(labels, 0.5 if self._multi_label else 1 / labels)

    def _texts(self, texts: FloatArray | None) -> FloatArray:
        found = np.zeros((self._x.shape[1], self._targets.shape[1]))
        if texts is None:
            return found
        found[: texts.shape[1]] = (texts - texts.mean(0)).T  # nothing speaks of the blocks
        scale = np.sqrt((self._x @ found).var() or 1.0)
        return np.asarray(found * 0.3 / scale)

    def judged(self) -> NDArray[np.bool_]:
        """Examples whose label has another example, when at least two labels have."""
        counts = self._targets.sum(0)
        enough = (
            (counts >= 2) & (counts <= len(self._targets) - 2) if self._multi_label else counts >= 2
        )
        if enough.sum() < (1 if self._multi_label else 2):
            return np.zeros(len(self._targets), bool)
        return (
            np.ones(len(self._targets), bool) if self._multi_label else self._targets @ enough > 0
        )

    def _weight(self, ridge: float, share: float) -> FloatArray:
        residual = self._y - share * self._x @ self._t
        shrink = 1 / (self._squares + ridge * self._mean_square())
        answers = self._projected.T @ (self._root * residual)
        solved = self._axes @ (shrink[:, None] * answers)
        return np.asarray(share * self._t + solved)

    def _mean_square(self) -> float:
        return float(self._squares.mean()) or 1.0  # equal features have no spread at all

    def left_out(self, ridge: float, share: float) -> FloatArray:
        """Scores of each example without itself."""
        fitted = self._x @ self._weight(ridge, share)
        shrink = 1 / (self._squares + ridge * self._mean_square())
        lever = ((self._projected**2) @ shrink).clip(0, 0.999)[:, None]
        return np.asarray(fitted - lever / (1 - lever) * (self._y - fitted))

    def temperature(self, ridge: float, share: float) -> float:
        """The best of a grid for the left-out scores."""
        scores = self.left_out(ridge, share)
        losses = [self._loss_of(scores / t) for t in TEMPERATURES]
        return float(TEMPERATURES[int(np.argmin(losses))])

    def loss(self, ridge: float, share: float, temperature: float) -> float:
        """Balanced log-loss of the left-out scores."""
        return self._loss_of(self.left_out(ridge, share) / temperature)

    def _loss_of(self, logits: FloatArray) -> float:
        rows = self.judged()
        p = to_probabilities(logits[rows], multi_label=self._multi_label).clip(1e-6, 1 - 1e-6)
        t = self._soft[rows]
        each = -(t * np.log(p)).sum(1)
        if self._multi_label:
            each = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(1)
        return float(np.average(each, weights=self._s[rows]))

    def head(self, ridge: float, share: float, temperature: float) -> Head:
        weight = self._weight(ridge, share) / self._spread[:, None]
        seen = (self._targets.sum(0) > 0) | (share > 0)
        offset = np.zeros(len(seen))
        return Head(
            self._centre,
            weight,
            offset,
            temperature,
            self._multi_label,
            share,
            ridge,
            np.asarray(seen),
        )


def joined(embeddings: FloatArray, frozen: FloatArray) -> FloatArray:
    """Tuned embeddings, N x E, before the blocks of the frozen features, N x F: N x F."""
    return np.concatenate([embeddings, frozen[:, embeddings.shape[1] :]], axis=1)


def _spread(variance: FloatArray, blocks: tuple[int, ...]) -> FloatArray:
    """F, by which features are divided: each block then spreads alike, all together by 1."""
    ends = np.cumsum([0, len(variance) - sum(blocks), *blocks])
    roots = [np.sqrt(variance[a:b].sum() * (len(blocks) + 1)) or 1.0 for a, b in pairwise(ends)]
    return np.repeat(np.array(roots), np.diff(ends))


def _principal(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Principal axes of rows N x E: the rows along them N x K, their squares K, the axes E x K.

    By the smaller of the two products of x with itself, which is quicker than a singular value
    decomposition; the ridge makes up for the digits that squaring costs.
    """
    count, width = x.shape
    if count < width:
        squares, left = np.linalg.eigh(x @ x.T)
        squares = squares.clip(0)
        length = np.sqrt(squares.clip(_LEAST * squares.max(initial=_LEAST)))
        return left * np.sqrt(squares), squares, (x.T @ left) / length
    squares, axes = np.linalg.eigh(x.T @ x)
    return x @ axes, squares.clip(0), axes


def to_probabilities(logits: FloatArray, *, multi_label: bool) -> FloatArray:
    """Softmax over labels, or a sigmoid for each."""
    if multi_label:
        return np.asarray(1 / (1 + np.exp(-logits.clip(-60, 60))))
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))


def _platt(targets: FloatArray, *, multi_label: bool) -> FloatArray:
    """Targets short of certainty: (n + 1) / (n + 2) for a label with n examples."""
    counts = targets.sum(0)
    if multi_label:
        yes, no = (counts + 1) / (counts + 2), 1 / (len(targets) - counts + 2)
        return np.asarray(np.where(targets > 0, yes, no))
    sure = (targets @ ((counts + 1) / (counts + 2)))[:, None]
    rest = (1 - sure) / max(targets.shape[1] - 1, 1)
    return np.asarray(np.where(targets > 0, sure, rest))
