"""Months as finance sees them: open or closed, and what their entries add up to, currency by currency."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.queries.lists import AREAS, SCOPE
from app.billing.schemas import PeriodOut, PeriodsOut, PeriodSum
from app.core.keyset import capped, decode, encode
from app.core.money import Money

CHARGES = f"charge t WHERE {SCOPE} AND {AREAS}"
BORNE = f"borne_cost t WHERE {SCOPE}"
MONTHS = text(f"""
    SELECT m.period, b.closed_at, b.closed_by
    FROM (SELECT t.period FROM {CHARGES} UNION SELECT t.period FROM {BORNE} UNION SELECT period FROM billing_period) m
    LEFT JOIN billing_period b USING (period)
    WHERE (CAST(:month AS date) IS NULL OR m.period = :month) AND (CAST(:before AS date) IS NULL OR m.period < :before)
    ORDER BY m.period DESC LIMIT :limit
""")
SUMS = text(f"""
    SELECT period, currency, sum(net)::bigint AS net, sum(tax)::bigint AS tax, sum(gross)::bigint AS gross,
           sum(borne)::bigint AS borne
    FROM (SELECT t.period, t.currency, t.net_minor AS net, t.tax_minor AS tax, t.gross_minor AS gross, 0 AS borne
              FROM {CHARGES}
          UNION ALL SELECT t.period, t.currency, 0, 0, 0, t.amount_minor FROM {BORNE}) rows
    WHERE period = ANY(CAST(:periods AS date[])) GROUP BY 1, 2 ORDER BY 1, 2
""")


async def period(db: AsyncConnection, *, actor: Actor, month: date) -> PeriodOut | None:
    """One month, or None when nothing of this actor's was booked in it and nobody closed it."""
    rows = list((await db.execute(MONTHS, {**actor.scope, "month": month, "before": None, "limit": 1})).all())
    found = await _summed(db, actor, rows)
    return found[0] if found else None


async def periods(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> PeriodsOut:
    """Months with entries of this actor's scope, or closed, newest first."""
    most = capped(limit)
    before = decode(cursor, date)[0] if cursor else None
    rows = list((await db.execute(MONTHS, {**actor.scope, "month": None, "before": before, "limit": most + 1})).all())
    following = encode([rows[most - 1].period]) if len(rows) > most else None
    return PeriodsOut(items=await _summed(db, actor, rows[:most]), next=following)


async def _summed(db: AsyncConnection, actor: Actor, rows: list[Any]) -> list[PeriodOut]:
    sums: dict[date, list[PeriodSum]] = {row.period: [] for row in rows}
    for row in await db.execute(SUMS, {**actor.scope, "periods": list(sums)}):
        amounts = {name: Money(getattr(row, name), row.currency).amount for name in ("net", "tax", "gross", "borne")}
        sums[row.period].append(PeriodSum(currency=row.currency, **amounts))
    return [
        PeriodOut(period=f"{row.period:%Y-%m}", closed_at=row.closed_at, closed_by=row.closed_by, sums=sums[row.period])
        for row in rows
    ]
