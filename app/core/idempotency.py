"""Idempotency keys: a POST that changes something takes effect once, and its answer is kept with it in one transaction.

Only committed answers are kept, so after a crash a retry either replays the answer or runs for the first time.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import BadRequest, Conflict, Unprocessable

KEPT_FOR = timedelta(days=7)


class StillRunning(Conflict):
    """The same key is being worked on right now."""

    code = "idempotency.in_progress"


class OtherBody(Unprocessable):
    """The key was used before, with another body."""

    code = "idempotency.mismatch"


class BadKey(BadRequest):
    """The key is empty, longer than 255 characters, or holds control characters."""

    code = "idempotency.bad_key"


@dataclass(frozen=True, slots=True)
class Once:
    """One caller's key for one route, with the digest of the body it came with."""

    key: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored answer."""

    status: int
    body: bytes


TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
KEPT = text("SELECT body_hash, status, answer FROM idempotency WHERE key = :key")
KEEP = text("""
    INSERT INTO idempotency (key, body_hash, status, answer, kept_at) VALUES (:key, :body_hash, :status, :answer, :now)
""")
FORGET = text("DELETE FROM idempotency WHERE kept_at < :before")


def once(*, principal: str, route: str, key: str | None, body: bytes) -> Once | None:
    """The claim behind an Idempotency-Key header, or None without one. A bad key is BadKey."""
    if key is None:
        return None
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", key) or not key.strip():
        raise BadKey
    digest = hashlib.sha256(body).hexdigest()
    return Once(key=f"{principal} {route} {key}", body_hash=digest)


async def kept_answer(db: AsyncConnection, claim: Once) -> Kept | None:
    """The answer kept for this claim, if any; the same key with another body is OtherBody."""
    row = (await db.execute(KEPT, {"key": claim.key})).one_or_none()
    if row is None:
        return None
    if row.body_hash != claim.body_hash:
        raise OtherBody
    return Kept(row.status, bytes(row.answer))


async def claim_key(db: AsyncConnection, claim: Once) -> Kept | None:
    """Take the key for this transaction. Gives the kept answer if it ran before; StillRunning if it runs elsewhere."""
    if not await db.scalar(TRY_LOCK, {"key": claim.key}):
        raise StillRunning(retry_after_s=1)
    return await kept_answer(db, claim)


async def keep(db: AsyncConnection, claim: Once, answer: Kept, *, now: datetime) -> None:
    """Keep the answer in the transaction that made it."""
    row = {"key": claim.key, "body_hash": claim.body_hash, "status": answer.status, "answer": answer.body, "now": now}
    await db.execute(KEEP, row)


async def forget_old(db: AsyncConnection, now: datetime) -> int:
    """Duty: drop answers older than 7 days. Gives how many."""
    return (await db.execute(FORGET, {"before": now - KEPT_FOR})).rowcount
