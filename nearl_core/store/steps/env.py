"""Run by Alembic: the steps, in the transaction of `migrations.migrate`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
