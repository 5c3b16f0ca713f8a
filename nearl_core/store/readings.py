"""How a project is read, and what its readers came to."""

import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from nearl_core.readers import Readings
from nearl_core.store import decisions
from nearl_core.store.schema import meta
from nearl_core.types import Occasion, ReadingRules

if TYPE_CHECKING:
    from nearl_core.store.project import Project

_KEY: Final = "reading"
_READS: Final = (Occasion.SINGLE, Occasion.GRID)


def rules(project: "Project") -> ReadingRules:
    """How the project is read; as by default where nothing was said."""
    with project.reading() as connection:
        text = connection.scalar(select(meta.c.value).where(meta.c.key == _KEY))
    return ReadingRules() if text is None else ReadingRules(**json.loads(text))


def save_rules(project: "Project", wanted: ReadingRules) -> None:
    """Say how the project is read from now on.

    Raises:
        ProjectError: If it can't be saved.
    """
    text = json.dumps({"blind_first": wanted.blind_first, "repeats": wanted.repeats})
    with project.writing() as connection:
        connection.execute(delete(meta).where(meta.c.key == _KEY))
        connection.execute(insert(meta).values(key=_KEY, value=text))


def readings(project: "Project") -> Readings:
    """All decisions, by reader and occasion."""
    with project.reading() as connection:
        repeats = decisions.latest(connection, (Occasion.REPEAT,))
        before = [decisions.stood_before(connection, again) for again in repeats]
        settled = decisions.latest(connection, (Occasion.ADJUDICATION,))
        return Readings(
            reads=tuple(decisions.latest(connection, _READS)),
            repeats=tuple(
                (first, again)
                for first, again in zip(before, repeats, strict=True)
                if first is not None
            ),
            adjudications=tuple(
                # Of several readers' the latest one settles it.
                {
                    found.scan_id: found for found in settled if decisions.stands(connection, found)
                }.values()
            ),
        )


def repeated(project: "Project", reader: str) -> frozenset[int]:
    """The scans that came to a reader again."""
    with project.reading() as connection:
        return frozenset(
            found.scan_id for found in decisions.latest(connection, (Occasion.REPEAT,), reader)
        )
