"""Signing in and out: a signed cookie holds a random id, its row stands on an API key and can be revoked.

No page, no form; the doors in `sign_in.py` and the guard in `frame.py` use this.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.queries import actor_of_key
from app.accounts.rules import Actor
from app.core.db import reading

COOKIE = "sparelane_session"
LASTS = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=7)

SECRET = text("SELECT secret FROM web_secret WHERE name = 'cookies'")
OPEN = text("""
    INSERT INTO web_session (id_hash, api_key, created_at, last_seen_at, expires_at)
    VALUES (:id_hash, :api_key, :now, :now, :expires_at)
""")
FORGET = text("DELETE FROM web_session WHERE expires_at < :before")
FIND = text("""
    SELECT k.id, k.name, k.role, k.customers, k.areas, k.places, s.last_seen_at
    FROM web_session s JOIN api_key k ON k.id = s.api_key
    WHERE s.id_hash = :id_hash AND s.revoked_at IS NULL AND :now < s.expires_at
      AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR :now < k.expires_at)
""")
SEEN = text("UPDATE web_session SET last_seen_at = greatest(last_seen_at, :now) WHERE id_hash = :id_hash")
REVOKE = text("UPDATE web_session SET revoked_at = :now WHERE id_hash = :id_hash AND revoked_at IS NULL")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is behind a session, and the token that this session's forms carry."""

    actor: Actor
    session: str
    form_token: str


async def signing_secret(engine: AsyncEngine, state: Any) -> bytes:
    """The secret that signs cookies and form tokens, read once a process."""
    known: bytes | None = getattr(state, "web_secret", None)
    if known is None:
        async with reading(engine) as db:
            known = str(await db.scalar(SECRET)).encode()
        state.web_secret = known
    return known


def signature(secret: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA-256 of a value for one purpose: a token for one never passes for another."""
    return hmac.new(secret, f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()


def signed(secret: bytes, session: str) -> str:
    """The cookie's value."""
    return f"{session}.{signature(secret, 'session', session)}"


def unsigned(secret: bytes, cookie: str) -> str | None:
    """The session id in a cookie's value; None if we did not write it."""
    session, _, mark = cookie.partition(".")
    if not session.isascii() or not mark.isascii():
        return None
    return session if hmac.compare_digest(signature(secret, "session", session), mark) else None


async def open_session(db: AsyncConnection, *, presented: str, now: datetime, request_id: str) -> str | None:
    """A new session for a key that counts, by a new id; None for any key that does not, whatever is wrong with it."""
    if not (presented.isascii() and presented.isprintable()):
        return None
    actor = await actor_of_key(db, presented=presented, now=now, request_id=request_id)
    if actor is None:
        return None
    session = secrets.token_urlsafe(32)
    await db.execute(FORGET, {"before": now - KEPT})
    binds = {"id_hash": hashed(session), "api_key": actor.id, "now": now, "expires_at": now + LASTS}
    await db.execute(OPEN, binds)
    return session


async def actor_of_session(db: AsyncConnection, *, session: str, now: datetime, request_id: str) -> Actor | None:
    """The actor behind a session, as its key stands now; None once either has ended."""
    row = (await db.execute(FIND, {"id_hash": hashed(session), "now": now})).one_or_none()
    if row is None:
        return None
    if now - row.last_seen_at > SEEN_EVERY:
        await db.execute(SEEN, {"id_hash": hashed(session), "now": now})
    return Actor(
        id=row.id,
        name=row.name,
        role=row.role,
        customers=_set(row.customers),
        areas=_set(row.areas),
        places=_set(row.places),
        request_id=request_id,
    )


async def end_session(db: AsyncConnection, *, session: str, now: datetime) -> None:
    """End a session; twice has one effect."""
    await db.execute(REVOKE, {"id_hash": hashed(session), "now": now})


def hashed(session: str) -> str:
    """What the table keeps of an id of 256 random bits."""
    return hashlib.sha256(session.encode()).hexdigest()


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
