"""The warranty's duties: what happens by itself when time passes or a calendar is published."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.warranty import service


async def settle_undetermined(db: AsyncConnection, now: datetime) -> int:
    """W7: causes left open for 30 days become `defect`, in events and verdicts, each once. Gives how many."""
    return await service.settle_open_causes(db, now=now) + await service.settle_open_verdicts(db, now=now)


async def follow_calendar(db: AsyncConnection, now: datetime) -> int:
    """T95: last days that roll over are computed anew when a year is published. Gives how many devices."""
    return await service.follow_calendar(db, now=now)


DUTIES = [settle_undetermined, follow_calendar]
