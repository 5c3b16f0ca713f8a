"""The schema's versions: each step is applied once, in order, in one transaction."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, insert, inspect, select, text, update

from nearl_core.errors import ProjectError
from nearl_core.store.schema import meta, metadata

_KEY: Final = "schema"

Step = Callable[[Connection], None]


def _create_tables(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=False)


def _add_evidence(connection: Connection) -> None:
    """What stands behind a version's sentence; a new database has the column from the start."""
    if "evidence" not in {column["name"] for column in inspect(connection).get_columns("versions")}:
        connection.execute(text("ALTER TABLE versions ADD COLUMN evidence TEXT"))


STEPS: tuple[Step, ...] = (_create_tables, _add_evidence)
"""Step n brings schema n to n + 1. A step that was released is never edited."""


def current(connection: Connection) -> int:
    """The schema of a database; 0 for an empty one.

    Raises:
        ProjectError: If the database is not a project's.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return 0
    found = None
    if "meta" in tables:
        found = connection.scalar(select(meta.c.value).where(meta.c.key == _KEY))
    if found is None or not found.isdecimal():
        raise ProjectError(
            "The database in this folder is not one of a NEARL Desk project.",
            "Choose the folder of a project; its name ends in .nearl.",
        )
    return int(found)


def require_readable(schema: int) -> None:
    """Refuse a schema that this program does not know.

    Raises:
        ProjectError: If the schema is newer, or older and the project is opened read-only.
    """
    if schema > len(STEPS):
        raise ProjectError(
            f"This project was written by a newer NEARL Desk (schema {schema}; "
            f"this one knows schema {len(STEPS)}).",
            "Update NEARL Desk and open the project again.",
        )
    if schema < len(STEPS):
        raise ProjectError(
            f"This project has the older schema {schema} and must be brought up to date first.",
            "Open it once for writing.",
        )


def migrate(connection: Connection) -> None:
    """Bring a database to the newest schema, inside the caller's transaction.

    Raises:
        ProjectError: If the schema is newer than this program.
    """
    schema = current(connection)
    for step in STEPS[schema:]:
        step(connection)
        schema += 1
        _note(connection, schema)
    require_readable(schema)


def _note(connection: Connection, schema: int) -> None:
    changed = connection.execute(
        update(meta).where(meta.c.key == _KEY).values(value=str(schema))
    ).rowcount
    if not changed:
        connection.execute(insert(meta).values(key=_KEY, value=str(schema)))
