"""Questions about keys."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor, key_counts, split_key
from app.accounts.schemas import KeyOut, KeysOut
from app.core import keyset
from app.core.errors import NotFound

BY_PREFIX = text("""
    SELECT id, secret_hash, name, role, customers, areas, places, expires_at, revoked_at
    FROM api_key WHERE prefix = :prefix
""")
BY_ID = text("SELECT * FROM api_key WHERE id = :id")
LIST = text("""
    SELECT * FROM api_key WHERE (CAST(:after AS text) IS NULL OR id > CAST(:after AS text)) ORDER BY id LIMIT :limit
""")


class NoSuchKey(NotFound):
    """No key by that id."""

    code = "key.not_found"


async def key_row(db: AsyncConnection, *, prefix: str) -> Any | None:
    """The row of the key with this prefix, for `actor_behind`."""
    return (await db.execute(BY_PREFIX, {"prefix": prefix})).one_or_none()


def actor_behind(row: Any, *, secret: str, now: datetime, request_id: str) -> Actor | None:
    """The actor of a key's row, or None if this secret does not open it now: wrong, expired and revoked alike."""
    if not key_counts(
        secret=secret, secret_hash=row.secret_hash, expires_at=row.expires_at, revoked_at=row.revoked_at, now=now
    ):
        return None
    return Actor(
        id=row.id,
        name=row.name,
        role=row.role,
        customers=_set(row.customers),
        areas=_set(row.areas),
        places=_set(row.places),
        request_id=request_id,
    )


async def actor_of_key(db: AsyncConnection, *, presented: str, now: datetime, request_id: str) -> Actor | None:
    """The actor behind a presented key, or None: unknown, wrong, expired and revoked are told apart nowhere."""
    parts = split_key(presented)
    row = None if parts is None else await key_row(db, prefix=parts[0])
    if parts is None or row is None:
        return None
    return actor_behind(row, secret=parts[1], now=now, request_id=request_id)


async def key_by_id(db: AsyncConnection, *, key_id: str) -> KeyOut:
    row = (await db.execute(BY_ID, {"id": key_id})).one_or_none()
    if row is None:
        raise NoSuchKey(id=key_id)
    return _out(row)


async def keys(db: AsyncConnection, *, cursor: str | None, limit: int | None) -> KeysOut:
    """All keys, oldest first."""
    after = keyset.decode(cursor, str)[0] if cursor else None
    size = keyset.capped(limit)
    rows = (await db.execute(LIST, {"after": after, "limit": size + 1})).all()
    more = len(rows) > size
    return KeysOut(items=[_out(row) for row in rows[:size]], next=keyset.encode([rows[size - 1].id]) if more else None)


def _out(row: Any) -> KeyOut:
    return msgspec.convert({name: getattr(row, name) for name in KeyOut.__struct_fields__}, KeyOut)


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
