"""Runs migrations on a connection that the application hands over (app/core/migrate.py opens it and holds the lock)."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
