"""Counting tries to sign in, so that passwords cannot be guessed; all processes count in the same table."""

import hashlib
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries
from app.accounts.rules import WINDOW, Wait, decide_try, folded_login
from app.core.errors import Refusal

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('sign-in ' || CAST(:address AS text), 0))")
BEGIN = text("""
    INSERT INTO sign_in_try (address, login_hash, tried_at) VALUES (:address, :login_hash, :now) RETURNING id
""")
FAILED = text("UPDATE sign_in_try SET failed = true WHERE id = :id")
DROPPED = text("DELETE FROM sign_in_try WHERE id = :id")
RIGHT = text("""
    DELETE FROM sign_in_try WHERE id = :id OR (failed AND (address, login_hash) = (
        SELECT address, login_hash FROM sign_in_try WHERE id = :id))
""")
FORGET = text("DELETE FROM sign_in_try WHERE tried_at < :before")


class TooManyTries(Refusal):
    """Too many failures from this address, or too many tries at the same moment."""

    status, code = 429, "sign_in.too_many"


async def begin_try(db: AsyncConnection, *, address: str, login: str | None, now: datetime) -> int:
    """Count a try before it is judged, so that many at once are no way around; gives its number. No login: a key."""
    login_hash = None if login is None else hashlib.sha256(folded_login(login).encode("utf-8", "replace")).hexdigest()
    await db.execute(ONE_AT_A_TIME, {"address": address})
    by_login, by_address = await queries.tries_of(db, address=address, login_hash=login_hash, now=now)
    decided = decide_try(by_login=by_login, by_address=by_address, now=now)
    if isinstance(decided, Wait):
        seconds = -(-int((decided.until - now).total_seconds() * 1000) // 1000)
        raise TooManyTries(retry_after_s=max(seconds, 1), guessing=decided.guessing)
    return int(await db.scalar(BEGIN, {"address": address, "login_hash": login_hash, "now": now}) or 0)


async def settle_try(db: AsyncConnection, *, number: int, right: bool | None) -> None:
    """How the try ended. A right one clears the failures of this login from there; None: it was never judged."""
    await db.execute({True: RIGHT, False: FAILED, None: DROPPED}[right], {"id": number})


async def forget_tries(db: AsyncConnection, *, now: datetime) -> int:
    """Drop what is no longer counted; gives how many."""
    return (await db.execute(FORGET, {"before": now - WINDOW})).rowcount
