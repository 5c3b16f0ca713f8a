"""Decisions in the database: how they are added, and the questions asked of them."""

from collections.abc import Collection, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Select, func, insert, null, select

from nearl_core.errors import LabelSetError, ProjectError
from nearl_core.label_history import LabelHistory
from nearl_core.merging import Moment
from nearl_core.portions import portions
from nearl_core.store import label_sets, scans
from nearl_core.store.bulk import collecting_later
from nearl_core.store.decision_rows import to_decision, to_row
from nearl_core.store.faults import understood
from nearl_core.store.paths import printable
from nearl_core.store.schema import decisions
from nearl_core.store.undo import Redo, Step, Undo
from nearl_core.types import (
    UNSEEN,
    Decision,
    LabelSet,
    NewDecision,
    Occasion,
    State,
    Verdict,
)

TOP: Final = 32
"""How many labels of a ranking are kept with a decision: more than any screen shows."""
_COLUMNS: Final = select(decisions)
_WITHOUT_RANKING: Final = select(
    *(column for column in decisions.c if column.name != "ranking"), null().label("ranking")
)
"""Reading what was on screen takes longer than all the rest of a decision."""
_INSERT: Final = insert(decisions)
"""One statement for all of them: working another one out takes longer than carrying it out."""
_TOGETHER: Final = 500
"""Decisions that are asked for at once by their ids."""
_STANDING: Final = frozenset(Occasion) - {Occasion.REPEAT}


def require_valid(decision: NewDecision, label_set: LabelSet) -> None:
    """Refuse a decision that the label set does not allow.

    Raises:
        LabelSetError: If a label does not exist, or their number does not fit.
        ProjectError: If there is no reader, or the frame is below 0.
    """
    verdict = decision.verdict
    if not decision.reader.strip():
        raise ProjectError("A decision needs a reader.", "Choose a reader's pseudonym.")
    if verdict.frame is not None and verdict.frame < 0:
        raise ProjectError("A frame below 0 was named.", "Frames are counted from 0.")
    for label_id in (*verdict.labels, *decision.unasked):
        label_set.by_id(label_id)
    if len(set(verdict.labels)) < len(verdict.labels):
        raise LabelSetError("A label stands twice in one decision.", "Name it once.")
    if verdict.state is State.LABELLED:
        if not verdict.labels:
            raise LabelSetError("The decision names no label.", "Name a label, or another state.")
        if len(verdict.labels) > 1 and not label_set.multi_label:
            raise LabelSetError(
                "The decision names several labels, but in this project they exclude each other.",
                "Name one label.",
            )
    elif verdict.labels:
        raise LabelSetError(
            f"A scan that is {verdict.state.value} has no labels.",
            "Leave the label out, or the state.",
        )


def append(
    connection: Connection, new: NewDecision, revision: int, step: Undo | Redo | None = None
) -> Decision:
    """Add a decision; it is in effect when the caller's transaction is committed.

    Raises:
        ProjectError: If there is no such scan.
    """
    if not scans.exists(connection, new.scan_id):
        raise ProjectError(
            f"There is no scan {new.scan_id} in this project.", "Add the scan first."
        )
    ranking = new.ranking
    if ranking is not None:
        ranking = replace(ranking, labels=ranking.labels[:TOP])
    decision = Decision(
        id=0,
        scan_id=new.scan_id,
        reader=printable(new.reader),
        time=datetime.now(UTC),
        verdict=replace(new.verdict, note=printable(new.verdict.note)),
        ranking=ranking,
        shown=new.shown,
        milliseconds=new.milliseconds,
        frames_shown=new.frames_shown,
        undoes=step.undoes if isinstance(step, Undo) else None,
        redoes=step.redoes if isinstance(step, Redo) else None,
        occasion=new.occasion,
        revision=revision,
        unasked=new.unasked,
    )
    return replace(decision, id=_insert(connection, decision))


def _insert(connection: Connection, decision: Decision) -> int:
    key = connection.execute(_INSERT, to_row(decision)).inserted_primary_key
    if key is None:
        raise TypeError("The database gave no id.")
    return int(key[0])


def append_as_made(
    connection: Connection, made: Iterable[Decision], numbers: MutableMapping[int, int]
) -> None:
    """Add decisions that were made in a copy of the project, with the time they were made at.

    Args:
        connection: A transaction.
        made: Of scans that exist, in their order.
        numbers: The project's id of each decision of the copy that it has, by the id there; what
            is added is noted.
    """
    for one in made:
        with understood():
            undoes, redoes = (
                None if of is None else numbers[of] for of in (one.undoes, one.redoes)
            )
        numbers[one.id] = _insert(connection, replace(one, undoes=undoes, redoes=redoes))


def read(connection: Connection, decision_id: int) -> Decision:
    """One decision that exists."""
    with understood():
        return to_decision(connection.execute(_COLUMNS.where(decisions.c.id == decision_id)).one())


def some(connection: Connection, ids: Sequence[int]) -> Iterator[Decision]:
    """Decisions by ids, as these come, in the labels of now; not those that these don't say."""
    history = label_sets.history(connection)
    for found in as_made(connection, ids):
        read = present(found, history)
        if read.verdict.state is not State.UNSEEN:
            yield read


def as_made(connection: Connection, ids: Sequence[int]) -> Iterator[Decision]:
    """Decisions by ids, as these come, in the labels that they were made with."""
    for part in portions(ids, _TOGETHER):
        yield from _all(connection, _COLUMNS.where(decisions.c.id.in_(part)))


def restored(
    connection: Connection, reader: str, step: Undo | Redo
) -> tuple[NewDecision, int | None]:
    """What stood before, as it was made, and the revision of its labels; None where none did."""
    if step.restores is None:
        repeat = isinstance(step, Undo) and step.repeat
        occasion = Occasion.REPEAT if repeat else Occasion.SINGLE
        return NewDecision(step.scan_id, reader, UNSEEN, occasion=occasion), None
    old = read(connection, step.restores)
    new = NewDecision(
        scan_id=old.scan_id,
        reader=old.reader,
        verdict=old.verdict,
        ranking=old.ranking,
        shown=old.shown,
        milliseconds=old.milliseconds,
        frames_shown=old.frames_shown,
        occasion=old.occasion,
        unasked=old.unasked,
    )
    return new, old.revision


def added_to(connection: Connection, new: NewDecision, before: int) -> tuple[NewDecision, int]:
    """What was said before with another flag, note, frame or confidence; and its labels' revision.

    Of what no longer stands the reader saw no frame either: it stays.

    Raises:
        ProjectError: If it is no decision of this reader on this scan.
    """
    row = connection.execute(_COLUMNS.where(decisions.c.id == before)).first()
    old = None if row is None else to_decision(row)
    if old is None or (old.scan_id, old.reader) != (new.scan_id, printable(new.reader)):
        raise ProjectError("What this adds to was never said.", "Decide the scan anew.")
    said, was = new.verdict, old.verdict
    frame = said.frame if said.state is was.state else was.frame
    kept = replace(
        new,
        verdict=replace(said, state=was.state, labels=was.labels, frame=frame),
        ranking=old.ranking,
        shown=old.shown,
        frames_shown=tuple(sorted({*old.frames_shown, *new.frames_shown})),
        occasion=old.occasion,
        unasked=old.unasked,
    )
    return kept, old.revision


def standing(connection: Connection, reader: str | None) -> list[Decision]:
    """The latest decision of each scan and reader, in the order of ids, without unseen ones.

    A repeat measures a reader; it never replaces what stands. Each is in the labels of now; where
    these don't say what a decision is, nothing stands.
    """
    return latest(connection, _STANDING, reader)


def latest(
    connection: Connection, occasions: Collection[Occasion], reader: str | None = None
) -> list[Decision]:
    """The latest decision of each scan and reader on some occasions, likewise."""
    history = label_sets.history(connection)
    with collecting_later():
        read = (present(one, history) for one in latest_as_made(connection, occasions, reader))
        return [one for one in read if one.verdict.state is not State.UNSEEN]


def latest_as_made(
    connection: Connection,
    occasions: Collection[Occasion] = _STANDING,
    reader: str | None = None,
    *,
    scan_id: int | None = None,
    without: Collection[State] = (),
    before: int | None = None,
    rankings: bool = True,
) -> list[Decision]:
    """The latest decision of each scan and reader, in the labels that it was made with.

    Args:
        connection: To read from.
        occasions: On which it was made.
        reader: Of one reader only.
        scan_id: Of one scan only.
        without: States; decisions that say one of them are passed over, and so is then all that
            was taken back.
        before: Only those that were made in an earlier revision than this one.
        rankings: Whether what was on screen is wanted; else it is None.
    """
    newest = (
        select(func.max(decisions.c.id))
        .where(decisions.c.occasion.in_(sorted(occasions)), decisions.c.state.not_in(without))
        .group_by(decisions.c.scan_id, decisions.c.reader)
    )
    if reader is not None:
        newest = newest.where(decisions.c.reader == reader)
    if scan_id is not None:
        newest = newest.where(decisions.c.scan_id == scan_id)
    if without:
        taken_back = select(decisions.c.undoes).where(decisions.c.undoes.is_not(None))
        if scan_id is not None:
            taken_back = taken_back.where(decisions.c.scan_id == scan_id)
        newest = newest.where(decisions.c.undoes.is_(None), decisions.c.id.not_in(taken_back))
    query = _COLUMNS if rankings else _WITHOUT_RANKING
    query = query.where(decisions.c.id.in_(newest), decisions.c.state != State.UNSEEN.value)
    if before is not None:
        query = query.where(decisions.c.label_set_revision < before)
    return _all(connection, query)


def stood_before(connection: Connection, later: Sequence[Decision]) -> list[Decision | None]:
    """What stood of each decision's scan and reader when it was made, or None."""
    about, after = decisions.c, decisions.alias()
    last = (
        select(after.c.id.label("later"), func.max(about.id).label("before"))
        .join(after, (about.scan_id == after.c.scan_id) & (about.reader == after.c.reader))
        .where(about.id < after.c.id, about.occasion != Occasion.REPEAT.value)
        .group_by(after.c.id)
    )
    history, found = label_sets.history(connection), dict[int, Decision | None]()
    for part in portions([one.id for one in later], _TOGETHER):
        rows = connection.execute(last.where(after.c.id.in_(part))).all()
        wanted = _COLUMNS.where(about.id.in_({row.before for row in rows}))
        made = {one.id: one for one in _all(connection, wanted)}
        found |= {row.later: _unless_changed(made[row.before], history) for row in rows}
    return [found.get(one.id) for one in later]


def _unless_changed(made: Decision, history: LabelHistory) -> Decision | None:
    """A decision in the labels of now, or None where these say that it is something else."""
    shown = present(made, history)
    return shown if shown.verdict.state is made.verdict.state else None


def that_stand(connection: Connection) -> frozenset[int]:
    """Ids of the decisions after which nothing that stands came on their scan by their reader."""
    about = decisions.c
    newest = (
        select(func.max(about.id))
        .where(about.occasion != Occasion.REPEAT.value)
        .group_by(about.scan_id, about.reader)
    )
    return frozenset(connection.scalars(newest))


def present(decision: Decision, history: LabelHistory) -> Decision:
    """A decision in the labels of now; unseen where the reader has to decide again.

    With a flag or a note it is deferred instead: these still hold.
    """
    of, to, ranking, verdict = decision.revision, history.latest, decision.ranking, decision.verdict
    if of == to:
        return decision
    left = UNSEEN
    if verdict.flagged or verdict.note:
        left = Verdict(State.DEFERRED, flagged=verdict.flagged, note=verdict.note)
    verdict = history.verdict(verdict, of=of, to=to) or left
    return replace(
        decision,
        verdict=verdict,
        ranking=None if ranking is None else history.ranking(ranking, of=of, to=to),
        revision=to,
        unasked=history.unasked(verdict, of=of, to=to, then=decision.unasked),
    )


def history(connection: Connection, scan_id: int) -> list[Decision]:
    """Everything that was ever said of a scan, the first one first, in the labels of then."""
    return _all(connection, _COLUMNS.where(decisions.c.scan_id == scan_id))


def every(connection: Connection) -> list[Decision]:
    """Everything that was ever said, in the order of ids."""
    return _all(connection, _COLUMNS)


def moments(connection: Connection) -> list[Moment]:
    """By what each decision is known again in a copy of the project, in the order of ids."""
    about = decisions.c
    query = select(
        about.id, about.scan_id, about.reader, about.time, about.state, about.occasion,
        about.undoes, about.redoes,
    ).order_by(about.id)  # fmt: skip
    with collecting_later(), understood():
        return [
            Moment(*row[:4], State(row.state), Occasion(row.occasion), row.undoes, row.redoes)
            for row in connection.execute(query)
        ]


def steps(connection: Connection, reader: str) -> list[Step]:
    """A reader's whole line, for the rule of undo."""
    about = decisions.c
    rows = connection.execute(
        select(about.id, about.scan_id, about.undoes, about.redoes, about.occasion)
        .where(about.reader == reader)
        .order_by(about.id)
    )
    return [
        Step(row.id, row.scan_id, row.undoes, row.redoes, row.occasion == Occasion.REPEAT)
        for row in rows
    ]


def step(decision: Decision) -> Step:
    """What the rule of undo needs to know of a decision."""
    repeat = decision.occasion is Occasion.REPEAT
    return Step(decision.id, decision.scan_id, decision.undoes, decision.redoes, repeat)


def _all(connection: Connection, query: Select[tuple[object, ...]]) -> list[Decision]:
    with collecting_later(), understood():
        return [to_decision(row) for row in connection.execute(query.order_by(decisions.c.id))]
