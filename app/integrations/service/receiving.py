"""Keeping what comes in: the raw bytes first, once for each delivery id; claimed later under a lease; settled once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.core.ids import new_id
from app.integrations.queries.connections import receipt
from app.integrations.rules.profile import Identity, plain_text, value_at
from app.integrations.schemas import ReceiptOut
from app.integrations.service.refusals import NotFailed

KEPT_FOR = timedelta(days=30)
LEASE = timedelta(seconds=60)
WAITS_S = (2, 10, 60, 300, 900, 3600)
KEEP = text("""
    INSERT INTO hook_receipt (id, connection, delivery, event, body, content_type, received_at, state, next_at)
    VALUES (:id, :connection, :delivery, :event, :body, :content_type, :now, 'new', :now)
    ON CONFLICT (connection, delivery) DO UPDATE SET repeats = hook_receipt.repeats + 1
    RETURNING id, (xmax = 0) AS fresh
""")
CLAIM = text("""
    UPDATE hook_receipt r SET lease_until = :until, fence = nextval('webhook_fence'), tries = r.tries + 1
    FROM (SELECT id FROM hook_receipt
          WHERE state = 'new' AND next_at <= :now AND (lease_until IS NULL OR lease_until <= :now)
            AND NOT id = ANY(CAST(:but AS text[]))
          ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) due, connection c
    WHERE r.id = due.id AND c.code = r.connection
    RETURNING r.id, r.connection AS code, r.event, r.body, r.received_at, r.tries, r.fence, c.name, c.provider,
        c.overrides, c.customers, c.areas, c.language
""").columns(overrides=JSONB)
SETTLE = text("""
    UPDATE hook_receipt SET state = :state, outcome = :outcome, facts = CAST(:facts AS jsonb), ticket = :ticket,
        next_at = NULL, lease_until = NULL, ended_at = :now
    WHERE id = :id AND fence = :fence AND state = 'new' RETURNING id
""")
LATER = text("""
    UPDATE hook_receipt SET next_at = :next_at, lease_until = NULL, outcome = :outcome WHERE id = :id AND fence = :fence
""")
ANEW = text("""
    UPDATE hook_receipt SET state = 'new', next_at = :now, tries = 0, ended_at = NULL
    WHERE id = :id AND state IN ('failed', 'ignored') RETURNING id
""")
FORGET = text("DELETE FROM hook_receipt WHERE received_at < :before AND state <> 'new'")


class LeaseLost(Exception):
    """Another worker has the delivery by now; whatever this one did is undone. Never shown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored delivery; `fresh` is False for one that was here before."""

    id: str
    fresh: bool


def delivery_id(identity: Identity, *, headers: Mapping[str, str], body: bytes, document: Any) -> str:
    """What tells this delivery from others: a header, paths, or the digest of its bytes."""
    if identity.header and (given := headers.get(identity.header.lower(), "").strip()):
        return given if len(given) <= 200 else hashlib.sha256(given.encode()).hexdigest()
    told = [plain_text(value_at(document, path)) for path in identity.paths]
    if told and all(told):
        return hashlib.sha256("\x1f".join(one or "" for one in told).encode()).hexdigest()
    return hashlib.sha256(body).hexdigest()


async def keep(
    db: AsyncConnection,
    *,
    connection: str,
    delivery: str,
    event: str | None,
    body: bytes,
    content_type: str,
    now: datetime,
) -> Kept:
    """Store a delivery as it came; the same one again only counts (IO5)."""
    row = {"id": new_id("hk", now), "connection": connection, "delivery": delivery, "event": (event or "")[:200] or None,
           "body": body, "content_type": content_type[:200], "now": now}  # fmt: skip
    kept = (await db.execute(KEEP, row)).one()
    return Kept(kept.id, kept.fresh)


async def claim_receipt(db: AsyncConnection, *, but: Sequence[str], now: datetime) -> Any | None:
    """The oldest delivery that waits, ours until the lease ends."""
    binds = {"but": list(but), "now": now, "until": now + LEASE}
    return (await db.execute(CLAIM, binds)).one_or_none()


async def settle_receipt(
    db: AsyncConnection,
    *,
    row: Any,
    state: str,
    outcome: str,
    now: datetime,
    ticket: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write what became of a delivery, with the effect in one transaction. LeaseLost if it is no longer ours."""
    told = msgspec.json.encode(dict(facts or {})).decode()
    binds = {"id": row.id, "fence": row.fence, "state": state, "outcome": outcome, "facts": told, "ticket": ticket}
    if await db.scalar(SETTLE, binds | {"now": now}) is None:
        raise LeaseLost


async def put_off(db: AsyncConnection, *, row: Any, outcome: str, now: datetime) -> None:
    """Not now: try again later, and later still."""
    wait = timedelta(seconds=WAITS_S[min(row.tries, len(WAITS_S)) - 1])
    await db.execute(LATER, {"id": row.id, "fence": row.fence, "next_at": now + wait, "outcome": outcome})


async def try_again(db: AsyncConnection, *, actor: Actor, receipt_id: str, now: datetime) -> ReceiptOut:
    """Act once more on a delivery that failed or was put aside, as after a mended profile."""
    before = (await receipt(db, receipt_id=receipt_id)).receipt
    if await db.scalar(ANEW, {"id": receipt_id, "now": now}) is None:
        raise NotFailed(state=before.state)
    event = Event(type="hook.retried", subject=receipt_id, data={"connection": before.connection})
    await announce(db, event, by=actor, now=now)
    return (await receipt(db, receipt_id=receipt_id)).receipt


async def forget_receipts(db: AsyncConnection, now: datetime) -> int:
    """Duty: forget what came in over 30 days ago. Gives how many."""
    return (await db.execute(FORGET, {"before": now - KEPT_FOR})).rowcount
