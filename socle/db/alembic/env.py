"""Alembic's entry point, the same for the kernel and every service (see socle/db/migrate.py)."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    target_metadata=config.attributes.get("metadata"),
    version_table=config.attributes["version_table"],
    version_table_schema=config.attributes["schema"],
)
with context.begin_transaction():
    context.run_migrations()
