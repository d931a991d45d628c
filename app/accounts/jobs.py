"""The accounts' background duties."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import service


async def forget_tries(db: AsyncConnection, now: datetime) -> int:
    """Duty: drop tries to sign in that are no longer counted. Gives how many."""
    return await service.forget_tries(db, now=now)
