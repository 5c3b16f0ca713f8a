"""What turns features into probabilities: the instant head, and a version's beside it."""

from dataclasses import dataclass, replace

import numpy as np

from nearl_core.learn import by_label
from nearl_core.learn.examples import Examples, Features, FloatArray, joined
from nearl_core.learn.head import Head, to_probabilities


@dataclass(frozen=True)
class Blend:
    """How a version ranks beside the instant learner; chosen on decisions held out.

    Attributes:
        scale: What the adapters' updates are multiplied by (cf. WiSE-FT, arXiv 2109.01903).
        ridge, temperature: Of the head on tuned features.
        share: Of the tuned head's log-probabilities, in [0, 1]; the instant head has the rest.
    """

    scale: float
    ridge: float
    temperature: float
    share: float


@dataclass(frozen=True, eq=False)
class Ranker:
    """Heads and their blend; immutable, so that any thread may use it.

    Attributes:
        instant: On the backbone's own features.
        tuned, blend: A version's head on its embeddings with the frozen blocks, and how it counts;
            None without one.
        tuned_texts: C x E, the version's own text features, by which its head is fitted again.
    """

    instant: Head
    tuned: Head | None = None
    blend: Blend | None = None
    tuned_texts: FloatArray | None = None

    def refitted(self, examples: Examples, tuned: FloatArray) -> "Ranker":
        """With the version's head fitted anew, on the decisions' frozen and tuned features."""
        assert self.tuned is not None
        assert self.blend is not None
        head = by_label.fit_fixed(
            replace(examples, features=joined(tuned, examples.features)),
            self.tuned_texts,
            multi_label=self.tuned.multi_label,
            ridge=self.blend.ridge,
            text_share=self.tuned.text_share,
            temperature=self.blend.temperature,
        )
        return replace(self, tuned=head)

    def logits(self, frozen: Features, tuned: Features | None = None) -> FloatArray:
        """N x F frozen and, for a version, N x E tuned features to N x C blended logits."""
        if tuned is None or not self.is_blend:
            return self.instant.logits(frozen)
        return self.blended(self.of_frozen(frozen, tuned.shape[1]), self.of_tuned(tuned))

    @property
    def is_blend(self) -> bool:
        """Whether the version's head counts.

        One that is still of fewer decisions may not know a label that was decided since: it would
        speak against it, and is left out until it is fitted anew.
        """
        if self.tuned is None or self.blend is None:
            return False
        return not (self.instant.seen & ~self.tuned.seen).any()

    def of_frozen(self, frozen: Features, embedding: int) -> FloatArray:
        """The part of a blend that N x F frozen features have in it: N x 2 C, see `blended`.

        The instant learner's logits, and what the blocks behind the embedding add to the version's
        scores.
        """
        assert self.tuned is not None
        blocks = self.tuned.scores(frozen[:, embedding:], embedding)
        return np.hstack([self.instant.logits(frozen), blocks])

    def of_tuned(self, tuned: Features) -> FloatArray:
        """The part that N x E tuned features have in it: N x C."""
        assert self.tuned is not None
        return self.tuned.scores(tuned)

    def blended(self, of_frozen: FloatArray, of_tuned: FloatArray) -> FloatArray:
        """Both parts of the same scans to N x C blended logits."""
        assert self.tuned is not None
        assert self.blend is not None
        own, blocks = np.split(of_frozen, 2, axis=1)
        other, multi_label = self.tuned.finished(of_tuned + blocks), self.instant.multi_label
        return blended(own, other, self.blend.share, multi_label=multi_label)


def blended(own: FloatArray, tuned: FloatArray, share: float, *, multi_label: bool) -> FloatArray:
    """Two heads' logits in one, weighted: the geometric mean of their probabilities, N x C."""
    if multi_label:
        return (1 - share) * own + share * tuned
    return (1 - share) * _log_softmax(own) + share * _log_softmax(tuned)


def mixed(own: FloatArray, tuned: FloatArray, share: float, *, multi_label: bool) -> FloatArray:
    """Probabilities of two heads' blend: N x C."""
    logits = blended(own, tuned, share, multi_label=multi_label)
    return to_probabilities(logits, multi_label=multi_label)


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits - logits.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))
