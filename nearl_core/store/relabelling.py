"""What a change of a project's label set would come to, before it is saved."""

from dataclasses import replace

from nearl_core.label_history import LabelHistory, effects
from nearl_core.store import decisions
from nearl_core.store.project import Project
from nearl_core.types import Decision, Effect, Revision, State


def effects_of(project: Project, wanted: Revision) -> tuple[Effect, ...]:
    """How the standing decisions of all readers would read in another revision."""
    history = project.label_history()
    now = history.latest
    revision = replace(wanted, label_set=replace(wanted.label_set, revision=now + 1))
    grown = LabelHistory((*history.revisions, revision))
    with project.reading() as connection:
        latest = decisions.latest_as_made(connection, rankings=False)
    return effects(grown, latest, of=now, to=now + 1)


def to_decide_again(
    project: Project, reader: str | None = None, *, scan_id: int | None = None
) -> dict[tuple[int, str], Decision]:
    """By scan and reader: what was decided before a change, as it was made, and stands no more.

    Deferring such a scan decides nothing. What was on screen is not read.

    Args:
        project: The project.
        reader: Of one reader only.
        scan_id: Of one scan only.
    """
    history = project.label_history()
    with project.reading() as connection:
        latest = decisions.latest_as_made(
            connection,
            reader=reader,
            scan_id=scan_id,
            without=(State.DEFERRED,),
            before=history.latest,
            rankings=False,
        )
    return {
        (one.scan_id, one.reader): one
        for one in latest
        if history.verdict(one.verdict, of=one.revision, to=history.latest) is None
    }
