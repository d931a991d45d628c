"""Stock's background duties. Each claims its rows in one statement, so any number of workers may run it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import duty_actor
from app.core.events import Event, announce_all
from app.stock import service


async def expire_reservations(db: AsyncConnection, now: datetime) -> int:
    """Duty: end the holds whose consent did not come in 24 h (P5), once each, and say so. Gives how many."""
    actor = duty_actor("expire_reservations")
    ended = await service.expire(db, actor=actor, now=now)
    events = [
        Event(
            type="stock.hold_expired",
            subject=one.reference,
            place=one.place,
            data={"reservation": one.id, "part_number": one.part, "quantity": one.quantity, "place": one.place},
        )
        for one in ended
    ]
    await announce_all(db, events, by=actor, now=now)
    return len(ended)


async def quarantine_expired(db: AsyncConnection, now: datetime) -> int:
    """Duty: take free pieces past their expiry date off the shelf. Gives how many."""
    return await service.quarantine_expired(db, actor=duty_actor("quarantine_expired"), now=now)
