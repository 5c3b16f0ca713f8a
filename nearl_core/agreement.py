"""How far readers agree beyond what chance would give, with 95 % intervals.

Every figure has one form: a share of agreement of each scan in [0, 1], their mean, and the
agreement that the frequencies of the words alone would give. Its interval is Wilson's of the mean
with chance held fixed, as Cohen held it for his standard error (`docs/adr/0015-agreement.md`).
Where a scan can have several labels, agreement and chance are means over labels (the pooled kappa
of De Vries et al. 2008). A label counts where both were asked for it.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

from nearl_core.types import Decision, LabelSet, State

_Z: Final = 1.959964


@dataclass(frozen=True)
class Agreement:
    """How far readers agree on the scans that they all, or several of them, decided.

    Attributes:
        readers: Their pseudonyms; one where a reader is compared with themself.
        scans: How many.
        alike: Share of scans of which all said the same, in [0, 1].
        kappa: At most 1; None where chance alone would give full agreement.
        interval: 95 %, or None likewise.
    """

    readers: tuple[str, ...]
    scans: int
    alike: float
    kappa: float | None
    interval: tuple[float, float] | None


class Word(NamedTuple):
    """What a reader says of a scan.

    Attributes:
        state: As the verdict's.
        labels: Ids of what its labels mean, in order.
        unasked: Ids of labels that came later: it says nothing of them.
    """

    state: str
    labels: tuple[str, ...]
    unasked: tuple[str, ...] = ()


def word(decision: Decision, label_set: LabelSet) -> Word:
    """What agreement is about: how sure a reader was, flag and note are left out.

    Of several labels parents belong to it, for a child says the same with its parent and without.
    """
    verdict = decision.verdict
    meant = tuple(sorted(label_set.meant(verdict.labels)))
    return Word(verdict.state.value, meant, decision.unasked)


def alike(words: Sequence[Word], label_set: LabelSet) -> bool:
    """Whether words say the same of all that they were asked for together."""
    return all(
        len({value for _, value in said}) == 1 for said in _facets(words, label_set).values()
    )


def cohen(
    readers: tuple[str, ...], pairs: Sequence[tuple[Word, Word]], label_set: LabelSet
) -> Agreement | None:
    """Cohen's kappa of two readers, or of one reader at two moments (Cohen 1960).

    Args:
        readers: Who they are.
        pairs: What the first and the second said of each scan.
        label_set: Says whether labels exclude each other.

    Returns:
        None where they were asked for nothing together.
    """
    return _agreement(readers, pairs, label_set, _by_reader)


def fleiss(
    readers: tuple[str, ...], scans: Sequence[Sequence[Word]], label_set: LabelSet
) -> Agreement | None:
    """Fleiss' kappa of several readers, not all of whom need to have decided each scan.

    A word's frequency is the mean over scans of its share there (Gwet 2014, for missing ratings);
    where all decided each scan, it is Fleiss' own (1971).

    Args:
        readers: Who they are.
        scans: What was said of each scan by those who decided it.
        label_set: Says whether labels exclude each other.

    Returns:
        None where no two of them were asked for the same.
    """
    return _agreement(readers, scans, label_set, _of_all)


def pairs_of(said: Mapping[str, Mapping[int, Word]], label_set: LabelSet) -> list[Agreement]:
    """Cohen's kappa of each two readers who decided a scan both.

    Args:
        said: What each reader said, by scan; in the order in which they are named.
        label_set: Says whether labels exclude each other.
    """
    found = []
    for first, second in combinations(said, 2):
        common = sorted(said[first].keys() & said[second].keys())
        if common:
            pairs = [(said[first][scan_id], said[second][scan_id]) for scan_id in common]
            found.append(cohen((first, second), pairs, label_set))
    return [one for one in found if one is not None]


def together(said: Mapping[str, Mapping[int, Word]], label_set: LabelSet) -> Agreement | None:
    """Fleiss' kappa of all readers; None unless there are at least three with scans in common.

    Args:
        said: What each reader said, by scan.
        label_set: Says whether labels exclude each other.
    """
    by_scan: dict[int, list[Word]] = {}
    for words in said.values():
        for scan_id, one in words.items():
            by_scan.setdefault(scan_id, []).append(one)
    shared = {scan_id: words for scan_id, words in by_scan.items() if len(words) > 1}
    readers = tuple(sorted(name for name, words in said.items() if words.keys() & shared.keys()))
    if len(readers) < 3:  # of two, Cohen's says it
        return None
    return fleiss(readers, list(shared.values()), label_set)


_Said = Sequence[tuple[int, object]]
"""What was said of one label, or of a scan as a whole, and by whom: places among the words."""


def _facets(words: Sequence[Word], label_set: LabelSet) -> dict[str, _Said]:
    """What is compared: the whole word, or each label where a scan can have several.

    Left out is what was not asked of two of them at least.
    """
    if not label_set.multi_label:
        named = {one for word in words for one in word.labels}
        # That no label applies rules out none that came later.
        heard = [(n, word[:2]) for n, word in enumerate(words) if named.isdisjoint(word.unasked)]
        return {"": heard} if len(heard) > 1 else {}
    found = dict[str, _Said]()
    for one in label_set.ids:
        said = [
            (n, None if word.state == State.UNASSESSABLE else one in word.labels)
            for n, word in enumerate(words)
            if one not in word.unasked
        ]
        if len(said) > 1:
            found[one] = said
    return found


def _by_reader(scans: Sequence[_Said]) -> float:
    """The agreement that what each of two readers says would give by chance."""
    first, second = (Counter(dict(said)[place] for said in scans) for place in (0, 1))
    return sum(first[kind] * second[kind] for kind in first) / len(scans) ** 2


def _of_all(scans: Sequence[_Said]) -> float:
    """The agreement that what all readers say would give by chance."""
    counted = [Counter(value for _, value in said) for said in scans]
    kinds = {kind for counts in counted for kind in counts}
    frequency = (_mean([counts[kind] / counts.total() for counts in counted]) for kind in kinds)
    return sum(share**2 for share in frequency)


def _share(said: _Said) -> float:
    """The share of pairs that say the same."""
    counts = Counter(value for _, value in said)
    size = counts.total()
    return sum(n * (n - 1) for n in counts.values()) / (size * (size - 1))


def _agreement(
    readers: tuple[str, ...],
    scans: Sequence[Sequence[Word]],
    label_set: LabelSet,
    by_chance: Callable[[Sequence[_Said]], float],
) -> Agreement | None:
    compared = [(words, _facets(words, label_set)) for words in scans]
    compared = [(words, facets) for words, facets in compared if facets]
    if not compared:
        return None
    of_facet: dict[str, list[_Said]] = {}
    for _, facets in compared:
        for facet, said in facets.items():
            of_facet.setdefault(facet, []).append(said)
    expected = {facet: by_chance(said) for facet, said in of_facet.items()}
    shares = [_mean([_share(said) for said in facets.values()]) for _, facets in compared]
    chance = _mean([_mean([expected[facet] for facet in facets]) for _, facets in compared])
    same = _mean([float(alike(words, label_set)) for words, _ in compared])
    if chance >= 1:
        return Agreement(readers, len(compared), same, None, None)
    low, high = (_beyond(share, chance) for share in wilson(shares))
    return Agreement(
        readers, len(compared), same, _beyond(_mean(shares), chance), (max(low, -1.0), high)
    )


def _beyond(share: float, chance: float) -> float:
    return (share - chance) / (1 - chance)


def wilson(shares: Sequence[float]) -> tuple[float, float]:
    """Wilson's interval of a mean of shares: as many draws as their variance is worth."""
    mean, count = _mean(shares), len(shares)
    variance = sum((share - mean) ** 2 for share in shares) / count
    draws = count * mean * (1 - mean) / variance if variance > 0 else count
    middle = (mean + _Z**2 / (2 * draws)) / (1 + _Z**2 / draws)
    half = _Z * math.sqrt(mean * (1 - mean) / draws + _Z**2 / (4 * draws**2)) / (1 + _Z**2 / draws)
    return middle - half, middle + half


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
