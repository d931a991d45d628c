"""The database: declarative base, engine, and the two ways to talk to it. Only `begin` commits; only doors call it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import BigInteger, Date, DateTime, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from app.core.errors import Refusal

APP_ROLE = "sparelane_app"


class Base(DeclarativeBase):
    """The tables' base: text, 64-bit integers, aware instants, JSONB."""

    metadata = MetaData()
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        date: Date,
        Decimal: Numeric,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def driver_url(url: str) -> str:
    """`postgresql://…` as SQLAlchemy's asyncpg dialect spells it."""
    return "postgresql+asyncpg://" + url.split("://", 1)[1]


def make_engine(
    url: str, *, pool_size: int = 16, role: str | None = APP_ROLE, house: Mapping[str, str] | None = None
) -> AsyncEngine:
    """An engine whose connections act as the app role (no UPDATE or DELETE on what is append-only), in UTC.

    `house` are settings that statements read by `current_setting`.
    """
    server = {"application_name": "sparelane", "timezone": "UTC"} | ({"role": role} if role else {}) | dict(house or {})
    return create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,  # an error's text goes to the log, and values may be secrets
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        connect_args={"server_settings": server, "timeout": 10, "command_timeout": 30},
    )


class OutcomeUnknown(Refusal):
    """The connection broke while the commit was under way: it may be done or not; the same key settles it."""

    status, code = 503, "outcome.unknown"


@asynccontextmanager
async def begin(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: committed when the block ends well, undone when it raises. For doors and duties alone."""
    async with engine.connect() as db:
        transaction = await db.begin()
        try:
            yield db
        except BaseException:
            await transaction.rollback()
            raise
        try:
            await transaction.commit()
        except DBAPIError as broken:
            if broken.connection_invalidated:
                raise OutcomeUnknown(retry_after_s=2) from broken
            raise


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in AUTOCOMMIT: each statement sees the newest committed state; for reads outside a transaction."""
    async with _autocommit(engine).connect() as db:
        yield db


_AUTOCOMMIT: WeakKeyDictionary[AsyncEngine, AsyncEngine] = WeakKeyDictionary()


def _autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The same engine and pool in AUTOCOMMIT, made once: making it anew was an eighth of a look-up's time."""
    found = _AUTOCOMMIT.get(engine)
    if found is None:
        found = _AUTOCOMMIT[engine] = engine.execution_options(isolation_level="AUTOCOMMIT")
    return found


@asynccontextmanager
async def attempt(db: AsyncConnection) -> AsyncIterator[None]:
    """A try within a transaction: when the block raises, only what it wrote is undone. For importers, which go on to
    name every bad row before they undo everything."""
    async with db.begin_nested():
        yield
