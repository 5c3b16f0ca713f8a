"""How far readers agree beyond what chance would give, with 95 % intervals.

Every figure has one form: a share of agreement of each scan in [0, 1], their mean, and the
agreement that the frequencies of the words alone would give. Its interval is Wilson's of the mean
with chance held fixed, as Cohen held it for his standard error (`docs/adr/0015-agreement.md`).
Where a scan can have several labels, agreement and chance are means over labels (the pooled kappa
of De Vries et al. 2008).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from nearl_core.types import LabelSet, State, Verdict

Word = tuple[str, tuple[str, ...]]
"""What a reader says of a scan: the state, and the ids of what its labels mean, in order."""
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


def word(verdict: Verdict, label_set: LabelSet) -> Word:
    """What agreement is about: how sure a reader was, flag and note are left out.

    Of several labels parents belong to it, for a child says the same with its parent and without.
    """
    return verdict.state.value, tuple(sorted(label_set.meant(verdict.labels)))


def cohen(
    readers: tuple[str, ...], pairs: Sequence[tuple[Word, Word]], label_set: LabelSet
) -> Agreement:
    """Cohen's kappa of two readers, or of one reader at two moments (Cohen 1960).

    Args:
        readers: Who they are.
        pairs: What the first and the second said of each scan; at least one.
        label_set: Says whether labels exclude each other.
    """
    said = [[_facets(one, label_set) for one in pair] for pair in pairs]
    shares = [_mean([float(a == b) for a, b in zip(*both, strict=True)]) for both in said]
    chance = []
    for place in range(len(said[0][0])):
        first = Counter(both[0][place] for both in said)
        second = Counter(both[1][place] for both in said)
        chance.append(sum(first[kind] * second[kind] for kind in first) / len(pairs) ** 2)
    return _agreement(readers, pairs, shares, _mean(chance))


def fleiss(
    readers: tuple[str, ...], scans: Sequence[Sequence[Word]], label_set: LabelSet
) -> Agreement:
    """Fleiss' kappa of several readers, not all of whom need to have decided each scan.

    A word's frequency is the mean over scans of its share there (Gwet 2014, for missing ratings);
    where all decided each scan, it is Fleiss' own (1971).

    Args:
        readers: Who they are.
        scans: What was said of each scan by those who decided it; at least two words each.
        label_set: Says whether labels exclude each other.
    """
    said = [[_facets(one, label_set) for one in words] for words in scans]
    shares, expected = [], []
    for place in range(len(said[0][0])):
        counts = [Counter(facets[place] for facets in words) for words in said]
        sizes = [len(words) for words in said]
        shares.append(
            [
                sum(n * (n - 1) for n in counted.values()) / (size * (size - 1))
                for counted, size in zip(counts, sizes, strict=True)
            ]
        )
        kinds = {kind for counted in counts for kind in counted}
        frequency = (
            _mean([counted[kind] / size for counted, size in zip(counts, sizes, strict=True)])
            for kind in kinds
        )
        expected.append(sum(share**2 for share in frequency))
    each = [_mean(of_scan) for of_scan in zip(*shares, strict=True)]
    return _agreement(readers, scans, each, _mean(expected))


def pairs_of(said: Mapping[str, Mapping[int, Word]], label_set: LabelSet) -> list[Agreement]:
    """Cohen's kappa of each two readers who decided a scan both.

    Args:
        said: What each reader said, by scan.
        label_set: Says whether labels exclude each other.
    """
    found = []
    for first, second in combinations(sorted(said), 2):
        common = sorted(said[first].keys() & said[second].keys())
        if common:
            pairs = [(said[first][scan_id], said[second][scan_id]) for scan_id in common]
            found.append(cohen((first, second), pairs, label_set))
    return found


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


def _facets(said: Word, label_set: LabelSet) -> tuple[object, ...]:
    """What is compared: the whole word, or each label where a scan can have several."""
    state, labels = said
    if not label_set.multi_label:
        return (said,)
    if state == State.UNASSESSABLE:
        return (None,) * len(label_set.ids)
    return tuple(one in labels for one in label_set.ids)


def _agreement(
    readers: tuple[str, ...],
    scans: Sequence[Iterable[Word]],
    shares: Sequence[float],
    chance: float,
) -> Agreement:
    alike = _mean([float(len(set(words)) == 1) for words in scans])
    if chance >= 1:
        return Agreement(readers, len(scans), alike, None, None)
    low, high = (_beyond(share, chance) for share in wilson(shares))
    return Agreement(
        readers, len(scans), alike, _beyond(_mean(shares), chance), (max(low, -1.0), high)
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
