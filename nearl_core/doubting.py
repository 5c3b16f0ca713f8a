"""Which decisions to look at again: what `learn/look_again.py` says of an engine's decisions."""

import math
from collections.abc import Mapping, Sequence

from nearl_core.learn.batches import lessons
from nearl_core.learn.look_again import doubts
from nearl_core.learner import Learner
from nearl_core.types import Decision, Doubt, Scan

_MOST_NATS = 20.0


def look_again(
    learner: Learner, scans: Mapping[int, Scan], decisions: Sequence[Decision]
) -> list[Doubt]:
    """Decisions that the others speak against, the most doubtful first; any thread.

    Args:
        learner: Whose features and labels count; scans that it has not seen are left out.
        scans: By id.
        decisions: Standing ones of one reader: those of another reader of the same scans would
            show through.
    """
    ready = learner.ready
    known = learner.with_features(lessons(scans, decisions, ready.label_set), ready)
    if not known:
        return []
    examples = learner.examples(known, ready.cache)
    found = doubts(examples, ready.texts, multi_label=ready.label_set.multi_label)
    listed = [
        Doubt(
            lesson.scan_id,
            lesson.decision_id,
            ready.label_set.ids[label],
            math.exp(min(suspicion, _MOST_NATS)),
        )
        for lesson, suspicion, label in zip(
            known, found.suspicion.tolist(), found.label.tolist(), strict=True
        )
        if suspicion > 0
    ]
    return sorted(listed, key=lambda doubt: -doubt.odds)
