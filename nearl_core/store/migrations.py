"""The schema's revisions: a project is brought to the newest one when it is opened for writing.

The steps are Alembic's, in `steps/versions/`. Alembic is imported only where a step is due: a
project of this program's schema opens without it, and a new one is made from `schema.py` at once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, insert, inspect, select

from nearl_core.errors import ProjectError
from nearl_core.store.faults import damaged
from nearl_core.store.schema import meta, metadata, revision

HEAD: Final = "0005"
"""The schema of `schema.py`: the revision of the last step."""
STEPS: Final = Path(__file__).with_name("steps")
_NUMBER: Final = "schema"
"""Key in `meta` of the schema's number, from before Alembic.

It is kept beside Alembic's own, so that a program of then says that the project is newer.
"""

Before = Callable[[str], None]
"""Called with the number of an older schema before anything of it is changed."""


def nothing(_schema: str) -> None:
    """What is done before an upgrade that can't do harm: that of a copy."""


def create(connection: Connection) -> None:
    """Make the tables of a new project."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(revision).values(version_num=HEAD))
    _number(connection)


def current(connection: Connection) -> str:
    """The revision of a database.

    Raises:
        ProjectError: If the database is empty or not a project's.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        raise damaged()
    found: str | None = None
    if revision.name in tables:
        found = connection.scalar(select(revision.c.version_num))
    elif meta.name in tables:
        number = connection.scalar(select(meta.c.value).where(meta.c.key == _NUMBER))
        found = number and number.zfill(len(HEAD))
    if not found or not found.isdecimal():
        raise ProjectError(
            "The database in this folder is not one of a NEARL Desk project.",
            "Choose the folder of a project; its name ends in .nearl.",
        )
    return found


def require_readable(found: str) -> None:
    """Refuse a schema other than this program's, as it must be where nothing may be written.

    Raises:
        ProjectError: If the schema is newer or older.
    """
    _require_known(found)
    if found != HEAD:
        raise ProjectError(
            f"This project has the older schema {_shown(found)} and must be brought up to date "
            "first.",
            "Open it once for writing, on the desk or by `nearl check PROJECT`; where that "
            "can't be done, use a copy of its folder.",
        )


def migrate(connection: Connection, before: Before = nothing) -> None:
    """Bring a database to the newest schema, inside the caller's transaction.

    Raises:
        ProjectError: If the schema is newer than this program; and what `before` raises.
    """
    found = current(connection)
    _require_known(found)
    if found != HEAD:
        before(_shown(found))
        _take_over(connection, found)
        _upgrade(connection)
        _number(connection)


def _require_known(found: str) -> None:
    if int(found) > int(HEAD):
        raise ProjectError(
            f"This project was written by a newer NEARL Desk (schema {_shown(found)}; "
            f"this one knows schema {_shown(HEAD)}).",
            "Update NEARL Desk and open the project again.",
        )


def _shown(found: str) -> str:
    return found.lstrip("0")


def _take_over(connection: Connection, found: str) -> None:
    """Give a project from before Alembic its table of revisions."""
    if not inspect(connection).has_table(revision.name):
        revision.create(connection)
        connection.execute(insert(revision).values(version_num=found))


def _number(connection: Connection) -> None:
    connection.execute(delete(meta).where(meta.c.key == _NUMBER))
    connection.execute(insert(meta).values(key=_NUMBER, value=_shown(HEAD)))


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    command.upgrade(config, HEAD)
