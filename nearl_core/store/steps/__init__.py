"""What Alembic runs to bring an older project up to date."""
