"""What is known of an export besides its rows: notices, agreement of the readers, the model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from nearl_core.export.content import Content, Pictures
from nearl_core.export.images import LeftOut
from nearl_core.export.leakage import Leakage
from nearl_core.export.names import plain
from nearl_core.export.rows import Row
from nearl_core.export.split import NAMES
from nearl_core.types import LabelSet, Version


@dataclass(frozen=True)
class Agreement:
    """How far two readers agree on the scans that both decided.

    Attributes:
        readers: Their pseudonyms.
        scans: How many.
        alike: Share of scans that they decided alike, in [0, 1].
        kappa: Cohen's, the mean over labels where a scan can have several; None where both
            always say the same one thing, which leaves it undefined.
    """

    readers: tuple[str, str]
    scans: int
    alike: float
    kappa: float | None


@dataclass(frozen=True)
class Evidence:
    """What is known of an export besides its rows.

    Attributes:
        notices: Sentences that a person should see.
        agreement: Of each two readers who have scans in common.
        leakage: What stands in two splits.
        live: The version that ranked when it was made, or None.
    """

    notices: tuple[str, ...]
    agreement: tuple[Agreement, ...]
    leakage: Leakage
    live: Version | None


def evidence_of(
    content: Content,
    everything: Sequence[Row],
    left_out: Sequence[LeftOut],
    leaks: Leakage,
    *,
    versions: Iterable[Version],
) -> Evidence:
    """Look at an export.

    Args:
        content: What is exported.
        everything: Each standing decision of the project, chosen or not.
        left_out: Scans that are not in it.
        leaks: What stands in two splits.
        versions: Those of the project.
    """
    return Evidence(
        notices=tuple(_notices(content, everything, left_out, leaks)),
        agreement=tuple(agreements(everything, content.label_set)),
        leakage=leaks,
        live=next((version for version in versions if version.live), None),
    )


def agreements(rows: Iterable[Row], label_set: LabelSet) -> list[Agreement]:
    """Cohen's kappa of each two readers (Cohen 1960), over states and labels."""
    said: dict[str, dict[int, Row]] = {}
    for row in rows:
        said.setdefault(row.reader, {})[row.scan_id] = row
    found = []
    for first, second in combinations(sorted(said), 2):
        common = sorted(said[first].keys() & said[second].keys())
        if common:
            pairs = [(said[first][one], said[second][one]) for one in common]
            found.append(_agreement((first, second), pairs, label_set))
    return found


def _agreement(
    readers: tuple[str, str], pairs: Sequence[tuple[Row, Row]], label_set: LabelSet
) -> Agreement:
    words = [(_word(first), _word(second)) for first, second in pairs]
    if label_set.multi_label:
        each = [
            kappa([(one in a.label_ids, one in b.label_ids) for a, b in pairs])
            for one in label_set.ids
        ]
        known = [value for value in each if value is not None]
        value = sum(known) / len(known) if known else None
    else:
        value = kappa(words)
    alike = sum(first == second for first, second in words) / len(words)
    return Agreement(readers, len(pairs), alike, value)


def _word(row: Row) -> tuple[str, tuple[str, ...]]:
    return row.state, tuple(sorted(row.label_ids))


def kappa(pairs: Sequence[tuple[object, object]]) -> float | None:
    """Cohen's kappa: agreement beyond what the readers' own frequencies would give by chance.

    Returns:
        At most 1; None where chance alone would give full agreement.
    """
    total = len(pairs)
    observed = sum(first == second for first, second in pairs) / total
    kinds = {word for pair in pairs for word in pair}
    expected = sum(
        sum(first == kind for first, _ in pairs) * sum(second == kind for _, second in pairs)
        for kind in kinds
    ) / (total * total)
    return None if expected >= 1 else (observed - expected) / (1 - expected)


def _notices(
    content: Content, everything: Sequence[Row], left_out: Sequence[LeftOut], leaks: Leakage
) -> list[str]:
    rows, recipe = content.rows, content.recipe
    notices = []
    kinds = sorted({row.kind for row in rows})
    for name, fraction in zip(NAMES[len(recipe.fractions)], recipe.fractions, strict=True):
        here = {row.kind for row in rows if row.split == name}
        lacking = [kind for kind in kinds if kind not in here]
        if fraction > 0 and lacking:
            notices.append(f"The split {name} has no scan of: {plain(', '.join(lacking))}.")
    there = {row.scan_id for row in rows} | {one.scan_id for one in left_out}
    absent = len({row.scan_id for row in everything} - there)
    if absent:
        notices.append(
            f"{absent} decided scans have no label (none applies, or unassessable) and no place "
            "in this format."
        )
    silent = sum(1 for one in {row.scan_id: row for row in rows}.values() if not one.modality)
    if silent and recipe.pictures is not Pictures.NONE and not recipe.pixels_checked:
        notices.append(
            f"The files of {silent} scans can't say whether text is burned into their pixels: "
            "look at the pictures before you pass them on."
        )
    if not leaks.none:
        notices.append(leaks.sentence)
    return notices
