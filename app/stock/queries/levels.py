"""Stock levels inside the asker's places: set by people, their demand as seen lately where nobody set it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.keyset import capped, decode, encode
from app.stock.queries.lists import IN_SCOPE
from app.stock.schemas.levels import StockLevelOut, StockLevelsOut

RATES = """
    CAST(coalesce(v.emergency_per_day, v.seen_emergency) AS float8) AS emergency_per_day,
    CAST(coalesce(v.severe_per_day, v.seen_severe) AS float8) AS severe_per_day,
    CAST(coalesce(v.general_per_day, v.seen_general) AS float8) AS general_per_day
"""
LEVELS = text(f"""
    SELECT v.place, v.part AS part_number, v.base_stock, v.lead_time_hours, v.version, {RATES},
        v.emergency_per_day IS NULL AS estimated, coalesce((
            SELECT b.on_hand - b.reserved FROM stock_balance b
            WHERE b.place = v.place AND b.part = v.part AND b.condition = 'new' AND b.genuine), 0) AS free
    FROM stock_level v
    WHERE (CAST(:place AS text) IS NULL OR v.place = :place) AND (CAST(:part AS text) IS NULL OR v.part = :part)
      AND {IN_SCOPE.format(column="v.place")}
      AND (CAST(:after_place AS text) IS NULL
           OR (v.place, v.part) > (CAST(:after_place AS text), CAST(:after_part AS text)))
    ORDER BY v.place, v.part LIMIT :limit
""")
PRIORITIES = ("emergency", "severe", "general")


@dataclass(frozen=True, slots=True)
class Level:
    """What one more miss of a part at a place rests on: pieces it is kept at, the load while a piece is on its way back
    (demand rate times lead time), and what a miss is worth there in minor units of the company's currency."""

    base_stock: int
    load: float
    miss_minor: int


def level_of(row: Any, worth: str | None) -> Level | None:
    """The level in a row with RATES, or None where nothing is planned or nobody asks.

    `worth` are the minor units that a miss of each priority is worth, as `60000,30000,15000`; the mean by the rates counts.
    """
    if not row.base_stock or not worth:
        return None
    rates = [getattr(row, f"{one}_per_day") for one in PRIORITIES]
    a_day = sum(rates)
    if not a_day:
        return None
    values = [int(one) for one in worth.split(",")]
    miss = sum(rate * value for rate, value in zip(rates, values, strict=True)) / a_day
    return Level(row.base_stock, a_day * row.lead_time_hours / 24, round(miss))


async def levels(
    db: AsyncConnection, *, actor: Actor, place: str | None, part: str | None, cursor: str | None, limit: int | None
) -> StockLevelsOut:
    """Levels by place and part."""
    most = capped(limit)
    after_place, after_part = decode(cursor, str, str) if cursor else (None, None)
    asked = {"place": place, "part": part, "after_place": after_place, "after_part": after_part, "limit": most + 1}
    rows = (await db.execute(LEVELS, asked | {"scope_places": actor.scope["scope_places"]})).all()
    last = rows[most - 1] if len(rows) > most else None
    return StockLevelsOut(
        items=[StockLevelOut(**row._mapping) for row in rows[:most]],
        next=encode([last.place, last.part_number]) if last else None,
    )


async def level_for(db: AsyncConnection, *, actor: Actor, place: str, part: str) -> StockLevelOut | None:
    """The level of one part at a place that this actor may see."""
    return next(iter((await levels(db, actor=actor, place=place, part=part, cursor=None, limit=1)).items), None)
