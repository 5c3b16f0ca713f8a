"""What an export says of each decision, with pseudonyms in place of everything that identifies."""

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from nearl_core.agreement import Word
from nearl_core.dicom.modalities import known
from nearl_core.errors import ExportError
from nearl_core.export.names import scan_name
from nearl_core.export.split import NAMES, leaks, split_patients
from nearl_core.suggesting import suggested, sureness
from nearl_core.types import Decision, LabelSet, Occasion, Scan, Shown, State

EXPORTED: Final = (State.LABELLED, State.NONE_APPLY, State.UNASSESSABLE)
"""States that are part of a data set; a deferred scan is not decided yet."""


@dataclass(frozen=True, slots=True)
class Row:
    """One decision of one reader that holds, or what several readers came to.

    Attributes:
        scan_id: The scan's number in the project.
        scan, patient: Pseudonyms; the patient's is made anew for each export.
        patient_known: False where no source told patients apart.
        split: Name of the split.
        frames, frame: Of the stack, and the one that the decision names.
        modality: DICOM Modality, or "".
        state: The reader's word on the scan.
        labels, label_ids, codes: Of the labels, in the label set's order.
        above: Of each label the names of its parent, of that one's and so on.
        source: Whether a named source of labels says it, and no reader.
        together: Whether several readers came to it; `reader` says how many.
        not_asked: Names of the labels of which nothing is said: they were added after the
            decision, or readers are evenly split.
        reader, confidence, flagged, time: As decided; ISO 8601, UTC.
        shown: Whether the suggestion was on screen.
        occasion: On what occasion it was decided.
        suggestion: Names of the labels that were suggested, "none-apply" where none was; empty
            where nothing was.
        probability, version: How probable the suggestion was, and by which version.
        image: The exported file, relative to the export; "" for none.
        height, width: Of the picture in pixels; 0 for none.
    """

    scan_id: int
    scan: str
    patient: str
    patient_known: bool
    split: str
    frames: int
    frame: int | None
    modality: str
    state: str
    labels: tuple[str, ...]
    label_ids: tuple[str, ...]
    codes: tuple[str, ...]
    reader: str
    confidence: str
    flagged: bool
    time: str
    shown: str
    suggestion: tuple[str, ...]
    probability: float | None
    version: str
    occasion: str = Occasion.SINGLE.value
    image: str = ""
    height: int = 0
    width: int = 0
    above: tuple[tuple[str, ...], ...] = ()
    not_asked: tuple[str, ...] = ()
    source: bool = False
    together: bool = False

    @property
    def implied(self) -> tuple[str, ...]:
        """Names of the labels that follow from those named, without being among them."""
        above = dict.fromkeys(name for names in self.above for name in names)
        return tuple(name for name in above if name not in self.labels)

    @property
    def kind(self) -> str:
        """What is counted: the labels, or the state where there are none."""
        return "; ".join(self.labels) if self.labels else self.state


def collect(
    scans: Iterable[Scan],
    decisions: Iterable[Decision],
    label_set: LabelSet,
    *,
    sources: Collection[str] = (),
) -> list[Row]:
    """Rows for the decisions that belong in a data set, ordered by scan, without splits.

    Args:
        scans: The project's.
        decisions: In its labels of now.
        label_set: These.
        sources: Names of those who are no readers.

    Raises:
        ExportError: If there is none, or one was read in other labels than these.
    """
    by_id = {scan.id: scan for scan in scans}
    pseudonym = _pseudonyms()
    rows = [
        replace(
            _row(by_id[decision.scan_id], decision, label_set, pseudonym),
            source=decision.reader in sources,
        )
        for decision in decisions
        if decision.verdict.state in EXPORTED and decision.scan_id in by_id
    ]
    if not rows:
        raise ExportError("There is nothing to export: no scan is decided.", "Decide some scans.")
    return sorted(rows, key=lambda row: (row.scan_id, row.reader))


def with_splits(
    rows: Sequence[Row], scans: Iterable[Scan], fractions: Sequence[float], *, seed: int
) -> list[Row]:
    """Rows with their splits, by the project's own patients.

    Raises:
        ExportError: If a patient came to stand in two splits.
    """
    patient_of = {scan.id: scan.patient or f"scan {scan.id}" for scan in scans}
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(patient_of[row.scan_id], Counter())[row.kind] += 1
    chosen = split_patients(counts, fractions, seed=seed)
    names = NAMES[len(fractions)]
    placed = [replace(row, split=names[chosen[patient_of[row.scan_id]]]) for row in rows]
    if leaks((row.patient, row.split) for row in placed):
        raise ExportError("A patient stands in two splits.", "Export again with another seed.")
    return placed


def _pseudonyms() -> Callable[[str], str]:
    """Names for patients under a key that is thrown away: two exports can't be joined by them."""
    key = secrets.token_bytes(32)

    def pseudonym(patient: str) -> str:
        digest = hmac.new(key, patient.encode("utf-8", "surrogateescape"), hashlib.sha256)
        return f"patient-{digest.hexdigest()[:16]}"

    return pseudonym


def _row(
    scan: Scan, decision: Decision, label_set: LabelSet, pseudonym: Callable[[str], str]
) -> Row:
    verdict = decision.verdict
    if not set(label_set.ids).issuperset(verdict.labels):  # by a desk, while a command reads
        raise ExportError("The project's labels changed meanwhile.", "Export again.")
    names = {label.id: label.name for label in label_set.labels}
    ranking = decision.ranking
    suggestion = _suggestion(suggested(ranking, label_set), names)
    row = Row(
        scan_id=scan.id,
        scan=scan_name(scan.id),
        patient=pseudonym(scan.patient or f"scan {scan.id}"),
        patient_known=scan.patient_known,
        split="",
        frames=scan.frames,
        frame=verdict.frame,
        modality=known(scan.modality),  # older projects keep what the file said
        state=verdict.state.value,
        labels=(),
        label_ids=(),
        codes=(),
        reader=decision.reader,
        confidence=verdict.confidence.value,
        flagged=verdict.flagged,
        time=decision.time.isoformat(timespec="seconds").replace("+00:00", "Z"),
        shown=decision.shown.value,
        suggestion=suggestion,
        probability=round(sureness(ranking, label_set), 6) if ranking and suggestion else None,
        version="" if ranking is None else ranking.version,
        occasion=decision.occasion.value,
        not_asked=tuple(label.name for label in label_set.labels if label.id in decision.unasked),
    )
    return with_labels(row, verdict.labels, label_set)


def with_labels(row: Row, label_ids: Iterable[str], label_set: LabelSet) -> Row:
    """A row that names some labels, in the label set's order, and no others."""
    wanted = set(label_ids)
    labels = [label for label in label_set.labels if label.id in wanted]
    names = {label.id: label.name for label in label_set.labels}
    return replace(
        row,
        labels=tuple(label.name for label in labels),
        label_ids=tuple(label.id for label in labels),
        codes=tuple(label.code for label in labels),
        above=tuple(tuple(names[i] for i in label_set.ancestors(one.id)) for one in labels),
    )


def word(row: Row, label_set: LabelSet) -> Word:
    """What the row's reader said, as agreement takes it."""
    later = {label.id for label in label_set.labels if label.name in row.not_asked}
    return Word(row.state, tuple(sorted(label_set.meant(row.label_ids))), tuple(sorted(later)))


def _suggestion(label_ids: Sequence[str] | None, names: Mapping[str, str]) -> tuple[str, ...]:
    if label_ids is None:
        return ()
    # A label that left the set since has no name any more.
    named = tuple(names[one] for one in label_ids if one in names)
    return named if label_ids else (State.NONE_APPLY.value,)


def followed(row: Row, label_set: LabelSet) -> bool | None:
    """Whether the decision is the suggestion that was on screen.

    Returns:
        None where none was, and where the scan is unassessable, which is no answer to it.
    """
    if row.shown != Shown.VISIBLE or not row.suggestion or row.state == State.UNASSESSABLE:
        return None
    suggestion = {label.id for label in label_set.labels if label.name in row.suggestion}
    return label_set.meant(row.label_ids) == label_set.meant(suggestion)
