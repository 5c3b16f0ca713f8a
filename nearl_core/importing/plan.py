"""What an import would take in: the preview, and the decisions."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nearl_core.errors import LabelSetError
from nearl_core.importing.matching import Matched
from nearl_core.importing.statements import ImportLabelsError
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
        count: How many scans of the project have it.
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
        conflicts: Scans of which the source says what excludes each other.
        already: Scans whose decision of this source stands already.
        decisions: What would be recorded.
    """

    source: str
    values: tuple[ValueLine, ...]
    scans: int
    unknown: tuple[str, ...]
    unclear: tuple[str, ...]
    conflicts: tuple[int, ...]
    already: int
    decisions: tuple[NewDecision, ...]


def plan(
    matched: Matched,
    label_set: LabelSet,
    *,
    source: str,
    mapping: Mapping[str, str],
    standing: Iterable[Decision] = (),
) -> ImportPlan:
    """What would be taken in.

    Args:
        matched: What the source says of which scan.
        label_set: The project's.
        source: The name that it is recorded under.
        mapping: What values mean, where their own word is not meant: a label's id, a state,
            or "" for nothing.
        standing: Decisions that stand already.
    """
    said: dict[int, dict[str, None]] = {}
    for scan_id, statement in matched.found:
        said.setdefault(scan_id, {}).update(dict.fromkeys(statement.values))
    counts = Counter(value for values in said.values() for value in values)
    targets = {
        value: mapping[value] if value in mapping else target_of(value, label_set)
        for value in counts
    }
    there = {one.scan_id: one.verdict for one in standing if one.reader == source}
    conflicts, decisions, already = [], [], 0
    for scan_id, values in said.items():
        meant = {targets[value] for value in values} - {LEFT_OUT}
        if not meant:
            continue
        verdict = _verdict(meant, label_set)
        if verdict is None:
            conflicts.append(scan_id)
        elif there.get(scan_id) == verdict:
            already += 1
        else:
            decisions.append(NewDecision(scan_id, source, verdict, shown=Shown.IMPORTED))
    lines = [ValueLine(value, count, targets[value]) for value, count in counts.items()]
    return ImportPlan(
        source=source,
        values=tuple(sorted(lines, key=lambda line: (-line.count, line.value))),
        scans=len(said),
        unknown=matched.unknown,
        unclear=matched.unclear,
        conflicts=tuple(conflicts),
        already=already,
        decisions=tuple(decisions),
    )


def _verdict(meant: set[str], label_set: LabelSet) -> Verdict | None:
    """What is said of one scan; None where it excludes itself."""
    labels = tuple(label_id for label_id in label_set.ids if label_id in meant)
    if len(meant) == 1 and not labels:
        return Verdict(State(next(iter(meant))))
    if len(labels) < len(meant) or (len(labels) > 1 and not label_set.multi_label):
        return None
    return Verdict(State.LABELLED, labels)


def target_of(word: str, label_set: LabelSet) -> str:
    """The label or state that a word means by itself: a name, an id, a state, however spelt."""
    try:
        return label_set.by_name(word).id
    except LabelSetError:
        wanted = slug(word)
    for label in label_set.labels:
        if wanted and wanted in (slug(label.name), label.id):
            return label.id
    return next((state.value for state in STATES if state.value == wanted), LEFT_OUT)


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
