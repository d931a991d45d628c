"""What is still under warranty and until when: devices and key parts by the day their cover ends, in one statement.

A part without a history of its own ends with its device; one that was restarted, extended or voided has its own end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.warranty.queries.facts import SCOPED

# One row for each device and each key part that is covered on the day asked for, which is today at its site unless a
# day is named. The unit's row of that day speaks for the positions that have none of their own.
EXPOSED = f"""(
    WITH standing AS MATERIALIZED (
        SELECT i.id, i.serial, i.model, i.contract, i.customer, i.site, i.positions, s.area,
            coalesce(CAST(:on AS date), CAST(CAST(:now AS timestamptz) AT TIME ZONE s.timezone AS date)) AS on_day
        FROM installation i JOIN site s ON s.code = i.site WHERE {SCOPED}
    ), cover AS MATERIALIZED (
        SELECT c.installation, c.position, c.status, c.last_day, c.payer, c.restarted, upper(c.valid) - 1 AS layer_ends
        FROM standing t JOIN coverage c ON c.installation = t.id AND c.valid @> t.on_day
    ), parts AS (
        SELECT t.id, p.position, p.part_number FROM standing t
        CROSS JOIN LATERAL jsonb_to_recordset(t.positions) AS p (position text, part_number text, key boolean)
        WHERE p.key AND p.position <> 'unit'
        UNION ALL
        SELECT t.id, 'unit', t.model FROM standing t
    )
    SELECT t.id || '/' || p.position AS id, t.serial, t.model, t.contract, t.customer, t.site, t.area, p.position,
        p.part_number, CASE WHEN p.position = 'unit' THEN 'device' ELSE 'part' END AS kind,
        coalesce(o.last_day, u.last_day) AS last_day, coalesce(o.payer, u.payer) AS payer,
        least(coalesce(o.layer_ends, u.layer_ends), coalesce(o.last_day, u.last_day)) AS layer_ends,
        coalesce(o.restarted, u.restarted) AS restarted
    FROM parts p JOIN standing t ON t.id = p.id
    JOIN cover u ON u.installation = p.id AND u.position = 'unit'
    LEFT JOIN cover o ON o.installation = p.id AND o.position = p.position AND p.position <> 'unit'
    WHERE coalesce(o.status, u.status) = 'covered'
) x"""
BY_QUARTER = text(f"""
    SELECT CAST(date_trunc('quarter', x.last_day) AS date) AS quarter, count(*) FILTER (WHERE x.kind = 'device') AS devices,
        count(*) FILTER (WHERE x.kind = 'part') AS parts, count(*) FILTER (WHERE x.restarted) AS restarted
    FROM {EXPOSED} GROUP BY 1 ORDER BY 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How many devices and key parts end in a quarter (its first day), and how many of both were restarted."""

    quarter: date
    devices: int
    parts: int
    restarted: int


async def endings(db: AsyncConnection, *, actor: Actor, on: date | None, now: datetime) -> Sequence[Ending]:
    """What is covered on a day (None: today at each site), by the quarter in which it ends."""
    rows = await db.execute(BY_QUARTER, {**actor.scope, "on": on, "now": now})
    return [Ending(quarter=row.quarter, devices=row.devices, parts=row.parts, restarted=row.restarted) for row in rows]
