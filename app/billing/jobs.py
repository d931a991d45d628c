"""Billing's background duties."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import duty_actor
from app.billing import service


async def expire_recoveries(db: AsyncConnection, now: datetime) -> int:
    """Duty: expire claims whose payer let the time limit pass (P7), once each. Gives how many."""
    return await service.expire_due(db, actor=duty_actor("expire_recoveries"), now=now)
