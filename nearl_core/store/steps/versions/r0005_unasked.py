"""A decision keeps which labels it was not asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """All older decisions were asked for every label of then."""
    op.add_column(
        "decisions",
        sa.Column("unasked", sa.Text(), nullable=False, server_default="[]"),
    )
