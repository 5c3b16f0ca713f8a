"""Which scans the model is sure of, by what it suggests for them."""

from collections.abc import Iterable

from nearl_core.suggesting import offered, sureness
from nearl_core.types import LabelSet, Ranking, Verdict


def sure_of(
    rankings: Iterable[Ranking], label_set: LabelSet, *, bar: float
) -> dict[Verdict, tuple[Ranking, ...]]:
    """Rankings whose suggestion reaches the bar as a whole, the surest first, by suggestion.

    In a set of several labels each is as surely there or absent. What is unlike anything decided
    is left out, however sure the model says it is.

    Args:
        rankings: One a scan.
        label_set: In whose order the suggestions come, by their labels; none applies comes last.
        bar: A probability.
    """
    found: dict[Verdict, list[Ranking]] = {}
    for ranking in rankings:
        offer = offered(ranking, label_set)
        if offer is not None and not ranking.unlike and sureness(ranking, label_set) >= bar:
            found.setdefault(offer, []).append(ranking)
    place = {label_id: n for n, label_id in enumerate(label_set.ids)}
    last = (len(place),)
    ordered = sorted(found, key=lambda offer: tuple(place[one] for one in offer.labels) or last)
    return {
        offer: tuple(sorted(found[offer], key=lambda one: -sureness(one, label_set)))
        for offer in ordered
    }
