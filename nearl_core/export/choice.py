"""Which decisions make the data set where several readers decided."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from nearl_core.agreement import alike
from nearl_core.errors import ExportError, UsageError
from nearl_core.export.images import LeftOut
from nearl_core.export.rows import Row, with_labels, word
from nearl_core.suggesting import named as to_name
from nearl_core.types import Confidence, Label, LabelSet, Occasion, State

_DISAGREE: Final = "The readers do not agree."
_NO_MAJORITY: Final = "No majority of its readers agrees."
_OPEN: Final = "Its readers do not agree, and it is not adjudicated."
_SOURCE_ONLY: Final = "No reader decided it, a source of labels alone did."
_SURENESS: Final = tuple(Confidence)  # the surest first


class Rule(StrEnum):
    """How several readers' decisions on a scan become what is exported.

    ALL: each decision is a row of its own. AGREED: scans that all their readers decided alike.
    READER: one reader's or source's. MAJORITY: what more than half of a scan's readers say.
    ADJUDICATED: what settled a scan first, then the word of a named reader, then what all its
    readers agree on.

    A source of labels is no reader: what it says stands where it is named, and in ALL.
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
        source: The source whose word holds where no reader decided; "" for none.

    Raises:
        UsageError: If the rule needs a reader and there is none.
    """

    rule: Rule | None = None
    reader: str = ""
    suggestions: bool = True
    source: str = ""

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


def require_source(choice: Choice, sources: Collection[str]) -> None:
    """Refuse a choice of a source that there is not.

    Raises:
        UsageError: If there is none of this name.
    """
    if choice.source and choice.source not in sources:
        there = ", ".join(sorted(sources)) or "none"
        raise UsageError(
            f"There is no source of labels named {choice.source!r} in this project.",
            f"The sources are: {there}.",
        )


def chosen(
    rows: Iterable[Row], choice: Choice, label_set: LabelSet
) -> tuple[list[Row], list[LeftOut]]:
    """The rows that a choice takes, at most one a scan unless the rule is ALL.

    Args:
        rows: Ordered by scan.
        choice: What to take.
        label_set: That of the rows.

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
        found = _one(said, choice, label_set)
        if isinstance(found, Row):
            taken.append(found)
        else:
            left_out.append(LeftOut(scan_id, found))
    if not taken:
        remedy = "Choose another reader, or other decisions."
        if any(one.reason == _SOURCE_ONLY for one in left_out):
            remedy = "Choose one reader's decisions and name the source, or decide some scans."
        raise ExportError(
            "There is nothing to export: the choice of decisions leaves no scan.", remedy
        )
    return taken, left_out


def _one(said: Sequence[Row], choice: Choice, label_set: LabelSet) -> Row | str:
    """What the readers of one scan come to, or why they come to nothing."""
    settled = [row for row in said if row.occasion == Occasion.ADJUDICATION]
    reads = [row for row in said if row not in settled and not row.source]
    own = _named(said, choice.reader)
    if choice.rule is Rule.READER:
        return own or "This reader did not decide it."
    first = next(iter(settled), own)
    if choice.rule is Rule.ADJUDICATED and first is not None:
        return first
    if not (settled or reads):
        return _named(said, choice.source) or _SOURCE_ONLY
    if choice.rule is Rule.ADJUDICATED:
        return _agreed(reads, label_set) or _OPEN
    if choice.rule is Rule.MAJORITY:
        return _majority(reads, label_set) or _NO_MAJORITY
    return _agreed(reads, label_set) or _DISAGREE


def _named(said: Sequence[Row], reader: str) -> Row | None:
    """What a reader or source says: settling something first."""
    own = [row for row in said if row.reader == reader]
    return min(own, key=lambda row: row.occasion != Occasion.ADJUDICATION, default=None)


def _agreed(said: Sequence[Row], label_set: LabelSet) -> Row | None:
    """What readers say who say the same of all that they were asked for together; else None.

    Of a label that came later it is the word of those who were asked for it.
    """
    words = [word(row, label_set) for row in said]
    if not words or not alike(words, label_set):
        return None
    named = {one for word in words for one in word.labels}
    state = State.LABELLED.value if named else said[0].state
    first = next(row for row in said if row.state == state)
    if named - label_set.meant(first.label_ids):
        first = with_labels(first, to_name(named, label_set), label_set)
    return _joined(first, said, said, by=f"{len(said)} of {len(said)} readers")


def _majority(said: Sequence[Row], label_set: LabelSet) -> Row | None:
    """What more than half of the readers say; of several labels, each one by itself.

    A word for a label is one for its parents too. Where labels exclude each other, the most
    specific one that more than half say stands; of a label that came later those decide who were
    asked for it. Of several labels nothing is said of one that half of them name and half do not:
    neither has more than half.
    """
    if not said:
        return None
    state, votes = Counter(row.state for row in said).most_common(1)[0]
    if votes * 2 <= len(said):
        return None
    of_state = [row for row in said if row.state == state]
    if state != State.LABELLED:
        return _joined(of_state[0], of_state, said, by=f"{votes} of {len(said)} readers")
    leans = {one.id: _lean(one, said, label_set) for one in label_set.labels}
    wanted = {label_id for label_id, lean in leans.items() if lean > 0}
    if not wanted:
        return None
    full = [row for row in of_state if wanted <= _voted(row, label_set)]
    some = full or [row for row in of_state if wanted & _voted(row, label_set)]
    # Each label can have a majority of its own without one reader who names them all.
    by = f"{len(full)} of {len(said)} readers" if full else f"majorities of {len(said)} readers"
    above = {parent for one in wanted for parent in label_set.ancestors(one)}
    joined = _joined(with_labels(some[0], wanted - above, label_set), some, said, by=by)
    even = {one.name for one in label_set.labels if label_set.multi_label and not leans[one.id]}
    unsaid = even.union(joined.not_asked)
    return replace(joined, not_asked=tuple(name for name in label_set.names if name in unsaid))


def _lean(label: Label, said: Sequence[Row], label_set: LabelSet) -> int:
    """Twice the readers who name a label, less those who were asked for it."""
    votes = sum(label.id in _voted(row, label_set) for row in said)
    asked = sum(label.name not in row.not_asked for row in said)
    return votes * 2 - asked


def _voted(row: Row, label_set: LabelSet) -> set[str]:
    return {up for one in row.label_ids for up in (one, *label_set.ancestors(one))}


def _joined(first: Row, alike: Sequence[Row], said: Sequence[Row], *, by: str) -> Row:
    """A row for several readers: as sure as the least sure of those whose word it is."""
    if len(said) == 1:
        return first
    frames = {row.frame for row in alike}
    asked_none = set.intersection(*(set(row.not_asked) for row in said))
    shown = {(row.shown, row.suggestion, row.probability, row.version) for row in alike}
    if len(shown) > 1:  # each reader saw something else, or not all saw something
        first = replace(first, shown="mixed", suggestion=(), probability=None, version="")
    least = max((Confidence(row.confidence) for row in alike), key=_SURENESS.index)
    return replace(
        first,
        reader=by,
        together=True,
        confidence=least.value,
        flagged=any(row.flagged for row in alike),
        frame=first.frame if len(frames) == 1 else None,
        not_asked=tuple(name for name in first.not_asked if name in asked_none),
        time=max(row.time for row in alike),
    )
