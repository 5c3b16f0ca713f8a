"""A stack's files are told again after they were moved."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Those of older stacks are noted while nothing else is to do."""
    op.create_table(
        "stack_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scan_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_stack_files"),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name="fk_stack_files_scan_id"),
        sa.UniqueConstraint("scan_id", "number", name="uq_stack_files_scan_id"),
        sqlite_autoincrement=True,
    )
