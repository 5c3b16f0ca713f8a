"""An engine for the desk's tests: it ranks at once, learns which label was decided most."""

import copy
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from app.engine_port import EngineRequest
from nearl_core.control import RunControl
from nearl_core.errors import TrainingError, VersionError
from nearl_core.suggesting import by_rule
from nearl_core.types import (
    FROZEN,
    Decision,
    Doubt,
    EngineInfo,
    Evidence,
    Figures,
    LabelProbability,
    LabelRecall,
    LabelSet,
    Ranking,
    Scan,
    State,
    TrainingResult,
    Version,
)

NOT_YET = "The backbone does not know these words. Decide a few scans and it will learn."


class FakeEngine:
    """Says that the label decided most, of scans that it saw, is the right one; trains briefly.

    Attributes:
        backbone_hash: Of the backbone that it stands for.
        notice: What its rankings say beside their labels.
        steps: How many steps a training takes, 5 ms each.
        training: Set while it trains.
    """

    backbone_hash = "0" * 64
    notice = ""

    def __init__(self, request: EngineRequest, steps: int = 20) -> None:
        self._label_set = request.label_set
        self._adapters = request.adapters_folder
        self._counts: Counter[str] = Counter()
        self._used = 0
        self._taught: tuple[Decision, ...] = ()
        self._seen: set[int] = set()
        self._version = FROZEN
        self._lock = threading.Lock()
        self.steps = steps
        self.training = threading.Event()

    def load(self, control: RunControl) -> EngineInfo:
        control.check()
        return EngineInfo("fake", self.backbone_hash, 0, "cpu", "CPU, 1 thread")

    def set_label_set(self, label_set: LabelSet) -> None:
        if label_set.revision != self._label_set.revision:
            self._version = FROZEN
        self._label_set = label_set

    def activate(self, version: Version | None) -> None:
        if version is not None and version.label_set_revision != self._label_set.revision:
            raise VersionError(f"The version {version.id} was made before the labels changed.")
        if version is not None and version.backbone_hash != self.backbone_hash:
            raise VersionError(f"The version {version.id} was made for another backbone.")
        self._version = FROZEN if version is None else version.id

    def rank(self, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        control.check()
        self._seen |= {scan.id for scan in scans}
        return [self._ranking(scan.id) for scan in scans]

    def learn(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> int:
        del scans
        self._taught = tuple(decisions)
        labelled = [d for d in decisions if d.verdict.state is State.LABELLED]
        used = [d for d in labelled if d.scan_id in self._seen]
        with self._lock:
            self._counts = Counter(label for d in used for label in d.verdict.labels)
            self._used = len(used)
        return len(used)

    def finish_learning(self, control: RunControl) -> bool:
        control.check()
        return False

    def rerank(self, scan_ids: Sequence[int]) -> list[Ranking]:
        return [self._ranking(scan_id) for scan_id in scan_ids if scan_id in self._seen]

    def rank_apart(self, scan_id: int) -> list[Ranking]:
        if scan_id not in self._seen:
            return []
        alone = copy.copy(self)
        alone._lock = threading.Lock()
        alone.learn({}, [one for one in self._taught if one.scan_id != scan_id])
        return [alone._ranking(scan_id)]

    def unseen(self, scan_ids: Sequence[int]) -> list[int]:
        return [scan_id for scan_id in scan_ids if scan_id not in self._seen]

    def train(
        self,
        scans: Mapping[int, Scan],
        decisions: Sequence[Decision],
        *,
        version_id: str,
        control: RunControl,
    ) -> TrainingResult:
        del scans
        labelled = [d for d in decisions if d.verdict.state is State.LABELLED]
        if len(labelled) < 2:
            raise TrainingError("There are too few decisions to train on.", "Decide more scans.")
        losses = []
        self.training.set()
        try:
            for step in range(self.steps):
                losses.append(1.0 / (step + 1))
                control.step(step + 1, self.steps, "Training", (("loss", losses[-1]),))
                time.sleep(0.005)  # stands for the work of a step
        finally:
            self.training.clear()
        return TrainingResult(self._new_version(version_id, labelled), tuple(losses))

    def nearest(self, scan_id: int, among: Sequence[int], k: int) -> list[tuple[int, float]]:
        known = [i for i in among if i in self._seen]
        return [
            (i, 1.0 - abs(i - scan_id) / 100) for i in sorted(known, key=lambda i: abs(i - scan_id))
        ][:k]

    def look_again(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> list[Doubt]:
        """Doubt every label that was decided once, in favour of the one decided most."""
        del scans
        counts = Counter(label for d in decisions for label in d.verdict.labels)
        if not counts:
            return []
        most = counts.most_common(1)[0][0]
        return [
            Doubt(d.scan_id, d.id, most, 12.0 + d.id)
            for d in reversed(decisions)
            if d.verdict.labels
            and counts[d.verdict.labels[0]] == 1
            and most not in d.verdict.labels
        ]

    def queue_order(self, scan_ids: Sequence[int]) -> list[int]:
        return list(reversed(scan_ids))

    def _ranking(self, scan_id: int) -> Ranking:
        with self._lock:
            counts, total, used = dict(self._counts), sum(self._counts.values()), self._used
        if not total:
            return Ranking(scan_id, self._version, 0, (), notice=NOT_YET)
        ids = self._label_set.ids
        size = used + 2 if self._label_set.multi_label else total + len(ids)
        entries = [LabelProbability(i, (counts.get(i, 0) + 1.0) / size) for i in ids]
        entries.sort(key=lambda entry: -entry.probability)
        suggested = by_rule(entries, self._label_set)
        return Ranking(
            scan_id, self._version, used, tuple(entries), notice=self.notice, suggested=suggested
        )

    def _new_version(self, version_id: str, labelled: Sequence[Decision]) -> Version:
        file = f"{version_id}.safetensors"
        (self._adapters / file).write_bytes(b"weights")
        return Version(
            id=version_id,
            created=datetime.now(UTC),
            file=file,
            backbone="fake",
            backbone_hash=self.backbone_hash,
            label_set_revision=self._label_set.revision,
            decision_ids=tuple(d.id for d in labelled),
            seconds=0.1,
            device="cpu",
            before=Figures(8, 0.5, 0.5, 1.0, 0.1),
            after=Figures(8, 0.75, 0.75, 0.6, 0.1),
            promoted=True,
            reason="No worse on 8 held-out decisions, so it is live.",
            evidence=Evidence(
                (
                    LabelRecall(3, 2 / 3, 1.0),
                    LabelRecall(3, 1 / 3, 2 / 3),
                    LabelRecall(2, 0.5, 0.5),
                ),
                gained=2,
                lost=0,
                unseen=8,
            ),
        )
