"""Sessions: a signed cookie holds a random id, its row stands on a person or on an API key and can be revoked.

No page, no form; the doors in `sign_in.py` and `account.py` and the guard in `frame.py` use this.
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
from app.core.i18n import Language

COOKIE = "sparelane_session"
LASTS = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=7)
FRESH = timedelta(minutes=15)
"""For so long after the password was typed, people, keys and roles may be changed without typing it again."""

SECRET = text("SELECT secret FROM web_secret WHERE name = 'cookies'")
OPEN_BY_KEY = text("""
    INSERT INTO web_session (id_hash, api_key, browser, created_at, last_seen_at, expires_at)
    VALUES (:id_hash, :api_key, :browser, :now, :now, :expires_at)
""")
# Only in the epoch in which the password was proven: what ended it meanwhile ends this sign-in too.
OPEN_BY_PERSON = text("""
    INSERT INTO web_session (id_hash, user_account, epoch, browser, created_at, last_seen_at, expires_at)
    SELECT :id_hash, id, epoch, :browser, :now, :now, :expires_at
    FROM user_account WHERE id = :user_account AND epoch = :epoch AND disabled_at IS NULL
""")
FORGET = text("DELETE FROM web_session WHERE expires_at < :before")
COUNTS = """
    s.revoked_at IS NULL AND :now < s.expires_at
    AND (s.api_key IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR :now < k.expires_at)))
    AND (s.user_account IS NULL OR (u.disabled_at IS NULL AND u.epoch = s.epoch))
"""
STANDING_ON = "web_session s LEFT JOIN api_key k ON k.id = s.api_key LEFT JOIN user_account u ON u.id = s.user_account"
FIND = text(f"""
    SELECT coalesce(u.id, k.id) AS id, coalesce(u.name, k.name) AS name, coalesce(u.role, k.role) AS role,
        CASE WHEN u.id IS NULL THEN k.customers ELSE u.customers END AS customers,
        CASE WHEN u.id IS NULL THEN k.areas ELSE u.areas END AS areas,
        CASE WHEN u.id IS NULL THEN k.places ELSE u.places END AS places,
        u.login, u.language, coalesce(u.must_change, false) AS must_change, s.last_seen_at,
        coalesce(s.proven_at, s.created_at) AS proven_at
    FROM {STANDING_ON} WHERE s.id_hash = :id_hash AND {COUNTS}
""")
LIST = text(f"""
    SELECT s.id_hash, s.browser, s.created_at, s.last_seen_at
    FROM {STANDING_ON} WHERE :owner IN (s.user_account, s.api_key) AND {COUNTS}
    ORDER BY s.last_seen_at DESC, s.id_hash LIMIT 50
""")
SEEN = text("UPDATE web_session SET last_seen_at = greatest(last_seen_at, :now) WHERE id_hash = :id_hash")
PROVEN = text("UPDATE web_session SET proven_at = :now WHERE id_hash = :id_hash")
REVOKE = text("UPDATE web_session SET revoked_at = :now WHERE id_hash = :id_hash AND revoked_at IS NULL")
REVOKE_OWN = text("""
    UPDATE web_session SET revoked_at = :now
    WHERE id_hash = :id_hash AND :owner IN (user_account, api_key) AND revoked_at IS NULL
""")
REVOKE_OTHERS = text("""
    UPDATE web_session SET revoked_at = :now
    WHERE id_hash <> :id_hash AND :owner IN (user_account, api_key) AND revoked_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Standing:
    """Whom a session stands on, as he, she or it stands now. A key has no login and keeps no language.

    `proven_at` is when the password or key was typed last in this session.
    """

    actor: Actor
    login: str | None
    language: Language | None
    must_change: bool
    proven_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is behind a session, and the token that this session's forms carry.

    `language` is the one that a person keeps; `must_change` leads to the choice of a password before anything else.
    """

    actor: Actor
    session: str
    form_token: str
    language: Language | None = None
    login: str | None = None
    must_change: bool = False
    proven_at: datetime | None = None

    def fresh(self, now: datetime) -> bool:
        """Whether the password or key was typed within the last quarter of an hour."""
        return self.proven_at is not None and now - self.proven_at <= FRESH


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of somebody's sessions; `mark` names it in a form and opens nothing."""

    mark: str
    browser: str
    created_at: datetime
    last_seen_at: datetime


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


async def open_by_key(
    db: AsyncConnection, *, presented: str, browser: str, now: datetime, request_id: str
) -> str | None:
    """A new session for a key that counts, by a new id; None for any key that does not, whatever is wrong with it."""
    if not (presented.isascii() and presented.isprintable()):
        return None
    actor = await actor_of_key(db, presented=presented, now=now, request_id=request_id)
    if actor is None:
        return None
    session, binds = _fresh(browser, now)
    await db.execute(FORGET, {"before": now - KEPT})
    await db.execute(OPEN_BY_KEY, {**binds, "api_key": actor.id})
    return session


async def open_by_person(db: AsyncConnection, *, user_id: str, epoch: int, browser: str, now: datetime) -> str | None:
    """A new session for a person proven in an epoch, by a new id; None if that epoch is over."""
    session, binds = _fresh(browser, now)
    await db.execute(FORGET, {"before": now - KEPT})
    opened = await db.execute(OPEN_BY_PERSON, {**binds, "user_account": user_id, "epoch": epoch})
    return session if opened.rowcount else None


def _fresh(browser: str, now: datetime) -> tuple[str, dict[str, Any]]:
    session = secrets.token_urlsafe(32)
    return session, {"id_hash": hashed(session), "browser": browser, "now": now, "expires_at": now + LASTS}


async def standing_of_session(db: AsyncConnection, *, session: str, now: datetime, request_id: str) -> Standing | None:
    """Who is behind a session, as the person or key stands now; None once either has ended."""
    row = (await db.execute(FIND, {"id_hash": hashed(session), "now": now})).one_or_none()
    if row is None:
        return None
    if now - row.last_seen_at > SEEN_EVERY:
        await db.execute(SEEN, {"id_hash": hashed(session), "now": now})
    actor = Actor(
        id=row.id,
        name=row.name,
        role=row.role,
        customers=_set(row.customers),
        areas=_set(row.areas),
        places=_set(row.places),
        request_id=request_id,
    )
    return Standing(actor, row.login, row.language, row.must_change, row.proven_at)


async def prove_session(db: AsyncConnection, *, session: str, now: datetime) -> None:
    """Note that whoever has this session has just typed the password or key again."""
    await db.execute(PROVEN, {"id_hash": hashed(session), "now": now})


async def sessions_of(db: AsyncConnection, *, owner: str, now: datetime) -> list[OpenSession]:
    """The sessions of a person or key that count, the one seen last first."""
    rows = await db.execute(LIST, {"owner": owner, "now": now})
    return [
        OpenSession(mark=row.id_hash, browser=row.browser, created_at=row.created_at, last_seen_at=row.last_seen_at)
        for row in rows
    ]


async def end_session(db: AsyncConnection, *, session: str, now: datetime) -> None:
    """End a session; twice has one effect."""
    await db.execute(REVOKE, {"id_hash": hashed(session), "now": now})


async def end_own_session(db: AsyncConnection, *, owner: str, mark: str, now: datetime) -> None:
    """End one of a person's or key's own sessions; anybody else's is left alone."""
    await db.execute(REVOKE_OWN, {"id_hash": mark, "owner": owner, "now": now})


async def end_other_sessions(db: AsyncConnection, *, owner: str, session: str, now: datetime) -> int:
    """End all of a person's or key's sessions but this one; gives how many."""
    return (await db.execute(REVOKE_OTHERS, {"id_hash": hashed(session), "owner": owner, "now": now})).rowcount


def hashed(session: str) -> str:
    """What the table keeps of an id of 256 random bits."""
    return hashlib.sha256(session.encode()).hexdigest()


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
