"""A version keeps what stands behind its sentence."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Older versions have none."""
    op.add_column("versions", sa.Column("evidence", sa.Text()))
