"""What an import would take in, as the dialog shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import strings
from app.strings import label_words
from nearl_core.importing.plan import LEFT_OUT, STATES, ImportPlan
from nearl_core.types import LabelSet

MOST = 500
"""Values listed; more than that are no labels."""
_EXAMPLES = 3


@dataclass(frozen=True)
class ImportAsked:
    """A source to look at.

    Attributes:
        kind: How labels are told.
        source: A file or folder, or a tag's keyword.
        name: What its decisions stand under.
        file_column: The column of a table that names the file; "" for the one that is called so.
        label_column: The one that says its label, likewise.
        match: What the column names a scan by; "" for what its own name says.
    """

    kind: str
    source: str
    name: str
    file_column: str = ""
    label_column: str = ""
    match: str = ""


@dataclass(frozen=True)
class ImportPreview:
    """The preview.

    Attributes:
        rows: Value, how many scans have it, and the target that it means.
        summary: What would be taken in, and what would not.
        decisions: How many would be recorded.
        several: Whether rows mean several scans each.
    """

    rows: tuple[tuple[str, int, str], ...]
    summary: str
    decisions: int
    several: bool = False


def targets(label_set: LabelSet) -> tuple[tuple[str, str], ...]:
    """What a value can mean: each target with its word."""
    labels = [(label.id, label.name) for label in label_set.labels]
    states = [(state.value, strings.STATE_WORDS[state]) for state in STATES]
    return ((LEFT_OUT, label_words.MEANS_NOTHING), *labels, *states)


def preview(planned: ImportPlan) -> ImportPreview:
    """A plan as the dialog shows it."""
    rows = tuple((line.value, line.count, line.target) for line in planned.values[:MOST])
    return ImportPreview(
        rows, " ".join(_sentences(planned)), len(planned.decisions), planned.several[0] > 0
    )


def _sentences(planned: ImportPlan) -> list[str]:
    found = [
        label_words.WOULD_TAKE.format(
            decisions=strings.decisions(len(planned.decisions)), scans=planned.scans
        )
        if planned.decisions
        else _nothing(planned)
    ]
    if by := label_words.FOUND_BY.get(planned.key.value):
        found.append(by)
    if planned.already:
        found.append(label_words.STOOD_ALREADY.format(count=planned.already))
    if planned.conflicts:
        some = "; ".join(planned.conflicts[:_EXAMPLES])
        found.append(label_words.CONFLICTS.format(count=len(planned.conflicts), examples=some))
    rows, scans = planned.several
    if rows:
        words = label_words.SEVERAL_EACH if planned.each else label_words.SEVERAL
        found.append(words.format(rows=rows, scans=scans))
    unknown = label_words.UNKNOWN_BY.get(planned.key.value, label_words.UNKNOWN)
    for words, files in ((unknown, planned.unknown), (label_words.UNCLEAR, planned.unclear)):
        if files:
            found.append(words.format(count=len(files), examples=_examples(files)))
    if planned.bad_rows:
        some = " ".join(planned.bad_rows[:_EXAMPLES])
        found.append(label_words.BAD_ROWS.format(count=len(planned.bad_rows), examples=some))
    if len(planned.values) > MOST:
        found.append(label_words.MORE_VALUES.format(count=MOST, total=len(planned.values)))
    return found


def _nothing(planned: ImportPlan) -> str:
    """Why nothing would be taken in: values that mean nothing yet are the reader's turn."""
    unmeant = planned.values and not any(line.target for line in planned.values)
    return label_words.NO_MEANING if unmeant else label_words.NOTHING_TO_TAKE


def _examples(files: Sequence[str]) -> str:
    names = [file.replace("\\", "/").rsplit("/", 1)[-1] for file in files[:_EXAMPLES]]
    return ", ".join(names) + (", …" if len(files) > _EXAMPLES else "")
