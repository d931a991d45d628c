"""Claiming deliveries under a lease with a fencing number, and writing down what came of each try."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import duty_actor
from app.core.db import reading
from app.core.egress import Answer
from app.core.events import Event, announce
from app.integrations.models import WebhookAttempt
from app.integrations.rules.delivery import GIVEN_UP_AFTER, RESTS_FROM, Again, Dead, Delivered, Gone, after_attempt
from app.integrations.service.endpoints import switch_off

Outcome = Delivered | Again | Dead | Gone
LEASE = timedelta(seconds=30)
# A worker at work holds a lock under its number. Who was killed holds it no more, and what it had claimed is free at once;
# the lease is for those who hang.
WORKERS = 1_936_485_746
BEGIN_WORK = text(f"""
    WITH me AS MATERIALIZED (SELECT CAST(nextval('webhook_fence') % 2000000000 AS int) AS number)
    SELECT me.number, pg_advisory_lock({WORKERS}, me.number) FROM me
""")
END_WORK = text(f"SELECT pg_advisory_unlock({WORKERS}, :number)")
# Only the first pending delivery of a subject may go. Each endpoint has its own places, and one that fails only a few, so
# that one that hangs holds up nobody else. A failing endpoint rests as a whole and is not even looked into.
CLAIM = text(f"""
    WITH working AS MATERIALIZED (
        SELECT CAST(l.objid AS bigint) AS number FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = {WORKERS} AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ), ready AS (
        SELECT e.id, CASE WHEN e.failures > 0 THEN CAST(:few AS bigint) ELSE CAST(:each AS bigint) END - (
            SELECT count(*) FROM webhook_delivery b
            WHERE b.endpoint = e.id AND b.state = 'pending' AND b.lease_until > :now
              AND (b.worker IS NULL OR b.worker IN (SELECT number FROM working))) AS room
        FROM webhook_endpoint e
        WHERE e.state = 'active' AND (e.rests_until IS NULL OR e.rests_until <= :now)
    ), due AS (
        SELECT d.id FROM ready r CROSS JOIN LATERAL (
            SELECT w.id, w.next_at FROM webhook_delivery w
            WHERE w.endpoint = r.id AND w.state = 'pending' AND w.next_at <= :now
              AND (w.lease_until IS NULL OR w.lease_until <= :now
                   OR w.worker IS NOT NULL AND w.worker NOT IN (SELECT number FROM working))
              AND NOT EXISTS (
                  SELECT FROM webhook_delivery p WHERE p.endpoint = w.endpoint AND p.subject = w.subject
                    AND p.state = 'pending' AND p.sequence < w.sequence)
            ORDER BY w.next_at, w.id LIMIT greatest(r.room, 0) FOR UPDATE OF w SKIP LOCKED
        ) d ORDER BY d.next_at LIMIT :most
    )
    UPDATE webhook_delivery w
    SET lease_until = :until, fence = nextval('webhook_fence'), attempts = w.attempts + 1, tries = w.tries + 1,
        worker = CAST(:worker AS bigint)
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
# The endpoints' rows first and in order, as those who disable one take them: batches cannot deadlock.
IN_ORDER = text("""
    SELECT id FROM webhook_endpoint WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR NO KEY UPDATE
""")
TAKEN = text("""
    UPDATE webhook_delivery w SET state = 'delivered', reason = NULL, next_at = NULL, lease_until = NULL,
        ended_at = :now, last_status = d.status
    FROM unnest(CAST(:ids AS text[]), CAST(:fences AS bigint[]), CAST(:statuses AS bigint[])) AS d (id, fence, status)
    WHERE w.id = d.id AND w.fence = d.fence AND w.state = 'pending'
""")
WELL = text("""
    UPDATE webhook_endpoint SET failures = 0, failing_since = NULL, rests_until = NULL
    WHERE id = ANY(CAST(:ids AS text[])) AND failures > 0 RETURNING id, old.failures
""")
HURRY = text("""
    UPDATE webhook_delivery SET next_at = :now WHERE endpoint = :endpoint AND state = 'pending' AND next_at > :now
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


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try, and when it was begun."""

    claimed: Claimed
    answer: Answer
    started_at: datetime

    @property
    def taken(self) -> bool:
        """Whether the receiver said 2xx and said it whole."""
        return self.answer.failure is None and self.answer.status is not None and 200 <= self.answer.status < 300

    @property
    def line(self) -> dict[str, Any]:
        """The try as the log keeps it."""
        row, answer = self.claimed.row, self.answer
        return {
            "delivery": row.id, "n": row.attempts, "fence": row.fence, "started_at": self.started_at,
            "took_ms": answer.took_ms, "status": answer.status, "failure": answer.failure, "body_hash": row.body_hash,
        }  # fmt: skip


@asynccontextmanager
async def at_work(engine: AsyncEngine) -> AsyncIterator[int]:
    """A worker's number, its own for as long as the block lasts; the database sees at once when the process is gone."""
    async with reading(engine) as db:
        number = int((await db.execute(BEGIN_WORK)).one().number)
        try:
            yield number
        finally:
            try:
                await db.execute(END_WORK, {"number": number})
            except BaseException:
                await db.invalidate()  # whatever broke it: the number must not live on in the pool
                raise


async def claim(db: AsyncConnection, *, worker: int, each: int, few: int, most: int, now: datetime) -> list[Claimed]:
    """Take what is due: at most `most`, at most `each` at once for one endpoint, `few` for one that fails."""
    binds = {"worker": worker, "each": each, "few": few, "most": most, "now": now, "until": now + LEASE}
    return [Claimed(row) for row in await db.execute(CLAIM, binds)]


async def settle_taken(db: AsyncConnection, *, tried: Sequence[Tried], now: datetime) -> None:
    """Write down the tries that were taken, all at once. Who lost the lease only leaves the try in the log."""
    endpoints = sorted({one.claimed.row.endpoint for one in tried})
    await db.execute(IN_ORDER, {"ids": endpoints})
    await db.execute(insert(WebhookAttempt), [one.line for one in tried])
    binds = {
        "ids": [one.claimed.row.id for one in tried], "fences": [one.claimed.row.fence for one in tried],
        "statuses": [one.answer.status for one in tried], "now": now,
    }  # fmt: skip
    await db.execute(TAKEN, binds)
    await recover(db, endpoints=endpoints, now=now)


async def recover(db: AsyncConnection, *, endpoints: Sequence[str], now: datetime) -> None:
    """These endpoints take again. If one had failed as a whole, what it was to get later goes out now: the failures were
    the endpoint's, not the deliveries'."""
    for row in (await db.execute(WELL, {"ids": list(endpoints)})).all():
        if row.failures >= RESTS_FROM:
            await db.execute(HURRY, {"endpoint": row.id, "now": now})


async def settle(db: AsyncConnection, *, tried: Tried, now: datetime) -> str:
    """Write a try down and what follows from it. Who lost the lease, or the endpoint, only leaves the try in the log."""
    claimed, answer = tried.claimed, tried.answer
    row = claimed.row
    await db.execute(insert(WebhookAttempt), tried.line)
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
        await recover(db, endpoints=[row.endpoint], now=now)
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
