"""Whether a database's tables are those that this program makes.

Bits that flip in the text of the schema leave sound pages behind, and errors that read as a mistake
of this program: a column or a table that does not exist.
"""

import sqlite3
from contextlib import closing

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from nearl_core.store.migrations import HEAD
from nearl_core.store.schema import metadata, revision


def is_damaged(uri: str) -> bool:
    """Whether columns, keys, indexes or triggers are not those of a new project.

    Nothing is said of a database of another schema, such as one that is being brought up to date.

    Args:
        uri: What SQLite opens it by.
    """
    known = False
    try:
        with closing(sqlite3.connect(uri, uri=True)) as found:
            version = found.execute(f"SELECT version_num FROM {revision.name}").fetchone()
            known = version == (HEAD,)
            return known and _structure(found) != _wanted()
    except sqlite3.Error:
        return known


def _wanted() -> dict[str, object]:
    with closing(sqlite3.connect(":memory:")) as made:
        engine = create_engine("sqlite://", creator=lambda: made, poolclass=StaticPool)
        metadata.create_all(engine)
        return _structure(made)


def _structure(database: sqlite3.Connection) -> dict[str, object]:
    tables = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    found: dict[str, object] = {
        f"{name} {what}": database.execute(f"PRAGMA {what}({name})").fetchall()
        for (name,) in tables
        for what in ("table_xinfo", "foreign_key_list")
    }
    rest = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'table' ORDER BY name"
    return {**found, "rest": database.execute(rest).fetchall()}
