"""The tables as they first were; a new project is made from `schema.py`, so nothing is done."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: where the work of the later steps begins."""
