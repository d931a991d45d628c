"""Brings a database to the newest schema, as its owner, one migrator at a time however many start at once."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.core.db import make_engine

ROOT = Path(__file__).parent.parent.parent
LOCK = text("SELECT pg_advisory_lock(7205759403792792)")
UNLOCK = text("SELECT pg_advisory_unlock(7205759403792792)")


class TooOld(RuntimeError):
    """The server is older than PostgreSQL 18."""


def alembic_config() -> Config:
    return Config(str(ROOT / "alembic.ini"))


def newest() -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("there are no migrations")
    return head


async def migrate(url: str) -> None:
    """Apply what is missing. A session lock on a direct connection lets others wait for us."""
    engine = make_engine(url, pool_size=2, role=None)
    try:
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
            version = int(await db.scalar(text("SELECT current_setting('server_version_num')::int")) or 0)
            if version < 180000:
                raise TooOld(f"Sparelane needs PostgreSQL 18 or newer; this server is {version // 10000}")
            await db.execute(LOCK)
            try:
                async with engine.connect() as migrating:  # its own connection: each migration is one transaction
                    await migrating.run_sync(_upgrade)
            finally:
                await db.execute(UNLOCK)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migrate_sync(url: str) -> None:
    """The same for code outside any loop, as tests and the command line are."""
    asyncio.run(migrate(url))
