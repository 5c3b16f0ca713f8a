"""What an import would take in: the preview, and the decisions."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nearl_core import asked
from nearl_core.export.names import scan_name
from nearl_core.importing.matching import Matched
from nearl_core.importing.statements import ImportLabelsError, Key, Statement
from nearl_core.labels_file import slug
from nearl_core.types import Decision, LabelSet, NewDecision, Shown, State, Verdict

LEFT_OUT = ""
"""What a value is mapped to that is not taken in."""
STATES = (State.NONE_APPLY, State.UNASSESSABLE)
"""What a value can mean besides a label."""


@dataclass(frozen=True)
class ValueLine:
    """One value of the source.

    Attributes:
        count: How many scans of the project have it; it may be 0 of a label's own column.
        target: The label's id, or the state, that it means; "" where it is left out.
    """

    value: str
    count: int
    target: str


@dataclass(frozen=True)
class ImportPlan:
    """The preview of an import.

    Attributes:
        source: The name that its decisions stand under.
        values: The most frequent first.
        scans: Scans of the project that the source says something of.
        unknown: Files of the source that are no scan of the project.
        unclear: Files of the source whose name several scans have.
        bad_rows: Sentences on rows that name no label or several of those that exclude each other,
            in a table with a column a label.
        conflicts: Files of which the source says what excludes each other, each with that.
        already: Scans whose decision of this source stands already.
        decisions: What would be recorded.
        key: What scans were found by.
        several: Rows that mean several scans each, and how many scans these are.
        each: Whether each of these is labelled; else those rows are left out.
    """

    source: str
    values: tuple[ValueLine, ...]
    scans: int
    unknown: tuple[str, ...]
    unclear: tuple[str, ...]
    bad_rows: tuple[str, ...]
    conflicts: tuple[str, ...]
    already: int
    decisions: tuple[NewDecision, ...]
    key: Key = Key.FILE
    several: tuple[int, int] = (0, 0)
    each: bool = False


def plan(
    matched: Matched,
    label_set: LabelSet,
    *,
    source: str,
    mapping: Mapping[str, str],
    standing: Iterable[Decision] = (),
    each: bool = False,
) -> ImportPlan:
    """What would be taken in.

    Args:
        matched: What the source says of which scan.
        label_set: The project's.
        source: The name that it is recorded under.
        mapping: What values mean, where their own word is not meant: a label's id, a state,
            or "" for nothing.
        standing: Decisions that stand already.
        each: Whether a row that means several scans labels each of them: what is true of a patient
            need not show in every scan.
    """
    if each:
        spread = ((scan_id, one) for ids, one in matched.several for scan_id in ids)
        matched = replace(matched, found=(*matched.found, *spread))
    words = dict.fromkeys(word for _, one in matched.found for word in _words(one))
    targets = {
        word: mapping[word] if word in mapping else target_of(word, label_set) for word in words
    }
    said, bad_rows = _by_scan(matched, targets, label_set)
    there = {one.scan_id: one for one in standing if one.reader == source}
    conflicts, decisions, already = [], [], 0
    for scan_id, one in said.items():
        meant = _meant(one, targets, label_set)
        if not meant:
            continue
        verdict = _verdict(meant, label_set)
        if verdict is None or _contradicts_itself(one, targets):
            conflicts.append(_told(one, scan_id))
            continue
        unasked = _unasked(verdict, one, targets, label_set)
        new = NewDecision(scan_id, source, verdict, shown=Shown.IMPORTED, unasked=unasked)
        if _stands(there.get(scan_id), new, of_columns=one.absent is not None):
            already += 1
        else:
            decisions.append(new)
    return ImportPlan(
        source=source,
        values=_values(said.values(), targets),
        scans=len(said),
        unknown=matched.unknown,
        unclear=matched.unclear,
        bad_rows=tuple(bad_rows),
        conflicts=tuple(conflicts),
        already=already,
        decisions=tuple(decisions),
        key=matched.key,
        several=(len(matched.several), len({one for ids, _ in matched.several for one in ids})),
        each=each,
    )


def _by_scan(
    matched: Matched, targets: Mapping[str, str], label_set: LabelSet
) -> tuple[dict[int, Statement], list[str]]:
    """What the source says of each scan, and sentences on rows that can't be used."""
    said: dict[int, Statement] = {}
    bad_rows = []
    for scan_id, one in matched.found:
        problem = "" if label_set.multi_label else _problem(one, targets)
        if problem:
            bad_rows.append(problem)
        else:
            said[scan_id] = _joined(said[scan_id], one) if scan_id in said else one
    return said, bad_rows


def _told(said: Statement, scan_id: int) -> str:
    """A file of the source and all that is said of it, in the source's words."""
    denied = [f"no {name}" for name in dict.fromkeys(said.absent or ()) if name in said.values]
    words = (*dict.fromkeys(said.values), *denied)
    return f"{said.file or scan_name(scan_id)}: {', '.join(words)}"


def _values(said: Iterable[Statement], targets: Mapping[str, str]) -> tuple[ValueLine, ...]:
    counts = Counter(value for one in said for value in set(one.values))
    lines = (ValueLine(word, counts[word], target) for word, target in targets.items())
    return tuple(sorted(lines, key=lambda line: (-line.count, line.value)))


def _stands(before: Decision | None, new: NewDecision, *, of_columns: bool) -> bool:
    """Whether a decision says it already; only columns tell what they were not asked for."""
    if before is None or before.verdict != new.verdict:
        return False
    return not of_columns or before.unasked == new.unasked


def _words(said: Statement) -> tuple[str, ...]:
    return (*said.values, *(said.absent or ()), *said.unsure)


def _problem(row: Statement, targets: Mapping[str, str]) -> str:
    """Why a row of columns of labels that exclude each other can't be used; "" where it can."""
    if row.absent is None:
        return ""
    if not row.values:
        return f"Line {row.line} has 1 for no label."
    there = [name for name in row.values if targets[name]]
    if len({targets[name] for name in there}) > 1:
        return f"Line {row.line} has 1 for {', '.join(there)}."
    return ""


def _joined(one: Statement, two: Statement) -> Statement:
    """What two rows say of one scan."""
    absent = None
    if one.absent is not None and two.absent is not None:
        absent = one.absent + two.absent
    return replace(
        one, values=one.values + two.values, absent=absent, unsure=one.unsure + two.unsure
    )


def _meant(said: Statement, targets: Mapping[str, str], label_set: LabelSet) -> set[str]:
    """The labels and the state that are said to be there; none where nothing is said."""
    meant = {targets[value] for value in said.values} - {LEFT_OUT}
    if not meant and label_set.multi_label and _absent(said, targets) & set(label_set.ids):
        return {State.NONE_APPLY.value}
    return meant


def _absent(said: Statement, targets: Mapping[str, str]) -> set[str]:
    """What all of its columns say is not there."""
    absent = set(said.absent or ())
    return set(targets.values()) - {targets[name] for name in targets if name not in absent}


def _contradicts_itself(said: Statement, targets: Mapping[str, str]) -> bool:
    return any(targets[name] for name in set(said.values).intersection(said.absent or ()))


def _unasked(
    verdict: Verdict, said: Statement, targets: Mapping[str, str], label_set: LabelSet
) -> tuple[str, ...]:
    """Labels that the columns, where each label has its own, say nothing of.

    That none applies, said by a column of its own, answers for each label that has a column and is
    not said to be uncertain there.
    """
    if said.absent is None:
        return ()
    there = {targets[value] for value in said.values}
    answered = there | _absent(said, targets)
    if State.NONE_APPLY.value in there:
        answered |= set(targets.values()) - {targets[name] for name in said.unsure}
    return asked.unasked(verdict, frozenset(answered), label_set)


def _verdict(meant: set[str], label_set: LabelSet) -> Verdict | None:
    """What is said of one scan; None where it excludes itself."""
    labels = tuple(label_id for label_id in label_set.ids if label_id in meant)
    if len(meant) == 1 and not labels:
        return Verdict(State(next(iter(meant))))
    if len(labels) < len(meant) or (len(labels) > 1 and not label_set.multi_label):
        return None
    return Verdict(State.LABELLED, labels)


def target_of(word: str, label_set: LabelSet) -> str:
    """The label or state that a word means by itself: a name, an id, a state, however spelt.

    British and American spellings are one where no label is spelt just so.
    """
    if named := label_set.find(word):
        return named.id
    for spelt in (slug, _american):
        wanted = spelt(word)
        for label in label_set.labels:
            if wanted and wanted in (spelt(label.name), spelt(label.id)):
                return label.id
    return next((state.value for state in STATES if state.value == slug(word)), LEFT_OUT)


def _american(word: str) -> str:
    """A slug in which naevus is nevus, oedema edema, and tumour tumor."""
    return slug(word).replace("ae", "e").replace("oe", "e").replace("our", "or")


def mapping_of(rules: Iterable[str], label_set: LabelSet) -> dict[str, str]:
    """Rules such as "CHEST=Chest X-ray" or "X=" (left out) as a mapping.

    Raises:
        ImportLabelsError: If a rule can't be read, or means no label.
    """
    mapping = {}
    for rule in rules:
        value, equals, word = rule.rpartition("=")
        target = target_of(word, label_set) if word.strip() else LEFT_OUT
        if not equals or not value or (word.strip() and not target):
            raise ImportLabelsError(
                f"{rule!r} does not map a value to a label.",
                f"Write VALUE=LABEL; the labels are {', '.join(label_set.names)}; "
                f"besides there are {', '.join(state.value for state in STATES)}.",
            )
        mapping[value] = target
    return mapping
