"""Questions about tries to sign in."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import WINDOW, Tries

COUNT = text("""
    SELECT count(*) AS begun, count(*) FILTER (WHERE failed) AS failed, min(tried_at) FILTER (WHERE failed) AS oldest,
        count(*) FILTER (WHERE login_hash = CAST(:login_hash AS text)) AS login_begun,
        count(*) FILTER (WHERE failed AND login_hash = CAST(:login_hash AS text)) AS login_failed,
        min(tried_at) FILTER (WHERE failed AND login_hash = CAST(:login_hash AS text)) AS login_oldest
    FROM sign_in_try WHERE address = :address AND tried_at > :since
""")


async def tries_of(db: AsyncConnection, *, address: str, login_hash: str | None, now: datetime) -> tuple[Tries, Tries]:
    """The tries from an address for a login, and all from that address, within the window."""
    binds = {"address": address, "login_hash": login_hash, "since": now - WINDOW}
    row = (await db.execute(COUNT, binds)).one()
    return (
        Tries(begun=row.login_begun, failed=row.login_failed, oldest=row.login_oldest),
        Tries(begun=row.begun, failed=row.failed, oldest=row.oldest),
    )
