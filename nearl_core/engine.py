"""The engine: rank(), learn(), train(), activate() for one open project.

It holds no store: the caller passes frozen values in and takes frozen values out. `load`, `rank`,
`train`, `activate` and `set_label_set` belong to the engine thread; `learn`, `rerank` and
`queue_order` are a few matrix products on cached features and may be called from any thread.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nearl_core import doubting
from nearl_core.control import Pace, RunControl
from nearl_core.errors import NearlError, ScanError
from nearl_core.learn.batches import lessons
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.nearest import nearest
from nearl_core.learner import Learner, Measures
from nearl_core.model.features import FeatureCache
from nearl_core.model.scan_features import Place, ScanFeatures
from nearl_core.portions import portions
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
NOT_LOADED = ("The engine is not loaded yet.", "Wait until it is.")
RANK_BATCH = 16


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
        self._learner: Learner | None = None
        self._pace = Pace(1, RANK_BATCH)  # until the encoder is there, which has its own

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
        self._encoder = encoder = Encoder(backbone, chosen)
        self._pace = encoder.pace()
        control.step(2, 3, "reading the labels")
        measures = Measures(encoder.embedding, encoder.blocks, backbone.logit_scale)
        cache = FeatureCache(self.cache_folder, encoder.source)
        label_set = self._label_set
        self._learner = Learner(Ready(label_set, None, cache), ScanFeatures(), measures)
        self.set_label_set(label_set)
        control.step(3, 3, "ready")
        return EngineInfo(
            backbone=backbone.name,
            backbone_hash=backbone.hash,
            parameters=backbone.parameters,
            device=chosen.type,
            device_text=encoder.described,
            notice=device.notice(chosen),
        )

    def set_label_set(self, label_set: LabelSet) -> None:
        """Take a changed label set; a live version of another revision stops ranking."""
        encoder = self.encoder
        texts = encoder.known_texts(label_set, encoder.texts(label_set))
        self.learner.use_label_set(label_set, texts)

    def activate(self, version: Version | None) -> None:
        """Let a version rank, or with None the frozen backbone and the instant learner alone.

        Raises:
            VersionError: If it can't be read or was made for another backbone or label set.
        """
        from nearl_core.versions import open_version

        self.learner.use_version(None if version is None else open_version(self, version))

    def rank(self, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        """Rank scans, in their order; features that are missing are made and kept."""
        problems, ready = self.look_at(scans, control), self.ready
        ranked = {r.scan_id: r for r in self.rerank([scan.id for scan in scans])}
        empty = Ranking(0, ready.version, ready.used, ())
        return [
            ranked.get(scan.id, replace(empty, scan_id=scan.id, notice=problems.get(scan.id, "")))
            for scan in scans
        ]

    def look_at(self, scans: Sequence[Scan], control: RunControl) -> dict[int, str]:
        """Make and keep the features that are missing; returns why some scans have none."""
        problems, size, left = dict[int, str](), max(RANK_BATCH, self.encoder.batch), list[Scan]()
        for part in portions(scans, size):
            control.check()
            left += [scan for scan in part if self._is_left(scan)]
        for start in range(0, len(left), size):
            problems |= self._encode(left[start : start + size], control)
            if len(left) > size:
                control.step(min(start + size, len(left)), len(left), "ranking")
        for cache in self.ready.caches:
            cache.save()
        return problems

    def _is_left(self, scan: Scan) -> bool:
        """Whether a scan has no features, or never will have."""
        return not (scan.is_ranked and self.learner.scans.know(scan).is_in(*self.ready.caches))

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
            decisions: Those that teach, see `readers.to_learn`.
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
        from nearl_core.model import device
        from nearl_core.versions import Request, check_enough, train

        started = time.monotonic()
        request = Request(version_id, seed, max_seconds, every_layer, started, interaction)
        learned = lessons(scans, decisions, self.ready.label_set)
        check_enough(learned, self.ready.label_set)
        there = dict.fromkeys(lesson.scan_id for lesson in learned)
        self.look_at([scans[scan_id] for scan_id in there], control.renamed("reading scans"))
        # Readers went on meanwhile: what they were last taught by stands, where there is any.
        self.learner.learn_first(scans, decisions)
        ready = self.ready  # one state for the whole run, whatever is served in between
        learned = self.learner.with_features(lessons(scans, decisions, ready.label_set), ready)
        try:
            return train(self, ready, scans, learned, request, control)
        finally:
            device.release(self.encoder.device)

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
            place = self.learner.scans.know(scan)
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
            left = [n for n, key in enumerate(wanted) if key not in cache]
            while left:
                part, left = left[: self._pace.size], left[self._pace.size :]
                with self._pace.go():
                    features = self.encoder.features([pictures[n] for n in part], how)
                for n, feature in zip(part, features, strict=True):
                    cache.put(*wanted[n], feature)
                control.check()
        return problems

    # --- any thread ---

    def learn(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> int:
        """Fit the instant learner on decisions whose features are known; returns how many."""
        return self.learner.learn(scans, decisions)

    def finish_learning(self, control: RunControl) -> bool:
        """Do what `learn` leaves for later; see `Learner.finish_learning`."""
        return self.learner.finish_learning(control)

    def rerank(self, scan_ids: Sequence[int]) -> list[Ranking]:
        """Rank those whose features are known, from what was last learned; milliseconds."""
        return self._rankings(scan_ids, self.ready)

    def rank_apart(self, scan_id: int) -> list[Ranking]:
        """A scan as the others alone have it ranked, see `Learner.apart`; [] while it is unseen."""
        if not self.learner.known([scan_id], self.ready):
            return []
        return self._rankings([scan_id], self.learner.apart(scan_id))

    def _rankings(self, scan_ids: Sequence[int], ready: Ready) -> list[Ranking]:
        known = self.learner.known(scan_ids, ready)
        if not known:
            return []
        if ready.ranker is None or not ready.ranker.instant.can_rank:
            notice = ONE_LABEL if ready.used else UNKNOWN_WORDS
            return [Ranking(i, ready.version, ready.used, (), notice=notice) for i in known]
        probabilities = ready.probabilities(known, self.learner.scans)
        unlike = [False] * len(known)
        if ready.decided is not None:
            unlike = ready.decided.unlike(self.learner.embeddings(known, ready.cache)).tolist()
        return [
            ready.ranking(scan_id, p, frames=self.learner.scans.place(scan_id).frames, unlike=far)
            for scan_id, p, far in zip(known, probabilities, unlike, strict=True)
        ]

    def unseen(self, scan_ids: Sequence[int]) -> list[int]:
        """Those of some scans whose features are not known."""
        known = frozenset(self.learner.known(scan_ids, self.ready))
        return [scan_id for scan_id in scan_ids if scan_id not in known]

    def probabilities(self, scan_ids: Sequence[int]) -> FloatArray:
        """What ranks now says of scans whose features are known: N x C."""
        return self.ready.probabilities(scan_ids, self.learner.scans)

    def queue_order(self, scan_ids: Sequence[int]) -> list[int]:
        """The scans in the order in which they teach most; unknown ones last, as they stood."""
        ready = self.ready
        known = self.learner.scans.known(scan_ids, ready.cache)
        there = set(known)
        rest = [i for i in scan_ids if i not in there]
        if not known:
            return rest
        order = ready.order(known, self.learner.scans, self.encoder.blocks)
        return [*np.array(known)[order].tolist(), *rest]

    def nearest(self, scan_id: int, among: Sequence[int], k: int) -> list[tuple[int, float]]:
        """The k of some scans that are most like one, with the cosine; only cached features."""
        known = self.learner.known([scan_id, *among], self.ready)
        if not known:
            return []
        return nearest(known, self.learner.embeddings(known, self.ready.cache), scan_id, k)

    def look_again(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> list[Doubt]:
        """Decisions that the others speak against; see `doubting.look_again`."""
        return doubting.look_again(self.learner, scans, decisions)

    def features(self, scan_ids: Sequence[int], *, tuned: bool = False) -> FloatArray:
        """Embeddings of scans that were ranked: N x E, the backbone's or the live version's."""
        live = self.ready.live
        cache = live.cache if tuned and live else self.ready.cache
        return self.learner.embeddings(scan_ids, cache)

    def deep_features(self, scan_ids: Sequence[int]) -> FloatArray:
        """The backbone's features of scans that were ranked, with their blocks: N x F."""
        return self.learner.deep_features(scan_ids, self.ready.cache)

    # --- its parts ---

    @property
    def encoder(self) -> "Encoder":
        """The loaded encoder; belongs to the engine thread."""
        if self._encoder is None:
            raise NearlError(*NOT_LOADED)
        return self._encoder

    @property
    def learner(self) -> Learner:
        """What learns from decisions and holds what ranks."""
        if self._learner is None:
            raise NearlError(*NOT_LOADED)
        return self._learner

    @property
    def ready(self) -> Ready:
        """What ranks now."""
        return self.learner.ready
