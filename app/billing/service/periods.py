"""Accounting months (IM7): bookings and a closing never pass each other; what comes late goes into the next open month."""

from datetime import date, datetime

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing import queries
from app.billing.models import BillingPeriod
from app.billing.rules.periods import StillRuns, may_close, month_of, period_for
from app.billing.schemas import PeriodOut
from app.billing.service.refusals import BadPeriod, PeriodIsEverybodys, PeriodRuns
from app.core.events import Event, announce

# Bookings share the lock, a closing has it alone; the months are read after it, in a snapshot of their own.
BOOKING = text("SELECT pg_advisory_xact_lock_shared(7205759403792810)")
CLOSING = text("SELECT pg_advisory_xact_lock(7205759403792810)")
CLOSED_SINCE = text("SELECT period FROM billing_period WHERE period >= :month")


async def booking_period(db: AsyncConnection, happened_at: datetime) -> date:
    """The month that an entry of this instant is booked in; it stays open until this transaction ends."""
    await db.execute(BOOKING)
    rows = await db.execute(CLOSED_SINCE, {"month": month_of(happened_at)})
    return period_for(happened_at, set(rows.scalars()))


async def close_period(db: AsyncConnection, *, actor: Actor, period: str, now: datetime) -> PeriodOut:
    """Close a month (`2026-10`) that is over, with its entries; closing it again changes nothing. A month is the
    whole company's, so whoever sees but a part of it may not. Raises BadPeriod, PeriodRuns, PeriodIsEverybodys."""
    if not (actor.customers is None and actor.areas is None and actor.places is None):
        raise PeriodIsEverybodys
    try:
        month = date.fromisoformat(f"{period}-01")
    except ValueError as wrong:
        raise BadPeriod(period=period) from wrong
    if isinstance(may_close(month, now), StillRuns):
        raise PeriodRuns(period=period)
    await db.execute(CLOSING)
    known = await queries.period(db, actor=actor, month=month)
    if known is None or known.closed_at is None:
        await db.execute(insert(BillingPeriod), {"period": month, "closed_at": now, "closed_by": actor.id})
        await announce(db, Event(type="period.closed", subject=f"period:{period}"), by=actor, now=now)
        known = await queries.period(db, actor=actor, month=month)
    if known is None or known.closed_at is None:
        raise BadPeriod(period=period)
    return known
