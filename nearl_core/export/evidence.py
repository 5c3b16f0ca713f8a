"""What is known of an export besides its rows: notices, agreement of the readers, the model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from nearl_core.agreement import Agreement, Word, pairs_of
from nearl_core.codes import PRIVATE, public_code
from nearl_core.export.content import Content, Pictures
from nearl_core.export.images import LeftOut
from nearl_core.export.leakage import Leakage
from nearl_core.export.rows import Row, word
from nearl_core.export.split import NAMES
from nearl_core.types import LabelSet, Occasion, State, Version
from nearl_core.words import counted, some

_NO_PLACE: Final = "no label (none applies, or unassessable)"
_UNCODED: Final = (
    "Without a code of a public scheme, such as SCT 233604007: {labels}. Reports give these labels "
    "codes of {scheme}, which only this data card explains."
)
_NAMED: Final = 5
_UNASSESSABLE: Final = "no label (unassessable)"
_STATE_WORDS: Final = {
    State.NONE_APPLY.value: "“none applies”",
    State.UNASSESSABLE.value: "“unassessable”",
}


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
        agreement=tuple(_agreements(everything, content.label_set)),
        leakage=leaks,
        live=next((version for version in versions if version.live), None),
    )


def _agreements(rows: Iterable[Row], label_set: LabelSet) -> list[Agreement]:
    said: dict[str, dict[int, Word]] = {}
    for row in rows:
        if row.occasion != Occasion.ADJUDICATION and not row.source:
            said.setdefault(row.reader, {})[row.scan_id] = word(row, label_set)
    return pairs_of(dict(sorted(said.items())), label_set)


def _notices(
    content: Content, everything: Sequence[Row], left_out: Sequence[LeftOut], leaks: Leakage
) -> list[str]:
    rows, recipe = content.rows, content.recipe
    notices = []
    kinds = sorted(_kinds(rows, content.label_set))
    for name, fraction in zip(NAMES[len(recipe.fractions)], recipe.fractions, strict=True):
        here = _kinds([row for row in rows if row.split == name], content.label_set)
        lacking = [kind for kind in kinds if kind not in here]
        if fraction > 0 and lacking:
            words = ", ".join(_STATE_WORDS.get(kind, kind) for kind in lacking)
            notices.append(f"The split {name} has no scan of: {words}.")
    there = {row.scan_id for row in rows} | {one.scan_id for one in left_out}
    absent = {row.scan_id: row.state for row in everything if row.scan_id not in there}
    if absent:
        why = _NO_PLACE if State.NONE_APPLY in absent.values() else _UNASSESSABLE
        notices.append(f"{_decided_scans(len(absent))} {why} and no place in this format.")
    silent = sum(1 for one in {row.scan_id: row for row in rows}.values() if not one.modality)
    if silent and recipe.pictures is not Pictures.NONE and not recipe.pixels_checked:
        notices.append(
            f"The files of {counted(silent, 'scan')} can't say whether text is "
            "burned into their pixels: "
            "look at the pictures before you pass them on."
        )
    uncoded = [one.name for one in content.label_set.labels if not public_code(one.code, one.name)]
    if uncoded and recipe.format == "dicom-sr":
        notices.append(_UNCODED.format(labels=some(uncoded, _NAMED), scheme=PRIVATE))
    if not leaks.none:
        notices.append(leaks.sentence)
    return notices


def _kinds(rows: Iterable[Row], label_set: LabelSet) -> set[str]:
    """What is there to be learned: labels, each by itself, and states without one."""
    several = label_set.multi_label
    return {
        kind
        for row in rows
        for kind in ((*row.labels, *(row.implied if several else ())) or (row.state,))
    }


def _decided_scans(count: int) -> str:
    return "1 decided scan has" if count == 1 else f"{count} decided scans have"
