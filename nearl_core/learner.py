"""The engine's half that learns from decisions: it holds what ranks; any thread may call it.

Nothing here runs the model: all is a few matrix products on features that are known.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearl_core import teaching
from nearl_core.control import RunControl
from nearl_core.learn import axes
from nearl_core.learn.batches import Lesson, Lessons
from nearl_core.learn.examples import Axes, Examples, FloatArray, Products
from nearl_core.learn.products import products
from nearl_core.learn.ranker import Ranker
from nearl_core.learn.regression import Pause
from nearl_core.model.features import FeatureCache
from nearl_core.model.scan_features import ScanFeatures
from nearl_core.state import LiveVersion, Ready
from nearl_core.types import Decision, LabelSet, Scan

MEASURE_AGAIN = 1.5
Taught = tuple[Mapping[int, Scan], Sequence[Decision]]


@dataclass(frozen=True)
class Measures:
    """What of a backbone the learning needs to know.

    Attributes:
        embedding: Width of the embedding, E.
        blocks: Widths of the blocks behind it.
        scale: Of its cosines.
    """

    embedding: int
    blocks: tuple[int, ...]
    scale: float


class Learner:
    """Learns decisions of scans whose features are known.

    Attributes:
        scans: Which features stand for which scans.
        measures: Of the backbone.
    """

    def __init__(self, ready: Ready, scans: ScanFeatures, measures: Measures) -> None:
        self.scans, self.measures = scans, measures
        self._ready, self._lessons = ready, Lessons(ready.label_set)
        self._taught: Taught = ({}, ())
        self._axes: tuple[FeatureCache, int, Axes] | None = None
        self._products: Products | None = None
        self._lock = threading.Lock()

    @property
    def ready(self) -> Ready:
        """What ranks now."""
        return self._ready

    # --- what ranks ---

    def use_label_set(self, label_set: LabelSet, texts: FloatArray | None) -> None:
        """Rank other labels; a live version of another revision stops ranking."""
        with self._lock:
            live = self._ready.live
            if live is not None and live.version.label_set_revision != label_set.revision:
                live = None
            self._ready = Ready(label_set, texts, self._ready.cache, live)
        self._fit(self._taught)

    def use_version(self, live: LiveVersion | None) -> None:
        """Rank with a version, or with None without any."""
        with self._lock:
            ranker = self._ready.ranker
            # Until it is fitted again, no head may meet the features of another version.
            instant_only = None if ranker is None else Ranker(ranker.instant)
            ranker = instant_only if live is None else live.ranker
            self._ready = replace(self._ready, live=live, ranker=ranker, lags=False)
        self._fit(self._taught, behind=lambda: None)  # its head, too

    def learn(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> int:
        """Fit on decisions (see `readers.to_learn`) whose features are known; returns how many."""
        self._taught = taught = (scans, decisions)
        return self._fit(taught)

    def learn_first(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> None:
        """Fit on what was taught last, or on these decisions where nothing was."""
        if not self._taught[1]:
            self._taught = (scans, decisions)
        self._fit(self._taught)

    def finish_learning(self, control: RunControl) -> bool:
        """Do what `learn` leaves for later once decisions are many.

        The live version's head is fitted again, and each time that a fiftieth of the decisions
        changed all is chosen anew that is chosen by them. Takes as long as some decisions: to be
        called behind all that can't wait. What ranks changes a little by it.

        Returns:
            Whether it was done; something newer that is taught meanwhile stands.

        Raises:
            Cancelled: If asked to stop.
        """
        ready, taught = self._ready, self._taught
        if not teaching.leaves_more(ready):
            return False
        known = self._known_lessons(taught, ready)
        return self._take(self._made(ready, known, behind=control.check), ready, taught)

    def apart(self, scan_id: int) -> Ready:
        """What would rank if nobody had said anything of a scan; what ranks stays.

        Without a live version that learned from the scan. What is chosen by very many decisions
        (ridge, text, temperature) stays as it is. Takes as long as learning a decision.
        """
        ready, taught = self._ready, self._taught
        known = self._known_lessons(taught, ready)
        own = {lesson.decision_id for lesson in known if lesson.scan_id == scan_id}
        live = ready.live
        if live and (scan_id in live.learned or not own.isdisjoint(live.version.decision_ids)):
            ready = replace(ready, live=None)
        others = [lesson for lesson in known if lesson.decision_id not in own]
        return self._made(ready, others, behind=lambda: None)

    def _fit(self, taught: Taught, behind: Pause | None = None) -> int:
        """Fit on what was taught, unless something newer is; returns how many it used."""
        while True:
            ready = self._ready
            known = self._known_lessons(taught, ready)
            made = self._made(ready, known, behind)
            if self._take(made, ready, taught) or self._taught is not taught:
                return len(known)

    def _made(self, ready: Ready, known: Sequence[Lesson], behind: Pause | None = None) -> Ready:
        examples, tuned, live = None, None, ready.live
        if known:
            examples = self.examples(known, ready.cache)
            ids = [lesson.scan_id for lesson in known]
            if live is not None and len(self.scans.known(ids, live.cache)) == len(ids):
                tuned = self.embeddings(ids, live.cache)
        decided = frozenset(lesson.decision_id for lesson in known)
        return teaching.taught(
            ready, examples, tuned, ids=decided, scale=self.measures.scale, behind=behind
        )

    def _take(self, made: Ready, before: Ready, taught: Taught) -> bool:
        """Let what was made rank, unless something newer is taught or what it was made of."""
        with self._lock:
            now = self._ready
            same = now.label_set is before.label_set and now.live is before.live
            if same and self._taught is taught:
                self._ready = made
                return True
            return False

    def _known_lessons(self, taught: Taught, ready: Ready) -> list[Lesson]:
        scans, decisions = taught
        if self._lessons.label_set is not ready.label_set:
            self._lessons = Lessons(ready.label_set)
        found = self._lessons.of(scans, decisions)
        for lesson in found:
            if lesson.scan_id not in self.scans:
                self.scans.know(scans[lesson.scan_id])
        there = set(self.scans.known([lesson.scan_id for lesson in found], ready.cache))
        return [lesson for lesson in found if lesson.scan_id in there]

    # --- features ---

    def known(self, scan_ids: Sequence[int], ready: Ready) -> list[int]:
        """Those of some scans whose features a ranking can be made of."""
        return self.scans.known(scan_ids, *ready.caches)

    def with_features(self, learned: Sequence[Lesson], ready: Ready) -> list[Lesson]:
        """The lessons whose features are known: not those of scans that can't be read."""
        known = set(self.known([lesson.scan_id for lesson in learned], ready))
        return [lesson for lesson in learned if lesson.scan_id in known]

    def examples(self, known: Sequence[Lesson], cache: FeatureCache) -> Examples:
        """Lessons with the backbone's features, which must be in the cache."""
        ids, along = [lesson.scan_id for lesson in known], self._axes_by(cache)
        features = self.scans.features(ids, cache)
        kept = None
        if along is not None and axes.MANY < len(ids) < features.shape[1]:
            kept = self._products = products(ids, features, along, self._products)
        return Examples(
            features,
            np.array([lesson.target for lesson in known]),
            np.array([lesson.weight for lesson in known]),
            self.measures.blocks,
            axes=along,
            products=kept,
        )

    def _axes_by(self, cache: FeatureCache) -> Axes | None:
        """Main axes of the taught project's scans, measured anew when half as many more are known.

        What ranks changes a little by that.
        """
        kept, count = self._axes, self.scans.count(cache)
        if kept is not None and kept[0] is cache and count < MEASURE_AGAIN * kept[1]:
            return kept[2]
        ids = self.scans.known(list(self._taught[0]), cache)
        some = axes.drawn(len(ids), np.random.default_rng(0))
        features = self.scans.features([ids[n] for n in some], cache)
        found = axes.of_scans(features, self.measures.blocks)
        if found is not None:
            self._axes = cache, count, found
        return found

    def deep_features(self, scan_ids: Sequence[int], cache: FeatureCache) -> FloatArray:
        """The backbone's features with their blocks, which must be in the cache: N x F."""
        return self.scans.features(scan_ids, cache).astype(np.float64)

    def embeddings(self, scan_ids: Sequence[int], cache: FeatureCache) -> FloatArray:
        """Embeddings alone, the backbone's or a version's, from their cache: N x E."""
        found = self.scans.features(scan_ids, cache, width=self.measures.embedding)
        return found.astype(np.float64)
