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
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.db import begin
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


SETTLED = text("SELECT pg_snapshot_xmin(pg_current_snapshot())")
UNSEALED = text("""
    SELECT e.xid, e.seq, e.id, e.type, e.occurred_at, e.recorded_at, e.actor, e.subject, e.subject_version, e.after_hash
    FROM event e
    WHERE (e.xid, e.seq) > (CAST(:xid AS xid8), CAST(:seq AS bigint)) AND e.xid < CAST(:below AS xid8)
      AND NOT EXISTS (SELECT FROM event_seal s WHERE s.event_seq = e.seq)
    ORDER BY e.xid, e.seq LIMIT :most
""")
HEAD = text("SELECT n, hash FROM event_seal ORDER BY n DESC LIMIT 1")
SEAL = text("INSERT INTO event_seal (n, event_seq, hash) VALUES (:n, :event_seq, :hash)")
ONE_SEALER = text("SELECT pg_try_advisory_xact_lock(7205759403792793)")
SEALED = text("""
    SELECT s.n, s.hash, e.seq, e.id, e.type, e.occurred_at, e.recorded_at, e.actor, e.subject, e.subject_version,
           e.after_hash, e.data
    FROM event_seal s LEFT JOIN event e ON e.seq = s.event_seq ORDER BY s.n
""")


@dataclass(frozen=True, slots=True)
class Mark:
    """Every event at or before it, by the transaction that wrote it and then by number, is sealed."""

    xid: int = 0
    seq: int = 0


BATCH = 5000


async def seal_after(db: AsyncConnection, mark: Mark, *, most: int = BATCH) -> tuple[int, Mark]:
    """Append settled events behind a mark to the hash chain (IA2). Gives how many, and the mark once this is committed.

    Settled is what no running transaction can still add to: below the oldest transaction that runs, all have ended, and a
    later statement sees whatever they committed. So nothing that commits late is ever behind a mark. A mark that lies
    ahead comes from another cluster, before a restore, and means nothing here.
    """
    if not await db.scalar(ONE_SEALER):
        return 0, mark
    below = int(await db.scalar(SETTLED))
    start = mark if mark.xid <= below else Mark()
    binds = {"xid": start.xid, "seq": start.seq, "below": below, "most": most}
    head = (await db.execute(HEAD)).one_or_none()
    n, link = (head.n, head.hash) if head else (0, "")
    rows, last = [], Mark(below, -1)
    for event in await db.execute(UNSEALED, binds):
        n, link = n + 1, _link(link, event)
        rows.append({"n": n, "event_seq": event.seq, "hash": link})
        if len(rows) == most:
            last = Mark(int(event.xid), event.seq)
    if rows:
        await db.execute(SEAL, rows)
    return len(rows), last


class Sealer:
    """Duty: seal what came since it looked last. The mark is the process's own, and moves only once what it rests on is
    committed; a new process looks at everything once."""

    def __init__(self) -> None:
        self.mark = Mark()

    async def run(self, engine: AsyncEngine) -> int:
        async with begin(engine) as db:
            done, mark = await seal_after(db, self.mark)
        self.mark = mark
        return done


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
