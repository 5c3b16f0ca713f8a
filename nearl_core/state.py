"""What ranks now: frozen values, replaced as a whole, so that any thread may read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nearl_core import suggesting
from nearl_core.learn import acquire
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import to_probabilities
from nearl_core.learn.ranker import Ranker
from nearl_core.learn.unlike import Familiar
from nearl_core.model.features import FeatureCache
from nearl_core.model.scan_features import ScanFeatures
from nearl_core.scans.display import RECIPE
from nearl_core.types import FROZEN, LabelProbability, LabelSet, Ranking, Version

if TYPE_CHECKING:
    from nearl_core.model.encoder import Adapted

_NAMED = 2


@dataclass(frozen=True, eq=False)
class LiveVersion:
    """A version that ranks: its adapters, its heads as they were written, and its features.

    Attributes:
        learned: Scans that it learned from; none in a file of before they were kept.
    """

    version: Version
    adapted: "Adapted"
    ranker: Ranker
    cache: FeatureCache
    learned: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Ready:
    """All that ranking needs; replaced as a whole, so that any thread may read it.

    Attributes:
        texts: C x E, NaN for a label whose words the backbone does not know, None where it knows
            too few.
        ranker: None while nothing can be known.
        examples: What the instant learner has learned from, or None without any.
        learned: Ids of these decisions.
        chosen_by: Ids of those by which all was chosen that is kept from decision to decision.
        decided: The scans decided, or None without any.
        lags: Whether the live version's head does not know the latest decision yet.
    """

    label_set: LabelSet
    texts: FloatArray | None
    cache: FeatureCache
    live: LiveVersion | None = None
    ranker: Ranker | None = None
    examples: Examples | None = None
    learned: frozenset[int] = frozenset()
    chosen_by: frozenset[int] = frozenset()
    decided: Familiar | None = None
    lags: bool = False

    @property
    def used(self) -> int:
        """Decisions that the instant learner has seen."""
        return 0 if self.examples is None else len(self.examples.targets)

    @property
    def changed(self) -> int:
        """Decisions that came, went or took another's place since all was chosen by them."""
        return max(len(self.learned - self.chosen_by), len(self.chosen_by - self.learned))

    @property
    def version(self) -> str:
        """The id of the version that ranks."""
        return FROZEN if self.live is None else self.live.version.id

    @property
    def caches(self) -> tuple[FeatureCache, ...]:
        """The caches whose features a ranking needs."""
        return (self.cache,) if self.live is None else (self.cache, self.live.cache)

    def probabilities(self, scan_ids: Sequence[int], scans: ScanFeatures) -> FloatArray:
        """What the ranker says of scans that are in the caches: N x C."""
        assert self.ranker is not None
        each, ranker = partial(scans.each, scan_ids), self.ranker
        if self.live is None or not ranker.is_blend:
            found = each(self.cache, ranker.instant.logits)
        else:
            of_frozen = partial(ranker.of_frozen, embedding=self.live.cache.width)
            tuned = each(self.live.cache, ranker.of_tuned)
            found = ranker.blended(each(self.cache, of_frozen), tuned)
        return to_probabilities(found, multi_label=self.label_set.multi_label)

    def order(
        self, scan_ids: Sequence[int], scans: ScanFeatures, blocks: tuple[int, ...]
    ) -> acquire.Indices:
        """The order in which scans that the backbone has seen teach most, by their places.

        By the instant learner alone, which is what learns from the next decision: right after a
        promotion the version has seen few scans.
        """
        probabilities = None
        if self.ranker is not None and self.ranker.instant.can_rank:
            logits = scans.each(scan_ids, self.cache, self.ranker.instant.logits)
            probabilities = to_probabilities(logits, multi_label=self.label_set.multi_label)

        def look(places: acquire.Indices) -> NDArray[np.float32]:
            return scans.features([scan_ids[i] for i in places.tolist()], self.cache)

        return acquire.order(
            len(scan_ids),
            look,
            probabilities,
            self.examples,
            blocks,
            multi_label=self.label_set.multi_label,
        )

    def ranking(
        self, scan_id: int, p: FloatArray, *, frames: tuple[int, ...], unlike: bool
    ) -> Ranking:
        """The labels of one scan in order, those left out of which nothing is known.

        In an exclusive label set the probabilities of the others sum to 1: they say how they
        compare, and the notice names the labels that were left out.

        Args:
            scan_id: The scan.
            p: C, probabilities.
            frames: The frames it was ranked by.
            unlike: Whether it is unlike anything decided.
        """
        assert self.ranker is not None
        seen, labels = self.ranker.instant.seen, self.label_set.labels
        unseen = [label.name for label, known in zip(labels, seen, strict=True) if not known]
        if not self.label_set.multi_label:
            p = p / p[seen].sum()
        ranked = tuple(
            LabelProbability(labels[c].id, float(p[c]))
            for c in np.argsort(-p, kind="stable")
            if seen[c]
        )
        return Ranking(
            scan_id=scan_id,
            version=self.version,
            decisions=self.used,
            labels=ranked,
            frame=frames[len(frames) // 2],
            notice=_not_known(unseen),
            unlike=unlike,
            suggested=suggesting.by_rule(ranked, self.label_set),
            recipe=RECIPE,
        )


def _not_known(labels: list[str]) -> str:
    """Which labels nothing is known of: a few by name, for a label set can be long."""
    if not labels:
        return ""
    more = len(labels) - _NAMED
    named = ", ".join(labels[:_NAMED])
    return f"Nothing is known yet of: {named}{f' and {more} more' if more > 0 else ''}."
