"""Migrations and models say the same; any number may migrate at once; the app's role may not rewrite history."""

import asyncio
import importlib
import os
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from app.core.db import Base, make_engine
from app.core.migrate import migrate, newest
from tests.builders import unique
from tests.conftest import _sql, database

APP = Path(__file__).parent.parent.parent / "app"
pytestmark = pytest.mark.anyio
APPEND_ONLY = (
    "event",
    "event_seal",
    "request_step",
    "stock_movement",
    "charge",
    "verdict",
    "warranty_event",
    "plan_history",
    "webhook_attempt",
)


def all_models() -> None:
    for path in APP.glob("*/models*"):
        importlib.import_module(f"app.{path.parent.name}.{path.stem}")


async def test_models_mirror_the_migrated_tables(engine):
    all_models()
    async with engine.connect() as db:
        rows = await db.execute(
            text(
                "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
            )
        )
        stored = {(row.table_name, row.column_name): row.is_nullable == "YES" for row in rows}
    declared = {
        (table.name, column.name): bool(column.nullable)
        for table in Base.metadata.tables.values()
        for column in table.columns
    }
    stored = {key: value for key, value in stored.items() if key[0] in Base.metadata.tables}
    assert set(declared.items()) ^ set(stored.items()) == set()


async def test_every_table_has_a_model(engine):
    all_models()
    async with engine.connect() as db:
        rows = await db.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        stored = set(rows.scalars()) - {"alembic_version", "event", "event_seal", "idempotency"}
    assert stored - set(Base.metadata.tables) == set()


async def test_three_migrate_at_once_and_one_does_it(cluster_url):
    name = unique("m").lower()
    await asyncio.to_thread(_sql, cluster_url, f'CREATE DATABASE "{name}"')
    url = database(cluster_url, name)
    await asyncio.gather(*(migrate(url) for _ in range(3)))
    engine = make_engine(url, pool_size=1)
    async with engine.connect() as db:
        assert await db.scalar(text("SELECT version_num FROM alembic_version")) == newest()
    await engine.dispose()


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_T146_the_app_cannot_rewrite_history(engine, table):
    for verb in (f"UPDATE {table} SET xmin = xmin", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        async with engine.connect() as db:
            with pytest.raises(Exception, match=r"permission denied|append-only|cannot assign"):
                await db.execute(text(verb))


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_T146_nor_can_its_owner_by_mistake(database_url, table):
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute(f"DELETE FROM {table}")
    finally:
        await connection.close()


def test_this_run_has_its_own_cluster():
    assert "sl-" in os.environ["SPARELANE_TEST_CLUSTER"]
