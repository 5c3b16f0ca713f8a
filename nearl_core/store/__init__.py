"""The project on disk: scans, label sets, decisions and versions (the only SQLAlchemy)."""
