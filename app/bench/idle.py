"""An engine that does nothing, so that what is measured is the desk."""

from collections.abc import Mapping, Sequence

from app.engine_port import EngineRequest
from nearl_core.control import RunControl
from nearl_core.errors import TrainingError
from nearl_core.types import (
    FROZEN,
    Decision,
    Doubt,
    EngineInfo,
    LabelSet,
    Ranking,
    Scan,
    TrainingResult,
    Version,
)


class IdleEngine:
    """Ranks nothing, learns nothing; see `EngineLike`."""

    def __init__(self, request: EngineRequest) -> None:
        del request

    def load(self, control: RunControl) -> EngineInfo:
        """Ready at once."""
        del control
        return EngineInfo("none", "", 0, "cpu", "")

    def set_label_set(self, label_set: LabelSet) -> None:
        """Nothing changes."""

    def activate(self, version: Version | None) -> None:
        """Nothing changes."""

    def rank(self, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        """No label is ranked."""
        del control
        return [Ranking(scan.id, FROZEN, 0, ()) for scan in scans]

    def learn(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> int:
        """Nothing is learned."""
        del scans, decisions
        return 0

    def finish_learning(self, control: RunControl) -> bool:
        """Nothing is left."""
        del control
        return False

    def rerank(self, scan_ids: Sequence[int]) -> list[Ranking]:
        """No label is ranked."""
        del scan_ids
        return []

    def rank_apart(self, scan_id: int) -> list[Ranking]:
        """Nothing is known."""
        del scan_id
        return []

    def unseen(self, scan_ids: Sequence[int]) -> list[int]:
        """Nothing is looked at."""
        del scan_ids
        return []

    def train(
        self,
        scans: Mapping[int, Scan],
        decisions: Sequence[Decision],
        *,
        version_id: str,
        control: RunControl,
    ) -> TrainingResult:
        """Refused."""
        del scans, decisions, version_id, control
        raise TrainingError("There is nothing to train here.", "Measure training elsewhere.")

    def nearest(self, scan_id: int, among: Sequence[int], k: int) -> list[tuple[int, float]]:
        """Nothing is known to be alike."""
        del scan_id, among, k
        return []

    def look_again(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> list[Doubt]:
        """None."""
        del scans, decisions
        return []

    def queue_order(self, scan_ids: Sequence[int]) -> list[int]:
        """The last one first, so that every row moves."""
        return list(reversed(scan_ids))
