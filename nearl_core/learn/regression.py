"""The instant learner's regression of some decisions; `learn/instant.py` says what it computes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.axes import stretched
from nearl_core.learn.batches import balanced_weights
from nearl_core.learn.examples import Examples, Features, FloatArray, spread, unless_alike
from nearl_core.learn.head import Head, to_probabilities
from nearl_core.learn.label_texts import centred, worth
from nearl_core.learn.losses import log_losses, soft_targets
from nearl_core.learn.ridge import Ridge

Pause: TypeAlias = Callable[[], None]

TEXT_SHARES = (0.0, 0.3, 1.0, 3.0)
TEMPERATURES = np.geomspace(0.02, 2.0, 25)
DRAWN = 0.18
"""How much the temperature is drawn to its default: the spread of its logarithm, see `_away`."""
DEFAULT_TEMPERATURE = 0.2
FEW = 16
"""Below so many examples the default is higher, by the root of the quotient."""
LARGE = 256
"""From so many examples and numbers of each on, float32 is enough (some 1e-6 of a probability)."""
CORRECT_FROM = 16
MANY_LABELS = 4
"""From so many labels on that exclude each other least squares tells them apart badly enough."""
CORRECTION_HELD = 100
"""As strongly as by so many examples scores are held to what the ridge gives them."""
CORRECTION_STEPS = 10
CONTRADICTED = 0.25
"""Of chance: at this left-out probability of its label a decision counts half."""
RARE_FROM = 8
"""So many examples without a label of several say that it is rare; fewer say nothing of it."""


def _trust(weights: FloatArray) -> float:
    """How far the mean of so many examples is believed: as beside two more that say one half."""
    count = weights.sum() ** 2 / (weights**2).sum()
    return float(count / (count + 2))


def _away(far: FloatArray) -> FloatArray:
    """What speaks against logarithms of temperatures so far from the default's: a negative log.

    Below it a normal; above it a Cauchy distribution, whose tail is heavy: of some tasks features
    tell nothing, and a few dozen examples must be able to say so.
    """
    square = (far / DRAWN) ** 2
    return np.asarray(np.where(far > 0, np.log1p(square), square / 2))


@dataclass(frozen=True, eq=False)
class _Lens:
    """How features are seen: each block in its scale, longer along the main axes.

    Attributes:
        scale: F.
        along: K x F.
        longer: K, by how much.
    """

    scale: FloatArray
    along: FloatArray
    longer: FloatArray

    @staticmethod
    def of(examples: Examples, x: Features, weights: FloatArray) -> "_Lens":
        """By the axes, or where there are none by the examples' own variance, N x F and N."""
        axes = examples.axes
        if axes is None:
            width, variance = x.shape[1], np.einsum("n,nf,nf->f", weights, x, x)
            return _Lens(1 / spread(variance, examples.blocks), np.zeros((0, width)), np.zeros(0))
        longer = stretched(axes, len(examples.targets))
        return _Lens(axes.scale, axes.along[: len(longer)], longer)

    def through(self, scaled: Features) -> Features:
        """Scaled features as they are seen: N x F."""
        if not len(self.longer):
            return scaled
        along, longer = self.along.astype(scaled.dtype), self.longer.astype(scaled.dtype)
        return np.asarray(scaled + (scaled @ along.T * longer) @ along)

    def back(self, weight: FloatArray) -> FloatArray:
        """From weights of what is seen to those of features, F x K."""
        seen = weight + self.along.T @ (self.longer[:, None] * (self.along @ weight))
        return np.asarray(seen * self.scale[:, None])


class Regression:
    """One factorisation for each ridge serves every share of the text, and leave-one-out."""

    def __init__(
        self,
        examples: Examples,
        texts: FloatArray | None,
        *,
        multi_label: bool,
        exact: bool = False,
    ) -> None:
        self._targets, self._multi_label = examples.targets, multi_label
        self.count = len(examples.targets)
        balanced = balanced_weights(examples.targets, examples.weights, multi_label=multi_label)
        self._s, self._as_decided = balanced / balanced.sum(), examples.weights
        whole = exact or min(examples.features.shape) < LARGE
        kind: np.dtype[np.floating] = np.dtype(np.float64 if whole else np.float32)
        features = examples.features.astype(kind, copy=False)
        middle = self._s.astype(kind) @ features
        x, self._centre = features - middle, middle.astype(np.float64)
        self._lens = _Lens.of(examples, x, self._s)
        x *= self._lens.scale.astype(kind)
        self._y = examples.targets - self._base()
        self._drawn = self._s * (_trust(examples.weights) if multi_label else 0.0)
        self._usual = self._drawn @ self._y
        self._soft = soft_targets(examples.targets, multi_label=multi_label)
        self._t, self._said = self._texts(x, texts, examples.labels)
        self.has_texts = texts is not None
        self._given = examples, texts
        self.shares = TEXT_SHARES if self.has_texts else (0.0,)
        x = self._lens.through(x)
        root = np.sqrt(self._s)
        x *= root.astype(kind)[:, None]
        self._ridge = Ridge(x, root, None if whole else self._kept(examples))
        self._left_out = dict[float, tuple[FloatArray, FloatArray]]()
        self._each_loss = dict[tuple[float, float], FloatArray]()

    def _kept(self, examples: Examples) -> Features | None:
        """The rows' products with each other, where those of these very features are kept."""
        kept, stretched_by = examples.products, len(self._lens.longer)
        if kept is None or stretched_by or kept.features is not examples.features:
            return None
        return kept.weighed(self._s) if kept.axes is examples.axes else None

    def _base(self) -> FloatArray:
        labels = self._targets.shape[1]
        return np.full(labels, 0.5 if self._multi_label else 1 / labels)

    def _texts(
        self, x: Features, texts: FloatArray | None, some: NDArray[np.intp] | None
    ) -> tuple[FloatArray, FloatArray]:
        """T, F x C, and X T, N x C."""
        labels = self._targets.shape[1]
        found, said = np.zeros((x.shape[1], labels)), np.zeros((len(x), labels))
        if texts is None:
            return found, said
        width = texts.shape[1]  # nothing speaks of the blocks
        apart = centred(texts).T[:, slice(None) if some is None else some]
        said = x[:, :width] @ apart
        scale = 0.3 / np.sqrt(unless_alike(said.var()))
        found[:width] = apart * scale
        return found, said * scale

    @property
    def text_worth(self) -> float:
        """How far the text may count while there is too little to choose that by, 0 to 1."""
        examples, texts = self._given
        if texts is None:
            return 0.0
        return worth(examples, texts, multi_label=self._multi_label)

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

    def left_out(self, ridge: float, share: float) -> FloatArray:
        """Scores of each example without itself; the constant costs leverage too."""
        if ridge not in self._left_out:
            both = np.hstack([self._y, self._said]) if self.has_texts else self._y
            fitted, lever = self._ridge.fitted(ridge, both), self._ridge.leverage(ridge)
            self._left_out[ridge] = fitted, (lever + self._drawn).clip(0, 0.999)[:, None]
        fitted, lever = self._left_out[ridge]
        if self.has_texts:
            of_targets, of_texts = np.split(fitted, 2, axis=1)
            fitted = of_targets + share * (self._said - of_texts)
        fitted = fitted + self._usual
        return np.asarray(fitted - lever / (1 - lever) * (self._y - fitted))

    def parts(self, ridge: float, left_out: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What each example adds to the weights, as the outer product of two rows."""
        pulls = self._lens.back(self._ridge.solution(ridge, np.eye(len(self._y))))
        return np.ascontiguousarray(pulls.T), np.asarray(self._y - left_out)

    def corrected(self, head: Head, pause: Pause) -> Head:
        """A head, corrected where many labels exclude each other.

        What the softmax of its left-out scores misses is learned as the head itself is.
        """
        scores, judged = self.left_out(head.ridge, head.text_share), self.judged()[:, None]
        few = scores.shape[1] < MANY_LABELS or judged.sum() < CORRECT_FROM
        if self._multi_label or few:
            return head
        ridge = CORRECTION_HELD / self.count
        decided, before = self._targets > 0, scores / head.temperature
        likely = (to_probabilities(before, multi_label=False) * decided).sum(1, keepdims=True)
        believed = judged * likely / (likely + CONTRADICTED / scores.shape[1])
        wanted = added = np.zeros_like(scores)
        for _ in range(CORRECTION_STEPS):
            pause()
            said = to_probabilities(before + added, multi_label=False)
            missed = believed * (self._soft - said)
            sure = (missed * decided).sum(1, keepdims=True) <= 0
            wanted = added + 2 * np.where(sure, 0.0, missed)
            added = self._ridge.fitted(ridge, wanted)
        pause()
        lever = self._ridge.leverage(ridge).clip(0, 0.999)[:, None]
        left_out = before + added - lever / (1 - lever) * (wanted - added)
        temperature = self._temperature_of(self._losses_of(head.temperature * left_out))
        weight = self._lens.back(self._ridge.solution(ridge, wanted))
        return head.corrected(head.temperature * weight, temperature)

    def loss(self, ridge: float, share: float) -> float:
        """Balanced log-loss of the left-out scores at the temperature that suits them best."""
        return float(
            np.average(self._losses(ridge, share), axis=1, weights=self._s[self.judged()]).min()
        )

    @property
    def usual_temperature(self) -> float:
        """What suits so few examples elsewhere."""
        return float(DEFAULT_TEMPERATURE * max(1.0, FEW / self.count) ** 0.5)

    def temperature(self, ridge: float, share: float) -> float:
        """The one to be expected by the left-out scores, drawn to the default."""
        return self._temperature_of(self._losses(ridge, share))

    def _temperature_of(self, each: FloatArray) -> float:
        """By the log-loss of each judged example at each of `TEMPERATURES`, T x N.

        The mean of its logarithm over them, each by how well it suits the examples: too low costs
        more than too high, and the likeliest alone would not know it.
        """
        weights = self._as_decided[self.judged()]
        count = weights.sum() ** 2 / (weights**2).sum()
        losses = np.average(each, axis=1, weights=weights)
        against = count * losses + _away(np.log(TEMPERATURES / self.usual_temperature))
        belief = np.exp(against.min() - against)
        return float(np.exp(np.average(np.log(TEMPERATURES), weights=belief)))

    def _losses(self, ridge: float, share: float) -> FloatArray:
        """Log-loss of each judged left-out score by each of `TEMPERATURES`: T x N."""
        if (ridge, share) not in self._each_loss:
            self._each_loss[ridge, share] = self._losses_of(self.left_out(ridge, share))
        return self._each_loss[ridge, share]

    def _losses_of(self, left_out: FloatArray) -> FloatArray:
        """Likewise of left-out scores, N x C."""
        rows = self.judged()
        scores = np.ascontiguousarray(left_out[rows].T)
        soft = np.ascontiguousarray(self._soft[rows].T)
        each = partial(log_losses, soft=soft, multi_label=self._multi_label)
        return np.array([each(scores / temperature) for temperature in TEMPERATURES])

    def head(self, ridge: float, share: float, temperature: float) -> Head:
        """The head with all of it chosen."""
        solved = self._ridge.solution(ridge, self._y - share * self._said)
        weight = share * self._t * self._lens.scale[:, None] + self._lens.back(solved)
        rare = self._multi_label and self.count >= RARE_FROM
        spoken_of = self._t.any(0) & (share > 0)
        seen = (self._targets.sum(0) > 0) | spoken_of | rare
        return Head(
            self._centre,
            weight,
            self._usual,
            temperature,
            self._multi_label,
            share,
            ridge,
            np.asarray(seen),
        )
