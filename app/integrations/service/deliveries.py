"""Claiming deliveries under a lease with a fencing number, and writing down what came of each try."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import duty_actor
from app.core.egress import Answer
from app.core.events import Event, announce
from app.integrations.models import WebhookAttempt
from app.integrations.rules.delivery import GIVEN_UP_AFTER, Again, Dead, Delivered, Gone, after_attempt
from app.integrations.service.endpoints import switch_off

Outcome = Delivered | Again | Dead | Gone
LEASE = timedelta(seconds=30)
# Only the first pending delivery of a subject may go; each endpoint has its own few places, so that one that hangs
# holds up nobody else. A failing endpoint rests as a whole and is not even looked into.
CLAIM = text("""
    WITH ready AS (
        SELECT e.id, CAST(:each AS bigint) - (
            SELECT count(*) FROM webhook_delivery b
            WHERE b.endpoint = e.id AND b.state = 'pending' AND b.lease_until > :now) AS room
        FROM webhook_endpoint e
        WHERE e.state = 'active' AND (e.rests_until IS NULL OR e.rests_until <= :now)
          AND NOT e.id = ANY(CAST(:busy AS text[]))
    ), due AS (
        SELECT d.id FROM ready r CROSS JOIN LATERAL (
            SELECT w.id, w.next_at FROM webhook_delivery w
            WHERE w.endpoint = r.id AND w.state = 'pending' AND w.next_at <= :now
              AND (w.lease_until IS NULL OR w.lease_until <= :now)
              AND NOT EXISTS (
                  SELECT FROM webhook_delivery p WHERE p.endpoint = w.endpoint AND p.subject = w.subject
                    AND p.state = 'pending' AND p.sequence < w.sequence)
            ORDER BY w.next_at, w.id LIMIT greatest(r.room, 0) FOR UPDATE OF w SKIP LOCKED
        ) d LIMIT :most
    )
    UPDATE webhook_delivery w
    SET lease_until = :until, fence = nextval('webhook_fence'), attempts = w.attempts + 1, tries = w.tries + 1
    FROM due, webhook_endpoint e LEFT JOIN connection c ON c.code = e.connection
    WHERE w.id = due.id AND e.id = w.endpoint
    RETURNING w.id, w.endpoint, w.event, w.call, w.type, w.subject, w.sequence, w.method, w.path, w.body, w.body_hash,
        w.attempts, w.tries, w.fence, e.url, e.kind, e.connection, c.base_url, c.provider, c.overrides, e.failures,
        (SELECT array_agg(s.secret ORDER BY s.created_at DESC, s.id DESC) FROM webhook_secret s
         WHERE s.endpoint = e.id AND (s.expires_at IS NULL OR s.expires_at > :now)) AS secrets,
        (SELECT s.secret FROM connection_secret s WHERE s.connection = e.connection AND s.purpose = 'write'
         AND (s.expires_at IS NULL OR s.expires_at > :now) ORDER BY s.created_at DESC, s.id DESC LIMIT 1) AS write_secret
""").columns(overrides=JSONB)
SETTLE = text("""
    UPDATE webhook_delivery SET state = :state, reason = :reason, next_at = :next_at, lease_until = NULL,
        ended_at = :ended_at, last_status = :status
    WHERE id = :id AND fence = :fence AND state = 'pending' RETURNING id
""")
BEHIND = text("""
    UPDATE webhook_delivery SET next_at = :next_at
    WHERE endpoint = :endpoint AND subject = :subject AND state = 'pending' AND sequence > :sequence AND next_at < :next_at
""")
WELL = text("""
    UPDATE webhook_endpoint SET failures = 0, failing_since = NULL, rests_until = NULL WHERE id = :id AND failures > 0
""")
UNWELL = text("""
    UPDATE webhook_endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, :now),
        rests_until = CASE WHEN CAST(:rests AS timestamptz) IS NULL THEN rests_until
                      ELSE greatest(rests_until, CAST(:rests AS timestamptz)) END
    WHERE id = :id RETURNING failing_since
""")
LET_GO = text("""
    UPDATE webhook_delivery SET lease_until = NULL, attempts = attempts - 1, tries = tries - 1
    WHERE id = :id AND fence = :fence AND state = 'pending'
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to try until the lease ends; the row as claimed."""

    row: Any

    @property
    def key(self) -> dict[str, Any]:
        return {"id": self.row.id, "fence": self.row.fence}


async def claim(db: AsyncConnection, *, each: int, most: int, busy: Sequence[str], now: datetime) -> list[Claimed]:
    """Take what is due: at most `most`, at most `each` at once for one endpoint, nothing for the `busy` ones."""
    binds = {"each": each, "most": most, "busy": list(busy), "now": now, "until": now + LEASE}
    return [Claimed(row) for row in await db.execute(CLAIM, binds)]


async def settle(db: AsyncConnection, *, claimed: Claimed, answer: Answer, started_at: datetime, now: datetime) -> str:
    """Write a try down and what follows from it. Who lost the lease, or the endpoint, only leaves the try in the log."""
    row = claimed.row
    tried = {
        "delivery": row.id, "n": row.attempts, "fence": row.fence, "started_at": started_at, "took_ms": answer.took_ms,
        "status": answer.status, "failure": answer.failure, "body_hash": row.body_hash,
    }  # fmt: skip
    await db.execute(insert(WebhookAttempt), tried)
    decided = after_attempt(
        status=answer.status,
        failure=answer.failure,
        retry_after=answer.retry_after,
        tries=row.tries,
        failures=row.failures,
        jitter=(row.fence % 21 - 10) / 10,
        ticket=row.kind == "ticket",
        now=now,
    )
    change = claimed.key | {"status": answer.status, "reason": None, "next_at": None, "ended_at": now}
    match decided:
        case Delivered():
            change |= {"state": "delivered"}
        case Again(at=at, reason=reason):
            change |= {"state": "pending", "next_at": at, "ended_at": None, "reason": reason}
        case Dead(reason=reason):
            change |= {"state": "dead", "reason": reason}
        case Gone():
            change |= {"state": "dead", "reason": "http_410"}
    since = await _health(db, row, decided, now)  # the endpoint's row first, as those who disable it take it too
    if await db.scalar(SETTLE, change) is None:
        return "lost"
    await _consequences(db, row, decided, since, now)
    return str(change["state"])


async def _health(db: AsyncConnection, row: Any, decided: Outcome, now: datetime) -> datetime | None:
    """How the endpoint is: well, or failing since when, and until when it rests."""
    if isinstance(decided, Delivered):
        await db.execute(WELL, {"id": row.endpoint})
        return None
    rests = decided.rests_until if isinstance(decided, Again) else None
    since: datetime | None = await db.scalar(UNWELL, {"id": row.endpoint, "rests": rests, "now": now})
    return since


async def _consequences(db: AsyncConnection, row: Any, decided: Outcome, since: datetime | None, now: datetime) -> None:
    """What a failed try means for what waits behind it, and whether the endpoint has had its chances."""
    actor = duty_actor("deliver")
    match decided:
        case Again(at=at):
            behind = {"endpoint": row.endpoint, "subject": row.subject, "sequence": row.sequence, "next_at": at}
            await db.execute(BEHIND, behind)
        case Dead(reason=reason):
            facts = {"endpoint": row.endpoint, "event": row.event, "type": row.type, "reason": reason}
            await announce(db, Event(type="webhook.delivery_dead", subject=row.id, data=facts), by=actor, now=now)
            if since is not None and now - since >= GIVEN_UP_AFTER:
                await switch_off(db, actor=actor, endpoint_id=row.endpoint, reason="failing", now=now)
        case Gone():
            await switch_off(db, actor=actor, endpoint_id=row.endpoint, reason="gone", now=now)
        case Delivered():
            pass


async def let_go(db: AsyncConnection, *, claimed: Sequence[Claimed]) -> None:
    """Give leases back untried, as when the worker stops; others take them up at once."""
    for one in claimed:
        await db.execute(LET_GO, one.key)
