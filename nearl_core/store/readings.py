"""How a project is read, by whom, and what its readers came to; where labels came from else."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, delete, insert, select

from nearl_core.errors import ProjectError
from nearl_core.readers import Readings, is_among, to_learn
from nearl_core.store import decisions, label_sets
from nearl_core.store.faults import understood
from nearl_core.store.schema import decisions as table
from nearl_core.store.schema import meta
from nearl_core.types import Decision, Division, Occasion, ReadingRules, Said, Shown

if TYPE_CHECKING:
    from nearl_core.store.project import Project

_KEY: Final = "reading"
_SOURCES: Final = "sources"
_KEPT_SOURCES: Final = select(meta.c.value).where(meta.c.key == _SOURCES)
_DIVISION: Final = "division"
_BY_ITSELF: Final = "imported-"
"""How the name of a source begins that nobody named."""
_READS: Final = (Occasion.SINGLE, Occasion.GRID)


def rules(project: "Project") -> ReadingRules:
    """How the project is read; as by default where nothing was said."""
    with project.reading() as connection:
        text = connection.scalar(select(meta.c.value).where(meta.c.key == _KEY))
    with understood():
        return ReadingRules() if text is None else ReadingRules(**json.loads(text))


def save_rules(project: "Project", wanted: ReadingRules) -> None:
    """Say how the project is read from now on.

    Raises:
        ProjectError: If it can't be saved.
    """
    rules = {"blind_first": wanted.blind_first, "repeats": wanted.repeats}
    _save(project, _KEY, json.dumps(rules))


def division(project: "Project") -> Division:
    """How the scans are divided among readers; among nobody where nothing was said."""
    with project.reading() as connection:
        text = connection.scalar(select(meta.c.value).where(meta.c.key == _DIVISION))
    if text is None:
        return Division()
    with understood():
        kept = json.loads(text)
        return Division(tuple(map(str, kept["readers"])), float(kept["shared"]))


def save_division(project: "Project", wanted: Division) -> None:
    """Divide the scans otherwise from now on.

    Raises:
        ProjectError: If a reader goes by the name of a source, or it can't be saved.
    """
    for reader in wanted.readers:
        require_reader(project, reader)
    kept = {"readers": [name.strip() for name in wanted.readers], "shared": wanted.shared}
    _save(project, _DIVISION, json.dumps(kept))


def _save(project: "Project", key: str, text: str) -> None:
    with project.writing() as connection:
        connection.execute(delete(meta).where(meta.c.key == key))
        connection.execute(insert(meta).values(key=key, value=text))


def sources(project: "Project") -> frozenset[str]:
    """Names under which labels were taken in that exist already; nobody reads under one.

    A project of before they were kept knows those that no one named.
    """
    with project.reading() as connection:
        return _sources(connection)


def _sources(connection: Connection) -> frozenset[str]:
    kept = connection.scalar(_KEPT_SOURCES)
    if kept is not None:
        with understood():
            return frozenset(map(str, json.loads(kept)))
    return frozenset(name for name in _names(connection) if name.startswith(_BY_ITSELF))


def keep_source(project: "Project", name: str) -> None:
    """Remember that a name is a source's.

    Raises:
        ProjectError: If it can't be saved.
    """
    known = sources(project)
    if name not in known:
        _save(project, _SOURCES, json.dumps(sorted((*known, name))))


def readers(project: "Project") -> frozenset[str]:
    """Names under which somebody decided, taken back or not; no sources.

    In a project of before sources were kept a name that only imports stand under may be one.
    """
    with project.reading() as connection:
        kept = connection.scalar(_KEPT_SOURCES)
        return _names(connection, elsewhere=kept is not None) - _sources(connection)


def _names(connection: Connection, *, elsewhere: bool = True) -> frozenset[str]:
    query = select(table.c.reader).distinct()
    if not elsewhere:
        query = query.where(table.c.shown != Shown.IMPORTED.value)
    return frozenset(connection.scalars(query))


def require_reader(project: "Project", name: str) -> None:
    """Refuse a reader who goes by the name of a source.

    Raises:
        ProjectError: If there is such a source, however it is spelt.
    """
    if is_among(name, sources(project)):
        raise ProjectError(
            f"{name} is a source of labels in this project, so nobody can decide under this name.",
            "Choose another pseudonym.",
        )


def that_teach(project: "Project") -> tuple[Decision, ...]:
    """The standing decisions that the ranking learns, see `readers.to_learn`."""
    with project.reading() as connection:  # one moment's, whatever another process saves meanwhile
        standing = decisions.standing(connection, None)
        known, labels = _sources(connection), label_sets.history(connection).present
    return to_learn(standing, known, labels)


def said_by(project: "Project", ids: Collection[int]) -> frozenset[Said]:
    """What some decisions said, in the labels of now, whether they stand or not."""
    with project.reading() as connection:
        return frozenset(found.said for found in decisions.some(connection, sorted(ids)))


def readings(project: "Project") -> Readings:
    """All decisions, by reader and occasion."""
    with project.reading() as connection:
        known = _sources(connection)
        repeats = decisions.latest(connection, (Occasion.REPEAT,))
        before = decisions.stood_before(connection, repeats)
        settled = decisions.latest(connection, (Occasion.ADJUDICATION,))
        stand = decisions.that_stand(connection)
        return Readings(
            reads=tuple(decisions.latest(connection, _READS)),
            repeats=tuple(
                (first, again)
                for first, again in zip(before, repeats, strict=True)
                if first is not None
            ),
            adjudications=tuple(
                # Of several readers' the latest one settles it, wherever it was made.
                {
                    found.scan_id: found
                    for found in sorted(settled, key=lambda found: found.time)
                    if found.id in stand
                }.values()
            ),
            sources=known,
        )


def repeated(project: "Project", reader: str) -> frozenset[int]:
    """The scans that came to a reader again."""
    with project.reading() as connection:
        return frozenset(
            found.scan_id for found in decisions.latest(connection, (Occasion.REPEAT,), reader)
        )
