"""Keyset pagination: a cursor holds the last row's sort values, so that a page at any depth costs one index seek."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import BadRequest

MOST = 200


class BadCursor(BadRequest):
    """The cursor was not one of ours."""

    code = "cursor.bad"


class BadLimit(BadRequest):
    """A page of less than one row."""

    code = "limit.bad"


def encode(values: Sequence[Any]) -> str:
    """An opaque cursor for the last row's sort values (text, numbers, dates, instants)."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(values))).decode().rstrip("=")


def decode(cursor: str, *types: type) -> tuple[Any, ...]:
    """The sort values a cursor holds, each of its type; anything else is BadCursor."""
    try:
        raw = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list)
        if len(raw) != len(types):
            raise BadCursor
        return tuple(_value(one, kind) for one, kind in zip(raw, types, strict=True))
    except (binascii.Error, ValueError, msgspec.DecodeError) as wrong:
        raise BadCursor from wrong


def _value(raw: Any, kind: type) -> Any:
    value: Any = msgspec.convert(raw, kind)
    if isinstance(value, str) and "\x00" in value:
        raise BadCursor
    if isinstance(value, datetime) and value.tzinfo is None:
        raise BadCursor
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 63:
        raise BadCursor
    return value


def capped(limit: int | None) -> int:
    """How many rows to give: 50 by default, at most 200; below 1 is refused."""
    if limit is None:
        return 50
    if limit < 1:
        raise BadLimit
    return min(limit, MOST)


async def page_by_text(
    db: AsyncConnection,
    statement: Executable,
    binds: dict[str, Any],
    *,
    key: str,
    cursor: str | None,
    limit: int | None,
) -> tuple[list[Any], str | None]:
    """One page of a list sorted by a text key, and the cursor of the next. The statement takes `:after` and `:limit`."""
    after = decode(cursor, str)[0] if cursor else None
    size = capped(limit)
    rows = list(await db.execute(statement, {**binds, "after": after, "limit": size + 1}))
    more = len(rows) > size
    return rows[:size], encode([getattr(rows[size - 1], key)]) if more else None
