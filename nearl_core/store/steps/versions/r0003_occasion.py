"""A decision keeps on what occasion it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """All older decisions were made on one scan on screen."""
    op.add_column(
        "decisions",
        sa.Column("occasion", sa.String(16), nullable=False, server_default="single"),
    )
