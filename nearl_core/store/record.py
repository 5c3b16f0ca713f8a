"""What a reader decided first of each scan, and which scans they looked at twice."""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from nearl_core.label_history import LabelHistory
from nearl_core.store import decisions, label_sets
from nearl_core.store.schema import decisions as table
from nearl_core.store.undo import UndoLine
from nearl_core.types import Occasion, ReaderRecord, State, Verdict

if TYPE_CHECKING:
    from nearl_core.store.project import Project

LATEST: Final = 2000
"""So many first decisions at most are read: of older ones nobody asks how good they were."""
_SAYING: Final = tuple(state.value for state in State if state.says_labels)


@dataclass(frozen=True)
class _Said:
    """What of a decision's row tells whether it was made anew; labels are ids in JSON."""

    revision: int
    state: str
    labels: str
    confidence: str
    flagged: bool
    note: str
    frame: int | None


def of_reader(project: "Project", reader: str) -> ReaderRecord:
    """A reader's record; repeats are left out, for what they say never stands."""
    about = table.c
    query = select(
        about.id, about.label_set_revision, about.state, about.labels, about.confidence,
        about.flagged, about.note, about.frame,
    ).where(about.reader == reader, about.occasion != Occasion.REPEAT.value)  # fmt: skip
    # The ranking has learned what others said of a scan: it is no test what it suggests there.
    told_when = (
        select(about.scan_id, func.min(about.id).label("id"))
        .where(about.reader != reader, about.state.in_(_SAYING))
        .group_by(about.scan_id)
    )
    with project.reading() as connection:
        told = {row.scan_id: row.id for row in connection.execute(told_when)}
        line = UndoLine(decisions.steps(connection, reader))
        history = label_sets.history(connection)
        said = {row.id: _Said(*tuple(row)[1:]) for row in connection.execute(query)}
        first, last, twice = dict[int, int](), dict[int, int](), set[int]()
        for step in line.done:
            if step.repeat:
                continue
            before = last.get(step.scan_id)
            if said[step.id].state in _SAYING and step.id < told.get(step.scan_id, step.id + 1):
                first.setdefault(step.scan_id, step.id)
            if before is not None and _anew(said[before], said[step.id], history):
                twice.add(step.scan_id)
            last[step.scan_id] = step.id
        wanted = list(first.values())[-LATEST:]
        firsts = tuple(decisions.some(connection, wanted))
    return ReaderRecord(firsts, frozenset(twice), frozenset(first))


def _anew(before: _Said, after: _Said, history: LabelHistory) -> bool:
    """Whether labels changed, or all was said again as it was; not where a flag or note came.

    A scan that was deferred was not decided before, nor is one that was to be decided again since
    the labels changed.
    """
    if before.state == State.DEFERRED:
        return False
    if before.revision != after.revision and before.state == State.LABELLED:
        verdict = Verdict(State.LABELLED, tuple(json.loads(before.labels)))
        read = history.verdict(verdict, of=before.revision, to=after.revision)
        if read is None:
            return False
        before = replace(before, state=read.state.value, labels=json.dumps(read.labels))
    before = replace(before, revision=after.revision)
    labels_changed = (before.state, before.labels) != (after.state, after.labels)
    return labels_changed or before == after
