"""Months as finance sees them: open or closed, and what their entries add up to, currency by currency."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.billing.schemas import PeriodOut, PeriodsOut, PeriodSum
from app.core.keyset import capped, decode, encode
from app.core.money import Money

MONTHS = text("""
    SELECT m.period, b.closed_at, b.closed_by
    FROM (SELECT period FROM charge UNION SELECT period FROM borne_cost UNION SELECT period FROM billing_period) m
    LEFT JOIN billing_period b USING (period)
    WHERE (CAST(:month AS date) IS NULL OR m.period = :month) AND (CAST(:before AS date) IS NULL OR m.period < :before)
    ORDER BY m.period DESC LIMIT :limit
""")
SUMS = text("""
    SELECT period, currency, sum(net)::bigint AS net, sum(tax)::bigint AS tax, sum(gross)::bigint AS gross,
           sum(borne)::bigint AS borne
    FROM (SELECT period, currency, net_minor AS net, tax_minor AS tax, gross_minor AS gross, 0 AS borne FROM charge
          UNION ALL SELECT period, currency, 0, 0, 0, amount_minor FROM borne_cost) rows
    WHERE period = ANY(CAST(:periods AS date[])) GROUP BY 1, 2 ORDER BY 1, 2
""")


async def period(db: AsyncConnection, *, month: date) -> PeriodOut | None:
    """One month, or None when nothing was booked in it and nobody closed it."""
    rows = list((await db.execute(MONTHS, {"month": month, "before": None, "limit": 1})).all())
    found = await _summed(db, rows)
    return found[0] if found else None


async def periods(db: AsyncConnection, *, cursor: str | None, limit: int | None) -> PeriodsOut:
    """Months with entries or closed, newest first."""
    most = capped(limit)
    before = decode(cursor, date)[0] if cursor else None
    rows = list((await db.execute(MONTHS, {"month": None, "before": before, "limit": most + 1})).all())
    following = encode([rows[most - 1].period]) if len(rows) > most else None
    return PeriodsOut(items=await _summed(db, rows[:most]), next=following)


async def _summed(db: AsyncConnection, rows: list[Any]) -> list[PeriodOut]:
    sums: dict[date, list[PeriodSum]] = {row.period: [] for row in rows}
    for row in await db.execute(SUMS, {"periods": list(sums)}):
        amounts = {name: Money(getattr(row, name), row.currency).amount for name in ("net", "tax", "gross", "borne")}
        sums[row.period].append(PeriodSum(currency=row.currency, **amounts))
    return [
        PeriodOut(period=f"{row.period:%Y-%m}", closed_at=row.closed_at, closed_by=row.closed_by, sums=sums[row.period])
        for row in rows
    ]
