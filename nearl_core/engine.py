"""The engine: rank(), learn(), train(), activate() for one open project.

It holds no store: the caller passes frozen values in and takes frozen values out. `load`, `rank`,
`train`, `activate` and `set_label_set` belong to the engine thread; `learn`, `rerank` and
`queue_order` are a few matrix products on cached features and may be called from any thread.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nearl_core import doubting
from nearl_core.control import Pace, RunControl
from nearl_core.errors import NearlError, ScanError
from nearl_core.learn import instant
from nearl_core.learn.batches import Lesson, Lessons, lessons
from nearl_core.learn.instant import Examples, FloatArray
from nearl_core.learn.nearest import nearest
from nearl_core.learn.ranker import Ranker
from nearl_core.learn.unlike import familiar
from nearl_core.model.features import FeatureCache
from nearl_core.model.scan_features import Place, ScanFeatures
from nearl_core.scans import display
from nearl_core.scans.guard import ScanReader
from nearl_core.state import Ready
from nearl_core.types import (
    Decision,
    Doubt,
    EngineInfo,
    LabelSet,
    Ranking,
    Scan,
    TrainingResult,
    Version,
)

if TYPE_CHECKING:
    from torch import Tensor

    from nearl_core.model.encoder import Encoder

UNKNOWN_WORDS = "These words are new to the backbone: decide a few scans of each label."
NOT_RANKED = "A segmentation is shown, but not ranked."
ONE_LABEL = "Decide scans of at least two labels, and the ranking starts."
RANK_BATCH = 16
Taught = tuple[Mapping[int, Scan], Sequence[Decision]]


class Engine:
    """One open project's engine.

    Attributes:
        adapters_folder, cache_folder: Where versions and features stand.
    """

    def __init__(
        self,
        *,
        backbone: str,
        label_set: LabelSet,
        reader: ScanReader,
        adapters_folder: Path,
        cache_folder: Path,
        device: str | None = None,
    ) -> None:
        self._backbone, self._label_set, self._reader = backbone, label_set, reader
        self.adapters_folder, self.cache_folder = adapters_folder, cache_folder
        self._device = device
        self._encoder: Encoder | None = None
        self._ready: Ready | None = None
        self._scans, self._lessons = ScanFeatures(), Lessons(label_set)
        self._taught: Taught = ({}, ())
        self._pace = Pace(1, RANK_BATCH)
        self._lock = threading.Lock()

    # --- the engine thread ---

    def load(self, control: RunControl) -> EngineInfo:
        """Import torch and load the backbone; seconds.

        Raises:
            BackboneError: If the backbone can't be used.
        """
        control.step(0, 3, "loading the engine")
        from nearl_core.model import backbones, device
        from nearl_core.model.encoder import Encoder

        control.step(1, 3, "loading the backbone")
        backbone = backbones.load(self._backbone)
        chosen = device.choose(None if self._device == "auto" else self._device)
        self._encoder = Encoder(backbone, chosen)
        control.step(2, 3, "reading the labels")
        self.set_label_set(self._label_set)
        control.step(3, 3, "ready")
        return EngineInfo(
            backbone=backbone.name,
            backbone_hash=backbone.hash,
            parameters=backbone.parameters,
            device=chosen.type,
            device_text=self._encoder.described,
            notice=device.notice(chosen),
        )

    def set_label_set(self, label_set: LabelSet) -> None:
        """Take a changed label set; a live version of another revision stops ranking."""
        encoder, old = self.encoder, self._ready
        texts = encoder.texts(label_set) if encoder.knows(label_set) else None
        cache = old.cache if old else FeatureCache(self.cache_folder, encoder.source)
        live = old.live if old else None
        if live is not None and live.version.label_set_revision != label_set.revision:
            live = None
        with self._lock:
            self._label_set = label_set
            self._ready = Ready(label_set, texts, cache, live)
        self._fit(self._taught)

    def activate(self, version: Version | None) -> None:
        """Let a version rank, or with None the frozen backbone and the instant learner alone.

        Raises:
            VersionError: If it can't be read or was made for another backbone or label set.
        """
        from nearl_core.versions import open_version

        live = None if version is None else open_version(self, version)
        with self._lock:
            ready = self.ready
            # Until it is fitted again, no head may meet the features of another version.
            instant_only = None if ready.ranker is None else Ranker(ready.ranker.instant)
            ranker = instant_only if live is None else live.ranker
            self._ready = replace(ready, live=live, ranker=ranker)
        self._fit(self._taught)

    def rank(self, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        """Rank scans, in their order; features that are missing are made and kept."""
        problems: dict[int, str] = {}
        for start in range(0, len(scans), RANK_BATCH):
            problems |= self._encode(scans[start : start + RANK_BATCH], control)
            if len(scans) > RANK_BATCH:
                control.step(min(start + RANK_BATCH, len(scans)), len(scans), "ranking")
        ready = self.ready
        for cache in ready.caches:
            cache.save()
        ranked = {r.scan_id: r for r in self.rerank([scan.id for scan in scans])}
        empty = Ranking(0, ready.version, ready.used, ())
        return [
            ranked.get(scan.id, replace(empty, scan_id=scan.id, notice=problems.get(scan.id, "")))
            for scan in scans
        ]

    def train(
        self,
        scans: Mapping[int, Scan],
        decisions: Sequence[Decision],
        *,
        version_id: str,
        seed: int = 0,
        max_seconds: float | None = None,
        every_layer: bool = False,
        interaction: str = "set-level",
        control: RunControl,
    ) -> TrainingResult:
        """Fine-tune adapters on all decisions and judge them; nothing goes live by itself.

        Args:
            scans: By id.
            decisions: The standing ones.
            version_id: Of the version that is made.
            seed: Equal seeds give versions equal but for rounding, on one machine and without
                `max_seconds`.
            max_seconds: For the whole run, reading scans and checks included; kept roughly, and
                each part takes a step at least.
            every_layer: Train adapters in every layer also on a CPU, which else takes the upper
                half or quarter over a cached prefix.
            interaction: What the text side hears of an image, see `model/interaction.py`; the
                version is bound to it.
            control: Reports each step with ("loss", x).

        Raises:
            TrainingError: If there are too few decisions.
            Cancelled: If asked to stop.
        """
        from nearl_core.versions import Request, check_enough, train

        started = time.monotonic()
        request = Request(version_id, seed, max_seconds, every_layer, started, interaction)
        learned = lessons(scans, decisions, self.ready.label_set)
        check_enough(learned, self.ready.label_set)
        there = dict.fromkeys(lesson.scan_id for lesson in learned)
        self.rank([scans[scan_id] for scan_id in there], control.renamed("reading scans"))
        # Readers went on meanwhile: what they were last taught by stands, where there is any.
        if not self._taught[1]:
            self._taught = (scans, decisions)
        self._fit(self._taught)
        ready = self.ready  # one state for the whole run, whatever is served in between
        learned = self.with_features(lessons(scans, decisions, ready.label_set), ready)
        return train(self, ready, scans, learned, request, control)

    def picture(self, path: Path, frame: int) -> "Tensor":
        """A frame as the image tower takes it, by the default window: 3 x S x S, float32.

        Raises:
            ScanError: If it can't be read.
        """
        read, _ = self._reader.frame(path, frame)
        return self.encoder.prepare(display.to_rgb(read))

    def _encode(self, scans: Sequence[Scan], control: RunControl) -> dict[int, str]:
        """Make the features that are missing; returns why some scans have none."""
        ready, problems = self.ready, dict[int, str]()
        pictures: list[Tensor] = []
        wanted: list[tuple[str, int]] = []
        for scan in scans:
            if not scan.is_ranked:
                problems[scan.id] = NOT_RANKED
                continue
            place = self._scans.know(scan)
            for frame in place.frames:
                if Place(place.key, (frame,)).is_in(*ready.caches):
                    continue
                control.check()
                try:
                    pictures.append(self.picture(scan.path, frame))
                    wanted.append((place.key, frame))
                except ScanError as error:
                    problems[scan.id] = error.message
        adapted = (None,) if ready.live is None else (None, ready.live.adapted)
        for cache, how in zip(ready.caches, adapted, strict=True):
            done = 0
            while done < len(pictures):
                part = slice(done, done + self._pace.size)
                with self._pace.go():
                    features = self.encoder.features(pictures[part], how)
                for (key, frame), feature in zip(wanted[part], features, strict=True):
                    cache.put(key, frame, feature)
                done += len(features)
                control.check()
        return problems

    # --- any thread ---

    def learn(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> int:
        """Fit the instant learner on decisions whose features are known; returns how many."""
        self._taught = taught = (scans, decisions)
        return self._fit(taught)

    def _fit(self, taught: Taught) -> int:
        """Fit on what was taught, unless something newer is; returns how many it used."""
        scans, decisions = taught
        while True:
            ready = self.ready
            known = self._known_lessons(scans, decisions, ready)
            examples = self.examples(known, ready.cache) if known else None
            ranker = self._fitted(known, examples, ready)
            decided = None if examples is None else familiar(examples.embedded())
            with self._lock:
                now = self.ready
                if self._taught is not taught:
                    return len(known)
                if now.label_set is ready.label_set and now.live is ready.live:
                    self._ready = replace(now, ranker=ranker, examples=examples, decided=decided)
                    return len(known)

    def _known_lessons(
        self, scans: Mapping[int, Scan], decisions: Sequence[Decision], ready: Ready
    ) -> list[Lesson]:
        if self._lessons.label_set is not ready.label_set:
            self._lessons = Lessons(ready.label_set)
        found = self._lessons.of(scans, decisions)
        for lesson in found:
            if lesson.scan_id not in self._scans:
                self._scans.know(scans[lesson.scan_id])
        there = set(self._scans.known([lesson.scan_id for lesson in found], ready.cache))
        return [lesson for lesson in found if lesson.scan_id in there]

    def _fitted(
        self, known: list[Lesson], examples: Examples | None, ready: Ready
    ) -> Ranker | None:
        multi_label = ready.label_set.multi_label
        if examples is None:
            if ready.live is not None:
                return ready.live.ranker  # as it was written
            if ready.texts is None:
                return None
            scale = self.encoder.backbone.logit_scale
            return Ranker(instant.zero_shot(ready.texts, scale=scale, multi_label=multi_label))
        before = None if ready.ranker is None else ready.ranker.instant
        head = instant.fit(
            examples, ready.texts, multi_label=multi_label, text_default=1.0, before=before
        )
        if ready.live is None:
            return Ranker(head)
        ranker, cache = replace(ready.live.ranker, instant=head), ready.live.cache
        if len(self._scans.known([lesson.scan_id for lesson in known], cache)) == len(known):
            ranker = ranker.refitted(examples, self.embeddings(known, cache))
        return ranker

    def rerank(self, scan_ids: Sequence[int]) -> list[Ranking]:
        """Rank those whose features are known, from what was last learned; milliseconds."""
        ready = self.ready
        known = self._known(scan_ids, ready)
        if not known:
            return []
        if ready.ranker is None or not ready.ranker.instant.can_rank:
            notice = ONE_LABEL if ready.used else UNKNOWN_WORDS
            return [Ranking(i, ready.version, ready.used, (), notice=notice) for i in known]
        probabilities = ready.probabilities(known, self._scans)
        unlike = [False] * len(known)
        if ready.decided is not None:
            unlike = ready.decided.unlike(self._embeddings(known, ready.cache)).tolist()
        return [
            ready.ranking(scan_id, p, frames=self._scans.place(scan_id).frames, unlike=far)
            for scan_id, p, far in zip(known, probabilities, unlike, strict=True)
        ]

    def probabilities(self, scan_ids: Sequence[int]) -> FloatArray:
        """What ranks now says of scans whose features are known: N x C."""
        return self.ready.probabilities(scan_ids, self._scans)

    def queue_order(self, scan_ids: Sequence[int]) -> list[int]:
        """The scans in the order in which they teach most; unknown ones last, as they stood."""
        ready = self.ready
        known = self._known(scan_ids, ready)
        there = set(known)
        rest = [i for i in scan_ids if i not in there]
        if not known:
            return rest
        order = ready.order(known, self._scans, self.encoder.blocks)
        return [known[i] for i in order] + rest

    def nearest(self, scan_id: int, among: Sequence[int], k: int) -> list[tuple[int, float]]:
        """The k of some scans that are most like one, with the cosine; only cached features."""
        known = self._known([scan_id, *among], self.ready)
        return (
            nearest(known, self._embeddings(known, self.ready.cache), scan_id, k) if known else []
        )

    def look_again(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> list[Doubt]:
        """Decisions that the others speak against; see `doubting.look_again`."""
        return doubting.look_again(self, scans, decisions)

    # --- features ---

    @property
    def encoder(self) -> "Encoder":
        """The loaded encoder; belongs to the engine thread."""
        if self._encoder is None:
            raise NearlError("The engine is not loaded yet.", "Wait until it is.")
        return self._encoder

    @property
    def ready(self) -> Ready:
        """What ranks now."""
        if self._ready is None:
            raise NearlError("The engine is not loaded yet.", "Wait until it is.")
        return self._ready

    def examples(self, known: Sequence[Lesson], cache: FeatureCache) -> Examples:
        """Lessons with the backbone's features, which must be in the cache."""
        return Examples(
            self._rows([lesson.scan_id for lesson in known], cache),
            np.array([lesson.target for lesson in known]),
            np.array([lesson.weight for lesson in known]),
            self.encoder.blocks,
        )

    def embeddings(self, known: Sequence[Lesson], cache: FeatureCache) -> FloatArray:
        """Embeddings of lessons, the backbone's or a version's, from their cache: N x E."""
        return self._embeddings([lesson.scan_id for lesson in known], cache)

    def with_features(self, learned: Sequence[Lesson], ready: Ready | None = None) -> list[Lesson]:
        """The lessons whose features are known: not those of scans that can't be read."""
        known = set(self._known([lesson.scan_id for lesson in learned], ready or self.ready))
        return [lesson for lesson in learned if lesson.scan_id in known]

    def features(self, scan_ids: Sequence[int], *, tuned: bool = False) -> FloatArray:
        """Embeddings of scans that were ranked: N x E, the backbone's or the live version's."""
        live = self.ready.live
        return self._embeddings(scan_ids, live.cache if tuned and live else self.ready.cache)

    def deep_features(self, scan_ids: Sequence[int]) -> FloatArray:
        """The backbone's features of scans that were ranked, with their blocks: N x F."""
        return self._rows(scan_ids, self.ready.cache)

    def _known(self, scan_ids: Sequence[int], ready: Ready) -> list[int]:
        return self._scans.known(scan_ids, *ready.caches)

    def _rows(self, scan_ids: Sequence[int], cache: FeatureCache) -> FloatArray:
        return self._scans.features(scan_ids, cache).astype(np.float64)

    def _embeddings(self, scan_ids: Sequence[int], cache: FeatureCache) -> FloatArray:
        width = self.encoder.embedding
        return self._scans.features(scan_ids, cache, width=width).astype(np.float64)
