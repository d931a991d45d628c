"""Fan-out: every event still in the outbox becomes deliveries, in the transaction that takes it out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.ids import new_id
from app.integrations.models import WebhookDelivery

KEPT_FOR = timedelta(days=7)
"""How long after an endpoint was disabled events are still kept for it."""
ONE_FANNER = text("SELECT pg_try_advisory_xact_lock(7205759403792794)")
WAITING = text("""
    SELECT e.* FROM event_outbox o JOIN event e ON e.seq = o.event_seq ORDER BY o.event_seq LIMIT :most
""").columns(data=JSONB)
TAKEN = text("DELETE FROM event_outbox WHERE event_seq = ANY(CAST(:seqs AS bigint[]))")
RECEIVERS = text("""
    SELECT e.id, e.kind, e.event_types, e.language, e.role, e.owner, e.places, c.provider, c.overrides, c.code AS system,
        CASE WHEN e.kind = 'ticket' THEN c.customers ELSE e.customers END AS customers,
        CASE WHEN e.kind = 'ticket' THEN c.areas ELSE e.areas END AS areas,
        coalesce((SELECT min(v.seq) FROM event v WHERE v.subject = e.id), 0) AS since
    FROM webhook_endpoint e
    LEFT JOIN connection c ON c.code = e.connection
    LEFT JOIN api_key k ON k.id = e.owner
    WHERE (e.state = 'active' OR e.state = 'disabled' AND e.disabled_at > :kept_since)
      AND (e.kind = 'ticket' OR k.id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)))
    ORDER BY e.id
""").columns(overrides=JSONB)
ORPHANED = text("""
    SELECT e.id FROM webhook_endpoint e JOIN api_key k ON k.id = e.owner
    WHERE e.state = 'active' AND e.kind = 'webhook'
      AND (k.revoked_at IS NOT NULL OR k.expires_at <= :now) ORDER BY e.id
""")
STATES = text("SELECT id, state FROM webhook_endpoint WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR SHARE")
SEQUENCES = text("""
    SELECT d.endpoint, d.subject, max(d.sequence) AS last FROM webhook_delivery d
    WHERE d.endpoint = ANY(CAST(:endpoints AS text[])) AND d.subject = ANY(CAST(:subjects AS text[])) GROUP BY 1, 2
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What one event is for one endpoint: the very bytes; None where they could not be made, with the reason."""

    endpoint: str
    body: bytes | None
    call: str = ""
    method: str = "POST"
    path: str | None = None
    reason: str | None = None


async def waiting(db: AsyncConnection, *, most: int) -> Sequence[Any] | None:
    """The oldest events still to be fanned out; None if another worker is at it (order needs one at a time)."""
    if not await db.scalar(ONE_FANNER):
        return None
    return (await db.execute(WAITING, {"most": most})).all()


async def receivers(db: AsyncConnection, *, now: datetime) -> Sequence[Any]:
    """Every endpoint whose key counts and that gets events now: active, or disabled lately, for which they are kept.
    `since` is the event that made it: what was before that is none of its."""
    return (await db.execute(RECEIVERS, {"now": now, "kept_since": now - KEPT_FOR})).all()


async def orphaned(db: AsyncConnection, *, now: datetime) -> list[str]:
    """Active endpoints whose key was ended: they are to get nothing more."""
    return list((await db.execute(ORPHANED, {"now": now})).scalars())


async def fan_out(db: AsyncConnection, *, parcels: Sequence[tuple[Any, Sequence[Parcel]]], now: datetime) -> int:
    """Take events out of the outbox and put their deliveries in, numbered per endpoint and subject. Gives how many."""
    endpoints = sorted({one.endpoint for _, each in parcels for one in each})
    subjects = sorted({event.subject for event, _ in parcels})
    known = await db.execute(SEQUENCES, {"endpoints": endpoints, "subjects": subjects})
    last = {(row.endpoint, row.subject): int(row.last) for row in known}
    states = {
        row.id: row.state for row in await db.execute(STATES, {"ids": endpoints})
    }  # as they stand until the commit
    rows = []
    for event, each in parcels:
        for one in each:
            if states[one.endpoint] == "deleted":
                continue
            key = (one.endpoint, event.subject)
            last[key] = last.get(key, 0) + 1
            rows.append(_row(event, one, last[key], states[one.endpoint] == "active", now))
    if rows:
        await db.execute(insert(WebhookDelivery), rows)
    await db.execute(TAKEN, {"seqs": [event.seq for event, _ in parcels]})
    return len(rows)


def _row(event: Any, one: Parcel, sequence: int, active: bool, now: datetime) -> dict[str, Any]:
    whole = one.body is not None
    state, reason = ("pending", None) if active else ("canceled", "endpoint_disabled")
    if not whole:
        state, reason = "dead", one.reason
    return {
        "id": new_id("dlv", now),
        "endpoint": one.endpoint,
        "event": event.id,
        "call": one.call,
        "event_seq": event.seq,
        "type": event.type,
        "subject": event.subject,
        "sequence": sequence,
        "method": one.method,
        "path": one.path,
        "body": one.body,
        "body_hash": hashlib.sha256(one.body).hexdigest() if one.body is not None else None,
        "state": state,
        "reason": reason,
        "next_at": now if state == "pending" else None,
        "ended_at": None if state == "pending" else now,
        "created_at": now,
    }
