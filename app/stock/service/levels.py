"""Setting stock levels (S7): what a place is kept at of a part, how long it takes to refill, how fast it is asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.stock.queries.levels import PRIORITIES, level_for
from app.stock.queries.lookups import place_for, tracking
from app.stock.schemas.levels import StockLevelIn, StockLevelOut
from app.stock.service.refusals import BadLines

SET = text("""
    INSERT INTO stock_level AS v (place, part, base_stock, lead_time_hours, emergency_per_day, severe_per_day,
        general_per_day, set_at, set_by)
    VALUES (:place, :part, :base_stock, :lead_time_hours, CAST(:emergency AS numeric), CAST(:severe AS numeric),
        CAST(:general AS numeric), :now, :by)
    ON CONFLICT (place, part) DO UPDATE SET base_stock = excluded.base_stock, lead_time_hours = excluded.lead_time_hours,
        emergency_per_day = excluded.emergency_per_day, severe_per_day = excluded.severe_per_day,
        general_per_day = excluded.general_per_day, set_at = excluded.set_at, set_by = excluded.set_by,
        version = v.version + 1
    RETURNING version
""")
NOTE = text("""
    UPDATE stock_level v
    SET seen_emergency = coalesce(s.emergency, 0), seen_severe = coalesce(s.severe, 0), seen_general = coalesce(s.general, 0)
    FROM stock_level o LEFT JOIN (
        SELECT * FROM unnest(CAST(:places AS text[]), CAST(:parts AS text[]), CAST(:emergency AS numeric[]),
            CAST(:severe AS numeric[]), CAST(:general AS numeric[])) AS n(place, part, emergency, severe, general)
    ) s USING (place, part)
    WHERE v.place = o.place AND v.part = o.part AND o.emergency_per_day IS NULL
      AND (v.seen_emergency, v.seen_severe, v.seen_general)
        IS DISTINCT FROM (coalesce(s.emergency, 0), coalesce(s.severe, 0), coalesce(s.general, 0))
""")


async def set_level(
    db: AsyncConnection, *, actor: Actor, new: StockLevelIn, if_match: Expected = None, now: datetime
) -> StockLevelOut:
    """Set a level or replace it whole. Rates are given together, those left out beside a given one are 0.

    Raises NoSuchPlace, BadLines for a part that does not exist, StaleVersion.
    """
    await place_for(db, actor=actor, place=new.place)
    if new.part_number not in await tracking(db, parts=[new.part_number]):
        raise BadLines(errors=[FieldError("part_number", "part.unknown", {"part_number": new.part_number})])
    before = await level_for(db, actor=actor, place=new.place, part=new.part_number)
    if before is not None or if_match is not None:
        check_version(before.version if before else 0, if_match)
    rates: dict[str, Any] = {one: getattr(new, f"{one}_per_day") for one in PRIORITIES}
    if any(rate is not None for rate in rates.values()):
        rates = {one: rate or 0.0 for one, rate in rates.items()}
    row = {"place": new.place, "part": new.part_number, "base_stock": new.base_stock, **rates}
    await db.execute(SET, row | {"lead_time_hours": new.lead_time_hours, "now": now, "by": actor.id})
    level = await level_for(db, actor=actor, place=new.place, part=new.part_number)
    if level is None:
        raise RuntimeError("a level that was just written is not there")
    event = Event(
        type="stock.level_set",
        subject=f"{new.place}/{new.part_number}",
        version=level.version,
        place=new.place,
        data=msgspec.to_builtins(new),
    )
    await announce(db, event, by=actor, now=now)
    return level


async def note_demand(db: AsyncConnection, *, seen: Sequence[tuple[str, str, float, float, float]]) -> int:
    """What was seen of demand at places (place, part, pieces a day by priority): it counts where nobody set a rate.

    Levels that are not named were not asked for at all. Gives how many changed.
    """
    columns = [list(one) for one in zip(*seen, strict=True)] or [[], [], [], [], []]
    names = ("places", "parts", *PRIORITIES)
    return (await db.execute(NOTE, dict(zip(names, columns, strict=True)))).rowcount
