"""Writing a new request down: the rows of all its tables in one statement, which costs one round trip, not six."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Base
from app.fulfillment.models import PartRequest, RequestLine, RequestStep, RequestWatch

EVENT = (
    "id, type, occurred_at, recorded_at, actor, request_id, subject, subject_version, customer, area, place, data, "
    "before_hash, after_hash"
)


def _columns(table: type[Base]) -> str:
    """A table's columns but those that the database numbers itself."""
    return ", ".join(f'"{one.name}"' for one in table.__table__.columns if one.identity is None)


def _inserted(table: type[Base], bind: str) -> str:
    """INSERT of the rows that a bind holds as JSON, in their order."""
    name, columns = table.__tablename__, _columns(table)
    rows = f"json_populate_recordset(CAST(NULL AS {name}), CAST(:{bind} AS json))"
    return f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {rows}"


# Foreign keys among these rows are checked once the statement is through, so their order does not matter.
WRITE = text(f"""
    WITH asked AS ({_inserted(PartRequest, "requests")}),
        parts AS ({_inserted(RequestLine, "lines")}),
        journey AS ({_inserted(RequestStep, "steps")}),
        watched AS ({_inserted(RequestWatch, "watches")}),
        marked AS (
            INSERT INTO region_dirty (region, why, marked_at)
            SELECT v.region, 'accepted', q.accepted_at
            FROM json_populate_recordset(CAST(NULL AS part_request), CAST(:requests AS json)) q
            JOIN area_region v ON v.area = q.area
        )
    INSERT INTO event ({EVENT})
    SELECT {EVENT} FROM json_populate_recordset(CAST(NULL AS event), CAST(:events AS json))
""")


async def write_request(
    db: AsyncConnection,
    *,
    request: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    steps: Sequence[Mapping[str, Any]],
    watch: Mapping[str, Any],
    event: Mapping[str, Any],
) -> None:
    """Insert the rows, by column name, tell the planning duty that the region changed, and announce the event."""
    rows = {"requests": [request], "lines": lines, "steps": steps, "watches": [watch], "events": [event]}
    await db.execute(WRITE, {name: msgspec.json.encode(value).decode() for name, value in rows.items()})
