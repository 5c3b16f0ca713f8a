"""Which scans the model is sure of, by label."""

from collections.abc import Iterable

from nearl_core.types import LabelSet, Ranking


def sure_of(
    rankings: Iterable[Ranking], label_set: LabelSet, *, bar: float
) -> dict[str, tuple[Ranking, ...]]:
    """Rankings whose one suggestion reaches the bar, the surest first, by label.

    In a multi-label set all other labels must be as surely absent. What is unlike anything decided
    is left out, however sure the model says it is.

    Args:
        rankings: One a scan.
        label_set: In whose order the labels come.
        bar: A probability.
    """
    found: dict[str, list[Ranking]] = {label_id: [] for label_id in label_set.ids}
    for ranking in rankings:
        if not ranking.labels or ranking.unlike:
            continue
        first, others = ranking.labels[0], ranking.labels[1:]
        alone = all(entry.probability <= 1 - bar for entry in others)
        if first.probability >= bar and (alone or not label_set.multi_label):
            found.setdefault(first.label_id, []).append(ranking)
    return {
        label_id: tuple(sorted(ranked, key=lambda one: -one.labels[0].probability))
        for label_id, ranked in found.items()
        if ranked
    }
