"""Which decisions make the data set where several readers decided."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from nearl_core.errors import ExportError, UsageError
from nearl_core.export.images import LeftOut
from nearl_core.export.rows import Row
from nearl_core.types import Confidence, Occasion, State

_DISAGREE: Final = "The readers do not agree."
_NO_MAJORITY: Final = "No majority of its readers agrees."
_OPEN: Final = "Its readers do not agree, and it is not adjudicated."
_SURENESS: Final = tuple(Confidence)  # the surest first


class Rule(StrEnum):
    """How several readers' decisions on a scan become what is exported.

    ALL: each decision is a row of its own. AGREED: scans that all their readers decided alike.
    READER: one reader's. MAJORITY: what more than half of a scan's readers say. ADJUDICATED: what
    settled a scan first, then the word of a named reader, then what all its readers agree on.
    """

    ALL = "all"
    AGREED = "agreed"
    READER = "reader"
    MAJORITY = "majority"
    ADJUDICATED = "adjudicated"


@dataclass(frozen=True)
class Choice:
    """What to take of the decisions.

    Attributes:
        rule: How they are brought together; None for what the format is used to.
        reader: Whose decisions, or whose word holds where nothing was adjudicated; "" for none.
        suggestions: Whether the model's suggestions stand beside them.

    Raises:
        UsageError: If the rule needs a reader and there is none.
    """

    rule: Rule | None = None
    reader: str = ""
    suggestions: bool = True

    def __post_init__(self) -> None:
        if self.rule is Rule.READER and not self.reader:
            raise UsageError(
                f"Decisions by the rule {self.rule.value!r} need a reader.", "Name one: --reader."
            )

    def for_format(self, *, each: bool) -> "Choice":
        """The choice with a rule: all decisions where each can stand, else what readers agree on.

        Raises:
            UsageError: If each decision is wanted where only one can stand.
        """
        if self.rule is Rule.ALL and not each:
            raise UsageError(
                "In this format a scan has one word only, not each reader's.",
                "Choose agreed, majority, adjudicated or one reader's, or export a table.",
            )
        return replace(self, rule=self.rule or (Rule.ALL if each else Rule.AGREED))


def chosen(rows: Iterable[Row], choice: Choice) -> tuple[list[Row], list[LeftOut]]:
    """The rows that a choice takes, at most one a scan unless the rule is ALL.

    Args:
        rows: Ordered by scan.
        choice: What to take.

    Returns:
        They, and the scans that it leaves out with reasons.

    Raises:
        ExportError: If nothing is left.
    """
    if choice.rule is Rule.ALL:
        return list(rows), []
    by_scan: dict[int, list[Row]] = {}
    for row in rows:
        by_scan.setdefault(row.scan_id, []).append(row)
    taken: list[Row] = []
    left_out: list[LeftOut] = []
    for scan_id, said in by_scan.items():
        found = _one(said, choice)
        if isinstance(found, Row):
            taken.append(found)
        else:
            left_out.append(LeftOut(scan_id, found))
    if not taken:
        raise ExportError(
            "There is nothing to export: the choice of decisions leaves no scan.",
            "Choose another reader, or other decisions.",
        )
    return taken, left_out


def _one(said: Sequence[Row], choice: Choice) -> Row | str:
    """What the readers of one scan come to, or why they come to nothing."""
    settled = [row for row in said if row.occasion == Occasion.ADJUDICATION]
    reads = [row for row in said if row.occasion != Occasion.ADJUDICATION]
    own = next((row for row in (*settled, *reads) if row.reader == choice.reader), None)
    if choice.rule is Rule.READER:
        return own or "This reader did not decide it."
    if choice.rule is Rule.ADJUDICATED:
        return next(iter(settled), None) or own or _joined(reads, reads) or _OPEN
    if choice.rule is Rule.MAJORITY:
        return _majority(reads) or _NO_MAJORITY
    return _joined(reads, reads) or _DISAGREE


def _said(row: Row) -> tuple[str, frozenset[str]]:
    # With its parents: a child says the same whether they are named or not.
    return row.state, frozenset((*row.labels, *row.implied))


def _joined(alike: Sequence[Row], said: Sequence[Row]) -> Row | None:
    """One row for readers who say the same: as sure as the least sure of them; else None."""
    if len({_said(row) for row in alike}) != 1:  # of nobody there is nothing
        return None
    first = alike[0]
    if len(said) == 1:
        return first
    frames = {row.frame for row in alike}
    asked_none = set.intersection(*(set(row.not_asked) for row in alike))
    shown = {(row.shown, row.suggestion, row.probability, row.version) for row in alike}
    if len(shown) > 1:  # each reader saw something else, or not all saw something
        first = replace(first, shown="mixed", suggestion=(), probability=None, version="")
    least = max((Confidence(row.confidence) for row in alike), key=_SURENESS.index)
    return replace(
        first,
        reader=f"{len(alike)} of {len(said)} readers",
        confidence=least.value,
        flagged=any(row.flagged for row in alike),
        frame=first.frame if len(frames) == 1 else None,
        not_asked=tuple(name for name in first.not_asked if name in asked_none),
        time=max(row.time for row in alike),
    )


def _majority(said: Sequence[Row]) -> Row | None:
    """What more than half of the readers say; of several labels, each one by itself."""
    if not said:
        return None
    state, votes = Counter(row.state for row in said).most_common(1)[0]
    if votes * 2 <= len(said):
        return None
    alike = [row for row in said if row.state == state]
    if state == State.LABELLED:
        counted = Counter(label_id for row in alike for label_id in row.label_ids)
        wanted = {label_id for label_id, votes in counted.items() if votes * 2 > len(said)}
        alike = [row for row in alike if wanted & set(row.label_ids)]
        alike = [_only(row, wanted) for row in alike]
        full = [row for row in alike if set(row.label_ids) == wanted]
        if not wanted:
            return None
        # Each label can have a majority of its own without one reader who names them all.
        alike = full or [_labels_of(alike, wanted)]
    return _joined(alike, said)


def _only(row: Row, wanted: set[str]) -> Row:
    """A row without the labels that found no majority."""
    kept = [place for place, label_id in enumerate(row.label_ids) if label_id in wanted]
    return replace(
        row,
        labels=tuple(row.labels[place] for place in kept),
        label_ids=tuple(row.label_ids[place] for place in kept),
        codes=tuple(row.codes[place] for place in kept),
        above=tuple(row.above[place] for place in kept),
    )


def _labels_of(rows: Sequence[Row], wanted: set[str]) -> Row:
    """A row with all wanted labels, put together from several readers."""
    parts = {
        label_id: (row.labels[place], row.codes[place], row.above[place])
        for row in rows
        for place, label_id in enumerate(row.label_ids)
    }
    ids = tuple(label_id for label_id in parts if label_id in wanted)
    return replace(
        rows[0],
        label_ids=ids,
        labels=tuple(parts[label_id][0] for label_id in ids),
        codes=tuple(parts[label_id][1] for label_id in ids),
        above=tuple(parts[label_id][2] for label_id in ids),
    )
