"""Small questions the doors' verbs start with: may this actor see the place, how is a part tracked, what did it cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import NotFound
from app.stock.queries.holds import rates_of

PLACE = text("""
    SELECT code, stock FROM place
    WHERE code = :place AND (CAST(:scope_places AS text[]) IS NULL OR code = ANY(CAST(:scope_places AS text[])))
""")
TRACKING = text("SELECT number, tracking FROM part WHERE number = ANY(CAST(:parts AS text[]))")
LATEST = text("""
    SELECT DISTINCT ON (m.part) m.part, m.value_minor, m.quantity, m.currency, m.occurred_at, l.rates
    FROM stock_movement m JOIN stock_layer l ON l.id = m.layer
    WHERE m.why = 'receipt' AND m.part = ANY(CAST(:parts AS text[])) AND m.condition = 'new'
      AND NOT EXISTS (SELECT FROM stock_movement c WHERE c.corrects = m.id)
    ORDER BY m.part, m.occurred_at DESC, m.id DESC
""")


class NoSuchPlace(NotFound):
    """No place by that code, or none in this actor's scope: the same answer."""

    code = "place.not_found"


class NoSuchReceipt(NotFound):
    """No receipt by that id at a place of this actor's."""

    code = "receipt.not_found"


@dataclass(frozen=True, slots=True)
class PlaceStock:
    code: str
    stock: str

    @property
    def ours(self) -> bool:
        return self.stock == "ours"


@dataclass(frozen=True, slots=True)
class LatestCost:
    """What the company last paid for a part: `value_minor` for `quantity` pieces, in minor units of `currency` (P4)."""

    part: str
    value_minor: int
    quantity: int
    currency: str
    received_at: datetime
    rates: Mapping[str, str] = field(default_factory=dict)


async def place_for(db: AsyncConnection, *, actor: Actor, place: str) -> PlaceStock:
    """A place this actor may work at; any other does not exist (T136)."""
    row = (await db.execute(PLACE, {"place": place, "scope_places": actor.scope["scope_places"]})).one_or_none()
    if row is None:
        raise NoSuchPlace(place=place)
    return PlaceStock(row.code, row.stock)


async def tracking(db: AsyncConnection, *, parts: Iterable[str]) -> dict[str, str]:
    """How each known part is tracked: none, lot or serial. Unknown numbers are missing."""
    return {row.number: row.tracking for row in await db.execute(TRACKING, {"parts": sorted(set(parts))})}


async def latest_costs(db: AsyncConnection, *, parts: Iterable[str]) -> dict[str, LatestCost]:
    """The latest purchase of each part, where there was one; reported stock and canceled receipts were never bought."""
    rows = await db.execute(LATEST, {"parts": sorted(set(parts))})
    return {
        row.part: LatestCost(
            row.part, row.value_minor, row.quantity, row.currency, row.occurred_at, rates_of(row.rates)
        )
        for row in rows
    }
