"""Events: every change writes one row in its own transaction. Audit, webhook outbox and live updates in one table.

The hash chain over them is sealed seconds later by a duty, never in the writing transaction.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.ids import new_id


class By(Protocol):
    """Who caused a change: an actor of `accounts`, or a duty."""

    @property
    def id(self) -> str: ...
    @property
    def request_id(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, past tense (`part_request.dispatched`), to which subject at which version, for whose eyes."""

    type: str
    subject: str
    version: int = 1
    customer: str | None = None
    area: str | None = None
    place: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None


ANNOUNCE = text("""
    INSERT INTO event (id, type, occurred_at, recorded_at, actor, request_id, subject, subject_version,
                       customer, area, place, data, before_hash, after_hash)
    VALUES (:id, :type, :occurred_at, :now, :actor, :request_id, :subject, :version,
            :customer, :area, :place, CAST(:data AS jsonb), :before_hash, :after_hash)
""")


async def announce(
    db: AsyncConnection, event: Event, *, by: By, now: datetime, occurred_at: datetime | None = None
) -> str:
    """Write one event in the caller's transaction and give its id."""
    return (await announce_all(db, [event], by=by, now=now, occurred_at=occurred_at))[0]


async def announce_all(
    db: AsyncConnection, events: list[Event], *, by: By, now: datetime, occurred_at: datetime | None = None
) -> list[str]:
    """Write several events in one statement, in order."""
    rows = [_row(event, by, now, occurred_at or now) for event in events]
    if rows:
        await db.execute(ANNOUNCE, rows if len(rows) > 1 else rows[0])  # a list of one is sent the long way
    return [row["id"] for row in rows]


def event_row(event: Event, *, by: By, now: datetime) -> dict[str, Any]:
    """An event that happened now as a row of `event` by column names, for a caller that inserts it with rows of its
    own; `data` is JSON already."""
    row = _row(event, by, now, now)
    row["recorded_at"], row["subject_version"] = row.pop("now"), row.pop("version")
    return row | {"data": msgspec.Raw(row["data"].encode())}


def _row(event: Event, by: By, now: datetime, occurred_at: datetime) -> dict[str, Any]:
    data = msgspec.json.encode(event.data, order="sorted")
    return {
        "id": new_id("evt", now),
        "type": event.type,
        "occurred_at": occurred_at,
        "now": now,
        "actor": by.id,
        "request_id": by.request_id,
        "subject": event.subject,
        "version": event.version,
        "customer": event.customer,
        "area": event.area,
        "place": event.place,
        "data": data.decode(),
        "before_hash": None if event.before is None else _digest(msgspec.json.encode(event.before, order="sorted")),
        "after_hash": _digest(data),
    }


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


UNSEALED = text("""
    SELECT e.seq, e.id, e.type, e.occurred_at, e.recorded_at, e.actor, e.subject, e.subject_version, e.after_hash
    FROM event e
    WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot())
      AND NOT EXISTS (SELECT FROM event_seal s WHERE s.event_seq = e.seq)
    ORDER BY e.seq LIMIT 5000
""")
HEAD = text("SELECT n, hash FROM event_seal ORDER BY n DESC LIMIT 1")
SEAL = text("INSERT INTO event_seal (n, event_seq, hash) VALUES (:n, :event_seq, :hash)")
ONE_SEALER = text("SELECT pg_try_advisory_xact_lock(7205759403792793)")
SEALED = text("""
    SELECT s.n, s.hash, e.seq, e.id, e.type, e.occurred_at, e.recorded_at, e.actor, e.subject, e.subject_version,
           e.after_hash, e.data
    FROM event_seal s LEFT JOIN event e ON e.seq = s.event_seq ORDER BY s.n
""")


async def seal(db: AsyncConnection, now: datetime) -> int:
    """Duty: append every settled event to the hash chain (IA2); at most one sealer at a time. Gives how many."""
    if not await db.scalar(ONE_SEALER):
        return 0
    head = (await db.execute(HEAD)).one_or_none()
    n, link = (head.n, head.hash) if head else (0, "")
    rows = []
    for event in await db.execute(UNSEALED):
        n, link = n + 1, _link(link, event)
        rows.append({"n": n, "event_seq": event.seq, "hash": link})
    if rows:
        await db.execute(SEAL, rows)
    return len(rows)


def _link(previous: str, event: Any) -> str:
    fields = (event.id, event.type, event.occurred_at.isoformat(), event.recorded_at.isoformat(), event.actor)
    return _digest(
        "\x1f".join((previous, *fields, event.subject, str(event.subject_version), event.after_hash)).encode()
    )


async def faults(db: AsyncConnection) -> list[str]:
    """Verify the chain from its first row (IA2): each difference named."""
    found, link, expected = [], "", 1
    for row in await db.execute(SEALED):
        if row.n != expected:
            found.append(f"event_seal: row {expected} is missing")
        if row.id is None:
            found.append(f"event_seal {row.n}: its event is gone")
            link = row.hash
        else:
            link = _link(link, row)
            whole = _digest(msgspec.json.encode(row.data, order="sorted")) == row.after_hash
            if link != row.hash or not whole:
                found.append(f"event {row.id}: sealed content was changed")
                link = row.hash
        expected = row.n + 1
    return found
