"""What ranks: a linear head on features, and how its scores become probabilities."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.examples import Features, FloatArray
from nearl_core.learn.label_texts import centred, known

KEEP_ALL_FROM = 256
"""From so many examples on, one more changes nothing that is chosen by them."""


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
        seen: C, whether a label has an example, or a text that counts, or is known to be rare.
        chosen_at: Of how many examples the ridge was chosen, or 0 where it was not by examples.
        correction: F x C, the part of `weight` that corrects the ridge's scores; None without.
        parts: The heads of groups of labels that it was put together from, see `by_label.py`.
    """

    centre: FloatArray
    weight: FloatArray
    offset: FloatArray
    temperature: float
    multi_label: bool
    text_share: float
    ridge: float
    seen: NDArray[np.bool_]
    chosen_at: int = 0
    correction: FloatArray | None = None
    parts: tuple["Head", ...] = ()

    @property
    def can_rank(self) -> bool:
        """Whether there is something to tell apart."""
        return int(self.seen.sum()) >= (1 if self.multi_label else 2)

    def logits(self, features: Features) -> FloatArray:
        """N x F to N x C; a label that nothing is known of gets the least of the others.

        Computed in the features' own precision: of a whole queue they are float32.
        """
        return self.finished(self.scores(features))

    def scores(self, features: Features, first: int = 0) -> FloatArray:
        """What some columns of the features, from the first on, add to the scores: N x C."""
        # A head of texts alone has no weights for the blocks.
        weight = self._low if features.dtype == np.float32 else self.weight
        part = weight[first : first + features.shape[1]]
        return np.asarray(features[:, : len(part)] @ part)

    def finished(self, scores: FloatArray) -> FloatArray:
        """What all columns have added to logits, N x C."""
        raw = (scores + self._constant) / self.temperature
        if not self.multi_label and not self.seen.all() and self.seen.any():
            raw[:, ~self.seen] = raw[:, self.seen].min(1, keepdims=True)
        return np.asarray(raw)

    @cached_property
    def _low(self) -> NDArray[np.float32]:
        return self.weight.astype(np.float32)

    @cached_property
    def _constant(self) -> FloatArray:
        return np.asarray(self.offset - self.centre @ self.weight)

    def probabilities(self, features: Features) -> FloatArray:
        """N x F to N x C in [0, 1]."""
        return to_probabilities(self.logits(features), multi_label=self.multi_label)

    def corrected(self, correction: FloatArray | None, temperature: float) -> "Head":
        """With another part that corrects its scores, F x C, none yet being in it."""
        if correction is None:
            return self
        weight = self.weight + correction
        return replace(self, weight=weight, temperature=temperature, correction=correction)

    def serves(self, count: int) -> bool:
        """Whether its ridge may be kept for so many examples: a tenth more or fewer at most."""
        return abs(count - self.chosen_at) * 10 < self.chosen_at

    def keeps_all(self, count: int) -> bool:
        """Whether all that was chosen may be kept: so many examples that one says little."""
        return count >= KEEP_ALL_FROM and self.serves(count)

    def is_due(self, changed: int) -> bool:
        """Whether what was chosen is to be chosen anew: a fiftieth of the examples changed."""
        return self.chosen_at > 0 and changed * 50 > self.chosen_at


def zero_shot(texts: FloatArray, *, scale: float, multi_label: bool) -> Head:
    """The head of the label texts alone, C x E; `scale` is the backbone's, of its cosines."""
    labels, width = texts.shape
    return Head(
        centre=np.zeros(width),
        weight=centred(texts).T * scale,
        offset=np.zeros(labels),
        temperature=1.0,
        multi_label=multi_label,
        text_share=1.0,
        ridge=0.0,
        seen=known(texts),
    )


def to_probabilities(logits: FloatArray, *, multi_label: bool) -> FloatArray:
    """Softmax over labels, or a sigmoid for each."""
    if multi_label:
        return np.asarray(1 / (1 + np.exp(-logits.clip(-60, 60))))
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))
