"""The tables of a project, in words that PostgreSQL understands as well as SQLite.

What a reader decided, which labels there were and which version was live is history: those tables
only grow. On SQLite triggers refuse anything else, so that no later code can get it wrong.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.types import TypeDecorator

from nearl_core.types import Occasion

APPEND_ONLY = ("label_sets", "decisions", "versions", "activations")
"""Tables whose rows are never changed and never removed."""


class UtcTime(TypeDecorator[datetime]):
    """A moment, aware and UTC in Python, without a zone in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse moments without a zone; they would be read as something else elsewhere."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone can't be stored.")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

revision = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic would make it: a new project gets it without Alembic."""

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

label_sets = Table(
    "label_sets",
    metadata,
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("created", UtcTime, nullable=False),
    Column("body", Text, nullable=False),
)

scans = Table(
    "scans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("size", BigInteger),
    Column("mtime_ns", BigInteger),
    Column("sha256", String(64)),
    Column("frames", Integer, nullable=False),
    Column("modality", String(32), nullable=False),
    Column("patient", String(64), nullable=False, index=True),
    Column("study", String(64), nullable=False),
    Column("series", String(64), nullable=False),
    Column("patient_known", Boolean, nullable=False),
    Column("problem", Text, nullable=False),
    Column("added", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

stack_files = Table(
    "stack_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scan_id", Integer, ForeignKey("scans.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger),
    Column("sha256", String(64)),
    UniqueConstraint("scan_id", "number"),
    sqlite_autoincrement=True,
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scan_id", Integer, ForeignKey("scans.id"), nullable=False),
    Column("reader", String(128), nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("label_set_revision", Integer, ForeignKey("label_sets.revision"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("labels", Text, nullable=False),
    Column("confidence", String(16), nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("frame", Integer),
    Column("version", String(64)),
    Column("ranking", Text),
    Column("shown", String(16), nullable=False),
    Column("milliseconds", BigInteger),
    Column("frames_shown", Text, nullable=False),
    Column("undoes", Integer, ForeignKey("decisions.id")),
    Column("redoes", Integer, ForeignKey("decisions.id")),
    Column("occasion", String(16), nullable=False, server_default=Occasion.SINGLE.value),
    Column("unasked", Text, nullable=False, server_default="[]"),
    Index(None, "scan_id", "reader", "id"),
    Index(None, "reader", "id"),
    sqlite_autoincrement=True,
)

versions = Table(
    "versions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("created", UtcTime, nullable=False),
    Column("file", Text, nullable=False),
    Column("file_sha256", String(64)),
    Column("backbone", Text, nullable=False),
    Column("backbone_hash", String(64), nullable=False),
    Column("label_set_revision", Integer, nullable=False),
    Column("decision_ids", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("device", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("promoted", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text),
    sqlite_autoincrement=True,
)

activations = Table(
    "activations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", String(64), ForeignKey("versions.id")),
    Column("time", UtcTime, nullable=False),
    Column("reader", String(128), nullable=False),
    sqlite_autoincrement=True,
)


TRIGGERS: set[str] = set()
"""What a database may do by itself: the statements that guard history, and nothing else."""


def _guard_history() -> None:
    # OR REPLACE deletes without firing delete triggers, so an insert over an existing key is
    # refused too.
    for name in APPEND_ONLY:
        table = metadata.tables[name]
        (key,) = table.primary_key.columns.keys()
        for verb in ("UPDATE", "DELETE"):
            _add_trigger(table, f"{name}_no_{verb.lower()}", f"BEFORE {verb} ON {name}")
        when = f"WHEN EXISTS (SELECT 1 FROM {name} WHERE {key} = NEW.{key})"
        _add_trigger(table, f"{name}_no_replace", f"BEFORE INSERT ON {name} {when}")


def _add_trigger(table: Table, name: str, head: str) -> None:
    text = f"CREATE TRIGGER {name} {head} BEGIN SELECT RAISE(ABORT, '{table.name} only grows'); END"
    TRIGGERS.add(text)
    statement = DDL(text)  # type: ignore[no-untyped-call]
    event.listen(table, "after_create", statement.execute_if(dialect="sqlite"))


_guard_history()
