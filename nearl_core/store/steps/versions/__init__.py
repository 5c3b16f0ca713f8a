"""One module a step. One that was released is never edited.

A table of history is never rebuilt (Alembic's batch mode): it would lose its triggers.
"""
