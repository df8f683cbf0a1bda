"""What Alembic runs: the steps, over the connection and within the transaction that it was given."""

from __future__ import annotations

from alembic import context

from host_tools.service.tables import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    transactional_ddl=False,  # whoever called has a transaction, in which SQLite makes tables too
)
context.run_migrations()
